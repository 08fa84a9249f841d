"""Logistic regression on token embeddings from counts, with exact risks.

    minimise  sum_j [ones_j l(theta.x~_j, 1) + zeros_j l(theta.x~_j, 0)],   x~_j = (u_j, 1)

Two groups with latents ``eta_0, eta_1`` have the log-odds ``<eta_1 - eta_0, u_x> + A_0 - A_1``: the
model is right, and the balanced minimiser is known (`groups.log_odds`). `rows` lists rows of
several tokens.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations import linear
from simulations.arrays import AnyArray

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

    >>> found = fit(jnp.ones((1, 1)), jnp.array([0.75]), jnp.array([0.25]), jnp.zeros(1))
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


def group_errors(points: AnyArray, theta: AnyArray, laws: AnyArray, labels: AnyArray) -> AnyArray:
    """Exact 0-1 error of every group, ``sum_j P_g(j) 1[the rule calls row j other than y_g]``, ``(K,)``.

    A row is called 1 when its score ``theta.x~_j`` exceeds 0.

    Args:
        points: ``x~``, ``(N, p)``.
        theta: ``(p,)``.
        laws: of the groups, ``(K, N)``.
        labels: of the groups, ``(K,)``, 0 or 1.

    >>> import numpy as np
    >>> points, laws = np.array([[-1.0], [1.0]]), np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> group_errors(points, np.ones(1), laws, np.arange(2.0)).round(12).tolist()
    [0.1, 0.2]
    """
    called = 1.0 * (points @ theta > 0.0)
    return (1.0 - labels) * (laws @ called) + labels * (laws @ (1.0 - called))


def excess_risks(
    points: AnyArray, theta: AnyArray, best: AnyArray, laws: AnyArray, labels: AnyArray
) -> AnyArray:
    """Group risks at ``theta`` less those at ``best``: summed as differences of losses.

    With v the score at best and u - v the scores' difference, the logistic losses differ by

        l(u, y) - l(v, y) = log(1 + sigma(v) (e^(u-v) - 1)) - y (u - v),

    which has no large terms that cancel. Arrays of NumPy give NumPy's, those of JAX JAX's.

    Args:
        points: ``x~``, ``(N, p)``.
        theta: one rule ``(p,)`` or many, ``(R, p)``.
        best: the rule that is compared with, ``(p,)``.
        laws: of the groups, ``(K, N)``.
        labels: of the groups, ``(K,)``, 0 or 1.

    Returns:
        ``(K,)`` or ``(R, K)``, in nats.

    >>> import numpy as np
    >>> points, laws = np.ones((1, 1)), np.ones((2, 1))
    >>> excess_risks(points, np.zeros(1), np.zeros(1), laws, np.arange(2.0)).tolist()
    [0.0, 0.0]
    >>> excess_risks(points, np.array([1.0]), np.zeros(1), laws, np.arange(2.0)).round(6).tolist()
    [0.620115, -0.379885]
    """
    xp = points.__array_namespace__()
    base, moved = points @ best, (theta - best) @ points.T
    sigmoid = xp.exp(-xp.logaddexp(xp.zeros_like(base), -base))
    zero = xp.log1p(sigmoid * xp.expm1(moved))
    return zero @ laws.T - labels * (moved @ laws.T)
