"""The bias of a generator at a fitted rule, cross-fitted, and its quality score.

    quality = floor/variance at full balancing
    floor = (1/2) b_a'A H A b_b,   variance = (1/2) tr(H A V A)

``b = sum_g (m_g/M) delta_g``, ``delta_g`` the mean gradient of synthetic rows of group g less that of
real ones. ``b_a`` and ``b_b`` come from disjoint halves of the rows, and within a half generator and real
rows are apart: their product has the expectation of the bias alone. One plug-in delta is too long by its
noise.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import logistic
from scaling.planning.paths import REWEIGHT, Paths, deficits, weights
from scaling.planning.pools import Source
from scaling.planning.table import Table

# Each half is cut in two: rows the generator sees, and rows it is compared with.
FEWEST, SPLITS = 8, 20
# Synthetic rows drawn for one delta.
ROWS = 2000
MOST_SEEDS = 4000


class Quality(NamedTuple):
    """``score`` = floor/variance (may be negative by chance: no bias seen); ``spread``: standard deviation
    of it over splits, more than its standard error; ``share``: floor/(floor + variance), in [0, 1]."""

    score: float
    spread: float
    share: float
    floor: float
    variance: float


def quality(paths: Paths, table: Table, source: Source, seed: int) -> Quality | None:
    """The quality score at full balancing; None where a group that needs rows has fewer than 8."""
    train, labels, counts = paths.train, table.labels, table.counts
    wanted = deficits(counts)
    if (counts[wanted > 0] < FEWEST).any():
        return None
    theta = paths.whole[-1]
    total = counts.sum() + wanted.sum()
    plain = weights(train.group, counts, train.pool, REWEIGHT)[: len(train.x)]
    _, _, hessian = logistic.derivatives(train.x, table.y, plain, theta)
    inverse = np.linalg.inv(hessian + np.diag(logistic.penalty(paths.ridge, len(theta))))
    metric = inverse @ hessian @ inverse
    score = train.x * (expit(train.x @ theta) - table.y)[:, None]
    drawn = train.pool.x * (expit(train.pool.x @ theta) - labels[train.pool.group])[:, None]
    spread = np.zeros_like(metric)
    for k in range(len(labels)):
        spread += counts[k] / total**2 * np.cov(score[train.group == k].T)
        if wanted[k]:
            spread += wanted[k] / total**2 * np.cov(drawn[train.pool.group == k].T, bias=True)
    variance = 0.5 * float((metric * spread).sum())
    found = []
    for split in range(SPLITS):
        halves = _halves(paths, table, source, theta, score, drawn, seed + split)
        a, b = (sum(wanted[k] / total * half[k] for k in half) for half in halves)
        found.append(0.5 * float(a @ metric @ b))
    floor = float(np.mean(found))
    share = min(max(floor / (floor + variance), 0.0), 1.0) if floor > 0.0 else 0.0
    return Quality(floor / variance, float(np.std(found)) / variance, share, floor, variance)


def _halves(
    paths: Paths,
    table: Table,
    source: Source,
    theta: np.ndarray,
    score: np.ndarray,
    drawn: np.ndarray,
    seed: int,
) -> list[dict[int, np.ndarray]]:
    """``delta_g (p,)`` by group, from two disjoint halves."""
    wanted, train = deficits(table.counts), paths.train
    random = np.random.default_rng([seed, 5])
    halves: list[dict[int, np.ndarray]] = [{}, {}]
    for k in map(int, np.flatnonzero(wanted)):
        own = random.permutation(np.flatnonzero(train.group == k))
        pool = random.permutation(np.flatnonzero(train.pool.group == k))
        for h, half in enumerate(halves):
            rows = own[h::2][:MOST_SEEDS]
            if not source.fitted:
                half[k] = drawn[pool[h::2]].mean(axis=0) - score[rows].mean(axis=0)
                continue
            parts = rows[0::2], rows[1::2]
            both = []
            for seen, kept in (parts, parts[::-1]):
                made = _made(paths, table, source, theta, int(k), seen, seed)
                both.append(made - score[kept].mean(axis=0))
            half[k] = 0.5 * (both[0] + both[1])
    return halves


def _made(
    paths: Paths,
    table: Table,
    source: Source,
    theta: np.ndarray,
    k: int,
    seen: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Mean gradient of rows that the generator draws for group k from the ``seen`` ones."""
    train = paths.train
    rows = seen if source.own else np.concatenate([np.flatnonzero(train.group != k), seen])
    wanted = np.zeros(len(table.labels), int)
    wanted[k] = min(ROWS, max(deficits(table.counts)[k], 400))
    x, group = source.draw(
        train.x[rows][:, :-1], train.group[rows], wanted, seed, rows, train.scaler
    )
    x = np.column_stack([x, np.ones(len(x))])[group == k]
    return (x * (expit(x @ theta) - table.labels[k])[:, None]).mean(axis=0)
