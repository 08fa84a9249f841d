"""The expansion of the smoothed bootstrap: raw rows drawn again, with normal noise added to each.

A row of it made of the raw row x has, given x, the mean score and curvature

    s_h(x) = E s(x + h S^(1/2) z),    h_h(x) = E h(x + h S^(1/2) z).

With ``x = mu + tau z + r`` both are polynomials in x whose coefficients are functions of the score's
``z`` alone, ``p_k(z) = E[f(a + sd (z + h e)) (h e)^k]`` and ``g_k`` likewise with f': an inner
quadrature over the normal number e at every node of the outer one (paper_notes/generators.md).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.population import cubic
from simulations.population.cubic import Cubic
from simulations.population.fitted import Joined, SmoothedRows, Tally
from simulations.population.gaussian import Atoms, Projection, moments_of, project, second_of
from simulations.population.losses import Loss, ScalarFunction
from simulations.population.quadrature import Grid


class Curves(NamedTuple):
    """At the nodes ``(Q,)`` of the grid: ``f``, ``f'``, and ``p (2, Q)``, ``g (3, Q)``."""

    f: Array
    slope: Array
    p: Array
    g: Array


def _smooth(
    h: ScalarFunction, along: Projection, law: Atoms, bandwidth: Array, grid: Grid, order: int
) -> Array:
    """``E[h(a + sd (z + b e)) (b e)^k]``, k = 0..order, at every node z: ``(order + 1, Q)``."""
    steps = bandwidth * grid.nodes
    powers = steps[:, None] ** jnp.arange(order + 1)[None, :] * grid.weights[:, None]

    def at(z: Array) -> Array:
        return h(along.a + along.sd * (z + steps), law.labels) @ powers

    return lax.map(at, grid.nodes).T


def curves(loss: Loss, along: Projection, law: Atoms, bandwidth: Array, grid: Grid) -> Curves:
    """Everything that is needed of one law along ``theta``, as functions of its score."""
    u = along.a + along.sd * grid.nodes
    return Curves(
        loss.first(u, law.labels),
        loss.second(u, law.labels),
        _smooth(loss.first, along, law, bandwidth, grid, 1),
        _smooth(loss.second, along, law, bandwidth, grid, 2),
    )


class Means(NamedTuple):
    """Expectations of ``w(z)`` times powers of x under one law, ``w (Q,)`` given at the nodes."""

    law: Atoms
    tau: Array
    grid: Grid

    def number(self, w: Array) -> Array:
        """``E w``."""
        return w @ self.grid.weights

    def vector(self, w: Array) -> Array:
        """``E w x``."""
        e = moments_of(w, self.grid, 1)
        return e[0] * self.law.means + e[1] * self.tau

    def matrix(self, w: Array) -> Array:
        """``E w x x'``."""
        return second_of(moments_of(w, self.grid, 2), self.tau, self.law)

    def contracted(self, w: Array, matrix: Array) -> Array:
        """``E w x x'Bx``."""
        coefficients = cubic.hermite(moments_of(w, self.grid))
        return cubic.contracted(
            Cubic(coefficients, self.law.means, self.tau, self.law.covariances), matrix
        )


def _both(left: Array, right: Array) -> Array:
    product = jnp.outer(left, right)
    return product + product.T


def _covariance(mean: Means, at: Curves, group: Tally) -> Array:
    """``w e [Cov(s, s_h) + Cov(s_h, s)] + ((e^2 - q)/n) Cov(s_h)``."""
    f, p, tau = at.f, at.p, mean.tau
    score, smooth = mean.vector(f), mean.vector(p[0]) + mean.number(p[1]) * tau
    crossed = mean.matrix(f * p[0]) + jnp.outer(mean.vector(f * p[1]), tau)
    crossed = crossed - jnp.outer(score, smooth)
    own = mean.matrix(p[0] ** 2) + _both(mean.vector(p[0] * p[1]), tau)
    own = own + mean.number(p[1] ** 2) * jnp.outer(tau, tau) - jnp.outer(smooth, smooth)
    return group.raw * group.total * (crossed + crossed.T) + group.shared * own


def _products(mean: Means, at: Curves, group: Tally, bandwidth: Array, a: Array) -> Array:
    """``w e [Cov(h, A s_h) + Cov(h_h, A s)] + ((e^2 - q)/n) Cov(h_h, A s_h)``."""
    f, slope, p, g, tau = at.f, at.slope, at.p, at.g, mean.tau
    noise = bandwidth**2 * (mean.law.covariances - jnp.outer(tau, tau))
    turned = a @ tau
    score, smooth = mean.vector(f), mean.vector(p[0]) + mean.number(p[1]) * tau
    hessian = mean.matrix(slope)
    smooth_hessian = mean.matrix(g[0]) + _both(mean.vector(g[1]), tau)
    smooth_hessian = smooth_hessian + mean.number(g[2]) * jnp.outer(tau, tau)
    smooth_hessian = smooth_hessian + mean.number(g[0]) * noise

    def with_rows(w: Array) -> Array:
        """``E[h_h A x w]``."""
        one = mean.matrix(g[1] * w)
        pulled = tau * (jnp.sum(one * a) + mean.vector(g[2] * w) @ turned)
        return (
            mean.contracted(g[0] * w, a)
            + pulled
            + one @ turned
            + noise @ (a @ mean.vector(g[0] * w))
        )

    def with_tau(w: Array) -> Array:
        """``E[h_h A tau w]``."""
        one, along = mean.vector(g[1] * w), tau @ turned
        return (
            mean.matrix(g[0] * w) @ turned
            + tau * (one @ turned)
            + one * along
            + tau * (mean.number(g[2] * w) * along)
            + mean.number(g[0] * w) * (noise @ turned)
        )

    raw_smooth = mean.contracted(slope * p[0], a) + mean.matrix(slope * p[1]) @ turned
    raw_smooth = raw_smooth - hessian @ (a @ smooth)
    smooth_raw = with_rows(f) - smooth_hessian @ (a @ score)
    own = with_rows(p[0]) + with_tau(p[1]) - smooth_hessian @ (a @ smooth)
    return group.raw * group.total * (raw_smooth + smooth_raw) + group.shared * own


def joined(loss: Loss, theta: Array, given: SmoothedRows, grid: Grid) -> Joined:
    """What the smoothed rows of one cell add to its expansion at ``theta (p,)``; exact at every n."""
    laws, tally, bandwidth = given.laws, given.tally, given.bandwidth

    def seen(law: Atoms) -> Curves:
        return curves(loss, project(theta, law), law, bandwidth, grid)

    at = jax.vmap(seen)(laws)

    def means(law: Atoms) -> Means:
        return Means(law, project(theta, law).tau, grid)

    covariances = jax.vmap(lambda law, here, g: _covariance(means(law), here, g))(laws, at, tally)

    def products(inverse: Array) -> Array:
        def product(law: Atoms, here: Curves, group: Tally) -> Array:
            return _products(means(law), here, group, bandwidth, inverse)

        return jax.vmap(product)(laws, at, tally).sum(axis=0)

    return Joined(covariances.sum(axis=0), products, jnp.zeros_like(theta))
