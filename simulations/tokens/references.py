"""Laws that generators are held against: maximum likelihood and histograms of the seeds.

The oracle is the group's own law (`world.log_law`), of divergence 0; the Bayes predictive is in
`simulations.tokens.bayes`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from scipy.optimize import linprog

from simulations import linear
from simulations.problems import InputError
from simulations.tokens.world import moments

MAX_STEPS = 100
# A squared Newton decrement is twice what the log-likelihood per seed can still gain.
DECREMENT = 1e-24
# A step that changes no logit by more than this is taken whole: the error then squares.
WHOLE = 1e-3
# Covariances of a law that sits on one face of the hull are singular; the maximum is then not reached.
LEAST_VARIANCE = 1e-12


class Likeliest(NamedTuple):
    """``h (r,)``, Newton ``steps``, the last squared ``decrement``, and whether ``h`` is the maximum
    (``converged``). Where it is not, ``h`` is a point on the way to infinity and must not be used."""

    h: Array
    steps: Array
    decrement: Array
    converged: Array

    def status(self) -> str:
        """One sentence with the remedy; of one case, not of a batch."""
        if bool(self.converged):
            return "converged"
        return (
            "no maximum of the likelihood was found: the mean seed embedding lies outside the interior"
            " of the tokens' hull, or nearly; give more seeds or a smaller latent norm"
        )


def maximum_likelihood(
    table: Array, target: Array, start: Array | None = None, ridge: float | Array = 0.0
) -> Likeliest:
    """The latent of largest likelihood: ``E_{P_h} u + ridge h = target``, by damped Newton steps.

    ``h <- h + f (C + ridge)^-1 (target - E_{P_h} u - ridge h)``, ``C = Cov_{P_h} u``. With m the
    range of the change of the logits along a full step, ``f = log(1+m)/m``: a third derivative of
    the likelihood along it is at most m times the second, so that it always grows. Steps of small m
    are taken whole.

    Args:
        table: ``U``, ``(d, r)``.
        target: mean seed embedding, ``(r,)``.
        start: first h, ``(r,)``; the target itself unless given.
        ridge: precision of a Gaussian prior over n, >= 0; above 0 the maximum always exists.

    Returns:
        `Likeliest`. A maximum exists iff the target is inside the hull of the embeddings (`exists`).

    Source: paper_notes/transformers.md, section 5.

    >>> tokens = jnp.array([[1.0], [-1.0], [0.0]])
    >>> found = maximum_likelihood(tokens, jnp.array([0.5]))
    >>> bool(found.converged), round(float(jax.nn.softmax(tokens @ found.h) @ tokens[:, 0]), 12)
    (True, 0.5)
    >>> bool(maximum_likelihood(tokens, jnp.array([1.0])).converged)
    False
    """

    def newton(h: Array) -> tuple[Array, ...]:
        at = moments(table, jax.nn.softmax(table @ h))
        gradient = target - at.mean - ridge * h
        curvature = at.covariance + ridge * jnp.eye(len(h))
        step = linear.solve(curvature, gradient)
        moved = linear.times(table, step)
        reach = moved.max() - moved.min()
        damped = jnp.where(reach < WHOLE, 1.0, jnp.log1p(reach) / jnp.maximum(reach, WHOLE))
        return damped * step, gradient @ step, jnp.diagonal(curvature).min(), reach

    def unfinished(state: tuple[Any, ...]) -> Array:
        _, count, decrement, least, _ = state
        # NaN, from a singular covariance, ends the loop as well.
        return (count < MAX_STEPS) & (decrement > DECREMENT) & (least > LEAST_VARIANCE)

    def advance(state: tuple[Any, ...]) -> tuple[Any, ...]:
        h, count, *_ = state
        step, decrement, least, reach = newton(h)
        moved = jnp.where(jnp.isfinite(step).all(), step, 0.0)
        return h + moved, count + 1, decrement, least, reach

    first = target if start is None else start
    never = jnp.asarray(jnp.inf)
    state = (first, 0, never, never, never)
    h, count, decrement, least, reach = lax.while_loop(unfinished, advance, state)
    # On the way to a face that is oblique no coordinate loses its variance, but a direction does.
    at = moments(table, jax.nn.softmax(table @ h))
    spread = jnp.trace(linear.inverse(at.covariance + ridge * jnp.eye(len(h))))
    inside = (spread > 0.0) & (spread < 1.0 / LEAST_VARIANCE)
    good = (jnp.abs(decrement) < 1e-20) & (least > LEAST_VARIANCE) & inside & (reach < WHOLE)
    return Likeliest(h, jnp.asarray(count), decrement, good)


def exists(table: np.ndarray, target: np.ndarray) -> bool:
    """Whether the maximum exists: ``target`` is inside the hull of the embeddings, by a linear program.

    The least ``max_j <v, u_j - target>`` over directions v with ``<v, target - mean of all u> = 1``, a
    scale that every v with no token beyond the target can be given: above 0 iff the target is inside.

    Args:
        table: ``U``, ``(d, r)``, of full rank after centring.
        target: ``(r,)``.

    >>> square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> exists(square, np.array([0.3, 0.9])), exists(square, np.array([0.3, 1.0]))
    (True, False)
    """
    away = target - table.mean(axis=0)
    if not np.any(away):
        return True
    size = table.shape[1]
    cost = np.concatenate([np.zeros(size), [1.0]])
    over = np.hstack([table - target, -np.ones((len(table), 1))])
    found = linprog(
        cost,
        A_ub=over,
        b_ub=np.zeros(len(table)),
        A_eq=np.concatenate([away, [0.0]])[None],
        b_eq=[1.0],
        bounds=[(None, None)] * (size + 1),
        method="highs",
    )
    if not found.success:
        raise InputError(f"existence of the maximum of likelihood: {found.message}")
    return bool(found.fun > 1e-9)


def log_histogram(counts: Array, smoothing: float | Array = 0.0) -> Array:
    """``log (c_j + s)/(n + s d)``, ``(..., d)``: the free histogram, s = 0, 1/2 or 1 usually.

    Plain (s = 0) it misses tokens without seeds: ``KL(P||.)`` is infinite then, and only the reverse
    divergence has a mean.

    >>> jnp.exp(log_histogram(jnp.array([3.0, 0.0]), 1.0)).tolist()
    [0.8, 0.2]
    """
    total = counts.sum(axis=-1, keepdims=True) + smoothing * counts.shape[-1]
    # One logarithm: a share comes back from it as it was, and with it the draws of rows from it.
    return jnp.log((counts + smoothing) / total)
