"""The engine and the store: same numbers however the work is cut, interrupted or shared out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from samples import units_of

import synthlaw
from simulations.problems import InputError
from simulations.runs import engine, store
from simulations.runs.engine import Chunk, chunks, run_chunks
from simulations.runs.tasks import prepare
from synthlaw.simulating.state import plan_of, status

NUMBERS = ["estimate", "se", "estimate_raw", "se_raw", "predicted"]
SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 5},
    "counts": {"majority": 300, "minority": 60},
    "synthetic": {
        "generators": [{"kind": "oracle"}, {"kind": "duplicate"}],
        "ratios": [0, 0.5, 1],
    },
}
REPLICATES = 30


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHUNK", 7)


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    """The table in chunks of 7, without a store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "CHUNK", 7)
        return synthlaw.simulate(SWEEP, replicates=REPLICATES)


def _shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "shards").iterdir())}


@pytest.mark.parametrize("count", [1, 6, 7, 30])
def test_chunks_cover_every_replicate_once(count: int) -> None:
    assert [r for c in chunks(count) for r in range(c.first, c.first + c.count)] == [*range(count)]


@pytest.mark.parametrize("size", [1, 100])
def test_any_chunk_size_gives_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch, plain: Any, size: int
) -> None:
    monkeypatch.setattr(engine, "CHUNK", size)
    table: Any = synthlaw.simulate(SWEEP, replicates=REPLICATES)
    np.testing.assert_allclose(table[NUMBERS], plain[NUMBERS], rtol=1e-12, atol=0)


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_workers_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, plain: Any, count: int
) -> None:
    monkeypatch.setattr(engine, "workers", lambda: count)
    pd.testing.assert_frame_equal(
        synthlaw.simulate(SWEEP, replicates=REPLICATES), plain, check_exact=True
    )


@pytest.mark.parametrize("generator", [0, 1])
def test_chunks_may_come_in_any_order(generator: int) -> None:
    task = prepare(units_of(SWEEP)[generator])
    forward = dict(run_chunks(task, chunks(14)))
    backward = dict(run_chunks(task, chunks(14)[::-1]))
    for chunk in chunks(14):
        for mine, other in zip(forward[chunk], backward[chunk], strict=True):
            assert np.array_equal(mine, other)
    within = next(run_chunks(task, [Chunk(3, 7)]))[1]
    assert np.array_equal(within.values[:4], forward[Chunk(0, 7)].values[3:])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_one_core_gives_the_bits_of_all_cores(tmp_path: Path, plain: Any) -> None:
    code = (
        "import os, json, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "import synthlaw; from simulations.runs import engine; engine.CHUNK = 7\n"
        f"synthlaw.simulate(json.loads(sys.argv[1]), sys.argv[2], replicates={REPLICATES})"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(SWEEP), str(tmp_path)], check=True)
    alone = pd.read_csv(tmp_path / "table.csv")
    np.testing.assert_array_equal(alone[NUMBERS], plain[NUMBERS])


def test_a_resumed_run_is_bit_identical(tmp_path: Path, plain: Any) -> None:
    first = synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    pd.testing.assert_frame_equal(first, plain, check_exact=True)
    csv, shards = (tmp_path / "table.csv").read_bytes(), _shards(tmp_path)
    assert len(shards) == 2 * 3 * 5
    # One shard alone (its cell, without the others), then a third of them.
    rng = np.random.default_rng(2)
    for lost in ([sorted(shards)[0]], rng.choice(sorted(shards), 10, replace=False)):
        for name in lost:
            (tmp_path / "shards" / name).unlink()
        synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
        assert (tmp_path / "table.csv").read_bytes() == csv
        assert _shards(tmp_path) == shards


def test_nothing_is_computed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=14)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").iterdir()}

    def refuse(*args: Any) -> None:
        raise RuntimeError("computed again")

    monkeypatch.setattr(engine, "compute", refuse)
    synthlaw.simulate(SWEEP, tmp_path, replicates=14)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").iterdir()} == times
    with pytest.raises(RuntimeError, match="computed again"):
        synthlaw.simulate(SWEEP, tmp_path, replicates=21)


def test_more_replicates_leave_old_shards_alone(tmp_path: Path, plain: Any) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=14)
    before = _shards(tmp_path)
    longer = synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    pd.testing.assert_frame_equal(longer, plain, check_exact=True)
    after = _shards(tmp_path)
    assert len(after) > len(before) and {k: after[k] for k in before} == before


def test_a_chunk_cut_short_serves_fewer_and_is_replaced_for_more(
    tmp_path: Path, plain: Any
) -> None:
    """An unfinished last chunk leaves no orphan behind when the run is extended."""
    few = synthlaw.simulate(SWEEP, tmp_path, replicates=10)
    synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    shards = _shards(tmp_path)
    assert len(shards) == 2 * 3 * 5
    again = synthlaw.simulate(SWEEP, tmp_path, replicates=10)
    pd.testing.assert_frame_equal(again, few, check_exact=True)
    assert _shards(tmp_path) == shards


@pytest.mark.parametrize("damage", ["truncated", "emptied", "flipped", "foreign", "misplaced"])
def test_a_damaged_shard_is_set_aside_and_computed_again(
    tmp_path: Path, plain: Any, damage: str
) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    shards = sorted((tmp_path / "shards").iterdir())
    path, good = shards[3], shards[3].read_bytes()
    starts = {p: pd.read_parquet(p)["replicate"].to_numpy()[0] for p in shards}
    elsewhere = next(p for p in shards if starts[p] != starts[path])
    # A byte in the middle of a page of values.
    flipped = bytearray(good)
    flipped[len(good) // 3] ^= 0xFF
    worse = {
        "truncated": good[:-20],
        "emptied": b"",
        "flipped": bytes(flipped),
        "foreign": b"not parquet at all",
        "misplaced": elsewhere.read_bytes(),
    }[damage]
    path.write_bytes(worse)
    table: Any = synthlaw.simulate(SWEEP, tmp_path, replicates=REPLICATES)
    pd.testing.assert_frame_equal(table, plain, check_exact=True)
    assert path.read_bytes() == good
    assert path.with_suffix(".damaged").read_bytes() == worse


def test_adding_ratios_or_generators_changes_no_other_number(plain: Any) -> None:
    wider = {
        **SWEEP,
        "synthetic": {
            "generators": [{"kind": "reweight"}, {"kind": "duplicate"}, {"kind": "oracle"}],
            "ratios": [2, 0, 0.25, 0.5, 1],
        },
    }
    table: Any = synthlaw.simulate(wider, replicates=REPLICATES)
    keys = ["generator", "ratio", "metric", "group"]
    both: Any = plain.merge(table, on=keys, suffixes=("", "_wider"))
    assert len(both) == len(plain)
    for name in NUMBERS:
        # Matrix products over more cells may round differently: 1e-12, the contract's tolerance.
        np.testing.assert_allclose(both[name], both[f"{name}_wider"], rtol=1e-12, atol=1e-15)
    assert plain["estimate"].nunique() > 20


def test_status_counts_what_is_held(tmp_path: Path) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=14)
    whole: Any = status(tmp_path)
    assert len(whole) == 6 and (whole["held"] == 14).all() and (whole["missing"] == 0).all()
    sorted((tmp_path / "shards").iterdir())[0].unlink()
    assert sorted(status(tmp_path)["missing"]) == [0, 0, 0, 0, 0, 7]
    planned: Any = plan_of(SWEEP, replicates=21, out=tmp_path)
    assert (planned["wanted"] == 21).all() and sorted(planned["held"]) == [7, *[14] * 5]


def test_another_sweeps_table_does_not_pass_for_this_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run killed after its manifest was written leaves no table of an earlier sweep."""
    synthlaw.simulate(SWEEP, tmp_path, replicates=7)
    other = {**SWEEP, "run": {"seed": 9}}

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "compute", killed)
    with pytest.raises(KeyboardInterrupt):
        synthlaw.simulate(other, tmp_path, replicates=7)
    assert not (tmp_path / "table.csv").exists()
    monkeypatch.undo()
    (tmp_path / "manifest.json").write_text("{")
    assert len(synthlaw.simulate(other, tmp_path, replicates=7)) > 0


def test_the_manifest_holds_configuration_and_versions(tmp_path: Path) -> None:
    synthlaw.simulate(SWEEP, tmp_path, replicates=14)
    manifest = store.read_manifest(tmp_path)
    assert manifest["schema"] == store.SCHEMA and {"synthlaw", "jax"} <= set(manifest["versions"])
    assert synthlaw.read_sweep(manifest["sweep"]).resolved() == manifest["sweep"]
    assert manifest["sweep"]["run"]["replicates"] == 14
    for text, words in (("{", "cannot be read"), ('{"schema": 0}', "is not a manifest")):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(InputError, match=words):
            store.read_manifest(tmp_path)
    with pytest.raises(InputError, match="holds no run"):
        store.read_manifest(tmp_path / "shards")
