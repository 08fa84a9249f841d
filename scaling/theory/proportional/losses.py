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

# The trapezoid rule: z in [-8, 8] leaves out 1e-15, and h q <= 0.8 an error of 2e-11.
HALF_WIDTH, RESOLUTION = 8.0, 0.8
# Gauss and Legendre on [0, 1], for a normal density over up to NARROW standard deviations.
NARROW = 4.0
_PLACES, _MASSES = (each * 0.5 for each in np.polynomial.legendre.leggauss(20))
_PLACES = _PLACES + 0.5
_ROOT = float(np.sqrt(2.0 * np.pi))


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
    # z < lower: the row pulls with all its weight; lower < z < upper: up to the kink.
    width = t * w / q
    upper = (1.0 - m) / q
    lower = upper - width
    ends = jnp.stack([upper, lower])
    below, density = 0.5 * lax.erfc(-ends / np.sqrt(2.0)), jnp.exp(-0.5 * ends**2) / _ROOT
    whole = below[1]

    # A narrow band by Gauss and Legendre: the closed forms would cancel there.
    shape = (*m.shape, len(_PLACES))
    places, mass = (jnp.broadcast_to(jnp.asarray(each), shape) for each in (_PLACES, _MASSES))
    inside = jnp.exp(-0.5 * (upper[..., None] - width[..., None] * places) ** 2) * mass / _ROOT
    near = [(inside * places**k).sum(axis=-1) for k in range(3)]

    # E (x - z)_+ and E (x - z)_+^2 at both ends.
    once = ends * below + density
    twice = (ends**2 + 1.0) * below + ends * density
    wide = jnp.maximum(width, NARROW)
    far = [
        (below[0] - below[1]) / wide,
        ((once[0] - once[1]) / wide - whole) / wide,
        ((twice[0] - twice[1] - 2.0 * wide * once[1]) / wide**2 - whole) / wide,
    ]
    first, second, third = (jnp.where(width < NARROW, a, b) for a, b in zip(near, far, strict=True))
    return Moments(-w * (width * second + whole), w**2 * (width * third + whole), w / q * first)


LOGISTIC = MarginLoss("logistic", _logistic, (97, 481, 4097), True)
SQUARED = MarginLoss("squared", _squared, (0,), False)
HINGE = MarginLoss("hinge", _hinge, (0,), True)

LOSSES: dict[str, MarginLoss] = {loss.name: loss for loss in (LOGISTIC, SQUARED, HINGE)}
