"""Moments of a sample: all that the squared loss and the plug-in rules need of its rows.

For every cell and label ``G_y = sum_{i: label y} w_i e_i e_i'`` with ``e = (x - centre_y, 1)``, from the
sums over prefixes of normal rows (no row is drawn: `simulations.statistics.prefixes`) or from the rows.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws
from simulations.arrays import AnyArray
from simulations.population.units import Unit
from simulations.sampling.layout import fitted_of, laws_of, limits_of, repeated_of, row_weights
from simulations.sampling.rooms import TILE
from simulations.sampling.sample import View, block_of
from simulations.statistics.prefixes import LARGEST_PREFIX, Sums, octaves, prefix, stream

# Sums come from keys of their own: no block of rows has this number.
SUMS_KEY = 2**32 - 1
# Room for so many distinct prefixes at least.
FEWEST_PLACES = 64
RULES = ("squared", "lda", "mean_difference")


class Streams(NamedTuple):
    """Laws of the S = 3K streams of rows: ``means (S, d)``, ``roots (S, d, d)``, ``labels (S,)``.

    The distinct prefixes, in order of stream: ``rows (J,)``; stream s takes the places ``start[s]``
    to ``start[s + 1] - 1``, and its longest prefix ends in octave ``octaves[s] - 1``. For cells in tiles
    ``prefix (T, TILE, S)`` is the place of the prefix each takes, ``share`` its weight and ``weight``
    that of one of its rows.
    """

    means: AnyArray
    roots: AnyArray
    labels: AnyArray
    rows: AnyArray
    start: AnyArray
    octaves: AnyArray
    prefix: AnyArray
    share: AnyArray
    weight: AnyArray


def by_sums(unit: Unit) -> bool:
    """Whether a unit's samples can be drawn as sums: the estimator needs no more, and every stream
    follows one Gaussian law (no mixture, no rows made of others)."""
    plain = unit.world.law is None and all(len(law) == 1 for law in laws_of(unit))
    derived = repeated_of(unit).any() or fitted_of(unit).any()
    return unit.sweep.estimator.kind in RULES and plain and not derived


def _prefixes(limit: np.ndarray) -> list[tuple[int, int]]:
    """The distinct prefixes that are not empty, as (stream, rows), in order."""
    return sorted({(s, n) for row in limit.tolist() for s, n in enumerate(row) if n > 0})


def streams(unit: Unit, cells: np.ndarray) -> Streams:
    """The streams of a unit and the prefixes that these cells ``(T * TILE,)`` take of them."""
    groups, laws = len(unit.world.names), [law[0] for law in laws_of(unit)]
    chosen = [unit.cells[c] for c in cells]
    limit, weight = limits_of(chosen), row_weights(chosen)
    pairs = _prefixes(limit)
    # One compiled shape for all choices of cells, and for most units. The last place is the empty prefix.
    size = max(FEWEST_PLACES, 1 << len(_prefixes(limits_of(unit.cells))).bit_length())
    places = {pair: place for place, pair in enumerate(pairs)}
    taken = [[places.get(pair, size - 1) for pair in enumerate(row)] for row in limit.tolist()]
    rows = np.zeros(size, np.int64)
    rows[: len(pairs)] = [n for _, n in pairs]
    start = np.searchsorted([s for s, _ in pairs], np.arange(3 * groups + 1))
    dim = unit.world.means.shape[1]

    def tiled(values: np.ndarray) -> np.ndarray:
        return values.reshape(-1, TILE, 3 * groups)

    return Streams(
        np.array([law.mean for law in laws]),
        np.array([np.linalg.cholesky(law.covariance) for law in laws]),
        np.array([float(law.label) for law in laws]),
        rows,
        start.astype(np.int32),
        np.array([octaves(int(n), dim) for n in limit.max(axis=0)], np.int32),
        tiled(np.array(taken, np.int32)),
        tiled(weight * limit),
        tiled(weight),
    )


def draw_sums(laws: Streams, key: Array) -> Sums:
    """Sums of ``x - mean`` over every prefix, ``(J, d)``, and of its squares, ``(J, d, d)``.

    ``key (2,)`` is the replicate's. One after the other: each is the same whatever stands beside it.

    Args:
        laws: of the streams, J of them.
        key: where the draws come from.
    """
    dim = laws.means.shape[1]
    room = octaves(LARGEST_PREFIX, dim)

    def draw_stream(number: Array, sums: Sums) -> Sums:
        own = draws.block_key(key, number, jnp.uint32(SUMS_KEY))
        source, root = stream(own, dim, room, laws.octaves[number]), laws.roots[number]

        def draw(place: Array, sums: Sums) -> Sums:
            normal = prefix(source, laws.rows[place])
            return Sums(
                sums.total.at[place].set(root @ normal.total),
                sums.square.at[place].set(root @ normal.square @ root.T),
            )

        return lax.fori_loop(laws.start[number], laws.start[number + 1], draw, sums)

    def skip_empty(number: Array, sums: Sums) -> Sums:
        wanted = laws.start[number + 1] > laws.start[number]
        return lax.cond(wanted, draw_stream, lambda _, sums: sums, number, sums)

    count = laws.rows.shape[0]
    empty = Sums(jnp.zeros((count, dim)), jnp.zeros((count, dim, dim)))
    return lax.fori_loop(0, laws.labels.shape[0], skip_empty, empty)


def moments_of_sums(laws: Streams, sums: Sums, tile: Array, centre: Array) -> Array:
    """``G (TILE, 2, d + 1, d + 1)`` of the cells of one tile; ``centre (TILE, 2, d)``."""
    label = (laws.labels > 0.5).astype(jnp.int32)
    member = jnp.stack([1 - label, label]).astype(jnp.float64)

    def one(cell: tuple[Array, Array, Array, Array]) -> Array:
        taken, share, weight, middle = cell
        offset = laws.means - middle[label]
        total = weight[:, None] * sums.total[taken]
        cross = offset[:, :, None] * total[:, None, :]
        square = share[:, None, None] * offset[:, :, None] * offset[:, None, :]
        square = square + cross + cross.transpose(0, 2, 1)
        square = square + weight[:, None, None] * sums.square[taken]
        mean = (share[:, None] * offset + total)[:, :, None]
        last = jnp.concatenate([mean.transpose(0, 2, 1), share[:, None, None]], axis=2)
        blocks = jnp.concatenate([jnp.concatenate([square, mean], axis=2), last], axis=1)
        return (member[:, :, None, None] * blocks[None]).sum(axis=1)

    return lax.map(one, (laws.prefix[tile], laws.share[tile], laws.weight[tile], centre))


def moments_of_rows(seen: View, centre: Array) -> Array:
    """``G (TILE, 2, d + 1, d + 1)`` of the cells of a tile from its rows; ``centre (TILE, 2, d)``."""
    size = centre.shape[2] + 1

    def add(index: Array, total: Array) -> Array:
        rows, labels, weights = block_of(seen, index)
        lifted = rows
        if not seen.intercept:
            lifted = jnp.concatenate([rows, jnp.ones((1, rows.shape[1]))])
        by_label = jnp.stack([1.0 - labels, labels])
        each = [((weights * y[None, :])[:, None, :] * lifted[None]) @ lifted.T for y in by_label]
        return total + jnp.stack(each, axis=1)

    zero = jnp.zeros((centre.shape[0], 2, size, size))
    raw = lax.fori_loop(0, seen.tile.used, add, zero)
    # e = (I, -centre; 0, 1) (x, 1)
    move = jnp.tile(jnp.eye(size), (*centre.shape[:2], 1, 1)).at[:, :, :-1, -1].set(-centre)
    return jnp.einsum("cyij,cyjk,cylk->cyil", move, raw, move)
