"""The valley of floor and exponent: how far the two can be exchanged for one another."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import fit_panels, tidy
from figures.style import INK, PALETTE, style

COLUMNS = (
    "curve",
    "name",
    "floor",
    "exponent",
    "deviance",
    "best_floor",
    "best_exponent",
    "threshold68",
    "threshold95",
)
_FILLS = ("#9fc0dd", "#d9e6f2")


@style()
def draw(ridge: pd.DataFrame, *, y: str = "y") -> Figure:
    """A panel per curve: the joint regions at 68 and 95 %, and the estimate.

    Args:
        ridge: a full grid of ``floor`` and ``exponent`` per curve with its ``deviance``; columns
            ``threshold68, threshold95, best_floor, best_exponent`` are constant along a curve.
        y: what the floor is a value of.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> ridge = pd.DataFrame({"curve": 1, "name": "", "floor": [0.1] * 3 + [0.2] * 3 + [0.3] * 3,
    ...                       "exponent": [0.4, 0.5, 0.6] * 3, "deviance": [9, 5, 9, 5, 0, 5, 9, 5, 9],
    ...                       "best_floor": 0.2, "best_exponent": 0.5, "threshold68": 2.3,
    ...                       "threshold95": 6.0})
    >>> draw(ridge, y="error").axes[0].get_xlabel()
    'floor of error'
    """
    tidy.require(ridge, COLUMNS, "floor-exponent ridge")
    found = fit_panels.page(ridge, fit_panels.MOST_WIDE)
    fit_panels.each(found, [ridge], _panel)
    fit_panels.label(found, f"floor of {y}", "exponent a")
    handles = [
        Line2D([], [], color=_FILLS[0], linewidth=8.0, label="68 % region of both"),
        Line2D([], [], color=_FILLS[1], linewidth=8.0, label="95 % region of both"),
        Line2D([], [], color=INK, marker="D", linestyle="none", label="estimate"),
    ]
    fit_panels.legend(found, handles)
    return found.figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot_table(index="exponent", columns="floor", values="deviance")
    floor, exponent = table.columns.to_numpy(float), table.index.to_numpy(float)
    deviance = table.to_numpy(float)
    levels = [0.0, *(float(tidy.numbers(rows, name)[0]) for name in ("threshold68", "threshold95"))]
    # Across the narrow valley a square root is nearly linear: contours come out smooth.
    root = np.sqrt(deviance)
    axes.contourf(floor, exponent, root, levels=np.sqrt(levels), colors=_FILLS)
    axes.contour(
        floor, exponent, root, levels=np.sqrt(levels[1:]), colors=[PALETTE[0]], linewidths=1.0
    )
    axes.plot(
        tidy.numbers(rows, "best_floor")[:1],
        tidy.numbers(rows, "best_exponent")[:1],
        marker="D",
        markersize=6.5,
        color=INK,
        markeredgecolor="white",
        zorder=3,
        linestyle="none",
        label="estimate",
        clip_on=False,
    )
    axes.locator_params(axis="x", nbins=8 if len(axes.figure.axes) == 1 else 4)
    axes.ticklabel_format(axis="y", useOffset=False)
