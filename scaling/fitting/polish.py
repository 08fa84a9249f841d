"""All parameters together: losses that are not squared in the value.

Residuals are ``w (f - y)``, or ``w (log f - log y)`` on the logarithmic scale; the loss is squared or
Huber's. The search starts where variable projection ended. ``log f`` is the logarithm of a sum of
exponentials with the largest taken out, so that no term under- or overflows.
"""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from scaling.fitting.descent import Bounds, descend
from scaling.fitting.laws import Law
from scaling.fitting.projection import Problem, Projected
from simulations.compilation import quick_jit

# Passes of one round, and rounds: curves that have settled leave between rounds, so that a batch does
# not wait for its slowest.
PASSES, ROUNDS = 40, 10


class Measure(NamedTuple):
    """What a fit minimises: ``loss`` of residuals in the value or its logarithm; ``delta``: where
    Huber's loss turns from square to line, in units of the weighted residuals."""

    loss: Literal["squared", "huber"] = "squared"
    scale: Literal["value", "log"] = "value"
    delta: float = 1.345

    @property
    def projects(self) -> bool:
        """Whether variable projection alone minimises it."""
        return self.loss == "squared" and self.scale == "value"

    @property
    def bend(self) -> float | None:
        """Where the loss bends; None where it is squared."""
        return self.delta if self.loss == "huber" else None


def _terms(law: Law, parameters: Array, x: Array) -> tuple[Array, Array]:
    """The terms without their coefficients, ``(n, L)``, over ``exp(top (n,))``, and ``top``: the
    logarithm of the largest term."""
    q = len(law.searched)
    logs, linear = law.log_terms(jnp, parameters[:q], x), parameters[q:]
    sizes = jnp.where(linear != 0.0, jnp.log(jnp.abs(jnp.where(linear != 0.0, linear, 1.0))), -1e30)
    top = (logs + sizes[None, :]).max(axis=1)
    return jnp.exp(logs - top[:, None]), top


def residuals_of(
    law: Law, measure: Measure, problem: Problem, parameters: Array
) -> tuple[Array, Array]:
    """Slopes ``(n, P)`` and values ``(n,)`` of the weighted residuals at ``parameters (P,)`` on the
    internal scale. The slopes are written out, so that every exponential is taken once:
    ``df/dbeta_j = exp L_j`` and ``df/dphi = sum_j beta_j exp(L_j) dL_j/dphi``."""
    q = len(law.searched)
    terms, top = _terms(law, parameters, problem.x)
    parts = terms * parameters[None, q:]
    inner, slopes = parts.sum(axis=1), terms
    if q:
        moved = jax.jacfwd(lambda phi: law.log_terms(jnp, phi, problem.x))(parameters[:q])
        slopes = jnp.concatenate([(parts[:, :, None] * moved).sum(axis=1), terms], axis=1)
    counted = problem.weight > 0.0
    # No law at a point that does not count, nor where it is not positive and has no logarithm.
    if measure.scale == "value":
        unit = jnp.where(counted, problem.weight * jnp.exp(top), 0.0)
        values = jnp.where(counted, inner * unit - problem.weight * problem.y, 0.0)
        return jnp.where(counted[:, None], unit[:, None] * slopes, 0.0), values
    positive = counted & (inner > 0.0)
    safe = jnp.where(positive, inner, 1.0)
    gap = jnp.log(safe) + top - jnp.log(jnp.where(counted, problem.y, 1.0))
    # There the loss is infinite, and the step is not taken.
    values = jnp.where(counted, jnp.where(positive, problem.weight * gap, jnp.inf), 0.0)
    slopes = (problem.weight / safe)[:, None] * slopes
    return jnp.where(positive[:, None], slopes, 0.0), values


def polish(law: Law, measure: Measure, problem: Problem, start: Array) -> Projected:
    """Minimise one curve's loss from ``start (P,)``; to be mapped over curves."""
    q = len(law.searched)
    # Linear parameters are moved in units of y: each over its term's largest value at the start.
    logs = jnp.where(
        (problem.weight > 0.0)[:, None], law.log_terms(jnp, start[:q], problem.x), -jnp.inf
    )
    top = logs.max(axis=0)
    unit = jnp.exp(-jnp.where(jnp.isfinite(top), top, 0.0))
    scale = jnp.concatenate([jnp.ones(q), unit])
    signed = jnp.array([name in law.signed for name in law.linear])
    typical = jnp.abs(jnp.where(problem.weight > 0.0, problem.y, 0.0)).max()
    bounds = Bounds(
        jnp.concatenate([problem.low, jnp.where(signed, -jnp.inf, 0.0)]),
        jnp.concatenate([problem.high, jnp.full(len(law.linear), jnp.inf)]),
        ~problem.held,
        jnp.concatenate(
            [
                jnp.where(problem.high > problem.low, problem.high - problem.low, 1.0),
                jnp.full(len(law.linear), jnp.where(typical > 0.0, typical, 1.0)),
            ]
        ),
    )

    def looked(inner: Array) -> tuple[Array, Array]:
        slopes, values = residuals_of(law, measure, problem, inner * scale)
        return slopes * scale[None, :], values

    found = descend(looked, start / scale, bounds, passes=PASSES, delta=measure.bend)
    return Projected(found.phi * scale, found.loss, found.settled)


@partial(quick_jit, static_argnames=("law", "measure"))
def polish_all(law: Law, measure: Measure, problems: Problem, starts: Array) -> Projected:
    """`polish` for every curve of a batch (a leading axis on all arrays)."""
    return jax.vmap(partial(polish, law, measure))(problems, starts)
