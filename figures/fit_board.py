"""The laws tried on a curve: their weights, how they foretold points left out, what they forecast."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import fit_panels, tidy
from figures.dots import NAMED, shorten
from figures.style import INK, MUTED, PALETTE, canvas, legend_below, style

COLUMNS = ("curve", "label", "law", "weight", "heldout", "plausible", "chosen", "at", "forecast")
RULED_OUT = "#b8b8b8"


@style()
def draw(board: pd.DataFrame, *, x: str = "x", y: str = "y") -> Figure:
    """One curve: three panels with a row per law. Several: a table of weights, a row per curve.

    Args:
        board: columns ``curve, label, law, weight, heldout`` (root mean square error),
            ``plausible, chosen``, ``at`` and the ``forecast`` there.
        x, y: names of the axes.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> board = pd.DataFrame({"curve": 1, "label": "", "law": ["power", "power_floor"],
    ...                       "weight": [0.1, 0.9], "heldout": [0.2, 0.1], "plausible": [False, True],
    ...                       "chosen": [False, True], "at": 1e6, "forecast": [0.01, 0.1]})
    >>> draw(board, x="rows", y="error").axes[0].get_xlabel()
    'Akaike weight'
    """
    tidy.require(board, COLUMNS, "model board")
    if len(set(tidy.numbers(board, "curve"))) > 1:
        return _matrix(board)
    return _laws(board, x, y)


def truths(table: pd.DataFrame, name: str) -> list[bool]:
    """A column of yes and no, however it was written."""
    return [text.lower() in ("true", "1", "1.0") for text in tidy.texts(table, name)]


def _laws(board: pd.DataFrame, x: str, y: str) -> Figure:
    laws = tidy.texts(board, "law")
    chosen, plausible = truths(board, "chosen"), truths(board, "plausible")
    colours = [
        PALETTE[0] if c else (PALETTE[1] if p else RULED_OUT)
        for c, p in zip(chosen, plausible, strict=True)
    ]
    place = np.arange(len(laws), dtype=float)
    figure = canvas(7.8, 1.9 + 0.34 * len(laws))
    weight, heldout, forecast = figure.subplots(1, 3, sharey=True)
    weight.barh(place, tidy.numbers(board, "weight"), color=colours, height=0.6)
    weight.set_xlim(0.0, 1.05)
    weight.set_xlabel("Akaike weight")
    weight.set_yticks(place, labels=laws)
    weight.set_ylim(len(laws) - 0.4, -0.6)
    weight.set_ylabel("law")
    _dots(heldout, tidy.numbers(board, "heldout"), place, colours)
    heldout.set_xlabel(f"error of the last points,\nheld out (unit of {y})")
    heldout.set_xlim(left=0.0)
    heldout.margins(x=0.15)
    heldout.locator_params(axis="x", nbins=5)
    _dots(forecast, tidy.numbers(board, "forecast"), place, colours)
    forecast.set_xlabel(f"{y} at\n{x} = {fit_panels.short(float(tidy.numbers(board, 'at')[0]))}")
    forecast.ticklabel_format(axis="x", useOffset=False)
    forecast.margins(x=0.15)
    forecast.locator_params(axis="x", nbins=5)
    for axes in (weight, heldout, forecast):
        axes.grid(visible=True, axis="y", linestyle=":")
        axes.tick_params(axis="y", length=0)
    kinds = [("chosen", PALETTE[0]), ("plausible", PALETTE[1]), ("left out", RULED_OUT)]
    for text, colour in kinds:
        if colour in colours:
            weight.barh([np.nan], [0.0], color=colour, label=text)
    legend_below(figure, columns=3)
    return figure


def _dots(axes: Axes, values: np.ndarray, place: np.ndarray, colours: list[str]) -> None:
    for value, height, colour in zip(values, place, colours, strict=True):
        if np.isfinite(value):
            axes.plot([value], [height], marker="o", markersize=6, color=colour, zorder=3)
        else:
            axes.annotate(
                "too few points",
                (0.03, height),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=7.5,
                color=MUTED,
            )


def _matrix(board: pd.DataFrame) -> Figure:
    """Weights of all laws for all curves; a ring marks the law chosen."""
    curves = list(dict.fromkeys(int(each) for each in tidy.numbers(board, "curve")))
    shown = curves[:NAMED]
    laws = tidy.distinct(board, "law")
    figure = canvas(2.9 + 1.0 * len(laws), 1.4 + 0.26 * len(shown))
    axes = figure.subplots()
    names = []
    for row, curve in enumerate(shown):
        rows = fit_panels.of(board, curve)
        names.append(shorten(tidy.texts(rows, "label")[0], 44))
        for law, share, chosen in zip(
            tidy.texts(rows, "law"), tidy.numbers(rows, "weight"), truths(rows, "chosen"), strict=True
        ):  # fmt: skip
            column = laws.index(law)
            axes.scatter([column], [row], s=4.0 + 150.0 * share, color=PALETTE[0], zorder=2)
            if chosen:
                axes.scatter(
                    [column], [row], s=190, facecolor="none", edgecolor=INK, linewidth=1.2, zorder=3
                )
    axes.scatter([], [], s=80, color=PALETTE[0], label="Akaike weight (area)")
    axes.scatter([], [], s=120, facecolor="none", edgecolor=INK, linewidth=1.2, label="law chosen")
    axes.set_yticks(range(len(shown)), labels=names)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_ylabel("curve")
    axes.set_xticks(range(len(laws)), labels=[law.replace("_", "\n") for law in laws])
    axes.set_xlim(-0.6, len(laws) - 0.4)
    axes.set_xlabel("law")
    axes.tick_params(length=0)
    axes.grid(visible=True, linestyle=":")
    if len(curves) > len(shown):
        axes.set_title(f"the first {len(shown)} of {len(curves)} curves")
    legend_below(figure, columns=2)
    return figure
