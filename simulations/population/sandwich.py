"""The matrices of the M-estimator expansion at the mixture minimiser.

A *component* is a sub-sample of independent rows with one law (a mixture of Gaussian atoms).
``total_weight[c] = sum of its row weights`` and ``squared_weight[c] = E sum of squared row
weights``; for rows that are duplicated the latter is the exact second moment of the random
multiplicities (paper_notes/excess_risk.md). Everything the theory needs from the rows is in
these two numbers and the law; ``cubed_weight[c]``, likewise, serves the cubic control variate.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations import linear
from simulations.arrays import AnyArray, AnyLaws
from simulations.population import cubic, fitted_gaussian, smoothed_rows
from simulations.population import gaussian as population
from simulations.population.cubic import Cubic
from simulations.population.fitted import FittedGaussian, Joined, SmoothedRows
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.minimisers import Minimiser, minimise_mixture
from simulations.population.quadrature import Grid


class Components(NamedTuple):
    """The laws and weights of a training sample.

    ``atoms``: L laws, Gaussian or of a table; ``mixing (Q, L)``: law of each component as a mixture
    of the atoms; ``total_weight (Q,)`` sums to 1; ``squared_weight (Q,)``, ``cubed_weight (Q,)``. A leading
    axis of cells may stand before the three weights. ``fitted``: what generators fitted to the raw rows
    make of them, if there are any.
    """

    atoms: AnyLaws
    mixing: AnyArray
    total_weight: AnyArray
    squared_weight: AnyArray
    cubed_weight: AnyArray
    fitted: Any = None


class Sandwich(NamedTuple):
    """At ``theta`` (the minimiser of the training mixture): ``inverse = H^-1`` (A of the notes),
    ``score_covariance`` (V), ``spread = A V A`` (M), ``bias`` = the second-order mean of
    ``theta_hat - theta``; ``curvature (L, 4)`` and ``taus (L, p)`` are what the cubic forms of the atoms
    take beside the atoms themselves; their sum is the third derivative T of the mixture's risk. With the
    laws of a table ``curvature (p, p, p)`` is T itself and there are no ``taus``."""

    minimiser: Minimiser
    hessian: AnyArray
    inverse: AnyArray
    score_covariance: AnyArray
    spread: AnyArray
    bias: AnyArray
    curvature: AnyArray
    taus: AnyArray


def forms(at: Sandwich, atoms: Atoms) -> Cubic:
    """The cubic forms of all atoms, weights included: T is their sum."""
    return Cubic(at.curvature, atoms.means, at.taus, atoms.covariances)


class Moments(NamedTuple):
    """Of every law at the minimiser: ``gradients (L, p)`` and ``hessians (L, p, p)`` of its risk, and
    ``seconds (L, p, p)``, the second moment of the score."""

    gradients: Array
    hessians: Array
    seconds: Array


class Bends(NamedTuple):
    """What takes a matrix: ``products(A)`` is ``E[(f' x x')(A f x)]`` of every law, ``(L, p)``, and
    ``contracted(M)`` is ``T[M] (p,)``; ``curvature`` and ``taus`` as in `Sandwich`."""

    products: Callable[[Array], Array]
    contracted: Callable[[Array], Array]
    curvature: Array
    taus: Array | None


def sandwich(loss: Loss, components: Components, penalty: Array, grid: Grid) -> Sandwich:
    """Expand the weighted M-estimator of one cell around its population minimiser."""
    weights = components.total_weight @ components.mixing
    minimiser = minimise_mixture(loss, weights, components.atoms, penalty, grid)
    return expanded_at(minimiser, loss, components, penalty, grid)


def expanded_at(
    minimiser: Minimiser, loss: Loss, components: Components, penalty: Array, grid: Grid
) -> Sandwich:
    """The same around a stationary point that is known; total weights may be negative there."""
    atoms, weights = components.atoms, components.total_weight @ components.mixing
    theta = minimiser.theta

    def per_atom(function: Callable[[Atoms], Any]) -> Any:
        return jax.vmap(function)(atoms)

    moments = Moments(
        per_atom(lambda law: population.gradient(loss, theta, law, grid)),
        per_atom(lambda law: population.hessian(loss, theta, law, grid)),
        per_atom(lambda law: population.score_second_moment(loss, theta, law, grid)),
    )

    def slope_times_score(u: Array, y: Array) -> Array:
        return loss.second(u, y) * loss.first(u, y)

    def products(inverse: Array) -> Array:
        def product(law: Atoms) -> Array:
            return cubic.contracted(cubic.weighted(slope_times_score, theta, law, grid), inverse)

        return per_atom(product)

    bends = per_atom(lambda law: cubic.risk_form(loss, theta, law, grid))
    bends = bends._replace(coefficients=weights[:, None] * bends.coefficients)

    def contracted(spread: Array) -> Array:
        return jax.vmap(lambda form: cubic.contracted(form, spread))(bends).sum(axis=0)

    bent = Bends(products, contracted, bends.coefficients, bends.tau)
    joined = fitted_joined(loss, theta, components, grid)
    return assembled(components, penalty, minimiser, moments, bent, joined)


def fitted_joined(loss: Loss, theta: Array, components: Components, grid: Grid) -> Joined | None:
    """What fitted rows add, if there are any."""
    given = components.fitted
    if isinstance(given, FittedGaussian):
        return fitted_gaussian.joined(loss, theta, given, grid)
    if isinstance(given, SmoothedRows):
        return smoothed_rows.joined(loss, theta, given, grid)
    return None


def assembled(
    components: Components,
    penalty: Array,
    minimiser: Minimiser,
    moments: Moments,
    bends: Bends,
    joined: Joined | None = None,
) -> Sandwich:
    """The matrices from the moments of the laws."""
    mixing, total = components.mixing, components.total_weight
    squared = components.squared_weight
    gradients = mixing @ moments.gradients
    hessians = jnp.einsum("ql,lij->qij", mixing, moments.hessians)
    seconds = jnp.einsum("ql,lij->qij", mixing, moments.seconds)

    hessian = jnp.einsum("q,qij->ij", total, hessians) + penalty
    inverse = linear.inverse(hessian)
    covariances = seconds - gradients[:, :, None] * gradients[:, None, :]
    score_covariance = jnp.einsum("q,qij->ij", squared, covariances)
    if joined is not None:
        score_covariance = score_covariance + joined.covariance
    spread = inverse @ score_covariance @ inverse

    # E[(f' x x')(A f x)] per component, then its covariance: the sample Hessian and the
    # sample score are correlated.
    products = mixing @ bends.products(inverse)
    covariance = products - jnp.einsum("qij,qj->qi", hessians, gradients @ inverse)
    bent = squared @ covariance - 0.5 * bends.contracted(spread)
    if joined is not None:
        bent = bent + joined.products(inverse) - joined.lean
    bias = inverse @ bent
    return Sandwich(
        minimiser,
        hessian,
        inverse,
        score_covariance,
        spread,
        bias,
        bends.curvature,
        bends.taus,
    )
