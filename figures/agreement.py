"""Agreement cell by cell: measured minus expected, in the unit the table allows.

The declared tolerance where there is one, else standard errors where every cell has one, else
a fraction of the expected value, else the quantity's own unit (where the expected value is 0).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import dots, tidy
from figures.points import error_bars, flagged
from figures.style import BAND, ERROR_BARS, INK, PALETTE, legend_below, style

COLUMNS = ("cell", "measured", "measured_se", "expected")


class Differences(NamedTuple):
    """Measured minus expected with the half-width of its bar, in ``unit``; within ``band`` of 0
    they agree (0.0: no band is known)."""

    value: np.ndarray
    half: np.ndarray
    unit: str
    band: float


def differences(table: pd.DataFrame) -> Differences:
    """Differences in tolerances, standard errors, relative or absolute: the first that exists.

    >>> table = pd.DataFrame({"cell": ["a"], "measured": [1.2], "measured_se": [0.1],
    ...                       "expected": [1.0]})
    >>> differences(table).unit, differences(table.assign(tolerance=0.5)).unit
    ('standard errors', 'tolerances')
    """
    error, expected = tidy.numbers(table, "measured_se"), tidy.numbers(table, "expected")
    gap = tidy.numbers(table, "measured") - expected
    half = 2.0 * np.nan_to_num(error)
    if "tolerance" in table.columns and bool((tidy.numbers(table, "tolerance") > 0).all()):
        tolerance = tidy.numbers(table, "tolerance")
        return Differences(gap / tolerance, half / tolerance, "tolerances", 1.0)
    if bool((np.isfinite(error) & (error > 0)).all()):
        return Differences(gap / error, half / error, "standard errors", 2.0)
    if bool((expected != 0).all()):
        size = np.abs(expected)
        return Differences(gap / size, half / size, "share of expected", 0.0)
    return Differences(gap, half, "unit of the quantity", 0.0)


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Zero is perfect agreement.

    Args:
        table: columns ``cell, measured, measured_se`` (may be empty), ``expected`` and
            optionally ``tolerance``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"cell": ["ratio 1"], "measured": [1.2], "measured_se": [0.1],
    ...                       "expected": [1.0], "tolerance": [0.5]})
    >>> draw(table).axes[0].get_xlabel()
    'measured − expected (tolerances)'
    """
    tidy.require(table, COLUMNS, "agreement plot")
    found = differences(table)
    figure, axes = dots.rows(tidy.texts(table, "cell"))
    if found.band > 0:
        name = "the tolerance" if found.band == 1.0 else f"{found.band:g} {found.unit}"
        label = f"within {name}"
        axes.axvspan(-found.band, found.band, color=BAND, linewidth=0, zorder=0, label=label)
    axes.axvline(0.0, color=INK, linewidth=1.2, zorder=1, label="expected")
    noisy = bool((found.half > 0).any())
    error_bars(
        axes,
        found.value,
        np.arange(len(table), dtype=float),
        flagged(table),
        xerr=found.half if noisy else None,
        marker="o",
        color=PALETTE[0],
        label=f"measured, {ERROR_BARS}" if noisy else "measured",
    )
    reach = float(np.nanmax(np.abs(found.value) + found.half, initial=found.band))
    axes.set_xlim(*((-1.12 * reach, 1.12 * reach) if reach > 0 else (-1e-15, 1e-15)))
    axes.set_xlabel(f"measured − expected ({found.unit})")
    legend_below(figure, columns=3)
    return figure
