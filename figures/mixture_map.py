"""Share against number of synthetic rows: where the mixture law errs, and what a mixture is worth.

One column per kind of bias. Above, the logarithm of true risk over law; below, the true risk over that
of the raw rows alone, with the best share and the one that the law holds for best.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import tidy
from figures.style import INK, canvas, plain_log, style

COLUMNS = ("kind", "rows", "synthetic", "share", "true", "law", "best", "chosen")
TITLES = {
    "incoherent": "bias of random signs",
    "shrinking": "bias shrinks the target",
    "stretching": "bias stretches the target",
    "rough": "rough bias",
}
DIVERGING, SEQUENTIAL = "PuOr", "viridis"
LEAST = 0.01
HALO = {"color": "white", "linewidth": 3.8}


@style()
def draw(table: pd.DataFrame) -> Figure:
    """Two rows of heat maps.

    Args:
        table: a full grid of ``synthetic`` by ``share`` for every ``kind``: ``true`` and ``law``
            (risks over that of the raw rows alone), ``rows`` (n), and the ``best`` and ``chosen``
            share of its ``synthetic``.

    Returns:
        The figure; nothing in it is computed here.

    Raises:
        FigureError: columns are missing.

    >>> table = pd.DataFrame({"kind": "rough", "rows": 1000, "synthetic": [10, 10, 99, 99],
    ...                       "share": [0.0, 1.0, 0.0, 1.0], "true": [1.0, 1.5, 1.0, 0.7],
    ...                       "law": [1.0, 1.4, 1.0, 0.8], "best": 0.4, "chosen": 0.5})
    >>> draw(table).axes[0].get_title()
    'rough bias'
    """
    tidy.require(table, COLUMNS, "picture of the mixture law")
    kinds = tidy.distinct(table, "kind")
    figure = canvas(2.5 * len(kinds) + 1.3, 5.4)
    panels = np.reshape(
        figure.subplots(2, len(kinds), sharex=True, sharey=True, squeeze=False), (2, len(kinds))
    )
    error = np.log(tidy.numbers(table, "true") / tidy.numbers(table, "law"))
    worst = max(float(np.abs(error).max()), LEAST)
    risk = tidy.numbers(table, "true")
    looks: list[dict[str, Any]] = [
        {"cmap": DIVERGING, "norm": TwoSlopeNorm(0.0, -worst, worst)},
        {"cmap": SEQUENTIAL, "norm": LogNorm(float(risk.min()), float(risk.max()))},
    ]
    meshes = []
    for column, kind in zip(panels.T, kinds, strict=True):
        part = tidy.where(table, [each == kind for each in tidy.texts(table, "kind")])
        x, y, (true, law) = _grid(part)
        values = (np.log(true / law), true)
        meshes = [
            axes.pcolormesh(x, y, field, shading="nearest", rasterized=True, **look)
            for axes, field, look in zip(column, values, looks, strict=True)
        ]
        _lines(column[1], part)
        column[0].set_title(TITLES.get(kind, kind))
        column[1].set_xlabel("synthetic rows N")
        plain_log(column[1], "x")
        for axes in column:
            axes.grid(visible=False)
    for axes in panels[:, 0]:
        axes.set_ylabel("share α of the synthetic rows")
    figure.colorbar(meshes[0], ax=list(panels[0]), label="log(true risk / law)")
    bar = figure.colorbar(meshes[1], ax=list(panels[1]), label="true risk / raw rows alone")
    plain_log(bar.ax, "y")
    handles, labels = panels[1, 0].get_legend_handles_labels()
    rows = tidy.numbers(table, "rows")[0]
    title = f"n = {rows:g} raw rows; no mixture was seen by the law"
    figure.legend(handles, labels, loc="outside lower center", ncols=2, title=title)
    return figure


def _grid(
    part: pd.DataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
    """Both axes and the fields ``true`` and ``law`` as matrices (share by synthetic)."""
    x, y = (np.unique(tidy.numbers(part, name)) for name in ("synthetic", "share"))
    order = np.lexsort((tidy.numbers(part, "synthetic"), tidy.numbers(part, "share")))
    fields = [tidy.numbers(part, name)[order].reshape(len(y), len(x)) for name in ("true", "law")]
    return x, y, fields


def _lines(axes: Axes, part: pd.DataFrame) -> None:
    """Best and chosen share along N, dark on a white halo so that they show on any colour."""
    first = part.drop_duplicates("synthetic").sort_values("synthetic")
    x = tidy.numbers(first, "synthetic")
    for name in ("best", "chosen"):
        axes.plot(x, tidy.numbers(first, name), **HALO)
    for name, line, label in (
        ("best", "solid", "best share"),
        ("chosen", (0, (3, 2)), "best share by the law of both sources alone"),
    ):
        y = tidy.numbers(first, name)
        axes.plot(x, y, color=INK, linestyle=line, linewidth=1.8, label=label)
