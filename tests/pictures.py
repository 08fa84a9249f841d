"""Pictures as coarse numbers: what a reader would miss is missed here too, and a font is not.

A figure is rendered by Agg and cut where its panels, labels and legend entries are. A panel becomes a grid of
blocks of about a sixth of an inch with the share of cyan, magenta and yellow ink in each; everything written
becomes a size and whether there is ink. Blocks are cut relative to their own panel and slightly blurred, so
that another font, which moves and resizes panels a little, changes them little; a line, a point or a band
that is gone leaves its blocks white.

``python -m tests.pictures`` makes the references in ``tests/references/`` again and prints what changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "references"
# Pixels per inch of the rendering; inches of a block; most blocks along one side of a panel.
DPI, BLOCK, MOST = 72, 0.16, 40
# Ink shares differ where they are further apart than LEAST + PART of the larger one: anti-aliasing and a
# panel resized by another font stay below, the thinnest line of a picture (0.8 points) is above.
LEAST, PART = 0.022, 0.4
# Sizes in pixels: of panels, and of what is written (fonts are up to a third narrower than others).
ROOM, PANEL, WORDS = 14.0, 0.2, 0.45
Image = NDArray[np.float64]


class Piece(NamedTuple):
    """A part of a picture: ``size`` (width, height) in pixels, ``ink`` (rows, columns, 3) between 0 and 1."""

    size: NDArray[np.float64]
    ink: Image


Signature = dict[str, Piece]


def signature(figure: Figure, like: Signature | None = None) -> Signature:
    """The pieces of a figure by name, such as ``panel 0``, ``panel 0 xlabel``, ``legend 0 text 2``.

    Args:
        figure: any figure; it is laid out here, and its layout stays as it is then.
        like: panels named there are cut into as many blocks.
    """
    whole = render(figure)
    figure.set_layout_engine("none")
    with without_words(figure):
        bare = render(figure)
    return {**_panels(figure, bare, like or {}), **_words(figure, np.abs(whole - bare))}


def graphics(figure: Figure, like: Signature) -> Signature:
    """The panels alone, of a figure that is laid out."""
    with without_words(figure):
        return _panels(figure, render(figure), like)


def written(figure: Figure) -> Signature:
    """Labels, titles, tick labels, notes and legend entries alone, of a figure that is laid out."""
    whole = render(figure)
    with without_words(figure):
        return _words(figure, np.abs(whole - render(figure)))


def render(figure: Figure) -> Image:
    """The ink of a figure: (rows, columns, 3) shares of cyan, magenta, yellow; the first row on top."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return 1.0 - np.asarray(canvas.buffer_rgba())[..., :3] / 255.0


def every_panel(figure: Figure) -> list[Axes]:
    """All axes with their insets and second axes, in the order in which they were made."""
    found: list[Axes] = []
    for axes in figure.axes:
        found += [axes, *axes.child_axes]
    return found


@contextmanager
def without_words(figure: Figure) -> Iterator[None]:
    """Nothing written and no legend, until left."""
    shown = [each for each in figure.findobj(Text) if each.get_visible()]
    shown += [legend for legend in every_legend(figure) if legend.get_visible()]
    for each in shown:
        each.set_visible(False)
    try:
        yield
    finally:
        for each in shown:
            each.set_visible(True)


def every_legend(figure: Figure) -> list[Any]:
    """Legends of the figure, then of its panels."""
    own = [axes.get_legend() for axes in figure.axes]
    return [*figure.legends, *(each for each in own if each is not None)]


def _panels(figure: Figure, image: Image, like: Signature) -> Signature:
    found: Signature = {}
    for place, axes in enumerate(every_panel(figure)):
        if axes.get_visible():
            name, box = f"panel {place}", axes.get_window_extent()
            blocks = like[name].ink.shape[:2] if name in like else _blocks(box)
            found[name] = Piece(np.array([box.width, box.height]), _averages(image, box, blocks))
    return found


def _words(figure: Figure, words: Image) -> Signature:
    found: Signature = {}
    for place, axes in enumerate(every_panel(figure)):
        roles: dict[str, list[Any]] = {
            "xlabel": [axes.xaxis.label],
            "ylabel": [axes.yaxis.label],
            "title": [axes.title],
            "xticks": list(axes.get_xticklabels(which="both")),
            "yticks": list(axes.get_yticklabels(which="both")),
        }
        roles |= {f"note {k}": [text] for k, text in enumerate(axes.texts)}
        for role, artists in roles.items():
            found[f"panel {place} {role}"] = _piece(words, artists if axes.get_visible() else [])
    for place, text in enumerate(figure.texts):
        found[f"figure note {place}"] = _piece(words, [text])
    for place, legend in enumerate(every_legend(figure)):
        for k, (handle, text) in enumerate(zip(legend.legend_handles, legend.texts, strict=True)):
            found[f"legend {place} text {k}"] = _piece(words, [text])
            found[f"legend {place} handle {k}"] = _piece(words, [handle], swatch(text))
    return {name: piece for name, piece in found.items() if piece.ink.any()}


def swatch(text: Text) -> Bbox:
    """Where the handle of a legend's text is drawn: left of it, as wide as matplotlib makes handles."""
    box, size = text.get_window_extent(), text.get_fontsize() * DPI / 72.0
    return Bbox.from_extents(box.x0 - 2.9 * size, box.y0, box.x0 - 0.4 * size, box.y1)


def differences(new: Signature, old: Signature) -> list[str]:
    """What differs, one line for each piece; empty where the pictures are alike."""
    found = [f"{name}: gone" for name in old if name not in new]
    found += [f"{name}: new" for name in new if name not in old]
    for name in (name for name in old if name in new):
        one, other = new[name], old[name]
        part = PANEL if name.startswith("panel") and name.count(" ") == 1 else WORDS
        if (np.abs(one.size - other.size) > ROOM + part * np.maximum(one.size, other.size)).any():
            found.append(f"{name}: {_pixels(other)} became {_pixels(one)}")
        elif one.ink.shape != other.ink.shape:
            found.append(f"{name}: cut differently")
        else:
            excess = _excess(one.ink, other.ink)
            if excess > 1.0:
                found.append(f"{name}: ink differs by {excess:.1f} times what may be")
    return found


def _excess(one: Image, other: Image) -> float:
    room = LEAST + PART * np.maximum(one, other)
    return float((np.abs(one - other) / room).max())


def _pixels(piece: Piece) -> str:
    return f"{piece.size[0]:.0f} x {piece.size[1]:.0f}"


def _blocks(box: Bbox) -> tuple[int, int]:
    rows, columns = (round(length / (BLOCK * DPI)) for length in (box.height, box.width))
    return min(max(rows, 2), MOST), min(max(columns, 2), MOST)


def _piece(image: Image, artists: list[Any], box: Bbox | None = None) -> Piece:
    """One block over everything that the artists cover; no ink where they show nothing."""
    boxes = [each.get_window_extent() for each in artists if _shown(each)]
    boxes = [each for each in boxes if each.width > 0.0 and each.height > 0.0]
    if box is None and not boxes:
        return Piece(np.zeros(2), np.zeros((1, 1, 3)))
    whole = box or Bbox.union(boxes)
    size = np.zeros(2) if box is not None else np.array([whole.width, whole.height])
    ink = _averages(image, whole, (1, 1))
    if box is None:
        # Strokes are thin in one font and bold in another: of words only whether there are any.
        ink = np.where(ink > 0.004, 1.0, 0.0).max(axis=2, keepdims=True) * np.ones(3)
    return Piece(size, ink)


def _shown(artist: Artist) -> bool:
    return artist.get_visible() and (not isinstance(artist, Text) or bool(artist.get_text()))


def _averages(image: Image, box: Bbox, blocks: tuple[int, int]) -> Image:
    """Mean ink of blocks of a box, each mixed with a quarter of its neighbours on both sides."""
    high, wide = image.shape[:2]
    rows, columns = blocks
    y = np.clip(high - np.linspace(box.y1, box.y0, 2 * rows + 1), 0.0, high)
    x = np.clip(np.linspace(box.x0, box.x1, 2 * columns + 1), 0.0, wide)
    total = np.zeros((high + 1, wide + 1, 3))
    total[1:, 1:] = image.cumsum(0).cumsum(1)
    corners = _between(_between(total, y, 0), x, 1)
    area = np.diff(y)[:, None, None] * np.diff(x)[None, :, None]
    mass = np.diff(np.diff(corners, axis=0), axis=1) / np.maximum(area, 1e-9)
    # Halves of blocks to blocks: own two halves, and half of the two beside them.
    for axis in (0, 1):
        padded = np.concatenate([mass.take([0], axis), mass, mass.take([-1], axis)], axis=axis)
        count = mass.shape[axis] // 2
        first = np.arange(count) * 2
        mass = sum(
            weight * padded.take(first + step, axis)
            for step, weight in enumerate((1 / 6, 1 / 3, 1 / 3, 1 / 6))
        )
    return np.asarray(mass)


def _between(values: Image, at: NDArray[np.float64], axis: int) -> Image:
    """Linear interpolation along an axis at fractional places."""
    low = np.minimum(at.astype(int), values.shape[axis] - 2)
    shape = [1, 1, 1]
    shape[axis] = -1
    part = (at - low).reshape(shape)
    return (1.0 - part) * values.take(low, axis) + part * values.take(low + 1, axis)


def save(found: Signature, path: Path) -> None:
    """Keep a signature, shares of ink in one byte each; the same bytes every time."""
    arrays: dict[str, Any] = {}
    for name, piece in found.items():
        arrays[f"{name}|size"] = np.round(piece.size).astype(np.uint16)
        arrays[f"{name}|ink"] = np.round(255.0 * piece.ink).astype(np.uint8)
    packed = [
        np.frombuffer(
            repr([(k, v.shape, v.dtype.str) for k, v in arrays.items()]).encode(), np.uint8
        )
    ]
    packed += [np.frombuffer(v.tobytes(), np.uint8) for v in arrays.values()]
    np.savez_compressed(path, index=packed[0], data=np.concatenate(packed[1:]))


def load(path: Path) -> Signature:
    """What ``save`` kept."""
    from ast import literal_eval

    with np.load(path) as stored:
        index, data = literal_eval(bytes(stored["index"]).decode()), bytes(stored["data"])
    arrays, start = {}, 0
    for name, shape, kind in index:
        end = start + int(np.prod(shape)) * np.dtype(kind).itemsize
        arrays[name] = np.frombuffer(data[start:end], kind).reshape(shape).astype(float)
        start = end
    names = [name.removesuffix("|size") for name in arrays if name.endswith("|size")]
    return {name: Piece(arrays[f"{name}|size"], arrays[f"{name}|ink"] / 255.0) for name in names}


def main() -> None:
    """Make all references again; print what differs from those that were there."""
    from tests.teaching_tables import TEACHING

    FOLDER.mkdir(exist_ok=True)
    for path in sorted(FOLDER.glob("*.npz")):
        if path.stem not in TEACHING:
            path.unlink()
            print(f"{path.stem}: no such figure any more")
    for name, draw in TEACHING.items():
        path = FOLDER / f"{name}.npz"
        old = load(path) if path.is_file() else None
        new = signature(draw(), old)
        changed = ["new"] if old is None else differences(new, old)
        if changed:
            save(signature(draw()), path)
            print("\n".join(f"{name}: {line}" for line in changed))


if __name__ == "__main__":
    main()
