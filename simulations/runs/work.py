"""The work a remote worker does: rebuild a unit from its configuration, compute a piece of it.

Everything goes in and comes out as plain numbers and text, and nothing is read or written: a
worker needs no file system in common with the process that gathers the results.
"""

import json
import time
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

from simulations.population.units import make_unit
from simulations.runs import store
from simulations.runs.tasks import Task, compute, prepare
from simulations.setup.configuration import read_sweep

# Units a worker keeps ready: a run has some under way at a time, and several clients may share it.
KEPT = 4


class Worked(NamedTuple):
    """``results``: values, controls and status of a piece; ``program``: with which program they were
    computed, which must be the client's; ``seconds`` they took."""

    results: tuple[Any, ...]
    program: tuple[Any, ...]
    seconds: float


class Shelf:
    """The units made ready last, each made once however many threads ask for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: OrderedDict[tuple[str, int], tuple[Lock, list[Task]]] = OrderedDict()

    def task(self, configuration: str, generator: int) -> Task:
        """The unit of one generator of a sweep, ready to simulate."""
        key = (configuration, generator)
        with self._lock:
            slot = self._slots.setdefault(key, (Lock(), []))
            self._slots.move_to_end(key)
            while len(self._slots) > KEPT:
                self._slots.popitem(last=False)
        making, made = slot
        with making:
            if not made:
                sweep = read_sweep(json.loads(configuration))
                made.append(prepare(make_unit(sweep, sweep.synthetic.generators[generator])))
        return made[0]


_SHELF = Shelf()


def work(
    configuration: str, generator: int, first: int, count: int, cells: tuple[int, ...]
) -> Worked:
    """Replicates ``first .. first + count - 1`` of these cells of one generator of a sweep.

    ``configuration`` is the JSON of a resolved sweep without swept lists; ``generator`` the place of
    the generator in its list.
    """
    task = _SHELF.task(configuration, generator)
    start = time.perf_counter()
    results = compute(task, first, count, cells)
    return Worked(tuple(results), store.PROGRAM, time.perf_counter() - start)
