"""The work of remote workers, through an executor in this process."""

import json
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw
from simulations.population.units import make_unit
from simulations.problems import InputError
from simulations.runs import work as working
from simulations.runs.crews import described, executor_crew
from simulations.runs.engine import PIECE, Pace, Timed, in_order
from simulations.runs.tasks import compute, prepare
from simulations.runs.work import KEPT, Shelf, Worked, work
from simulations.sampling.replicate import Results
from simulations.setup.configuration import read_sweep

SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 2},
    "counts": {"majority": 60, "minority": 20},
    "synthetic": {"generators": [{"kind": "oracle"}, {"kind": "duplicate"}], "ratios": [0, 1]},
    "sweep": {"counts.minority": [20, 30]},
}


def test_an_executor_gives_the_bits_of_the_cores() -> None:
    """Units are rebuilt from their configuration, swept values included."""
    plain = synthlaw.simulate(SWEEP, replicates=30)
    with ThreadPoolExecutor(3) as executor:
        table = synthlaw.simulate(SWEEP, replicates=30, executor=executor)
    pd.testing.assert_frame_equal(table, plain, check_exact=True)


def test_a_piece_of_some_cells_is_that_of_all() -> None:
    sweep = read_sweep({**SWEEP, "sweep": {}})
    task = prepare(make_unit(sweep, sweep.synthetic.generators[1]))
    worked = work(*described(task), 3, 5, (1,))
    whole = compute(task, 0, 8)
    for part, all_ in zip(worked.results, whole, strict=True):
        assert np.array_equal(part[:, 0], all_[3:, 1])


def test_a_unit_is_made_ready_once_and_the_last_ones_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    monkeypatch.setattr(working, "prepare", lambda unit: made.append(unit.sweep.run.seed))
    shelf = Shelf()

    def task(seed: int) -> Any:
        sweep = read_sweep({**SWEEP, "sweep": {}, "run": {"seed": seed}})
        return shelf.task(json.dumps(sweep.resolved()), 0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(task, [0] * 40))
    assert made == [0]
    for seed in range(KEPT + 1):
        task(seed)
    assert made == list(range(KEPT + 1))
    task(KEPT)
    task(0)
    assert made == [*range(KEPT + 1), 0]


class _Answers(ThreadPoolExecutor):
    """Workers that return one answer whatever they are asked."""

    def __init__(self, answer: Worked):
        super().__init__(1)
        self.answer = answer

    def submit(self, *_: Any, **__: Any) -> "Future[Any]":
        return super().submit(lambda: self.answer)


def test_workers_of_another_version_are_refused() -> None:
    sweep = read_sweep({**SWEEP, "sweep": {}})
    task = prepare(make_unit(sweep, sweep.synthetic.generators[0]))
    other = Worked((), ("another",), 0.0)
    with _Answers(other) as executor, executor_crew(executor, lambda: 1) as crew:
        future = crew.submit(task, 0, 1, (0,))
        with pytest.raises(InputError, match="install the same synthlaw and jax everywhere"):
            crew.result(future)
        crew.stopped.set()
        with pytest.raises(CancelledError):
            crew.result(crew.submit(task, 0, 1, (0,)))


def test_work_is_drawn_late_handed_on_in_order_and_cancelled() -> None:
    """A million pieces are not a million futures."""
    started: list[Future[int]] = []

    def items() -> Iterator[tuple[int, Any]]:
        for number in range(10**6):

            def start() -> "Future[int]":
                started.append(Future())
                return started[-1]

            yield number, start

    stream = in_order(items(), lambda: 4)
    assert [next(stream)[0] for _ in range(3)] == [0, 1, 2]
    assert len(started) == 4 + 2
    stream.close()
    assert [future.cancelled() for future in started] == [False] * 2 + [True] * 4


def test_pieces_are_small_while_nobody_knows_and_where_replicates_are_slow() -> None:
    def piece(count: int, seconds: float) -> Timed:
        none = np.zeros((count, 0))
        return Timed(Results(none, none, none), seconds)

    pace = Pace()
    assert pace.size(1000, 2) == 8 and pace.size(5, 2) == 5
    pace.learn(piece(8, 16.0))
    assert pace.size(1000, 2) == 1
    # The first one had waited for the compiler.
    pace.learn(piece(1, 0.001))
    assert pace.size(1000, 2) == PIECE and pace.size(120, 2) == 30 and pace.size(9, 2) == 8
