"""SMOTE: a synthetic row lies on the segment between a raw row and one of its nearest neighbours.

    x = x_i + u (x_J - x_i),     i uniform on the n rows, J uniform on the k nearest rows of i, u ~ U(0, 1)

with seed ``i``, partner ``J`` and gap ``u`` drawn anew for every row, independently (Chawla, Bowyer,
Hall, Kegelmeyer, JAIR 2002, in the form everybody uses: seeds with replacement, one gap per row).
Neighbours are found once per sample (`simulations.smote.neighbours`); how many rows are wanted
then changes nothing: row j depends on the key, on j and on the raw rows alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations import draws
from simulations.arrays import AnyArray


class Choices(NamedTuple):
    """Per synthetic row: ``seed`` and ``partner``, numbers of raw rows, and ``gap`` in [0, 1)."""

    seed: AnyArray
    partner: AnyArray
    gap: AnyArray


def choices(key: Array, near: Array, count: Array | int) -> Choices:
    """What the rows of one block are made of, ``(BLOCK,)`` each.

    Args:
        key: the block's key, `simulations.draws.block_key`.
        near: `neighbours` of the raw rows, ``(n_max, k)``.
        count: number of raw rows ``n``, 1 .. n_max. With ``n <= k`` all ``n - 1`` others are neighbours;
            a single row is its own partner.

    The seeds are those that the generator ``duplicate`` repeats under the same key: the two generators
    are paired.
    """
    count = jnp.asarray(count)
    most = jnp.clip(count - 1, 1, near.shape[1])
    seed, rank = draws.index_pairs(key, count, most)
    partner = _taken(near.ravel(), seed * near.shape[1] + rank)
    return Choices(seed, partner, draws.uniform_block(key))


def _taken(values: Array, index: Array) -> Array:
    """Entries of the first axis; the indices are known to be inside."""
    return values.at[index].get(mode="promise_in_bounds")


def interpolate(rows: Array, chosen: Choices) -> Array:
    """The synthetic rows ``x_i + u (x_J - x_i)``, ``(m, d)``, from raw rows ``(n_max, d)``.

    >>> one = Choices(jnp.array([0]), jnp.array([2]), jnp.array([0.25]))
    >>> interpolate(jnp.array([[0.0, 8.0], [9.0, 9.0], [4.0, 0.0]]), one).tolist()
    [[1.0, 6.0]]
    """
    seed = _taken(rows, chosen.seed)
    return seed + chosen.gap[:, None] * (_taken(rows, chosen.partner) - seed)


def smote(
    key: Array, segment: Array | int, rows: Array, count: Array | int, near: Array, total: int
) -> Array:
    """The first ``total`` synthetic rows of a stream, ``(total, d)``.

    Args:
        key: the replicate's key ``(2,)``.
        segment: number of the stream, as in `simulations.draws`.
        rows: raw rows ``(n_max, d)``, padding from ``count`` on.
        count: number of raw rows, 1 .. n_max; may be traced.
        near: ``neighbours(rows, count, k)``.
        total: rows wanted, static; a smaller one gives a prefix of the same rows.

    Do not take these rows for independent ones: they share seeds, and given the raw rows their
    covariance is smaller than that of the raw rows, by up to a third (paper_notes/generators_smote.md).

    Source: paper_notes/generators_smote.md.

    >>> from simulations.compilation import quick_jit
    >>> from simulations.smote.neighbours import neighbours
    >>> def made(rows, key, total):
    ...     return smote(key, 0, rows, 4, neighbours(rows, 4, 1), total)
    >>> program = quick_jit(made, static_argnums=2)
    >>> rows, key = jnp.array([[0.0], [1.0], [3.0], [7.0]]), jnp.array([0, 1], jnp.uint32)
    >>> bool((program(rows, key, 300)[:100] == program(rows, key, 100)).all())
    True
    """
    numbers = jnp.arange(-(-total // draws.BLOCK), dtype=jnp.uint32)
    keys = jax.vmap(lambda number: draws.block_key(key, jnp.asarray(segment), number))(numbers)
    chosen = jax.vmap(lambda each: choices(each, near, count))(keys)
    return interpolate(rows, Choices(*(part.ravel()[:total] for part in chosen)))
