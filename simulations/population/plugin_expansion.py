"""Mean and covariance of a plug-in rule to the order 1/n, in the shape of the sandwich.

The statistics are sums over independent rows, so that their covariance is exact at every n.
With ``u = slope.e``, ``f = sigma/omega_y - kappa u`` (sigma = 2y - 1, kappa = 1 where the covariance is
estimated, else 0) a row moves the slope by ``w P f e`` and the intercept by ``-w (u/omega_y + (mu_0 +
mu_1)'P f e)/2``; the second-order means are derived in paper_notes/sufficient_statistics.md.
"""

import jax
import jax.numpy as jnp
from jax import Array

from simulations.population import cubic
from simulations.population import gaussian as population
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


def plugin_expansion(pooled: bool, components: Components, grid: Grid) -> Sandwich:
    """Expand the plug-in rule of one cell around the population's.

    A plug-in rule has no objective: its influence takes the place of the score and the identity
    that of the Hessian, so that ``spread = A V A`` and ``d = -A score`` hold; the third
    derivative is zero.
    """
    mixing, total, squared = components.mixing, components.total_weight, components.squared_weight
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
    raw = jnp.zeros((size, size)).at[:-1, :-1].set(jnp.tensordot(squared, covariance, 1))
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
    bend = squared @ pulls - at.share[0] * u0 - at.share[1] * u1
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
