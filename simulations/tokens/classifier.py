"""Logistic regression on token embeddings from counts, with exact risks.

    minimise  sum_j [ones_j l(theta.x~_j, 1) + zeros_j l(theta.x~_j, 0)],   x~_j = (u_j, 1)

Two groups with latents ``eta_0, eta_1`` have the log-odds ``<eta_1 - eta_0, u_x> + A_0 - A_1``: the
model is right, and the balanced minimiser is known. A row of several tokens is a token of `rows.features`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.special import logsumexp

from simulations import linear
from simulations.population.losses import LOGISTIC

MAX_STEPS = 60
# Squared Newton decrement at which a fit ends: far below any excess risk of interest.
DECREMENT = 1e-22
WHOLE = 1e-3
# Trace of the Hessian times that of its inverse, about its condition, from which it is singular in doubles.
WORST = 1e14


class Fit(NamedTuple):
    """``theta (p,)``, intercept last; whether it is the minimiser (``converged``); Newton ``steps``.
    Without a minimiser (separable rows) theta is a point on the way to infinity and must not be used."""

    theta: Array
    converged: Array
    steps: Array


def lift(table: Array) -> Array:
    """Embeddings with a 1 for the intercept, ``(d, r + 1)``.

    >>> lift(jnp.array([[2.0]])).tolist()
    [[2.0, 1.0]]
    """
    return jnp.concatenate([table, jnp.ones((len(table), 1))], axis=1)


def balanced_theta(table: Array, latents: Array) -> Array:
    """The minimiser of the balanced risk, ``(eta_1 - eta_0, A_0 - A_1)``, ``(r + 1,)``.

    Args:
        table: ``U``, ``(d, r)``.
        latents: ``eta_0, eta_1``, ``(2, r)``.

    >>> balanced_theta(jnp.eye(2), jnp.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [1.0, -1.0, 0.0]
    """
    normal = logsumexp(latents @ table.T, axis=1)
    return jnp.concatenate([latents[1] - latents[0], (normal[0] - normal[1])[None]])


def fit(
    points: Array, ones: Array, zeros: Array, start: Array, penalty: Array | None = None
) -> Fit:
    """The weighted minimiser by Newton steps that always descend.

    A full step that changes the score by at most m is shortened by ``log(1+m)/m``: the logistic loss has
    ``|l'''| <= l''``. Steps of small m are taken whole.

    Args:
        points: ``x~``, ``(d, p)``.
        ones, zeros: weights of rows with label 1 and 0 per token, ``(d,)``, >= 0, of total 1.
        start: ``(p,)``.
        penalty: ``(p, p)`` matrix of a ridge, whose half quadratic form is added; none unless given.

    Returns:
        `Fit`. Rows that can be separated, strictly or with ties on the hyperplane, have no minimiser.

    Source: paper_notes/transformers.md, section 8.

    >>> found = fit(lift(jnp.zeros((1, 0))), jnp.array([0.75]), jnp.array([0.25]), jnp.zeros(1))
    >>> bool(found.converged), round(float(found.theta[0]), 10)  # log 3
    (True, 1.0986122887)
    """
    both = ones + zeros
    ridge = jnp.zeros((points.shape[1],) * 2) if penalty is None else penalty

    def unfinished(state: tuple[Any, ...]) -> Array:
        _, count, decrement, _ = state
        return (count < MAX_STEPS) & (decrement > DECREMENT)

    def advance(state: tuple[Any, ...]) -> tuple[Any, ...]:
        theta, count, _, _ = state
        share = jax.nn.sigmoid(points @ theta)
        gradient = (both * share - ones) @ points + linear.times(ridge, theta)
        hessian = points.T @ (points * (both * share * (1.0 - share))[:, None]) + ridge
        step = -linear.solve(hessian, gradient)
        step = jnp.where(jnp.isfinite(step).all(), step, jnp.nan)
        # Tokens without rows do not bend the objective: their scores may change at will.
        reach = jnp.where(both > 0.0, jnp.abs(points @ step), 0.0).max()
        damped = jnp.where(reach < WHOLE, 1.0, jnp.log1p(reach) / jnp.maximum(reach, WHOLE))
        return theta + damped * step, count + 1, -(gradient @ step), reach

    never = jnp.asarray(jnp.inf)
    state = lax.while_loop(unfinished, advance, (start, 0, never, never))
    theta, count, decrement, reach = state
    share = jax.nn.sigmoid(points @ theta)
    # On separable rows the curvature, like the gradient, dies out on the way to infinity ...
    curved = ((both * share * (1.0 - share)).sum() > 1e-10) | (ridge.max() > 0.0)
    # ... but not with ties on the hyperplane: there steps stay long, or end where scores are so far that
    # their losses are rounded to 0, and a direction has lost its curvature.
    settled = (decrement <= DECREMENT) & (reach < WHOLE)
    hessian = points.T @ (points * (both * share * (1.0 - share))[:, None]) + ridge
    condition = jnp.trace(hessian) * jnp.trace(linear.inverse(hessian))
    known = (condition > 0.0) & (condition < WORST)
    return Fit(theta, settled & curved & known, jnp.asarray(count))


def group_risks(points: Array, theta: Array, laws: Array) -> Array:
    """Exact logistic risk of both groups, ``(2,)``, from their laws ``(2, d)``; group g has label g.

    >>> group_risks(jnp.ones((1, 1)), jnp.zeros(1), jnp.ones((2, 1))).round(6).tolist()
    [0.693147, 0.693147]
    """
    score = points @ theta
    return jnp.stack([laws[g] @ LOGISTIC.value(score, jnp.asarray(float(g))) for g in (0, 1)])


def group_errors(points: Array, theta: Array, laws: Array) -> Array:
    """Exact 0-1 error of both groups, ``(2,)``; a row is called 1 when its score exceeds 0.

    >>> group_errors(jnp.array([[-1.0], [1.0]]), jnp.ones(1), jnp.array([[0.9, 0.1], [0.2, 0.8]])).tolist()
    [0.1, 0.2]
    """
    said = points @ theta > 0.0
    return jnp.stack([laws[0] @ jnp.where(said, 1.0, 0.0), laws[1] @ jnp.where(said, 0.0, 1.0)])


def excess_risks(
    points: Array, theta: Array, best: Array, laws: Array, labels: Array | None = None
) -> Array:
    """Group risks at ``theta`` less those at ``best``, ``(K,)``: summed as differences of losses.

    ``labels (K,)``: of the groups; without them group g has label g.

    >>> at = jnp.ones(1)
    >>> excess_risks(jnp.ones((1, 1)), at, at, jnp.ones((2, 1))).tolist()
    [0.0, 0.0]
    """
    sides = jnp.arange(float(len(laws))) if labels is None else labels
    score, other = points @ theta, points @ best
    # l(u, y) - l(v, y) = log[(1 + e^(u-v) w)/(1 + w)] for w = e^v, label 0; without large cancelling terms.
    grown = jnp.expm1(score - other)
    zero = jnp.log1p(jax.nn.sigmoid(other) * grown)
    return laws @ zero - sides * (laws @ (score - other))
