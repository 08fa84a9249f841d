"""Shares of a run: disjoint, complete, and together the run itself."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthlaw
from simulations.problems import InputError
from simulations.runs import engine
from simulations.setup.configuration import read_sweep
from synthlaw.simulating import simulation
from synthlaw.simulating.shares import Share, items_of, missing, read_share, simulate_share
from synthlaw.simulating.simulation import parts_of

SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 2},
    "counts": {"majority": 60, "minority": 20},
    "synthetic": {
        "generators": [{"kind": "oracle"}, {"kind": "reweight"}],
        "ratios": [0, 0.5, 1],
    },
}


@pytest.mark.parametrize("total", [1, 2, 3, 5, 8, 40])
@pytest.mark.parametrize("replicates", [3, 500, 1777])
def test_shares_are_disjoint_and_complete(total: int, replicates: int) -> None:
    parts = parts_of(read_sweep(SWEEP))
    items = [
        item for k in range(total) for item in items_of(parts, replicates, Share(k + 1, total))
    ]
    covered = [
        (item.part, cell, replicate)
        for item in items
        for cell in item.cells
        for replicate in range(item.chunk.first, item.chunk.first + item.chunk.count)
    ]
    cells = [(p, c) for p, part in enumerate(parts) for c in range(len(part.unit.cells))]
    assert sorted(covered) == [(p, c, r) for p, c in cells for r in range(replicates)]


def test_cells_are_parted_only_where_there_are_more_shares_than_chunks() -> None:
    parts = parts_of(read_sweep(SWEEP))
    whole = items_of(parts, 1000, Share(1, 1))
    assert {item.cells for item in whole} == {(0, 1, 2), (0,)}
    parted = items_of(parts, 3, Share(1, 1)), items_of(parts, 3, Share(2, 6))
    assert [len(each) for each in parted] == [2, 1]


def test_shares_in_any_order_make_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one to finish writes the table, the others say that something is missing."""
    monkeypatch.setattr(engine, "CHUNK", 7)
    whole = synthlaw.simulate(SWEEP, tmp_path / "whole", replicates=30)
    out = tmp_path / "shared"
    told: list[tuple[int, int]] = []
    lacking = 4 * 30
    for number in (3, 1):
        share = Share(number, 3)
        assert simulate_share(SWEEP, out, share, 30, lambda *n: told.append(n)) is None
        config = simulation.configured(SWEEP, 30)
        left = missing(config, out)
        assert 0 < left < lacking and told[-1][0] == told[-1][1]
        lacking = left
        assert not (out / "table.csv").exists()
    table = simulate_share(SWEEP, out, Share(2, 3), 30)
    assert table is not None
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    assert (out / "table.csv").read_bytes() == (tmp_path / "whole" / "table.csv").read_bytes()
    shards = {p.name: p.read_bytes() for p in (out / "shards").iterdir()}
    assert shards == {p.name: p.read_bytes() for p in (tmp_path / "whole" / "shards").iterdir()}


def test_a_run_without_shares_completes_them(tmp_path: Path) -> None:
    assert simulate_share(SWEEP, tmp_path, Share(1, 2), 30) is None
    table = synthlaw.simulate(SWEEP, tmp_path, replicates=30)
    pd.testing.assert_frame_equal(table, synthlaw.simulate(SWEEP, replicates=30), check_exact=True)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2", "1.0/2"])
def test_a_share_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"--shard is {text}; give I/K"):
        read_share(text)


def test_a_target_precision_is_not_shared_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fixed number of replicates"):
        simulate_share({**SWEEP, "run": {"target_relative_se": 0.1}}, tmp_path, Share(1, 2))
    assert list(tmp_path.iterdir()) == []
