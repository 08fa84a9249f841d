"""Distances between measured and predicted laws, with their confidence radius and the margin."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import dots, tidy
from figures.points import error_bars, flagged
from figures.style import BAND, INK, PALETTE, legend_below, style

COLUMNS = ("cell", "distance", "radius")


@style()
def draw(table: pd.DataFrame, *, margin: float | None = None) -> Figure:
    """The law is as predicted where distance and radius together stay within the margin.

    Args:
        table: columns ``cell``, ``distance`` and ``radius`` (half-width of its confidence
            interval at the claim's level).
        margin: the largest distance that counts as equal.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"cell": ["250 rows"], "distance": [0.02], "radius": [0.01]})
    >>> draw(table, margin=0.05).axes[0].get_xlim()[0]
    np.float64(0.0)
    """
    tidy.require(table, COLUMNS, "distance plot")
    distance, radius = tidy.numbers(table, "distance"), tidy.numbers(table, "radius")
    figure, axes = dots.rows(tidy.texts(table, "cell"))
    if margin is not None:
        axes.axvspan(0.0, margin, color=BAND, linewidth=0, zorder=0, label="within the margin")
        axes.axvline(margin, color=INK, linewidth=1.2, zorder=1, label=f"margin {margin:g}")
    error_bars(
        axes,
        distance,
        np.arange(len(table), dtype=float),
        flagged(table),
        xerr=np.vstack([np.minimum(radius, distance), radius]),
        marker="o",
        color=PALETTE[0],
        label="measured ± confidence radius",
    )
    reach = np.nanmax([*(distance + radius), margin or 0.0])
    axes.set_xlim(0.0, 1.1 * float(reach) if reach > 0 else 1.0)
    axes.set_xlabel("distance to the predicted law (no unit)")
    legend_below(figure, columns=3)
    return figure
