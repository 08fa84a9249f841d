"""Segments: the rows of a unit laid out in blocks, as arrays for the compiled replicate.

For K groups there are ``S = 3K`` segments: raw rows (0..K-1), oversampling pools (K..2K-1),
augmentation pools (2K..3K-1). Row j of segment s counts in cell c when ``j < limit[s, c]``,
with weight ``weight[s, c]``. Groups whose synthetic rows repeat raw rows have empty pools of
rows and draw indices instead, which add to the weight of the raw rows.
"""

from typing import NamedTuple

import numpy as np

from simulations import draws
from simulations.arrays import AnyArray
from simulations.generators import Atom, independent_law, padded, resamples, right_law
from simulations.problems import InputError
from simulations.units import Unit

# Buffers come in few sizes (a compiled shape each): SMALLEST * GROWTH**k blocks.
SMALLEST, GROWTH = 128, 8
# Numbers in the buffers of one sample: 2 GiB in double precision, per worker.
MOST_NUMBERS = 2**28


class Blocks(NamedTuple):
    """``segment (B,)`` and ``number (B,)`` of each block; only the first ``used`` count."""

    segment: AnyArray
    number: AnyArray
    used: AnyArray


class Segments(NamedTuple):
    """Laws ``(S, A, ..)`` of up to A atoms, prefix limits and row weights ``(S, C)``, and blocks.

    ``thresholds (S, A)`` are cumulated atom probabilities; ``first_block (K,)`` is where the raw
    rows of a group start; ``raw (K,)`` the raw counts; ``row_blocks`` and ``index_blocks`` list
    the blocks of rows and of duplicate indices.
    """

    means: AnyArray
    roots: AnyArray
    labels: AnyArray
    thresholds: AnyArray
    limit: AnyArray
    weight: AnyArray
    raw: AnyArray
    first_block: AnyArray
    row_blocks: Blocks
    index_blocks: Blocks


def buffer_size(blocks: int) -> int:
    """The smallest buffer that holds so many blocks."""
    size = SMALLEST
    while size < blocks:
        size *= GROWTH
    return size


def _blocks(lengths: np.ndarray) -> Blocks:
    """Blocks that cover segments of these lengths, in order of segment."""
    per_segment = -(-lengths // draws.BLOCK)
    used = int(per_segment.sum())
    size = buffer_size(used)
    segment, number = np.zeros(size, np.int32), np.zeros(size, np.int32)
    segment[:used] = np.repeat(np.arange(len(lengths)), per_segment)
    number[:used] = np.concatenate([np.arange(k) for k in per_segment])
    return Blocks(segment, number, np.asarray(used, np.int32))


def _laws(unit: Unit) -> list[list[Atom]]:
    groups = range(len(unit.world.names))
    raw = [[right_law(unit.world, g)] for g in groups]
    rows = [independent_law(unit.generator, unit.world, unit.counts, g) for g in groups]
    return [*raw, *rows, *rows]


def _limits(unit: Unit) -> np.ndarray:
    """Prefix of every segment that each cell takes, ``(S, C)``."""
    groups = len(unit.world.names)
    parts = (
        np.array([cell.raw for cell in unit.cells]),
        np.array([cell.oversampled for cell in unit.cells]),
        np.array([[cell.augment] * groups for cell in unit.cells]),
    )
    return np.concatenate(parts, axis=1).T


def _repeated(unit: Unit) -> np.ndarray:
    """Which segments hold indices of repeated raw rows instead of rows, ``(S,)``."""
    groups = range(len(unit.world.names))
    repeats = np.array([resamples(unit.generator, unit.world, g) for g in groups])
    return np.concatenate([np.zeros(len(groups), bool), repeats, repeats])


def check_room(unit: Unit) -> None:
    """Raise ``InputError`` where the rows of one sample would not fit in memory."""
    longest, repeated = _limits(unit).max(axis=1), _repeated(unit)
    blocks = sum(-(-int(n) // draws.BLOCK) for n, r in zip(longest, repeated, strict=True) if not r)
    per_row = unit.groups.means.shape[-1] + 1 + (len(unit.cells) if repeated.any() else 0)
    numbers = buffer_size(blocks) * draws.BLOCK * per_row
    if numbers > MOST_NUMBERS:
        raise InputError(
            f"counts: one sample of generator '{unit.generator.kind}' needs room for {numbers:.1e}"
            f" numbers (limit {MOST_NUMBERS:.1e}); lower counts, ratios or augment, or use"
            " synthlaw predict, which draws no rows."
        )


def segments(unit: Unit) -> Segments:
    """The layout of a unit's rows; raises ``InputError`` where they would not fit in memory."""
    check_room(unit)
    groups, cells = len(unit.world.names), unit.cells
    laws = _laws(unit)
    laws = padded(laws, max(len(law) for law in laws))
    row_weight = np.array([cell.row_weight for cell in cells])
    augmented = np.array([[cell.augment_weight] * groups for cell in cells])
    limit, repeated = _limits(unit), _repeated(unit)
    longest = limit.max(axis=1)
    per_group = -(-unit.counts // draws.BLOCK)
    return Segments(
        np.array([[atom.mean for atom in law] for law in laws]),
        np.array([[np.linalg.cholesky(atom.covariance) for atom in law] for law in laws]),
        np.array([[float(atom.label) for atom in law] for law in laws]),
        np.array([np.cumsum([atom.probability for atom in law]) for law in laws]),
        limit.astype(np.int32),
        np.concatenate([row_weight, row_weight, augmented], axis=1).T,
        unit.counts.astype(np.int32),
        np.concatenate([[0], np.cumsum(per_group)[:-1]]).astype(np.int32),
        _blocks(np.where(repeated, 0, longest)),
        _blocks(np.where(repeated, longest, 0)),
    )
