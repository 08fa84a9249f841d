"""One row per cell: the frame that dot plots share."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import canvas

# With more cells than this their names no longer fit; rows are then numbered.
NAMED = 45
_LONGEST = 54
# Width of the figure, and what every letter of a long name adds to it, in inches.
_WIDTH, _SHORT, _LETTER = 5.8, 36, 0.06


def rows(cells: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure with one horizontal row per cell, the first on top, at y = 0, 1, 2, ..."""
    count = len(cells)
    height = 1.5 + (0.24 * count if count <= NAMED else 3.6)
    names = [shorten(cell) for cell in cells] if count <= NAMED else []
    longest = max((len(name) for name in names), default=0)
    figure = canvas(_WIDTH + _LETTER * max(0, longest - _SHORT), height)
    axes = figure.subplots()
    axes.set_ylim(count - 0.4, -0.6)
    if count <= NAMED:
        axes.set_yticks(range(count), labels=names)
        axes.set_ylabel("cell")
    else:
        axes.set_ylabel("cell, in the order of the table")
    axes.grid(visible=True, axis="y", linestyle=":")
    return figure, axes


def shorten(text: str, limit: int = _LONGEST) -> str:
    """Cut a long name in its middle, where names of cells differ least, between words where it has any.

    >>> shorten("abcdefghij", 7), shorten("one word and many others", 18)
    ('abc…hij', 'one word … others')
    """
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    head, tail = text[:half], text[-half:]
    first = head if text[half] == " " else head.rpartition(" ")[0]
    last = tail if text[-half - 1] == " " else tail.partition(" ")[2]
    if not first.strip() or not last.strip():
        return f"{head}…{tail}"
    words = f"{first.strip()} … {last.strip()}"
    return words if len(words) <= limit else f"{first.strip()} …"
