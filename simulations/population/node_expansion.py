"""The expansion of a cell whose laws are those of a table: all of it from two passes over the rows.

As `sandwich`, `functionals` and `third_order` here for Gaussian laws, with sums over rows in place of
one-dimensional integrals.
"""

import jax.numpy as jnp
from jax import Array

from simulations.craft import errors as craft_errors
from simulations.population import nodes, sandwich, third_order
from simulations.population.functionals import Functionals
from simulations.population.losses import Loss
from simulations.population.minimisers import minimise_mixture
from simulations.population.nodes import Table
from simulations.population.quadrature import Grid
from simulations.population.sandwich import Bends, Components, Sandwich
from simulations.population.third_order import Row


def expand(
    loss: Loss, components: Components, penalty: Array, groups: Table, grid: Grid
) -> tuple[Sandwich, Functionals, Array]:
    """Sandwich, functionals and exact means of the cubic control variate of one cell."""
    table, total = components.atoms, components.total_weight
    weights = total @ components.mixing
    minimiser = minimise_mixture(loss, weights, table, penalty, grid)
    theta = minimiser.theta
    # Laws without weight in this cell: their moments do not count.
    used = weights != 0.0
    rows = nodes.each(table, theta, nodes.moments(loss), used)
    bend = jnp.tensordot(weights, rows.third, 1)
    parts = Bends(
        lambda inverse: jnp.einsum("lijk,jk->li", rows.hessian_score, inverse),
        lambda spread: jnp.einsum("ijk,jk->i", bend, spread),
        bend,
        None,
    )
    moments = sandwich.Moments(rows.score, rows.hessian, rows.score_square)
    at = sandwich.assembled(components, penalty, minimiser, moments, parts)
    quartic = nodes.each(table, theta, nodes.quartics(loss, at.inverse), used)
    third = third_order.assembled(
        components,
        at.inverse,
        Row(
            rows.score,
            rows.score_square,
            rows.hessian,
            rows.score_cube,
            rows.hessian_score,
            quartic,
        ),
        bend,
    )
    measured = functionals(loss, theta, groups)
    cubes = jnp.einsum("fijk,ijk->f", measured.coefficients, third.tensor)
    squares = jnp.einsum("fij,ij->f", measured.hessians, third.matrix)
    return at, measured, squares - cubes / 6.0


def functionals(loss: Loss, theta: Array, groups: Table) -> Functionals:
    """Values with derivatives at ``theta (p,)``; the third ones of 0-1 errors are left out (0), which
    leaves the cubic control variate another one, with its own exact mean."""
    gradients, hessians, bends = nodes.each(groups, theta, nodes.bends(loss))
    return Functionals(
        nodes.values(loss, theta, groups),
        jnp.concatenate([gradients, craft_errors.gradients(loss.threshold, theta, groups.plane)]),
        jnp.concatenate([hessians, craft_errors.hessians(loss.threshold, theta, groups.plane)]),
        jnp.concatenate([bends, jnp.zeros_like(bends)]),
        None,
    )
