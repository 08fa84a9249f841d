"""Where the heads of a constructed and of a trained transformer look, on one context.

A row of a panel is a position that reads, a column one that is read. Constructed weights have the
vocabulary before the start token; trained weights know it.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import tidy
from figures.style import INK, canvas, style

COLUMNS = ("model", "layer", "head", "query", "key", "query_label", "key_label", "weight")
SEQUENTIAL, UNSEEN = "Blues", "#e4e4e4"
VOCABULARY, START = "vocabulary", "start"
# A position of the vocabulary is drawn this wide: there are many of them.
NARROW = 0.1


@style()
def draw(table: pd.DataFrame) -> Figure:
    """One row of panels for each model, one panel for each head of each layer.

    Args:
        table: ``model, layer, head``, positions ``query`` and ``key`` with their labels, and how much
            the one looks at the other: ``weight``, which sums to 1 over the keys of a query.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"model": "trained", "layer": 1, "head": "head 1", "query": [0, 1, 1],
    ...                       "key": [0, 0, 1], "query_label": ["start", "7", "7"],
    ...                       "key_label": ["start", "start", "7"], "weight": [1.0, 0.3, 0.7]})
    >>> draw(table).axes[0].get_title().splitlines()
    ['trained', 'layer 1, head 1']
    """
    tidy.require(table, COLUMNS, "picture of attention")
    models = tidy.distinct(table, "model")
    parts = {
        name: tidy.where(table, [each == name for each in tidy.texts(table, "model")])
        for name in models
    }
    panels = {name: list(dict.fromkeys(_panels(part))) for name, part in parts.items()}
    columns = max(map(len, panels.values()))
    figure = canvas(2.05 * columns + 1.0, 2.55 * len(models) + 0.2)
    grid = figure.subplots(len(models), columns, squeeze=False)
    mesh = None
    for line, name in zip(grid, models, strict=True):
        part = parts[name]
        names = np.array(_panels(part))
        for axes, title in zip(line, panels[name], strict=False):
            mesh = _panel(axes, tidy.where(part, names == title))
            axes.set_title(f"{name}\n{title}", fontsize=8.5)
        for axes in line[len(panels[name]) :]:
            axes.set_axis_off()
        line[0].set_ylabel("token that reads")
    for axes in grid[-1]:
        axes.set_xlabel("token that is read")
    assert mesh is not None
    figure.colorbar(
        mesh, ax=grid, label="attention weight", ticks=[0, 0.02, 0.1, 0.25, 0.5, 1], aspect=40
    )
    unseen = [Patch(facecolor=UNSEEN, label="comes later: cannot be read")]
    figure.legend(handles=unseen, loc="outside lower center")
    return figure


def _panels(part: pd.DataFrame) -> list[str]:
    layers, heads = tidy.numbers(part, "layer"), tidy.texts(part, "head")
    return [f"layer {layer:g}, {head}" for layer, head in zip(layers, heads, strict=True)]


def _panel(axes: Axes, rows: pd.DataFrame):  # noqa: ANN202
    """A heat map with the vocabulary's columns narrow; returns its mesh."""
    queries, keys = (tidy.numbers(rows, name).astype(int) for name in ("query", "key"))
    first, last = int(keys.min()), int(keys.max())
    field = np.full((int(queries.max()) + 1, last - first + 1), np.nan)
    field[queries, keys - first] = tidy.numbers(rows, "weight")
    widths = np.where(np.arange(first, last + 1) < 0, NARROW, 1.0)
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    mesh = axes.pcolormesh(
        edges, np.arange(len(field) + 1), field, cmap=SEQUENTIAL, norm=PowerNorm(0.5, 0.0, 1.0),
        rasterized=True,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    middle = 0.5 * (edges[1:] + edges[:-1])
    named = dict(zip(keys.tolist(), tidy.texts(rows, "key_label"), strict=True))
    shown = [k for k in range(first, last + 1) if named[k] != VOCABULARY]
    ticks, labels = [middle[k - first] for k in shown], [named[k] for k in shown]
    if first < 0:
        axes.axvline(edges[-first], color=INK, linewidth=1.1)
        ticks, labels = [0.5 * edges[-first], *ticks], [VOCABULARY, *labels]
    axes.set_xticks(ticks, labels, rotation=90)
    # What comes after a position it cannot see.
    axes.set_facecolor(UNSEEN)
    axes.set_yticks(0.5 + np.arange(len(field)), [named[k] for k in range(len(field))])
    axes.tick_params(labelsize=6.5, length=2)
    return mesh
