"""How every picture looks and how it is written to disk.

Figures are drawn on a bare ``Figure`` (no display, no global state) inside ``style()``, and
written by ``save``, twice: PNG for looking, SVG for print and for the report.
"""

import math
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter

# Seaborn's colour-blind palette with the colours changed that are faint on white (pink, yellow) or that
# deuteranopes take for another (vermilion, brown); tests/test_style.py simulates their eyes.
PALETTE: tuple[Any, ...] = (
    "#0173b2",
    "#de8f05",
    "#029e73",
    "#b83f00",
    "#cc78bc",
    "#6e4a2a",
    "#882255",
    "#949494",
    "#332288",
    "#56b4e9",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")
INK, MUTED, BAND = "#222222", "#6b6b6b", "#d9e6f2"
# Outcomes carry a glyph as well as a colour, so that no reader depends on the colour.
OUTCOMES = {
    "supported": ("✔", PALETTE[2]),
    "unresolved": ("?", PALETTE[1]),
    "contradicted": ("✘", PALETTE[3]),
}
SUFFIXES = ("png", "svg")
# What an axis tells about error bars, in one wording everywhere.
ERROR_BARS = "±2 standard errors"
# A logarithmic axis over a smaller factor also shows 2 and 5 between the powers of ten; over a factor
# below that of one decade more of them.
FEW_DECADES, ONE_DECADE = 100.0, 10.0
# Numbers of an axis that stays within are written out.
SMALLEST, LARGEST = 1e-4, 1e6
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

_RC: Any = {
    **seaborn.axes_style("ticks"),
    **seaborn.plotting_context("paper"),
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.5,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "synthlaw",
    # Names of groups and generators are other people's text: a dollar sign is no formula.
    "text.parse_math": False,
}


@contextmanager
def style() -> Generator[None]:
    """The settings of every picture, undone on leaving; works as a decorator too."""
    with matplotlib.rc_context(_RC):
        yield


def canvas(width: float, height: float) -> Figure:
    """An empty figure of ``width`` by ``height`` inches."""
    return Figure(figsize=(width, height), layout="constrained")


def colour(position: int) -> Any:
    """Colour of series ``position``; the palette starts again after ten."""
    return PALETTE[position % len(PALETTE)]


def marker(position: int) -> str:
    """Marker of series ``position``."""
    return MARKERS[position % len(MARKERS)]


def power_of_ten(value: float, _: int = 0) -> str:
    """A tick's label without the language of formulas, which pictures do not read.

    >>> power_of_ten(1e12)
    '10¹²'
    """
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)


def plain_number(value: float) -> str:
    """A number as short as it can be read: written out, or with a power of ten where that is long.

    >>> [plain_number(value) for value in (0.0, 0.0002, 20000.0, 1e7, 2.5e-7)]
    ['0', '0.0002', '20,000', '10⁷', '2.5×10⁻⁷']
    """
    if value == 0.0 or SMALLEST <= abs(value) < LARGEST:
        return f"{value:,.10g}"
    digits, _, power = f"{value:.6e}".partition("e")
    tens = power_of_ten(10.0 ** int(power))
    return tens if float(digits) == 1.0 else f"{float(digits):g}×{tens}"


def plain_log(axes: Axes, which: str) -> None:
    """Make an axis logarithmic with numbers a reader need not decode: 0.001 and 10,000; all as powers of
    ten where some would be longer.

    Args:
        axes: the panel.
        which: ``x`` or ``y``.
    """
    getattr(axes, f"set_{which}scale")("log")
    axis = axes.xaxis if which == "x" else axes.yaxis

    def written(value: float) -> str:
        low, high = sorted(axis.get_view_interval())
        long = 0.0 < low < 0.99 * SMALLEST or high > 1.01 * LARGEST
        return power_of_ten(value) if long and value > 0.0 else plain_number(value)

    def between(value: float, _: int) -> str:
        low, high = sorted(axis.get_view_interval())
        if not (0.0 < low < high < FEW_DECADES * low and value > 0.0):
            return ""
        # Below two decades the powers of ten alone are too few numbers to read by.
        shown = (2, 3, 4, 6) if high < ONE_DECADE * low else (2, 5)
        leading = round(value / 10.0 ** math.floor(math.log10(value)))
        return plain_number(value) if leading in shown else ""

    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axis.set_minor_formatter(FuncFormatter(between))


def legend_below(
    figure: Figure, handles: Sequence[Any] | None = None, columns: int = 3, **look: Any
) -> Legend:
    """The legend under all panels, in as many columns as the figure is wide enough for.

    Args:
        figure: its width is what the legend has.
        handles: the entries; default: those of the panels.
        columns: the most columns.
        **look: whatever ``Figure.legend`` takes.

    Returns:
        The legend; a single column of very long names may still stand out.
    """
    entries = {} if handles is None else {"handles": list(handles)}
    while True:
        legend = figure.legend(**entries, loc="outside lower center", ncols=columns, **look)
        if columns <= 1 or legend.get_window_extent().width <= figure.bbox.width:
            return legend
        legend.remove()
        columns -= 1


def spans(values: Sequence[float], factor: float = 30.0) -> bool:
    """Whether positive numbers spread over more than ``factor`` (then a log axis reads better).

    >>> spans([0.01, 1.0]), spans([0.5, 1.0]), spans([-1.0, 100.0]), spans([])
    (True, False, False, False)
    """
    return len(values) > 0 and min(values) > 0.0 and max(values) > factor * min(values)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``stem.png`` and ``stem.svg``, each whole or not at all; the same bytes every time."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    return [_written(figure, stem, suffix) for suffix in SUFFIXES]


def save_table(table: pd.DataFrame, target: Path) -> Path:
    """Write a CSV file, whole or not at all."""
    with _whole(target) as temporary:
        table.to_csv(temporary, index=False)
    return target


def _written(figure: Figure, stem: Path, suffix: str) -> Path:
    """One file. ``savefig`` would draw twice and lay out each time; the canvas draws once."""
    target = stem.with_name(f"{stem.name}.{suffix}")
    with _whole(target) as temporary, style():
        if suffix == "svg":
            # As it was laid out for the PNG.
            figure.set_layout_engine("none")
            canvas, metadata = FigureCanvasSVG(figure), {"Date": None, "Creator": None}
            canvas.print_svg(temporary, metadata=metadata)
        else:
            figure.set_dpi(matplotlib.rcParams["savefig.dpi"])
            FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})
    return target


@contextmanager
def _whole(target: Path) -> Generator[Path]:
    """Where to write what becomes ``target`` once it is complete."""
    temporary = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
