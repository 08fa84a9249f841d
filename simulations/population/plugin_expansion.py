"""Mean and covariance of a plug-in rule to the order 1/n, in the shape of the sandwich.

The statistics are sums over independent rows, so that their covariance is exact at every n.
With ``u = slope.e``, ``f = sigma/omega_y - kappa u`` (sigma = 2y - 1, kappa = 1 where the covariance is
estimated, else 0) a row moves the slope by ``w P f e`` and the intercept by ``-w (u/omega_y + (mu_0 +
mu_1)'P f e)/2``; the second-order means are derived in paper_notes/sufficient_statistics.md.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations.population import cubic
from simulations.population import gaussian as population
from simulations.population.fitted import FittedGaussian, SmoothedRows
from simulations.population.gaussian import Atoms
from simulations.population.losses import ScalarFunction
from simulations.population.minimisers import Minimiser
from simulations.population.plugins import Plugin, plugin, population_theta
from simulations.population.quadrature import Grid
from simulations.population.sandwich import Components, Sandwich


def _centred(at: Plugin, atoms: Atoms) -> Atoms:
    """The laws of ``(x - mu_y, 1)``."""
    label = atoms.labels[:, None]
    centre = jnp.where(label > 0.5, at.centre[1][None, :], at.centre[0][None, :])
    offset = jnp.concatenate([centre, jnp.zeros_like(label)], axis=1)
    return atoms._replace(means=atoms.means - offset)


def _squared(components: Components) -> Array:
    """Summed squared weights ``(Q,)``, those of the raw rows raised by what is fitted to them.

    The statistics of a rule are of degree two in a row. So the mean of such a statistic, given the raw row
    that is smoothed, is itself plus a constant, and given a fitted mean and covariance it is the sum of
    the same statistic over the raw rows, up to a term of second order.
    """
    given, squared = components.fitted, components.squared_weight
    if given is None:
        return squared
    more = given.tally.crossed
    if isinstance(given, SmoothedRows):
        more = 2.0 * given.tally.raw * given.tally.total + given.tally.shared
    return squared + jnp.pad(more, (0, len(squared) - len(more)))


class Unseen(NamedTuple):
    """What `_squared` counts in excess where the covariance is not estimated: the parts of second
    degree of the slope's influence, ``covariance (d, d)``, and of its product with the scatter,
    ``pull (d,)``. ``scatter (d, d)``: the mean of the scatter of fitted rows in excess of S."""

    covariance: Array
    pull: Array
    scatter: Array


def _unseen(at: Plugin, kappa: float, components: Components) -> Unseen:
    """Of the whole sample; zero without fitted rows."""
    given, size = components.fitted, at.slope.shape[0]
    if not isinstance(given, FittedGaussian):
        return Unseen(jnp.zeros((size, size)), jnp.zeros(size), jnp.zeros((size, size)))
    covariances = given.laws.covariances[:, :-1, :-1]
    crossed = (1.0 - given.estimated) * given.tally.crossed

    def one(covariance: Array) -> tuple[Array, Array]:
        t = covariance @ at.slope
        turned = kappa**2 * (at.slope @ t * covariance + jnp.outer(t, t))
        spread = at.inverse @ covariance
        return turned, -kappa * (jnp.trace(spread) * t + covariance @ (spread @ at.slope))

    turned, pulls = jax.vmap(one)(covariances)
    scatter = given.tally.total / given.tally.rows * given.widening
    return Unseen(
        jnp.tensordot(crossed, turned, 1),
        crossed @ pulls,
        jnp.tensordot(scatter, covariances, 1),
    )


def plugin_expansion(pooled: bool, components: Components, grid: Grid) -> Sandwich:
    """Expand the plug-in rule of one cell around the population's.

    A plug-in rule has no objective: its influence takes the place of the score and the identity
    that of the Hessian, so that ``spread = A V A`` and ``d = -A score`` hold; the third
    derivative is zero.

    Args:
        pooled: whether the covariance is estimated (``lda``).
        components: of the cell.
        grid: nodes for means over a score.
    """
    mixing, total, squared = components.mixing, components.total_weight, _squared(components)
    at = plugin(pooled, total @ mixing, components.atoms)
    kappa, size = float(pooled), at.slope.shape[0] + 1
    atoms = _centred(at, components.atoms)
    along = jnp.concatenate([at.slope, jnp.zeros(1)])
    turn = jnp.zeros((size, size)).at[:-1, :-1].set(at.inverse)

    def per_share(u: Array, y: Array) -> Array:
        return jnp.ones_like(u) / jnp.where(y > 0.5, at.share[1], at.share[0])

    def f(u: Array, y: Array) -> Array:
        return (2.0 * y - 1.0) * per_share(u, y) - kappa * u

    def second(h: ScalarFunction) -> Array:
        """``E_c[h e e']`` of every component, ``(Q, p, p)``, ``e`` ending in 1."""
        each = jax.vmap(lambda law: population.second_moment(h, along, law, grid))(atoms)
        return jnp.tensordot(mixing, each, 1)

    def third(h: ScalarFunction) -> Array:
        """``E_c[h e e'Pe]``, ``(Q, p)``."""

        def one(law: Atoms) -> Array:
            return cubic.contracted(cubic.weighted(h, along, law, grid), turn)

        return mixing @ jax.vmap(one)(atoms)

    def of_label(label: float, power: int) -> ScalarFunction:
        return lambda u, y: jnp.where(jnp.abs(y - label) < 0.5, u**power, 0.0)

    influence = second(f)[:, :-1, -1]
    covariance = second(lambda u, y: f(u, y) ** 2)[:, :-1, :-1]
    covariance = covariance - influence[:, :, None] * influence[:, None, :]
    lever = second(lambda u, y: u * per_share(u, y))[:, -1, -1]
    joint = second(lambda u, y: f(u, y) * u * per_share(u, y))[:, :-1, -1]
    joint = joint - influence * lever[:, None]
    levers = second(lambda u, y: (u * per_share(u, y)) ** 2)[:, -1, -1] - lever**2
    unseen = _unseen(at, kappa, components)
    raw = jnp.tensordot(squared, covariance, 1) - unseen.covariance
    raw = jnp.zeros((size, size)).at[:-1, :-1].set(raw)
    raw = raw.at[:-1, -1].set(squared @ joint).at[-1, :-1].set(squared @ joint)
    raw = raw.at[-1, -1].set(squared @ levers)
    middle = at.centre[0] + at.centre[1]
    jacobian = turn.at[-1, :-1].set(-0.5 * at.inverse @ middle).at[-1, -1].set(-0.5)
    spread = jacobian @ raw @ jacobian.T

    def share_and_mean(y: int) -> tuple[Array, Array]:
        """``E v_y u_y`` and ``E u_y u_y'slope``."""
        ones, scores = second(of_label(y, 0)), second(of_label(y, 1))
        mean = ones[:, :-1, -1]
        numbers = mean - ones[:, -1, -1][:, None] * mean
        squares = scores[:, :-1, -1] - mean * scores[:, -1, -1][:, None]
        return squared @ numbers / at.share[y] ** 2, squared @ squares / at.share[y] ** 2

    (v0, u0), (v1, u1) = share_and_mean(0), share_and_mean(1)
    squares = second(lambda u, y: jnp.ones_like(u))[:, :-1, :-1]
    pulls = third(f)[:, :-1] - jnp.einsum("qij,jk,qk->qi", squares, at.inverse, influence)
    bend = squared @ pulls - unseen.pull - at.share[0] * u0 - at.share[1] * u1
    # What widens the scatter of fitted rows, on average, shortens the slope.
    bend = bend + unseen.scatter @ at.slope
    slope_bias = at.inverse @ (v0 - v1 - kappa * bend)
    means = second(per_share)[:, :-1, -1]
    crossed = third(lambda u, y: f(u, y) * per_share(u, y))[:, -1]
    crossed = squared @ (crossed - jnp.einsum("qi,ij,qj->q", means, at.inverse, influence))
    intercept_bias = -0.5 * (crossed - (v0 + v1) @ at.slope + middle @ slope_bias)
    theta = population_theta(at)
    identity = jnp.eye(size)
    return Sandwich(
        Minimiser(theta, jnp.zeros(()), jnp.isfinite(theta).all()),
        identity,
        identity,
        spread,
        spread,
        jnp.concatenate([slope_bias, intercept_bias[None]]),
        jnp.zeros((len(atoms.labels), 4)),
        jnp.zeros_like(atoms.means),
    )
