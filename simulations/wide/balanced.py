"""The balanced minimiser of isotropic groups: it lies in the span of their means.

Turned so that the span comes first, the balanced risk depends on the slope outside the span through its
norm only, and rises with it. So the minimiser is that of a world of as many features as the span has
dimensions (one at least), found there and embedded.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from scipy import optimize
from scipy.special import ndtr
from scipy.stats import norm

from simulations.compilation import quick_jit
from simulations.population.gaussian import Atoms, lift
from simulations.population.losses import Loss
from simulations.population.minimisers import Minimiser, minimise_mixture
from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.units import FIRST_SPREAD, FLAT, LARGEST_SD, Unit
from simulations.problems import InputError
from simulations.wide.layout import variances
from simulations.wide.measures import values

# Singular values of the means below this share of the largest entry are rounding.
ROUNDING = 1e-12


class WidePopulation(NamedTuple):
    """The balanced minimiser ``balanced_theta (p,)`` of a unit and the risks and errors there,
    ``balanced_values (2K,)``."""

    balanced_theta: np.ndarray
    balanced_values: np.ndarray


def span(vectors: np.ndarray) -> np.ndarray:
    """An orthonormal basis ``(k, d)`` of the span of ``vectors (L, d)``; one axis where all are 0.

    >>> span(np.array([[0.0, 2.0, 0.0], [0.0, -1.0, 0.0]])).shape
    (1, 3)
    """
    _, sizes, basis = np.linalg.svd(vectors, full_matrices=False)
    rank = int((sizes > ROUNDING * max(np.abs(vectors).max(), ROUNDING)).sum())
    return basis[: max(rank, 1)]


def wide_population(unit: Unit) -> WidePopulation:
    """The reference of every excess risk of a unit; raises ``InputError`` where the risk is too flat."""
    basis = span(unit.world.means)
    means, variance = unit.world.means @ basis.T, variances(unit)
    intercept = unit.sweep.estimator.intercept
    labels = unit.world.labels.astype(float)
    if unit.loss.name == "hinge":
        reduced = _hinge(means, variance, labels, intercept)
    else:
        reduced = _smooth(unit.loss, means, variance, labels, intercept)
    size = len(basis)
    theta = np.concatenate([basis.T @ reduced[:size], reduced[size:]])
    return WidePopulation(theta, values(unit, theta))


@partial(quick_jit, once=True, static_argnames="loss")
def _minimiser(loss: Loss, weights: Array, atoms: Atoms, penalty: Array, grid: Grid) -> Minimiser:
    return minimise_mixture(loss, weights, atoms, penalty, grid)


def _smooth(
    loss: Loss, means: np.ndarray, variance: np.ndarray, labels: np.ndarray, intercept: bool
) -> np.ndarray:
    groups, size = means.shape
    covariances = variance[:, None, None] * np.eye(size)
    lifted, spreads = lift(means, covariances, intercept)
    atoms = Atoms(lifted, spreads, labels)
    weights, spread = np.full(groups, 1.0 / groups), FIRST_SPREAD
    penalty = np.zeros((size + intercept, size + intercept))
    while True:
        found = jax.device_get(_minimiser(loss, weights, atoms, penalty, gaussian_grid(spread)))
        needed = float(np.sqrt(variance.max()) * np.linalg.norm(found.theta[:size]))
        if needed <= spread:
            break
        if not needed <= LARGEST_SD:
            raise InputError(FLAT)
        spread = 2.0 ** np.ceil(np.log2(needed))
    if not found.converged:
        raise InputError(FLAT)
    return found.theta


def _hinge(
    means: np.ndarray, variance: np.ndarray, labels: np.ndarray, intercept: bool
) -> np.ndarray:
    """Newton steps in a region of trust on the closed form of the balanced hinge risk."""
    sign, size = 2.0 * labels - 1.0, means.shape[1]
    # The derivatives of the mean of 1 - (2y-1)u in the rule.
    lifted = np.column_stack([means, np.ones(len(means))]) if intercept else means
    turned = -sign[:, None] * lifted
    root = np.sqrt(variance)

    def parts(theta: np.ndarray) -> tuple[np.ndarray, ...]:
        length = max(float(np.linalg.norm(theta[:size])), 1e-9)
        along = np.zeros(len(theta))
        along[:size] = theta[:size] / length
        mean, sd = 1.0 + turned @ theta, root * length
        return mean, sd, mean / sd, along, np.asarray(length)

    def value(theta: np.ndarray) -> tuple[float, np.ndarray]:
        mean, sd, z, along, _ = parts(theta)
        risk = mean * ndtr(z) + sd * norm.pdf(z)
        slopes = ndtr(z)[:, None] * turned + (norm.pdf(z) * root)[:, None] * along
        return float(risk.mean()), slopes.mean(axis=0)

    def hessian(theta: np.ndarray) -> np.ndarray:
        _, sd, z, along, length = parts(theta)
        away = turned - (z * root)[:, None] * along
        outer = np.einsum("g,gi,gj->ij", norm.pdf(z) / sd, away, away)
        flat = np.zeros((len(theta), len(theta)))
        flat[:size, :size] = np.eye(size) - np.outer(along[:size], along[:size])
        return (outer + float((norm.pdf(z) * root).sum() / length) * flat) / len(sign)

    start = np.zeros(turned.shape[1])
    start[:size] = -turned[:, :size].mean(axis=0)
    start[:size] += 1e-3 * (np.linalg.norm(start[:size]) == 0.0)
    found = optimize.minimize(
        value, start, jac=True, hess=hessian, method="trust-exact", options={"gtol": 1e-10}
    )
    if not np.abs(found.jac).max() < 1e-7:
        raise InputError(FLAT)
    return found.x
