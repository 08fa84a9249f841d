"""Predicted balanced loss against the number of synthetic rows, with what to compare it with."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, SymmetricalLogLocator

from figures import tidy
from figures.style import BAND, INK, MUTED, PALETTE, canvas, spans, style

CURVE = ("rows", "ratio", "predicted", "low", "high")


@style()
def draw(curve: pd.DataFrame, plan: dict[str, Any]) -> Figure:
    """The curve with its 95 % band; marks: no rows, full balancing, the best number; a line: reweighting.

    Args:
        curve: columns ``rows, ratio, predicted, low, high``.
        plan: plan.json: ``recommendation``, ``null_model``, ``minority`` and ``generator`` are read.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> curve = pd.DataFrame({"rows": [0, 50, 100], "ratio": [0.0, 0.5, 1.0], "predicted": [0.6, 0.5, 0.55],
    ...                       "low": 0.4, "high": 0.7})
    >>> plan = {"recommendation": {"help": True, "rows": 50, "best_rows": 50}, "minority": 50,
    ...         "null_model": {"predicted": 0.58}, "generator": {"kind": "smote"}}
    >>> draw(curve, plan).axes[0].get_title()
    '50 synthetic rows recommended'
    """
    tidy.require(curve, CURVE, "plan's curve")
    curve = tidy.ordered(curve, "rows")
    figure = canvas(5.6, 3.9)
    axes = figure.add_subplot()
    rows, predicted = tidy.numbers(curve, "rows"), tidy.numbers(curve, "predicted")
    low, high = tidy.numbers(curve, "low"), tidy.numbers(curve, "high")
    axes.fill_between(rows, low, high, color=BAND, linewidth=0, zorder=0, label="95 % interval")
    axes.plot(rows, predicted, color=PALETTE[0], zorder=2, label="predicted")
    null = float(plan["null_model"]["predicted"])
    axes.axhline(
        null,
        color=PALETTE[1],
        linestyle=(0, (4, 2)),
        zorder=1,
        label="reweighting, no synthetic row",
    )
    _marks(axes, curve, plan)
    _rows_axis(axes, rows, float(plan["minority"]))
    _loss_axis(axes, np.append(predicted, null), low, high)
    axes.set_xlabel(f"synthetic rows ({plan['generator']['kind']})")
    axes.set_ylabel("balanced loss of new rows (nats)")
    axes.set_title(_title(plan["recommendation"]))
    # The band fills most of the picture: its patch in the legend needs white behind it.
    axes.legend(loc="best", frameon=True, facecolor="white", edgecolor="none", framealpha=0.9)
    return figure


def _marks(axes: Axes, curve: pd.DataFrame, plan: dict[str, Any]) -> None:
    advice = plan["recommendation"]
    rows, ratio = tidy.numbers(curve, "rows"), tidy.numbers(curve, "ratio")
    predicted = tidy.numbers(curve, "predicted")
    best = int(np.argmin(np.abs(rows - advice["best_rows"])))
    full = np.flatnonzero(ratio == 1.0)
    name = "recommended" if advice["help"] else "best number, not recommended"
    marks = [("o", 0, INK, "no synthetic row")]
    marks += [("s", int(full[0]), MUTED, "full balancing")] if len(full) else []
    marks += [("D", best, PALETTE[2] if advice["help"] else PALETTE[3], name)]
    for marker, place, colour, label in marks:
        axes.plot(
            rows[place],
            predicted[place],
            marker=marker,
            color=colour,
            markeredgecolor="white",
            # The best number may be full balancing: its square shows around the diamond.
            markersize=10.0 if marker == "s" else 7.0,
            linestyle="none",
            zorder=4,
            label=label,
        )


def _rows_axis(axes: Axes, rows: np.ndarray, minority: float) -> None:
    """Linear up to the real rows of the minority, logarithmic beyond: there the odds move with the log."""
    if rows.max() <= 4.0 * minority:
        return
    axes.set_xscale("symlog", linthresh=max(minority, 1.0), linscale=0.7)
    axes.xaxis.set_major_locator(
        SymmetricalLogLocator(base=10.0, linthresh=max(minority, 1.0), subs=[1.0, 2.0, 5.0])
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(-0.04 * minority, rows.max() * 1.08)


def _loss_axis(axes: Axes, shown: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    if spans([*shown], 8.0):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        return
    # A band that is wider than what is shown must not flatten the curve.
    reach = shown.max() - min(shown.min(), 0.0)
    axes.set_ylim(max(low.min() - 0.03 * reach, 0.0), min(high.max(), shown.max() + reach))


def _title(advice: dict[str, Any]) -> str:
    if advice["help"]:
        return f"{advice['rows']} synthetic rows recommended"
    instead = "reweight" if advice["instead"] == "reweight" else "leave the table as it is"
    return f"no synthetic rows recommended: {instead}"
