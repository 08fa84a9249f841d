"""One replicate of a unit: draw, fit, measure exactly, and evaluate the control variates.

At the population minimiser let ``A`` be the inverse Hessian and ``T`` the third derivative of the
training mixture's risk, and ``g``, ``H_F``, ``T_F`` the derivatives of a functional. From the score and
the Hessian of the sample there,

    d = -A score,    d2 = -A ((sample Hessian - H) d + T[d, d]/2),

and four control variates follow the functional of the fitted rule term by term, each with
a mean that is known exactly at every sample size (paper_notes/excess_risk.md, section 6):

    g'd      d' H_F d / 2      g'd2      d' H_F d2 + T_F[d, d, d]/6
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.arrays import AnyArray, AnyLaws
from simulations.compilation import quick_jit
from simulations.linear import times
from simulations.population import cubic, functionals, sandwich
from simulations.population.functionals import Functionals
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.minimisers import Minimiser
from simulations.population.nodes import Table
from simulations.population.quadrature import Grid
from simulations.population.sandwich import Sandwich
from simulations.population.third_order import LARGEST_TENSOR
from simulations.population.units import Unit, UnitPopulation
from simulations.sampling.newton import FOUND, Fit, Start, fit
from simulations.sampling.sample import draw_sample, empty_sample, view
from simulations.sampling.segments import TILE, Room, Segments, tiled

CONTROLS = 4


class Control(NamedTuple):
    """What the fit and the control variates need of the population, the cells laid out in tiles:
    every array has leading axes ``(T, TILE)``. ``mean (T, TILE, CONTROLS, F)``: the exact means."""

    expansions: Sandwich
    measured: Functionals
    mean: AnyArray


def make_control(population: UnitPopulation, cells: np.ndarray) -> Control:
    """The controls of these cells ``(T * TILE,)`` of a unit."""
    expansions, measured = population.expansions, population.measured
    mean = np.stack(
        [
            np.zeros(measured.values.shape),
            0.5 * np.einsum("cfij,cij->cf", measured.hessians, expansions.spread),
            np.einsum("cfi,ci->cf", measured.gradients, expansions.bias),
            population.cubic_mean,
        ],
        axis=1,
    )

    return tiled(Control(expansions, measured, mean), cells)


def blank_control(unit: Unit, size: Room) -> Control:
    """A control of the right shapes, to compile with before the population is known."""
    groups, features = unit.groups.means.shape
    atoms, measures = len(unit.components.atoms.labels), 2 * groups

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros((size.tiles, TILE, *shape))

    vector, matrix = zeros(features), zeros(features, features)
    bends = (zeros(atoms, 4), zeros(atoms, features)), (zeros(measures, 4), zeros(groups, features))
    if isinstance(unit.groups, Table):
        cube = (features, features, features)
        bends = (zeros(*cube), None), (zeros(measures, *cube), None)
    return Control(
        Sandwich(
            Minimiser(vector, zeros(), zeros() > 0.0),
            *(matrix, matrix, matrix, matrix),
            *(vector, *bends[0]),
        ),
        Functionals(
            zeros(measures),
            zeros(measures, features),
            zeros(measures, features, features),
            *bends[1],
        ),
        zeros(CONTROLS, measures),
    )


class Results(NamedTuple):
    """Per replicate and cell: functional ``values (R, C, F)`` at the fitted rule (NaN where none
    was found), ``controls (R, C, J, F)`` less their exact means, ``status (R, C)``."""

    values: AnyArray
    controls: AnyArray
    status: AnyArray


class Parameters(NamedTuple):
    """Fitted parameters ``theta (R, C, p)``, their linear estimates ``d (R, C, p)`` (mean exactly
    0) and ``status (R, C)``."""

    theta: AnyArray
    linear: AnyArray
    status: AnyArray


def kept_results(
    loss: Loss, groups: Atoms | Table, grid: Grid, theta: Array, controls: Array, status: Array
) -> Results:
    """What is kept of the rules ``theta (TILE, p)`` of a tile: their exact risks and errors."""
    values = lax.map(lambda rule: functionals.values(loss, rule, groups, grid), theta)
    return Results(jnp.where((status == FOUND)[:, None], values, jnp.nan), controls, status)


def kept_parameters(theta: Array, linear: Array, status: Array) -> Parameters:
    """What is kept of the rules of a tile: themselves."""
    return Parameters(jnp.where((status == FOUND)[:, None], theta, jnp.nan), linear, status)


def empty_results(lead: tuple[int, ...], measures: int) -> Results:
    """Room for results of ``lead`` replicates, tiles and cells."""
    return Results(
        jnp.full((*lead, measures), jnp.nan),
        jnp.full((*lead, CONTROLS, measures), jnp.nan),
        jnp.zeros(lead, jnp.int8),
    )


def empty_parameters(lead: tuple[int, ...], features: int) -> Parameters:
    """Room for parameters of ``lead`` replicates, tiles and cells."""
    room = jnp.full((*lead, features), jnp.nan)
    return Parameters(room, room, jnp.zeros(lead, jnp.int8))


class Recipe(NamedTuple):
    """All that determines a unit's replicates, as arrays; ``spanned (T, TILE)``: whether a cell has
    rows enough for a unique rule; ``key (2,)`` are the key's words."""

    segments: Segments
    control: Control
    spanned: AnyArray
    atoms: AnyLaws
    groups: AnyLaws
    penalty: AnyArray
    grid: Grid
    key: AnyArray


class Static(NamedTuple):
    """What the compiled program is specialised to; ``size``: replicates it has room for."""

    loss: Loss
    size: int
    intercept: bool
    room: Room


def linear_estimate(control: Control, fitted: Fit) -> Array:
    """``d = -A score`` of every cell, ``(TILE, p)``: the first-order error of the estimator."""
    return -times(control.expansions.inverse, fitted.score)


def third_along(expansions: Sandwich, atoms: Atoms | Table, directions: Array) -> Array:
    """``T[d]`` of every cell, ``(TILE, p, p)``, for directions ``d (TILE, p)``."""
    if isinstance(atoms, Table):
        return jnp.einsum("cijk,ck->cij", expansions.curvature, directions)

    def one(expansion: Sandwich, direction: Array) -> Array:
        forms = sandwich.forms(expansion, atoms)
        return jax.vmap(lambda form: cubic.along(form, direction))(forms).sum(axis=0)

    return jax.vmap(one)(expansions, directions)


def control_variates(
    control: Control, atoms: Atoms | Table, groups: Atoms | Table, fitted: Fit
) -> Array:
    """The control variates less their means, ``(TILE, CONTROLS, F)``, of the cells of a tile."""
    expansions, measured = control.expansions, control.measured
    d = linear_estimate(control, fitted)
    bend = third_along(expansions, atoms, d)
    turned = times(fitted.hessian - expansions.hessian + 0.5 * bend, d)
    d2 = -times(expansions.inverse, turned)
    curved = times(measured.hessians, d[:, None, :])
    pieces = [
        times(measured.gradients, d),
        0.5 * times(curved, d),
        times(measured.gradients, d2),
    ]
    if d.shape[1] > LARGEST_TENSOR:
        pieces.append(jnp.zeros_like(pieces[0]))
    else:

        def cubes(at: Functionals, direction: Array) -> Array:
            return functionals.cubes(at, groups, direction)

        pieces.append(times(curved, d2) + jax.vmap(cubes)(measured, d) / 6.0)
    return jnp.stack(pieces, axis=1) - control.mean


def _each(
    recipe: Recipe,
    static: Static,
    first: Array,
    count: Array,
    empty: Any,
    note: Callable[[Control, Fit], Any],
) -> Any:
    """Draw and fit replicate after replicate, tile after tile; ``note(control, fit)`` says what is
    kept of a tile, ``empty`` has room ``(size, T, ..)`` for it."""
    segments = recipe.segments

    def one(index: Array, state: tuple[Any, Any]) -> tuple[Any, Any]:
        room, results = state
        replicate = first + index.astype(jnp.uint32)
        sample = draw_sample(segments, recipe.key, replicate, room, intercept=static.intercept)

        def tile(number: Array, results: Any) -> Any:
            control = jax.tree.map(lambda part: part[number], recipe.control)
            expansions = control.expansions
            seen = view(
                segments,
                sample,
                number,
                intercept=static.intercept,
                room=static.room.raw,
            )
            start = Start(
                expansions.minimiser.theta,
                expansions.hessian,
                expansions.inverse,
                lambda directions: third_along(expansions, recipe.atoms, directions),
            )
            fitted = fit(static.loss, seen, recipe.penalty, start, recipe.spanned[number])
            kept = note(control, fitted)
            return jax.tree.map(lambda all_, new: all_.at[index, number].set(new), results, kept)

        return sample, lax.fori_loop(0, segments.tiles_used, tile, results)

    # All replicates draw into the same room.
    room = empty_sample(segments, recipe.key, intercept=static.intercept, stream=static.room.stream)
    return lax.fori_loop(0, count, one, (room, empty))[1]


@partial(quick_jit, static_argnames="static")
def replicates(recipe: Recipe, first: Array, count: Array, *, static: Static) -> Results:
    """Results of replicates ``first .. first + count - 1``, one after the other; the cells' axis is
    split into tiles: ``values (size, T, TILE, F)`` and so on."""

    def note(control: Control, fitted: Fit) -> Results:
        controls = control_variates(control, recipe.atoms, recipe.groups, fitted)
        return kept_results(
            static.loss, recipe.groups, recipe.grid, fitted.theta, controls, fitted.status
        )

    lead = (static.size, *recipe.spanned.shape)
    empty = empty_results(lead, recipe.control.mean.shape[-1])
    return _each(recipe, static, first, count, empty, note)


@partial(quick_jit, static_argnames="static")
def parameters(recipe: Recipe, first: Array, count: Array, *, static: Static) -> Parameters:
    """The fitted parameters themselves, for the same replicates as ``replicates``."""

    def note(control: Control, fitted: Fit) -> Parameters:
        return kept_parameters(fitted.theta, linear_estimate(control, fitted), fitted.status)

    empty = empty_parameters((static.size, *recipe.spanned.shape), recipe.penalty.shape[0])
    return _each(recipe, static, first, count, empty, note)
