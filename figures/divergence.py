"""How far the law that each generator makes of a group lies from the group's own: one row per generator.

The ratio says how many rows are drawn from that law, not what the law is: along it nothing would change.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import dots, tidy
from figures.faults import FigureError
from figures.generators import words
from figures.points import error_bars, flag_handle, flagged
from figures.style import ERROR_BARS, MUTED, colour, legend_below, marker, plain_log, style

SPECIAL = ("balanced", "worst")
# How far the groups of one generator stand apart, and half the height of theory's mark, in rows.
APART, MARK = 0.36, 0.3
# Inches that a row of several groups takes, and the frame.
_ROW, _FRAME = 0.42, 1.5


@style()
def draw(table: pd.DataFrame) -> Figure:
    """KL divergences on a logarithmic axis: theory an upright stroke, simulation a point on it.

    Args:
        table: a tidy table with rows of metric ``kl`` (the table of ``synthlaw simulate`` or ``predict``
            with ``setting.kind = "tokens"``): ``generator, ratio, metric, group, predicted, estimate, se``;
            of several ratios the first is drawn. The balanced and the worst group are left out where
            there are others; a generator without a law of its own (reweighting) has no row.

    Returns:
        The figure. A divergence of 0 has no place on the axis and is written at its left end.

    Raises:
        FigureError: no divergence in the table.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"generator": ["oracle", "histogram"], "ratio": 1.0, "metric": "kl",
    ...                       "group": "minority", "predicted": [0.0, 0.2], "estimate": [0.0, 0.21],
    ...                       "se": [0.0, 0.01]})
    >>> draw(table).axes[0].get_xlabel()
    'KL divergence of the generator (nats)'
    """
    rows = first_ratio(tidy.select(table, "kl", None))
    rows = tidy.where(rows, np.isfinite(np.nan_to_num(_heights(rows), nan=np.inf)))
    groups = [name for name in tidy.distinct(rows, "group") if name not in SPECIAL]
    groups = groups or tidy.distinct(rows, "group")
    if rows.empty:
        raise FigureError("A picture of divergences needs numbers of metric 'kl'; all are empty.")
    found = [
        (f"{words(generator)}; {panel.title}" if panel.title else words(generator), part)
        for generator in tidy.distinct(rows, "generator")
        for panel in tidy.panels(_named(rows, "generator", generator), "ratio")
        for part in (pd.concat([panel.curves, panel.constants]),)
        if len(part)
    ]
    figure, axes = dots.rows([name.replace("\n", ", ") for name, _ in found])
    axes.set_ylabel("generator")
    figure.set_figheight(_FRAME + _ROW * len(found))
    for place, group in enumerate(groups):
        move = APART * (place - (len(groups) - 1) / 2.0)
        for height, (_, part) in enumerate(found):
            _one(axes, _named(part, "group", group), place, height + move)
    if (_heights(rows) > 0.0).any():
        plain_log(axes, "x")
        axes.margins(x=0.08)
    axes.set_xlabel("KL divergence of the generator (nats)")
    legend_below(figure, _entries(groups, rows), 2)
    return figure


def first_ratio(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the smallest ratio, and those without one."""
    ratio = tidy.numbers(rows, "ratio")
    known = ratio[np.isfinite(ratio)]
    return tidy.where(rows, ~np.isfinite(ratio) | (ratio == np.min(known, initial=np.inf)))


def flat(rows: pd.DataFrame) -> bool:
    """Whether the numbers of every generator and group are the same at all ratios: no curve to draw.

    >>> table = pd.DataFrame({"generator": "g", "group": "a", "ratio": [0.0, 1.0], "augment": 0,
    ...                       "predicted": [0.5, 0.5], "estimate": [0.6, 0.6]})
    >>> flat(table), flat(table.assign(predicted=[0.5, 0.6])), flat(table.head(1))
    (True, False, False)
    """
    moving = tidy.known(rows, "ratio")
    if len(set(tidy.numbers(moving, "ratio"))) < 2:
        return False
    about = [
        name
        for name in (
            "generator",
            "group",
            "augment",
            "augment_share",
            "counts",
            "estimator",
            "setting",
        )
        if name in moving.columns
    ]
    parts = moving.groupby([*about, *tidy.swept_keys(moving)], dropna=False, observed=True)
    counts = [np.asarray(parts[name].nunique()) for name in ("predicted", "estimate")]
    return bool((np.concatenate(counts) < 2).all())


def _heights(rows: pd.DataFrame) -> np.ndarray:
    predicted, estimate = (tidy.numbers(rows, name) for name in ("predicted", "estimate"))
    return np.where(np.isfinite(predicted), predicted, estimate)


def _named(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    return tidy.where(rows, [each == name for each in tidy.texts(rows, column)])


def _one(axes: Axes, rows: pd.DataFrame, place: int, height: float) -> None:
    """Theory and simulation of one group at one height."""
    at = np.full(len(rows), height)
    law, seen = tidy.numbers(rows, "predicted"), tidy.numbers(rows, "estimate")
    axes.vlines(law[law > 0.0], height - MARK, height + MARK, color=colour(place), zorder=2)
    positive = seen > 0.0
    half = 2.0 * np.nan_to_num(tidy.numbers(rows, "se"))
    error_bars(
        axes,
        seen[positive],
        at[positive],
        flagged(rows)[positive],
        # A logarithmic axis has no place for the end of a bar at 0.
        xerr=np.stack([np.minimum(half, 0.9 * np.abs(seen)), half])[:, positive],
        color=colour(place),
        marker=marker(place),
    )
    if (_heights(rows) == 0.0).any():
        axes.annotate(
            "0",
            (0.01, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.0,
            color=colour(place),
        )


def _entries(groups: list[str], rows: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], color=colour(k), marker=marker(k), linestyle="none", label=f"group {name}")
        for k, name in enumerate(groups)
    ]
    if len(tidy.known(rows, "predicted")):
        look = {"color": MUTED, "marker": "|", "markersize": 10, "linestyle": "none"}
        handles.append(Line2D([], [], label="theory", **look))  # pyright: ignore[reportArgumentType]
    if len(tidy.known(rows, "estimate")):
        label = f"simulation {ERROR_BARS}"
        handles.append(Line2D([], [], color=MUTED, marker="o", linestyle="none", label=label))
    if flagged(rows).any():
        handles.append(flag_handle())
    return handles
