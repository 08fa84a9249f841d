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

from simulations.arrays import AnyArray
from simulations.craft import law as craft
from simulations.craft.rows import CraftRows
from simulations.population.units import Unit
from simulations.sampling.layout import laws_of, limits_of, made_of, repeated_of, row_weights
from simulations.sampling.rooms import TILE, Room, block_counts
from simulations.setup.generators import (
    Atom,
    padded,
)


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


class Fitting(NamedTuple):
    """How a generator fitted to raw rows remakes the synthetic rows drawn from ``LAWS``: the groups it
    ``acts (K,)`` on, the ``centre (K, d)`` and ``root (K, d, d)`` of their own laws, whether the
    covariance is ``estimated ()``, and ``noise ()``, the share of a drawn row's deviation that a
    resampled row receives."""

    acts: AnyArray
    centre: AnyArray
    root: AnyArray
    estimated: AnyArray
    noise: AnyArray


class Segments(NamedTuple):
    """Laws ``(S, A, ..)`` of up to A atoms (``thresholds (S, A)`` are cumulated probabilities), the
    ``blocks`` of rows to draw, and the tiles, of which the first ``tiles_used`` count. ``roots`` of the
    covariances, or, where rows are not Gaussian, the law they follow before ``means`` are added.

    ``raw (K,)`` are the raw counts; ``first_block (K,)`` is where the raw rows of a group start,
    ``raw_blocks`` how many blocks they are. ``fitting`` is ``None`` where no generator is fitted.
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
    fitting: Fitting | None


def _blocks(lengths: np.ndarray, size: int) -> Blocks:
    """Blocks that cover segments of these lengths ``(S,)``, in order of segment."""
    per_segment = block_counts(lengths)
    used = int(per_segment.sum())
    segment, number = np.zeros(size, np.int32), np.zeros(size, np.int32)
    segment[:used] = np.repeat(np.arange(len(lengths)), per_segment)
    number[:used] = np.concatenate([np.arange(k) for k in per_segment])
    return Blocks(segment, number, np.asarray(used, np.int32))


def tiled(values: Any, places: np.ndarray) -> Any:
    """Arrays of cells ``(C, ..)`` as arrays of the cells that stand in the tiles, ``(T, TILE, ..)``."""

    def one(array: Any) -> np.ndarray:
        chosen = np.asarray(array)[places]
        return chosen.reshape(-1, TILE, *chosen.shape[1:])

    return jax.tree.map(one, values)


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
    per_group = block_counts(unit.counts)
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
        _fitting(unit) if size.fitted else None,
    )
    return laid_out, order


def _fitting(unit: Unit) -> Fitting:
    bandwidth = getattr(unit.generator, "bandwidth", 0.0)
    return Fitting(
        made_of(unit),
        unit.world.means,
        np.linalg.cholesky(unit.world.covariances),
        np.asarray(getattr(unit.generator, "covariance", "known") == "estimated"),
        np.asarray(bandwidth / np.sqrt(1.0 + bandwidth**2)),
    )


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
    starts = np.concatenate([[0], np.cumsum(block_counts(lengths))])
    longest = limit.max(axis=2)
    place, used = np.zeros((size.tiles, size.blocks), np.int32), np.zeros(size.tiles, np.int32)
    for t, row in enumerate(longest):
        needed = block_counts(np.where(repeated, 0, row))
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
