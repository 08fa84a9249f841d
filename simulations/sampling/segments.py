"""Segments: the rows of a unit laid out in blocks, as arrays for the compiled replicate.

For K groups there are ``S = 3K`` segments: raw rows (0..K-1), oversampling pools (K..2K-1),
augmentation pools (2K..3K-1). Row j of segment s counts in a cell when j is below the cell's
limit there, with the cell's weight there. Groups whose synthetic rows repeat raw rows have
empty pools of rows and draw indices instead, which add to the weight of the raw rows.

Cells are worked on in *tiles* of ``TILE``, cells with similar numbers of rows together. A tile has
its own list of blocks, so that small cells do not pay for the rows of large ones; and since its
shape is always the same, a cell's numbers do not depend on the cells beside it.
"""

from typing import Any, NamedTuple

import jax
import numpy as np

from simulations import draws
from simulations.arrays import AnyArray
from simulations.craft import law as craft
from simulations.craft.rows import CraftRows
from simulations.population.cells import Cell
from simulations.population.plugins import PLUGINS
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.setup.generators import Atom, independent_law, padded, resamples, right_law

TILE = 8
# Tiles and buffers come in few sizes (a compiled shape each): the smallest times GROWTH**k.
FEWEST_TILES, FEWEST_BLOCKS, FEWEST_RAW, GROWTH = 8, 128, 16, 8
# Numbers in the row buffer of one sample (128 MiB in double precision, per worker): larger
# samples are drawn again, block by block, whenever they are passed over.
MOST_NUMBERS = 2**24
# Row numbers are 32-bit integers; a sample this large takes minutes.
MOST_ROWS = 2**31 - 1


class Blocks(NamedTuple):
    """``segment (.., B)`` and ``number (.., B)`` of each block; only the first ``used`` count."""

    segment: AnyArray
    number: AnyArray
    used: AnyArray


class Tiles(NamedTuple):
    """Per tile: ``limit`` and ``weight (T, S, TILE)``; ``place (T, B)``, where in the row buffer its
    blocks stand, the ``used (T,)`` first ones counting; ``indices``, its blocks of repeated rows,
    with ``bound (T, S, TILE)``, the limits in order, and ``rank (T, S, TILE)``, which of them is
    a cell's own."""

    limit: AnyArray
    weight: AnyArray
    place: AnyArray
    used: AnyArray
    indices: Blocks
    bound: AnyArray
    rank: AnyArray


class Segments(NamedTuple):
    """Laws ``(S, A, ..)`` of up to A atoms (``thresholds (S, A)`` are cumulated probabilities), the
    ``blocks`` of rows to draw, and the tiles, of which the first ``tiles_used`` count. ``roots`` of the
    covariances, or, where rows are not Gaussian, the law they follow before ``means`` are added.

    ``raw (K,)`` are the raw counts; ``first_block (K,)`` is where the raw rows of a group start,
    ``raw_blocks`` how many blocks they are.
    """

    means: AnyArray
    roots: AnyArray
    labels: AnyArray
    thresholds: AnyArray
    raw: AnyArray
    first_block: AnyArray
    raw_blocks: AnyArray
    blocks: Blocks
    tiles: Tiles
    tiles_used: AnyArray


class Room(NamedTuple):
    """Sizes a unit's compiled program has room for, whichever of its cells are computed: ``tiles``,
    ``blocks`` of rows, ``indices`` (blocks of repeated rows), ``raw`` blocks that rows may be repeated
    of (0 where sums are drawn in place of rows); ``stream``: the rows are too many to be kept."""

    tiles: int
    blocks: int
    indices: int
    raw: int
    stream: bool


def size_class(least: int, needed: int) -> int:
    """The smallest size ``least * GROWTH**k`` that is enough."""
    size = least
    while size < needed:
        size *= GROWTH
    return size


def _block_counts(lengths: np.ndarray) -> np.ndarray:
    return -(-lengths // draws.BLOCK)


def _blocks(lengths: np.ndarray, size: int) -> Blocks:
    """Blocks that cover segments of these lengths ``(S,)``, in order of segment."""
    per_segment = _block_counts(lengths)
    used = int(per_segment.sum())
    segment, number = np.zeros(size, np.int32), np.zeros(size, np.int32)
    segment[:used] = np.repeat(np.arange(len(lengths)), per_segment)
    number[:used] = np.concatenate([np.arange(k) for k in per_segment])
    return Blocks(segment, number, np.asarray(used, np.int32))


def laws_of(unit: Unit) -> list[list[Atom]]:
    """The law of a row of every segment, as Gaussian atoms."""
    groups = range(len(unit.world.names))
    raw = [[right_law(unit.world, g)] for g in groups]
    rows = [independent_law(unit.generator, unit.world, unit.counts, g) for g in groups]
    return [*raw, *rows, *rows]


def limits_of(cells: list[Cell]) -> np.ndarray:
    """Prefix of every segment that each cell takes, ``(C, S)``."""
    groups = len(cells[0].raw)
    limits = [[*cell.raw, *cell.oversampled, *[cell.augment] * groups] for cell in cells]
    return np.array(limits, np.int64)


def row_weights(cells: list[Cell]) -> np.ndarray:
    """Weight of one row of every segment in each cell, ``(C, S)``."""
    return np.array(
        [
            [*cell.row_weight, *cell.row_weight, *[cell.augment_weight] * len(cell.raw)]
            for cell in cells
        ]
    )


def repeated_of(unit: Unit) -> np.ndarray:
    """Which segments hold indices of repeated raw rows instead of rows, ``(S,)``."""
    groups = range(len(unit.world.names))
    repeats = np.array([resamples(unit.generator, unit.world, g) for g in groups])
    return np.concatenate([np.zeros(len(groups), bool), repeats, repeats])


def spanned_of(unit: Unit, cells: np.ndarray) -> np.ndarray:
    """Whether the rows of these cells ``(C,)`` are enough for the rule to be unique, ``(C,)``.

    Rows are continuous, so that k distinct ones span k dimensions almost surely: counting them is
    exact where a rank computed from rounded numbers is not. (Rows of ``craft`` lie on a lattice;
    that a dozen of them lie in one flat is far less likely than a separable sample.) A mean of each
    label taken off (lda) costs two more.
    """
    distinct = np.where(repeated_of(unit), 0, limits_of([unit.cells[c] for c in cells])).sum(axis=1)
    estimator, dim = unit.sweep.estimator, unit.world.means.shape[1]
    if estimator.kind in PLUGINS:
        return distinct >= (dim + 2 if PLUGINS[estimator.kind] else 2)
    return (distinct >= dim + estimator.intercept) | (estimator.ridge > 0.0)


def tiled(values: Any, places: np.ndarray) -> Any:
    """Arrays of cells ``(C, ..)`` as arrays of the cells that stand in the tiles, ``(T, TILE, ..)``."""

    def one(array: Any) -> np.ndarray:
        chosen = np.asarray(array)[places]
        return chosen.reshape(-1, TILE, *chosen.shape[1:])

    return jax.tree.map(one, values)


def check_room(unit: Unit) -> None:
    """Raise ``InputError`` where a sample is too large to be drawn."""
    longest, repeated = limits_of(unit.cells).max(axis=0), repeated_of(unit)
    rows = sum(int(n) for n in longest)
    if rows > MOST_ROWS:
        raise InputError(
            f"counts: one sample of generator '{unit.generator.kind}' has {rows:.1e} rows (limit"
            f" {MOST_ROWS:.1e}); lower counts, ratios or augment, or use synthlaw predict, which"
            " draws no rows."
        )
    raw = sum(int(n) for n in unit.counts)
    if repeated.any() and raw * TILE > MOST_NUMBERS:
        raise InputError(
            f"counts: generator '{unit.generator.kind}' keeps {TILE} numbers for each of {raw:.1e}"
            f" raw rows (limit {MOST_NUMBERS:.1e} in all); lower counts, or use synthlaw predict,"
            " which draws no rows."
        )


def room(unit: Unit) -> Room:
    """What a unit needs room for; raises ``InputError`` where its rows are too many."""
    check_room(unit)
    longest, repeated = limits_of(unit.cells).max(axis=0), repeated_of(unit)
    blocks = size_class(FEWEST_BLOCKS, int(_block_counts(np.where(repeated, 0, longest)).sum()))
    indices = size_class(FEWEST_BLOCKS, int(_block_counts(np.where(repeated, longest, 0)).sum()))
    # The smallest room where nothing is repeated, so that generators of either kind share a program.
    raw = int(_block_counts(unit.counts).sum()) if repeated.any() else 0
    features = unit.groups.means.shape[-1]
    return Room(
        size_class(FEWEST_TILES, -(-len(unit.cells) // TILE)),
        blocks,
        indices,
        size_class(FEWEST_RAW, raw),
        blocks * draws.BLOCK * features > MOST_NUMBERS,
    )


def segments(unit: Unit, chosen: tuple[int, ...], size: Room) -> tuple[Segments, np.ndarray]:
    """The rows of the chosen cells of a unit, and which of these cells stands at each place of the
    tiles, ``(T * TILE,)``."""
    laws = laws_of(unit)
    laws = padded(laws, max(len(law) for law in laws))
    limits, repeated = limits_of(unit.cells)[list(chosen)], repeated_of(unit)
    lengths = np.where(repeated, 0, limits.max(axis=0))
    # Places to spare repeat the cell with most rows, which has a minimiser when any has.
    order = np.argsort(limits.sum(axis=1), kind="stable")
    order = np.concatenate([order, np.repeat(order[-1], size.tiles * TILE - len(order))])
    weights = row_weights([unit.cells[c] for c in chosen])
    per_group = _block_counts(unit.counts)
    laid_out = Segments(
        np.array([[atom.mean for atom in law] for law in laws]),
        _roots(unit, laws),
        np.array([[float(atom.label) for atom in law] for law in laws]),
        np.array([np.cumsum([atom.probability for atom in law]) for law in laws]),
        unit.counts.astype(np.int32),
        np.concatenate([[0], np.cumsum(per_group)[:-1]]).astype(np.int32),
        np.asarray(per_group.sum(), np.int32),
        _blocks(lengths, size.blocks),
        _tiles(limits[order], weights[order], repeated, lengths, size),
        np.asarray(-(-len(chosen) // TILE), np.int32),
    )
    return laid_out, order


def _roots(unit: Unit, laws: list[list[Atom]]) -> np.ndarray | CraftRows:
    law = unit.world.law
    if law is None:
        return np.array([[np.linalg.cholesky(atom.covariance) for atom in each] for each in laws])
    labels = np.tile(unit.world.labels, len(laws) // len(unit.world.labels))
    return CraftRows(
        np.asarray(law.noise),
        np.asarray(craft.median(law.noise)),
        np.asarray(law.x6 == "sign"),
        labels.astype(float),
    )


def _tiles(
    limits: np.ndarray, weights: np.ndarray, repeated: np.ndarray, lengths: np.ndarray, size: Room
) -> Tiles:
    """The tiles of cells with these limits and weights ``(T * TILE, S)``; ``lengths (S,)``: rows that
    are drawn of each segment."""

    def by_segment(values: np.ndarray) -> np.ndarray:
        return values.reshape(size.tiles, TILE, -1).transpose(0, 2, 1)

    limit = by_segment(limits)
    bound = np.sort(limit, axis=2)
    rank = (bound[:, :, None, :] < limit[:, :, :, None]).sum(axis=3)
    starts = np.concatenate([[0], np.cumsum(_block_counts(lengths))])
    longest = limit.max(axis=2)
    place, used = np.zeros((size.tiles, size.blocks), np.int32), np.zeros(size.tiles, np.int32)
    for t, row in enumerate(longest):
        needed = _block_counts(np.where(repeated, 0, row))
        used[t] = needed.sum()
        place[t, : used[t]] = np.concatenate(
            [starts[s] + np.arange(n) for s, n in enumerate(needed)]
        )
    indices = [_blocks(np.where(repeated, row, 0), size.indices) for row in longest]
    return Tiles(
        limit.astype(np.int32),
        by_segment(weights),
        place,
        used,
        Blocks(*(np.stack(parts) for parts in zip(*indices, strict=True))),
        bound.astype(np.int32),
        rank.astype(np.int32),
    )
