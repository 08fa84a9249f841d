"""The bias of a generator at a fitted rule, cross-fitted, and its quality score.

    quality = floor/variance at full balancing
    floor = (1/2) b_a'A H A b_b,   variance = (1/2) tr(H A V A)

``b = sum_g (m_g/M) delta_g``, ``delta_g`` the mean gradient of synthetic rows of group g less that of
real ones. ``b_a`` and ``b_b`` come from disjoint quarters of the rows, at a rule of the other half;
within a quarter the rows that a generator learns from are not those it is compared with. Their product
then has the expectation of the bias alone. One plug-in delta is too long by its noise, and one at a rule
that has seen the rows by the overfit.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import logistic
from scaling.planning.paths import REWEIGHT, Paths, deficits, weights
from scaling.planning.pools import Source
from scaling.planning.table import Table

FEWEST, SPLITS, FEW_SPLITS, LARGE = 8, 20, 2, 20_000
# Synthetic rows drawn for one delta.
ROWS = 2000
MOST_SEEDS = 2000


class Quality(NamedTuple):
    """``score`` = floor/variance (may be negative by chance: no bias seen); ``spread``: standard deviation
    of it over splits, more than its standard error; ``share``: floor/(floor + variance), in [0, 1]."""

    score: float
    spread: float
    share: float
    floor: float
    variance: float


def quality(paths: Paths, table: Table, source: Source, seed: int) -> Quality | None:
    """The quality score at full balancing; None where a group that needs rows has
    fewer than 8, or 16 if the generator learns from them."""
    train, counts = paths.train, table.counts
    wanted = deficits(counts)
    pool = np.bincount(train.pool.group, minlength=len(counts))
    if (pool[wanted > 0] < 2).any():
        return None
    # Four parts; a generator's quarters are cut again.
    if (counts[wanted > 0] < (2 if source.fitted else 1) * FEWEST).any():
        return None
    total = counts.sum() + wanted.sum()
    noise, found = _spread(paths, table, total), []
    for split in range(SPLITS if len(train.x) <= LARGE else FEW_SPLITS):
        one = _Split(paths, table, source, seed + split)
        parts = _parts(one)
        # One rule and one metric for both, from rows of neither: else they would be tied together again.
        rule = _rule_without(one, np.concatenate([r for real, _ in parts for r in real.values()]))
        inverse = np.linalg.inv(rule.hessian)
        ridge = np.diag(logistic.penalty(paths.ridge, len(rule.theta)))
        metric = inverse @ (rule.hessian - ridge) @ inverse
        a, b = (_bias(one, part, rule.theta) for part in parts)
        found.append((0.5 * a @ metric @ b, 0.5 * (metric * noise).sum()))
    floor, here = np.mean(found, axis=0)
    score, spread = float(floor / here), float(np.std([each[0] for each in found]) / here)
    share = score / (1.0 + score) if score > 0.0 else 0.0
    variance = 0.5 * float((_metric(paths, table) * noise).sum())
    return Quality(score, spread, share, score * variance, variance)


def _metric(paths: Paths, table: Table) -> np.ndarray:
    """``A H A`` at the reweighted rule of all rows."""
    train, theta = paths.train, paths.whole[-1]
    plain = weights(train.group, table.counts, train.pool, REWEIGHT)[: len(train.x)]
    _, _, hessian = logistic.derivatives(train.x, table.y, plain, theta)
    inverse = np.linalg.inv(hessian + np.diag(logistic.penalty(paths.ridge, len(theta))))
    return inverse @ hessian @ inverse


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
    seed: int


def _parts(what: _Split) -> list[tuple[dict[int, np.ndarray], dict[int, np.ndarray]]]:
    """Two disjoint quarters of the real rows of each group that needs some, with halves of its pool."""
    train = what.paths.train
    random = np.random.default_rng([what.seed, 5])
    real: list[dict[int, np.ndarray]] = [{}, {}]
    pool: list[dict[int, np.ndarray]] = [{}, {}]
    for k in map(int, np.flatnonzero(deficits(what.table.counts))):
        own = random.permutation(np.flatnonzero(train.group == k))
        made = random.permutation(np.flatnonzero(train.pool.group == k))
        for h in (0, 1):
            real[h][k], pool[h][k] = own[h::4], made[h::2]
    return list(zip(real, pool, strict=True))


def _bias(
    what: _Split, part: tuple[dict[int, np.ndarray], dict[int, np.ndarray]], theta: np.ndarray
) -> np.ndarray:
    """``b (p,)`` from one part, at a rule that has not seen it."""
    train, table = what.paths.train, what.table
    real, pool = part
    wanted = deficits(table.counts)
    found = np.zeros(len(theta))
    for k, rows in real.items():
        share = wanted[k] / (table.counts.sum() + wanted.sum())
        label = table.labels[k]
        if not what.source.fitted:
            made = _mean_score(train.pool.x[pool[k]], theta, label)
            found += share * (made - _mean_score(train.x[rows], theta, label))
            continue
        few = rows[: 2 * MOST_SEEDS]
        parts = few[0::2], few[1::2]
        for seen, kept in (parts, parts[::-1]):
            made = _mean_score(_made(what, k, seen), theta, label)
            found += 0.5 * share * (made - _mean_score(train.x[kept], theta, label))
    return found


def _rule_without(what: _Split, rows: np.ndarray) -> logistic.Fit:
    """The reweighted rule of all rows but these: on rows it has seen a gradient is too small."""
    train, table = what.paths.train, what.table
    kept = np.ones(len(train.x), bool)
    kept[rows] = False
    group = train.group[kept]
    counts = np.bincount(group, minlength=len(table.labels))
    weight = 1.0 / (len(counts) * counts[group])
    start = what.paths.whole[-1]
    return logistic.fit(train.x[kept], table.y[kept], weight, what.paths.ridge, start)


def _scores(x: np.ndarray, theta: np.ndarray, label: int) -> np.ndarray:
    return x * (expit(x @ theta) - label)[:, None]


def _mean_score(x: np.ndarray, theta: np.ndarray, label: int) -> np.ndarray:
    return _scores(x, theta, label).mean(axis=0)


def _made(what: _Split, k: int, seen: np.ndarray) -> np.ndarray:
    """Rows ``(m, p)`` that the generator draws for group k from the ``seen`` ones."""
    train, table, source = what.paths.train, what.table, what.source
    rows = seen if source.own else np.concatenate([np.flatnonzero(train.group != k), seen])
    wanted = np.zeros(len(table.labels), int)
    wanted[k] = min(ROWS, max(deficits(table.counts)[k], 400))
    x, group = source.draw(
        train.x[rows][:, :-1], train.group[rows], wanted, what.seed, rows, train.scaler
    )
    return np.column_stack([x, np.ones(len(x))])[group == k]
