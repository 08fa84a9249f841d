"""Wald's test of local symmetry: how often it rejects under symmetry, and its power beside it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta

from figures import tidy
from figures.points import error_bars
from figures.style import INK, MUTED, PALETTE, canvas, colour, marker, plain_log, style

COLUMNS = ("what", "minority", "level", "departure", "hits", "count", "expected")
LEVEL = 0.95
BARS = "95 % binomial intervals"


def _interval(hits: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Clopper and Pearson's interval as half-lengths ``(2, n)`` below and above the share."""
    tail, share = 0.5 * (1.0 - LEVEL), hits / count
    low = np.where(hits > 0, beta.ppf(tail, hits, count - hits + 1), 0.0)
    high = np.where(hits < count, beta.ppf(1.0 - tail, hits + 1, count - hits), 1.0)
    return np.vstack([share - low, high - share])


def _shares(
    axes: Axes, x: np.ndarray, rows: pd.DataFrame, position: int, label: str, ink: str
) -> None:
    hits, count = tidy.numbers(rows, "hits"), tidy.numbers(rows, "count")
    error_bars(
        axes,
        x,
        hits / count,
        np.zeros(len(rows), bool),
        yerr=_interval(hits, count),
        marker=marker(position),
        color=ink,
        label=label,
    )


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Left: share of p-values below a level, which should be the level. Right: power along b.

    Args:
        table: rows of ``what`` = ``p-values`` (``hits`` of ``count`` p-values at most ``level``, by
            ``minority`` rows) and ``power`` (``departure`` of b from symmetry, rejections and the
            ``expected`` power; theory alone has no ``hits``).

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"what": ["p-values", "p-values", "power"], "minority": 250,
    ...                       "level": [0.05, 0.5, 0.05], "departure": [0.0, 0.0, 0.1], "hits": [6, 52, 30],
    ...                       "count": 100, "expected": [0.05, 0.5, 0.3]})
    >>> [axes.get_title() for axes in draw(table).axes]
    ['under local symmetry', 'power']
    """
    tidy.require(table, COLUMNS, "picture of Wald's test")
    figure = canvas(7.4, 3.9)
    left, right = figure.subplots(1, 2)
    kinds = np.array(tidy.texts(table, "what"))
    quantiles = tidy.where(table, kinds == "p-values")
    number = tidy.numbers(quantiles, "minority")
    ends = np.array([tidy.numbers(quantiles, "level").min(), 1.0])
    left.plot(ends, ends, color=INK, linewidth=1.2, zorder=1, label="as it should be")
    for position, minority in enumerate(sorted(set(number))):
        rows = tidy.ordered(tidy.where(quantiles, number == minority), "level")
        label = f"n₁ = {minority:g}"
        _shares(left, tidy.numbers(rows, "level"), rows, position, label, str(colour(position)))
    plain_log(left, "x")
    plain_log(left, "y")
    left.set_xlabel("level α")
    left.set_ylabel("share of p-values ≤ α")
    left.set_title("under local symmetry")
    left.legend(loc="lower right", title=BARS)
    power = tidy.ordered(tidy.where(table, kinds == "power"), "departure")
    x = tidy.numbers(power, "departure")
    right.plot(x, tidy.numbers(power, "expected"), color=MUTED, zorder=2, label="noncentral χ²")
    level = float(tidy.numbers(power, "level")[0])
    right.axhline(level, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    seen = tidy.known(power, "hits")
    minority = tidy.numbers(power, "minority")[0]
    _shares(
        right,
        tidy.numbers(seen, "departure"),
        seen,
        0,
        f"simulated, n₁ = {minority:g}",
        str(PALETTE[0]),
    )
    right.set_xlabel("departure of b from symmetry")
    right.set_ylabel(f"share rejected at {100 * level:g} %")
    right.set_title("power")
    right.set_ylim(bottom=0.0)
    right.legend(loc="upper center", title=BARS)
    return figure
