"""The Monte-Carlo engine: chunks of replicates of a unit, spread over the cores.

A chunk is a range of replicate numbers; its result depends on the unit and on these numbers
only, so chunks may be computed in any order, by any worker, in any run, and give the same bits.
"""

import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from simulations import draws
from simulations.replicate import Recipe, Static, make_control, replicates
from simulations.segments import segments
from simulations.units import Unit, UnitPopulation, unit_population

CHUNK = 100


class Chunk(NamedTuple):
    """Replicates ``first .. first + count - 1``."""

    first: int
    count: int


class Task(NamedTuple):
    """A unit made ready to simulate: its exact population and what the compiled program takes."""

    unit: Unit
    population: UnitPopulation
    recipe: Recipe
    static: Static


def chunks(count: int) -> list[Chunk]:
    """Replicates 0..count-1 in chunks of ``CHUNK``, the last one perhaps shorter."""
    return [Chunk(first, min(CHUNK, count - first)) for first in range(0, count, CHUNK)]


def workers() -> int:
    """How many chunks run at a time: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        Static(unit.loss, CHUNK, unit.sweep.estimator.intercept, repeats),
    )


def _run(program: Callable[..., Any], task: Task, chunk: Chunk) -> Any:
    first, count = np.uint32(chunk.first), np.int32(chunk.count)
    results = program(task.recipe, first, count, static=task.static)
    return type(results)(*(np.asarray(part)[: chunk.count] for part in results))


def run_chunks(
    task: Task, wanted: list[Chunk], program: Callable[..., Any] = replicates
) -> Generator[tuple[Chunk, Any]]:
    """Results of the wanted chunks, in their order, computed on all cores.

    ``program`` is ``replicates`` (risks and errors) or ``parameters`` (the fitted rules).
    """
    with ThreadPoolExecutor(workers()) as pool:
        futures = [pool.submit(_run, program, task, chunk) for chunk in wanted]
        try:
            for chunk, future in zip(wanted, futures, strict=True):
                yield chunk, future.result()
        finally:
            for future in futures:
                future.cancel()
