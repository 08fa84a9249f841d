"""The Monte-Carlo engine: chunks of replicates of a unit, spread over the cores.

A chunk is a range of replicate numbers; its result depends on the unit and on these numbers
only, so chunks may be computed in any order, by any worker, in any run, and give the same bits.
"""

import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from simulations.tasks import Task, compute

CHUNK = 100


class Chunk(NamedTuple):
    """Replicates ``first .. first + count - 1``."""

    first: int
    count: int


def chunks(count: int) -> list[Chunk]:
    """Replicates 0..count-1 in chunks of ``CHUNK``, the last one perhaps shorter."""
    return [Chunk(first, min(CHUNK, count - first)) for first in range(0, count, CHUNK)]


def workers() -> int:
    """How many chunks run at a time: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_chunks(
    task: Task, wanted: list[Chunk], program: Callable[..., Any] | None = None
) -> Generator[tuple[Chunk, Any]]:
    """Results of the wanted chunks, in their order, computed on all cores.

    ``program`` is ``compute`` (risks and errors) or ``compute_parameters`` (the fitted rules).
    """
    with ThreadPoolExecutor(workers()) as pool:
        futures = [
            pool.submit(program or compute, task, chunk.first, chunk.count) for chunk in wanted
        ]
        try:
            for chunk, future in zip(wanted, futures, strict=True):
                yield chunk, future.result()
        finally:
            for future in futures:
                future.cancel()
