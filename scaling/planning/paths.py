"""Fits along the number of synthetic rows, in folds and on all rows.

A *budget* is a ratio rho: every group g gets ``m_g = rho (n_max - n_g)`` rows. Its objective weighs every
row alike; ``REWEIGHT`` has no synthetic row, and weights ``1/(K n_g)``.
"""

from typing import NamedTuple

import numpy as np

from scaling.planning import logistic
from scaling.planning.pools import Pool, Source, draw_pool
from scaling.planning.table import Scaler, Table, apply, carried, learn

REWEIGHT = -1.0
# Where budgets lie between none and twice full balancing, evenly in the log of the rows of the groups that
# get some: the intercept moves so.
POINTS, FEW_POINTS, LARGE, LARGEST = 10, 7, 50_000, 4.0


class Trained(NamedTuple):
    """Training rows of one fold, or all: ``x (n, p)`` scaled, ``group (n,)``, scaler, pool."""

    x: np.ndarray
    group: np.ndarray
    scaler: Scaler
    pool: Pool


class Paths(NamedTuple):
    """``budgets (J,)``, the last one reweighting; ``score (n, J)``: of every row by the rule trained
    without its fold; ``theta (F, J, p)``: the rules of the F folds on the scale of all rows;
    ``whole (J, p)``: those of all rows; ``train``: all rows; ``failures``: fits that did not come to
    rest."""

    budgets: np.ndarray
    score: np.ndarray
    theta: np.ndarray
    whole: np.ndarray
    train: Trained
    ridge: float
    failures: int


def deficits(counts: np.ndarray) -> np.ndarray:
    """Rows that would balance each group, ``(K,)``."""
    return counts.max() - counts


def budgets_of(counts: np.ndarray, largest: float = LARGEST) -> np.ndarray:
    """Ratios ``(J,)`` from 0 to ``largest``, evenly in the log of rows, with 1 among them if it lies
    inside, and ``REWEIGHT`` last."""
    missing = deficits(counts)
    total, small = missing.sum(), counts[missing > 0].sum()
    points = POINTS if counts.sum() <= LARGE else FEW_POINTS
    steps = np.linspace(0.0, np.log1p(largest * total / small), points)
    found = small / total * np.expm1(steps)
    found[-1] = largest
    if largest > 1.0:
        inner = np.arange(1, points - 1)
        found[inner[np.argmin(np.abs(np.log(found[inner])))]] = 1.0
    return np.append(found, REWEIGHT)


def weights(group: np.ndarray, counts: np.ndarray, pool: Pool, budget: float) -> np.ndarray:
    """Weights of the training rows and, after them, of the pool's; their sum is 1."""
    groups = len(counts)
    if budget == REWEIGHT:
        return np.concatenate([1.0 / (groups * counts[group]), np.zeros(len(pool.group))])
    size = np.bincount(pool.group, minlength=groups)
    # Where all supplied rows are copies of rows held out, there is none.
    wanted = budget * deficits(counts) * (size > 0)
    row = 1.0 / (len(group) + wanted.sum())
    each = wanted / np.maximum(size, 1)
    return np.concatenate([np.full(len(group), row), row * each[pool.group]])


def train(table: Table, rows: np.ndarray, source: Source, seed: int) -> Trained:
    """Scale, and draw the pool, from these ``rows`` of the table only."""
    scaler, x = learn(table.values[rows], table.missing)
    group = table.group[rows]
    counts = np.bincount(group, minlength=len(table.labels))
    return Trained(
        x, group, scaler, draw_pool(source, x, group, deficits(counts), seed, rows, scaler)
    )


def follow(
    one: Trained, labels: np.ndarray, budgets: np.ndarray, ridges: np.ndarray
) -> tuple[np.ndarray, int]:
    """Rules ``(J, p)`` of budgets and ridges ``(J,)``, each started from the one before."""
    counts = np.bincount(one.group, minlength=len(labels))
    plain = bool((budgets == REWEIGHT).all())
    x = one.x if plain else np.concatenate([one.x, one.pool.x])
    group = one.group if plain else np.concatenate([one.group, one.pool.group])
    y = labels[group]
    theta, found, failures = np.zeros(x.shape[1]), [], 0
    for budget, ridge in zip(budgets, ridges, strict=True):
        fitted = logistic.fit(
            x, y, weights(one.group, counts, one.pool, budget)[: len(x)], ridge, theta
        )
        theta = fitted.theta
        failures += not fitted.converged
        found.append(theta)
    return np.array(found), failures


def walk(
    table: Table,
    fold: np.ndarray,
    source: Source,
    budgets: np.ndarray,
    ridges: np.ndarray,
    seed: int,
    whole: bool = True,
) -> Paths:
    """Follow the budgets in every fold, and on all rows; ``ridges (F + 1, J)``, the last for all rows."""
    n, folds = len(fold), int(fold.max()) + 1
    score = np.empty((n, len(budgets)))
    rules, scalers, failures = [], [], 0
    for k in range(folds):
        out = fold == k
        one = train(table, np.flatnonzero(~out), source, seed)
        theta, failed = follow(one, table.labels, budgets, ridges[k])
        score[out] = apply(one.scaler, table.values[out]) @ theta.T
        failures += failed
        rules.append(theta)
        scalers.append(one.scaler)
        del one
    everything = train(table, np.arange(n), source, seed)
    theta = np.zeros((0, 0))
    if whole:
        theta, failed = follow(everything, table.labels, budgets, ridges[folds])
        failures += failed
    same = [carried(r, s, everything.scaler) for r, s in zip(rules, scalers, strict=True)]
    return Paths(budgets, score, np.array(same), theta, everything, float(ridges[-1, -1]), failures)
