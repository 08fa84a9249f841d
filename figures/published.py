"""The published curves refitted: small multiples, exponents with their intervals, forecasts."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import tidy
from figures.style import BAND, ERROR_BARS, INK, MUTED, PALETTE, canvas, plain_log, style

Numbers = NDArray[np.float64]
_COLUMNS = 3
FLOOR, LINE, INVERSE = PALETTE[0], PALETTE[3], PALETTE[2]
EFFECTIVE, ADDED = "effective", "N"
_NAMES = {
    EFFECTIVE: "x = effective count",
    ADDED: "x = added rows N",
}


def _panels(names: list[str], width: float, height: float) -> tuple[Figure, list[Axes]]:
    deep = max(1, -(-len(names) // _COLUMNS))
    figure = canvas(width * _COLUMNS, height * deep)
    grid = figure.subplots(deep, _COLUMNS, squeeze=False).ravel()
    for axes in grid[len(names) :]:
        axes.remove()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(name)
    return figure, list(grid[: len(names)])


def _of(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    keep = np.ones(len(table), bool)
    for column, value in values.items():
        keep &= np.array([text == value for text in tidy.texts(table, column)], bool)
    return tidy.where(table, keep)


def _measured(axes: Axes, x: Numbers, rows: pd.DataFrame, label: str) -> None:
    se = np.nan_to_num(tidy.numbers(rows, "se"))
    y = tidy.numbers(rows, "y")
    look: Any = {"ms": 3.2, "color": INK, "mec": "white", "capsize": 1.5, "lw": 0.9}
    axes.errorbar(x, y, 2.0 * se, fmt="o", label=label, **look)


@style()
def curves(points: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """The curves of balanced cross-entropy along the added rows, each with the law with a floor in the
    effective count and the two forms of the authors."""
    chosen = _of(points, set="large")
    names = [name for name in tidy.distinct(chosen, "curve") if name.endswith("balanced")]
    figure, grid = _panels(names, 2.6, 1.95)
    for axes, name in zip(grid, names, strict=True):
        rows = _of(chosen, curve=name)
        added = tidy.numbers(rows, "n_added")
        axes.set_title(name.removesuffix(" balanced"))
        _measured(axes, added, rows, label=f"measured, {ERROR_BARS}")
        _laws(axes, rows, _of(fits, set="large", curve=name))
        y = tidy.numbers(rows, "y")
        room = 0.35 * float(np.ptp(y)) + 1e-9
        axes.set_ylim(float(y.min()) - room, float(y.max()) + room)
        axes.set_xlim(-0.03 * added.max(), 1.03 * added.max())
    for axes in grid[-_COLUMNS:]:
        axes.set_xlabel("added synthetic rows N")
    figure.supylabel("balanced cross-entropy", fontsize=9)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _laws(axes: Axes, rows: pd.DataFrame, fits: pd.DataFrame) -> None:
    added = tidy.numbers(rows, "n_added")
    fine = np.linspace(added.min(), added.max(), 200)
    # The effective count is a line in the added rows.
    x = np.interp(fine, added, tidy.numbers(rows, "x"))
    for fit in _of(fits, abscissa=EFFECTIVE).to_dict("records"):
        law = fit["floor"] + fit["amplitude"] * x ** -fit["exponent"]
        axes.plot(fine, law, color=FLOOR, label="floor + power of the effective count")
    above = fine[fine >= added[added > 0.0].min()]
    for fit in _of(fits, abscissa=ADDED).to_dict("records"):
        first = added > 0.0
        level = np.log(tidy.numbers(rows, "y")[first]) + fit["loglog_slope"] * np.log(added[first])
        line = np.exp(level.mean() - fit["loglog_slope"] * np.log(above))
        axes.plot(above, line, color=LINE, ls="--", label="log-log line in N")
        inverse = fit["reciprocal_floor"] + fit["reciprocal_slope"] / above
        axes.plot(above, inverse, color=INVERSE, ls=":", label="line in 1/N")


@style()
def exponents(fits: pd.DataFrame, which: str = "large") -> Figure:
    """Exponents of the law with a floor with 95 % intervals, by the abscissa they are fitted in; those
    that the curve identifies are filled. Crosses: the slopes of log-log lines."""
    chosen = _of(fits, set=which)
    names = tidy.distinct(chosen, "curve")
    figure = canvas(7.6, 1.2 + 0.17 * len(names))
    grid = figure.subplots(1, 2, sharey=True)
    for axes, abscissa, hue in zip(grid, (ADDED, EFFECTIVE), (PALETTE[1], FLOOR), strict=True):
        rows = _of(chosen, abscissa=abscissa)
        place = np.array([names.index(name) for name in tidy.texts(rows, "curve")], float)
        value, low, high = (
            tidy.numbers(rows, name) for name in ("exponent", "exponent_low", "exponent_high")
        )
        known = np.array([str(text) == "True" for text in rows["identified"]], bool)
        axes.hlines(place, low, high, color=hue, lw=1.0, alpha=0.6)
        axes.plot(value[known], place[known], "o", color=hue, ms=4, label="identified")
        axes.plot(
            value[~known], place[~known], "o", color=hue, mfc="white", ms=4, label="not identified"
        )
        slope = tidy.numbers(rows, "loglog_slope")
        axes.plot(slope[slope > 0.0], place[slope > 0.0], "x", color=MUTED, ms=3.5, label="log-log")
        plain_log(axes, "x")
        axes.set_title(f"{_NAMES[abscissa]}: {known.sum()} of {len(rows)} identified")
        axes.set_xlabel("exponent, 95 % interval")
        axes.grid(visible=False, axis="y")
    grid[0].set_yticks(range(len(names)), names, fontsize=6.0)
    grid[0].set_ylim(len(names) - 0.3, -0.7)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


@style()
def forecasts(points: pd.DataFrame, told: pd.DataFrame) -> Figure:
    """Curves fitted on the published rows only, forecast to where they were computed again."""
    chosen, ahead = _of(points, set="longer"), _of(told, set="longer")
    names = [name for name in tidy.distinct(chosen, "curve") if len(_of(ahead, curve=name))]
    figure, grid = _panels(names, 2.6, 1.95)
    for axes, name in zip(grid, names, strict=True):
        rows, there = _of(chosen, curve=name), _of(ahead, curve=name)
        x = tidy.numbers(there, "x")
        axes.fill_between(
            x,
            tidy.numbers(there, "low"),
            tidy.numbers(there, "high"),
            color=BAND,
            label="95 % interval of a new observation",
        )
        axes.plot(x, tidy.numbers(there, "value"), color=FLOOR, label="forecast")
        axes.plot(x, tidy.numbers(there, "loglog"), color=LINE, ls="--", label="log-log line")
        first = float(x.min())
        known = tidy.numbers(rows, "x") < first
        _measured(axes, tidy.numbers(rows, "x")[known], tidy.where(rows, known), label="fitted")
        came = tidy.where(rows, ~known)
        axes.plot(
            tidy.numbers(came, "x"),
            tidy.numbers(came, "y"),
            "D",
            ms=3.5,
            color=PALETTE[1],
            label="came",
        )
        plain_log(axes, "x")
    for axes in grid[-_COLUMNS:]:
        axes.set_xlabel("effective count")
    figure.supylabel("balanced cross-entropy", fontsize=9)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure
