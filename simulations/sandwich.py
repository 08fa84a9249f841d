"""The matrices of the M-estimator expansion at the mixture minimiser.

A *component* is a sub-sample of independent rows with one law (a mixture of Gaussian atoms).
``total_weight[c] = sum of its row weights`` and ``squared_weight[c] = E sum of squared row
weights``; for rows that are duplicated the latter is the exact second moment of the random
multiplicities (paper_notes/excess_risk.md). Everything the theory needs from the rows is in
these two numbers and the law.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations import linear, population
from simulations.arrays import AnyArray
from simulations.losses import Loss
from simulations.minimisers import Minimiser, minimise_mixture
from simulations.population import Atoms
from simulations.quadrature import Grid


class Components(NamedTuple):
    """The laws and weights of a training sample.

    ``atoms``: L Gaussian laws; ``mixing (Q, L)``: law of each component as a mixture of the
    atoms; ``total_weight (Q,)`` sums to 1; ``squared_weight (Q,)``. A leading axis of cells
    may stand before the two weights.
    """

    atoms: Atoms
    mixing: AnyArray
    total_weight: AnyArray
    squared_weight: AnyArray


class Sandwich(NamedTuple):
    """At ``theta`` (the minimiser of the training mixture): ``inverse = H^-1`` (A of the notes),
    ``score_covariance`` (V), ``spread = A V A`` (M), ``bias`` = the second-order mean of
    ``theta_hat - theta``; ``curvature (L, 4)`` and ``taus (L, p)`` are the weighted score moments of
    ``f''`` and the projections of every atom, which give the third derivative of the risk."""

    minimiser: Minimiser
    hessian: Array
    inverse: Array
    score_covariance: Array
    spread: Array
    bias: Array
    curvature: Array
    taus: Array


def third_derivative(curvature: Array, taus: Array, atoms: Atoms, matrix: Array) -> Array:
    """``sum_l q_l E_l[f'' x x'Bx]``, shape ``(p,)``, for a symmetric ``B = matrix (p, p)``."""
    return jax.vmap(population.third_from_scores, in_axes=(0, 0, 0, None))(
        curvature, taus, atoms, matrix
    ).sum(axis=0)


def sandwich(loss: Loss, components: Components, penalty: Array, grid: Grid) -> Sandwich:
    """Expand the weighted M-estimator of one cell around its population minimiser."""
    atoms, mixing, total, squared = components
    weights = total @ mixing
    minimiser = minimise_mixture(loss, weights, atoms, penalty, grid)
    theta = minimiser.theta

    def per_atom(function):
        return jax.vmap(function)(atoms)

    gradients = mixing @ per_atom(lambda law: population.gradient(loss, theta, law, grid))
    hessians = per_atom(lambda law: population.hessian(loss, theta, law, grid))
    hessians = jnp.einsum("ql,lij->qij", mixing, hessians)
    seconds = per_atom(lambda law: population.score_second_moment(loss, theta, law, grid))
    seconds = jnp.einsum("ql,lij->qij", mixing, seconds)

    hessian = jnp.einsum("q,qij->ij", total, hessians) + penalty
    inverse = linear.inverse(hessian)
    covariances = seconds - gradients[:, :, None] * gradients[:, None, :]
    score_covariance = jnp.einsum("q,qij->ij", squared, covariances)
    spread = inverse @ score_covariance @ inverse

    # E[(f' x x')(A f x)] per component, then its covariance: the sample Hessian and the
    # sample score are correlated.
    def slope_times_score(u: Array, y: Array) -> Array:
        return loss.second(u, y) * loss.first(u, y)

    products = mixing @ per_atom(
        lambda law: population.third_moment(slope_times_score, theta, inverse, law, grid)
    )
    covariance = products - jnp.einsum("qij,qj->qi", hessians, gradients @ inverse)
    along = per_atom(lambda law: population.project(theta, law))
    moments = jax.vmap(lambda one, label: population.score_moments(loss.third, one, label, grid))(
        along, atoms.labels
    )
    curvature = weights[:, None] * moments
    bend = third_derivative(curvature, along.tau, atoms, spread)
    bias = inverse @ (squared @ covariance - 0.5 * bend)
    return Sandwich(
        minimiser, hessian, inverse, score_covariance, spread, bias, curvature, along.tau
    )
