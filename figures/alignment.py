"""How a generator's bias lies to the imbalance: the path of the training gradient as rows are added.

Lengths are in the metric of the inverse Hessian: the distance to the origin is the root of twice the floor
of a small bias, so that circles are lines of equal floor.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from figures import tidy
from figures.style import MUTED, canvas, colour, legend_below, marker, style

COLUMNS = ("case", "what", "along", "across")
MARKS = {"raw": "no synthetic rows", "balanced": "full balancing", "best": "least floor"}


@style()
def draw(table: pd.DataFrame) -> Figure:
    """One path per case from the raw sample on; where it comes closest to the origin is the best size.

    Args:
        table: rows of ``case`` with ``what`` = ``path`` (in order) or a mark (``raw``, ``balanced``,
            ``best``); ``along`` and ``across`` are the gradient's parts along and across g_phi.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"case": "oblique", "what": ["path", "path", "raw", "balanced", "best"],
    ...                       "along": [1.0, 0.0, 1.0, 0.5, 0.2], "across": [0.0, 1.0, 0.0, 0.5, 0.8]})
    >>> draw(table).axes[0].get_aspect()
    1.0
    """
    tidy.require(table, COLUMNS, "alignment diagram")
    figure = canvas(5.8, 4.6)
    axes = figure.subplots()
    along, across = tidy.numbers(table, "along"), tidy.numbers(table, "across")
    reach = 1.08 * float(np.hypot(along, across).max())
    for part in np.linspace(0.2, 1.0, 5):
        axes.add_patch(Circle((0.0, 0.0), part * reach, fill=False, color="#dddddd", linewidth=0.8))
    kinds = np.array(tidy.texts(table, "what"))
    cases = np.array(tidy.texts(table, "case"))
    for position, case in enumerate(tidy.distinct(table, "case")):
        path = (cases == case) & (kinds == "path")
        axes.plot(along[path], across[path], color=colour(position), zorder=2, label=case)
        for place, what in enumerate(MARKS):
            at = (cases == case) & (kinds == what)
            axes.plot(
                along[at],
                across[at],
                marker=marker(place),
                markersize=8.5,
                markeredgecolor="white",
                linestyle="none",
                color=colour(position),
                zorder=4 - place,
            )
    for place, words in enumerate(MARKS.values()):
        axes.plot([], [], label=words, marker=marker(place), linestyle="none", color=MUTED)
    axes.plot([0.0], [0.0], marker="+", markersize=11, color=MUTED, linestyle="none", zorder=5)
    axes.annotate("no floor", (0.0, 0.0), (5, -12), textcoords="offset points", color=MUTED)
    axes.set_aspect("equal")
    low, high = float(along.min()), float(along.max())
    pad = 0.08 * (high - low)
    axes.set_xlim(min(low, 0.0) - pad, high + pad)
    axes.set_ylim(min(float(across.min()), 0.0) - pad, max(float(across.max()), 0.0) + pad)
    axes.set_xlabel("training gradient along the imbalance gᵩ (length in H⁻¹)")
    axes.set_ylabel("across it (length in H⁻¹)")
    legend_below(figure, columns=2)
    return figure
