"""Runs: the replicates of a unit, a fixed number or as many as a target precision asks for."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulations.population.units import Unit, metrics_of
from simulations.runs import store
from simulations.runs.engine import Crew, Pace, chunks
from simulations.runs.estimates import Evidence, evidence_of
from simulations.runs.moments import Moments, accumulated, merge, pick
from simulations.runs.sequential import Watch, begin, consult, looks
from simulations.runs.supply import Order, Source, source_of, supply
from simulations.runs.tasks import Task, balanced_values

Advance = Callable[[int], None]


class Sampled(NamedTuple):
    """What a run gives: the evidence for the estimates, and the number of cells that have all
    replicates they may have without having reached their target."""

    evidence: Evidence
    unreached: int


def run_unit(task: Task, directory: Path | None, crew: Crew, advance: Advance) -> Sampled:
    """Simulate a unit as its configuration asks.

    With a directory, what it holds is read and the rest is computed and kept, cell by cell.
    ``advance`` is told how many replicates of all cells came in, or, with a target precision,
    how many cells have all they need.

    Args:
        task: the unit and what it needs.
        directory: of the run; None: nothing is kept.
        crew: who computes.
        advance: told of progress.
    """
    run = task.unit.sweep.run
    baseline = np.asarray(task.population.balanced_values)
    source = source_of(task, directory, crew)
    cells = tuple(range(len(task.unit.cells)))
    if run.target_relative_se is None:
        stream = supply(source, Order(cells, 0, run.replicates), advance)
        return Sampled(
            evidence_of(accumulated(stream, baseline, 0, len(metrics_of(task.unit.sweep)))), 0
        )
    further = partial(_further, source, baseline)
    watch = until_precise(further, cells, run.target_relative_se, run.max_replicates, advance)
    return Sampled(watch.evidence, int((~watch.reached.all(axis=0)).sum()))


def _further(
    source: Source, baseline: np.ndarray, cells: tuple[int, ...], start: int, stop: int
) -> Moments:
    """Moments of replicates ``start .. stop - 1`` of these cells."""
    stream = supply(source, Order(cells, start, stop), lambda _: None)
    return accumulated(stream, baseline, start, len(metrics_of(source.unit.sweep)))


def until_precise(
    further: Callable[[tuple[int, ...], int, int], Moments],
    cells: tuple[int, ...],
    target: float,
    most: int,
    advance: Advance = lambda _: None,
) -> Watch:
    """Look after look, more replicates for the cells that need them, until none does.

    ``further(cells, start, stop)`` gives the moments of replicates ``start .. stop - 1`` of cells;
    ``advance`` is told how many cells have ended.

    Args:
        further: gives moments of more replicates.
        cells: numbers of the cells.
        target: standard error over size.
        most: replicates of a cell.
        advance: told of progress.
    """
    schedule = looks(most)
    both = further(cells, 0, schedule[0])
    watch = consult(begin(both), both, target, last=schedule[0] == most)
    advance(len(cells) - int(watch.running.sum()))
    for start, stop in pairwise(schedule):
        running = np.flatnonzero(watch.running)
        if len(running) == 0:
            break
        new = further(tuple(cells[place] for place in running), start, stop)
        both = _placed(both, running, merge(pick(both, running), new))
        watch = consult(watch, both, target, last=stop == most)
        advance(len(running) - int(watch.running.sum()))
    return watch


def _placed(both: Moments, cells: np.ndarray, part: Moments) -> Moments:
    """The moments with those of some cells replaced."""
    changed = Moments(*(array.copy() for array in both))
    for array, new in zip(changed, part, strict=True):
        array[:, cells] = new
    return changed


class Lacking(Exception):  # noqa: N818
    """Raised where replicates would have to be computed."""


def unit_status(unit: Unit, generator: str, directory: Path | None) -> list[dict[str, Any]]:
    """Per cell of a unit: replicates wanted, held by a run directory and missing, and its state.

    For a number of replicates only the ends of the shards are read: damage inside one is found when
    it is used. With a target precision nobody knows beforehand how many are wanted: the replicates
    held are read and the stopping is done again, which tells whether they are enough.

    Args:
        unit: one generator of a sweep.
        generator: its label in the table.
        directory: of the run.
    """
    run = unit.sweep.run
    target = run.target_relative_se is not None
    baseline = balanced_values(unit) if target and directory else None
    rows = []
    for c, cell in enumerate(unit.cells):
        held = 0 if directory is None else _held(unit, c, directory, run.most)
        if baseline is not None and directory is not None:
            done = held > 0 and _enough(unit, c, directory, baseline)
        else:
            done = held == run.replicates
        rows.append(
            {
                "generator": generator,
                "counts": dict(zip(unit.world.names, unit.counts.tolist(), strict=True)),
                "ratio": cell.ratio,
                "augment": cell.augment,
                "wanted": run.replicates,
                "held": held,
                "missing": None if target else run.replicates - held,
                "state": "done" if done else "unfinished",
            }
        )
    return rows


def _held(unit: Unit, cell: int, directory: Path, most: int) -> int:
    """How many of a cell's first ``most`` replicates a directory holds, by the ends of the shards;
    the first chunk that holds none ends the search where nobody knows how many there are."""
    held = 0
    for chunk in chunks(most):
        path = store.shard_path(directory, unit, unit.cells[cell], chunk)
        here = min(chunk.count, store.rows_held(path))
        if here == 0 and unit.sweep.run.replicates is None:
            break
        held += here
    return held


def _enough(unit: Unit, cell: int, directory: Path, baseline: np.ndarray) -> bool:
    """Whether the replicates held of a cell are all that its target precision asks for."""

    def refuse(*_: Any) -> Any:
        raise Lacking

    run = unit.sweep.run
    source = Source(unit, directory, refuse, refuse, lambda: 1, Pace())
    further = partial(_further, source, baseline)
    try:
        until_precise(further, (cell,), run.target_relative_se, run.max_replicates)
    except Lacking:
        return False
    return True
