"""The risk of a classifier as a function of the seeds its generator read, on endless rows.

Endless majority rows and endless minority rows of the law Q that a generator makes of n seeds: what is left
is F(h_0), the excess risk of the minimiser of ``(P_0 + Q)/2``, a smooth function of the seeds' mean
embedding. ``E h_0 = mu`` and ``Cov h_0 = C/n`` exactly, hence

    E F = F(mu) + tr(F''(mu) C)/(2n) + O(1/n^2):      the floor of endless seeds, and a cost per seed.

Weighting the seeds themselves up has no floor and the cost ``W = tr(H^-1 Cov(score))/8``. Where the cost is
below W, the generator is the better use of n seeds below ``n* = (W - cost)/floor``; else of none.
Source: paper_notes/transformers.md, section 12.
"""

from math import inf
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from simulations.problems import InputError
from simulations.tokens.fitting import minimisers
from simulations.tokens.generators import generated
from simulations.tokens.groups import Groups, excess_risks, imbalance
from simulations.tokens.world import moments

# Step of the differences, in units of an embedding: their relative error is about its square.
STEP = 1e-3
# A floor below this is the rounding of a sum over tokens.
ROUNDING = 1e-14


class SeedLaw(NamedTuple):
    """``floor`` F(mu), ``gradient (r,)`` and ``hessian (r, r)`` of F there; ``mean`` mu ``(r,)`` and
    ``covariance`` C ``(r, r)`` of one seed's embedding; ``reweighting`` W."""

    floor: float
    gradient: np.ndarray
    hessian: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    reweighting: float

    @property
    def cost(self) -> float:
        """Excess risk times n above the floor: ``tr(F'' C)/2``."""
        return 0.5 * float(np.sum(self.hessian * self.covariance))

    @property
    def crossing(self) -> float:
        """``n*``: seeds below which generated rows beat weighting them up, to first order in 1/n; 0 where
        a seed costs the generator more than W, endless where it has no floor.

        >>> apart = SeedLaw(0.5, np.zeros(1), 4 * np.eye(1), np.zeros(1), np.eye(1), 3.0)
        >>> apart.crossing, apart._replace(reweighting=1.0).crossing, apart._replace(floor=-1e-30).crossing
        (2.0, 0.0, inf)
        """
        gain = self.reweighting - self.cost
        if gain <= 0.0:
            return 0.0
        return gain / self.floor if self.floor > ROUNDING else inf

    def predicted(self, n: np.ndarray | float) -> np.ndarray:
        """``floor + cost/n``."""
        return self.floor + self.cost / np.asarray(n, float)

    def control(self, h: np.ndarray, n: int) -> np.ndarray:
        """Of R mean embeddings ``h (R, r)``: F's quadratic less its mean, ``(R,)``, of mean exactly 0."""
        e = h - self.mean
        square = np.einsum("ri,ij,rj->r", e, self.hessian, e)
        return e @ self.gradient + 0.5 * square - self.cost / n


def endless(groups: Groups, made: np.ndarray) -> np.ndarray:
    """Balanced excess risk on endless rows, half of them majority rows, half of a law ``made (R, N)``;
    NaN where there is no minimiser.

    >>> groups = imbalance(np.array([[1.0], [-1.0], [0.5]]), np.array([[0.5], [-0.5]]))
    >>> bool(endless(groups, groups.laws[1:])[0] < 1e-15)
    True
    """
    zeros = np.broadcast_to(0.5 * groups.laws[0], made.shape)
    fits = minimisers(groups.points, 0.5 * made, zeros, groups.best)
    return np.where(fits.found, excess_risks(groups, fits.theta)[:, -1], np.nan)


class WeightedUp(NamedTuple):
    """Seeds used as rows: ``cost`` W; ``scores (d, p)``, a token's less their mean; ``inverse (p, p)`` of
    the balanced Hessian."""

    cost: float
    scores: np.ndarray
    inverse: np.ndarray

    def control(self, counts: np.ndarray) -> np.ndarray:
        """Of R samples ``counts (R, d)`` of n seeds: ``s'H^-1 s/8`` of the mean score less ``W/n``."""
        n = counts.sum(axis=1)
        pull = counts @ self.scores / n[:, None]
        return 0.125 * np.einsum("ri,ij,rj->r", pull, self.inverse, pull) - self.cost / n


def weighted_up(groups: Groups) -> WeightedUp:
    """Endless rows of group 0 and n rows of group 1, of the same total weight: excess ``W/n`` to first
    order, ``W = tr(H^-1 Cov(score))/8``, as half of the gradient's weight is theirs.

    >>> groups = imbalance(np.array([[1.0], [-1.0]]), np.zeros((2, 1)))
    >>> round(weighted_up(groups).cost, 9)  # score (x, 1)/2 of one sign, H = I/4: only x varies
    0.125
    """
    x, law = groups.points, groups.laws[1]
    p = expit(x @ groups.best)
    hessian = x.T @ (x * (groups.laws.mean(axis=0) * p * (1.0 - p))[:, None])
    scores = (p - 1.0)[:, None] * x
    scores -= law @ scores
    inverse = np.linalg.inv(hessian)
    covariance = scores.T @ (scores * law[:, None])
    return WeightedUp(0.125 * float(np.trace(inverse @ covariance)), scores, inverse)


def seed_law(table: np.ndarray, latents: np.ndarray, depth: int, step: float = 1.0) -> SeedLaw:
    """The law of one table and one depth.

    Args:
        table: ``U``, ``(d, r)``.
        latents: of the groups, ``(2, r)``; group 1 is the minority.
        depth: layers L >= 1; the first one averages.
        step: of the further layers.

    Raises:
        InputError: no layer, or a classifier without minimiser.

    When not to trust it: few seeds (``1/n^2`` is left out, and with few seeds rows may be separable); deep
    layers where draws are so far off that steps diverge.

    >>> from simulations.tokens.world import World, embeddings, latents
    >>> world = World(64, 2)
    >>> laws = [seed_law(embeddings(world, 0), latents(world), depth) for depth in (1, 2)]
    >>> laws[1].floor < laws[0].floor, laws[1].crossing > laws[0].crossing
    (True, True)
    """
    if depth < 1:
        raise InputError(f"depth is {depth}; give at least 1 layer.")
    groups = imbalance(table, latents)
    law = groups.laws[1]
    mean, covariance = moments(table, law)
    inverse, r = np.linalg.inv(covariance), len(mean)
    moves = [np.zeros(r), *(sign * e for e in np.eye(r) for sign in (1.0, -1.0))]
    pairs = [(i, j) for i in range(r) for j in range(i)]
    moves += [
        a * np.eye(r)[i] + b * np.eye(r)[j] for i, j in pairs for a in (1, -1) for b in (1, -1)
    ]
    # Endless seeds of a law tilted so that its mean embedding moves by exactly this much.
    tilted = law * (1.0 + STEP * np.stack(moves) @ inverse @ (table - mean).T)
    log_q, _ = generated("transformer", table, tilted, latents[1], depth, step)
    values = endless(groups, np.exp(log_q))
    if not np.isfinite(values).all():
        raise InputError("seeds: the classifier has no minimiser on endless rows of this law.")
    floor, single, double = values[0], values[1 : 2 * r + 1].reshape(r, 2), values[2 * r + 1 :]
    gradient = (single[:, 0] - single[:, 1]) / (2.0 * STEP)
    hessian = np.diag((single.sum(axis=1) - 2.0 * floor) / STEP**2)
    for (i, j), four in zip(pairs, double.reshape(-1, 4), strict=True):
        hessian[i, j] = hessian[j, i] = (four[0] - four[1] - four[2] + four[3]) / (4.0 * STEP**2)
    reweighting = weighted_up(groups).cost
    return SeedLaw(float(floor), gradient, hessian, mean, covariance, reweighting)
