"""A classifier's excess risk end to end: against seeds, against synthetic rows, and with a spurious token.

One panel per table that was measured; lines are predicted, points simulated.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.generators import looks
from figures.points import error_bars, flagged
from figures.style import (
    ERROR_BARS,
    MUTED,
    PALETTE,
    canvas,
    colour,
    legend_below,
    marker,
    plain_log,
    style,
)

COLUMNS = ("series", "predicted", "estimate", "se")
HEIGHT = "balanced excess risk (loss)"


@style()
def seeds(table: pd.DataFrame) -> Figure:
    """Excess risk on endless rows against the seeds a generator read.

    Args:
        table: rows ``series, x`` (seeds n) with ``predicted`` and, where simulated, ``estimate, se``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"series": "1 layer", "x": [100, 10000], "predicted": [0.1, 0.01],
    ...                       "estimate": [0.1, np.nan], "se": [0.01, np.nan]})
    >>> seeds(table).axes[0].get_xlabel()
    'seeds n'
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

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"series": "oracle", "x": [1000, 2000], "predicted": [0.1, 0.01],
    ...                       "estimate": [0.1, 0.01], "se": 0.001})
    >>> rows(table).axes[0].get_yscale()
    'log'
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

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"series": "oracle", "group": ["balanced", "worst"], "predicted": [0.01, 0.1],
    ...                       "estimate": [0.01, 0.1], "se": 0.001})
    >>> spurious(table).axes[0].get_xlabel()
    'what fills the minority groups'
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
    legend_below(figure, [*handles, *_kinds()], 4)
    return figure


def _curves(axes: Axes, table: pd.DataFrame) -> None:
    tidy.require(table, (*COLUMNS, "x"), "picture of token risks")
    for name, place in looks(tidy.distinct(table, "series")).items():
        part = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        part = tidy.ordered(part, "x")
        axes.plot(
            tidy.numbers(part, "x"),
            tidy.numbers(part, "predicted"),
            color=colour(place),
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
            color=colour(place),
            marker=marker(place),
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
            color=colour(place),
            marker=marker(place),
            markeredgecolor="white",
            label=name,
        )
        for name, place in looks(tidy.distinct(table, "series")).items()
    ]
    legend_below(figure, [*handles, *_kinds()], 3)
