"""What the fitted laws leave: residuals in standard errors, which should show no pattern."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from figures import fit_panels, tidy
from figures.style import BAND, INK, PALETTE, style

COLUMNS = ("curve", "name", "fitted", "residual")
# Of normal residuals one in twenty lies outside.
USUAL = 2.0


@style()
def draw(points: pd.DataFrame, *, x: str = "x", y: str = "y") -> Figure:
    """A panel per curve; for laws in several variables along the fitted value.

    Args:
        points: columns ``curve, name, x, fitted, residual`` (in standard errors).
        x, y: names of the axes.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> points = pd.DataFrame({"curve": 1, "name": "", "x": [10, 100], "fitted": [0.5, 0.2],
    ...                        "residual": [1.0, -1.0]})
    >>> draw(points, x="rows").axes[0].get_ylabel()
    'residual (standard errors)'
    """
    tidy.require(points, COLUMNS, "residual plot")
    found = fit_panels.page(points)
    along = "x" if "x" in points.columns else "fitted"

    def panel(axes: Axes, rows: pd.DataFrame) -> None:
        place = tidy.numbers(rows, along)
        axes.axhspan(-USUAL, USUAL, color=BAND, linewidth=0, zorder=0, label="within ±2")
        axes.axhline(0.0, color=INK, linewidth=1.0, zorder=1, label="the law")
        residual = tidy.numbers(rows, "residual")
        axes.vlines(place, 0.0, residual, color=PALETTE[0], linewidth=0.8, zorder=2)
        axes.plot(
            place,
            residual,
            marker="o",
            linestyle="none",
            color=PALETTE[0],
            markeredgecolor="white",
            zorder=3,
            label="measured − law",
        )
        reach = float(np.nanmax(np.abs(residual), initial=USUAL))
        axes.set_ylim(-1.15 * reach, 1.15 * reach)
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: fit_panels.short(value).replace("-", "−"))
        )
        fit_panels.scale_axis(axes, "x", list(place), fit_panels.X_FACTOR)

    fit_panels.each(found, [points], panel)
    fit_panels.label(
        found,
        x if along == "x" else f"{y} according to the law",
        "residual (standard errors)",
    )
    fit_panels.legend(found)
    return found.figure
