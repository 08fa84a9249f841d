"""The slack of every link from a generator's divergence to a classifier's floor: one point per law."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.style import INK, PALETTE, canvas, colour, legend_below, marker, plain_log, style

COLUMNS = ("world", "depth", "seeds", "link", "value", "bound")
# Spread of the points of one link, so that none hides another.
SPREAD = 0.5


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Right of 1 a link holds; how far right is what it gives away.

    Args:
        table: rows ``world, depth, seeds, link`` with ``value`` and ``bound``; an infinite bound is no
            point, and counted beside its link.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"world": "d = 64", "depth": 1, "seeds": [10, 20], "link": "bias by variation",
    ...                       "value": [0.1, 0.1], "bound": [0.4, np.inf]})
    >>> draw(table).axes[0].get_yticklabels()[0].get_text().splitlines()
    ['bias by variation', '(1 of 2 without bound)']
    """
    tidy.require(table, COLUMNS, "picture of the chain")
    links, worlds = tidy.distinct(table, "link"), tidy.distinct(table, "world")
    figure = canvas(6.4, 0.5 * len(links) + 1.4)
    axes = figure.subplots()
    ticks = []
    for row, link in enumerate(links):
        part = tidy.where(table, [each == link for each in tidy.texts(table, "link")])
        slack = tidy.numbers(part, "bound") / tidy.numbers(part, "value")
        known = np.isfinite(slack)
        endless = int((~known).sum())
        ticks.append(f"{link}\n({endless} of {len(slack)} without bound)" if endless else link)
        heights = row + SPREAD * (np.linspace(0.0, 1.0, len(slack)) - 0.5)
        for k, world in enumerate(worlds):
            own = known & np.array([each == world for each in tidy.texts(part, "world")], bool)
            look = {"color": colour(k), "marker": marker(k), "s": 16, "linewidths": 0.0}
            axes.scatter(slack[own], heights[own], alpha=0.75, zorder=3, **look)
    axes.set_yticks(range(len(links)), ticks)
    axes.set_ylim(len(links) - 0.5, -0.5)
    plain_log(axes, "x")
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, 0.8), right)
    axes.axvspan(min(left, 0.8), 1.0, color=PALETTE[3], alpha=0.12, linewidth=0)
    axes.axvline(1.0, color=INK, linewidth=1.2, zorder=1)
    axes.set_xlabel("slack, bound / value (no unit); violated left of 1")
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), linestyle="none", label=world)
        for k, world in enumerate(worlds)
    ]
    legend_below(figure, handles, len(worlds))
    return figure
