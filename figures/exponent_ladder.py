"""Local slopes of excess risks against the number of rows, and where they tend: one panel per model.

Slopes are shown less the exponent of theory, so that all series tend to one line. Lines are predicted
slopes, points measured ones, stars in a strip beyond the break of the axis the extrapolated limits. A
slope read off any finite stretch is not the exponent.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

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
    power_of_ten,
    style,
)

COLUMNS = ("panel", "series", "exponent", "rows", "slope", "se", "predicted", "limit", "limit_se")
MARGIN = 0.02


@style()
def draw(table: pd.DataFrame) -> Figure:
    """The rows axis is logarithmic; a strip of its own at the right stands for endless rows.

    Args:
        table: ``panel, series, exponent`` (of theory) and, one kind a row, ``rows, slope, se`` (measured),
            ``rows, predicted``, or ``limit, limit_se``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"panel": "ridge", "series": "s = 1", "exponent": 0.5,
    ...                       "rows": [1e3, 1e6, np.nan], "slope": [0.49, np.nan, np.nan],
    ...                       "se": [0.01, np.nan, np.nan], "predicted": [0.49, 0.5, np.nan],
    ...                       "limit": [np.nan, np.nan, 0.5], "limit_se": [np.nan, np.nan, 0.001]})
    >>> draw(table).axes[0].get_title()
    'ridge'
    """
    tidy.require(table, COLUMNS, "ladder of exponents")
    names = tidy.distinct(table, "panel")
    figure = canvas(4.0 * len(names) + 0.3, 4.3)
    panels = np.atleast_1d(figure.subplots(1, len(names), sharey=True))
    for axes, name in zip(panels, names, strict=True):
        _panel(axes, tidy.where(table, [each == name for each in tidy.texts(table, "panel")]))
        axes.set_title(name)
        axes.set_xlabel("rows n")
    panels[0].set_ylabel("local slope −d log(risk)/d log(n), less the exponent")
    handles = [
        Line2D([], [], color=MUTED, label="theory at these rows"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label=f"simulated, {ERROR_BARS}"),
        Line2D(
            [],
            [],
            color=MUTED,
            marker="*",
            markersize=9,
            linestyle="none",
            label="limit of the slopes",
        ),
        Patch(facecolor=BAND, label=f"exponent of theory ±{MARGIN:g}"),
    ]
    legend_below(figure, handles, 4)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xscale("log")
    rows = tidy.numbers(tidy.known(table, "rows"), "rows")
    names = tidy.distinct(table, "series")
    axes.set_xlim(float(rows.min()) / 2.0, float(rows.max()) * 1.3)
    axes.xaxis.set_major_locator(LogLocator(100.0, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.xaxis.set_minor_locator(NullLocator())
    strip = _strip(axes, len(names))
    for each in (axes, strip):
        each.axhspan(-MARGIN, MARGIN, color=BAND, linewidth=0, zorder=0)
        each.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    handles = []
    for position, name in enumerate(names):
        part = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        exponent = float(tidy.numbers(part, "exponent")[0])
        _series(axes, part, position)
        _limits(strip, part, position)
        look = {"color": colour(position), "marker": marker(position)}
        label = f"{name}: exponent {exponent:.4g}"
        handles.append(Line2D([], [], markeredgecolor="white", label=label, **look))
    axes.legend(handles=handles, loc="lower right")


def _strip(axes: Axes, count: int) -> Axes:
    """The place n = ∞ beyond a break of the axis; the limits of ``count`` series stand side by side."""
    strip = axes.inset_axes((1.03, 0.0, 0.05 + 0.05 * count, 1.0), sharey=axes)
    strip.set_xlim(-0.9, count - 0.1)
    strip.set_xticks([(count - 1) / 2.0], labels=["∞"])
    strip.tick_params(axis="y", length=0, labelleft=False)
    strip.grid(visible=False, axis="x")
    strip.spines["left"].set_visible(False)
    look: dict[str, Any] = {"marker": [(-0.5, -1.0), (0.5, 1.0)], "markersize": 8, "clip_on": False}
    look |= {"linestyle": "none", "color": MUTED, "markeredgewidth": 0.8}
    for side, end in ((axes, 1.0), (strip, 0.0)):
        side.plot([end], [0.0], transform=side.transAxes, **look)
    return strip


def _series(axes: Axes, rows: pd.DataFrame, position: int) -> None:
    look = {"color": colour(position)}
    exponent = float(tidy.numbers(rows, "exponent")[0])
    line = tidy.ordered(tidy.known(rows, "predicted"), "rows")
    slopes = tidy.numbers(line, "predicted") - exponent
    axes.plot(tidy.numbers(line, "rows"), slopes, zorder=2, **look)
    points = tidy.known(rows, "slope")
    error_bars(
        axes,
        tidy.numbers(points, "rows"),
        tidy.numbers(points, "slope") - exponent,
        flagged(points),
        yerr=2.0 * np.nan_to_num(tidy.numbers(points, "se")),
        marker=marker(position),
        **look,
    )


def _limits(strip: Axes, rows: pd.DataFrame, position: int) -> None:
    exponent = float(tidy.numbers(rows, "exponent")[0])
    limits = tidy.known(rows, "limit")
    strip.errorbar(
        np.full(len(limits), float(position)),
        tidy.numbers(limits, "limit") - exponent,
        yerr=2.0 * np.nan_to_num(tidy.numbers(limits, "limit_se")),
        marker="*",
        markersize=10,
        linestyle="none",
        capsize=2.5,
        markeredgecolor="white",
        zorder=4,
        color=colour(position),
    )
