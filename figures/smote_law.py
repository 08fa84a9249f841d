"""How much SMOTE shrinks against the number of raw rows: one panel per law, one colour per dimension.

Solid lines are exact, dashed ones the leading order at a fixed number of neighbours, points measured; the
dotted line is a third, what is lost when every other row may be the partner.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import (
    ERROR_BARS,
    INK,
    MUTED,
    canvas,
    colour,
    legend_below,
    marker,
    plain_log,
    style,
)

COLUMNS = ("law", "dim", "rows", "deficit", "se", "exact", "leading")
HEIGHTS = ("deficit", "exact", "leading")
TITLES = {"gaussian": "standard normal rows", "uniform": "uniform rows in a cube"}
DASHED, DOTTED = (0, (5, 3)), (0, (1, 2))
ALL_PARTNERS = 1.0 / 3.0


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Both axes are logarithmic: a power law is a straight line.

    Args:
        table: one number of neighbours; rows ``law, dim, rows`` (raw rows n) with ``exact`` and
            ``leading`` (empty where there is no formula) and, where measured, ``deficit, se``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"law": "uniform", "dim": 1, "rows": [100, 1000], "deficit": [0.1, np.nan],
    ...                       "se": [0.01, np.nan], "exact": [0.1, 0.01], "leading": [0.12, 0.01]})
    >>> draw(table).axes[0].get_title()
    'uniform rows in a cube'
    """
    tidy.require(table, COLUMNS, "picture of SMOTE's shrinkage")
    laws = tidy.distinct(table, "law")
    dims = sorted({int(d) for d in tidy.numbers(table, "dim")})
    figure = canvas(3.6 * len(laws) + 0.6, 4.0)
    panels = np.atleast_1d(figure.subplots(1, len(laws), sharex=True, sharey=True))
    for axes, law in zip(panels, laws, strict=True):
        part = tidy.where(table, [each == law for each in tidy.texts(table, "law")])
        for position, dim in enumerate(dims):
            rows = tidy.where(part, tidy.numbers(part, "dim") == dim)
            _curve(axes, tidy.ordered(rows, "rows"), position)
        axes.axhline(ALL_PARTNERS, color=INK, linestyle=DOTTED, linewidth=1.0, zorder=1)
        plain_log(axes, "x")
        plain_log(axes, "y")
        axes.set_title(TITLES.get(law, law))
        axes.set_xlabel("raw rows n")
    heights = np.concatenate([tidy.numbers(table, name) for name in HEIGHTS])
    panels[0].set_ylim(0.7 * float(np.nanmin([*heights, ALL_PARTNERS])), 1.0)
    panels[0].set_ylabel("variance lost, 1 − tr Cov / tr S")
    _legend(figure, dims)
    return figure


def _curve(axes: Axes, rows: pd.DataFrame, position: int) -> None:
    look = {"color": colour(position)}
    for column, line in (("exact", "solid"), ("leading", DASHED)):
        known = tidy.known(rows, column)
        x, y = tidy.numbers(known, "rows"), tidy.numbers(known, column)
        axes.plot(x, y, linestyle=line, linewidth=1.3, zorder=2, **look)
    points = tidy.known(rows, "deficit")
    error_bars(
        axes,
        tidy.numbers(points, "rows"),
        tidy.numbers(points, "deficit"),
        flagged(points),
        yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")),
        marker=marker(position),
        **look,
    )


def _legend(figure: Figure, dims: list[int]) -> None:
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), markeredgecolor="white", label=f"d = {d}")
        for k, d in enumerate(dims)
    ]
    handles += [
        Line2D([], [], color=MUTED, label="exact"),
        Line2D([], [], color=MUTED, linestyle=DASHED, label="leading order"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label=f"measured, {ERROR_BARS}"),
        Line2D([], [], color=INK, linestyle=DOTTED, label="1/3: any other row is the partner"),
    ]
    legend_below(figure, handles, 4)
