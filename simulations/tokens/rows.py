"""Rows of several tokens: independent positions given the group, exact as one larger table.

A row ``(x_1, .., x_T)`` has the law ``prod_t P_t(x_t)``: divergences add, log-odds add. The ``d_1 .. d_T``
rows are listed, first position slowest, so that everything exact for one token is exact for a row of them.
Both functions take arrays of NumPy and of JAX.
"""

from collections.abc import Sequence

import numpy as np

from simulations.arrays import AnyArray
from simulations.problems import InputError

# Rows listed at most: 4,194,304.
MOST_ROWS = 2**22


def product(log_laws: Sequence[AnyArray]) -> AnyArray:
    """The log-law of rows, ``log P(x_1, .., x_T) = sum_t log P_t(x_t)``.

    Args:
        log_laws: one ``(..., d_t)`` per position, of equal leading axes (groups, replicates).

    Returns:
        ``(..., d_1 .. d_T)``, first position slowest.

    Raises:
        InputError: no position, or more than `MOST_ROWS` rows.

    >>> half = np.log([0.5, 0.5])
    >>> np.exp(product([half, half])).round(12).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    _check([each.shape[-1] for each in log_laws])
    found = log_laws[0]
    for each in log_laws[1:]:
        found = (found[..., :, None] + each[..., None, :]).reshape(*found.shape[:-1], -1)
    return found


def features(tables: Sequence[np.ndarray]) -> np.ndarray:
    """What a linear classifier sees of every row: its tokens' embeddings side by side, then a 1.

    Args:
        tables: embeddings of each position, ``(d_t, r_t)``.

    Returns:
        ``x~``, ``(d_1 .. d_T, r_1 + .. + r_T + 1)``, rows in the order of `product`.

    Raises:
        InputError: as `product`.

    >>> features([np.array([[1.0], [2.0]])] * 2).tolist()
    [[1.0, 1.0, 1.0], [1.0, 2.0, 1.0], [2.0, 1.0, 1.0], [2.0, 2.0, 1.0]]
    """
    _check([len(table) for table in tables])
    found = np.asarray(tables[0])
    for table in tables[1:]:
        before = np.repeat(found, len(table), axis=0)
        found = np.hstack([before, np.tile(table, (len(found), 1))])
    return np.hstack([found, np.ones((len(found), 1))])


def _check(sizes: list[int]) -> None:
    count = 1
    for size in sizes:
        count *= size
    if not sizes or count > MOST_ROWS:
        raise InputError(
            f"rows of {len(sizes)} tokens: {count} different ones, at most {MOST_ROWS} can be listed;"
            " give fewer positions (at least one) or a smaller vocabulary."
        )
