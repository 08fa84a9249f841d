"""Runs with a target precision: each cell stops by itself, and the numbers depend on nothing else."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw
from simulations.problems import InputError
from simulations.runs import engine
from simulations.runs.sequential import looks
from synthlaw.simulating.simulation import UNREACHED, configured
from synthlaw.simulating.state import plan_of, status

TARGET = 0.008
SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 3},
    "counts": {"majority": 120, "minority": 40},
    "synthetic": {
        "generators": [{"kind": "oracle"}, {"kind": "duplicate"}],
        "ratios": [0, 1],
    },
    "run": {"target_relative_se": TARGET, "max_replicates": 5000},
}


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    """The table without a store."""
    return synthlaw.simulate(SWEEP)


def _balanced(table: Any) -> Any:
    return table[(table["metric"] == "excess_risk") & (table["group"] == "balanced")]


def _shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "shards").iterdir())}


def test_each_cell_stops_by_itself_at_the_target(plain: Any) -> None:
    """Where it stopped, the standard error is at the target but for the noise of its own estimate:
    that of half the replicates, at least 100, is off by less than a third (four times its spread)."""
    cells: Any = _balanced(plain)
    relative = cells["se"] / cells["estimate"].abs()
    assert cells["replicates"].nunique() > 1 and (relative < 1.33 * TARGET).all()
    assert (cells["replicates"] >= looks(5000)[0]).all() and plain.attrs[UNREACHED] == ""
    # Fewer would not have done: a cell that went on missed the target at the first look.
    longest = cells["replicates"].max()
    at_once = _balanced(synthlaw.simulate({**SWEEP, "run": {"replicates": 200}}))
    went_on = (cells["replicates"] == longest).to_numpy()
    missed = (at_once["se"] / at_once["estimate"].abs()).to_numpy()[went_on]
    assert longest > 200 and (missed > 0.67 * TARGET).all()


@pytest.mark.parametrize(("chunk", "workers"), [(37, 1), (150, 3)])
def test_the_numbers_depend_on_neither_chunks_nor_workers(
    plain: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chunk: int, workers: int
) -> None:
    monkeypatch.setattr(engine, "CHUNK", chunk)
    monkeypatch.setattr(engine, "workers", lambda: workers)
    table = synthlaw.simulate(SWEEP, tmp_path)
    pd.testing.assert_frame_equal(table, plain, check_exact=True)


def test_other_cells_beside_it_change_nothing(plain: Any) -> None:
    one = {**SWEEP["synthetic"], "generators": [{"kind": "duplicate"}], "ratios": [1]}
    alone = _balanced(synthlaw.simulate({**SWEEP, "synthetic": one}))
    beside = _balanced(plain)
    beside = beside[(beside["generator"] == "duplicate") & (beside["ratio"] == 1)]
    columns = ["estimate", "se", "estimate_raw", "se_raw", "replicates", "failures"]
    assert (alone[columns].to_numpy() == beside[columns].to_numpy()).all()


def test_a_resumed_run_computes_only_what_is_lost(plain: Any, tmp_path: Path) -> None:
    synthlaw.simulate(SWEEP, tmp_path)
    csv, shards = (tmp_path / "table.csv").read_bytes(), _shards(tmp_path)
    assert set(status(tmp_path)["state"]) == {"done"}
    lost = sorted(shards)[0]
    (tmp_path / "shards" / lost).unlink()
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").iterdir()}
    assert sorted(status(tmp_path)["state"]) == ["done"] * 3 + ["unfinished"]
    synthlaw.simulate(SWEEP, tmp_path)
    assert (tmp_path / "table.csv").read_bytes() == csv and _shards(tmp_path) == shards
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_smaller_target_goes_on_where_the_larger_one_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards grow and full ones are left alone; the table is that of a run without a past."""
    monkeypatch.setattr(engine, "CHUNK", 100)
    synthlaw.simulate(SWEEP, tmp_path, target_se=3 * TARGET)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").iterdir()}
    assert len(times) < 4 * 10
    finer = synthlaw.simulate(SWEEP, tmp_path)
    pd.testing.assert_frame_equal(finer, synthlaw.simulate(SWEEP), check_exact=True)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    # A larger target, and a number of replicates, are served from what is there.
    monkeypatch.setattr(engine, "compute", lambda *_: pytest.fail("computed again"))
    synthlaw.simulate(SWEEP, tmp_path, target_se=2 * TARGET)
    assert set(synthlaw.simulate(SWEEP, tmp_path, replicates=150)["replicates"]) == {150}


def test_cells_out_of_replicates_are_kept_and_told() -> None:
    """A cell can have no relative precision to reach, too: its run ends all the same."""
    table: Any = synthlaw.simulate(
        {**SWEEP, "run": {"target_relative_se": 1e-5, "max_replicates": 230}}
    )
    assert set(table["replicates"]) == {230} and np.isfinite(table["se"]).all()
    text = table.attrs[UNREACHED]
    assert text.startswith("4 of 4 cells had not reached a relative standard error of 0.001 %")
    assert "230 replicates" in text and "max_replicates" in text


def test_a_cell_without_any_estimator_stops_at_once() -> None:
    """Twelve rows in eight dimensions are separable: nothing could be made more precise."""
    table: Any = synthlaw.simulate(
        {
            "setting": {"kind": "imbalance", "dim": 8, "separation": 4.0},
            "counts": {"majority": 6, "minority": 6},
            "synthetic": {"ratios": [0]},
            "run": {"target_relative_se": 0.01},
        }
    )
    assert set(table["replicates"]) == {200} == set(table["failures"])
    assert table["estimate"].isna().all()


def test_nobody_knows_beforehand_how_many_are_wanted(tmp_path: Path) -> None:
    planned: Any = plan_of(SWEEP, out=tmp_path / "none")
    assert planned["wanted"].isna().all() and planned["missing"].isna().all()
    assert set(planned["held"]) == {0} and set(planned["state"]) == {"unfinished"}


def test_options_override_each_other() -> None:
    assert configured(SWEEP, replicates=50).run.target_relative_se is None
    finer = configured(SWEEP, target_se=0.01).run
    assert (finer.replicates, finer.target_relative_se, finer.max_replicates) == (None, 0.01, 5000)
    fixed = {**SWEEP, "run": {"replicates": 50, "seed": 3}}
    run = configured(fixed, target_se=0.01).run
    assert (run.replicates, run.max_replicates, run.seed) == (None, 1_000_000, 3)
    with pytest.raises(InputError, match="keep one of the two"):
        configured(SWEEP, replicates=50, target_se=0.01)


def test_looks_come_after_the_same_numbers_for_every_limit() -> None:
    for most in (200, 201, 999, 10**6):
        schedule = looks(most)
        assert schedule[-1] == most and schedule == sorted(set(schedule))
        assert schedule[:-1] == looks(10**7)[: len(schedule) - 1]
        assert all(look % 100 == 0 for look in schedule[:-1])


def test_temporary_files_of_killed_processes_are_removed_a_day_later(tmp_path: Path) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=4)
    old = [tmp_path / ".table.csv.abc", tmp_path / "shards" / ".x.parquet.abc"]
    young = tmp_path / "shards" / ".y.parquet.abc"
    for path in (*old, young):
        path.write_bytes(b"")
    for path in old:
        os.utime(path, (0.0, time.time() - 25 * 3600))
    synthlaw.simulate(SWEEP, tmp_path, replicates=4)
    assert young.exists() and not any(path.exists() for path in old)
