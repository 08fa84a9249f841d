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

from scaling.descent import Bounds, descend
from scaling.laws import Law
from scaling.projection import Problem, Projected
from simulations.compilation import quick_jit

PASSES = 400


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


def _curve(law: Law, parameters: Array, x: Array) -> tuple[Array, Array]:
    """The law over ``exp(top)``, and ``top``; a law that is not positive gives what is no logarithm."""
    q = len(law.searched)
    logs, linear = law.log_terms(jnp, parameters[:q], x), parameters[q:]
    sizes = jnp.where(linear != 0.0, jnp.log(jnp.abs(jnp.where(linear != 0.0, linear, 1.0))), -1e30)
    top = jax.lax.stop_gradient((logs + sizes[None, :]).max(axis=1))
    return (linear[None, :] * jnp.exp(logs - top[:, None])).sum(axis=1), top


def residuals_of(law: Law, measure: Measure, problem: Problem, parameters: Array) -> Array:
    """Weighted residuals ``(n,)`` at ``parameters (P,)`` on the internal scale."""
    inner, top = _curve(law, parameters, problem.x)
    counted = problem.weight > 0.0
    if measure.scale == "value":
        return jnp.where(counted, problem.weight * (inner * jnp.exp(top) - problem.y), 0.0)
    positive = counted & (inner > 0.0)
    gap = jnp.log(jnp.where(positive, inner, 1.0)) + top
    gap = gap - jnp.log(jnp.where(counted, problem.y, 1.0))
    # Where the law is not positive the loss is infinite, and the step is not taken.
    return jnp.where(counted, jnp.where(positive, problem.weight * gap, jnp.inf), 0.0)


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
    found = descend(
        lambda inner: residuals_of(law, measure, problem, inner * scale),
        start / scale,
        bounds,
        passes=PASSES,
        delta=measure.bend,
    )
    return Projected(found.phi * scale, found.loss, found.settled)


@partial(quick_jit, static_argnames=("law", "measure"))
def polish_all(law: Law, measure: Measure, problems: Problem, starts: Array) -> Projected:
    """`polish` for every curve of a batch (a leading axis on all arrays)."""
    return jax.vmap(partial(polish, law, measure))(problems, starts)
