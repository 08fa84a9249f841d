"""Synthetic rows for a plan: a pool per group that stands for the generator's law.

A budget of m rows weighs the P rows of the pool m/P each: risks then carry the noise of P rows, not of m;
the variance of drawing m is put in its place by its formula.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scaling.planning.table import Scaler, apply

DUPLICATE = "duplicate"
FEWEST, MOST = 400, 5_000


class Pool(NamedTuple):
    """``x (P, p)`` on the training scale, last column 1; ``group (P,)``; ``law``: the rows are the law
    itself (duplicates: the seeds), without noise of their own."""

    x: np.ndarray
    group: np.ndarray
    law: bool


# ``(x (n, p - 1), group (n,), wanted (K,), seed, rows (n,), scaler)`` -> synthetic rows ``(P, p - 1)``,
# their groups ``(P,)``: from scaled training rows, whose places in the table are ``rows``.
Draw = Callable[
    [np.ndarray, np.ndarray, np.ndarray, int, np.ndarray, Scaler], tuple[np.ndarray, np.ndarray]
]


class Source(NamedTuple):
    """``draw`` makes a pool; ``law``: its rows are the law itself; ``fitted``: it learns from the rows it
    is given (rows that somebody supplies do not change with them); ``own``: from those of the group it
    writes alone; ``weights``: no row is drawn, weights stand for all of them."""

    draw: Draw
    law: bool = False
    fitted: bool = True
    own: bool = True
    weights: bool = False


def pool_size(deficit: np.ndarray) -> np.ndarray:
    """Rows of each group's pool, ``(K,)``."""
    return np.where(deficit > 0, np.clip(deficit, FEWEST, MOST), 0)


def from_generator(generate: Callable[[np.ndarray, int, int], np.ndarray], kind: str) -> Source:
    """Pools drawn by a generator ``(rows, count, seed) -> rows`` from each group's own rows.

    Duplicates stand for themselves: each row once, with the weight of its expected number.

    Args:
        generate: makes rows of rows.
        kind: its name.
    """

    def draw(
        x: np.ndarray, group: np.ndarray, wanted: np.ndarray, seed: int, *_: object
    ) -> tuple[np.ndarray, np.ndarray]:
        rows, groups = [np.empty((0, x.shape[1]))], [np.empty(0, int)]
        for k in map(int, np.flatnonzero(wanted)):
            seeds = x[group == k]
            found = seeds if kind == DUPLICATE else generate(seeds, int(wanted[k]), seed + 7 * k)
            rows.append(found)
            groups.append(np.full(len(found), k))
        return np.concatenate(rows), np.concatenate(groups)

    return Source(draw, law=kind == DUPLICATE)


def draw_pool(
    source: Source,
    x: np.ndarray,
    group: np.ndarray,
    deficit: np.ndarray,
    seed: int,
    rows: np.ndarray,
    scaler: Scaler,
) -> Pool:
    """The pool of training rows ``x (n, p)``; ``deficit (K,)``: rows that would balance each group."""
    found, groups = source.draw(x[:, :-1], group, pool_size(deficit), seed, rows, scaler)
    return Pool(np.column_stack([found, np.ones(len(found))]), groups, source.law)


def from_rows(values: np.ndarray, groups: np.ndarray, copied: np.ndarray) -> Source:
    """A pool of supplied rows ``values (P, d)``; ``copied (P,)``: the place in the table of the row that
    one repeats, -1 for none.

    Where that row is held out its copies are too: a held-out loss must not be that of a row trained on.

    Args:
        values: the rows.
        groups: group ``(P,)`` of each.
        copied: place of the original of each.
    """

    def draw(
        x: np.ndarray,
        _: np.ndarray,
        wanted: np.ndarray,
        seed: int,
        rows: np.ndarray,
        scaler: Scaler,
    ) -> tuple[np.ndarray, np.ndarray]:
        kept = (wanted[groups] > 0) & ((copied < 0) | np.isin(copied, rows))
        return apply(scaler, values[kept])[:, :-1], groups[kept]

    return Source(draw, fitted=False)


def _nothing(x: np.ndarray, *_: object) -> tuple[np.ndarray, np.ndarray]:
    return np.empty((0, x.shape[1])), np.empty(0, int)


NOTHING = Source(_nothing, law=True)
