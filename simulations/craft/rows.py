"""Rows of the simulated table given their label, drawn block by block.

Candidates for ``(X1, X2, X3)`` with their labels are drawn in rounds; the first ``BLOCK`` that bear the
label wanted are the block's. That is the law given the label, exactly. The other features do not
depend on the label given these three, and are drawn once.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations import draws
from simulations.arrays import AnyArray
from simulations.craft.law import mean_score

# Half of the candidates bear either label: a second round is needed with probability 2e-7.
CANDIDATES = 640
# Never reached: 64 rounds fail with probability below 1e-1000.
ROUNDS = 64
FEATURES = 9


class CraftRows(NamedTuple):
    """The law of a segment's rows: ``noise``, ``median``, ``sign`` (whether X6 is one), and the label
    its rows bear, ``label (S,)``."""

    noise: AnyArray
    median: AnyArray
    sign: AnyArray
    label: AnyArray


def round_product(one: Array, other: Array) -> Array:
    """As `simulations.craft.law.product`, of JAX arrays."""
    return jnp.rint(one * other / 10.0)


def candidates(law: CraftRows, key: Array) -> tuple[Array, Array]:
    """``(X1, X2, X3)`` in tenths ``(3, CANDIDATES)``, and whether the label is 1 ``(CANDIDATES,)``."""
    z = draws.numbers(key, 4 * CANDIDATES)[0].reshape(4, CANDIDATES)
    first, second = jnp.rint(10.0 * z[0]), jnp.rint(10.0 * z[1])
    third = jnp.rint((5.0 * first + 3.0 * second) / 10.0 + 5.0 * z[2])
    score = mean_score(first, second, third, round_product(first, second)) + law.noise * z[3]
    return jnp.stack([first, second, third]), score > law.median


def accepted(law: CraftRows, key: Array, label: Array) -> Array:
    """The first ``BLOCK`` candidates with this label, ``(3, BLOCK)``; ``key`` is the block's."""

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        number, filled, _ = state
        return (filled < draws.BLOCK) & (number < ROUNDS)

    def advance(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        number, filled, rows = state
        drawn, positive = candidates(law, draws.derived_key(key, number, draws.FREE_PURPOSE))
        wanted = positive == (label > 0.5)
        place = filled + jnp.cumsum(wanted.astype(jnp.int32)) - 1
        # What is not wanted, or comes too late, has no place.
        place = jnp.where(wanted, place, draws.BLOCK)
        rows = rows.at[:, place].set(drawn, mode="drop")
        return number + 1, filled + wanted.sum(dtype=jnp.int32), rows

    zero = jnp.asarray(0, jnp.int32)
    empty = (zero, zero, jnp.zeros((3, draws.BLOCK)))
    return lax.while_loop(unfinished, advance, empty)[2]


def row_columns(law: CraftRows, key: Array, label: Array) -> Array:
    """One block of rows with this label, ``(9, BLOCK)``; ``key`` is the block's."""
    first, second, third = accepted(law, key, label)
    z = draws.normal_block(key, 4)
    sign = jnp.where(z[2] < 0.0, -10.0, 10.0)
    tenths = [
        first,
        second,
        third,
        jnp.rint(z[0] * first),
        jnp.rint(10.0 * z[1] + 0.5 * third),
        jnp.where(law.sign, sign, jnp.rint(10.0 * z[2])),
        jnp.rint(10.0 * z[3]),
        round_product(second, third),
        round_product(first, second),
    ]
    return jnp.stack(tenths) / 10.0
