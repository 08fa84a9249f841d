"""The proximal moments of the logistic loss over a normal margin, two ways.

*Narrow* margins: the trapezoid rule in ``z = (a - m)/q``. As a function of a the proximal map is analytic
for ``|Im a| < pi`` whatever its weight, so the error falls like ``exp(-2 pi^2/(h q))`` for a step h.

*Wide* margins: with ``p = 1/(1 + e^u)`` integration by parts turns means over a into integrals over u, in
which a is explicit, ``a(u) = u - c p(u)``, ``c = t w``:

    E p = int s(u) Phi(z(u)) du,    E p^2 = int 2 p s Phi(z) du,    E[s/(1 + c s)] = int s phi(z)/q du,

s = p (1 - p) the logistic density and z(u) = (a(u) - m)/q. Two scales meet: 1 in u, q in a. Equal steps of

    v = u/A + a(u)/(B q)

resolve both, and v -> u is a proximal map again. The number of steps does not grow with q.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

# Narrow: z within 8 sd leaves out 1e-15, and h q <= 0.8 an error of 2e-11.
HALF_WIDTH, RESOLUTION, DEEPEST, NODES = 8.0, 0.8, 4.0, 65
# Wide: A and B; where the logistic density has fallen by 2e-12; numbers of nodes.
SCALE_U, SCALE_Z, REACH = 0.8, 0.5, 27.0
WIDE_NODES, WIDEST_NODES = 161, 641
_ROOT = float(np.sqrt(2.0 * np.pi))


class Moments(NamedTuple):
    """``pull``: E[w l'(u)], ``square``: E[(w l'(u))^2], ``curvature``: E[(1 - du/da)/t]; ``coarse``: the
    quadrature's step over the largest that is fine enough, 0 for a closed form."""

    pull: Array
    square: Array
    curvature: Array
    coarse: Array


def proximal(a: Array, c: Array) -> Array:
    """The root u of ``u = a + c/(1 + e^u)``, ``c >= 0``; its first derivatives are right.

    ``u -> -u``, ``a -> -a - c`` mirrors the equation, so only roots >= 0 are searched: three steps of
    Halley from Lambert's W, which is off by no more than log 2.

    >>> u = proximal(jnp.array([-3.0, 0.5]), jnp.array([6.0, 100.0]))
    >>> bool(abs(u - jnp.array([-3.0, 0.5]) - jnp.array([6.0, 100.0]) / (1 + jnp.exp(u))).max() < 1e-13)
    True
    """
    fixed_a, fixed_c = lax.stop_gradient(a), lax.stop_gradient(c)
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
    p, density = fall(u)
    return u - (u - a - c * p) / (1.0 + c * density)


def fall(u: Array) -> tuple[Array, Array]:
    """``p = -l'(u) = 1/(1 + e^u)`` and ``l''(u) = p (1 - p)``, without cancellation."""
    e = jnp.exp(-jnp.abs(u))
    return jnp.where(u > 0.0, e, 1.0) / (1.0 + e), e / (1.0 + e) ** 2


def _over(values: Array, count: int) -> Array:
    """An axis of ``count`` nodes added."""
    return jnp.broadcast_to(values[..., None], (*values.shape, count))


def narrow(w: Array, t: Array, m: Array, q: Array) -> Moments:
    """For q up to 3.2; where most of E p^2 comes from more than 4 sd below the mean, up to 2."""
    z = np.linspace(-HALF_WIDTH, HALF_WIDTH, NODES)
    mass = np.exp(-0.5 * z**2)
    shape = (*m.shape, NODES)
    grid, mass = (jnp.broadcast_to(jnp.asarray(x), shape) for x in (z, mass / mass.sum()))
    c = _over(t * w, NODES)
    p, bend = fall(proximal(_over(m, NODES) + _over(q, NODES) * grid, c))
    pull, square = -w * (mass * p).sum(axis=-1), w**2 * (mass * p**2).sum(axis=-1)
    curvature = w * (mass * bend / (1.0 + c * bend)).sum(axis=-1)
    deep = jnp.minimum(2.0 * q, m / q) / DEEPEST
    coarse = jnp.maximum((z[1] - z[0]) / RESOLUTION * q, deep)
    return Moments(pull, square, curvature, coarse)


def _by_parts(w: Array, t: Array, m: Array, q: Array, count: int) -> Moments:
    c = t * w
    mirrored = lax.stop_gradient(m < -0.5 * c)
    m = jnp.where(mirrored, -m - c, m)
    u, step, coarse = lax.stop_gradient(_nodes(c, m, q, count))
    p, density = fall(u)
    z = (u - _over(c, count) * p - _over(m, count)) / _over(q, count)
    below = 0.5 * lax.erfc(-z / np.sqrt(2.0))
    once = (step * density * below).sum(axis=-1)
    twice = (step * 2.0 * p * density * below).sum(axis=-1)
    curvature = (step * density * jnp.exp(-0.5 * z**2)).sum(axis=-1) * w / (q * _ROOT)
    twice = jnp.where(mirrored, 1.0 - 2.0 * once + twice, twice)
    once = jnp.where(mirrored, 1.0 - once, once)
    return Moments(-w * once, w**2 * twice, curvature, coarse)


def _nodes(c: Array, m: Array, q: Array, count: int) -> tuple[Array, Array, Array]:
    """Nodes u ``(.., count)``, their steps du, and how coarse these are; ``m >= -c/2``."""

    def margin(u: Array) -> Array:
        return u - c * fall(u)[0]

    a, b = jnp.full_like(q, 1.0 / SCALE_U), 1.0 / (SCALE_Z * q)
    high = proximal(m, c) + REACH
    # Where E p is small most of it comes from margins up to q (and for p^2 up to 2q) sd below the mean.
    deep = HALF_WIDTH + jnp.minimum(2.0 * q, jnp.maximum(m, 0.0) / q)
    low = jnp.maximum(proximal(m - deep * q, c), -REACH)
    first, last = a * low + b * margin(low), a * high + b * margin(high)
    coarse = (last - first) / (count - 1)
    place = jnp.broadcast_to(jnp.linspace(0.0, 1.0, count), (*q.shape, count))
    v = _over(first, count) + _over(last - first, count) * place
    a, b, c = _over(a, count), _over(b, count), _over(c, count)
    u = proximal(v / (a + b), b * c / (a + b))
    return u, _over(coarse, count) / (a + b * (1.0 + c * fall(u)[1])), coarse


def wide(w: Array, t: Array, m: Array, q: Array) -> Moments:
    """For any q, as long as rows pull by no more than about 20 q."""
    return _by_parts(w, t, m, q, WIDE_NODES)


def widest(w: Array, t: Array, m: Array, q: Array) -> Moments:
    """The same with four times the nodes."""
    return _by_parts(w, t, m, q, WIDEST_NODES)
