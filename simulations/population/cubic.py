"""Cubic forms of Gaussian laws: ``E[h(u) x x x]``, and third derivatives of risks and 0-1 errors.

With ``x = mean + tau z + r`` as in `simulations.population.gaussian` and ``e_k = E[h He_k(z)]`` for the
Hermite polynomials ``He_k`` (1, z, z^2 - 1, z^3 - 3z), Stein's identity gives, whatever the weight ``h``,

    E[h x x x] = e0 mmm + e1 sym(m m tau) + e2 sym(m tau tau) + e3 tau tau tau
                 + sym(S (e0 m + e1 tau)),

``sym`` summing the three placements. The third derivative of a 0-1 error has the same shape: it
is a function ``G(a, v)`` of the score's mean and variance, as a risk is, and both solve the
heat equation ``G_v = G_aa / 2`` (paper_notes/excess_risk.md, section 6).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations.arrays import AnyArray
from simulations.linear import inner, times
from simulations.population.gaussian import Atoms, project, score_moments
from simulations.population.losses import Loss, ScalarFunction
from simulations.population.quadrature import Grid


class Cubic(NamedTuple):
    """One form: ``coefficients (4,)`` (e0..e3), ``mean (p,)``, ``tau (p,)``, ``covariance (p, p)``.

    Axes before these, the same on all four, stand for several forms.
    """

    coefficients: AnyArray
    mean: AnyArray
    tau: AnyArray
    covariance: AnyArray


def hermite(moments: Array) -> Array:
    """``E[h He_k]`` from the moments ``E[h z^k]``, k = 0..3."""
    e = moments
    return jnp.stack([e[0], e[1], e[2] - e[0], e[3] - 3.0 * e[1]])


def weighted(h: ScalarFunction, theta: Array, law: Atoms, grid: Grid) -> Cubic:
    """``E[h(u, y) x x x]`` under one law."""
    along = project(theta, law)
    moments = score_moments(h, along, law.labels, grid)[:4]
    return Cubic(hermite(moments), law.means, along.tau, law.covariances)


def risk_form(loss: Loss, theta: Array, law: Atoms, grid: Grid) -> Cubic:
    """Third derivative of a law's risk."""
    return weighted(loss.third, theta, law, grid)


def error_form(loss: Loss, theta: Array, law: Atoms) -> Cubic:
    """Third derivative of a law's 0-1 error ``Phi(k)``, ``k = -(2y-1)(a - c)/sd``; needs ``sd > 0``.

    ``d^n/da^n Phi(k) = s^n (-1)^(n-1) He_(n-1)(k) phi(k) / sd^n`` with ``s = -(2y-1)``.

    Args:
        loss: not asked: all losses part the classes at 0.
        theta: the rule ``(p,)``.
        law: one atom.
    """
    along = project(theta, law)
    s = -(2.0 * law.labels - 1.0)
    k = s * (along.a - loss.threshold) / along.sd
    he2, he3 = k**2 - 1.0, k**3 - 3.0 * k
    he4, he5 = k**4 - 6.0 * k**2 + 3.0, k**5 - 10.0 * k**3 + 15.0 * k
    scale = jax.scipy.stats.norm.pdf(k) / along.sd**3
    return Cubic(
        scale * jnp.stack([s * he2, -he3, s * he4, -he5]), law.means, along.tau, law.covariances
    )


def cube(form: Cubic, vector: Array) -> Array:
    """``T[d, d, d]``, a number, for ``d = vector (p,)``."""
    e, m, t = form.coefficients, inner(form.mean, vector), inner(form.tau, vector)
    spread = inner(vector, times(form.covariance, vector))
    powers = e[0] * m**3 + 3.0 * e[1] * m**2 * t + 3.0 * e[2] * m * t**2 + e[3] * t**3
    return powers + 3.0 * spread * (e[0] * m + e[1] * t)


def along(form: Cubic, vector: Array) -> Array:
    """``T[d, ., .]``, shape ``(p, p)``, for ``d = vector (p,)``."""
    e, mean, tau = form.coefficients, form.mean, form.tau
    m, t = inner(mean, vector), inner(tau, vector)
    spread = times(form.covariance, vector)
    slope = e[0] * mean + e[1] * tau
    cross = jnp.outer(mean, tau)
    bend = jnp.outer(slope, spread)
    return (
        (e[0] * m + e[1] * t) * (jnp.outer(mean, mean) + form.covariance)
        + (e[1] * m + e[2] * t) * (cross + cross.T)
        + (e[2] * m + e[3] * t) * jnp.outer(tau, tau)
        + bend
        + bend.T
    )


def contracted(form: Cubic, matrix: Array) -> Array:
    """``T[B]``: two of the three places filled by the symmetric ``B = matrix (p, p)``; shape ``(p,)``."""
    e, mean, tau = form.coefficients, form.mean, form.tau
    b_mean, b_tau = matrix @ mean, matrix @ tau
    mm, mt, tt = mean @ b_mean, mean @ b_tau, tau @ b_tau
    trace = jnp.sum(matrix * form.covariance)
    slope = e[0] * mean + e[1] * tau
    return (
        mean * (e[0] * mm + 2.0 * e[1] * mt + e[2] * tt)
        + tau * (e[1] * mm + 2.0 * e[2] * mt + e[3] * tt)
        + trace * slope
        + 2.0 * form.covariance @ (matrix @ slope)
    )


def symmetric(matrix: Array, vector: Array) -> Array:
    """``sym(B v)``, the sum of ``B_ij v_k`` over the three placements: ``(p, p, p)``."""
    product = matrix[:, :, None] * vector[None, None, :]
    return product + product.transpose(0, 2, 1) + product.transpose(2, 0, 1)


def _triple(vector: Array) -> Array:
    return vector[:, None, None] * vector[None, :, None] * vector[None, None, :]


def tensor(form: Cubic) -> Array:
    """The whole form, ``(p, p, p)``."""
    e, mean, tau = form.coefficients, form.mean, form.tau
    mm, tt = jnp.outer(mean, mean), jnp.outer(tau, tau)
    pure = e[0] * _triple(mean) + e[3] * _triple(tau)
    mixed = e[1] * symmetric(mm, tau) + e[2] * symmetric(tt, mean)
    return pure + mixed + symmetric(form.covariance, e[0] * mean + e[1] * tau)
