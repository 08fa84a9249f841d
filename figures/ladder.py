"""The ladder of one constant: measured over predicted against 1/size, down to 1/size = 0.

A prediction with a remainder of order 1/size is right when the fitted line meets 1 at the left
edge; how far the points lie from 1 elsewhere says how large the remainder is.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import (
    BAND,
    ERROR_BARS,
    INK,
    MUTED,
    canvas,
    colour,
    legend_below,
    marker,
    plain_number,
    style,
)

# Distance of neighbouring series, as a share of the axis.
_APART = 0.011
# What the x axis is called, by the power of 1/size that it shows, with the size's own name.
POWERS = {1.0: "1 / {}", 0.5: "1 / √{}", 1.5: "1 / {}^1.5", 2.0: "1 / {}²"}
SIZE = "size"
# Inches of the figure with a legend of so many; a higher one makes a higher figure.
HEIGHT, LEGEND = 3.7, 0.95
LINE_NAME, BARS = "fitted line", f"bars: {ERROR_BARS}"
COLUMNS = ("size", "inverse_size", "ratio", "ratio_se", "fit")


@style()
def draw(
    table: pd.DataFrame,
    *,
    margin: float,
    intercept: float | None,
    intercept_se: float | None,
    quantity: str = "measured / predicted",
) -> Figure:
    """Ratios with two standard errors, the fitted line to its intercept, the margin around 1.

    Args:
        table: columns ``size, inverse_size, ratio, ratio_se, fit``; ``series`` (optional) names
            several ladders, each with its line, and points that stand a little apart where there are
            more than two; ``size_one`` (optional) says what size 1 is, such as "d = 25";
            ``size_name`` (optional) names what the size counts, such as "n" (default "size").
        margin: relative half-width of the band that counts as equal.
        intercept: the ratio extrapolated to ``inverse_size`` 0, as the verdict states it (with
            several ladders: that of the one which decides); None where there is no verdict.
        intercept_se: its standard error.
        quantity: what the y axis shows.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"size": [1, 2], "inverse_size": [1.0, 0.5], "ratio": [1.02, 1.01],
    ...                       "ratio_se": 0.001, "fit": [1.02, 1.01]})
    >>> draw(table, margin=0.02, intercept=1.0, intercept_se=0.002).axes[0].get_xlabel()
    '1 / size'
    """
    tidy.require(table, COLUMNS, "ladder")
    size_name = _only(table, "size_name") or SIZE
    figure = canvas(5.4, HEIGHT)
    axes = figure.subplots()
    axes.axhspan(
        1.0 - margin,
        1.0 + margin,
        color=BAND,
        linewidth=0,
        zorder=0,
        label=f"margin ±{100 * margin:.3g} %",
    )
    axes.axhline(1.0, color=INK, linewidth=0.9, zorder=1, label="the prediction")
    series = tidy.texts(table, "series") if "series" in table.columns else [""] * len(table)
    names = list(dict.fromkeys(series))
    step = _step(tidy.numbers(table, "inverse_size"), len(names))
    reach = float(tidy.numbers(table, "inverse_size").max())
    # The one point of one size is what the verdict states, and drawn as that.
    if reach == 0.0 and len(table) == 1 and intercept is not None:
        names = []
    for position, name in enumerate(names):
        rows = tidy.where(table, [each == name for each in series])
        rows = tidy.ordered(rows, "inverse_size")
        move = step * (position - (len(names) - 1) / 2.0)
        _series(axes, rows, position, name if len(names) > 1 else "", move)
    if intercept is not None:
        at = f"at 1/{size_name} → 0" if reach else "measured"
        _intercept(axes, intercept, intercept_se or 0.0, at)
    right = 1.06 * reach + step * len(names) / 2.0
    axes.set_xlim(*((0.0, right) if reach > 0.0 else (-1.0, 1.0)))
    axes.margins(y=0.12)
    alone = f"1 / {size_name} (one {size_name} only, no ladder)"
    axes.set_xlabel(_regressor(table, size_name) if reach > 0.0 else alone)
    axes.set_ylabel(quantity)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    if reach > 0.0 and _falling(table):
        _sizes(axes, table, size_name)
    elif reach == 0.0:
        axes.set_xticks([0.0])
    legend = legend_below(figure, _entries(axes, len(names) > 1), 2)
    taken = legend.get_window_extent().height / figure.dpi
    figure.set_figheight(HEIGHT + max(0.0, taken - LEGEND))
    return figure


def _entries(axes: Axes, several: bool) -> list[Any]:
    """What the legend names. Of several series each line and bar has its own colour: those entries have
    none."""
    handles, labels = axes.get_legend_handles_labels()
    if several:
        named = dict(zip(labels, handles, strict=True))
        if LINE_NAME in named:
            named[LINE_NAME] = Line2D([], [], color=MUTED, label=LINE_NAME)
        look: Any = {"color": MUTED, "linestyle": "none", "marker": "|", "markersize": 9}
        named[BARS] = Line2D([], [], label=BARS, **look)
        handles = list(named.values())
    return handles


def _step(x: np.ndarray, count: int) -> float:
    """How far apart points of neighbouring series stand: all of them within half the least gap."""
    if count <= 2 or x.max() <= 0.0:
        return 0.0
    gaps = np.diff(np.unique(np.append(0.0, x)))
    # Places that coincide but for rounding are one place.
    gaps = gaps[gaps > 1e-9 * x.max()]
    return min(_APART * float(x.max()), 0.5 * float(gaps.min()) / count)


def _only(table: pd.DataFrame, column: str) -> str:
    """The one text of an optional column; empty where it is missing or has several."""
    found = tidy.distinct(table, column) if column in table.columns else []
    return found[0] if len(found) == 1 else ""


def _regressor(table: pd.DataFrame, size_name: str) -> str:
    """What the x axis is: 1/size, or a power of it by which theory says that the ratio comes to 1."""
    inverse, size = tidy.numbers(table, "inverse_size"), tidy.numbers(table, "size")
    for power, name in POWERS.items():
        products = inverse * size**power
        if np.ptp(products) < 1e-6 * products.max():
            return name.format(size_name)
    return f"a power of 1 / {size_name}"


def _falling(table: pd.DataFrame) -> bool:
    """Whether a larger size is always further left: not so where series have powers of their own."""
    pairs = zip(tidy.numbers(table, "inverse_size"), tidy.numbers(table, "size"), strict=True)
    sizes = [size for _, size in sorted(pairs, key=lambda pair: (pair[0], -pair[1]))]
    return all(left >= right for left, right in zip(sizes, sizes[1:], strict=False))


def _intercept(axes: Axes, value: float, error: float, at: str) -> None:
    # As many decimals as show one figure of the error, four at least.
    places = max(4, -math.floor(math.log10(error))) if error > 0.0 else 4
    axes.errorbar(
        [0.0],
        [value],
        yerr=[2.0 * error],
        marker="D",
        markersize=6,
        color=INK,
        markeredgecolor="white",
        capsize=3.5,
        linestyle="none",
        zorder=4,
        clip_on=False,
        label=f"{at}: {value:.{places}f} ± {error:.{places}f} (s.e.)",
    )


def _series(axes: Axes, rows: pd.DataFrame, position: int, name: str, move: float) -> None:
    line = tidy.known(rows, "fit")
    x, y = tidy.numbers(line, "inverse_size"), tidy.numbers(line, "fit")
    if len(x) > 1 and x[1] > x[0]:
        # The fit is a straight line: carry it on to the edge.
        x, y = np.append(0.0, x), np.append(y[0] - x[0] * (y[1] - y[0]) / (x[1] - x[0]), y)
        label = LINE_NAME if position == 0 else "_"
        axes.plot(x, y, color=colour(position), zorder=2, label=label)
    error_bars(
        axes,
        tidy.numbers(rows, "inverse_size") + move,
        tidy.numbers(rows, "ratio"),
        flagged(rows),
        yerr=2.0 * np.nan_to_num(tidy.numbers(rows, "ratio_se")),
        marker=marker(position),
        color=colour(position),
        label=name or f"simulation, {ERROR_BARS}",
    )


def _sizes(axes: Axes, table: pd.DataFrame, size_name: str) -> None:
    """Name the sizes above their points, leaving out those that would touch a neighbour."""
    right = axes.get_xlim()[1]
    shown: list[tuple[float, float]] = []
    pairs = zip(tidy.numbers(table, "inverse_size"), tidy.numbers(table, "size"), strict=True)
    for inverse, size in sorted(pairs, reverse=True):
        if all(abs(inverse - other) > 0.09 * right for other, _ in shown):
            shown.append((float(inverse), float(size)))
    top = axes.secondary_xaxis("top")
    top.set_xticks([x for x, _ in shown], labels=[plain_number(size) for _, size in shown])
    top.tick_params(length=0, colors=MUTED)
    top.spines["top"].set_visible(False)
    one = _only(table, "size_one")
    unit = f" (1: {one})" if one else ""
    top.set_xlabel(f"{size_name}{unit}", color=MUTED)
