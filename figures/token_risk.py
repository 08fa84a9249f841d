"""A classifier's excess risk end to end: against seeds, against synthetic rows, and with a spurious token.

One panel per table that was measured; lines are predicted, points simulated.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, MUTED, PALETTE, canvas, colour, marker, plain_log, style

COLUMNS = ("series", "predicted", "estimate", "se")
HEIGHT = "balanced excess risk (loss)"
# Every generator keeps its colour and marker in all panels.
LOOKS = ("1 layer", "2 layers", "3 layers", "oracle", "duplicate", "reweighting", "raw rows")


@style()
def seeds(table: pd.DataFrame) -> Figure:
    """Excess risk on endless rows against the seeds a generator read.

    Args:
        table: rows ``series, x`` (seeds n) with ``predicted`` and, where simulated, ``estimate, se``.
    """
    figure = canvas(5.2, 4.2)
    axes = figure.subplots()
    _curves(axes, table)
    plain_log(axes, "x")
    axes.set_xlabel("seeds n")
    axes.set_title("endless rows; the oracle's excess risk is 0")
    _legend(figure, table)
    return figure


@style()
def rows(table: pd.DataFrame) -> Figure:
    """Excess risk against synthetic rows m at fixed raw rows.

    Args:
        table: rows ``series, x`` (synthetic rows m) with ``predicted`` and, where simulated,
            ``estimate, se``.
    """
    figure = canvas(5.2, 4.2)
    axes = figure.subplots()
    _curves(axes, table)
    axes.set_xlabel("synthetic minority rows m (last: full balance)")
    _legend(figure, table)
    return figure


@style()
def spurious(table: pd.DataFrame) -> Figure:
    """Balanced and worst-group excess risk with a spurious attribute token, one place per generator.

    Args:
        table: rows ``series, group`` (balanced or worst) with ``predicted, estimate, se``.
    """
    tidy.require(table, (*COLUMNS, "group"), "picture of the spurious token")
    names = tidy.distinct(table, "series")
    figure = canvas(5.6, 3.8)
    axes = figure.subplots()
    for k, group in enumerate(("balanced", "worst")):
        part = tidy.where(table, [each == group for each in tidy.texts(table, "group")])
        x = np.array([names.index(each) for each in tidy.texts(part, "series")]) + 0.16 * (
            2 * k - 1
        )
        law = tidy.numbers(part, "predicted")
        axes.hlines(law, x - 0.13, x + 0.13, color=PALETTE[k], linewidth=1.6, zorder=2)
        error_bars(
            axes,
            x,
            tidy.numbers(part, "estimate"),
            flagged(part),
            yerr=2.0 * tidy.numbers(part, "se"),
            color=PALETTE[k],
            marker=marker(k),
        )
    axes.set_xticks(range(len(names)), names)
    plain_log(axes, "y")
    axes.set_ylabel("excess risk (loss)")
    axes.set_xlabel("what fills the minority groups")
    handles = [
        Line2D([], [], color=PALETTE[k], marker=marker(k), markeredgecolor="white", label=label)
        for k, label in enumerate(("balanced", "worst group"))
    ]
    figure.legend(handles=[*handles, *_kinds()], loc="outside lower center", ncols=4)
    return figure


def _look(name: str) -> int:
    return LOOKS.index(name) if name in LOOKS else len(LOOKS)


def _curves(axes: Axes, table: pd.DataFrame) -> None:
    tidy.require(table, (*COLUMNS, "x"), "picture of token risks")
    for name in tidy.distinct(table, "series"):
        part = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        part = tidy.ordered(part, "x")
        axes.plot(
            tidy.numbers(part, "x"),
            tidy.numbers(part, "predicted"),
            color=colour(_look(name)),
            linewidth=1.3,
            zorder=2,
        )
        points = tidy.known(part, "estimate")
        error_bars(
            axes,
            tidy.numbers(points, "x"),
            tidy.numbers(points, "estimate"),
            flagged(points),
            yerr=2.0 * tidy.numbers(points, "se"),
            color=colour(_look(name)),
            marker=marker(_look(name)),
        )
    plain_log(axes, "y")
    axes.set_ylabel(HEIGHT)


def _kinds() -> list[Line2D]:
    return [
        Line2D([], [], color=MUTED, label="predicted"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label=f"simulated, {ERROR_BARS}"),
    ]


def _legend(figure: Figure, table: pd.DataFrame) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=colour(_look(name)),
            marker=marker(_look(name)),
            markeredgecolor="white",
            label=name,
        )
        for name in tidy.distinct(table, "series")
    ]
    figure.legend(handles=[*handles, *_kinds()], loc="outside lower center", ncols=3)
