"""Pages of fits: one panel per curve, as many as can be read."""

import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from figures import tidy
from figures.style import canvas, spans

# Panels of a page; further curves are in the tables, and a line says so.
MOST, MOST_WIDE = 24, 12
# Log axes where numbers spread over more than these factors.
X_FACTOR, Y_FACTOR = 8.0, 5.0
_LINE, _LINES = 30, 3


class Page(NamedTuple):
    """``axes[i]`` belongs to ``curves[i]``, a number of the table."""

    figure: Figure
    axes: Sequence[Axes]
    curves: Sequence[int]


def page(table: pd.DataFrame, most: int = MOST) -> Page:
    """An empty page with a panel for each of the first curves of a table, titled with their names."""
    curves = list(dict.fromkeys(int(each) for each in tidy.numbers(table, "curve")))
    shown = curves[:most]
    wide = _columns(len(shown))
    deep = -(-len(shown) // wide)
    names = [tidy.texts(of(table, curve), "name")[0] for curve in shown]
    titles = [title(name) for name in names]
    lines = max(text.count("\n") + 1 if text else 0 for text in titles)
    if len(shown) == 1:
        figure = canvas(5.6, 4.0 + 0.15 * lines)
    else:
        width, height = (3.3, 2.5) if wide < 4 else (2.75, 2.15)
        figure = canvas(width * wide, (height + 0.15 * lines) * deep + 0.5)
    grid = figure.subplots(deep, wide, squeeze=False).ravel()
    for axes, text in zip(grid, titles, strict=False):
        axes.set_title(text, fontsize=9.5 if len(shown) == 1 else 8.0)
    for axes in grid[len(shown) :]:
        axes.remove()
    if len(curves) > len(shown):
        figure.suptitle(f"the first {len(shown)} of {len(curves)} curves", fontsize=9.5)
    return Page(figure, list(grid[: len(shown)]), shown)


def _columns(count: int) -> int:
    return next(wide for wide, most in ((1, 1), (2, 4), (3, 9), (4, 10_000)) if count <= most)


def title(name: str) -> str:
    """The name of a curve on few short lines.

    >>> title("group = minority, metric = excess_risk")
    'group = minority, metric =\\nexcess_risk'
    """
    lines = textwrap.wrap(name, _LINE)
    return "\n".join([*lines[: _LINES - 1], *([" ".join(lines[_LINES - 1 :])[: _LINE - 1] + "…"]
                     if len(lines) > _LINES else lines[_LINES - 1 :])])  # fmt: skip


def of(table: pd.DataFrame, curve: int) -> pd.DataFrame:
    """The rows of one curve."""
    return tidy.where(table, tidy.numbers(table, "curve") == curve)


def label(found: Page, x: str, y: str) -> None:
    """Names at the edges of a page: below every column, left of every row."""
    wide = _columns(len(found.axes))
    for place, axes in enumerate(found.axes):
        if place + wide >= len(found.axes):
            axes.set_xlabel(x)
        if place % wide == 0:
            axes.set_ylabel(y)


def legend(found: Page) -> None:
    """One legend for all panels, each entry once."""
    handles: dict[str, Any] = {}
    for axes in found.axes:
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(text, handle)
    wide = 2 if _columns(len(found.axes)) < 3 else 3
    found.figure.legend(
        handles=list(handles.values()),
        labels=list(handles),
        loc="outside lower center",
        ncols=wide,
    )


def scale_axis(axes: Axes, which: str, values: Sequence[float], factor: float) -> None:
    """A log axis with plain numbers where the values spread over more than a factor."""
    if not spans(list(values), factor):
        return
    getattr(axes, f"set_{which}scale")("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    decades = float(np.log10(max(values) / min(values)))
    # Within two decades the powers of ten alone are too few to read values from.
    within = decades < 1.7
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if within else (1.0,), numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def short(value: float) -> str:
    """A number on an axis, in as few characters as there are.

    >>> [short(value) for value in (0.05, 20000.0, 1e6, 2e-7)]
    ['0.05', '20,000', '1e6', '2e-7']
    """
    if value and not 1e-4 <= abs(value) < 1e6:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:,.10g}"


def each(found: Page, tables: Sequence[pd.DataFrame], draw: Callable[..., None]) -> None:
    """``draw(axes, *rows)`` for every panel, with the rows of its curve in each table."""
    for axes, curve in zip(found.axes, found.curves, strict=True):
        draw(axes, *(of(table, curve) for table in tables))
