"""What is measured: the risk and the 0-1 error of every group, with derivatives in ``theta``.

For K groups the functionals are stacked as ``2K`` numbers: the K risks, then the K errors.
All derivatives are written out (no automatic differentiation: it would double the time to
compile); the tests check them against it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations.arrays import AnyArray
from simulations.population import cubic, nodes
from simulations.population import gaussian as population
from simulations.population.cubic import Cubic
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.nodes import Table
from simulations.population.quadrature import Grid


class Functionals(NamedTuple):
    """``values (F,)``, ``gradients (F, p)``, ``hessians (F, p, p)`` at one ``theta``; F = 2K.

    ``coefficients (F, 4)`` and ``taus (K, p)`` give, with the laws of the groups, the cubic forms
    that are the third derivatives. With the laws of a table ``coefficients (F, p, p, p)`` are these
    themselves; those of errors are left out (0); there are no ``taus``.
    """

    values: AnyArray
    gradients: AnyArray
    hessians: AnyArray
    coefficients: AnyArray
    taus: AnyArray


def values(loss: Loss, theta: Array, groups: Atoms | Table, grid: Grid) -> Array:
    """Group risks, then group errors: shape ``(2K,)``."""
    if isinstance(groups, Table):
        return nodes.values(loss, theta, groups)
    return jnp.concatenate(
        [
            population.group_risks(loss, theta, groups, grid),
            population.group_errors(loss, theta, groups),
        ]
    )


def functionals(loss: Loss, theta: Array, groups: Atoms, grid: Grid) -> Functionals:
    """Values with first, second and third derivatives at ``theta (p,)``."""
    risk_gradients = jax.vmap(lambda law: population.gradient(loss, theta, law, grid))(groups)
    risk_hessians = jax.vmap(lambda law: population.hessian(loss, theta, law, grid))(groups)

    error_gradients, error_hessians = jax.vmap(
        lambda law: population.error_derivatives(loss, theta, law)
    )(groups)
    risk_forms = jax.vmap(lambda law: cubic.risk_form(loss, theta, law, grid))(groups)
    error_forms = jax.vmap(lambda law: cubic.error_form(loss, theta, law))(groups)
    return Functionals(
        values(loss, theta, groups, grid),
        jnp.concatenate([risk_gradients, error_gradients]),
        jnp.concatenate([risk_hessians, error_hessians]),
        jnp.concatenate([risk_forms.coefficients, error_forms.coefficients]),
        risk_forms.tau,
    )


def cubes(measured: Functionals, groups: Atoms | Table, direction: Array) -> Array:
    """Third derivatives of all F functionals along one ``direction (p,)``, ``(F,)``."""
    if isinstance(groups, Table):
        return jnp.einsum("fijk,i,j,k->f", measured.coefficients, *(direction,) * 3)
    return jax.vmap(lambda form: cubic.cube(form, direction))(forms(measured, groups))


def forms(measured: Functionals, groups: Atoms) -> Cubic:
    """The third derivatives of all F functionals under Gaussian laws, as forms."""

    def twice(part: Array) -> Array:
        return jnp.concatenate([part, part])

    return Cubic(
        measured.coefficients,
        twice(groups.means),
        twice(measured.taus),
        twice(groups.covariances),
    )
