"""Tasks: a unit made ready to simulate, and the replicates of some of its cells.

The results of a replicate depend on the unit, the cell and the replicate's number only: not on
which cells or replicates are computed beside it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Lock
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from simulations.compilation import Quick, quick_jit
from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.units import (
    FIRST_SPREAD,
    Unit,
    key_words,
    unit_population,
)
from simulations.sampling.controls import Control, blank_control, make_control
from simulations.sampling.layout import spanned_of
from simulations.sampling.replicate import (
    Parameters,
    Recipe,
    Results,
    Static,
    parameters,
    replicates,
)
from simulations.sampling.rooms import Room, room
from simulations.sampling.segments import segments, tiled
from simulations.setup.regimes import is_proportional, is_tokens
from simulations.statistics import closed_form
from simulations.token_sweeps import replicate as tokens
from simulations.token_sweeps.device import device_arrays
from simulations.token_sweeps.population import token_population
from simulations.token_sweeps.replicate import Ready, TokenRoom
from simulations.wide import replicate as wide
from simulations.wide.balanced import wide_population
from simulations.wide.layout import Layout, layout

# Replicates the compiled program has room for; longer ranges take several calls.
SIZE = 128
# The programs of rules in closed form.
CLOSED = {replicates: closed_form.replicates, parameters: closed_form.parameters}


class Task(NamedTuple):
    """A unit with its exact population and the sizes of its program; ``recipes`` remembers what
    the program takes for each choice of cells.

    ``population`` is a `UnitPopulation` and ``room`` a `Room`; in the proportional regime they are a
    `WidePopulation` and the `Layout` of the rows, and there is no program; for tokens a
    `TokenPopulation` and what its programs are `Ready` with."""

    unit: Unit
    population: Any
    room: Any
    recipes: dict[tuple[int, ...], tuple[Any, np.ndarray]]


def room_of(unit: Unit) -> Room | Layout | TokenRoom:
    """What a unit needs room for; raises ``InputError`` where its rows are too many to be drawn.

    Where sums are drawn in place of rows no count is too large.
    """
    if is_proportional(unit.sweep):
        return layout(unit)
    if is_tokens(unit.sweep):
        return tokens.room(unit)
    return closed_form.room(unit) if closed_form.applies(unit) else room(unit)


def balanced_values(unit: Unit) -> np.ndarray:
    """Risks and errors at the balanced minimiser, the reference of every excess risk, ``(2K,)``; of tokens,
    whose replicates hold excess risks already, zeros ``(3K,)``."""
    if is_tokens(unit.sweep):
        return np.zeros(3 * len(unit.counts))
    proportional = is_proportional(unit.sweep)
    found = wide_population(unit) if proportional else unit_population(unit)
    return np.asarray(found.balanced_values)


def prepare(unit: Unit, results: Callable[..., Any] | None = None) -> Task:
    """Solve a unit's population, and compile its program at the same time: that of ``results``, which is
    ``compute`` (where none is named) or ``compute_parameters``.

    Two programs are traced no faster side by side than in turn, so that the larger one comes first:
    its compiler can work while the other is traced.
    """
    size = room_of(unit)
    if isinstance(size, Layout):
        return Task(unit, wide_population(unit), size, {})
    if isinstance(size, TokenRoom):
        return _prepare_tokens(unit, size)
    control, grid = blank_control(unit, size), gaussian_grid(FIRST_SPREAD)
    blank, _ = _recipe(unit, tuple(range(len(unit.cells))), size, lambda _: control, grid)
    shape = (unit.loss, unit.components.mixing.shape, *unit.groups.means.shape)

    # A run of no replicates compiles the program.
    program = parameters if results is compute_parameters else replicates
    empty_run = _bound(program, unit, size, blank, 0, 0)
    named = (program, size, unit.sweep.estimator.intercept, *shape)

    def compiled() -> None:
        with _alone("compiled", *named):
            empty_run.program(*empty_run.arguments, **empty_run.static)

    with _alone("traced", *named):
        empty_run.program.lower(*empty_run.arguments, **empty_run.static)
    with ThreadPoolExecutor(1) as pool:
        compiling = pool.submit(compiled)
        with _alone("population", *shape):
            population = unit_population(unit)
        compiling.result()
    return Task(unit, population, size, {})


def _prepare_tokens(unit: Unit, size: TokenRoom) -> Task:
    # One at a time: units of a sweep have programs in common.
    with _alone("tokens"):
        population = token_population(unit)
        ready = Ready(population, device_arrays(unit, population), size)
        tokens.compile_programs(unit, ready)
    return Task(unit, population, ready, {})


@cache
def _alone(*program: Any) -> Lock:
    """One lock a program: of several units made ready at a time one compiles, the others wait."""
    return Lock()


def compute(task: Task, first: int, count: int, cells: tuple[int, ...] | None = None) -> Results:
    """Results of replicates ``first .. first + count - 1`` of these cells (``None``: all), in order."""
    if isinstance(task.room, Layout):
        return wide.replicates(task.unit, task.room, first, count, _chosen(task, cells))
    if isinstance(task.room, Ready):
        return tokens.replicates(task.unit, task.room, first, count, _chosen(task, cells))
    return _run(replicates, task, first, count, cells)


def compute_parameters(
    task: Task, first: int, count: int, cells: tuple[int, ...] | None = None
) -> Parameters:
    """The fitted parameters themselves, for the same replicates as ``compute``."""
    if isinstance(task.room, Layout):
        return wide.parameters(task.unit, task.room, first, count, _chosen(task, cells))
    if isinstance(task.room, Ready):
        return tokens.parameters(task.unit, task.room, first, count, _chosen(task, cells))
    return _run(parameters, task, first, count, cells)


def _chosen(task: Task, cells: tuple[int, ...] | None) -> tuple[int, ...]:
    return tuple(range(len(task.unit.cells))) if cells is None else tuple(cells)


def recipe_of(task: Task, cells: tuple[int, ...]) -> tuple[Any, np.ndarray]:
    """What the program takes for these cells, and which of them stands at each of its places."""
    if cells not in task.recipes:
        control = partial(make_control, task.unit, task.population)
        task.recipes[cells] = _recipe(task.unit, cells, task.room, control, task.population.grid)
    return task.recipes[cells]


def _recipe(
    unit: Unit,
    cells: tuple[int, ...],
    size: Room,
    control: Callable[[np.ndarray], Control],
    grid: Grid,
) -> tuple[Any, np.ndarray]:
    """What the program takes for these cells, and which of them stands at each of its places;
    ``control`` makes the controls of the cells in the tiles."""
    if closed_form.applies(unit):
        source, order = closed_form.layout(unit, cells, size)
        placed = np.array(cells)[order]
        return closed_form.recipe(unit, source, control(placed), grid, placed, len(cells)), order
    laid_out, order = segments(unit, cells, size)
    placed = np.array(cells)[order]
    recipe = Recipe(
        laid_out,
        control(placed),
        tiled(spanned_of(unit, placed), np.arange(len(placed))),
        unit.components.atoms,
        unit.groups,
        unit.penalty,
        grid,
        key_words(unit),
    )
    return recipe, order


class _Bound(NamedTuple):
    """A program with what it is called with; ``kept``: which of the results are those asked for."""

    program: Quick
    arguments: tuple[Any, ...]
    static: dict[str, Any]
    kept: slice | np.ndarray


def _bound(program: Quick, unit: Unit, size: Room, recipe: Any, first: int, count: int) -> _Bound:
    """The program for up to ``SIZE`` replicates, spread over the devices of this machine."""
    if closed_form.applies(unit):
        program, static = CLOSED[program], closed_form.static(unit, SIZE, size)
    else:
        static = Static(unit.loss, SIZE, unit.sweep.estimator.intercept, size)
    devices = jax.local_device_count()
    if devices == 1:
        arguments = (recipe, np.uint32(first), np.int32(count))
        return _Bound(program, arguments, {"static": static}, slice(count))
    shares = np.diff(np.linspace(0, count, devices + 1).astype(np.int32))
    starts = first + np.concatenate([[0], np.cumsum(shares)[:-1]])
    kept = np.concatenate([d * SIZE + np.arange(share) for d, share in enumerate(shares)])
    arguments = (recipe, starts.astype(np.uint32), shares)
    return _Bound(_spread(program, static), arguments, {}, kept)


@cache
def _spread(program: Quick, static: Any) -> Quick:
    """The program on every device at once, each with replicates of its own."""

    def one(recipe: Any, first: jax.Array, count: jax.Array) -> Any:
        return program.function(recipe, first[0], count[0], static=static)

    mesh = Mesh(np.array(jax.local_devices()), ("replicates",))
    whole, split = PartitionSpec(), PartitionSpec("replicates")
    # Replicates do not meet: there is nothing to check between devices.
    spread = jax.shard_map(
        one, mesh=mesh, in_specs=(whole, split, split), out_specs=split, check_vma=False
    )
    return quick_jit(spread)


def _run(program: Quick, task: Task, first: int, count: int, cells: tuple[int, ...] | None) -> Any:
    chosen = _chosen(task, cells)
    recipe, order = recipe_of(task, chosen)
    # Where each cell stands first; the places to spare come last.
    place = np.zeros(len(chosen), int)
    place[order[::-1]] = np.arange(len(order))[::-1]
    parts = []
    for start in range(0, count, SIZE):
        size = min(SIZE, count - start)
        bound = _bound(program, task.unit, task.room, recipe, first + start, size)
        results = bound.program(*bound.arguments, **bound.static)
        some = [np.asarray(part)[bound.kept] for part in results]
        flat = (part.reshape(len(part), -1, *part.shape[3:]) for part in some)
        parts.append(type(results)(*(part[:, place] for part in flat)))
    return type(parts[0])(*(np.concatenate(all_) for all_ in zip(*parts, strict=True)))
