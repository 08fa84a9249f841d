"""The bias of a generator at a fitted rule, cross-fitted, and its quality score.

    quality = floor/variance at full balancing
    floor = (1/2) f_1'f_2,   f = H^1/2 A b,   variance = (1/2) tr(H A V A)

``b = sum_g (m_g/M) delta_g``, ``delta_g`` the mean gradient of synthetic rows of group g less that of
real ones. ``f_1`` and ``f_2`` come from disjoint halves of the rows, each by rules, metrics and generators
of its own: independent, their product has the expectation ``|E f|^2``, that of the bias alone. A rule
common to both would tie them together by ``K Cov(theta) K'``, ``K = H_syn - H_real``, as much as their
noise. Within a half the rows of the rule, those that a generator learns from and those that it is compared
with are disjoint: at rows that a rule has seen gradients are too small.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import logistic
from scaling.planning.paths import REWEIGHT, Paths, deficits, weights
from scaling.planning.pools import Source
from scaling.planning.table import Table

FEWEST, SPLITS, FEW_SPLITS, LARGE = 8, 20, 4, 20_000
# Synthetic rows drawn for one delta.
ROWS = 2000
MOST_SEEDS = 2000


class Quality(NamedTuple):
    """``score`` = floor/variance (may be negative by chance: no bias seen); ``se``: its standard error;
    ``share``: floor/(floor + variance), in [0, 1]."""

    score: float
    se: float
    share: float
    floor: float
    variance: float


def quality(paths: Paths, table: Table, source: Source, seed: int) -> Quality | None:
    """The quality score at full balancing; None where a group that needs rows has
    fewer than 8, or 16 if the generator learns from them.

    Args:
        paths: the rules along the budgets.
        table: the rows.
        source: of synthetic rows.
        seed: of splits and draws.

    Do not trust a score of about 1 where a group has fewer than ten rows a parameter: a quarter of them
    hardly makes a rule. The standard error is then too large, by a factor of up to two.

    Source: paper_notes/planning.md, section 5.
    """
    train, counts = paths.train, table.counts
    wanted = deficits(counts)
    pool = np.bincount(train.pool.group, minlength=len(counts))
    if (pool[wanted > 0] < 2).any():
        return None
    # Four parts; a generator's quarters are cut again.
    if (counts[wanted > 0] < (2 if source.fitted else 1) * FEWEST).any():
        return None
    noise = _spread(paths, table, counts.sum() + wanted.sum())
    biases, variances = [], []
    for split in range(SPLITS if len(train.x) <= LARGE else FEW_SPLITS):
        one = _Split(paths, table, source, np.random.default_rng([seed + split, 5]))
        halves = [_whitened(one, half, noise) for half in _halves(one)]
        biases.append([f for f, _ in halves])
        variances.append([variance for _, variance in halves])
    one, two = np.moveaxis(np.array(biases), 1, 0)
    here = float(np.mean(variances))
    score = 0.5 * float((one * two).sum(axis=1).mean()) / here
    share = score / (1.0 + score) if score > 0.0 else 0.0
    root = _root_of_all(paths, table)
    variance = 0.5 * float(((root.T @ root) * noise).sum())
    return Quality(score, 0.5 * _error(one, two) / here, share, score * variance, variance)


def _error(one: np.ndarray, two: np.ndarray) -> float:
    """Standard error of the mean of ``f_1'f_2`` over splits, from both ``(S, p)``.

    That mean is ``|m|^2 - tr D``, m the mean of all and D its covariance, which the differences of halves
    show: ``4 m'Dm + 2 tr D^2`` at the true m; the observed ``m'Dm`` is too large by ``tr D^2``. The
    standard deviation over splits is not it: every split has the same rows.
    """
    middle, half = 0.5 * (one + two).mean(axis=0), 0.5 * (one - two)
    products = (half @ half.T) ** 2
    # Different splits only: a difference times itself is no estimate of D^2.
    square = float(products[~np.eye(len(half), dtype=bool)].mean())
    along = float(((half @ middle) ** 2).mean())
    return float(np.sqrt(max(4.0 * along - 2.0 * square, 2.0 * square)))


def _root(hessian: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """``H^1/2 A (p, p)``, whose square is the metric ``A H A``; ``A = (H + ridge)^-1``."""
    values, vectors = np.linalg.eigh(hessian)
    half = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return half @ np.linalg.inv(hessian + np.diag(diagonal))


def _root_of_all(paths: Paths, table: Table) -> np.ndarray:
    """``H^1/2 A`` at the reweighted rule of all rows."""
    train, theta = paths.train, paths.whole[-1]
    plain = weights(train.group, table.counts, train.pool, REWEIGHT)[: len(train.x)]
    _, _, hessian = logistic.derivatives(train.x, table.y, plain, theta)
    return _root(hessian, logistic.penalty(paths.ridge, len(theta)))


def _spread(paths: Paths, table: Table, total: int) -> np.ndarray:
    """``V (p, p)`` of the sample score at full balancing, by independent rows."""
    train, theta = paths.train, paths.whole[-1]
    wanted = deficits(table.counts)
    found = np.zeros((len(theta), len(theta)))
    for k, label in enumerate(table.labels):
        real = train.x[train.group == k]
        found += len(real) / total**2 * np.cov(_scores(real, theta, label).T)
        if wanted[k]:
            made = _scores(train.pool.x[train.pool.group == k], theta, label)
            found += wanted[k] / total**2 * np.cov(made.T, bias=True)
    return found


class _Split(NamedTuple):
    paths: Paths
    table: Table
    source: Source
    random: np.random.Generator


# Rows of a quarter, group by group.
_Quarter = list[np.ndarray]


class _Half(NamedTuple):
    """Two quarters of the real rows, and half of the pool, group by group."""

    quarters: tuple[_Quarter, _Quarter]
    pool: list[np.ndarray]


def _halves(what: _Split) -> tuple[_Half, _Half]:
    train, random = what.paths.train, what.random
    one, two = _Half(([], []), []), _Half(([], []), [])
    for k in range(len(what.table.labels)):
        own = random.permutation(np.flatnonzero(train.group == k))
        made = random.permutation(np.flatnonzero(train.pool.group == k))
        for h, half in enumerate((one, two)):
            half.pool.append(made[h::2])
            for q, quarter in enumerate(half.quarters):
                quarter.append(own[h + 2 * q :: 4])
    return one, two


def _whitened(what: _Split, half: _Half, noise: np.ndarray) -> tuple[np.ndarray, float]:
    """``f (p,)`` of one half, and the variance there: each quarter at the rule of the other."""
    found, variance = np.zeros(len(noise)), 0.0
    for quarter, other in (half.quarters, half.quarters[::-1]):
        rule = _rule(what, other)
        diagonal = logistic.penalty(what.paths.ridge, len(noise))
        root = _root(rule.hessian - np.diag(diagonal), diagonal)
        found += 0.5 * root @ _bias(what, quarter, half.pool, rule.theta)
        variance += 0.25 * float(((root.T @ root) * noise).sum())
    return found, variance


def _bias(what: _Split, quarter: _Quarter, pool: list[np.ndarray], theta: np.ndarray) -> np.ndarray:
    """``b (p,)`` of a quarter, at a rule that has not seen it."""
    train, table = what.paths.train, what.table
    wanted = deficits(table.counts)
    found = np.zeros(len(theta))
    for k in map(int, np.flatnonzero(wanted)):
        share = wanted[k] / (table.counts.sum() + wanted.sum())
        label, rows = table.labels[k], quarter[k]
        if not what.source.fitted:
            made = _mean_score(train.pool.x[pool[k]], theta, label)
            found += share * (made - _mean_score(train.x[rows], theta, label))
            continue
        few = rows[: 2 * MOST_SEEDS]
        parts = few[0::2], few[1::2]
        for seen, kept in (parts, parts[::-1]):
            made = _mean_score(_made(what, k, seen, quarter), theta, label)
            found += 0.5 * share * (made - _mean_score(train.x[kept], theta, label))
    return found


def _rule(what: _Split, quarter: _Quarter) -> logistic.Fit:
    """The reweighted rule of these rows."""
    train, table = what.paths.train, what.table
    rows = np.concatenate(quarter)
    weight = np.concatenate([np.full(len(r), 1.0 / (len(quarter) * len(r))) for r in quarter])
    start = what.paths.whole[-1]
    return logistic.fit(train.x[rows], table.y[rows], weight, what.paths.ridge, start)


def _scores(x: np.ndarray, theta: np.ndarray, label: int) -> np.ndarray:
    return x * (expit(x @ theta) - label)[:, None]


def _mean_score(x: np.ndarray, theta: np.ndarray, label: int) -> np.ndarray:
    return _scores(x, theta, label).mean(axis=0)


def _made(what: _Split, k: int, seen: np.ndarray, quarter: _Quarter) -> np.ndarray:
    """Rows ``(m, p)`` that the generator draws for group k from the ``seen`` ones, and where it learns
    from other groups, from theirs in the quarter."""
    train, table, source = what.paths.train, what.table, what.source
    others = [] if source.own else [r for g, r in enumerate(quarter) if g != k]
    rows = np.concatenate([*others, seen])
    wanted = np.zeros(len(table.labels), int)
    wanted[k] = min(ROWS, max(deficits(table.counts)[k], 400))
    # A seed of its own for each draw: the same normals in both halves would tie these together.
    seed = int(what.random.integers(2**31))
    x, group = source.draw(
        train.x[rows][:, :-1], train.group[rows], wanted, seed, rows, train.scaler
    )
    return np.column_stack([x, np.ones(len(x))])[group == k]
