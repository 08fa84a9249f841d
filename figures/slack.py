"""The slack of an inequality: measured over bound in every cell, with 1 marked."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import dots, tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, INK, PALETTE, legend_below, plain_log, spans, style

COLUMNS = ("cell", "measured", "measured_se", "bound")


@style()
def draw(table: pd.DataFrame, *, quantity: str = "measured / bound") -> Figure:
    """Left of 1 the bound holds; the distance to 1 is its slack.

    Args:
        table: columns ``cell, measured, measured_se`` (may be empty), ``bound`` and, where the
            bound is an estimate too, ``bound_se``.
        quantity: what the x axis shows.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"cell": ["ratio 1"], "measured": [0.8], "measured_se": [0.01], "bound": 1.0})
    >>> draw(table).axes[0].get_xlabel()
    'measured / bound (no unit)'
    """
    tidy.require(table, COLUMNS, "slack plot")
    bound = tidy.numbers(table, "bound")
    ratio = tidy.numbers(table, "measured") / bound
    error = np.nan_to_num(tidy.numbers(table, "measured_se"))
    if "bound_se" in table.columns:
        error = np.hypot(error, ratio * np.nan_to_num(tidy.numbers(table, "bound_se")))
    half = 2.0 * error / np.abs(bound)
    noisy = bool((half > 0.0).any())
    figure, axes = dots.rows(tidy.texts(table, "cell"))
    axes.axvline(1.0, color=INK, linewidth=1.2, zorder=1, label="the bound")
    error_bars(
        axes,
        ratio,
        np.arange(len(table), dtype=float),
        flagged(table),
        xerr=half if noisy else None,
        marker="o",
        color=PALETTE[0],
        label=f"measured, {ERROR_BARS}" if noisy else "measured",
    )
    if spans([*map(float, ratio[np.isfinite(ratio)]), 1.0]):
        plain_log(axes, "x")
    else:
        axes.margins(x=0.06)
    left, right = axes.get_xlim()
    right = max(right, 1.06)
    axes.axvspan(1.0, right, color=PALETTE[3], alpha=0.12, linewidth=0, label="bound broken")
    axes.set_xlim(left, right)
    axes.set_xlabel(f"{quantity} (no unit)")
    legend_below(figure, columns=3)
    return figure
