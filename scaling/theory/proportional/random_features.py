"""Random ReLU features in the proportional limit: the fixed point of Gaussian rows with their moments.

Given the projections, features of a group have a mean ``mu_g`` and a covariance; rules on them are taken to
do as rules on Gaussian rows with these moments do (Gaussian equivalence, a conjecture here, checked by
simulation), and the covariance to be that of the average group, ``S``. Then, with
``R = (D S + ridge)^-1`` and n rows trained on,

    w = R sum p_g e_g y_g mu_g,   t = tr(S R)/n,   q^2 = w'S w + tr(S R S R) sum p_g E[(w_g l')^2]/n,
    e_g = -E[w_g l'(u)],   D = sum p_g E[w_g l''/(1 + t w_g l'')],   sum p_g e_g y_g = 0,

margins ``N(y_g (mu_g.w + b), q^2)`` and ``u = prox_{t w l}`` of them
(paper_notes/proportional_spurious.md, section 5).
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import root
from scipy.special import ndtr

from scaling.theory.proportional.logistic import Moments
from scaling.theory.proportional.losses import LOSSES
from simulations.compilation import Quick, quick_jit
from simulations.memorising.features import projections
from simulations.memorising.replicates import Cell
from simulations.memorising.world import (
    ALIGNED,
    ATTRIBUTES,
    CONFLICTING,
    LABELS,
    World,
    group_counts,
)
from simulations.problems import InputError

# Terms of the covariance's series in the correlation of two projections.
ORDERS = 10
# The ridge starts here and falls in so many steps to its value; the largest defect of a solve.
LARGE_RIDGE, STEPS, DEFECT = 10.0, 8, 1e-8


class FeatureLaw(NamedTuple):
    """``mean (m,)`` and ``covariance (m, m)`` of the features of one group."""

    mean: np.ndarray
    covariance: np.ndarray


class FeatureErrors(NamedTuple):
    """Errors of the conflicting groups (``worst``) and the ``aligned`` ones, means over draws of the
    projections with standard errors; ``draws`` that were solved, ``failures`` that were not (no number)."""

    worst: float
    worst_se: float
    aligned: float
    aligned_se: float
    draws: int
    failures: int


def rectified_law(through: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> FeatureLaw:
    """Mean and covariance of ``max(W x, 0)`` for x with independent normal coordinates.

    With h the mean of a projection in its standard deviations s, the k-th Hermite coefficient is
    ``s Phi(h)`` for k = 1, ``s phi(h) (-1)^k He_{k-2}(h)`` beyond; the covariance of two features is the
    sum of ``rho^k/k!`` times both coefficients, cut after ten terms; variances are exact.

    Args:
        through: W ``(m, d)``.
        mean: of x ``(d,)``.
        variance: of its coordinates ``(d,)``.

    >>> law = rectified_law(np.eye(2), np.zeros(2), np.ones(2))
    >>> law.mean.round(6).tolist(), round(float(law.covariance[0, 0]), 6)
    ([0.398942, 0.398942], 0.340845)
    """
    middle, spread = through @ mean, (through * variance) @ through.T
    s = np.sqrt(np.diag(spread))
    h = middle / s
    density, below = np.exp(-0.5 * h**2) / np.sqrt(2.0 * np.pi), ndtr(h)
    correlation = spread / np.outer(s, s)
    first = middle * below + s * density
    covariance = correlation * np.outer(s * below, s * below)
    hermite, power, factorial = [np.ones_like(h), h], correlation.copy(), 1.0
    for order in range(2, ORDERS + 1):
        factorial *= order
        power = power * correlation
        if order >= 4:
            hermite.append(h * hermite[-1] - (order - 3.0) * hermite[-2])
        each = s * density * hermite[order - 2]
        covariance += power * np.outer(each, each) / factorial
    own = (middle**2 + s**2) * below + middle * s * density - first**2
    np.fill_diagonal(covariance, own)
    return FeatureLaw(first, covariance)


@cache
def _moments() -> Quick:
    return quick_jit(LOSSES["logistic"].rules[1])


class _Problem(NamedTuple):
    """``values (m,)``: eigenvalues of S; ``means (4, m)`` of the groups in its eigenvectors; ``share``,
    ``weight`` of the groups; ``rows`` n."""

    values: np.ndarray
    means: np.ndarray
    share: np.ndarray
    weight: np.ndarray
    rows: int


def _problem(of: World, dim: int, cell: Cell, through: np.ndarray) -> _Problem:
    counts = group_counts(of, cell.rows, cell.scheme)
    share = counts / counts.sum()
    variance = np.repeat([of.core, of.spurious], dim)
    laws = [
        rectified_law(through, np.repeat([label, attribute], dim), variance)
        for label, attribute in zip(LABELS, ATTRIBUTES, strict=True)
    ]
    together = np.einsum("g,gij->ij", share, np.stack([law.covariance for law in laws]))
    values, vectors = np.linalg.eigh(together)
    means = np.stack([law.mean for law in laws]) @ vectors
    return _Problem(np.maximum(values, 0.0), means, share, 0.25 / share, int(counts.sum()))


def _at(given: _Problem, x: np.ndarray, ridge: float) -> tuple[float, float, np.ndarray]:
    """Step t, spread q and mean margins ``(4,)`` at ``x = (log D, log E[(w l')^2], e_1..e_4, b)``."""
    inverse = 1.0 / (np.exp(x[0]) * given.values + ridge)
    slope = inverse * ((given.share * x[2:6] * LABELS) @ given.means)
    seen = given.values * inverse
    square = given.values @ slope**2 + np.exp(x[1]) * (seen @ seen) / given.rows
    return seen.sum() / given.rows, np.sqrt(square), LABELS * (given.means @ slope + x[6])


def _moments_at(x: np.ndarray, given: _Problem, ridge: float) -> Moments:
    step, spread, margins = _at(given, x, ridge)
    return _moments()(given.weight, step * np.ones(4), margins, spread * np.ones(4))


def _defects(x: np.ndarray, given: _Problem, ridge: float) -> np.ndarray:
    found = _moments_at(x, given, ridge)
    pull, square, curvature = (
        np.asarray(each) for each in (found.pull, found.square, found.curvature)
    )
    return np.concatenate([
        [np.log(given.share @ curvature) - x[0], np.log(given.share @ square) - x[1]],
        (-pull - x[2:6]) / given.weight,
        [given.share @ (LABELS * pull)],
    ])  # fmt: skip


def given_projections(of: World, dim: int, cell: Cell, through: np.ndarray) -> np.ndarray:
    """Errors ``(4,)`` of the groups for projections W ``(m, 2 dim)``; NaN where the solve fails.

    Continued from a large ridge by Powell's hybrid method in seven unknowns.

    Args:
        of: the world.
        dim: noise coordinates.
        cell: dimensions, rows and scheme.
        through: the projections W.
    """
    given = _problem(of, dim, cell, through)
    x = np.concatenate([[np.log(0.15), np.log(0.2)], 0.4 * given.weight, [0.0]])
    # A search may leave the numbers there are; its end is judged by its defects.
    with np.errstate(all="ignore"):
        for ridge in np.geomspace(LARGE_RIDGE, of.ridge, STEPS):
            found: Any = root(_defects, x, args=(given, float(ridge)), tol=1e-10)
            x = found.x
        solved = np.abs(_defects(x, given, of.ridge)).max() <= DEFECT
        if not (solved and np.max(_moments_at(x, given, of.ridge).coarse) <= 1.0):
            return np.full(4, np.nan)
    _, spread, margins = _at(given, x, of.ridge)
    return ndtr(-margins / spread)


def predicted_features(of: World, dim: int, cell: Cell, draws: int, seed: int) -> FeatureErrors:
    """Errors that the fixed point predicts for a cell, averaged over draws of the projections.

    Args:
        of: the world (``of.noise`` is not used).
        dim: core features, and as many spurious ones.
        cell: raw rows, random features m, scheme.
        draws: of W, at least 2; with more than some hundred features a few suffice.
        seed: of the projections.

    Raises ``InputError`` without a ridge or a draw.

    Do not trust it for a few input dimensions (projections then correlate, and features are far from
    Gaussian together), or for features of very unequal covariance from group to group.

    Source: paper_notes/proportional_spurious.md, section 5.

    >>> world = World(0.9, 20.0, 1.0, 1.0, 1e-3)
    >>> found = predicted_features(world, 20, Cell(400, 100, "reweighting"), 3, seed=1)
    >>> found.failures, 0.46 < found.worst < 0.51 and 0.10 < found.aligned < 0.14
    (0, True)
    """
    if not (of.ridge > 0.0 and draws >= 1):
        raise InputError("random features need a ridge above 0 and at least one draw; give both.")
    rng = np.random.default_rng([seed, dim, cell.parameters])
    every = np.array([
        given_projections(of, dim, cell, projections(dim, cell.parameters, rng))
        for _ in range(draws)
    ])  # fmt: skip
    good = every[np.isfinite(every).all(axis=1)]
    if cell.scheme == "subsampling":
        worst = aligned = good.mean(axis=1)
    else:
        worst, aligned = (good[:, kind].mean(axis=1) for kind in (CONFLICTING, ALIGNED))
    (one, one_se), (other, other_se) = _mean(worst), _mean(aligned)
    return FeatureErrors(one, one_se, other, other_se, len(good), draws - len(good))


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard error; NaN where there are too few values."""
    if len(values) < 2:
        return (float(values[0]) if len(values) else float("nan")), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
