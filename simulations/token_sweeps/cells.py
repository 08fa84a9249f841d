"""The cells of a unit of tokens: weights of rows, the groups that are acted on, and room in programs."""

from typing import NamedTuple

import jax
import numpy as np

from simulations.arrays import AnyArray
from simulations.population.cells import Cell
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.setup.generators import REWEIGHT, acts_on

# Cells of a compiled program: a multiple of this.
PLACES = 8
# Numbers in the largest array that a unit needs (256 MiB in double precision; there are a dozen of them).
MOST_NUMBERS = 2**25


class Weights(NamedTuple):
    """Of each cell and group, ``(C, K)``: weight of one ``raw`` row, and the sums of weights ``total`` and
    of squared weights ``squared`` of all synthetic rows."""

    raw: AnyArray
    total: AnyArray
    squared: AnyArray


def weights_of(cells: list[Cell]) -> Weights:
    """Row weights of C cells of K groups.

    Args:
        cells: with row weights ``w_g (K,)``, rows that join a group ``m_g (K,)``, and N further rows in
            every group, of weight ``w_a``.

    Returns:
        `Weights` ``(C, K)``: ``w``, ``w m + w_a N`` and ``w^2 m + w_a^2 N``.
    """
    raw = np.stack([cell.row_weight for cell in cells])
    over = np.stack([cell.oversampled for cell in cells]).astype(float)
    w_a = np.array([[cell.augment_weight] for cell in cells])
    extra = np.array([[float(cell.augment)] for cell in cells])
    return Weights(raw, raw * over + w_a * extra, raw**2 * over + w_a**2 * extra)


def places(cells: int) -> int:
    """Room for cells in a program, the next multiple of `PLACES`: few sizes serve all sweeps.

    >>> places(1), places(8), places(9)
    (8, 8, 16)
    """
    return -(-cells // PLACES) * PLACES


def padded(values: AnyArray, size: int) -> AnyArray:
    """The first axis of every array lengthened by repeating its first entry: room that is computed in vain.

    Args:
        values: a record of arrays ``(C, ...)`` of equal C >= 1.
        size: the new length, >= C.

    Returns:
        The record, arrays ``(size, ...)``.

    >>> padded(np.array([[1.0], [2.0]]), 4).ravel().tolist()
    [1.0, 2.0, 1.0, 1.0]
    """
    return jax.tree.map(
        lambda a: np.concatenate([a, np.repeat(a[:1], size - len(a), axis=0)]), values
    )


def check_size(unit: Unit) -> None:
    """Raise ``InputError`` where the arrays of a unit, ``K D (p + 1)`` numbers, would not fit in memory."""
    setting, groups = unit.sweep.setting, len(unit.counts)
    tokens = setting.vocabulary * (setting.attribute_vocabulary or 1)
    numbers = groups * tokens * (unit.world.means.shape[1] + 1)
    if numbers > MOST_NUMBERS:
        raise InputError(
            f"setting.vocabulary: {tokens} different rows of {unit.world.means.shape[1]} numbers in"
            f" {groups} groups are too many to be listed (limit {MOST_NUMBERS} numbers); lower vocabulary,"
            " attribute_vocabulary or embedding_dim."
        )


def acts(unit: Unit) -> np.ndarray:
    """The groups whose synthetic rows the generator writes, ``(K,)``; none for reweighting."""
    return np.array(
        [
            unit.generator.kind != REWEIGHT and acts_on(unit.generator, unit.world, g)
            for g in range(len(unit.counts))
        ]
    )
