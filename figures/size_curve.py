"""Excess risk along the number of synthetic rows, with the sizes that formulas and minimisation name."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import (
    ERROR_BARS,
    INK,
    MUTED,
    PALETTE,
    canvas,
    legend_below,
    marker,
    power_of_ten,
    style,
)

COLUMNS = ("what", "name", "rows", "predicted", "estimate", "se")


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Theory a line, simulation points, and every size a mark on the line with a foot on the axis.

    Args:
        table: rows of ``what`` = ``theory`` (``rows`` in units of the missing rows, ``predicted``),
            ``simulated`` (``estimate``, ``se`` beside them) and ``size`` (``name`` of the size).

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"what": ["theory", "theory", "simulated", "size"],
    ...                       "name": ["", "", "", "best"], "rows": [0.9, 1.1, 1.0, 1.0],
    ...                       "predicted": [2e-4, 2e-4, 1e-4, 1e-4],
    ...                       "estimate": [np.nan, np.nan, 1.1e-4, np.nan], "se": 1e-5})
    >>> draw(table).axes[0].get_ylabel()
    'balanced excess risk (loss) × 10⁴'
    """
    tidy.require(table, COLUMNS, "curve along the size")
    kinds = np.array(tidy.texts(table, "what"))
    line, points, sizes = (
        tidy.ordered(tidy.where(table, kinds == kind), "rows")
        for kind in ("theory", "simulated", "size")
    )
    figure = canvas(5.8, 4.2)
    axes = figure.subplots()
    scale = 10.0 ** np.floor(np.log10(np.nanmax(tidy.numbers(line, "predicted"))))
    axes.plot(
        tidy.numbers(line, "rows"),
        tidy.numbers(line, "predicted") / scale,
        color=MUTED,
        zorder=2,
        label="theory",
    )
    error_bars(
        axes,
        tidy.numbers(points, "rows"),
        tidy.numbers(points, "estimate") / scale,
        flagged(points),
        yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")) / scale,
        marker="o",
        color=INK,
        label=f"simulation {ERROR_BARS}",
    )
    axes.set_ylim(bottom=0.0)
    names, at = tidy.texts(sizes, "name"), tidy.numbers(sizes, "rows")
    for position, (name, x, y) in enumerate(
        zip(names, at, tidy.numbers(sizes, "predicted") / scale, strict=True)
    ):
        look = PALETTE[position % len(PALETTE)]
        axes.plot([x, x], [0.0, y], color=look, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
        axes.plot(
            [x],
            [y],
            marker=marker(position + 1),
            markersize=8,
            color=look,
            markerfacecolor="none",
            markeredgewidth=1.6,
            linestyle="none",
            zorder=4,
            label=f"{name}: {x:.4g}",
        )
    axes.set_xlabel("synthetic rows m / missing rows n₀ − n₁")
    axes.set_ylabel(f"balanced excess risk (loss) × {power_of_ten(1.0 / scale)}")
    legend_below(figure, columns=2)
    return figure
