"""Anybody's table of measurements: columns of cells that know where they stand.

A CSV file (comma, semicolon or tab), a data frame, or a dictionary of columns. Cells become numbers
only when they are used, so that a fault can name its line, its column and what stands there.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from simulations.problems import InputError, nearest, one_sentence, show

# What means that nothing was measured; "nan" does not: something was, and failed.
EMPTY = ("", "na", "n/a", "null", "none")
SEPARATORS = (",", ";", "\t")


class Columns(NamedTuple):
    """``cells[name][i]`` stands in the row that ``places[i]`` names; ``source``: what was read."""

    source: str
    cells: Mapping[str, Sequence[Any]]
    places: Sequence[str]


def read_columns(table: Any) -> Columns:
    """The columns of a CSV file's path, a data frame, or a dictionary of sequences.

    Args:
        table: what was handed over.

    Raises:
        ValueError: one sentence: no such file, no CSV, no rows, rows of other lengths.
    """
    if isinstance(table, str | Path):
        return _of_file(Path(table))
    if hasattr(table, "columns") and hasattr(table, "index"):
        return _of_mapping({str(name): table[name].tolist() for name in table.columns})
    if isinstance(table, Mapping):
        named = cast("Mapping[Any, Any]", table)
        return _of_mapping({str(name): list(values) for name, values in named.items()})
    raise InputError(
        f"the table is a {type(table).__name__}; give the path of a CSV file, a data frame, or a"
        " dictionary of columns."
    )


def _of_mapping(cells: dict[str, list[Any]]) -> Columns:
    lengths = {name: len(values) for name, values in cells.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise InputError(f"the columns differ in length ({told}); give one cell for each row.")
    count = next(iter(lengths.values()), 0)
    if count == 0:
        raise InputError("the table has no rows; give at least four points of a curve.")
    return Columns("the table", cells, [f"row {i + 1}" for i in range(count)])


def _of_file(path: Path) -> Columns:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a CSV file, such as {path / 'table.csv'}.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no such file; name a CSV file with a header line."
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; save the table as a CSV file.") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); name a CSV file you may read."
        ) from None
    if "\0" in text:
        raise InputError(f"{path} is no text file; save the table as a CSV file.")
    return _of_text(str(path), text)


def _of_text(source: str, text: str) -> Columns:
    lines = text.splitlines(keepends=True)
    header = next((line for line in lines if line.strip()), "")
    if not header:
        raise InputError(f"{source} is empty; give a header line and a line for each point.")
    separator = next((each for each in SEPARATORS if each in header), ",")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    rows: list[list[str]] = []
    places: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                places.append(reader.line_num)
    except csv.Error as error:
        fault = f"{source}: line {reader.line_num} is no CSV ({error}); save the table as CSV again"
        raise InputError(one_sentence(fault)) from None
    names = [name.strip() for name in rows[0]]
    check_header(source, names)
    if len(rows) == 1:
        raise InputError(f"{source} has a header but no rows; give a line for each point.")
    for row, line in zip(rows[1:], places[1:], strict=True):
        if len(row) != len(names):
            raise InputError(
                f"{source}: line {line} has {len(row)} cell(s) where the header has {len(names)};"
                " mend that line."
            )
    cells = {name: [row[k] for row in rows[1:]] for k, name in enumerate(names)}
    return Columns(source, cells, [f"line {line}" for line in places[1:]])


def check_header(source: str, names: list[str]) -> None:
    """Raise ``InputError`` for two columns of one name, or of none."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        what = f"two columns named {twice!r}" if twice else "columns without a name"
        raise InputError(f"{source} has {what} in its header; give each column its own name.")
    if all(_is_number(name) for name in names):
        raise InputError(
            f"{source} starts with numbers; put a header line with the columns' names on top."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def column(columns: Columns, name: str, option: str) -> Sequence[Any]:
    """The cells of one column; ``InputError`` where there is none, naming the nearest."""
    if name not in columns.cells:
        remedy = nearest(name, columns.cells, "columns")
        raise InputError(
            one_sentence(f"{columns.source} has no column {name!r} ({option}); {remedy}")
        )
    return columns.cells[name]


def is_empty(cell: Any) -> bool:
    """Whether a cell says that nothing was measured.

    >>> is_empty(" "), is_empty("NA"), is_empty(float("nan")), is_empty("nan"), is_empty(0)
    (True, True, True, False, False)
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return str(cell).strip().lower() in EMPTY


def number(columns: Columns, name: str, row: int) -> float:
    """The finite number in a cell; ``InputError`` names its line, its column and what is there."""
    cell = columns.cells[name][row]
    text = str(cell).strip()
    try:
        found = float(cell) if not isinstance(cell, str) else float(text)
    except (TypeError, ValueError):
        found = None
    if found is None or "_" in text or isinstance(cell, bool):
        raise fault(columns, name, row, f"{show(text)} is no number; write it like 0.25 or 1e-3")
    if not math.isfinite(found):
        remedy = "leave the cell empty to leave the point out"
        raise fault(columns, name, row, f"{text} is no finite number; {remedy}")
    return found


def fault(columns: Columns, name: str, row: int, text: str) -> InputError:
    """One sentence on one cell."""
    where = f"{columns.source}: {columns.places[row]}, column {name!r}"
    return InputError(one_sentence(f"{where}: {text}"))


def complete_rows(columns: Columns, names: Iterable[str]) -> tuple[list[int], dict[str, int]]:
    """The rows in which all the named columns hold something; how many each column took out."""
    listed, lost, kept = list(names), dict[str, int](), list[int]()
    for row in range(len(columns.places)):
        missing = next((name for name in listed if is_empty(columns.cells[name][row])), None)
        if missing is None:
            kept.append(row)
        else:
            lost[missing] = lost.get(missing, 0) + 1
    return kept, lost
