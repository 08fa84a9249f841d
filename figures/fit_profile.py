"""The deviance along the exponent: how much worse the best fit with each exponent is."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import fit_panels, tidy
from figures.style import BAND, INK, MUTED, PALETTE, style

COLUMNS = ("curve", "name", "exponent", "deviance", "threshold", "estimate", "low", "high")
# Deviances are shown up to so many times the threshold.
HIGHEST = 2.5


@style()
def draw(profile: pd.DataFrame) -> Figure:
    """A panel per curve: deviance, threshold, interval, estimate and, where given, theory.

    Args:
        profile: columns ``curve, name, exponent, deviance, threshold, estimate, low, high`` and
            optionally ``theory``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> profile = pd.DataFrame({"curve": 1, "name": "", "exponent": [0.4, 0.5, 0.6], "deviance": [9, 0, 9],
    ...                         "threshold": 3.84, "estimate": 0.5, "low": 0.43, "high": 0.57})
    >>> draw(profile).axes[0].get_xlabel()
    'exponent a'
    """
    tidy.require(profile, COLUMNS, "profile")
    found = fit_panels.page(profile, fit_panels.MOST_WIDE)
    fit_panels.each(found, [profile], _panel)
    fit_panels.label(found, "exponent a", "deviance from the best fit")
    fit_panels.legend(found)
    return found.figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    rows = tidy.ordered(rows, "exponent")
    exponent, deviance = tidy.numbers(rows, "exponent"), tidy.numbers(rows, "deviance")
    threshold, low, high, estimate = (
        float(tidy.numbers(rows, name)[0]) for name in ("threshold", "low", "high", "estimate")
    )
    axes.axvspan(low, high, color=BAND, linewidth=0, zorder=0, label="95 % interval")
    axes.axhline(threshold, color=MUTED, linestyle="--", linewidth=1.0, zorder=1, label="threshold")
    axes.axvline(estimate, color=INK, linewidth=1.0, zorder=1, label="estimate")
    axes.plot(exponent, deviance, color=PALETTE[0], zorder=3, label="profile")
    axes.set_xlim(float(exponent.min()), float(exponent.max()))
    axes.set_ylim(0.0, HIGHEST * threshold)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.locator_params(axis="x", nbins=8 if len(axes.figure.axes) == 1 else 4)
    theory = float(tidy.numbers(rows, "theory")[0]) if "theory" in rows.columns else np.nan
    if np.isfinite(theory):
        _theory(axes, theory, float(exponent.min()), float(exponent.max()))


def _theory(axes: Axes, theory: float, low: float, high: float) -> None:
    if low <= theory <= high:
        look: Any = {"linestyle": (0, (1, 1)), "linewidth": 2.0, "zorder": 2}
        axes.axvline(theory, color=PALETTE[1], label=f"theory {theory:g}", **look)
        return
    # Too far away to be drawn to scale.
    right = theory > high
    axes.annotate(
        f"theory {theory:g} →" if right else f"← theory {theory:g}",
        # Beside the foot of the parabola there is room.
        (1.0 if right else 0.0, 0.0),
        xycoords="axes fraction",
        xytext=(-3 if right else 3, 4),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom",
        fontsize=8.0,
        color=INK,
    )
