"""Divergence of a trained transformer by number of seeds, beside everything it is held against.

Above, means over fresh latents with the laws r/(2n) and (r-1)/(2n) as lines; below, the ratio to the Bayes
predictive on the same sequences, with the band of 10 %.
"""

from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures import tidy
from figures.points import error_bars
from figures.style import (
    BAND,
    ERROR_BARS,
    INK,
    MUTED,
    canvas,
    colour,
    legend_below,
    plain_log,
    style,
)

COLUMNS = ("generator", "n", "predicted", "kl", "se", "ratio_bayes", "ratio_bayes_se", "failures")
TRAINED, BAYES, LIKELIHOOD, ORACLE = "trained", "bayes", "maximum likelihood", "oracle"
NAMES = {
    TRAINED: "trained",
    BAYES: "Bayes predictive",
    LIKELIHOOD: "maximum likelihood (where it exists)",
}
CONSTRUCTED = "constructed"
# One hue for all depths of the construction, darker with each layer.
LOOKS = {TRAINED: (colour(0), "o"), BAYES: (colour(1), "s"), LIKELIHOOD: (colour(4), "D")}
LAYER_MARKERS = ("^", "v", "<", ">", "P")
GREENS = seaborn.color_palette("light:#02614a", n_colors=7).as_hex()[2:]
LAWS = {BAYES: ("(r-1)/(2n)", (0, (1, 2))), LIKELIHOOD: ("r/(2n)", (0, (4, 2)))}
WITHIN = 0.1
# The lower axis begins and ends here, or beyond the trained model: what is further off is seen above.
LOWEST, HIGHEST, ROOM = 0.97, 1.2, 1.05


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Two panels over the number of seeds.

    Args:
        table: rows ``generator, n`` with ``kl, se`` and ``ratio_bayes, ratio_bayes_se``; ``predicted``, the
            law, where there is one. Rows without seeds are not drawn: the axis is logarithmic.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"generator": ["trained", "bayes"] * 2, "n": [4, 4, 64, 64],
    ...                       "predicted": np.nan, "kl": [0.21, 0.2, 0.021, 0.02], "se": 0.001,
    ...                       "ratio_bayes": [1.05, 1.0, 1.05, 1.0], "ratio_bayes_se": 0.01, "failures": 0})
    >>> [axes.get_ylabel() for axes in draw(table).axes]
    ['KL divergence (nats)', 'KL / that of the Bayes predictive']
    """
    tidy.require(table, COLUMNS, "picture of a trained transformer")
    figure = canvas(5.8, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    drawn = tidy.where(table, tidy.numbers(table, "n") > 0.0)
    names = [name for name in tidy.distinct(drawn, "generator") if name != ORACLE]
    sizes = np.unique(tidy.numbers(drawn, "n"))
    looks = _looks(names)
    # The trained model last: it lies on Bayes.
    for name in reversed(names):
        rows = tidy.where(drawn, [each == name for each in tidy.texts(drawn, "generator")])
        _series(upper, rows, "kl", "se", looks[name])
        if name != BAYES:
            _series(lower, rows, "ratio_bayes", "ratio_bayes_se", looks[name])
        if name in LAWS:
            law = tidy.known(rows, "predicted")
            x, y = tidy.numbers(law, "n"), tidy.numbers(law, "predicted")
            upper.plot(x, y, color=INK, linestyle=LAWS[name][1], linewidth=1.1, zorder=1)
    plain_log(upper, "x")
    plain_log(upper, "y")
    upper.set_xticks(sizes, [f"{n:g}" for n in sizes])
    upper.minorticks_off()
    upper.set_ylabel(tidy.METRIC_NAMES["kl"])
    lower.axhspan(1.0, 1.0 + WITHIN, color=BAND, zorder=0)
    lower.axhline(1.0, color=INK, linewidth=0.9, zorder=1)
    own = tidy.where(drawn, [each == TRAINED for each in tidy.texts(drawn, "generator")])
    farthest = np.nanmax([HIGHEST, *(ROOM * tidy.numbers(own, "ratio_bayes"))])
    lower.set_ylim(LOWEST, float(farthest))
    lower.set_ylabel("KL / that of the Bayes predictive")
    lower.set_xlabel("seeds n")
    legend_below(figure, _handles(looks), 2)
    return figure


def _looks(names: list[str]) -> dict[str, tuple[Any, str]]:
    """Colour and marker of every generator."""
    layers = [name for name in names if name.startswith(CONSTRUCTED)]
    shades = {
        name: (
            GREENS[min(k + len(GREENS) - len(layers), len(GREENS) - 1)],
            LAYER_MARKERS[k % len(LAYER_MARKERS)],
        )
        for k, name in enumerate(layers)
    }
    return {name: LOOKS.get(name) or shades.get(name) or (MUTED, "o") for name in names}


def _series(axes: Axes, rows: pd.DataFrame, value: str, error: str, look: tuple[Any, str]) -> None:
    known = tidy.ordered(tidy.known(rows, value, error), "n")
    x, y = tidy.numbers(known, "n"), tidy.numbers(known, value)
    axes.plot(x, y, color=look[0], linewidth=0.9, alpha=0.6, zorder=2)
    half = 2.0 * tidy.numbers(known, error)
    # Open where some sequences have no such law: the mean is over the others.
    some = tidy.numbers(known, "failures") > 0.0
    size = {"s": 6.5, "o": 3.5}.get(look[1], 4.5)
    error_bars(
        axes, x, y, some, yerr=half, color=look[0], marker=look[1], elinewidth=1.0, markersize=size
    )


def _handles(looks: dict[str, tuple[Any, str]]) -> list[Line2D | Patch]:
    found: list[Line2D | Patch] = [
        Line2D(
            [], [], color=shade, marker=point, markeredgecolor="white", linewidth=0.9,
            label=NAMES.get(name, name),
        )
        for name, (shade, point) in looks.items()
    ]  # fmt: skip
    found += [
        Line2D([], [], color=INK, linestyle=line, linewidth=1.1, label=f"law {law}")
        for name, (law, line) in LAWS.items()
        if name in looks
    ]
    found.append(Patch(color=BAND, label="within 10 % of Bayes"))
    open_points: dict[str, Any] = {"marker": "D", "linestyle": "none", "markerfacecolor": "white"}
    found.append(Line2D([], [], color=MUTED, label="no maximum for some sequences", **open_points))
    found.append(Line2D([], [], linestyle="none", label=f"bars: {ERROR_BARS}"))
    return found
