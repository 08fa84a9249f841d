"""One replicate of a unit: draw, fit, measure exactly, and evaluate the control variates."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.arrays import AnyArray, AnyLaws
from simulations.compilation import quick_jit
from simulations.population import functionals
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.nodes import Table
from simulations.population.quadrature import Grid
from simulations.sampling.controls import (
    CONTROLS,
    Control,
    control_variates,
    linear_estimate,
    third_along,
)
from simulations.sampling.newton import FOUND, Fit, Start, fit
from simulations.sampling.prepared import prepared
from simulations.sampling.rooms import Room
from simulations.sampling.sample import draw_sample, empty_sample, view
from simulations.sampling.segments import Segments


class Results(NamedTuple):
    """Per replicate and cell: functional ``values (R, C, F)`` at the fitted rule (NaN where none
    was found), ``controls (R, C, J, F)`` less their exact means, ``status (R, C)``."""

    values: AnyArray
    controls: AnyArray
    status: AnyArray


class Parameters(NamedTuple):
    """Fitted parameters ``theta (R, C, p)``, their linear estimates ``d (R, C, p)`` (mean exactly
    0; NaN where no such estimate is known) and ``status (R, C)``."""

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
        drawn = draw_sample(segments, recipe.key, replicate, room, intercept=static.intercept)
        sample, scores = prepared(segments, recipe.control, drawn, recipe.penalty, static)

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
            if scores is not None:
                fitted = fitted._replace(score=scores[number])
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
