"""The proportional regime: errors against ratio and d/n, and the separability transition.

The limit is a line, simulations at finite d are points; they come closer to it as d grows.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import tidy
from figures.points import error_bars, flag_handle, flagged
from figures.style import (
    ERROR_BARS,
    INK,
    MUTED,
    canvas,
    colour,
    legend_below,
    marker,
    plain_log,
    style,
)

CURVES = ("panel", "x", "group", "dim", "predicted", "estimate", "se", "replicates", "failures")
EXISTENCE = ("dim", "kappa", "threshold", "separable", "count", "failures")
PANELS = {"ratio": "oversampling ratio ρ (0 raw, 1 balanced)", "d/n": "features per row d/n"}
NAMED = ("loss", "ridge", "separation", "minority")
# Wilson's interval at this many standard errors, the width of all other error bars.
Z = 2.0
# How far apart points of different d stand, as shares of the axis.
APART = 0.012


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Errors of the groups: the limit against what was simulated at several dimensions.

    Args:
        table: rows of ``panel`` (``ratio`` or ``d/n``) with ``x``, ``group`` and ``predicted``; simulated
            ones have a dimension ``dim``, an ``estimate`` and its ``se``. Error bars are two of these.
            ``loss, ridge, separation, minority`` (optional): what a panel's title says.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"panel": "d/n", "x": [0.2, 2.0, 0.5], "group": "minority",
    ...                       "dim": [np.nan, np.nan, 50], "predicted": [0.1, 0.3, 0.2],
    ...                       "estimate": [np.nan, np.nan, 0.2], "se": [np.nan, np.nan, 0.01],
    ...                       "replicates": 20, "failures": 0})
    >>> draw(table).axes[0].get_xlabel()
    'features per row d/n'
    """
    tidy.require(table, CURVES, "picture of the proportional regime")
    figure = canvas(7.6, 3.9)
    panels = [name for name in PANELS if name in tidy.texts(table, "panel")]
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    groups = tidy.distinct(table, "group")
    dims = sorted(set(tidy.numbers(tidy.known(table, "dim"), "dim").tolist()))
    for axes, name in zip(grid, panels, strict=True):
        own = tidy.where(table, [each == name for each in tidy.texts(table, "panel")])
        if name == "d/n":
            plain_log(axes, "x")
        _panel(axes, own, groups, dims, logarithmic=name == "d/n")
        axes.set_xlabel(PANELS[name])
        axes.set_title(_title(own))
    grid[0].set_ylabel(tidy.METRIC_NAMES["error"])
    handles = [Line2D([], [], color=colour(i), label=group) for i, group in enumerate(groups)]
    handles.append(Line2D([], [], color=MUTED, label="limit (d → ∞)"))
    handles += [
        Line2D([], [], color=MUTED, marker=marker(i), linestyle="none", label=f"d = {dim:g}")
        for i, dim in enumerate(dims)
    ]
    handles.append(Line2D([], [], linestyle="none", label=f"bars: {ERROR_BARS}"))
    if flagged(tidy.known(table, "estimate")).any():
        handles.append(flag_handle())
    legend_below(figure, handles, 3)
    return figure


def _title(rows: pd.DataFrame) -> str:
    """Loss and ridge, then the setting, as far as the table names them."""
    if not set(NAMED) <= set(rows.columns):
        return ""
    first = rows.iloc[0]
    law = f"{first['loss']} loss, ridge λ = {first['ridge']:g}"
    return f"{law}\nseparation {first['separation']:g}, minority share {first['minority']:g}"


def _panel(
    axes: Axes, rows: pd.DataFrame, groups: list[str], dims: list[float], logarithmic: bool
) -> None:
    names = np.array(tidy.texts(rows, "group"))
    everywhere = tidy.numbers(rows, "x")
    reach = np.log(everywhere.max() / everywhere.min()) if logarithmic else np.ptp(everywhere)
    for i, group in enumerate(groups):
        own = tidy.where(rows, names == group)
        line = tidy.ordered(tidy.where(own, np.isnan(tidy.numbers(own, "dim"))), "x")
        axes.plot(
            tidy.numbers(line, "x"), tidy.numbers(line, "predicted"), color=colour(i), zorder=2
        )
        for j, dim in enumerate(dims):
            points = tidy.where(own, tidy.numbers(own, "dim") == dim)
            points = tidy.known(points, "estimate", "se")
            move = APART * reach * (j - (len(dims) - 1) / 2)
            x = tidy.numbers(points, "x")
            x = x * np.exp(move) if logarithmic else x + move
            half = 2.0 * tidy.numbers(points, "se")
            look = {"marker": marker(j), "color": colour(i), "markeredgewidth": 0.6}
            height = tidy.numbers(points, "estimate")
            error_bars(axes, x, height, flagged(points), yerr=half, elinewidth=1.1, **look)


@style()
def existence(table: pd.DataFrame) -> Figure:
    """Share of samples that a hyperplane separates against d/n, a curve for each dimension.

    Args:
        table: ``separable`` of ``count`` samples at ``dim`` and d/n = ``kappa``; the limit ``threshold``.
            Error bars are Wilson's intervals at two standard errors, which stay within 0 and 1.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"dim": 16, "kappa": [0.1, 0.3], "threshold": 0.2, "separable": [5, 95],
    ...                       "count": 100, "failures": 0})
    >>> existence(table).axes[0].get_ylabel()
    'share of separable samples'
    """
    tidy.require(table, EXISTENCE, "picture of separability")
    figure = canvas(5.4, 3.9)
    axes = figure.subplots()
    threshold = float(tidy.numbers(table, "threshold")[0])
    low, high = tidy.numbers(table, "kappa").min(), tidy.numbers(table, "kappa").max()
    pad = 0.06 * (high - low)
    axes.plot(
        [low - pad, threshold, threshold, high + pad],
        [0.0, 0.0, 1.0, 1.0],
        color=INK,
        zorder=1.5,
        label=f"limit: δ* = {threshold:.4f}",
    )
    dims = sorted(set(tidy.numbers(table, "dim").tolist()))
    for i, dim in enumerate(dims):
        own = tidy.ordered(tidy.where(table, tidy.numbers(table, "dim") == dim), "kappa")
        hits, count = tidy.numbers(own, "separable"), tidy.numbers(own, "count")
        share = hits / count
        low, high = wilson(hits, count)
        axes.errorbar(
            tidy.numbers(own, "kappa"),
            share,
            yerr=np.maximum([share - low, high - share], 0.0),
            color=colour(i),
            marker=marker(i),
            markeredgecolor="white",
            markeredgewidth=0.6,
            linewidth=0.9,
            linestyle=(0, (4, 2)),
            elinewidth=1.1,
            capsize=2.0,
            label=f"d = {dim:g}",
        )
    axes.set_xlabel("features per row d/n")
    axes.set_ylabel("share of separable samples")
    axes.set_ylim(-0.05, 1.05)
    axes.legend(loc="upper left", title="bars: Wilson's 95 % interval")
    return figure


def wilson(hits: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of Wilson's interval of a share at two standard errors: the p with |p̂ - p| <= 2 √(p(1-p)/n).

    >>> low, high = wilson(np.array([0.0, 5.0]), np.array([10.0, 10.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.233], [0.286, 0.767])
    """
    share, extra = hits / count, Z**2 / count
    middle = (share + extra / 2.0) / (1.0 + extra)
    half = np.sqrt(extra * share * (1.0 - share) + extra**2 / 4.0) / (1.0 + extra)
    return middle - half, middle + half
