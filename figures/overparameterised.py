"""Worst-group and average error against parameters per row: reweighting beside subsampling.

One panel per model. Lines are the fixed point, which is the limit of many rows at so many parameters
per row; points are simulated with finitely many rows, and lie off it by order 1/n. Where the fixed point
is known at one place only it is a short line there.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flagged
from figures.style import ERROR_BARS, MUTED, canvas, colour, legend_below, marker, plain_log, style

MEASURED = ("model", "scheme", "per_row", "worst", "worst_se", "average", "average_se")
COLUMNS = (*MEASURED, "worst_theory", "average_theory")
TITLES = {"noise": "noise features", "features": "random features"}
DASHED = (0, (4, 2))
LOOKS = (("worst", "solid"), ("average", DASHED))


@style()
def draw(table: pd.DataFrame) -> Figure:
    """The worst group solid, the average dashed and pale.

    Args:
        table: rows ``model, scheme, per_row`` (parameters per raw row) with ``worst, worst_se, average,
            average_se`` where measured and ``worst_theory, average_theory`` where predicted; ``rows``
            (optional): the raw rows n that were simulated.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"model": "noise", "scheme": "reweighting", "per_row": [0.1, 2.0],
    ...                       "worst": [0.3, 0.4], "worst_se": 0.01, "average": [0.2, 0.1],
    ...                       "average_se": 0.01, "worst_theory": [0.3, 0.4], "average_theory": [0.2, 0.1]})
    >>> draw(table).axes[0].get_title()
    'noise features'
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
        axes.set_title(TITLES.get(model, model) + _rows(of_model))
        axes.set_xlabel("parameters per raw row")
        axes.axvline(1.0, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
    panels[0].set_ylim(bottom=0.0)
    panels[0].set_ylabel(tidy.METRIC_NAMES["error"])
    legend_below(figure, _legend(table, schemes), 2)
    return figure


def _rows(table: pd.DataFrame) -> str:
    """The raw rows of the simulations, where the table knows them and they are the same everywhere."""
    found = (
        set(tidy.numbers(tidy.known(table, "rows"), "rows")) if "rows" in table.columns else set()
    )
    return f", n = {found.pop():g} raw rows" if len(found) == 1 else ""


def _scheme(axes: Axes, rows: pd.DataFrame, position: int) -> None:
    look: dict[str, Any] = {"color": colour(position)}
    for part, line in LOOKS[:1] if _alike(rows) else LOOKS:
        known = tidy.known(rows, f"{part}_theory")
        x = tidy.numbers(known, "per_row")
        single: dict[str, Any] = {"marker": "_", "markersize": 17, "markeredgewidth": 1.5}
        single = single if len(x) == 1 else {"linestyle": line}
        axes.plot(x, tidy.numbers(known, f"{part}_theory"), zorder=2, **single, **look)
        points = tidy.known(rows, part)
        # Small and pale, so that the eye goes to the worst group.
        small: dict[str, Any] = {
            "markersize": 2.4 if part == "average" else 3.4,
            "markeredgewidth": 0.3,
        }
        pale: dict[str, Any] = {"alpha": 0.75} if part == "average" else {}
        error_bars(
            axes,
            tidy.numbers(points, "per_row"),
            tidy.numbers(points, part),
            flagged(points),
            yerr=2.0 * np.nan_to_num(tidy.numbers(points, f"{part}_se")),
            marker=marker(position),
            elinewidth=1.1,
            **look,
            **small,
            **pale,
        )


def _label(table: pd.DataFrame, scheme: str) -> str:
    """Where a scheme treats all groups alike the average is the worst group, and drawn once."""
    own = tidy.where(table, [each == scheme for each in tidy.texts(table, "scheme")])
    return f"{scheme} (average = worst group)" if _alike(own) else scheme


def _alike(rows: pd.DataFrame) -> bool:
    own = tidy.known(rows, "worst", "average")
    worst, average = tidy.numbers(own, "worst"), tidy.numbers(own, "average")
    return len(own) > 0 and np.allclose(worst, average, rtol=1e-9)


def _legend(table: pd.DataFrame, schemes: list[str]) -> list[Line2D]:
    labels = [_label(table, scheme) for scheme in schemes]
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), markeredgecolor="white", label=label)
        for k, label in enumerate(labels)
    ]
    return [
        *handles,
        Line2D([], [], color=MUTED, label="worst group, limit n → ∞"),
        Line2D([], [], color=MUTED, linestyle=DASHED, label="average, limit n → ∞"),
        Line2D(
            [], [], color=MUTED, marker="o", markersize=3.4, linestyle="none",
            label=f"worst group, simulation {ERROR_BARS}",
        ),
        Line2D([], [], color=MUTED, marker="o", markersize=2.4, alpha=0.75, linestyle="none",
               label=f"average, simulation {ERROR_BARS}"),
    ]  # fmt: skip
