"""The nearest rows of every row, once per sample, in memory that does not grow with its square.

Squared distances come from a matrix product, |x|^2 + |y|^2 - 2 x'y, whose cancellation leaves about
half the digits of a number. Here the coordinates are first rounded to so few bits that every partial
sum is a whole number below 2^53: the product is then exact, in whatever order it is summed. Equal
rows are at distance 0, ties are ties, and no padding, block or machine changes a neighbour.

The k nearest are kept in a sorted list that all rows pass by, one after the other:

    list_j <- min(list_j, max(list_(j-1), distance)),

two operations per place and no branch. What is compared are keys: the bits of a distance, as a whole
number, with the row's number in place of the last ones, where it breaks ties.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

# Distances that are held at a time.
MOST_DISTANCES = 2**20
# Rows that the last 20 bits of a distance can number; 32 bits of its mantissa are then left.
MOST_ROWS = 2**20
_EXPONENT = np.int64(0x7FF0000000000000)
# Distances are below 2^53; what is no neighbour stands beyond. Both as keys.
_NEVER = 2.0**60
_FAR, _LIMIT = (int(np.float64(value).view(np.int64)) for value in (_NEVER, 2.0**54))


def _bits(values: Array) -> Array:
    return lax.bitcast_convert_type(values, jnp.int64)


def _floats(bits: Array) -> Array:
    return lax.bitcast_convert_type(bits, jnp.float64)


def whole_coordinates(rows: Array, valid: Array) -> Array:
    """Coordinates ``(n, d)`` less those of row 0, as whole numbers whose squared distances are exact.

    A step is a power of two, at most 2^(1-b) of the largest, ``b = (53 - log2(4d)) / 2`` (23 for
    ``d = 10``): rows on a lattice of such steps keep their distances, others move by half a step.

    Args:
        rows: ``(n, d)``.
        valid: which of them count ``(n,)``.
    """
    dim = rows.shape[1]
    moved = jnp.where(valid[:, None], rows - rows[:1], 0.0)
    power = 2.0 * _floats(_bits(jnp.abs(moved).max()) & _EXPONENT)
    steps = 2.0 ** ((53 - (4 * dim - 1).bit_length()) // 2)
    return jnp.round(moved * (steps / jnp.where(power > 0.0, power, 1.0)))


def neighbours(rows: Array, count: Array | int, k: int, most: int = MOST_DISTANCES) -> Array:
    """The ``k`` nearest other rows of each of the first ``count`` rows, the nearest first.

        |x_i - x_near[i, 0]| <= |x_i - x_near[i, 1]| <= ..,    near[i, j] != i,  ties by row number

    Args:
        rows: raw rows ``x (n_max, d)``, 64-bit; those from ``count`` on are padding, which may hold
            anything and is never a neighbour.
        count: number of rows ``n``, 1 .. n_max; may be traced.
        k: number of neighbours, at least 1, static. A row has ``n - 1`` at most: further places,
            and all places of padding, hold the row's own number.
        most: distances held at a time; changes memory and time, never a neighbour.

    Returns:
        Row numbers ``near (n_max, k)``.

    Raises:
        ValueError: for more than 2^20 rows or ``k < 1``.

    Work grows as ``n^2 (d + k)``. Do not trust neighbours whose distances differ by less than about
    2^-22 sqrt(d) of the largest coordinate (measured from row 0): these count as equal, so a column of
    another magnitude hides the rest. Standardise first.

    Source: paper_notes/generators_smote.md.

    >>> from simulations.compilation import quick_jit
    >>> rows = jnp.array([[0.0], [1.0], [3.0], [7.0], [jnp.nan]])
    >>> quick_jit(neighbours, static_argnums=2)(rows, 4, 2).tolist()
    [[1, 2], [0, 2], [1, 0], [2, 1], [4, 4]]
    """
    size = rows.shape[0]
    if size > MOST_ROWS or k < 1:
        raise ValueError(f"neighbours: {size} rows (at most {MOST_ROWS}), k = {k} (at least 1).")
    height = min(size, max(1, most // size))
    blocks = -(-size // height)
    own = lax.iota(jnp.int64, size)
    whole = whole_coordinates(rows, own < count)
    squares = (whole * whole).sum(axis=1)
    low_bits = np.int64((1 << max(1, (blocks * height - 1).bit_length())) - 1)
    missing = blocks * height - size
    theirs = jnp.where(own < count, squares, _NEVER)
    parts = (
        jnp.pad(-2.0 * whole, ((0, missing), (0, 0))).reshape(blocks, height, -1),
        jnp.pad(theirs, (0, missing), constant_values=_NEVER).reshape(blocks, height),
        height * lax.iota(jnp.int64, blocks),
    )

    def pass_by(nearest: Array, distance: Array) -> tuple[Array, None]:
        before = jnp.concatenate([jnp.full((1, size), -1, jnp.int64), nearest[:-1]])
        return jnp.minimum(nearest, jnp.maximum(before, distance[None])), None

    def block(nearest: Array, part: tuple[Array, Array, Array]) -> tuple[Array, None]:
        others, square, start = part
        product = lax.dot_general(others, whole, (((1,), (1,)), ((), ())))
        distance = square[:, None] + squares[None] + product
        number = start + lax.broadcasted_iota(jnp.int64, distance.shape, 0)
        # The bits of numbers that are not negative stand in the order of the numbers.
        keyed = (_bits(distance) & ~low_bits) | number
        row = lax.iota(jnp.int64, height)
        return lax.scan(pass_by, nearest, keyed.at[row, start + row].set(_FAR, mode="drop"))

    nearest, _ = lax.scan(block, jnp.full((k, size), _FAR, jnp.int64), parts)
    found = (nearest < _LIMIT) & (own < count)[None]
    return jnp.where(found, nearest & low_bits, own[None]).astype(jnp.int32).T
