"""Rows of several covariate tokens: independent positions given the group, exact as one larger table.

A row ``(x_1, .., x_T)`` has the law ``prod_t P_t(x_t)``: divergences add, log-odds add. The ``d^T`` rows
are listed, so that everything that is exact for one token is exact for a row of them.
"""

import jax.numpy as jnp
from jax import Array

from simulations.problems import InputError

# Rows listed at most: 4,194,304.
MOST_ROWS = 2**22


def product(log_laws: list[Array]) -> Array:
    """The log-law of rows, ``(d_1 .. d_T,)``, first position slowest, from those of the positions.

    Args:
        log_laws: one ``(d_t,)`` per position.

    Raises:
        InputError: no position, or more than `MOST_ROWS` rows.

    >>> half = jnp.log(jnp.array([0.5, 0.5]))
    >>> jnp.exp(product([half, half])).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    _check([len(each) for each in log_laws])
    found = log_laws[0]
    for each in log_laws[1:]:
        found = (found[:, None] + each[None, :]).reshape(-1)
    return found


def features(table: Array, positions: int, shared: bool = False) -> Array:
    """What a linear classifier sees of a row, in the order of `product`.

    Args:
        table: ``U``, ``(d, r)``, of every position.
        positions: T >= 1.
        shared: whether all positions have the latent of the group: the sum of the embeddings then
            suffices, ``(d^T, r)``; else they stand side by side, ``(d^T, r T)``.

    Raises:
        InputError: as `product`.

    >>> features(jnp.array([[1.0], [2.0]]), 2).tolist()
    [[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0]]
    >>> features(jnp.array([[1.0], [2.0]]), 2, shared=True).ravel().tolist()
    [2.0, 3.0, 3.0, 4.0]
    """
    d = len(table)
    _check([d] * positions)
    found = table
    for _ in range(positions - 1):
        before = jnp.repeat(found, d, axis=0)
        after = jnp.tile(table, (len(found), 1))
        found = before + after if shared else jnp.concatenate([before, after], axis=1)
    return found


def _check(sizes: list[int]) -> None:
    count = 1
    for size in sizes:
        count *= size
    if not sizes or count > MOST_ROWS:
        raise InputError(
            f"rows of {len(sizes)} tokens: {count} different ones, at most {MOST_ROWS} can be listed;"
            " give fewer positions (at least one) or a smaller vocabulary."
        )
