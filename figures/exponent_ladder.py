"""Local slopes of excess risks against the number of rows, and where they tend: one panel per model.

Slopes are shown less the exponent of theory, so that all series tend to one line. Lines are predicted
slopes, points measured ones, stars at the right edge the extrapolated limits. A slope read off any
finite stretch is not the exponent.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import BAND, ERROR_BARS, INK, MUTED, canvas, colour, marker, style

COLUMNS = ("panel", "series", "exponent", "rows", "slope", "se", "predicted", "limit", "limit_se")
MARGIN = 0.02
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@style()
def draw(table: pd.DataFrame) -> Figure:
    """The rows axis is logarithmic; its right edge stands for endless rows.

    Args:
        table: ``panel, series, exponent`` (of theory) and, one kind a row, ``rows, slope, se`` (measured),
            ``rows, predicted``, or ``limit, limit_se``.
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
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def power_of_ten(value: float, _: int = 0) -> str:
    """A tick's label without the language of formulas, which pictures do not read.

    >>> power_of_ten(1e12)
    '10¹²'
    """
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPTS)


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xscale("log")
    rows = tidy.numbers(tidy.known(table, "rows"), "rows")
    names = tidy.distinct(table, "series")
    edge = float(rows.max()) * 10.0 ** (0.6 + 0.5 * len(names))
    axes.set_xlim(float(rows.min()) / 2.0, edge)
    axes.xaxis.set_major_locator(LogLocator(100.0, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axhspan(-MARGIN, MARGIN, color=BAND, linewidth=0, zorder=0)
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=1)
    handles = []
    for position, name in enumerate(names):
        part = tidy.where(table, [each == name for each in tidy.texts(table, "series")])
        exponent = float(tidy.numbers(part, "exponent")[0])
        # Limits stand side by side.
        _series(axes, part, position, edge * 10.0 ** (-0.5 * (len(names) - 1 - position)))
        look = {"color": colour(position), "marker": marker(position)}
        label = f"{name}: {exponent:.4g}"
        handles.append(Line2D([], [], markeredgecolor="white", label=label, **look))
    axes.legend(handles=handles, loc="lower right")
    middle = edge * 10.0 ** (-0.25 * (len(names) - 1))
    axes.annotate(
        "n → ∞", (middle, MARGIN), (0, 4), textcoords="offset points", ha="center", color=MUTED
    )


def _series(axes: Axes, rows: pd.DataFrame, position: int, place: float) -> None:
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
    limits = tidy.known(rows, "limit")
    axes.errorbar(
        np.full(len(limits), place),
        tidy.numbers(limits, "limit") - exponent,
        yerr=2.0 * np.nan_to_num(tidy.numbers(limits, "limit_se")),
        marker="*",
        markersize=10,
        linestyle="none",
        capsize=2.5,
        markeredgecolor="white",
        clip_on=False,
        zorder=4,
        **look,
    )
