"""The progress of a training run on the screen, with its loss and the time that is left."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from synthlaw.output import Output, shows_progress

if TYPE_CHECKING:
    from simulations.transformers.training import Progress

SHOWN = (
    "n",
    "Bayes",
    "se",
    "trained/Bayes",
    "se ",
    "likelihood/Bayes",
    "trained/constructed",
    "se  ",
)


@contextmanager
def training_bar(output: Output) -> Generator[Callable[["Progress"], None]]:
    """A bar on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
    )
    silent = not shows_progress(output)
    with Progress(*columns, console=console, disable=silent, transient=False) as bar:
        task = bar.add_task("train", total=None, told="compiling")

        def report(progress: Any) -> None:
            told = progress_text(progress.loss, progress.seconds_left)
            bar.update(task, completed=progress.step, total=progress.steps, told=told)

        yield report


def progress_text(loss: float, seconds_left: float) -> str:
    """Loss in nats and the time left.

    >>> progress_text(3.78687, 83.2), progress_text(3.8, 0.0)
    ('loss 3.7869, 1:23 left', 'loss 3.8000')
    """
    if seconds_left <= 0.0:
        return f"loss {loss:.4f}"
    minutes, seconds = divmod(int(seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return f"loss {loss:.4f}, {clock} left"


def shown_rows(table: Any) -> list[list[Any]]:
    """A row for each number of seeds: the divergence of Bayes, and ratios of divergences (`SHOWN`)."""
    by = {name: rows.set_index("n") for name, rows in table.groupby("generator")}
    trained, bayes, likeliest = by["trained"], by["bayes"], by["maximum likelihood"]
    return [
        [
            int(n),
            *(float(bayes.loc[n, column]) for column in ("kl", "se")),
            *(float(trained.loc[n, column]) for column in ("ratio_bayes", "ratio_bayes_se")),
            float(likeliest.loc[n, "ratio_bayes"]),
            *(float(trained.loc[n, f"ratio_constructed{part}"]) for part in ("", "_se")),
        ]
        for n in bayes.index
    ]
