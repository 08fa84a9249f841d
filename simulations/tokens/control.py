"""A control variate with a known mean for the divergence of the averaging layer.

    w_j = e^(<eta, u_j> - s/2), v_j = u_j - eta, s = B^2
    eps = mean w - 1, g = mean w v, D = mean w (vv' - I)
    first   c = |g|^2/2 + <g, e> + (|e|^2 - tr C/n)/2                        mean a/(2d)
    second  c + g'Dg/2 - eps |g|^2       mean a/(2d) + [a - e^(3s)(r+4s) + e^(3s)((r+4s)^2+r+12s)/2]/d^2

e is what n seeds miss the law's mean embedding by; given the embeddings, its mean is 0 and its covariance
C/n. Means are exact at every d and n. Source: paper_notes/transformers.md, section 3.
"""

from math import exp
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from simulations.tokens.world import log_law, moments


class Controls(NamedTuple):
    """Values of the ``first`` and ``second`` control variate."""

    first: Array
    second: Array


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
    bent = (w * (v @ g) ** 2).mean() - w.mean() * (g @ g)
    first = 0.5 * (g @ g) + g @ e + 0.5 * (e @ e - jnp.trace(at.covariance) / n)
    return Controls(first, first + 0.5 * bent - eps * (g @ g))


def means(dim: int, norm: float, vocabulary: int) -> tuple[float, float]:
    """Their exact means over embeddings and seeds.

    >>> means(4, 0.0, 8)
    (0.25, 0.40625)
    """
    r, s, d = float(dim), norm**2, float(vocabulary)
    a, three = exp(s) * (r + s), exp(3.0 * s)
    far = r + 4.0 * s
    second = a - three * far + 0.5 * three * (far**2 + r + 12.0 * s)
    return a / (2.0 * d), a / (2.0 * d) + second / d**2
