"""The exponents of many curves with their intervals, beside what theory says."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import dots, tidy
from figures.points import error_bars
from figures.style import INK, PALETTE, legend_below, style

COLUMNS = ("label", "exponent", "low", "high")


@style()
def draw(exponents: pd.DataFrame, *, theory: float | None = None) -> Figure:
    """One row per curve.

    Args:
        exponents: columns ``label, exponent, low, high``, the last two the ends of its 95 % interval.
        theory: the exponent that theory derives.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> exponents = pd.DataFrame({"label": ["one", "two"], "exponent": [0.5, 0.4], "low": [0.4, 0.3],
    ...                           "high": [0.6, 0.5]})
    >>> draw(exponents, theory=0.5).axes[0].get_ylabel()
    'curve'
    """
    tidy.require(exponents, COLUMNS, "plot of exponents")
    value = tidy.numbers(exponents, "exponent")
    ends = np.vstack([tidy.numbers(exponents, name) for name in ("low", "high")])
    figure, axes = dots.rows(tidy.texts(exponents, "label"))
    if theory is not None:
        axes.axvline(theory, color=PALETTE[1], linewidth=1.5, zorder=1, label=f"theory {theory:g}")
    error_bars(
        axes,
        value,
        np.arange(len(value), dtype=float),
        np.zeros(len(value), bool),
        xerr=np.abs(ends - value),
        marker="o",
        color=PALETTE[0] if theory is not None else INK,
        label="exponent, 95 % interval",
    )
    axes.set_ylabel("curve" if len(value) <= dots.NAMED else "curve, in the order of the table")
    axes.set_xlabel("exponent a of x^−a")
    legend_below(figure, columns=2)
    return figure
