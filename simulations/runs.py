"""Runs: all replicates of a unit, from the store where it holds them, computed where not."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulations import store
from simulations.engine import Chunk, chunks, run_chunks
from simulations.estimates import join, one_cell
from simulations.replicate import Results
from simulations.tasks import Task
from simulations.units import Unit

Advance = Callable[[int], None]


def run_unit(task: Task, replicates: int, directory: Path | None, advance: Advance) -> Results:
    """Results of every cell in replicates ``0 .. replicates - 1``.

    With a directory, chunks it holds are read and the others computed and kept, cell by cell.
    ``advance`` is told how many replicates came in.
    """
    unit = task.unit
    wanted = chunks(replicates)
    cells = range(len(unit.cells))
    functionals = 2 * len(unit.world.names)
    held: dict[tuple[int, int], Results] = {}
    if directory is not None:
        for chunk in wanted:
            for c in cells:
                path = store.shard_path(directory, unit, unit.cells[c], chunk)
                found = store.read_shard(path, functionals, chunk)
                if found is not None:
                    held[chunk.first, c] = found
    lacking = [k for k in wanted if any((k.first, c) not in held for c in cells)]
    advance(replicates - sum(chunk.count for chunk in lacking))
    if lacking:
        _compute(task, lacking, held, directory, advance)
    return join([join([held[k.first, c] for k in wanted]) for c in cells], axis=1)


def _compute(
    task: Task,
    lacking: list[Chunk],
    held: dict[tuple[int, int], Results],
    directory: Path | None,
    advance: Advance,
) -> None:
    """Compute the lacking chunks into ``held``, and keep the cells that were missing.

    All cells are computed together, as without a store: a matrix product of fewer cells may round
    differently, and a resumed run must not.
    """
    unit = task.unit
    with contextlib.closing(run_chunks(task, lacking)) as computed:
        for chunk, results in computed:
            for c, cell in enumerate(unit.cells):
                if (chunk.first, c) in held:
                    continue
                held[chunk.first, c] = one_cell(results, c)
                if directory is not None:
                    path = store.shard_path(directory, unit, cell, chunk)
                    store.write_shard(path, held[chunk.first, c], chunk)
            advance(chunk.count)


def unit_status(unit: Unit, generator: str, directory: Path | None) -> list[dict[str, Any]]:
    """Per cell of a unit: replicates wanted, held by a run directory, and missing.

    Only the ends of the shards are read: damage inside one is found when it is used.
    """
    replicates = unit.sweep.run.replicates
    rows = []
    for cell in unit.cells:
        held = 0
        if directory is not None:
            held = sum(
                min(k.count, store.rows_held(store.shard_path(directory, unit, cell, k)))
                for k in chunks(replicates)
            )
        rows.append(
            {
                "generator": generator,
                "counts": dict(zip(unit.world.names, unit.counts.tolist(), strict=True)),
                "ratio": cell.ratio,
                "augment": cell.augment,
                "wanted": replicates,
                "held": held,
                "missing": replicates - held,
            }
        )
    return rows
