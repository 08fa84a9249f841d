"""Work on a cluster: a real scheduler with worker processes on this machine's loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthlaw
from simulations.problems import InputError
from simulations.runs import cluster, engine, store

DASK = Path(sys.executable).parent / "dask"
NOWHERE = "tcp://127.0.0.1:9"
PATIENCE = 60.0
SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 5},
    "counts": {"majority": 300, "minority": 60},
    "synthetic": {
        "generators": [{"kind": "reweight"}, {"kind": "oracle"}],
        "ratios": [0, 0.5, 1],
    },
}
REPLICATES = 700


class Cluster:
    """A scheduler and the workers started so far, all of them processes of this test."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        self.workers: list[subprocess.Popen[bytes]] = []
        _wait_for(self._file.exists)
        self.address = json.loads(self._file.read_text())["address"]

    def _start(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        shared = ["--scheduler-file", str(self._file), "--no-dashboard"]
        return subprocess.Popen(
            [DASK, what, *shared, *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def hire(self, count: int) -> None:
        """Start workers until there are so many; without a nanny, so that a killed one stays dead."""
        while len(self.workers) < count:
            self.workers.append(
                self._start("worker", "--no-nanny", "--nthreads", "1", "--memory-limit", "0")
            )
        _wait_for(lambda: self.known() == len(self.workers))

    def known(self) -> int:
        """How many workers the scheduler knows."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            threads: Any = client.nthreads()
        return len(threads)

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        """End a worker as a crash would."""
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def close(self) -> None:
        """End all processes."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def _wait_for(there: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, "the cluster did not come up"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for all tests, as they leave it; without workers at first."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    """The table computed in this process."""
    return synthlaw.simulate(SWEEP, replicates=REPLICATES)


def test_a_cluster_without_workers_is_one_sentence(
    there: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match="has no workers; start some with `dask worker tcp:"):
        synthlaw.simulate(SWEEP, replicates=4, executor=there.address)


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_bits_of_this_process(
    there: Cluster, plain: pd.DataFrame, workers: int
) -> None:
    there.hire(workers)
    table = synthlaw.simulate(SWEEP, replicates=REPLICATES, executor=there.address)
    pd.testing.assert_frame_equal(table, plain, check_exact=True)


def test_a_worker_killed_at_work_costs_nothing(there: Cluster, plain: pd.DataFrame) -> None:
    there.hire(2)
    before, killed_at = len(there.workers), []

    def kill_one(done: int, total: int) -> None:
        if not killed_at and 0 < done < total:
            killed_at.append(done)
            there.kill(there.workers[0])

    table = synthlaw.simulate(
        SWEEP, replicates=REPLICATES, executor=there.address, progress=kill_one
    )
    assert killed_at and there.known() == before - 1
    pd.testing.assert_frame_equal(table, plain, check_exact=True)


def test_a_worker_with_another_program_is_refused(
    there: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.hire(1)
    monkeypatch.setattr(store, "PROGRAM", ("of another day",))
    with pytest.raises(InputError, match="another version"):
        synthlaw.simulate(SWEEP, replicates=4, executor=there.address)


def test_a_run_that_loses_its_cluster_says_so_and_is_completed_by_the_next(
    there: Cluster, tmp_path: Path, plain: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All workers killed at work; then the scheduler. What was written is kept and used."""
    monkeypatch.setattr(cluster, "ALONE_SECONDS", 2.0)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(engine, "CHUNK", 50)
    there.hire(1)

    def kill_all(done: int, total: int) -> None:
        for worker in there.workers[:]:
            if total // 2 < done < total:
                there.kill(worker)

    with pytest.raises(InputError, match=r"had no worker for 2 seconds; .*run the same"):
        synthlaw.simulate(SWEEP, tmp_path, REPLICATES, kill_all, executor=there.address)
    held = {path: path.stat().st_mtime_ns for path in (tmp_path / "shards").iterdir()}
    assert held and not (tmp_path / "table.csv").exists()

    there.hire(1)
    began: list[int] = []

    def kill_scheduler(done: int, total: int) -> None:
        began.append(done)
        if done > total * 3 // 4:
            there.scheduler.kill()

    with pytest.raises(InputError, match=r"cannot be reached any more; .*run the same"):
        synthlaw.simulate(SWEEP, tmp_path, REPLICATES, kill_scheduler, executor=there.address)
    assert began
    table = synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    pd.testing.assert_frame_equal(table, plain, check_exact=True)
    assert {path: path.stat().st_mtime_ns for path in held} == held


def test_no_scheduler_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """From the command line: exit status 2 within the time promised, and no folder."""
    (tmp_path / "s.toml").write_text(
        '[setting]\nkind = "imbalance"\ndim = 2\n[counts]\nmajority = 60\nminority = 20\n'
    )
    before = time.monotonic()
    done = subprocess.run(
        [DASK.parent / "synthlaw", "simulate", "s.toml", "--quiet", "--executor", NOWHERE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert time.monotonic() - before < 25.0
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr.count("\n") == 1 and NOWHERE in done.stderr and "dask scheduler" in done.stderr
    )
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_without_the_packages_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'synthlaw\[cluster\]'\.$"):
        synthlaw.simulate(SWEEP, replicates=4, executor=NOWHERE)
