"""One replicate of a unit: draw, fit, measure exactly, and evaluate the control variate.

At the population minimiser let ``A`` be the inverse Hessian, ``T`` the third derivative of the
training mixture's risk, ``g`` and ``H_F`` gradient and Hessian of a functional. From the score
and the Hessian of the sample there,

    d = -A score,    d2 = -A (sample Hessian - H) d - A T[d, d] / 2,
    c = g'(d + d2) + d' H_F d / 2

follows the functional of the fitted rule closely, and its mean is exactly the theory's
``variance + second_order`` at every sample size (paper_notes/excess_risk.md).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import functionals
from simulations.arrays import AnyArray
from simulations.functionals import Functionals
from simulations.losses import Loss
from simulations.newton import FOUND, Fit, fit
from simulations.population import Atoms
from simulations.quadrature import Grid
from simulations.sample import Sample, draw_sample, empty_sample
from simulations.sandwich import Sandwich, third_derivative
from simulations.segments import Segments
from simulations.units import UnitPopulation


class Control(NamedTuple):
    """What the control variate needs of the population; shapes as in ``UnitPopulation``.

    ``mean (C, F)`` is its exact mean.
    """

    expansions: Sandwich
    measured: Functionals
    atoms: Atoms
    mean: Array


def make_control(population: UnitPopulation, atoms: Atoms) -> Control:
    """The control variate of every cell of a unit with these atoms."""
    expansions, measured = population.expansions, population.measured
    mean = 0.5 * np.einsum("cfij,cij->cf", measured.hessians, expansions.spread)
    mean = mean + np.einsum("cfi,ci->cf", measured.gradients, expansions.bias)
    return Control(expansions, measured, atoms, mean)


class Results(NamedTuple):
    """Per replicate and cell: functional ``values (R, C, F)`` at the fitted rule (NaN where none
    was found), ``controls (R, C, F)`` less their exact means, ``status (R, C)``."""

    values: AnyArray
    controls: AnyArray
    status: AnyArray


def control_variate(control: Control, fitted: Fit) -> Array:
    """``c - E c`` for every cell and functional, ``(C, F)``."""

    def second(expansion: Sandwich, d: Array, hessian: Array) -> Array:
        bend = third_derivative(expansion.curvature, expansion.taus, control.atoms, jnp.outer(d, d))
        return -expansion.inverse @ ((hessian - expansion.hessian) @ d + 0.5 * bend)

    d = linear_estimate(control, fitted)
    d2 = jax.vmap(second)(control.expansions, d, fitted.hessian)
    first_order = jnp.einsum("cfi,ci->cf", control.measured.gradients, d + d2)
    quadratic = jnp.einsum("cfij,ci,cj->cf", control.measured.hessians, d, d)
    return first_order + 0.5 * quadratic - control.mean


def linear_estimate(control: Control, fitted: Fit) -> Array:
    """``d = -A score`` of every cell, ``(C, p)``: the first-order error of the estimator."""
    return -jnp.einsum("cij,cj->ci", control.expansions.inverse, fitted.score)


class Recipe(NamedTuple):
    """All that determines a unit's replicates, as arrays."""

    layout: Segments
    control: Control
    groups: Atoms
    penalty: Array
    grid: Grid
    key: Array


class Static(NamedTuple):
    """What the compiled program is specialised to; ``size``: replicates it has room for."""

    loss: Loss
    size: int
    intercept: bool
    repeats: bool


class Parameters(NamedTuple):
    """Fitted parameters ``theta (R, C, p)``, their linear estimates ``d (R, C, p)`` (mean exactly
    0) and ``status (R, C)``."""

    theta: AnyArray
    linear: AnyArray
    status: AnyArray


def _each(
    recipe: Recipe,
    static: Static,
    first: Array,
    count: Array,
    empty: Any,
    note: Callable[[Array, Fit, Any], Any],
) -> Any:
    """Draw and fit replicate after replicate; ``note(index, fit, results)`` records each."""
    expansions = recipe.control.expansions
    start, inverse = expansions.minimiser.theta, expansions.inverse

    def one(index: Array, state: tuple[Sample, Any]) -> tuple[Sample, Any]:
        room, results = state
        replicate = first + index.astype(jnp.uint32)
        sample = draw_sample(recipe.layout, recipe.key, replicate, room, intercept=static.intercept)
        fitted = fit(static.loss, recipe.layout, sample, recipe.penalty, start, inverse)
        return sample, note(index, fitted, results)

    # All replicates draw into the same room.
    room = empty_sample(recipe.layout, intercept=static.intercept, repeats=static.repeats)
    return lax.fori_loop(0, count, one, (room, empty))[1]


@partial(jax.jit, static_argnames="static")
def replicates(recipe: Recipe, first: Array, count: Array, *, static: Static) -> Results:
    """Results of replicates ``first .. first + count - 1``, one after the other."""
    control = recipe.control
    cells, functional_count = control.mean.shape

    def note(index: Array, fitted: Fit, results: Results) -> Results:
        measured = lax.map(
            lambda theta: functionals.values(static.loss, theta, recipe.groups, recipe.grid),
            fitted.theta,
        )
        found = (fitted.status == FOUND)[:, None]
        return Results(
            results.values.at[index].set(jnp.where(found, measured, jnp.nan)),
            results.controls.at[index].set(control_variate(control, fitted)),
            results.status.at[index].set(fitted.status),
        )

    empty = Results(
        jnp.full((static.size, cells, functional_count), jnp.nan),
        jnp.full((static.size, cells, functional_count), jnp.nan),
        jnp.zeros((static.size, cells), jnp.int8),
    )
    return _each(recipe, static, first, count, empty, note)


@partial(jax.jit, static_argnames="static")
def parameters(recipe: Recipe, first: Array, count: Array, *, static: Static) -> Parameters:
    """The fitted parameters themselves, for the same replicates as ``replicates``."""
    shape = (static.size, *recipe.control.expansions.bias.shape)

    def note(index: Array, fitted: Fit, results: Parameters) -> Parameters:
        found = (fitted.status == FOUND)[:, None]
        linear = linear_estimate(recipe.control, fitted)
        return Parameters(
            results.theta.at[index].set(jnp.where(found, fitted.theta, jnp.nan)),
            results.linear.at[index].set(linear),
            results.status.at[index].set(fitted.status),
        )

    empty = Parameters(jnp.full(shape, jnp.nan), jnp.zeros(shape), jnp.zeros(shape[:2], jnp.int8))
    return _each(recipe, static, first, count, empty, note)
