"""Cost beside what a user would write instead: against precision, rows, features, ratios, workers.

Drawn from the record that ``python -m benchmarks`` leaves; a part that was not measured has no
panel.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.faults import FigureError
from figures.style import INK, MUTED, PALETTE, canvas, legend_below, plain_log, style

# name: label, colour, marker, line.
_LINES: dict[str, tuple[str, Any, str, Any]] = {
    "synthlaw": ("synthlaw", PALETTE[0], "o", "-"),
    "synthlaw_warm": ("synthlaw, compiled before", PALETTE[0], "o", (0, (4, 2))),
    "numpy": ("best NumPy loop", PALETTE[1], "s", "-"),
    "numpy_per_cell": ("best NumPy loop, each cell stopped", PALETTE[1], "s", (0, (4, 2))),
    "scikit_learn": ("scikit-learn", PALETTE[2], "^", "-"),
    "scikit_learn_per_cell": ("scikit-learn, each cell stopped", PALETTE[2], "^", (0, (4, 2))),
}
_SERIES = {
    "rows": "rows drawn per replicate",
    "dim": "features d",
    "cells": "ratios in the sweep",
}
STAGES = {
    "import_s": "import",
    "population_s": "exact population",
    "compile_s": "compilation",
    "simulate_s": "simulation",
    "store_s": "run store",
}
LEAST = {
    "synthlaw_ms": "synthlaw, all",
    "jax_normals_ms": "normals, JAX",
    "numpy_normals_ms": "normals, NumPy",
    "products_float64_ms": "products, 64 bit",
    "products_float32_ms": "products, 32 bit",
}


@style()
def draw(record: dict[str, Any]) -> Figure:
    """One panel per part of the record.

    Args:
        record: the content of ``engine.json``: ``parts`` with tables of rows under ``precision``,
            ``rows``, ``dim``, ``cells``, ``workers`` and ``statistics``, stages under ``breakdown``,
            the least possible cost under ``floor``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: no part was measured.

    >>> part = {"rows": [{"workers": 1, "synthlaw_ms": 4.0}, {"workers": 2, "synthlaw_ms": 2.2}]}
    >>> draw({"parts": {"workers": part}}).axes[0].get_xlabel()
    'cores'
    """
    parts = record["parts"]
    shown = [name for name in _PANELS if name in parts and "skipped" not in parts[name]]
    if not shown:
        raise FigureError("The record holds no table to draw; run python -m benchmarks again.")
    wide = min(3, len(shown))
    deep = -(-len(shown) // wide)
    spare = wide * deep > len(shown)
    figure = canvas(3.15 * wide, 2.7 * deep + (0.0 if spare else 0.7))
    grid = figure.subplots(deep, wide, squeeze=False).ravel()
    for axes, name in zip(grid, shown, strict=False):
        _PANELS[name](axes, parts[name], name)
    drawn = {str(line.get_gid()) for axes in figure.axes for line in axes.lines}
    handles = [_handle(name) for name in _LINES if name in drawn]
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    if spare:
        grid[len(shown)].legend(handles=handles, loc="center", handlelength=3.4, labelspacing=0.9)
    else:
        legend_below(figure, handles, wide, handlelength=3.4)
    return figure


def _handle(name: str) -> Line2D:
    label, colour, marker, dashes = _LINES[name]
    return Line2D(
        [],
        [],
        color=colour,
        marker=marker,
        linestyle=dashes,
        label=label,
        markeredgecolor="white",
    )


def _line(axes: Axes, name: str, x: np.ndarray, y: np.ndarray) -> None:
    _, colour, marker, dashes = _LINES[name]
    axes.plot(
        x,
        y,
        color=colour,
        marker=marker,
        linestyle=dashes,
        markeredgecolor="white",
        gid=name,
        zorder=3 if name == "synthlaw" else 2,
    )


def _column(table: dict[str, Any], name: str) -> np.ndarray:
    return np.array([row[name] for row in table["rows"]], dtype=float)


def _precision(axes: Axes, table: dict[str, Any], _: str) -> None:
    target = 100.0 * _column(table, "target")
    for name, column in (
        ("scikit_learn", "scikit_learn_whole_curve_s"),
        ("scikit_learn_per_cell", "scikit_learn_per_cell_s"),
        ("numpy", "numpy_whole_curve_s"),
        ("numpy_per_cell", "numpy_per_cell_s"),
        ("synthlaw_warm", "warm_s"),
        ("synthlaw", "cold_s"),
    ):
        _line(axes, name, target, _column(table, column))
    plain_log(axes, "x")
    plain_log(axes, "y")
    axes.invert_xaxis()
    axes.set_xticks(target, labels=[f"{each:g}" for each in target])
    axes.set_title("reference sweep, start to end")
    axes.set_xlabel("relative standard error of every cell (%)")
    axes.set_ylabel("seconds on two cores")


def _series(axes: Axes, table: dict[str, Any], name: str) -> None:
    x = _column(table, name)
    for line in ("scikit_learn", "numpy", "synthlaw"):
        _line(axes, line, x, _column(table, f"{line}_s"))
    plain_log(axes, "y")
    if name != "cells":
        plain_log(axes, "x")
    if name == "rows":
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if name == "dim":
        axes.set_xticks(x, labels=[f"{each:g}" for each in x])
    axes.set_title(f"against {_SERIES[name].split(' ')[0]}")
    axes.set_xlabel(_SERIES[name])
    axes.set_ylabel("seconds to 0.3 %, start-up apart")


def _workers(axes: Axes, table: dict[str, Any], _: str) -> None:
    count, cost = _column(table, "workers"), _column(table, "synthlaw_ms")
    axes.plot(count, count, color=MUTED, linewidth=1.0, zorder=1)
    axes.annotate(
        "perfect",
        (float(count.mean()), float(count.mean())),
        xytext=(-6, 4),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        fontsize=8,
    )
    _line(axes, "synthlaw", count, cost[0] / cost)
    axes.set_xticks(count)
    axes.set_ylim(bottom=0.0)
    axes.margins(x=0.1, y=0.12)
    axes.set_title("against workers")
    axes.set_xlabel("cores")
    axes.set_ylabel("times as fast as one core")


def _statistics(axes: Axes, table: dict[str, Any], _: str) -> None:
    _line(axes, "synthlaw", _column(table, "rows"), _column(table, "synthlaw_ms"))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(
        lambda value, _: f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    )
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.2)
    axes.set_title("squared loss, rows never drawn")
    axes.set_xlabel("rows of the majority")
    axes.set_ylabel("ms per replicate, two cores")


def _breakdown(axes: Axes, stages: dict[str, Any], _: str) -> None:
    _bars(axes, list(STAGES.values()), [stages[name] for name in STAGES])
    axes.set_title(f"a cold run, {stages['replicates']:,} replicates")
    axes.set_xlabel("seconds, one stage after another")


def _floor(axes: Axes, least: dict[str, Any], _: str) -> None:
    _bars(axes, list(LEAST.values()), [least[name] for name in LEAST])
    axes.set_title("the least it could cost")
    axes.set_xlabel("ms per replicate, two cores")


def _bars(axes: Axes, names: list[str], lengths: list[float]) -> None:
    """Horizontal bars, the first on top, each with its number."""
    place = np.arange(len(names))
    axes.barh(place, lengths, color=PALETTE[0], height=0.62)
    for height, value in zip(place, lengths, strict=True):
        axes.annotate(
            f"{value:.2g}" if value < 10 else f"{value:.0f}",
            (value, height),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(place, labels=names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(right=1.2 * max(lengths))


_PANELS: dict[str, Any] = {
    "precision": _precision,
    "rows": _series,
    "dim": _series,
    "cells": _series,
    "workers": _workers,
    "statistics": _statistics,
    "breakdown": _breakdown,
    "floor": _floor,
}
