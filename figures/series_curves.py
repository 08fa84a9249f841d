"""Excess risk of a nonparametric fit along the rows of a class: real, augmented, and biased ones.

Both axes are logarithmic: parallel lines are one rate with several constants. Dotted lines are the floors
that biased generators end at.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, MUTED, canvas, colour, legend_below, marker, plain_log, style

COLUMNS = ("series", "rows", "predicted", "floor", "estimate", "se")
DOTTED, DASHED = (0, (1, 2)), (0, (3, 3))


def _line(position: int) -> dict[str, Any]:
    """The first series is what others join: dashed and on top, so that both are seen."""
    if position:
        return {"linestyle": "solid", "zorder": 2.0}
    return {"linestyle": DASHED, "zorder": 2.5}


@style()
def draw(table: pd.DataFrame) -> Figure:
    """One colour per series.

    Args:
        table: rows ``series, rows`` with ``predicted`` (the law) or, where simulated, ``estimate, se``;
            ``floor``: what a series ends at, empty where it has none.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"series": "real", "rows": [10, 1000], "predicted": [0.1, 0.01],
    ...                       "floor": np.nan, "estimate": [0.11, np.nan], "se": [0.01, np.nan]})
    >>> draw(table).axes[0].get_xlabel()
    'rows n'
    """
    tidy.require(table, COLUMNS, "curve of a logistic series")
    figure = canvas(6.7, 4.6)
    axes = figure.subplots()
    names = tidy.distinct(table, "series")
    for position, name in enumerate(names):
        rows = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        look = {"color": colour(position)}
        line = tidy.ordered(tidy.known(rows, "predicted"), "rows")
        x, y = tidy.numbers(line, "rows"), tidy.numbers(line, "predicted")
        axes.plot(x, y, **_line(position), **look)
        floor = tidy.numbers(rows, "floor")[0]
        if np.isfinite(floor):
            axes.axhline(floor, linestyle=DOTTED, linewidth=1.2, zorder=1, **look)
        points = tidy.known(rows, "estimate")
        error_bars(
            axes,
            tidy.numbers(points, "rows"),
            tidy.numbers(points, "estimate"),
            flagged(points),
            yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")),
            marker=marker(position),
            **look,
        )
    plain_log(axes, "x")
    plain_log(axes, "y")
    axes.set_xlabel("rows n")
    axes.set_ylabel(tidy.metric_name("excess_risk", "balanced"))
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), markeredgecolor="white", label=name,
               **_line(k))
        for k, name in enumerate(names)
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=MUTED, label="law"),
        Line2D([], [], color=MUTED, linestyle=DOTTED, label="the generator's floor"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label=f"simulated, {ERROR_BARS}"),
    ]
    legend_below(figure, handles, 2)
    return figure
