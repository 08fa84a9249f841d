"""The expansion of rows drawn from the Gaussian that is fitted to the raw rows of their group.

The mean score of such rows is a function of the fitted mean and covariance. Its first derivatives
there are the first and second Hermite projections of the score of one raw row,

    J (x - mu)   and   (1/2) kappa theta'D theta + c D theta,   D = (x - mu)(x - mu)' - S,

with ``J = E f I + E[f' x] theta'``, ``kappa = E[f'' x]``, ``c = E f'``. A projection correlates with the
score as much as with itself, which is why one coefficient, ``2 w e + e^2/n``, multiplies both
(paper_notes/generators.md).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations.arrays import AnyArray
from simulations.population.coupling import Coupling
from simulations.population.fitted import FittedGaussian, Joined, Tally
from simulations.population.gaussian import Atoms, project, score_moments, second_of
from simulations.population.losses import Loss
from simulations.population.quadrature import Grid


class Slopes(NamedTuple):
    """Of one group: ``jacobian (p, d)``: J; ``bend (p,)``: kappa; ``curvature``: c; ``pull (p,)``:
    ``E[f' x]``."""

    jacobian: AnyArray
    bend: AnyArray
    curvature: AnyArray
    pull: AnyArray


def slopes(loss: Loss, theta: Array, law: Atoms, lift: Array, grid: Grid) -> Slopes:
    """J, kappa and c of one law at ``theta (p,)``; ``lift (p, d)``."""
    along = project(theta, law)
    force = score_moments(loss.first, along, law.labels, grid, order=0)
    first = score_moments(loss.second, along, law.labels, grid, order=1)
    second = score_moments(loss.third, along, law.labels, grid, order=1)
    pull = first[0] * law.means + first[1] * along.tau
    bend = second[0] * law.means + second[1] * along.tau
    jacobian = force[0] * lift + jnp.outer(pull, lift.T @ theta)
    return Slopes(jacobian, bend, first[0], pull)


def coupling(loss: Loss, theta: Array, given: FittedGaussian, grid: Grid) -> Coupling:
    """What couples the rows of one cell to rows of the right law."""
    at = jax.vmap(lambda law: slopes(loss, theta, law, given.lift, grid))(given.laws)
    return Coupling(
        given.tally.total, at.jacobian, at.bend, at.curvature, given.lift.T @ theta, given.estimated
    )


def _covariance(at: Slopes, theta: Array, law: Atoms, given: FittedGaussian) -> Array:
    """``J S J' + est Q``, the covariance of the two projections."""
    moved = at.jacobian @ given.lift.T
    t = law.covariances @ theta
    v, c = theta @ t, at.curvature
    cross = jnp.outer(at.bend, t)
    turned = (
        0.5 * v**2 * jnp.outer(at.bend, at.bend)
        + c * v * (cross + cross.T)
        + c**2 * (v * law.covariances + jnp.outer(t, t))
    )
    return moved @ law.covariances @ moved.T + given.estimated * turned


def _products(
    loss: Loss, at: Slopes, theta: Array, law: Atoms, given: FittedGaussian, grid: Grid, a: Array
) -> Array:
    """``S_ab E[d_a h] A E[d_b s] + est (1/2) S_ac S_bd E[d_a d_b h] A E[d_c d_d s]``, ``(p,)``."""
    lift, covariance = given.lift, law.covariances
    along = project(theta, law)
    t, sd, c = covariance @ theta, along.sd, at.curvature
    third = score_moments(loss.third, along, law.labels, grid)
    curved = second_of(third, along.tau, law)
    steps = a @ at.jacobian @ lift.T @ covariance @ lift
    mean_part = (
        curved @ (steps @ (lift.T @ theta))
        + lift @ (steps.T @ at.pull)
        + at.pull * jnp.trace(lift.T @ steps)
    )
    # sd E[f''' x x'] by Stein's identity: sd E[f''' z^k] = E[f'' (z^(k+1) - k z^(k-1))].
    fourth = jnp.stack([third[1], third[2] - third[0], third[3] - 2.0 * third[1]])
    bent = second_of(fourth, along.tau, law)
    k, across, at_t = a @ at.bend, a @ covariance @ lift, a @ t
    slope, v = lift.T @ t, sd**2
    sweep = v * jnp.outer(k, slope) + c * (v * across + jnp.outer(at_t, slope))
    covariance_part = (
        bent @ (sd**3 * k + 2.0 * c * sd * at_t)
        + 2.0 * (lift @ (sweep.T @ at.bend) + at.bend * jnp.trace(lift.T @ sweep))
        + 2.0 * c * (t * (t @ k) + c * (t * jnp.trace(lift.T @ across) + covariance @ at_t))
    )
    return mean_part + 0.5 * given.estimated * covariance_part


def _lean(loss: Loss, theta: Array, law: Atoms, given: FittedGaussian, grid: Grid) -> Array:
    """n times the mean of the score of a fitted row, less that of the right law, to leading order: its
    second derivatives times the variances of the fitted mean and covariance, and its first times the bias
    of the latter."""
    along = project(theta, law)
    e = score_moments(loss.first, along, law.labels, grid, order=5)
    mean, tau = law.means, along.tau
    # E[f He_k(z)] = sd^k E f^(k).
    two, three = e[2] - e[0], e[3] - 3.0 * e[1]
    four = e[4] - 6.0 * e[2] + 3.0 * e[0]
    five = e[5] - 10.0 * e[3] + 15.0 * e[1]
    moved = 0.5 * (mean * two + tau * (three + 2.0 * e[1]))
    spread = 0.25 * (mean * four + tau * (five + 4.0 * three))
    return given.widening * moved + given.estimated * spread


def joined(loss: Loss, theta: Array, given: FittedGaussian, grid: Grid) -> Joined:
    """What the fitted rows of one cell add to its expansion at ``theta (p,)``."""
    laws, tally = given.laws, given.tally
    at = jax.vmap(lambda law: slopes(loss, theta, law, given.lift, grid))(laws)

    def part(law: Atoms, here: Slopes, group: Tally) -> tuple[Array, Array]:
        covariance = group.crossed * _covariance(here, theta, law, given)
        return covariance, group.total / group.rows * _lean(loss, theta, law, given, grid)

    covariances, leans = jax.vmap(part)(laws, at, tally)

    def products(inverse: Array) -> Array:
        def product(law: Atoms, here: Slopes, group: Tally) -> Array:
            return group.crossed * _products(loss, here, theta, law, given, grid, inverse)

        return jax.vmap(product)(laws, at, tally).sum(axis=0)

    return Joined(covariances.sum(axis=0), products, leans.sum(axis=0))
