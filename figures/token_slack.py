"""How much room the published rate leaves over vocabulary and seeds, one map per number of layers."""

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from figures import tidy
from figures.style import INK, canvas, plain_log, power_of_ten, style

COLUMNS = ("layers", "d", "n", "slack", "constant")
COLOURS = "viridis"
# Cells darker than this share of the (logarithmic) scale carry white numbers.
DARK = 0.55


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Maps with the slack written in every cell.

    Args:
        table: ``layers, d, n`` (0: endless seeds), ``slack`` (rate times the constant over the upper limit
            of the divergence) and the ``constant``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"layers": 1, "d": [64, 64], "n": [100, 0], "slack": [4.0, 2.0],
    ...                       "constant": 2.5})
    >>> [text.get_text() for text in draw(table).axes[0].texts]
    ['4', '2']
    """
    tidy.require(table, COLUMNS, "map of slack")
    layers = np.unique(tidy.numbers(table, "layers"))
    slack = tidy.numbers(table, "slack")
    norm = LogNorm(float(slack.min()), float(slack.max()))
    figure = canvas(1.95 * len(layers) + 1.0, 3.0)
    panels = np.atleast_1d(figure.subplots(1, len(layers), sharey=True))
    mesh = None
    for axes, layer in zip(panels, layers, strict=True):
        rows = tidy.where(table, tidy.numbers(table, "layers") == layer)
        d, n = (tidy.numbers(rows, name) for name in ("d", "n"))
        # Endless seeds come last.
        sizes = sorted(set(n), key=lambda each: each or np.inf)
        tokens = sorted(set(d))
        field = np.full((len(tokens), len(sizes)), np.nan)
        for row, (at, size) in enumerate(zip(d, n, strict=True)):
            field[tokens.index(at), sizes.index(size)] = tidy.numbers(rows, "slack")[row]
        mesh = axes.pcolormesh(field, norm=norm, cmap=COLOURS, edgecolors="white", linewidth=1.0)
        for (i, j), value in np.ndenumerate(field):
            ink = "white" if norm(value) < DARK else INK
            axes.text(j + 0.5, i + 0.5, f"{value:.2g}" if value < 99.5 else f"{value:.0f}",
                      ha="center", va="center", color=ink, fontsize=7.5)  # fmt: skip
        axes.set_xticks(np.arange(len(sizes)) + 0.5, [_size(each) for each in sizes])
        axes.set_yticks(np.arange(len(tokens)) + 0.5, [f"{each:g}" for each in tokens])
        axes.grid(visible=False)
        axes.set_title(f"{layer:g} layer{'s' if layer > 1 else ''}")
        axes.set_xlabel("seeds n")
    panels[0].set_ylabel("vocabulary d")
    bar = figure.colorbar(mesh, ax=list(panels), label="slack: bound / divergence")  # pyright: ignore[reportArgumentType]
    plain_log(bar.ax, "y")
    constant = tidy.numbers(table, "constant")[0]
    figure.suptitle(
        f"KL ≤ C (1/√d + log d/√n) at the smallest C that upper limits allow, C = {constant:.3g}",
        fontsize=9.5,
    )
    return figure


def _size(n: float) -> str:
    """A number of seeds as a power of ten.

    >>> _size(1e4), _size(0.0)
    ('10⁴', '∞')
    """
    return power_of_ten(n) if n else "∞"
