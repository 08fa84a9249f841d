"""The error of every group along the ratio, the worst one emphasised; a panel per generator."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.faults import FigureError
from figures.generators import words
from figures.points import error_bars, flag_handle, flagged
from figures.style import ERROR_BARS, INK, MUTED, canvas, colour, legend_below, marker, style

SPECIAL = ("balanced", "worst")
_COLUMNS, _LARGEST = 3, 12
_EMPHASIS: dict[str, Any] = {"color": INK, "linewidth": 10.0, "alpha": 0.16}
# Groups that coincide by symmetry stay visible: the later half is drawn thinner, over the others.
_WIDTHS, _SIZES = (2.6, 0.9), (6.5, 3.6)


@style()
def draw(table: pd.DataFrame, *, x: str | None = None) -> Figure:
    """Group errors: predicted as lines, simulated as points with two standard errors.

    Args:
        table: the tidy table; rows of metric ``error`` are used.
        x: the column along the x axis; default: the ratio, or what varies in its place.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: no rows of metric ``error`` with a ratio, or columns are missing.

    >>> table = pd.DataFrame({"generator": "oracle", "ratio": [0.0, 1.0, 0.0, 1.0], "metric": "error",
    ...                       "group": ["a", "a", "b", "b"], "predicted": [0.1, 0.2, 0.4, 0.2],
    ...                       "estimate": [0.1, 0.2, 0.4, 0.2], "se": 0.01})
    >>> draw(table).axes[0].get_title()
    'oracle'
    """
    rows = tidy.select(table, "error", None)
    x = x or tidy.running_column(rows)
    names = [name for name in tidy.distinct(rows, "group") if name not in SPECIAL]
    moving = tidy.known(rows, "ratio")
    found = [
        (generator, panel)
        for generator in tidy.distinct(moving, "generator")
        for panel in tidy.panels(_named(moving, "generator", generator), x)
    ]
    if not found:
        raise FigureError("A worst-group curve needs rows with a ratio; the table has none.")
    shown = found[:_LARGEST]
    wide = min(len(shown), _COLUMNS)
    deep = -(-len(shown) // wide)
    figure = canvas(5.4 if wide == 1 else 3.3 * wide, 3.6 * deep + 0.3)
    grid = figure.subplots(deep, wide, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (generator, panel) in zip(grid, shown, strict=False):
        _panel(axes, panel.curves, names, x)
        axes.set_title("\n".join(part for part in (words(generator), panel.title) if part))
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(tidy.axis_name(x))
        axes.tick_params(labelbottom=True)
    for axes in grid[len(shown) :]:
        axes.remove()
    for axes in grid[: len(shown) : wide]:
        axes.set_ylabel(tidy.METRIC_NAMES["error"])
    drawn = tidy.known(moving, "estimate")
    _legend(figure, names, "worst" in tidy.distinct(rows, "group"), bool(flagged(drawn).any()))
    if len(found) > len(shown):
        figure.suptitle(f"the first {len(shown)} of {len(found)} settings")
    return figure


def _layer(position: int, groups: int) -> int:
    return int(groups > 3 and 2 * position >= groups)


def _named(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    return tidy.where(rows, [each == name for each in tidy.texts(rows, column)])


def _panel(axes: Axes, rows: pd.DataFrame, names: list[str], x: str) -> None:
    worst = tidy.ordered(_named(rows, "group", "worst"), x)
    if len(worst):
        predicted, estimate = tidy.numbers(worst, "predicted"), tidy.numbers(worst, "estimate")
        height = np.where(np.isfinite(predicted), predicted, estimate)
        axes.plot(tidy.numbers(worst, x), height, zorder=1, label="worst", **_EMPHASIS)
    for position, name in enumerate(names):
        part = tidy.ordered(_named(rows, "group", name), x)
        line, points = tidy.known(part, "predicted"), tidy.known(part, "estimate")
        layer = _layer(position, len(names))
        if len(line):
            axes.plot(
                tidy.numbers(line, x),
                tidy.numbers(line, "predicted"),
                color=colour(position),
                linewidth=_WIDTHS[layer],
                label=name,
                zorder=2,
            )
        if len(points):
            error_bars(
                axes,
                tidy.numbers(points, x),
                tidy.numbers(points, "estimate"),
                flagged(points),
                yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")),
                marker=marker(position),
                markersize=_SIZES[layer],
                color=colour(position),
            )


def _legend(figure: Figure, names: list[str], worst: bool, flag: bool) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=colour(position),
            linewidth=_WIDTHS[_layer(position, len(names))],
            marker=marker(position),
            markersize=_SIZES[_layer(position, len(names))],
            markeredgecolor="white",
            label=f"group {name}",
        )
        for position, name in enumerate(names)
    ]
    if worst:
        handles.append(Line2D([], [], label="worst group", **_EMPHASIS))
    handles.append(Line2D([], [], color=MUTED, label="theory"))
    label = f"simulation {ERROR_BARS}"
    handles.append(Line2D([], [], color=MUTED, marker="o", linestyle="none", label=label))
    if flag:
        handles.append(flag_handle())
    legend_below(figure, handles, 3)
