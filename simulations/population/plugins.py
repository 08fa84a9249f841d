"""Plug-in rules: linear rules computed from weighted class means and a covariance.

With row weights that sum to 1, class shares ``omega_y = sum of weights of label y``, class means
``m_y = sum_y w x / omega_y`` and the within-class covariance ``S = sum_i w_i (x_i - m_y)(x_i - m_y)'``
(divisor: the total weight 1, over both classes, no correction of its bias),

    lda              slope = S^-1 (m_1 - m_0)
    mean_difference  slope = m_1 - m_0             (the covariance taken to be the identity)

and ``intercept = -(m_1 + m_0)' slope / 2`` for both: the aim is the balanced risk, so that the
shares do not enter. What a sample gives is its *moments*, ``G_y = sum_y w e e'`` with
``e = (x - mu_y, 1)`` counted from the population's class means ``mu_y``.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from simulations import linear
from simulations.arrays import AnyArray
from simulations.population.gaussian import Atoms

# Whether a rule estimates the covariance.
PLUGINS = {"lda": True, "mean_difference": False}


class Plugin(NamedTuple):
    """The rule of the population: class means ``centre (2, d)``, class shares ``share (2,)``,
    ``covariance (d, d)`` within classes and its ``inverse`` (identities where none is estimated) and
    ``slope (d,)``."""

    centre: AnyArray
    share: AnyArray
    covariance: AnyArray
    inverse: AnyArray
    slope: AnyArray


class Plugged(NamedTuple):
    """A sample's rule ``theta (p,)`` and the first two terms of its expansion around the
    population's, ``first (p,)`` (mean exactly 0) and ``second (p,)``."""

    theta: Array
    first: Array
    second: Array


def _theta(slope: Array, intercept: Array) -> Array:
    return jnp.concatenate([slope, intercept[None]])


def plugin(pooled: bool, weights: Array, atoms: Atoms) -> Plugin:
    """The rule of a mixture with ``weights (L,)`` of lifted atoms; both labels need weight."""
    means = atoms.means[:, :-1]
    member = jnp.stack([1.0 - atoms.labels, atoms.labels])
    share = member @ weights
    centre = (member * weights[None, :]) @ means / share[:, None]
    offset = means - member.T @ centre
    covariance = jnp.einsum("l,lij->ij", weights, atoms.covariances[:, :-1, :-1])
    covariance = covariance + jnp.einsum("l,li,lj->ij", weights, offset, offset)
    if not pooled:
        covariance = jnp.eye(means.shape[1])
    inverse = linear.inverse(covariance)
    return Plugin(centre, share, covariance, inverse, inverse @ (centre[1] - centre[0]))


def population_theta(at: Plugin) -> Array:
    """``(slope, intercept)`` of the population's rule, ``(d + 1,)``."""
    return _theta(at.slope, -0.5 * (at.centre[0] + at.centre[1]) @ at.slope)


def plugged(pooled: bool, at: Plugin, moments: Array) -> Plugged:
    """The rule of a sample with these ``moments (2, d + 1, d + 1)``, and its expansion.

    NaN where the within-class scatter has not full rank or a label is missing.

    Args:
        pooled: whether the covariance is estimated (``lda``).
        at: the rule of the population.
        moments: of the rows of each label.
    """
    share, sums = moments[:, -1, -1], moments[:, :-1, -1]
    shift = sums / share[:, None]
    difference, middle = at.centre[1] - at.centre[0], at.centre[1] + at.centre[0]
    contrast = difference + shift[1] - shift[0]
    square = moments[:, :-1, :-1].sum(axis=0)
    slope = contrast
    if pooled:
        within = square - jnp.einsum("y,yi,yj->ij", share, shift, shift)
        slope = linear.solve(within, contrast)
    theta = _theta(slope, -0.5 * (middle + shift[0] + shift[1]) @ slope)

    # Shares are not random unless labels are: m_y - mu_y = u_y - v_y u_y + ...
    u = sums / at.share[:, None]
    bent = -(share / at.share - 1.0)[:, None] * u
    first = at.inverse @ (u[1] - u[0])
    second = at.inverse @ (bent[1] - bent[0])
    if pooled:
        # The scatter's deviation is Z, of first order, less sum omega_y u_y u_y', of second.
        scatter = square - at.covariance
        first = first - at.inverse @ (scatter @ at.slope)
        turned = scatter @ first - jnp.einsum("y,yi,yj,j->i", at.share, u, u, at.slope)
        second = second - at.inverse @ turned
    first_intercept = -0.5 * ((u[0] + u[1]) @ at.slope + middle @ first)
    second_intercept = (bent[0] + bent[1]) @ at.slope + (u[0] + u[1]) @ first + middle @ second
    return Plugged(theta, _theta(first, first_intercept), _theta(second, -0.5 * second_intercept))
