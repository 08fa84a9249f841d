"""Shares of a run for job arrays: ``--shard I/K`` computes the I-th of K disjoint shares.

The work is cut by unit, block of cells and chunk of replicates, and dealt out in turn. Every
process writes its shards into one folder; whoever finds everything there writes the table.
"""

import re
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulations.problems import InputError
from simulations.runs.crews import crew_of
from simulations.runs.engine import Chunk, Crew, chunks
from simulations.runs.supply import Order, source_of, supply
from simulations.runs.tasks import prepare
from simulations.setup.configuration import Sweep
from synthlaw.simulating.predictions import Source
from synthlaw.simulating.simulation import (
    Part,
    Progress,
    announce,
    configured,
    counting,
    parts_of,
    side_by_side,
    simulate,
)
from synthlaw.simulating.state import plan_of


class Share(NamedTuple):
    """The ``number``-th of ``total`` shares, ``1 <= number <= total``."""

    number: int
    total: int


class Item(NamedTuple):
    """A piece of the work of a share: replicates of some cells of the ``part``-th unit."""

    part: int
    cells: tuple[int, ...]
    chunk: Chunk


def read_share(text: str) -> Share:
    """The share that ``I/K`` names; raises ``InputError`` for anything else.

    >>> read_share("2/5")
    Share(number=2, total=5)
    """
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    share = Share(*map(int, match.groups())) if match else Share(0, 0)
    if not 1 <= share.number <= share.total:
        raise InputError(
            f"--shard is {text}; give I/K with whole numbers 1 <= I <= K, such as 1/4."
        )
    return share


def check_share(config: Sweep) -> int:
    """The number of replicates of a run in shares; raises ``InputError`` where it is not fixed."""
    if config.run.replicates is None:
        raise InputError(
            "--shard needs a fixed number of replicates, because how many a target precision takes"
            " is known only from all shares; give --replicates, or use --executor."
        )
    return config.run.replicates


def items_of(parts: list[Part], replicates: int, share: Share) -> list[Item]:
    """The work of a share. All shares of one total are disjoint and together complete.

    The cells of a unit share their rows, so they are parted only where there would otherwise be
    fewer items than shares.

    Args:
        parts: the units of the sweep.
        replicates: of every cell.
        share: which share of how many.
    """
    wanted = chunks(replicates)
    blocks = -(-share.total // (len(parts) * len(wanted)))
    items = [
        Item(number, tuple(map(int, cells)), chunk)
        for number, part in enumerate(parts)
        for cells in _blocks(len(part.unit.cells), blocks)
        for chunk in wanted
    ]
    return items[share.number - 1 :: share.total]


def _blocks(cells: int, blocks: int) -> list[np.ndarray]:
    return np.array_split(np.arange(cells), min(cells, blocks))


def simulate_share(
    sweep: Source,
    out: str | Path,
    share: Share,
    replicates: int | None = None,
    progress: Progress | None = None,
    executor: str | Executor | None = None,
) -> pd.DataFrame | None:
    """Compute one share of a run into the folder ``out``.

    Args:
        sweep, out, replicates, executor: as for ``simulate``; a target precision is refused,
            because which replicates it needs is known only from those of all shares.
        share: which share; the others may run at the same time, on other machines.
        progress: called with (replicates done, replicates of this share in all).

    Returns:
        The table, which is then also in ``out``, when nothing is missing there any more; else None.

    Raises:
        ValueError: one sentence naming the place, the fault and the remedy.
    """
    config = configured(sweep, replicates)
    count = check_share(config)
    directory = Path(out)
    parts = parts_of(config)
    items = items_of(parts, count, share)
    mine = [[item for item in items if item.part == number] for number in range(len(parts))]
    total = sum(item.chunk.count for item in items)
    with crew_of(executor) as crew, counting(progress, total) as advance:
        announce(directory, config)

        def job(part: Part, its: list[Item]) -> Callable[[], None]:
            return lambda: _compute(part, its, directory, crew, advance)

        jobs = [job(part, its) for part, its in zip(parts, mine, strict=True) if its]
        side_by_side(jobs, crew.stopped)
    if missing(config, directory):
        return None
    return simulate(config, directory)


def missing(sweep: Source, directory: Path) -> int:
    """Replicates of cells that a run folder does not hold yet."""
    return sum(plan_of(sweep, out=directory)["missing"].tolist())


def _compute(
    part: Part, items: list[Item], directory: Path, crew: Crew, advance: Callable[[int], None]
) -> None:
    source = source_of(prepare(part.unit), directory, crew)
    for item in items:
        first, count = item.chunk
        for _ in supply(source, Order(item.cells, first, first + count), advance):
            pass
