"""Pages of fits: one panel per curve, as many as can be read."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from figures import tidy
from figures.dots import shorten
from figures.style import canvas, spans

# Panels of a page; further curves are in the tables, and a line says so.
MOST, MOST_WIDE = 24, 12
# Log axes where numbers spread over more than these factors.
X_FACTOR, Y_FACTOR = 8.0, 5.0
_LINE, _LINES = 32, 3


class Page(NamedTuple):
    """``axes[i]`` belongs to ``curves[i]``, a number of the table, which has ``total`` curves."""

    figure: Figure
    axes: Sequence[Axes]
    curves: Sequence[int]
    total: int


def page(table: pd.DataFrame, most: int = MOST, *, below: int = 0) -> Page:
    """An empty page with a panel for each of the first curves of a table, titled with their names;
    ``below``: lines that a panel adds to its title."""
    curves = list(dict.fromkeys(int(each) for each in tidy.numbers(table, "curve")))
    shown = curves[:most]
    wide = _columns(len(shown))
    deep = -(-len(shown) // wide)
    names = [tidy.texts(of(table, curve), "name")[0] for curve in shown]
    titles = [title(name) for name in names]
    lines = below + max(text.count("\n") + 1 if text else 0 for text in titles)
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
    return Page(figure, list(grid[: len(shown)]), shown, len(curves))


def _columns(count: int) -> int:
    return next(wide for wide, most in ((1, 1), (2, 4), (3, 9), (4, 10_000)) if count <= most)


def title(name: str) -> str:
    """The name of a curve on few short lines, broken between its parts.

    >>> title("group = minority, metric = excess_risk")
    'group = minority,\\nmetric = excess_risk'
    """
    lines: list[str] = []
    for part in name.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= _LINE:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    shown = [shorten(line, _LINE + 4) for line in lines[:_LINES]]
    return ",\n".join(shown) + (" …" if len(lines) > _LINES else "")


def of(table: pd.DataFrame, curve: int) -> pd.DataFrame:
    """The rows of one curve."""
    return tidy.where(table, tidy.numbers(table, "curve") == curve)


def label(found: Page, x: str, y: str) -> None:
    """Names of the axes, once for all panels where there are several."""
    if len(found.axes) == 1:
        found.axes[0].set_xlabel(x)
        found.axes[0].set_ylabel(y)
    else:
        shown = len(found.axes)
        rest = f" (the first {shown} of {found.total} curves)" if found.total > shown else ""
        found.figure.supxlabel(f"{x}{rest}", fontsize=9.5)
        found.figure.supylabel(y, fontsize=9.5)


def legend(found: Page, handles: Sequence[Any] | None = None) -> None:
    """One legend for all panels, each entry once; above them where their axis is named below."""
    entries: dict[str, Any] = {str(each.get_label()): each for each in handles or ()}
    if handles is None:
        for axes in found.axes:
            for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
                entries.setdefault(text, handle)
    several = len(found.axes) > 1
    found.figure.legend(
        handles=list(entries.values()),
        labels=list(entries),
        loc="outside upper center" if several else "outside lower center",
        ncols=2 if _columns(len(found.axes)) < 3 else 3,
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
    axis.set_major_locator(LogLocator(subs=(1.0, 3.0) if within else (1.0,), numticks=7))
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
