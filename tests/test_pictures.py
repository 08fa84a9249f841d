"""Every kind of figure against its recorded picture: a missing part is caught, another font is not.

After a wanted change: ``python -m tests.pictures`` makes the references again and prints what changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import FIGURES, ratio_curve, style
from tests import pictures
from tests.pictures import FOLDER, Signature, differences, hidden, load, signature
from tests.teaching import TEACHING
from tests.teaching_tables import loud, tidy_table

# Shipped with matplotlib; what one lacks comes from the other.
FONTS = (["DejaVu Serif", "DejaVu Sans"], ["STIXGeneral", "DejaVu Sans"], ["DejaVu Sans"])
SIZES = {name for name in style._RC if name.endswith(("size", "fontsize")) and "marker" not in name}
# Decoration that nobody would miss alone: rings of equal floor, white halos, marks of a broken axis.
DECORATION = {
    "alignment": ("Circle",),
    "mixture_map": ("white",),
    "exponent_ladder": ("break",),
}


def parts(axes: Axes) -> dict[str, list[Artist]]:
    """What a reader sees of a panel, and can miss: lines, points with their bars, bars, bands, bodies."""
    found: dict[str, list[Artist]] = {}
    inside: set[int] = set()
    for k, each in enumerate(axes.containers):
        if isinstance(each, ErrorbarContainer):
            points, caps, sticks = each.lines
            bars = [*caps, *sticks]
            if np.size(points.get_xdata()):
                found[f"points {k} {each.get_label()}"] = [points, *bars]
                found[f"bars {k} {each.get_label()}"] = list(bars)
            inside |= {id(artist) for artist in (points, *bars)}
    for k, each in enumerate((*axes.lines, *axes.collections, *axes.patches)):
        if id(each) not in inside and each.get_visible():
            found[f"{_kind(each)} {k} {each.get_label()}"] = [each]
    return {name: artists for name, artists in found.items() if artists}


def _kind(artist: Any) -> str:
    """The class of an artist; a white line and a mark that is drawn in the units of the page by that."""
    if isinstance(artist, Line2D):
        if artist.get_color() == "white":
            return "white"
        if isinstance(artist.get_marker(), list):
            return "break"
    return type(artist).__name__


def drawn(name: str) -> tuple[Figure, Signature]:
    """A figure of this kind as it is drawn today, and its recorded picture."""
    return TEACHING[name](), load(FOLDER / f"{name}.npz")


def test_every_figure_has_a_picture() -> None:
    assert set(TEACHING) == set(FIGURES) == {path.stem for path in FOLDER.glob("*.npz")}
    assert max(path.stat().st_size for path in FOLDER.glob("*.npz")) < 16_000


@pytest.mark.parametrize("name", TEACHING)
def test_a_missing_part_is_caught_and_nothing_else(name: str) -> None:
    """As drawn: no difference. Without any one line, series, bars, band, label or legend entry: one."""
    figure, reference = drawn(name)
    now = signature(figure, reference)
    assert differences(now, reference) == []
    missed = [*_graphics(figure, now, name), *_words(figure, now)]
    assert missed == []


def _graphics(figure: Figure, now: Signature, name: str) -> Iterator[str]:
    """Parts of panels whose absence nothing tells; one of each panel is hidden at a time."""
    panels = pictures.every_panel(figure)
    found = [list(parts(axes).items()) for axes in panels]
    for k in range(max(map(len, found))):
        some = {f"panel {i}": each[k] for i, each in enumerate(found) if k < len(each)}
        with hidden(artist for _, artists in some.values() for artist in artists):
            without = pictures.graphics(figure, now)
        for panel, (part, _) in some.items():
            one = {panel: now[panel]}
            if part.startswith(DECORATION.get(name, ("no decoration",))):
                continue
            # What no pixel shows nobody can miss: empty collections, points beyond the limits.
            seen = np.abs(without[panel].ink - now[panel].ink).max() > 1e-9
            if seen and not differences({panel: without[panel]}, one):
                yield f"{panel}: {part}"


def _words(figure: Figure, now: Signature) -> Iterator[str]:
    """Labels, titles, tick labels, notes, legend entries whose absence nothing tells."""
    with hidden(pictures.words_of(figure)):
        without = pictures.written(figure)
    for name in now:
        if name.count(" ") > 1 and not differences(
            {k: v for k, v in without.items() if k == name}, {name: now[name]}
        ):
            yield name


@contextmanager
def another_font(family: list[str], scale: float) -> Iterator[None]:
    """Pictures are drawn with another family and other sizes of type."""
    kept = dict(style._RC)
    style._RC.update({name: scale * kept[name] for name in SIZES}, **{"font.family": family})
    try:
        with mpl.rc_context({"font.family": family}):
            yield
    finally:
        style._RC.clear()
        style._RC.update(kept)


@pytest.mark.parametrize("name", TEACHING)
def test_another_font_is_no_difference(name: str) -> None:
    """Each figure with one of: serifs, narrow letters, type that is 5 % larger."""
    family = FONTS[list(TEACHING).index(name) % len(FONTS)]
    with another_font(family, 1.05 if len(family) == 1 else 1.0):
        figure, reference = drawn(name)
        assert differences(signature(figure, reference), reference) == []


def test_a_series_that_is_not_drawn_is_named() -> None:
    """The whole way: a table without one generator; a legend entry and a label that are not written."""
    reference = load(FOLDER / "ratio_curve.npz")
    fewer = ratio_curve.draw(loud(tidy_table(("oracle", "reweight"))))
    found = differences(signature(fewer, reference), reference)
    assert any(each.startswith("panel 0: ink") for each in found)
    assert any("legend 0 text" in each and each.endswith("gone") for each in found)
    figure = ratio_curve.draw(loud(tidy_table()))
    figure.axes[1].set_xlabel("")
    figure.axes[0].tick_params(labelleft=False)
    found = differences(signature(figure, reference), reference)
    assert {"panel 1 xlabel: gone", "panel 0 yticks: gone"} <= set(found)


def test_another_colour_is_a_difference() -> None:
    """Two series that change places on the palette."""
    reference = load(FOLDER / "ladder.npz")
    figure = TEACHING["ladder"]()
    for line in figure.axes[0].lines:
        if line.get_color() == style.PALETTE[1]:
            line.set_color(style.PALETTE[2])
    assert differences(signature(figure, reference), reference)
