"""Replicates of rules in closed form: squared loss, LDA, mean difference, from the sample's moments.

The moments come from sums over prefixes wherever every stream of rows follows one Gaussian law:
the cost then does not depend on the counts but for a factor ``log n``. Where rows are mixtures or
repeat others they come from the rows, as for any other estimator.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.plugins import PLUGINS, Plugin, plugin
from simulations.population.quadrature import Grid
from simulations.population.units import Unit, key_words
from simulations.sampling.controls import Control
from simulations.sampling.layout import spanned_of
from simulations.sampling.prepared import prepared
from simulations.sampling.replicate import (
    Parameters,
    Results,
    empty_parameters,
    empty_results,
    kept_parameters,
    kept_results,
)
from simulations.sampling.rooms import TILE, Room, size_class
from simulations.sampling.rooms import room as row_room
from simulations.sampling.sample import draw_sample, empty_sample, view
from simulations.sampling.segments import segments, tiled
from simulations.statistics.closed_rules import Found, Given, solve_tile
from simulations.statistics.row_moments import (
    by_sums,
    draw_sums,
    moments_of_rows,
    moments_of_sums,
    streams,
)

# Places to spare cost nothing: few shapes, so that more units share a compiled program.
FEWEST_TILES = 8


class Recipe(NamedTuple):
    """All that determines a unit's replicates: ``source`` are `Streams` or the `Segments` of rows;
    ``plugin`` (``None`` for the squared loss) and ``spanned`` have leading axes ``(T, TILE)``."""

    source: Any
    tiles_used: AnyArray
    control: Control
    plugin: Plugin | None
    spanned: AnyArray
    atoms: Atoms
    groups: Atoms
    penalty: AnyArray
    grid: Grid
    key: AnyArray


class Static(NamedTuple):
    """What the compiled program is specialised to; ``sums``: no rows are drawn, ``size``: replicates
    it has room for."""

    kind: str
    loss: Loss
    size: int
    intercept: bool
    sums: bool
    room: Room


def applies(unit: Unit) -> bool:
    """Whether a unit's replicates are computed here."""
    return unit.sweep.estimator.kind in PLUGINS or by_sums(unit)


def room(unit: Unit) -> Room:
    """What a unit needs room for: its rows, or no rows at all where sums are drawn."""
    if by_sums(unit):
        return Room(size_class(FEWEST_TILES, -(-len(unit.cells) // TILE)), 0, 0, 0, False)
    return row_room(unit)


def static(unit: Unit, size: int, room: Room) -> Static:
    """What the program of a unit is specialised to, with room for ``size`` replicates."""
    estimator = unit.sweep.estimator
    return Static(estimator.kind, unit.loss, size, estimator.intercept, by_sums(unit), room)


@partial(quick_jit, static_argnames="pooled")
def _plugins(pooled: bool, weights: Array, atoms: Atoms) -> Plugin:
    return jax.vmap(lambda q: plugin(pooled, q, atoms))(weights)


def layout(unit: Unit, cells: tuple[int, ...], room: Room) -> tuple[Any, np.ndarray]:
    """Streams or segments for these cells, and which of them stands at each place of the tiles."""
    if not by_sums(unit):
        return segments(unit, cells, room)
    spare = room.tiles * TILE - len(cells)
    order = np.concatenate([np.arange(len(cells)), np.full(spare, len(cells) - 1)])
    return streams(unit, np.array(cells)[order]), order


def recipe(
    unit: Unit, source: Any, control: Control, grid: Grid, cells: np.ndarray, used: int
) -> Recipe:
    """What the program takes; ``cells (T * TILE,)`` stand in the tiles, the first ``used`` counting."""
    own = None
    if unit.sweep.estimator.kind in PLUGINS:
        weights = unit.components.total_weight @ unit.components.mixing
        pooled = PLUGINS[unit.sweep.estimator.kind]
        own = tiled(_plugins(pooled, weights, unit.components.atoms), cells)
    return Recipe(
        source,
        np.asarray(-(-used // TILE), np.int32),
        control,
        own,
        tiled(spanned_of(unit, cells), np.arange(len(cells))),
        unit.components.atoms,
        unit.groups,
        unit.penalty,
        grid,
        key_words(unit),
    )


def _each(given: Recipe, static: Static, first: Array, count: Array, empty: Any, note: Any) -> Any:
    """Replicate after replicate, tile after tile; ``note(found)`` says what is kept of a tile."""

    def tiles(index: Array, results: Any, source: Any) -> Any:
        def tile(number: Array, results: Any) -> Any:
            control, plugin = (
                jax.tree.map(lambda part: part[number], parts)
                for parts in (given.control, given.plugin)
            )
            here = Given(
                control, plugin, given.spanned[number], given.atoms, given.groups, given.penalty
            )
            dim = given.groups.means.shape[1] - static.intercept
            found = solve_tile(static.kind, dim, here, partial(source, number))
            return jax.tree.map(
                lambda all_, new: all_.at[index, number].set(new), results, note(found)
            )

        return lax.fori_loop(0, given.tiles_used, tile, results)

    def from_sums(index: Array, results: Any) -> Any:
        key = draws.replicate_key(given.key, first + index.astype(jnp.uint32))
        sums = draw_sums(given.source, key)
        return tiles(index, results, partial(moments_of_sums, given.source, sums))

    def from_rows(index: Array, state: tuple[Any, Any]) -> tuple[Any, Any]:
        held, results = state
        replicate = first + index.astype(jnp.uint32)
        drawn = draw_sample(given.source, given.key, replicate, held, intercept=static.intercept)
        # No control variate of a plug-in rule on fitted rows is known: there is no score to couple.
        sample = prepared(given.source, given.control, drawn, given.penalty, static).sample

        def source(number: Array, centre: Array) -> Array:
            seen = view(
                given.source,
                sample,
                number,
                intercept=static.intercept,
                room=static.room.raw,
            )
            return moments_of_rows(seen, centre)

        return sample, tiles(index, results, source)

    if static.sums:
        return lax.fori_loop(0, count, from_sums, empty)
    held = empty_sample(
        given.source, given.key, intercept=static.intercept, stream=static.room.stream
    )
    return lax.fori_loop(0, count, from_rows, (held, empty))[1]


@partial(quick_jit, static_argnames="static")
def replicates(given: Recipe, first: Array, count: Array, *, static: Static) -> Results:
    """As `simulations.sampling.replicate.replicates`."""

    def note(found: Found) -> Results:
        return kept_results(
            static.loss, given.groups, given.grid, found.theta, found.controls, found.status
        )

    lead = (static.size, *given.spanned.shape)
    empty = empty_results(lead, given.control.mean.shape[-1])
    return _each(given, static, first, count, empty, note)


@partial(quick_jit, static_argnames="static")
def parameters(given: Recipe, first: Array, count: Array, *, static: Static) -> Parameters:
    """As `simulations.sampling.replicate.parameters`."""

    def note(found: Found) -> Parameters:
        return kept_parameters(found.theta, found.linear, found.status)

    empty = empty_parameters((static.size, *given.spanned.shape), given.penalty.shape[0])
    return _each(given, static, first, count, empty, note)
