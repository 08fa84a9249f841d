"""Worst-group and average error against parameters per row: reweighting beside subsampling.

One panel per model. Lines are the fixed point, points the simulation.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, MUTED, canvas, colour, marker, plain_log, style

COLUMNS = ("model", "scheme", "per_row", "worst", "worst_se", "average", "average_se")
COLUMNS = (*COLUMNS, "worst_theory", "average_theory")
TITLES = {"noise": "noise features", "features": "random features"}
DASHED = (0, (4, 2))
LOOKS = (("worst", "solid"), ("average", DASHED))


@style()
def draw(table: pd.DataFrame) -> Figure:
    """The worst group solid, the average dashed and pale.

    Args:
        table: rows ``model, scheme, per_row`` (parameters per raw row) with ``worst, worst_se, average,
            average_se`` where measured and ``worst_theory, average_theory`` where predicted.
    """
    tidy.require(table, COLUMNS, "picture of overparameterised rules")
    models, schemes = tidy.distinct(table, "model"), tidy.distinct(table, "scheme")
    figure = canvas(3.6 * len(models) + 0.4, 4.0)
    panels = np.atleast_1d(figure.subplots(1, len(models), sharey=True))
    for axes, model in zip(panels, models, strict=True):
        of_model = tidy.where(table, [each == model for each in tidy.texts(table, "model")])
        for position, scheme in enumerate(schemes):
            mine = [each == scheme for each in tidy.texts(of_model, "scheme")]
            _scheme(axes, tidy.ordered(tidy.where(of_model, mine), "per_row"), position)
        plain_log(axes, "x")
        axes.set_title(TITLES.get(model, model))
        axes.set_xlabel("parameters per raw row")
        axes.axvline(1.0, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
    panels[0].set_ylim(bottom=0.0)
    panels[0].set_ylabel("0-1 error")
    figure.legend(handles=_legend(schemes), loc="outside lower center", ncols=3)
    return figure


def _scheme(axes: Axes, rows: pd.DataFrame, position: int) -> None:
    look: dict[str, Any] = {"color": colour(position)}
    for part, line in LOOKS:
        known = tidy.known(rows, f"{part}_theory")
        x = tidy.numbers(known, "per_row")
        axes.plot(x, tidy.numbers(known, f"{part}_theory"), linestyle=line, zorder=2, **look)
        points = tidy.known(rows, part)
        # Small and pale, so that the eye goes to the worst group.
        pale: dict[str, Any] = {"markersize": 3.5, "alpha": 0.75} if part == "average" else {}
        error_bars(
            axes,
            tidy.numbers(points, "per_row"),
            tidy.numbers(points, part),
            flagged(points),
            yerr=2.0 * np.nan_to_num(tidy.numbers(points, f"{part}_se")),
            marker=marker(position),
            **look,
            **pale,
        )


def _legend(schemes: list[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), markeredgecolor="white", label=scheme)
        for k, scheme in enumerate(schemes)
    ]
    return [
        *handles,
        Line2D([], [], color=MUTED, label="worst group, theory"),
        Line2D([], [], color=MUTED, linestyle=DASHED, label="average, theory"),
        Line2D(
            [], [], color=MUTED, marker="o", linestyle="none", label=f"simulation, {ERROR_BARS}"
        ),
        Line2D([], [], color=MUTED, marker="o", markersize=3.5, alpha=0.75, linestyle="none",
               label="average, simulation"),
    ]  # fmt: skip
