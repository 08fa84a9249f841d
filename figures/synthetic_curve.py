"""Excess risk along the number of synthetic rows, with its floor, and what ignoring that would say.

Both axes are logarithmic. Right of the simulated points the straight line of a power law without a floor
leaves the theory, which bends to its floor.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, MUTED, canvas, colour, legend_below, marker, plain_log, style

COLUMNS = ("series", "augment", "predicted", "floor", "power_law", "estimate", "se")
DASHED, DOTTED = (0, (5, 3)), (0, (1, 2))


@style()
def draw(table: pd.DataFrame) -> Figure:
    """One colour per series.

    Args:
        table: rows ``series, augment, predicted, floor`` (what is left as N grows), ``power_law`` (the
            fitted law without a floor) and, where simulated, ``estimate, se``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"series": "shifted", "augment": [100, 1000], "predicted": [0.02, 0.011],
    ...                       "floor": 0.01, "power_law": [0.02, 0.01], "estimate": [0.02, np.nan],
    ...                       "se": [0.001, np.nan]})
    >>> draw(table).axes[0].get_yscale()
    'log'
    """
    tidy.require(table, COLUMNS, "curve in the number of synthetic rows")
    figure = canvas(5.6, 4.2)
    axes = figure.subplots()
    names = tidy.distinct(table, "series")
    for position, name in enumerate(names):
        rows = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        _series(axes, tidy.ordered(rows, "augment"), position)
    plain_log(axes, "x")
    plain_log(axes, "y")
    axes.set_xlabel(tidy.axis_name("augment"))
    axes.set_ylabel(tidy.METRIC_NAMES["excess_risk"])
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), markeredgecolor="white", label=name)
        for k, name in enumerate(names)
    ]
    handles += [
        Line2D([], [], color=MUTED, label="theory"),
        Line2D([], [], color=MUTED, linestyle=DOTTED, label="its floor in N"),
        Line2D([], [], color=MUTED, linestyle=DASHED, label="power law without a floor"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label=f"simulation {ERROR_BARS}"),
    ]
    legend_below(figure, handles, 2)
    return figure


def _series(axes: Axes, rows: pd.DataFrame, position: int) -> None:
    x, look = tidy.numbers(rows, "augment"), {"color": colour(position)}
    axes.plot(x, tidy.numbers(rows, "predicted"), zorder=2, **look)
    axes.plot(x, tidy.numbers(rows, "floor"), linestyle=DOTTED, linewidth=1.4, zorder=1, **look)
    axes.plot(x, tidy.numbers(rows, "power_law"), linestyle=DASHED, linewidth=1.2, zorder=1, **look)
    points = tidy.known(rows, "estimate")
    error_bars(
        axes,
        tidy.numbers(points, "augment"),
        tidy.numbers(points, "estimate"),
        flagged(points),
        yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")),
        marker=marker(position),
        **look,
    )
