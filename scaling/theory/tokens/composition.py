"""From a generator's law to the risk of a classifier: floor, variance and second order, exactly.

Training rows: n_g raw rows of every group g and m_g synthetic ones of a law Q_g, all of weight 1/n. Given
the laws this is the expansion of paper_notes/excess_risk.md with sums over the list of possible rows:
tokens, or pairs of tokens where rows have two.
Source: paper_notes/transformers.md, sections 9 and 11.
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
from simulations.tokens.fitting import room


class GroupCounts(NamedTuple):
    """Of K groups: ``labels (K,)`` 0 or 1, ``raw (K,)`` rows n_g >= 1, ``synthetic (K,)`` rows m_g >= 0."""

    labels: np.ndarray
    raw: np.ndarray
    synthetic: np.ndarray

    @property
    def total(self) -> int:
        """All rows, n."""
        return int(self.raw.sum() + self.synthetic.sum())

    @property
    def shares(self) -> np.ndarray:
        """``pi_g = m_g/n (K,)``: the training weight of each group's synthetic rows."""
        return self.synthetic / self.total


class Counts(NamedTuple):
    """``majority`` n_0, ``minority`` n_1 raw rows and ``synthetic`` m minority rows."""

    majority: int
    minority: int
    synthetic: int

    @property
    def groups(self) -> GroupCounts:
        """The same of two groups, group g with label g."""
        raw, synthetic = (self.majority, self.minority), (0, self.synthetic)
        return GroupCounts(np.arange(2.0), np.array(raw), np.array(synthetic))

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self)

    @property
    def share(self) -> float:
        """``pi_syn = m/(n_0 + n_1 + m)``: the synthetic share of the training weight."""
        return self.synthetic / self.total


class Prediction(NamedTuple):
    """``floor``, ``variance``, ``second_order`` of the groups and balanced, ``(K + 1,)``; ``theta (p,)``
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

    @property
    def worst(self) -> int:
        """The group whose expected excess risk is largest."""
        return int(np.argmax(self.predicted[:-1]))


class Population(NamedTuple):
    """What a prediction is made of, as arrays of a compiled program."""

    floor: Array
    variance: Array
    second_order: Array
    theta: Array
    bias: Array
    hessian: Array
    converged: Array


def _expand(points: Array, laws: Array, labels: Array, best: Array, counts: Array) -> Population:
    """``laws (2K, N)``, ``labels (2K,)``, ``counts (2K,)``: of raw rows, then of synthetic ones."""
    parts, size = len(laws), points.shape[1]
    total = counts.sum()
    weights = counts / total
    mixed = weights[:, None] * laws
    fitted = classifier.fit(points, labels @ mixed, (1.0 - labels) @ mixed, best)
    theta = fitted.theta
    table = Table(points, laws, jnp.zeros((parts, size)), jnp.arange(parts), labels, None)  # pyright: ignore[reportArgumentType]
    rows = nodes.each(table, theta, nodes.moments(LOGISTIC))
    bend = jnp.tensordot(weights, rows.third, 1)
    bends = Bends(
        lambda inverse: jnp.einsum("lijk,jk->li", rows.hessian_score, inverse),
        lambda spread: jnp.einsum("ijk,jk->i", bend, spread),
        bend,
        None,
    )
    squared = counts / total**2
    components = Components(table, jnp.eye(parts), weights, squared, squared / total)
    at = sandwich.assembled(
        components,
        jnp.zeros((size, size)),
        Minimiser(theta, jnp.zeros(()), fitted.converged),
        sandwich.Moments(rows.score, rows.hessian, rows.score_square),
        bends,
    )
    k = parts // 2
    floor = classifier.excess_risks(points, theta, best, laws[:k], labels[:k])
    start = nodes.each(table, best, nodes.derivatives(LOGISTIC))

    def with_mean(each: Array) -> Array:
        return jnp.concatenate([each, each.mean(axis=0)[None]])

    return Population(
        with_mean(floor),
        0.5 * jnp.einsum("gij,ij->g", with_mean(rows.hessian[:k]), at.spread),
        with_mean(rows.score[:k]) @ at.bias,
        theta,
        weights @ start[0],
        start[1][:k].mean(axis=0),
        fitted.converged,
    )


# Small: what optimising it saves would not pay for itself.
_PROGRAM = quick_jit(_expand, once=True)


def prediction(
    points: np.ndarray,
    laws: np.ndarray,
    generator: np.ndarray,
    best: np.ndarray,
    counts: Counts | GroupCounts,
) -> Prediction:
    """The expected excess risks of logistic regression on raw rows and rows of given generator laws.

    Args:
        points: ``x~``, ``(N, p)``, features of the possible rows, the intercept last (`rows.features`).
        laws: of the groups, ``(K, N)``.
        generator: of their synthetic rows, ``(K, N)``, or the minority's alone, ``(N,)``; not made of the
            rows trained on. Laws of groups without synthetic rows do not matter.
        best: the balanced minimiser (`groups.log_odds`), ``(p,)``.
        counts: rows of two groups, or of K.

    Returns:
        `Prediction`; the rest is O(1/n^2).

    Raises:
        InputError: counts below 1 (synthetic: below 0).

    When not to trust it: few rows, so that samples are separable with a probability that matters; a law Q
    fitted to the raw rows themselves (rows and law are then dependent).

    >>> table = np.array([[1.0], [-1.0], [0.0]])
    >>> law = np.full(3, 1 / 3)
    >>> points, laws = np.hstack([table, np.ones((3, 1))]), np.stack([law, law])
    >>> found = prediction(points, laws, law, np.zeros(2), Counts(30, 20, 10))
    >>> found.converged, round(float(100 * found.variance[2]), 6)  # 1/(2n): fixed counts fix the intercept
    (True, 0.833333)
    """
    labels, raw, synthetic = counts.groups if isinstance(counts, Counts) else counts
    if min(raw) < 1 or min(synthetic) < 0:
        raise InputError(f"rows {tuple(counts)}: give at least one raw row in each group.")
    made = np.stack([laws[0], generator]) if np.ndim(generator) == 1 else generator
    listed, width = points.shape
    # Filled up with rows that no law has: lists of several lengths share a program.
    length = room(listed)
    rows, parts = np.zeros((length, width)), np.zeros((2 * len(laws), length))
    rows[:listed], parts[:, :listed] = points, np.concatenate([laws, made])
    numbers, sides = np.concatenate([raw, synthetic]).astype(float), np.concatenate([labels] * 2)
    found = jax.tree.map(np.asarray, _PROGRAM(rows, parts, sides, np.asarray(best), numbers))
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
