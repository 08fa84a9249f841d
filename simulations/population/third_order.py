"""Exact means of degree three: what the cubic control variate needs.

At the mixture minimiser let ``d = -A score``, ``D`` the deviation of the sample Hessian and
``d2 = -A (D d + T[d, d]/2)``. For any functional with Hessian ``H_F`` and third derivative ``T_F``

    E[d' H_F d2 + T_F[d, d, d]/6] = tr(H_F N) - T_F : Xi / 6.

Rows are independent, so only third cumulants of single rows enter, each with the sum of cubed
row weights ``W3_c`` of its component: ``Xi = sum_c W3_c E_c[q q q]`` for ``q = A (score - E_c score)``,
and ``N`` collects the rest (paper_notes/excess_risk.md, section 6).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from simulations.population import cubic, functionals
from simulations.population import gaussian as population
from simulations.population.cubic import Cubic
from simulations.population.functionals import Functionals
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss, ScalarFunction
from simulations.population.quadrature import Grid
from simulations.population.sandwich import Components, Sandwich, forms

# Up to here the (p, p, p) tensors cost little; beyond it the cubic control is left out.
LARGEST_TENSOR = 48


class ThirdOrder(NamedTuple):
    """``matrix`` is ``N (p, p)``, ``tensor`` is ``Xi (p, p, p)``; a leading axis of cells may precede."""

    matrix: Array
    tensor: Array


def cubic_mean(third: ThirdOrder, measured: Functionals, groups: Atoms) -> Array:
    """``E[d' H_F d2 + T_F[d, d, d]/6]`` of every functional of one cell, ``(F,)``."""

    def one(hessian: Array, form: Cubic) -> Array:
        return jnp.sum(hessian * third.matrix) - jnp.sum(cubic.tensor(form) * third.tensor) / 6.0

    return jax.vmap(one)(measured.hessians, functionals.forms(measured, groups))


class Row(NamedTuple):
    """Moments of one row of a law (or of all, a leading axis L): ``f x``, ``f^2 xx'``, ``f' xx'``,
    ``f^3 xxx``, ``f f' xxx`` and ``E[f' f^2 xx' (x'Ax)]``."""

    score: Array
    score_square: Array
    hessian: Array
    score_cube: Array
    hessian_score: Array
    quartic: Array


def fourth_moment(h: ScalarFunction, theta: Array, matrix: Array, law: Atoms, grid: Grid) -> Array:
    """``E[h(u) x x' (x'Bx)]`` for a symmetric ``B = matrix (p, p)``, shape ``(p, p)``."""
    along = population.project(theta, law)
    e = population.score_moments(h, along, law.labels, grid, order=4)
    mean, tau = law.means, along.tau
    rest = law.covariances - jnp.outer(tau, tau)
    cross = jnp.outer(mean, tau)
    # xx' and x'Bx given z, less their parts in r, as polynomials in z.
    squares = (jnp.outer(mean, mean), cross + cross.T, jnp.outer(tau, tau))
    b_mean, b_tau = matrix @ mean, matrix @ tau
    trace = jnp.sum(matrix * rest)
    values = (mean @ b_mean + trace, 2.0 * tau @ b_mean, tau @ b_tau)
    total = sum(e[i + j] * squares[i] * values[j] for i in range(3) for j in range(3))
    total = (
        total + rest * sum(e[j] * values[j] for j in range(3)) + 2.0 * e[0] * rest @ matrix @ rest
    )
    # r r' has been counted; what is left is 2 (m + r)(m + r)'(r'Bm), m = mean + tau z.
    turned_mean, turned_tau = rest @ b_mean, rest @ b_tau
    mixed = jnp.outer(turned_mean, e[0] * mean + e[1] * tau)
    mixed = mixed + jnp.outer(turned_tau, e[1] * mean + e[2] * tau)
    return total + 2.0 * (mixed + mixed.T)


def _row_moments(loss: Loss, theta: Array, inverse: Array, law: Atoms, grid: Grid) -> Row:
    def power(k: int, slope: bool) -> ScalarFunction:
        def h(u: Array, y: Array) -> Array:
            return loss.first(u, y) ** k * (loss.second(u, y) if slope else 1.0)

        return h

    return Row(
        population.gradient(loss, theta, law, grid),
        population.score_second_moment(loss, theta, law, grid),
        population.hessian(loss, theta, law, grid),
        cubic.tensor(cubic.weighted(power(3, False), theta, law, grid)),
        cubic.tensor(cubic.weighted(power(1, True), theta, law, grid)),
        fourth_moment(power(2, True), theta, inverse, law, grid),
    )


def third_order(loss: Loss, components: Components, at: Sandwich, grid: Grid) -> ThirdOrder:
    """``N`` and ``Xi`` of one cell expanded ``at`` its mixture minimiser."""
    theta, a = at.minimiser.theta, at.inverse
    rows = jax.vmap(lambda law: _row_moments(loss, theta, a, law, grid))(components.atoms)
    bend = jax.vmap(cubic.tensor)(forms(at, components.atoms)).sum(axis=0)
    return assembled(components, a, rows, bend)


def assembled(components: Components, a: Array, rows: Row, bend: Array) -> ThirdOrder:
    """``N`` and ``Xi`` from ``A``, the moments of the laws and the third derivative ``bend`` of the
    mixture's risk."""
    rows = Row(*(jnp.tensordot(components.mixing, part, 1) for part in rows))

    def component(row: Row) -> tuple[Array, Array]:
        """Third central moment of the score, and the matrix whose trace with ``H_F`` is the mean
        of ``q'B D q`` with ``B = H_F A``."""
        g = row.score
        central = row.score_cube - cubic.symmetric(row.score_square, g)
        central = central + 2.0 * g[:, None, None] * g[None, :, None] * g[None, None, :]
        v = a @ g
        covariance = row.score_square - jnp.outer(g, g)
        t = jnp.einsum("ijk,jk->i", row.hessian_score, a)
        inner = row.quartic - row.hessian_score @ v
        product = a @ inner @ a - jnp.outer(v, a @ t)
        product = product + jnp.outer(v, a @ row.hessian @ v)
        return central, product - a @ row.hessian @ a @ covariance @ a

    central, products = jax.vmap(component)(rows)
    third = jnp.tensordot(components.cubed_weight, central, 1)
    third = jnp.einsum("ia,jb,kc,abc->ijk", a, a, a, third, optimize=True)
    turned = a @ jnp.einsum("ijk,ajk->ia", bend, third)
    matrix = 0.5 * turned - jnp.tensordot(components.cubed_weight, products, 1)
    return ThirdOrder(0.5 * (matrix + matrix.T), third)
