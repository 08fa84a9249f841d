"""Crews for a run: this machine's cores, any executor, or the workers of a Dask scheduler."""

import json
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from threading import Event
from typing import Any

from simulations.problems import InputError
from simulations.runs import store
from simulations.runs.engine import Crew, Timed, local_crew, workers
from simulations.runs.tasks import Task
from simulations.runs.work import Worked, work
from simulations.sampling.replicate import Results


def described(task: Task) -> tuple[str, int]:
    """A task as what ``work`` rebuilds it from: the resolved configuration and the generator's place."""
    sweep = task.unit.sweep
    place = list(sweep.synthetic.generators).index(task.unit.generator)
    return json.dumps(sweep.resolved(), sort_keys=True), place


@contextmanager
def executor_crew(
    executor: Executor,
    width: Callable[[], int],
    check: Callable[[BaseException | None], None] = lambda _: None,
    **options: Any,
) -> Generator[Crew]:
    """Workers behind an executor, which rebuild each unit for themselves."""

    def submit(task: Task, first: int, count: int, cells: tuple[int, ...]) -> "Future[Timed]":
        inner = executor.submit(work, *described(task), first, count, cells, **options)
        outer: Future[Timed] = Future()
        inner.add_done_callback(lambda done: _hand_on(done, outer))
        outer.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        return outer

    stopped = Event()
    try:
        yield Crew(submit, width, check, stopped)
    finally:
        stopped.set()


def _hand_on(inner: "Future[Worked]", outer: "Future[Timed]") -> None:
    """Give what a worker returned to whoever waits for the results."""
    if not outer.set_running_or_notify_cancel():
        return
    try:
        worked = inner.result()
        if list(worked.program) != list(store.PROGRAM):
            raise InputError(
                f"--executor: a worker runs another version of the program ({worked.program}, here"
                f" {store.PROGRAM}); install the same synthlaw and jax everywhere."
            )
        outer.set_result(Timed(Results(*worked.results), worked.seconds))
    except BaseException as fault:
        outer.set_exception(fault)


@contextmanager
def crew_of(executor: str | Executor | None) -> Generator[Crew]:
    """Who computes: this machine (None), an executor, or the scheduler at an address."""
    if executor is None:
        crew = local_crew()
    elif isinstance(executor, str):
        # Needs an extra, so that it comes in only when asked for.
        from simulations.runs.cluster import cluster_crew

        crew = cluster_crew(executor)
    else:
        crew = executor_crew(executor, workers)
    with crew as made:
        yield made
