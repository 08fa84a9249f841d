"""Predicted balanced risk against the number of synthetic rows, with its standard error.

    predicted(m) = held-out balanced loss - seeds(m)/(F - 1) + draws(m) - pool(m)

The held-out loss of F folds is floor and variance of rules trained on ``1 - 1/F`` of the rows; ``seeds`` is
the variance that the real rows cause (also through a generator fitted to them), by the grouped jackknife
over the folds; ``draws`` that of drawing m rows given the generator, and ``pool`` that of the P rows which
stood for them, ``m/P`` times as much, by their formula (paper_notes/planning.md).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import logistic
from scaling.planning.paths import REWEIGHT, Paths, deficits, weights
from scaling.planning.table import Table


class Curve(NamedTuple):
    """Of J budgets, the last one reweighting: ``predicted (J,)`` with covariance of its noise
    ``covariance (J, J)``, and ``wander (J,)``: variance of the trained rule's own risk around its
    mean; ``variance (J,)`` = ``seeds + draws`` within ``predicted``."""

    budgets: np.ndarray
    predicted: np.ndarray
    covariance: np.ndarray
    wander: np.ndarray
    seeds: np.ndarray
    draws: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Sampling part of the prediction, ``(J,)``."""
        return self.seeds + self.draws

    @property
    def se(self) -> np.ndarray:
        """Standard error of the prediction as one of the expected risk, ``(J,)``."""
        return np.sqrt(np.diag(self.covariance) + self.wander)


def balanced(losses: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean over groups of the mean losses ``(J,)`` of ``losses (n, J)``, and its covariance ``(J, J)``.

    >>> mean, covariance = balanced(np.array([[1.0], [3.0], [10.0], [10.0]]), np.array([0, 0, 1, 1]), 2)
    >>> mean.tolist(), covariance.tolist()                   # (2 + 10)/2; variance (2/2)/4
    ([6.0], [[0.25]])
    """
    size = losses.shape[1]
    mean, covariance = np.zeros(size), np.zeros((size, size))
    for k in range(groups):
        own = losses[group == k]
        centre = own.mean(axis=0)
        off = own - centre
        mean += centre / groups
        covariance += off.T @ off / (max(len(own) - 1, 1) * len(own) * groups**2)
    return mean, covariance


def curve(paths: Paths, table: Table) -> Curve:
    """The prediction at every budget of ``paths``."""
    groups, folds = len(table.labels), len(paths.theta)
    loss = logistic.losses(paths.score, table.y[:, None])
    mean, covariance = balanced(loss, table.group, groups)
    parts = [_parts(paths, table, j) for j in range(len(paths.budgets))]
    seeds, draws, pool, wander = (np.array(each) for each in zip(*parts, strict=True))
    predicted = mean - seeds / (folds - 1) + draws - pool
    return Curve(paths.budgets, predicted, covariance, wander, seeds, draws)


def _parts(paths: Paths, table: Table, j: int) -> tuple[float, float, float, float]:
    """Variance from the real rows, the draws, the pool, and of the rule's own risk, at budget j."""
    train, theta = paths.train, paths.whole[j]
    folds = len(paths.theta)
    plain = weights(train.group, table.counts, train.pool, REWEIGHT)[: len(train.x)]
    _, gradient, hessian = logistic.derivatives(train.x, table.y, plain, theta)
    off = paths.theta[:, j] - paths.theta[:, j].mean(axis=0)
    spread = (folds - 1) / folds * off.T @ off
    draws, pool = _drawing(paths, table, j, hessian) if paths.budgets[j] > 0.0 else (0.0, 0.0)
    seeds = 0.5 * float((hessian * spread).sum())
    # The jackknife has blown up what the pools' own noise puts into the rules.
    kept = max(1.0 - (folds - 1) ** 2 / folds * pool / max(seeds, 1e-300), 0.0)
    spread = spread * kept
    product = hessian @ spread
    wander = float(gradient @ spread @ gradient) + 0.5 * float(np.trace(product @ product))
    return seeds * kept, draws, pool, wander


def _drawing(paths: Paths, table: Table, j: int, balanced: np.ndarray) -> tuple[float, float]:
    """``(1/2) tr(H A V A)``, ``V = sum_g w^2 m_g Cov_g(score)``; the same with ``m_g^2/P_g`` for
    ``m_g``."""
    train, theta, labels = paths.train, paths.whole[j], table.labels
    x, group = train.pool.x, train.pool.group
    wanted = paths.budgets[j] * deficits(table.counts)
    row = 1.0 / (len(train.x) + wanted.sum())
    size = np.maximum(np.bincount(group, minlength=len(labels)), 1)
    each = weights(train.group, table.counts, train.pool, float(paths.budgets[j]))
    n = len(train.x)
    _, _, hessian = logistic.derivatives(train.x, table.y, each[:n], theta)
    _, _, drawn = logistic.derivatives(x, labels[group], each[n:], theta)
    mixture = hessian + drawn + np.diag(logistic.penalty(paths.ridge, x.shape[1]))
    inverse = np.linalg.inv(mixture)
    metric = inverse @ balanced @ inverse
    share = expit(x @ theta)
    draws = pool = 0.0
    for k in np.flatnonzero(wanted > 0.0):
        own = group == k
        score = x[own] * (share[own] - labels[k])[:, None]
        one = 0.5 * row**2 * wanted[k] * float((metric * np.cov(score.T, bias=True)).sum())
        draws += one
        pool += 0.0 if train.pool.law else one * wanted[k] / size[k]
    return draws, pool
