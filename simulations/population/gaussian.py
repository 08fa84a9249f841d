"""Exact population quantities of a linear score on Gaussian laws, in any dimension.

For ``x ~ N(mean, cov)`` and ``u = theta . x`` write ``a = theta . mean``, ``v = theta' cov theta`` and
``tau = cov theta / sqrt(v)``. Then ``x = mean + tau z + r`` with ``z = (u - a)/sqrt(v)`` standard
normal and ``r ~ N(0, cov - tau tau')`` independent of ``z``, so that every expectation is
a one-dimensional integral ``e_k(h) = E[h(a + sqrt(v) z) z^k]`` times known vectors
(paper_notes/excess_risk.md). ``tau = 0`` where ``v = 0``, so the usual Newton start is safe.

``theta`` is ``(p,)``; ``p`` counts the intercept, if there is one (a constant feature 1 with
variance 0). Functions act on one law; ``jax.vmap`` carries them over the laws of an ``Atoms``.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.arrays import AnyArray
from simulations.linear import inner, times
from simulations.population.losses import Loss, ScalarFunction
from simulations.population.quadrature import Grid
from simulations.setup.worlds import World


class Atoms(NamedTuple):
    """Gaussian laws of ``(x, y)``: ``means (L, p)``, ``covariances (L, p, p)``, ``labels (L,)`` 0.0/1.0."""

    means: AnyArray
    covariances: AnyArray
    labels: AnyArray


class Projection(NamedTuple):
    """One law seen along ``theta``: score mean ``a``, standard deviation ``sd`` and ``tau (p,)``."""

    a: Array
    sd: Array
    tau: Array


def lift(means: np.ndarray, covariances: np.ndarray, intercept: bool) -> tuple[Any, ...]:
    """Append the constant feature 1 to means ``(..., d)`` and covariances ``(..., d, d)``."""
    if not intercept:
        return means, covariances
    lifted = np.zeros((*covariances.shape[:-2], means.shape[-1] + 1, means.shape[-1] + 1))
    lifted[..., :-1, :-1] = covariances
    return np.concatenate([means, np.ones((*means.shape[:-1], 1))], axis=-1), lifted


def group_atoms(world: World, intercept: bool) -> Atoms:
    """The groups of a world as ``K`` laws, lifted by the intercept when there is one."""
    means, covariances = lift(world.means, world.covariances, intercept)
    return Atoms(means, covariances, world.labels.astype(float))


def project(theta: Array, law: Atoms) -> Projection:
    """The law of the score ``u = theta . x``; ``tau`` and ``sd`` are 0 where its variance is."""
    spread = times(law.covariances, theta)
    variance = inner(theta, spread)
    positive = variance > 0.0
    sd = jnp.sqrt(jnp.where(positive, variance, 1.0))
    return Projection(
        inner(theta, law.means), jnp.where(positive, sd, 0.0), jnp.where(positive, spread / sd, 0.0)
    )


def score_moments(
    h: ScalarFunction, along: Projection, label: Array, grid: Grid, order: int = 3
) -> Array:
    """``E[h(a + sd z, y) z^k]`` for k = 0..order, shape ``(order + 1,)``."""
    return moments_of(h(along.a + along.sd * grid.nodes, label), grid, order)


def moments_of(values: Array, grid: Grid, order: int = 3) -> Array:
    """``E[h(z) z^k]`` for k = 0..order from the ``values (Q,)`` of h at the grid's nodes."""
    powers = grid.nodes[None, :] ** jnp.arange(order + 1)[:, None]
    return powers @ (values * grid.weights)


def risk(loss: Loss, theta: Array, law: Atoms, grid: Grid) -> Array:
    """``E l(u, y)``."""
    along = project(theta, law)
    return inner(grid.weights, loss.value(along.a + along.sd * grid.nodes, law.labels))


def gradient(loss: Loss, theta: Array, law: Atoms, grid: Grid) -> Array:
    """``E[f(u) x]``, shape ``(p,)``."""
    along = project(theta, law)
    e = score_moments(loss.first, along, law.labels, grid)
    return e[0] * law.means + e[1] * along.tau


def second_moment(h: ScalarFunction, theta: Array, law: Atoms, grid: Grid) -> Array:
    """``E[h(u) x x']``, shape ``(p, p)``: the Hessian for ``h = f'``, the score's for ``h = f^2``."""
    along = project(theta, law)
    return second_of(score_moments(h, along, law.labels, grid), along.tau, law)


def second_of(e: Array, tau: Array, law: Atoms) -> Array:
    """``E[h x x']`` from the moments ``e_k = E[h z^k]``, k = 0..2 or more."""
    mean, cross = law.means, jnp.outer(law.means, tau)
    return (
        e[0] * (law.covariances + jnp.outer(mean, mean))
        + e[1] * (cross + cross.T)
        + (e[2] - e[0]) * jnp.outer(tau, tau)
    )


def hessian(loss: Loss, theta: Array, law: Atoms, grid: Grid) -> Array:
    """``E[f'(u) x x']``, shape ``(p, p)``."""
    return second_moment(loss.second, theta, law, grid)


def score_second_moment(loss: Loss, theta: Array, law: Atoms, grid: Grid) -> Array:
    """``E[f(u)^2 x x']``, shape ``(p, p)``."""
    return second_moment(lambda u, y: loss.first(u, y) ** 2, theta, law, grid)


def error(loss: Loss, theta: Array, law: Atoms) -> Array:
    """0-1 error ``Phi(-(2y-1)(a - c)/sqrt(v))`` of the rule ``u > c``; needs ``v > 0``."""
    a = inner(theta, law.means)
    sd = jnp.sqrt(inner(theta, times(law.covariances, theta)))
    return jax.scipy.stats.norm.cdf(-(2.0 * law.labels - 1.0) * (a - loss.threshold) / sd)


def error_derivatives(loss: Loss, theta: Array, law: Atoms) -> tuple[Array, Array]:
    """Gradient ``(p,)`` and Hessian ``(p, p)`` of the 0-1 error ``Phi(k)``; needs ``v > 0``.

    With ``k = -(2y-1)(a - c)/sqrt(v)`` they are ``phi(k) k'`` and ``phi(k) (k'' - k k' k'^T)``.

    Args:
        loss: not asked: all losses part the classes at 0.
        theta: the rule ``(p,)``.
        law: one atom.
    """
    spread = law.covariances @ theta
    variance = theta @ spread
    sign = -(2.0 * law.labels - 1.0)
    root = variance**-0.5
    excess = theta @ law.means - loss.threshold
    k = sign * excess * root
    slope = sign * (law.means * root - excess * root**3 * spread)
    cross = jnp.outer(law.means, spread)
    curvature = sign * (
        3.0 * excess * root**5 * jnp.outer(spread, spread)
        - root**3 * (cross + cross.T)
        - excess * root**3 * law.covariances
    )
    density = jax.scipy.stats.norm.pdf(k)
    return density * slope, density * (curvature - k * jnp.outer(slope, slope))


def group_risks(loss: Loss, theta: Array, groups: Atoms, grid: Grid) -> Array:
    """Risk of every law, shape ``(L,)``."""
    return jax.vmap(lambda law: risk(loss, theta, law, grid))(groups)


def group_errors(loss: Loss, theta: Array, groups: Atoms) -> Array:
    """0-1 error of every law, shape ``(L,)``."""
    return jax.vmap(lambda law: error(loss, theta, law))(groups)
