"""Control variates with known means for the divergence of the averaging layer and of one step of 1.

    w_j = e^(<eta, u_j> - s/2), v_j = u_j - eta, s = B^2
    eps = mean w - 1, g = mean w v, D = mean w (vv' - I)
    first   |g|^2/2 + <g, e> + (|e|^2 - tr C/n)/2                            mean a/(2d)
    second  |g|^2/2 + g'Dg/2 - eps |g|^2 + <mu' - mu, e> + (e'Me - tr MC/n)/2
                                         mean a/(2d) + [a - e^(3s)(r+4s) + e^(3s)((r+4s)^2+r+12s)/2]/d^2
    bend    g'Dg                         mean e^(3s) [(r+4s)^2 + r + 12s]/d^2
    deeper  |Dg|^2/2                     mean k (1 - 1/d)/(2d^2) + M/(2d^3),  M = E w^4 |v|^2 (|v|^2 - 1)^2

e is what n seeds miss the law's mean embedding mu by; given the embeddings, its mean is 0 and its
covariance C/n. mu' and M are mean and covariance of the embedding under the law with the latent mu. The
last is what one further step of 1 leaves to leading order. Means are exact at every d and n. Source:
paper_notes/transformers.md, section 3.
"""

from math import exp
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from simulations.tokens.world import log_law, moments


class Controls(NamedTuple):
    """Values of the ``first`` and ``second`` control variate of averaging, of their part ``bend``, and of
    that of the ``deeper`` layer; or their means."""

    first: Any
    second: Any
    bend: Any
    deeper: Any


def controls(table: Array, eta: Array, target: Array, n: Array | float) -> Controls:
    """The control variates of one replicate.

    Args:
        table: ``U``, ``(d, r)``.
        eta: latent, ``(r,)``.
        target: mean seed embedding, ``(r,)``.
        n: seeds; ``inf`` where the target is the law's own mean.

    >>> table = jnp.array([[1.0], [-1.0]])
    >>> float(controls(table, jnp.zeros(1), jnp.zeros(1), jnp.inf).first)
    0.0
    """
    at = moments(table, jnp.exp(log_law(table, eta)))
    w = jnp.exp(table @ eta - 0.5 * (eta @ eta))
    v = table - eta[None]
    g, eps = (w @ v) / len(w), w.mean() - 1.0
    e = target - at.mean
    bent = (w * (v @ g)) @ v / len(w) - w.mean() * g
    half = 0.5 * (g @ g)
    first = half + g @ e + 0.5 * (e @ e - jnp.trace(at.covariance) / n)
    near = moments(table, jnp.exp(log_law(table, at.mean)))
    spread = e @ near.covariance @ e - (near.covariance * at.covariance).sum() / n
    second = half + 0.5 * (g @ bent) - eps * (g @ g) + (near.mean - at.mean) @ e + 0.5 * spread
    return Controls(first, second, g @ bent, 0.5 * (bent @ bent))


def pairings(dim: int, norm: float) -> float:
    """``k``: ``d^2 E g'D^2 g`` to leading order, the three pairings of the four means.

        k = e^(2s) { (r+s)(r+2s+s^2) + (r+s) + 2s(1+s) + s(r+s+1)^2 + s^3 + 4s^2 + (r+3)s },   s = B^2

    >>> pairings(4, 0.0)
    20.0
    """
    r, s = float(dim), norm**2
    paired = (r + s) * (r + 2.0 * s + s**2) + (r + s) + 2.0 * s * (1.0 + s)
    crossed = s * (r + s + 1.0) ** 2 + s**3 + 4.0 * s**2 + (r + 3.0) * s
    return exp(2.0 * s) * (paired + crossed)


def means(dim: int, norm: float, vocabulary: int) -> Controls:
    """Their exact means over embeddings and seeds.

    M is a polynomial in the moments of ``|v_4|^2``, ``v_4 ~ N(3 eta, I)``, times ``e^(6s)``.

    >>> means(4, 0.0, 8)[:2]
    (0.25, 0.40625)
    """
    r, s, d = float(dim), norm**2, float(vocabulary)
    a, three = exp(s) * (r + s), exp(3.0 * s)
    far = r + 4.0 * s
    bend = three * (far**2 + r + 12.0 * s) / d**2
    second = a / (2.0 * d) + (a - three * far) / d**2 + 0.5 * bend
    shift = 9.0 * s
    one = r + shift
    two = one**2 + 2.0 * (r + 2.0 * shift)
    cube = one**3 + 6.0 * one * (r + 2.0 * shift) + 8.0 * (r + 3.0 * shift)
    same = exp(6.0 * s) * (cube - 2.0 * two + one)
    deeper = pairings(dim, norm) * (1.0 - 1.0 / d) / (2.0 * d**2) + same / (2.0 * d**3)
    return Controls(a / (2.0 * d), second, bend, deeper)
