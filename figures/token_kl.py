"""Divergence of generators of tokens: against seeds, vocabulary and layers, one panel each.

Lines are laws, points simulated means (medians where the name says so) with error bars.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, canvas, colour, marker, power_of_ten, style

COLUMNS = ("panel", "series", "x", "predicted", "estimate", "se")
# Panels in their order: title and name of the x axis.
PANELS = {
    "seeds": ("a. more seeds", "seeds n"),
    "vocabulary": ("b. more tokens, endless seeds", "vocabulary d"),
    "layers": ("c. more layers, endless seeds", "layers"),
}
# Bars of points that scatter over more than themselves would leave a logarithmic axis below.
LEAST_SHARE = 0.9


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Three panels, divergences on logarithmic axes.

    Args:
        table: rows ``panel`` (seeds, vocabulary, layers), ``series, x`` with ``predicted`` (a law) or
            ``estimate, se`` (simulated).

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"panel": "seeds", "series": "1 layer", "x": [10, 1000, 100],
    ...                       "predicted": [0.1, 0.001, np.nan], "estimate": [np.nan, np.nan, 0.01],
    ...                       "se": [np.nan, np.nan, 0.001]})
    >>> draw(table).axes[0].get_title()
    'a. more seeds'
    """
    tidy.require(table, COLUMNS, "picture of token divergences")
    names = [name for name in PANELS if name in tidy.distinct(table, "panel")]
    figure = canvas(3.1 * len(names) + 0.2, 4.9)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        rows = tidy.where(table, [each == name for each in tidy.texts(table, "panel")])
        title, along = PANELS[name]
        axes.set_title(title)
        axes.set_xlabel(along)
        axes.set_ylabel("divergence KL (nats)")
        _panel(axes, rows, name)
    figure.supxlabel(f"lines: laws; points: simulated, {ERROR_BARS}", fontsize=8.0)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    axes.set_yscale("log")
    for position, series in enumerate(tidy.distinct(rows, "series")):
        mine = [each == series for each in tidy.texts(rows, "series")]
        _series(axes, tidy.where(rows, mine), series, position)
    if name == "layers":
        axes.set_xticks(sorted(set(tidy.numbers(rows, "x"))))
    else:
        axes.set_xscale("log")
        _powers(axes, "x")
    _powers(axes, "y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), fontsize=7.5)


def _powers(axes: Axes, which: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(10.0, numticks=9))
    axis.set_major_formatter(FuncFormatter(power_of_ten))
    axis.set_minor_locator(NullLocator())


def _series(axes: Axes, rows: pd.DataFrame, series: str, position: int) -> None:
    look: dict[str, Any] = {"color": colour(position)}
    law = tidy.ordered(tidy.known(rows, "predicted"), "x")
    axes.plot(tidy.numbers(law, "x"), tidy.numbers(law, "predicted"), zorder=2, **look)
    points = tidy.known(rows, "estimate")
    estimate = tidy.numbers(points, "estimate")
    half = 2.0 * np.nan_to_num(tidy.numbers(points, "se"))
    error_bars(
        axes,
        tidy.numbers(points, "x"),
        estimate,
        flagged(points),
        yerr=np.stack([np.minimum(half, LEAST_SHARE * estimate), half]),
        marker=marker(position),
        label=series,
        **look,
    )
