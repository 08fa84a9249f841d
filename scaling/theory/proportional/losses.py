"""Losses of a margin and their proximal moments over a normal margin.

A row of weight w has the margin ``a ~ N(m, q^2)`` before it pulls at the rule and the margin

    u = argmin_u  w l(u) + (u - a)^2/(2 t),        w l'(u) = (a - u)/t,

after it. The fixed point needs no more of a loss than three means over a. The squared and the hinge
loss have them in closed form; the logistic loss by the trapezoid rule, whose error falls like
``exp(-2 pi^2/(h q))`` for a step h in a/q: its proximal map is analytic for ``|Im a| < pi`` whatever t and
w (paper_notes/proportional.md, section 3).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.stats import norm

# The trapezoid rule: z in [-8, 8] leaves out 1e-15, and h q <= 0.8 an error of 2e-11.
HALF_WIDTH, RESOLUTION = 8.0, 0.8


class Moments(NamedTuple):
    """``pull``: E[w l'(u)], ``square``: E[(w l'(u))^2], ``curvature``: E[(1 - du/da)/t]."""

    pull: Array
    square: Array
    curvature: Array


class MarginLoss(NamedTuple):
    """``moments(w, t, m, q, nodes)`` of arrays of one shape; w, t, q > 0.

    ``nodes``: the numbers of quadrature nodes to climb; a closed form has one, 0. ``monotone``: the
    loss falls for ever, so that without a ridge a separable sample has no estimator.
    """

    name: str
    moments: Callable[[Array, Array, Array, Array, int], Moments]
    nodes: tuple[int, ...]
    monotone: bool


def resolved(nodes: int) -> float:
    """The largest q that ``nodes`` nodes resolve.

    >>> round(resolved(97), 6), resolved(0)
    (4.8, inf)
    """
    return RESOLUTION * (nodes - 1) / (2.0 * HALF_WIDTH) if nodes else float("inf")


def logistic_proximal(a: Array, pull: Array) -> Array:
    """The root u of ``u = a + c / (1 + e^u)`` for ``c = pull = t w >= 0``; its first derivatives are right.

    ``u -> -u``, ``a -> -a - c`` mirrors the equation, so only roots >= 0 are searched: three steps of
    Halley from Lambert's W, which is off by no more than log 2.

    >>> u = logistic_proximal(jnp.array([-3.0, 0.5]), jnp.array([6.0, 100.0]))
    >>> bool(abs(u - jnp.array([-3.0, 0.5]) - jnp.array([6.0, 100.0]) / (1 + jnp.exp(u))).max() < 1e-13)
    True
    """
    fixed_a, fixed_c = lax.stop_gradient(a), lax.stop_gradient(pull)
    mirrored = fixed_a < -0.5 * fixed_c
    start = jnp.where(mirrored, -fixed_a - fixed_c, fixed_a)
    wide = jax.nn.softplus(jnp.log(fixed_c) - start)
    u = jnp.maximum(start + wide * (1.0 - jnp.log1p(wide) / (2.0 + wide)), 0.0)
    for _ in range(3):
        p = 1.0 / (1.0 + jnp.exp(u))
        bend = fixed_c * p * (1.0 - p)
        gap, slope = u - start - fixed_c * p, 1.0 + bend
        u = u - 2.0 * gap * slope / (2.0 * slope**2 + gap * bend * (1.0 - 2.0 * p))
    u = jnp.where(mirrored, -u, u)
    # One step of Newton, which is differentiated.
    p, bend = _fall(u)
    return u - (u - a - pull * p) / (1.0 + pull * bend)


def _fall(u: Array) -> tuple[Array, Array]:
    """``-l'(u) = 1/(1 + e^u)`` and ``l''(u)``, without cancellation."""
    e = jnp.exp(-jnp.abs(u))
    return jnp.where(u > 0.0, e, 1.0) / (1.0 + e), e / (1.0 + e) ** 2


def _logistic(w: Array, t: Array, m: Array, q: Array, nodes: int) -> Moments:
    z = np.linspace(-HALF_WIDTH, HALF_WIDTH, nodes)
    mass = np.exp(-0.5 * z**2)
    mass = mass / mass.sum()
    shape = (*m.shape, nodes)
    grid = jnp.broadcast_to(jnp.asarray(z), shape)
    c = jnp.broadcast_to((t * w)[..., None], shape)
    u = logistic_proximal(m[..., None] + q[..., None] * grid, c)
    fall, bend = _fall(u)

    def mean(values: Array) -> Array:
        return (values * jnp.broadcast_to(jnp.asarray(mass), shape)).sum(axis=-1)

    return Moments(-w * mean(fall), w**2 * mean(fall**2), w * mean(bend / (1.0 + c * bend)))


def _squared(w: Array, t: Array, m: Array, q: Array, nodes: int) -> Moments:
    k = 2.0 * w / (1.0 + 2.0 * t * w)
    return Moments(k * (m - 1.0), k**2 * ((m - 1.0) ** 2 + q**2), k)


def _hinge(w: Array, t: Array, m: Array, q: Array, nodes: int) -> Moments:
    upper, lower = (1.0 - m) / q, (1.0 - t * w - m) / q
    far = norm.cdf(-jnp.maximum(lower, 0.0)) - norm.cdf(-jnp.maximum(upper, 0.0))
    near = norm.cdf(jnp.minimum(upper, 0.0)) - norm.cdf(jnp.minimum(lower, 0.0))
    between = far + near
    high, low = norm.pdf(upper), norm.pdf(lower)
    gap, above = m - 1.0, norm.cdf(lower)
    first = (gap * between + q * (low - high)) / t
    second = gap**2 * between + 2.0 * gap * q * (low - high)
    second = second + q**2 * (between + lower * low - upper * high)
    return Moments(first - w * above, second / t**2 + w**2 * above, between / t)


LOGISTIC = MarginLoss("logistic", _logistic, (97, 481, 4097), True)
SQUARED = MarginLoss("squared", _squared, (0,), False)
HINGE = MarginLoss("hinge", _hinge, (0,), True)

LOSSES: dict[str, MarginLoss] = {loss.name: loss for loss in (LOGISTIC, SQUARED, HINGE)}
