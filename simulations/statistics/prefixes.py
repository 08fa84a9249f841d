"""Sums over the first ``m`` rows of an endless stream of standard normal rows, without the rows.

The stream is cut into a first block of ``L`` rows and *octaves*: rows ``L 2^k`` to ``L 2^(k+1) - 1``. The
statistics of each octave are drawn from a key of its own. A prefix adds the octaves it holds
whole and halves the one in which it ends down to a block of ``L`` rows
(`simulations.statistics.bisection`), whose rows are then made. A halving's key is that of its
place in the tree: every prefix that passes there meets the same numbers, so that prefixes of
any lengths are those of one stream.

The cost grows like ``log2(m / L)``. Row numbers are exact 64-bit integers.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws
from simulations.arrays import AnyArray
from simulations.statistics.bisection import Node, fresh, halves, leaf_rows

# Part of what a draw is: changing it changes every number.
SMALLEST_BLOCK = 256
LARGEST_PREFIX = 2**60
# Second words of derived keys (see simulations.draws): a place in the tree, an octave.
_PLACE, _OCTAVE = draws.FREE_PURPOSE, draws.FREE_PURPOSE + 1
_LEFT, _RIGHT, _TOP = range(3)


class Sums(NamedTuple):
    """``total (d,)`` = sum of rows, ``square (d, d)`` = sum of ``z z'``."""

    total: AnyArray
    square: AnyArray


class Stream(NamedTuple):
    """A stream up to some octave: its ``key (2,)``, the rows ``first (d, L)``, and per octave its
    statistics and the sums over all rows before it (a leading axis of octaves on both)."""

    key: Array
    first: Array
    octave: Node
    before: Sums


def block_length(dim: int) -> int:
    """``L``: the smallest power of two with ``L >= 256`` and ``L >= 2 d``.

    >>> block_length(10), block_length(200)
    (256, 512)
    """
    return max(SMALLEST_BLOCK, 1 << (2 * dim - 1).bit_length())


def octaves(rows: int, dim: int) -> int:
    """How many octaves a stream needs for prefixes of up to ``rows`` rows: at least 1.

    >>> octaves(10**12, 10)
    32
    """
    return max(1, (-(-rows // block_length(dim)) - 1).bit_length())


def _add(sums: Sums, node: Node, rows: Array) -> Sums:
    """Add a node of so many rows."""
    mean_square = jnp.outer(node.total, node.total) / rows.astype(jnp.float64)
    return Sums(sums.total + node.total, sums.square + node.root @ node.root.T + mean_square)


def _add_rows(sums: Sums, block: Array, count: Array) -> Sums:
    """Add the first ``count`` rows of ``block (d, L)``."""
    kept = jnp.where(jnp.arange(block.shape[1])[None, :] < count, block, 0.0)
    return Sums(sums.total + kept.sum(axis=1), sums.square + kept @ kept.T)


def _size(level: Array, dim: int) -> Array:
    return jnp.left_shift(jnp.int64(block_length(dim)), level.astype(jnp.int64))


def stream(key: Array, dim: int, count: int, used: Array) -> Stream:
    """The stream of ``key (2,)`` with room for ``count`` octaves, of which the first ``used`` are drawn."""
    length = block_length(dim)
    first = draws.numbers(key, dim * length)[0].reshape(dim, length)

    def draw(k: Array, state: tuple[Sums, Node, Sums]) -> tuple[Sums, Node, Sums]:
        sums, nodes, before = state
        size = _size(k, dim)
        node = fresh(draws.derived_key(key, k, _OCTAVE), size, dim)
        nodes, before = (
            jax.tree.map(lambda all_, new: all_.at[k].set(new), kept, made)
            for kept, made in ((nodes, node), (before, sums))
        )
        return _add(sums, node, size), nodes, before

    vectors, matrices = jnp.zeros((count, dim)), jnp.zeros((count, dim, dim))
    start = _add_rows(Sums(vectors[0], matrices[0]), first, jnp.int64(length))
    room = (start, Node(vectors, matrices), Sums(vectors, matrices))
    _, nodes, before = lax.fori_loop(0, used, draw, room)
    return Stream(key, first, nodes, before)


class _Place(NamedTuple):
    """A node of ``L 2^level`` rows of which the first ``rest`` are still to be added."""

    sums: Sums
    key: Array
    node: Node
    rest: Array
    level: Array


def _descend(place: _Place) -> _Place:
    """Halve the node: add the left half and go right, or go left."""
    level = place.level - 1
    rows = _size(level, place.node.total.shape[0])
    left, right = halves(place.key, place.node, rows)
    beyond = place.rest >= rows
    added = _add(place.sums, left, rows)
    return _Place(
        jax.tree.map(lambda new, old: jnp.where(beyond, new, old), added, place.sums),
        draws.derived_key(place.key, jnp.where(beyond, _RIGHT, _LEFT), _PLACE),
        jax.tree.map(lambda a, b: jnp.where(beyond, a, b), right, left),
        jnp.where(beyond, place.rest - rows, place.rest),
        level,
    )


def prefix(source: Stream, rows: Array) -> Sums:
    """``sum z_i`` and ``sum z_i z_i'`` over the first ``rows`` rows of a stream.

    Args:
        source: the stream; it must hold the octave in which the prefix ends (`octaves`).
        rows: how many rows, a 64-bit integer scalar in ``0 .. 2^60``.

    Do not expect more of a sum over n rows than double precision holds: its random part is of
    relative size ``n^-1/2`` and has a relative error of about ``n^1/2 1e-16`` (1e-10 at 1e12 rows).

    Source: paper_notes/sufficient_statistics.md.

    >>> numbers = stream(jnp.zeros(2, jnp.uint32), 1, octaves(10**9 + 10, 1), jnp.int32(30))
    >>> one, more = (prefix(numbers, jnp.int64(n)) for n in (10**9, 10**9 + 10))
    >>> bool(one.square[0, 0] < more.square[0, 0] < one.square[0, 0] + 100)
    True
    """
    length = source.first.shape[1]
    rows = jnp.asarray(rows, jnp.int64)
    count = source.octave.total.shape[0]
    ends = [length << k for k in range(1, count)]
    whole = (jnp.asarray(np.array(ends, np.int64)) < rows).sum().astype(jnp.int32)
    rest = rows - _size(whole, len(source.first))
    # The octave's key has drawn its statistics; its halving takes another.
    key = draws.derived_key(draws.derived_key(source.key, whole, _OCTAVE), _TOP, _PLACE)
    sums, node = (
        jax.tree.map(lambda part: part[whole], kept) for kept in (source.before, source.octave)
    )
    start = _Place(sums, key, node, rest, whole)

    def within() -> Sums:
        place = lax.while_loop(lambda place: place.level > 0, _descend, start)
        return _add_rows(place.sums, leaf_rows(place.key, place.node, length), place.rest)

    none = Sums(jnp.zeros_like(sums.total), jnp.zeros_like(sums.square))
    return lax.cond(rest > 0, within, lambda: _add_rows(none, source.first, rows))
