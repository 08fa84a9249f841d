"""Estimates as points with error bars; flagged ones are drawn open."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from figures import tidy
from figures.style import MUTED

# What a flag means, in the words of the simulation that raised it.
MEANING = "more than 1 % of fits failed"
Numbers = NDArray[np.float64]
OPEN: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.3}


def flagged(table: pd.DataFrame) -> NDArray[np.bool_]:
    """The rows that carry a flag; none where the table has no such column."""
    if "flag" not in table.columns:
        return np.zeros(len(table), bool)
    return np.array([text != "" for text in tidy.texts(table, "flag")], bool)


def error_bars(
    axes: Axes,
    x: Numbers,
    y: Numbers,
    flag: NDArray[np.bool_],
    *,
    xerr: Numbers | None = None,
    yerr: Numbers | None = None,
    label: str = "_",
    **look: Any,
) -> None:
    """Points with error bars, closed with a white edge, open where ``flag`` says so.

    Args:
        axes: where to draw.
        x, y: positions ``(n,)``.
        flag: ``(n,)``, true where more than 1 % of the fits failed.
        xerr, yerr: half-lengths ``(n,)`` or ``(2, n)``, or None.
        label: name of the closed points; the open ones are named once per panel.
        **look: whatever ``Axes.errorbar`` takes; needs ``color``.
    """

    def part(keep: NDArray[np.bool_], name: str, face: dict[str, Any]) -> None:
        axes.errorbar(
            x[keep],
            y[keep],
            xerr=None if xerr is None else xerr[..., keep],
            yerr=None if yerr is None else yerr[..., keep],
            label=name,
            **{"linestyle": "none", "capsize": 2.5, "zorder": 3, **look, **face},
        )

    part(~flag, label, {"markeredgecolor": "white"})
    if flag.any():
        known = axes.get_legend_handles_labels()[1]
        face = {**OPEN, "markeredgecolor": look["color"]}
        part(flag, "_" if MEANING in known else MEANING, face)


def flag_handle() -> Line2D:
    """The entry of a hand-made legend that explains open points."""
    look = {"marker": "o", "linestyle": "none", "color": MUTED, **OPEN}
    return Line2D([], [], label=MEANING, **look)
