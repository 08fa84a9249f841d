"""Losses of a margin and their proximal moments over a normal margin.

A row of weight w has the margin ``a ~ N(m, q^2)`` before it pulls at the rule and the margin

    u = argmin_u  w l(u) + (u - a)^2/(2 t),        w l'(u) = (a - u)/t,

after it. The fixed point needs no more of a loss than three means over a. The squared and the hinge
loss have them in closed form, the logistic loss by quadrature (`logistic`).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from scaling.theory.proportional import logistic
from scaling.theory.proportional.logistic import Moments

# Gauss and Legendre on [0, 1], for a normal density over up to NARROW standard deviations.
NARROW = 4.0
_RULE = np.polynomial.legendre.leggauss(20)
_PLACES, _MASSES = 0.5 * _RULE[0] + 0.5, 0.5 * _RULE[1]
_ROOT = float(np.sqrt(2.0 * np.pi))


class MarginLoss(NamedTuple):
    """``rules``: functions ``(w, t, m, q)`` of arrays of one shape, w, t, q > 0, to `Moments`; the next
    one is used where ``Moments.coarse`` of the last exceeds 1. ``monotone``: the loss falls for ever, so
    that without a ridge a separable sample has no estimator. ``kinked``: it may be least at slope 0.
    """

    name: str
    rules: tuple[Callable[[Array, Array, Array, Array], Moments], ...]
    monotone: bool
    kinked: bool = False


def squared_moments(w: Array, t: Array, m: Array, q: Array) -> Moments:
    """Of ``(1 - u)^2``: with ``k = 2w/(1 + 2tw)`` they are ``k (m-1)``, ``k^2 ((m-1)^2 + q^2)`` and k."""
    k = 2.0 * w / (1.0 + 2.0 * t * w)
    return Moments(k * (m - 1.0), k**2 * ((m - 1.0) ** 2 + q**2), k, jnp.zeros_like(m))


def hinge_moments(w: Array, t: Array, m: Array, q: Array) -> Moments:
    """Of ``max(0, 1 - u)``. With ``z = (a - m)/q`` a row pulls with all its weight below
    ``B = (1 - tw - m)/q`` and with ``w (A - z)/(A - B)`` up to ``A = (1 - m)/q``.

    A narrow band [B, A] goes by Gauss and Legendre: the closed forms cancel there.

    Args:
        w: weight of a row.
        t: step of the proximal operator.
        m: mean of its margin.
        q: standard deviation of its margin.
    """
    width = t * w / q
    upper = (1.0 - m) / q
    ends = jnp.stack([upper, upper - width])
    below, density = 0.5 * lax.erfc(-ends / np.sqrt(2.0)), jnp.exp(-0.5 * ends**2) / _ROOT
    whole = below[1]

    shape = (*m.shape, len(_PLACES))
    places, mass = (jnp.broadcast_to(jnp.asarray(each), shape) for each in (_PLACES, _MASSES))
    inside = jnp.exp(-0.5 * (upper[..., None] - width[..., None] * places) ** 2) * mass / _ROOT
    near = [(inside * places**k).sum(axis=-1) for k in range(3)]

    # E (x - z)_+ and E (x - z)_+^2 at both ends.
    once = ends * below + density
    twice = (ends**2 + 1.0) * below + ends * density
    wide = jnp.maximum(width, NARROW)
    far = [
        (below[0] - whole) / wide,
        ((once[0] - once[1]) / wide - whole) / wide,
        ((twice[0] - twice[1] - 2.0 * wide * once[1]) / wide**2 - whole) / wide,
    ]
    zeroth, first, second = (
        jnp.where(width < NARROW, a, b) for a, b in zip(near, far, strict=True)
    )
    return Moments(
        -w * (width * first + whole),
        w**2 * (width * second + whole),
        w / q * zeroth,
        jnp.zeros_like(m),
    )


LOGISTIC = MarginLoss("logistic", (logistic.narrow, logistic.wide, logistic.widest), True)
SQUARED = MarginLoss("squared", (squared_moments,), False)
HINGE = MarginLoss("hinge", (hinge_moments,), True, True)

LOSSES: dict[str, MarginLoss] = {loss.name: loss for loss in (LOGISTIC, SQUARED, HINGE)}
