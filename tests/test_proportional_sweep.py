"""SWEEP.toml with regime proportional, from outside: predict, simulate, resume, shares, the command."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw
from simulations.runs import engine
from synthlaw.simulating.shares import Share, simulate_share
from synthlaw.simulating.simulation import UNREACHED
from synthlaw.simulating.state import status

COMMAND = Path(sys.executable).parent / "synthlaw"
SWEEP: dict[str, Any] = {
    "setting": {"kind": "spurious", "dim": 40, "core": 2.0, "spurious": 3.0},
    "counts": {"1,1": 60, "1,-1": 12, "-1,1": 12, "-1,-1": 60},
    "synthetic": {
        "generators": [
            {"kind": "oracle"},
            {"kind": "duplicate"},
            {"kind": "gaussian", "covariance": "known"},
        ],
        "ratios": [0, 1],
    },
    "estimator": {"kind": "squared", "ridge": 0.1},
    "theory": {"regime": "proportional"},
    "run": {"replicates": 12, "seed": 1},
}
TOML = """
[setting]
kind = "imbalance"
dim = 30
[counts]
majority = 80
minority = 20
[synthetic]
ratios = [0, 1]
[estimator]
kind = "{kind}"
ridge = {ridge}
[theory]
regime = "{regime}"
[run]
replicates = 10
"""


def _of(table: pd.DataFrame, generator: str, metric: str, ratio: float) -> pd.DataFrame:
    chosen = (table.generator == generator) & (table.metric == metric) & (table.ratio == ratio)
    return table[chosen].set_index("group")


def test_only_errors_are_predicted_and_as_a_whole() -> None:
    table = synthlaw.predict(SWEEP)
    assert all(table[name].isna().all() for name in ("floor", "variance", "second_order"))
    assert table[table.metric == "excess_risk"].predicted.isna().all()
    cell = _of(table, "oracle", "error", 0.0).predicted
    groups = cell[["1,1", "1,-1", "-1,1", "-1,-1"]]
    assert cell["balanced"] == pytest.approx(groups.mean(), abs=1e-12)
    assert cell["worst"] == groups.max() > 0.3
    # The attribute is of no use once the groups are balanced.
    assert _of(table, "oracle", "error", 1.0).predicted.std() < 1e-9
    assert _of(table, "gaussian", "error", 1.0).predicted.isna().all()
    ((sentence, count),) = table.attrs["unpredicted"].items()
    assert count == 1 and "mean_difference" in sentence


def test_simulations_stand_beside_their_predictions() -> None:
    table = synthlaw.simulate(SWEEP, replicates=80)
    predicted = synthlaw.predict(SWEEP)
    pd.testing.assert_frame_equal(table.loc[:, predicted.columns], predicted)
    # No control variates: the estimate is the plain mean, to the bit.
    assert (table.estimate == table.estimate_raw).all() and (table.se == table.se_raw).all()
    errors = table[(table.metric == "error") & table.predicted.notna()]
    assert (abs(errors.estimate - errors.predicted) < 5 * errors.se + 0.01).all()
    assert (table.failures == 0).all() and (table.replicates == 80).all()


def test_resumed_shared_and_lent_runs_give_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 5)
    whole = synthlaw.simulate(SWEEP)
    synthlaw.simulate(SWEEP, tmp_path / "run", replicates=7)
    assert set(status(tmp_path / "run").state) == {"done"}
    resumed = synthlaw.simulate(SWEEP, tmp_path / "run")
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert simulate_share(SWEEP, tmp_path / "shares", Share(1, 2)) is None
    shared = simulate_share(SWEEP, tmp_path / "shares", Share(2, 2))
    assert shared is not None
    pd.testing.assert_frame_equal(shared, whole, check_exact=True)
    with ThreadPoolExecutor(2) as executor:
        lent = synthlaw.simulate(SWEEP, executor=executor)
    pd.testing.assert_frame_equal(lent, whole, check_exact=True)
    other = synthlaw.simulate({**SWEEP, "run": {"replicates": 12, "seed": 2}})
    assert not np.allclose(other.estimate, whole.estimate)


def test_the_two_regimes_share_no_replicates(tmp_path: Path) -> None:
    """One folder, the same cells in both regimes: each computes its own."""
    small = {
        **SWEEP,
        "synthetic": {"ratios": [0]},
        "setting": {**SWEEP["setting"], "dim": 3},
        "counts": {"1,1": 40, "1,-1": 30, "-1,1": 30, "-1,-1": 40},
    }
    synthlaw.simulate(small, tmp_path, replicates=5)
    fixed = {**small, "theory": {"regime": "fixed_dim"}}
    assert set(status_of(fixed, tmp_path)) == {0}
    assert set(status_of(small, tmp_path)) == {5}


def status_of(sweep: dict[str, Any], folder: Path) -> list[int]:
    from synthlaw.simulating.state import plan_of

    return plan_of(sweep, 5, folder).held.tolist()


def test_a_target_precision_is_reached() -> None:
    sweep = {**SWEEP, "synthetic": {"ratios": [1]}, "run": {"seed": 3}}
    table = synthlaw.simulate(sweep, target_se=0.02)
    row = _of(table, "oracle", "excess_risk", 1.0).loc["balanced"]
    assert row.se <= 0.02 * row.estimate and row.replicates >= 200
    assert table.attrs[UNREACHED] == ""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_the_command_tells_what_exists_and_what_does_not(tmp_path: Path) -> None:
    text = TOML.format(kind="squared", ridge=0.0, regime="proportional")
    # Fewer raw rows than features: no unique rule.
    (tmp_path / "s.toml").write_text(text.replace("80", "20").replace("= 20\n", "= 8\n", 1))
    done = _run(tmp_path, "--json", "simulate", "s.toml", "--out", "run")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["notes"]
    assert sum("no unique minimiser" in note and "ridge" in note for note in told) == 1
    assert sum("no prediction" in note and "ridge" in note for note in told) == 1
    table = pd.read_csv(tmp_path / "run" / "table.csv")
    assert (table[table.ratio == 0].failures == 10).all()
    assert table[table.ratio == 0].predicted.isna().all()


@pytest.mark.parametrize(
    "values, words",
    [
        ({"kind": "hinge", "ridge": 0.0, "regime": "proportional"}, "set it above 0"),
        ({"kind": "hinge", "ridge": 0.1, "regime": "fixed_dim"}, 'theory.regime = "proportional"'),
        ({"kind": "squared", "ridge": 0.1, "regime": "proportionate"}, "theory.regime"),
        ({"kind": "lda", "ridge": 0.0, "regime": "proportional"}, 'choose "mean_difference"'),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    tmp_path: Path, values: dict[str, Any], words: str
) -> None:
    (tmp_path / "s.toml").write_text(TOML.format(**values))
    done = _run(tmp_path, "simulate", "s.toml", "--out", "run")
    assert done.returncode == 2 and words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]
