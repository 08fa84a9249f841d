"""From a generator's law to the risk of a classifier: floor, variance and second order, exactly.

Training rows: ``n_0`` and ``n_1`` raw rows and m synthetic minority rows of a law Q, all of weight
``1/(n_0 + n_1 + m)``. Given Q this is the expansion of paper_notes/excess_risk.md with sums over tokens.
Source: paper_notes/transformers.md, section 9.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import quick_jit
from simulations.population import nodes, sandwich
from simulations.population.losses import LOGISTIC
from simulations.population.minimisers import Minimiser
from simulations.population.nodes import Table
from simulations.population.sandwich import Bends, Components
from simulations.problems import InputError
from simulations.tokens import classifier


class Counts(NamedTuple):
    """``majority`` n_0, ``minority`` n_1 raw rows and ``synthetic`` m minority rows."""

    majority: int
    minority: int
    synthetic: int

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self)

    @property
    def share(self) -> float:
        """``pi_syn = m/(n_0 + n_1 + m)``: the synthetic share of the training weight."""
        return self.synthetic / self.total


class Prediction(NamedTuple):
    """``floor``, ``variance``, ``second_order``: of group 0, group 1 and balanced, ``(3,)``; ``theta (p,)``
    of the training mixture, ``best (p,)`` of the balanced risk; ``bias (p,)``: mean training gradient at
    ``best``; ``hessian (p, p)`` of the balanced risk there; ``converged``."""

    floor: np.ndarray
    variance: np.ndarray
    second_order: np.ndarray
    theta: np.ndarray
    best: np.ndarray
    bias: np.ndarray
    hessian: np.ndarray
    converged: bool

    @property
    def predicted(self) -> np.ndarray:
        """Floor + variance + second order."""
        return self.floor + self.variance + self.second_order


class Population(NamedTuple):
    """What a prediction is made of, as arrays of a compiled program."""

    floor: Array
    variance: Array
    second_order: Array
    theta: Array
    bias: Array
    hessian: Array
    converged: Array


def _expand(points: Array, laws: Array, best: Array, counts: Array) -> Population:
    """``laws (3, d)``: of group 0, of group 1, of the generator."""
    total = counts.sum()
    weights = counts / total
    ones, zeros = weights[1] * laws[1] + weights[2] * laws[2], weights[0] * laws[0]
    fitted = classifier.fit(points, ones, zeros, best)
    theta, size = fitted.theta, points.shape[1]
    labels = jnp.array([0.0, 1.0, 1.0])
    table = Table(points, laws, jnp.zeros((3, size)), jnp.arange(3), labels, None)  # pyright: ignore[reportArgumentType]
    rows = nodes.each(table, theta, nodes.moments(LOGISTIC))
    bend = jnp.tensordot(weights, rows.third, 1)
    bends = Bends(
        lambda inverse: jnp.einsum("lijk,jk->li", rows.hessian_score, inverse),
        lambda spread: jnp.einsum("ijk,jk->i", bend, spread),
        bend,
        None,
    )
    squared = counts / total**2
    components = Components(table, jnp.eye(3), weights, squared, squared / total)
    at = sandwich.assembled(
        components,
        jnp.zeros((size, size)),
        Minimiser(theta, jnp.zeros(()), fitted.converged),
        sandwich.Moments(rows.score, rows.hessian, rows.score_square),
        bends,
    )
    groups = classifier.excess_risks(points, theta, best, laws[:2])
    start = nodes.each(table, best, nodes.derivatives(LOGISTIC))

    def all_three(pair: Array) -> Array:
        return jnp.concatenate([pair, pair.mean(axis=0)[None]])

    return Population(
        all_three(groups),
        0.5 * jnp.einsum("gij,ij->g", all_three(rows.hessian[:2]), at.spread),
        all_three(rows.score[:2]) @ at.bias,
        theta,
        weights @ start[0],
        start[1][:2].mean(axis=0),
        fitted.converged,
    )


_PROGRAM = quick_jit(_expand)


def prediction(
    points: np.ndarray, laws: np.ndarray, generator: np.ndarray, best: np.ndarray, counts: Counts
) -> Prediction:
    """The expected excess risks of logistic regression on raw rows and rows of one generator law.

    Args:
        points: ``x~``, ``(d, p)``, embeddings with the intercept last (`classifier.lift`).
        laws: of the groups, ``(2, d)``.
        generator: Q, ``(d,)``, the law of synthetic minority rows; not made of the rows trained on.
        best: the balanced minimiser (`classifier.balanced_theta`), ``(p,)``.
        counts: rows.

    Returns:
        `Prediction`; the rest is O(1/n^2).

    Raises:
        InputError: counts below 1 (synthetic: below 0).

    When not to trust it: few rows, so that samples are separable with a probability that matters; a law Q
    fitted to the raw rows themselves (rows and law are then dependent).

    >>> table = np.array([[1.0], [-1.0], [0.0]])
    >>> law = np.full(3, 1 / 3)
    >>> points, laws = classifier.lift(table), np.stack([law, law])
    >>> found = prediction(points, laws, law, np.zeros(2), Counts(30, 20, 10))
    >>> found.converged, round(float(100 * found.variance[2]), 6)  # 1/(2n): fixed counts fix the intercept
    (True, 0.833333)
    """
    if counts.majority < 1 or counts.minority < 1 or counts.synthetic < 0:
        raise InputError(f"rows {tuple(counts)}: give at least one raw row in each group.")
    three = jnp.concatenate([jnp.asarray(laws), jnp.asarray(generator)[None]])
    numbers = jnp.asarray(counts, float)
    found = jax.tree.map(
        np.asarray, _PROGRAM(jnp.asarray(points), three, jnp.asarray(best), numbers)
    )
    return Prediction(
        found.floor,
        found.variance,
        found.second_order,
        found.theta,
        np.asarray(best),
        found.bias,
        found.hessian,
        bool(found.converged),
    )
