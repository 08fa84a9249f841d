"""What a command shows: tables for people, JSON for machines, progress beside them.

Results go to standard output, progress and faults to standard error. Nothing heavy is
imported before it is used, because the help pages must come up at once. What holds for every
command stands in paper_notes/command_line.md.
"""

import json
import math
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

# Exit statuses; 0 where all went well.
CONTRADICTED, BAD_INPUT, INTERRUPTED = 1, 2, 130
SCHEMA = 1
SHOWN_ROWS = 60  # a longer table is cut on the screen; the file has all of it


class Output(NamedTuple):
    """How a command shall speak: ``json`` replaces all else, ``quiet`` leaves only faults."""

    json: bool = False
    quiet: bool = False


Progress = Callable[..., None]


def show_json(payload: dict[str, Any]) -> None:
    """Print one JSON object; numbers that are not finite become null."""
    print(json_text(payload))


def json_text(payload: dict[str, Any], indent: int | None = None) -> str:
    """One JSON object with its schema number.

    >>> json_text({"value": float("nan")})
    '{"schema": 1, "value": null}'
    """
    whole = finite({"schema": SCHEMA, **payload})
    return json.dumps(whole, default=_plain, allow_nan=False, indent=indent)


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of a table, one dictionary each."""
    rows = frame.astype(object).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def finite(value: Any) -> Any:
    """A value JSON can hold: null for a float that is not finite, through lists and tables.

    >>> finite({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        named: dict[Any, Any] = value
        return {key: finite(inner) for key, inner in named.items()}
    if isinstance(value, list | tuple):
        listed: Sequence[Any] = value
        return [finite(inner) for inner in listed]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def say(output: Output, text: str) -> None:
    """Tell people something; machines and the quiet are spared."""
    if not (output.json or output.quiet):
        print(text)


def fault(text: str) -> None:
    """Print a fault to standard error as it is."""
    print(text, file=sys.stderr)


def show_table(output: Output, title: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
    """Print a table of texts and numbers."""
    if output.json or output.quiet:
        return
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        numeric = all(isinstance(row[position], int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows[:SHOWN_ROWS]:
        table.add_row(*(_cell(value) for value in row))
    show(output, table)
    if len(rows) > SHOWN_ROWS:
        print(f"({len(rows) - SHOWN_ROWS} more rows)")


def show(output: Output, renderable: Any) -> None:
    """Print a rich table, or anything else rich can draw."""
    if output.json or output.quiet:
        return
    from rich.console import Console

    # A pipe has no width of its own: give it room, so that nothing is cut.
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(renderable)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))


def shows_progress(output: Output) -> bool:
    """Whether somebody watches: standard error is a terminal, and people are spoken to."""
    return not (output.json or output.quiet) and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress_bar(output: Output, what: str) -> Generator[Progress]:
    """A bar on standard error; yields ``advance(done, total, label)``, the label optional.

    Nothing is shown where that is no terminal: a file or a pipe holds results and faults alone.

    Args:
        output: how the command speaks.
        what: what is counted, in a word.
    """
    if not shows_progress(output):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: float, total: float, label: str = what) -> None:
            bar.update(task, completed=done, total=total, description=label)

        yield advance
