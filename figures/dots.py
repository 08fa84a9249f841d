"""One row per cell: the frame that dot plots share."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import canvas

# With more cells than this their names no longer fit; rows are then numbered.
NAMED = 45
_LONGEST = 44


def rows(cells: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure with one horizontal row per cell, the first on top, at y = 0, 1, 2, ..."""
    count = len(cells)
    height = 1.5 + (0.24 * count if count <= NAMED else 3.6)
    figure = canvas(5.8, height)
    axes = figure.subplots()
    axes.set_ylim(count - 0.4, -0.6)
    if count <= NAMED:
        axes.set_yticks(range(count), labels=[shorten(cell) for cell in cells])
        axes.set_ylabel("cell")
    else:
        axes.set_ylabel("cell, in the order of the table")
    axes.grid(visible=True, axis="y", linestyle=":")
    return figure, axes


def shorten(text: str, limit: int = _LONGEST) -> str:
    """Cut a long name in its middle, where names of cells differ least.

    >>> shorten("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
