"""Minimisers of population mixture risks ``sum_l q_l R_l(theta) + (ridge/2) |slope|^2``.

Damped Newton on exact derivatives. The risk is convex; the merit function that decides
whether a step is halved is the length of the gradient, which falls along every Newton direction.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import linear
from simulations.arrays import AnyArray
from simulations.population import gaussian as population
from simulations.population import nodes
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.nodes import Table
from simulations.population.quadrature import Grid

MAX_STEPS = 200
# The gradient is a sum of O(1) terms in double precision; 1e-13 of their size is its rounding.
GRADIENT_TOLERANCE = 1e-12
# Where groups hardly overlap the risk is so flat that such a gradient still lies far from the
# minimiser: the Newton step must be short too, relative to 1 + |theta| ...
STEP_TOLERANCE = 1e-6
GRADIENT_ROUNDING = 1e-15
# ... and the Hessian large enough, relative to E xx', for what the quadrature leaves out (1e-18).
LEAST_CURVATURE = 3e-11


class Minimiser(NamedTuple):
    """``theta (p,)``, the largest entry of the gradient there, and whether it is a minimiser."""

    theta: AnyArray
    gradient_size: AnyArray
    converged: AnyArray


def ridge_matrix(size: int, ridge: float, intercept: bool) -> np.ndarray:
    """``ridge`` times the identity on the slopes; the intercept is not penalised."""
    diagonal = np.full(size, float(ridge))
    if intercept:
        diagonal[-1] = 0.0
    return np.diag(diagonal)


def mixture_gradient(
    loss: Loss, theta: Array, weights: Array, atoms: Atoms | Table, grid: Grid
) -> Array:
    """``sum_l q_l grad R_l(theta)``, shape ``(p,)``."""
    if isinstance(atoms, Table):
        return nodes.mixture(atoms, theta, weights, nodes.derivatives(loss))[0]
    return weights @ jax.vmap(lambda law: population.gradient(loss, theta, law, grid))(atoms)


def mixture_hessian(
    loss: Loss, theta: Array, weights: Array, atoms: Atoms | Table, grid: Grid
) -> Array:
    """``sum_l q_l Hess R_l(theta)``, shape ``(p, p)``."""
    if isinstance(atoms, Table):
        return nodes.mixture(atoms, theta, weights, nodes.derivatives(loss))[1]
    hessians = jax.vmap(lambda law: population.hessian(loss, theta, law, grid))(atoms)
    return jnp.einsum("l,lij->ij", weights, hessians)


def mixture_derivatives(
    loss: Loss, theta: Array, weights: Array, atoms: Atoms | Table, grid: Grid
) -> tuple[Array, Array]:
    """Both at once, which one pass over a table gives."""
    if isinstance(atoms, Table):
        return nodes.mixture(atoms, theta, weights, nodes.derivatives(loss))
    return (
        mixture_gradient(loss, theta, weights, atoms, grid),
        mixture_hessian(loss, theta, weights, atoms, grid),
    )


def second_moments(atoms: Atoms | Table) -> Array:
    """``E |x|^2`` under every law, shape ``(L,)``."""
    if isinstance(atoms, Table):
        return nodes.each(atoms, jnp.zeros(atoms.means.shape[-1]), nodes.square)
    squares = jnp.diagonal(atoms.covariances, axis1=1, axis2=2) + atoms.means**2
    return squares.sum(axis=1)


def minimise_mixture(
    loss: Loss,
    weights: Array,
    atoms: Atoms | Table,
    penalty: Array,
    grid: Grid,
    start: Array | None = None,
) -> Minimiser:
    """Minimise ``sum_l q_l R_l + theta' penalty theta / 2``; ``weights (L,)``, ``penalty (p, p)``.

    ``start (p,)`` (0 unless given) matters only where some weights are negative: the risk then need not
    be convex, and the descent ends unconverged where it meets a Hessian that is not positive definite.

    Args:
        loss: of the rule.
        weights: q of the atoms.
        atoms: the laws, L of them, or a table of rows.
        penalty: of the rule.
        grid: nodes for means over a score.
        start: where the descent begins.
    """

    def is_short(step: Array, theta: Array) -> Array:
        return jnp.abs(step).max() <= STEP_TOLERANCE * (1.0 + jnp.abs(theta).max())

    def unfinished(state: tuple[Any, ...]) -> Array:
        theta, step, size, fraction, count = state
        far = ~is_short(step, theta) & (size > GRADIENT_ROUNDING)
        return ((size > GRADIENT_TOLERANCE) | far) & (count < MAX_STEPS) & (fraction > 1e-9)

    def advance(state: tuple[Any, ...]) -> tuple[Any, ...]:
        theta, step, size, fraction, count = state
        trial = theta + fraction * step
        gradient, hessian = mixture_derivatives(loss, trial, weights, atoms, grid)
        gradient, hessian = gradient + penalty @ trial, hessian + penalty
        trial_size = jnp.linalg.norm(gradient)
        better = trial_size < size
        return (
            jnp.where(better, trial, theta),
            jnp.where(better, -linear.solve(hessian, gradient), step),
            jnp.where(better, trial_size, size),
            jnp.where(better, 1.0, 0.5 * fraction),
            count + 1,
        )

    start = jnp.zeros(atoms.means.shape[-1]) if start is None else start
    # The first round stays at the start: its gradient is shorter than infinity.
    first = (start, jnp.zeros_like(start), jnp.asarray(jnp.inf), jnp.asarray(1.0), 0)
    theta, step, size, _, _ = lax.while_loop(unfinished, advance, first)
    # Rounding stops the descent a little above the tolerance now and then: 1e-10 is still exact.
    curvature = jnp.trace(mixture_hessian(loss, theta, weights, atoms, grid))
    curved = curvature >= LEAST_CURVATURE * (weights @ second_moments(atoms))
    return Minimiser(theta, size, (size < 1e-10) & is_short(step, theta) & curved)
