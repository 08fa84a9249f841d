"""Pictures as coarse numbers: what a reader would miss is missed here too, and a font is not.

A figure is rendered by Agg and cut where its panels, labels and legend entries are. A panel becomes a
grid of small blocks with the share of cyan, magenta and yellow ink in each, which are compared one by one
with a wide tolerance and in fours and sixteens with narrower ones: another font moves and resizes panels a
little, so that ink crosses from one block to the next, while a line, a point or a band that is gone leaves
less ink in all. Everything written becomes a size and whether there is ink.

``python -m tests.pictures`` makes the references in ``tests/references/`` again and prints what changed.

Long because what is measured of a picture and what counts as a difference are understood together only.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

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
DPI, BLOCK, MOST = 72, 0.08, 60
# Means over so many blocks by so many differ where they are further apart than the first number and the
# second times the larger one.
LEVELS = ((1, 0.045, 0.25), (2, 0.016, 0.12), (4, 0.007, 0.08))
# The same for the handles of a legend, each one block.
HANDLES = ((1, 0.02, 0.5),)
# Sizes in pixels: of panels, and of what is written (fonts are up to a third narrower than others).
# Ink of a box with something in it.
INKED = 0.004
ROOM, PANEL, WORDS = 14.0, 0.2, 0.45
Image = NDArray[np.float64]


class Piece(NamedTuple):
    """A part of a picture.

    ``size`` (width, height) in pixels; ``ink`` (rows, columns, 3) between 0 and 1.
    """

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
    return {**graphics(figure, like or {}), **_words(figure, whole)}


def graphics(figure: Figure, like: Signature) -> Signature:
    """The panels alone, of a figure that is laid out."""
    with hidden([*words_of(figure), *frames_of(figure)]):
        return _panels(figure, render(figure), like)


def written(figure: Figure) -> Signature:
    """Labels, titles, tick labels, notes and legend entries alone, of a figure that is laid out."""
    return _words(figure, render(figure))


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
        # A second axis beside a panel draws as a panel does, but is none by its type.
        found += [axes, *cast("list[Axes]", axes.child_axes)]
    return found


@contextmanager
def hidden(artists: Iterable[Artist]) -> Iterator[None]:
    """These are not drawn, until left."""
    shown = [each for each in artists if each.get_visible()]
    for each in shown:
        each.set_visible(False)
    try:
        yield
    finally:
        for each in shown:
            each.set_visible(True)


def words_of(figure: Figure) -> list[Artist]:
    """Everything written, and the legends."""
    return [*figure.findobj(Text), *every_legend(figure)]


def frames_of(figure: Figure) -> list[Artist]:
    """Axes with their ticks and grids, and the frames: which ticks there are depends on the room."""
    found: list[Artist] = []
    for axes in every_panel(figure):
        found += [axes.xaxis, axes.yaxis, *axes.spines.values()]
    return found


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


def _words(figure: Figure, whole: Image) -> Signature:
    """Where something is written, and whether there is ink; ``whole``: as the figure was just rendered."""
    roles: dict[str, list[Any]] = {}
    for place, axes in enumerate(every_panel(figure)):
        name = f"panel {place}"
        if axes.get_visible() and axes.axison:
            roles[f"{name} xlabel"] = [axes.xaxis.label]
            roles[f"{name} ylabel"] = [axes.yaxis.label]
            roles[f"{name} xticks"] = list(axes.get_xticklabels(which="both"))
            roles[f"{name} yticks"] = list(axes.get_yticklabels(which="both"))
        if axes.get_visible():
            roles[f"{name} title"] = [axes.title]
            roles |= {f"{name} note {k}": [text] for k, text in enumerate(axes.texts)}
    roles |= {f"figure note {place}": [text] for place, text in enumerate(figure.texts)}
    swatches: dict[str, Bbox] = {}
    for place, legend in enumerate(every_legend(figure)):
        for k, text in enumerate(legend.texts):
            roles[f"legend {place} text {k}"] = [text]
            swatches[f"legend {place} handle {k}"] = _swatch(text)
    # Before anything is hidden: a label moves where the tick labels beside it are not drawn.
    boxes = {name: _around(artists) for name, artists in roles.items()}
    with hidden(words_of(figure)):
        words = np.abs(whole - render(figure))
    found: Signature = {}
    for name, box in boxes.items():
        if box is not None and (_averages(words, box, (1, 1)) > INKED).any():
            # Strokes are thin in one font and bold in another: only whether there are any.
            found[name] = Piece(np.array([box.width, box.height]), np.ones((1, 1, 3)))
    for name, box in swatches.items():
        ink = _averages(words, box, (1, 1))
        if (ink > INKED).any():
            found[name] = Piece(np.zeros(2), ink)
    return found


def _around(artists: list[Any]) -> Bbox | None:
    """The box of everything written that is shown; None where there is nothing."""
    shown = [each for each in artists if each.get_visible() and each.get_text()]
    boxes = [each.get_window_extent() for each in shown]
    boxes = [each for each in boxes if each.width > 0.0 and each.height > 0.0]
    return Bbox.union(boxes) if boxes else None


def _swatch(text: Text) -> Bbox:
    """Where the handle of a legend's text is drawn: left of it, as wide as matplotlib makes handles."""
    box, size = text.get_window_extent(), float(text.get_fontsize()) * DPI / 72.0
    middle, half = 0.5 * (box.y0 + box.y1), 0.35 * size
    return Bbox.from_extents(box.x0 - 2.9 * size, middle - half, box.x0 - 0.4 * size, middle + half)


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
            # A line takes a smaller share of a panel that became larger.
            size = np.maximum(other.size, 1.0)
            resized = float(np.max(np.abs(one.size - other.size) / size))
            levels = HANDLES if " handle " in name else LEVELS
            excess = _excess(one.ink, other.ink, [(k, a, b + resized) for k, a, b in levels])
            if excess > 1.0:
                found.append(f"{name}: ink differs by {excess:.1f} times what may be")
    return found


def _excess(one: Image, other: Image, levels: Iterable[tuple[int, float, float]]) -> float:
    """How many times what may be two inks differ by, at the level where it is most."""
    found = []
    for level, least, part in levels:
        first, second = _coarse(one, level), _coarse(other, level)
        room = least + part * np.maximum(first, second)
        found.append(float((np.abs(first - second) / room).max()))
    return max(found)


def _coarse(ink: Image, level: int) -> Image:
    """Means over ``level`` by ``level`` blocks; those at the ends take what is left over."""
    for axis in (0, 1):
        starts = np.arange(0, max(ink.shape[axis] - level, 0) + 1, level)
        counts = np.diff(np.append(starts, ink.shape[axis]))
        shape = [1, 1, 1]
        shape[axis] = -1
        ink = np.add.reduceat(ink, starts, axis=axis) / counts.reshape(shape)
    return ink


def _pixels(piece: Piece) -> str:
    return f"{piece.size[0]:.0f} x {piece.size[1]:.0f}"


def _blocks(box: Bbox) -> tuple[int, int]:
    rows, columns = (round(length / (BLOCK * DPI)) for length in (box.height, box.width))
    return min(max(rows, 2), MOST), min(max(columns, 2), MOST)


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
        mixed = np.zeros_like(mass.take(first, axis))
        for step, weight in enumerate((1 / 6, 1 / 3, 1 / 3, 1 / 6)):
            mixed += weight * padded.take(first + step, axis)
        mass = mixed
    return mass


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
    from tests.teaching import TEACHING

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
