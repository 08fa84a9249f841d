"""Risk or error along the oversampling ratio: theory as a line, simulation as points.

Rows with a prediction only make the line denser; rows with an estimate only stand without a
line. The reweighting row has no ratio and is drawn as a level. A flagged estimate is an open
point. The lower panels show what the upper ones cannot: the distance between simulation and theory;
where there is no theory they are left out.
"""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from figures import tidy
from figures.generators import looks, words
from figures.points import OPEN, error_bars, flag_handle, flagged
from figures.style import (
    ERROR_BARS,
    INK,
    MUTED,
    canvas,
    colour,
    legend_below,
    marker,
    plain_log,
    spans,
    style,
)

Numbers = NDArray[np.float64]
Residual = Literal["percent", "se"]
_RESIDUALS = {
    "percent": "difference\n(% of theory)",
    "se": "difference\n(standard errors)",
}
_COLUMNS, _LARGEST = 3, 12


@style()
def draw(
    table: pd.DataFrame,
    *,
    metric: str = "excess_risk",
    group: str = "balanced",
    x: str | None = None,
    residual: Residual | None = None,
) -> Figure:
    """One metric of one group of a tidy table, one colour per generator.

    Args:
        table: the tidy table; error bars are two standard errors.
        metric: ``excess_risk``, ``error`` or ``kl``.
        group: a group name, ``balanced`` or ``worst``.
        x: the column along the x axis; default: the ratio, or what varies in its place.
        residual: unit of the lower panel; default percent where every prediction is positive.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: of ``metric`` and ``group`` there are no rows, or columns are missing.

    >>> table = pd.DataFrame({"generator": "oracle", "ratio": [0.0, 1.0], "metric": "excess_risk",
    ...                       "group": "balanced", "predicted": [0.3, 0.1], "estimate": [0.31, 0.1],
    ...                       "se": 0.01})
    >>> [axes.get_xlabel() for axes in draw(table).axes][-1]
    'oversampling ratio ρ (0 raw, 1 balanced)'
    """
    rows = tidy.select(table, metric, group)
    x = x or tidy.running_column(rows)
    places = looks(tidy.distinct(rows, "generator"))
    found = tidy.panels(rows, x)
    panels = found[:_LARGEST]
    positive = (tidy.numbers(tidy.known(rows, "predicted"), "predicted") > 0.0).all()
    unit = residual or ("percent" if positive else "se")
    wide = min(len(panels), _COLUMNS)
    deep = -(-len(panels) // wide)
    heights = [2.4, 1.0] if len(tidy.known(rows, "predicted")) else [2.4]
    each = len(heights)
    figure = canvas(5.4 if wide == 1 else 3.3 * wide, (4.3 if each == 2 else 3.4) * deep)
    grid = figure.subplots(
        each * deep, wide, sharex=True, squeeze=False, height_ratios=heights * deep
    )
    logarithmic = spans(_heights(rows))
    for position, panel in enumerate(panels):
        row, column = each * (position // wide), position % wide
        # Without a theory both are the same panel.
        upper, lower = grid[row, column], grid[row + each - 1, column]
        _curves(upper, panel, x, places)
        _levels(upper, panel, places, single=len(panels) == 1)
        if lower is not upper:
            _residuals(lower, panel, x, places, unit)
            lower.set_ylabel(_RESIDUALS[unit] if column == 0 else "")
        upper.set_title(panel.title)
        lower.set_xlabel(tidy.axis_name(x))
        lower.tick_params(labelbottom=True)
        upper.set_ylabel(tidy.metric_name(metric, group) if column == 0 else "")
        if logarithmic:
            plain_log(upper, "y")
        if x != "ratio" and spans(tidy.numbers(tidy.known(panel.curves, x), x).tolist()):
            plain_log(lower, "x")
    for axes in grid.ravel()[_unused(len(panels), wide, deep, each)]:
        axes.remove()
    figure.align_ylabels()
    _legend(figure, places, rows)
    if len(found) > len(panels):
        figure.suptitle(f"the first {len(panels)} of {len(found)} settings")
    return figure


def _heights(rows: pd.DataFrame) -> list[float]:
    values = np.concatenate([tidy.numbers(rows, name) for name in ("predicted", "estimate")])
    return values[np.isfinite(values)].tolist()


def _unused(panels: int, wide: int, deep: int, each: int) -> list[int]:
    """Flat indices of grid cells without a panel, of which one takes ``each`` cells."""
    return [
        (each * (position // wide) + half) * wide + position % wide
        for position in range(panels, wide * deep)
        for half in range(each)
    ]


def _of(panel: tidy.Panel, generator: str, x: str) -> pd.DataFrame:
    same = [name == generator for name in tidy.texts(panel.curves, "generator")]
    return tidy.ordered(tidy.where(panel.curves, same), x)


def _curves(axes: Axes, panel: tidy.Panel, x: str, places: dict[str, int]) -> None:
    for name, position in places.items():
        rows = _of(panel, name, x)
        line, points = tidy.known(rows, "predicted"), tidy.known(rows, "estimate")
        if len(line):
            axes.plot(
                tidy.numbers(line, x),
                tidy.numbers(line, "predicted"),
                color=colour(position),
                label=name,
                zorder=2,
            )
        if len(points):
            half = 2.0 * np.nan_to_num(tidy.numbers(points, "se"))
            place, height = tidy.numbers(points, x), tidy.numbers(points, "estimate")
            _bars(axes, place, height, half, flagged(points), position)


def _bars(
    axes: Axes, x: Numbers, y: Numbers, half: Numbers, flag: NDArray[np.bool_], position: int
) -> None:
    look = {"marker": marker(position), "color": colour(position)}
    error_bars(axes, x, y, flag, yerr=half, markeredgewidth=0.6, elinewidth=1.1, **look)


def _levels(axes: Axes, panel: tidy.Panel, places: dict[str, int], single: bool) -> None:
    """Rows without a ratio: a dashed level, with the simulated one as a thin band."""
    marked = panel.constants.assign(flagged=flagged(panel.constants))
    for row in marked.to_dict("records"):
        position = places[row["generator"]]
        level = row["predicted"] if np.isfinite(row["predicted"]) else row["estimate"]
        axes.axhline(level, linestyle=(0, (5, 3)), color=colour(position), zorder=1.5)
        if np.isfinite(row["estimate"]) and np.isfinite(row["se"]):
            low, high = row["estimate"] - 2 * row["se"], row["estimate"] + 2 * row["se"]
            axes.axhspan(low, high, color=colour(position), alpha=0.25, linewidth=0, zorder=1)
        if row["flagged"]:
            side = axes.get_yaxis_transform()
            look = {"marker": marker(position), "color": colour(position), **OPEN}
            axes.plot([0.5], [row["estimate"]], transform=side, linestyle="none", zorder=3, **look)
        if single:
            axes.annotate(
                words(str(row["generator"])),
                (1.0, level),
                xycoords=("axes fraction", "data"),
                # Beside the panel, where no marker can lie under it.
                xytext=(3, 0),
                textcoords="offset points",
                ha="left",
                va="center",
                annotation_clip=False,
                fontsize=8,
                color=colour(position),
            )


def _residuals(axes: Axes, panel: tidy.Panel, x: str, places: dict[str, int], unit: str) -> None:
    """Differences to the theory; generators stand a little apart, so that bars stay readable."""
    axes.axhline(0.0, color=INK, linewidth=0.9, zorder=2)
    everywhere = tidy.numbers(panel.curves, x)
    step = 0.012 * float(np.ptp(everywhere)) if x == "ratio" else 0.0
    for order, (name, position) in enumerate(places.items()):
        rows = tidy.known(_of(panel, name, x), "predicted", "estimate", "se")
        predicted, se = tidy.numbers(rows, "predicted"), tidy.numbers(rows, "se")
        scale = np.abs(predicted) / 100.0 if unit == "percent" else se
        usable = scale > 0.0
        gap = tidy.numbers(rows, "estimate") - predicted
        if usable.any():
            scale, flag = scale[usable], flagged(rows)[usable]
            place = tidy.numbers(rows, x)[usable] + step * (order - (len(places) - 1) / 2)
            _bars(axes, place, gap[usable] / scale, 2.0 * se[usable] / scale, flag, position)


def _legend(figure: Figure, places: dict[str, int], rows: pd.DataFrame) -> None:
    simulated = len(tidy.known(rows, "estimate")) > 0
    along = np.isfinite(tidy.numbers(rows, "ratio"))
    constant = tidy.distinct(tidy.where(rows, ~along), "generator")
    # One without a number here, such as the divergence of no rows, keeps its colour and has no line.
    drawn = [
        name
        for part in ("predicted", "estimate")
        for name in tidy.distinct(tidy.known(rows, part), "generator")
    ]
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=colour(position),
            label=words(name),
            linestyle=(0, (5, 3)) if name in constant else "-",
            marker=marker(position) if simulated and name not in constant else "",
            markeredgecolor="white",
        )
        for name, position in places.items()
        if name in drawn
    ]
    if len(tidy.known(rows, "predicted")):
        handles.append(Line2D([], [], color=MUTED, label="theory"))
    if simulated:
        label = f"simulation {ERROR_BARS}"
        handles.append(Line2D([], [], color=MUTED, marker="o", linestyle="none", label=label))
    if len(tidy.known(tidy.where(rows, ~along), "estimate", "se")):
        label = f"simulated level {ERROR_BARS}"
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label=label))
    if flagged(tidy.known(rows, "estimate")).any():
        handles.append(flag_handle())
    legend_below(figure, handles, min(3, len(handles)))
