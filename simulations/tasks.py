"""Tasks: a unit made ready to simulate, and the replicates of some of its cells.

The results of a replicate depend on the unit, the cell and the replicate's number only: not on
which cells or replicates are computed beside it.
"""

from typing import Any, NamedTuple

import numpy as np

from simulations import draws
from simulations.replicate import (
    Parameters,
    Recipe,
    Results,
    Static,
    make_control,
    parameters,
    replicates,
)
from simulations.segments import segments
from simulations.units import Unit, UnitPopulation, unit_population


class Task(NamedTuple):
    """A unit with its exact population and what the compiled program takes."""

    unit: Unit
    population: UnitPopulation
    recipe: Recipe
    static: Static


def prepare(unit: Unit) -> Task:
    """Solve a unit's population and lay out its rows."""
    population = unit_population(unit)
    layout = segments(unit)
    control = make_control(population, unit.components.atoms)
    key = draws.sample_key(
        unit.sweep.run.seed, unit.sweep.setting.model_dump(mode="json"), unit.counts
    )
    repeats = bool(layout.index_blocks.used > 0)
    return Task(
        unit,
        population,
        Recipe(layout, control, unit.groups, unit.penalty, population.grid, key),
        Static(unit.loss, 128, unit.sweep.estimator.intercept, repeats),
    )


def compute(task: Task, first: int, count: int, cells: tuple[int, ...] | None = None) -> Results:
    """Results of replicates ``first .. first + count - 1`` of these cells (``None``: all), in order."""
    return _run(replicates, task, first, count, cells)


def compute_parameters(
    task: Task, first: int, count: int, cells: tuple[int, ...] | None = None
) -> Parameters:
    """The fitted parameters themselves, for the same replicates as ``compute``."""
    return _run(parameters, task, first, count, cells)


def _run(program: Any, task: Task, first: int, count: int, cells: tuple[int, ...] | None) -> Any:
    chosen = np.arange(len(task.unit.cells)) if cells is None else np.array(cells)
    results = program(task.recipe, np.uint32(first), np.int32(count), static=task.static)
    return type(results)(*(np.asarray(part)[:count, chosen] for part in results))
