"""SWEEP.toml with kind = "tokens", from outside: resume, shares, the installed command, bad input."""

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
from simulations.problems import InputError
from simulations.runs import engine
from synthlaw.simulating.screen import divergence_sentence
from synthlaw.simulating.shares import Share, simulate_share
from synthlaw.simulating.simulation import UNREACHED
from synthlaw.simulating.state import plan_of, status

COMMAND = Path(sys.executable).parent / "synthlaw"
SWEEP: dict[str, Any] = {
    "setting": {"kind": "tokens", "vocabulary": 12, "embedding_dim": 2, "attribute_vocabulary": 6},
    "counts": {"1,1": 300, "1,-1": 60, "-1,1": 60, "-1,-1": 300},
    "synthetic": {
        "generators": [
            {"kind": "transformer", "layers": 2},
            {"kind": "duplicate", "groups": ["1,-1"]},
        ],
        "ratios": [0, 1],
    },
    "run": {"replicates": 12, "seed": 1},
}


def test_resumed_shared_and_lent_runs_give_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 5)
    whole = synthlaw.simulate(SWEEP)
    synthlaw.simulate(SWEEP, tmp_path / "run", replicates=7)
    assert set(status(tmp_path / "run").state) == {"done"}
    assert set(plan_of(SWEEP, out=tmp_path / "run").missing) == {5}
    resumed = synthlaw.simulate(SWEEP, tmp_path / "run")
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert simulate_share(SWEEP, tmp_path / "shares", Share(1, 2)) is None
    shared = simulate_share(SWEEP, tmp_path / "shares", Share(2, 2))
    assert shared is not None
    pd.testing.assert_frame_equal(shared, whole, check_exact=True)
    with ThreadPoolExecutor(2) as executor:
        lent = synthlaw.simulate(SWEEP, executor=executor)
    pd.testing.assert_frame_equal(lent, whole, check_exact=True)
    kept = pd.read_csv(tmp_path / "run" / "table.csv")
    assert set(kept.metric) == {"excess_risk", "error", "kl"}
    assert set(kept.group) == {*SWEEP["counts"], "balanced", "worst"}
    other = synthlaw.simulate({**SWEEP, "run": {"replicates": 12, "seed": 2}})
    risk = whole.metric == "excess_risk"
    assert not np.allclose(other[risk].estimate, whole[risk].estimate)
    # Theory knows the setting's table, not the seed of the run.
    assert other.predicted.equals(whole.predicted)


def test_another_cell_or_generator_changes_no_number() -> None:
    few = synthlaw.simulate(SWEEP)
    more = {
        **SWEEP,
        "synthetic": {
            "generators": [{"kind": "oracle"}, *SWEEP["synthetic"]["generators"]],
            "ratios": [0, 0.3, 1, 40],
        },
    }
    many = synthlaw.simulate(more)
    kept: Any = many[many.ratio.isin([0, 1]) & (many.generator != "oracle")]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), few, check_exact=True)


def test_predictions_stand_beside_simulations_and_tables_can_be_swept() -> None:
    sweep = {
        **SWEEP,
        "sweep": {"setting.world": [0, 1], "synthetic.generators.0.layers": [1, 3]},
    }
    table = synthlaw.simulate(sweep, replicates=4)
    predicted: Any = synthlaw.predict(sweep)
    pd.testing.assert_frame_equal(table.loc[:, predicted.columns], predicted)
    kl: Any = predicted[(predicted.metric == "kl") & (predicted.group == "balanced")]
    kl = kl[(kl.generator == "transformer") & (kl.ratio == 1)]
    assert len(set(kl.predicted)) == 4
    told = divergence_sentence(predicted)
    for layers in (1, 3):
        place = f"at setting.world = 1, synthetic.generators.0.layers = {layers}: transformer "
        rows: Any = predicted[(predicted.metric == "kl") & (predicted.group == "worst")]
        here = rows[rows["setting.world"].eq(1) & rows["synthetic.generators.0.layers"].eq(layers)]
        (value,) = set(here[here.generator == "transformer"].predicted)
        assert f"{place}{value:.4g}" in told


def test_a_target_precision_is_reached() -> None:
    sweep = {**SWEEP, "run": {"seed": 3}}
    sweep["synthetic"] = {"ratios": [0, 1], "generators": [{"kind": "transformer"}]}
    table = synthlaw.simulate(sweep, target_se=0.01)
    rows = table[(table.metric == "excess_risk") & (table.group == "balanced")]
    assert (rows.se <= 0.01 * rows.estimate).all() and table.attrs[UNREACHED] == ""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_a_user_starts_from_the_template(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(_run(tmp_path, "init", "--kind", "tokens").stdout)
    dry = _run(tmp_path, "--json", "simulate", "s.toml", "--out", "run", "--dry-run")
    assert dry.returncode == 0 and len(json.loads(dry.stdout)["rows"]) == 21
    assert not (tmp_path / "run").exists()
    done = _run(tmp_path, "simulate", "s.toml", "--out", "run", "--replicates", "20")
    assert done.returncode == 0, done.stderr
    assert (
        "KL of the group's law" in done.stdout and "oracle 0, transformer[1;1] 0.0" in done.stdout
    )
    table, alone = pd.read_csv(tmp_path / "run/table.csv"), synthlaw.predict(tmp_path / "s.toml")
    assert len(table) == len(alone) == 21 * 3 * 4
    assert np.allclose(table.predicted, alone.predicted, rtol=1e-12, equal_nan=True)
    told = _run(tmp_path, "--json", "status", "run")
    assert {row["state"] for row in json.loads(told.stdout)["rows"]} == {"done"}
    assert "kl" in _run(tmp_path, "simulate", "--help").stdout


BASE = {
    "setting": {"kind": "tokens", "vocabulary": 16, "embedding_dim": 2},
    "counts": {"majority": 50, "minority": 20},
}
PAIRS = {**BASE["setting"], "attribute_vocabulary": 8}


def _with(section: str, **values: Any) -> dict[str, Any]:
    return {section: {**BASE.get(section, {}), **values}}


def _generator(kind: str, **values: Any) -> dict[str, Any]:
    return {"synthetic": {"generators": [{"kind": kind, **values}]}}


BAD = [
    (_with("setting", latent_angle=181), "setting.latent_angle", "at most 180"),
    (_with("setting", latent_angle=-1), "setting.latent_angle", "at least 0"),
    (_with("setting", latent_norm=21), "setting.latent_norm", "at most 20"),
    (_with("setting", vocabulary=2**20 + 1), "setting.vocabulary", "at most 1048576"),
    (_with("setting", vocabulary=1), "setting.vocabulary", "at least 2"),
    (_with("setting", embedding_dim=16), "setting.embedding_dim", "fewer dimensions than tokens"),
    (_with("setting", embedding_dim=1), "setting.latent_angle", "give 0 or 180"),
    (_with("setting", embedding_dim=65), "setting.embedding_dim", "at most 64"),
    (_with("setting", world=-1), "setting.world", "at least 0"),
    (_with("setting", wrld=1), "setting.wrld", "'world'"),
    (_with("setting", attribute_norm=1.0), "setting.attribute_norm", "attribute_vocabulary"),
    (_with("setting", attribute_vocabulary=2), "setting.embedding_dim", "attribute_vocabulary"),
    (
        {"setting": {**PAIRS, "vocabulary": 2**20}},
        "setting.attribute_vocabulary",
        "pairs of tokens",
    ),
    ({"setting": PAIRS}, "counts.majority", "no group"),
    (_with("estimator", kind="squared"), "estimator.kind", 'set it to "logistic"'),
    (_with("estimator", kind="lda"), "estimator.kind", 'set it to "logistic"'),
    # What is asked for must be the last thing asked for: no remedy that leads to the next fault.
    (_with("estimator", kind="lda", ridge=0.1), "estimator.kind", 'set it to "logistic"'),
    (_with("estimator", kind="hinge"), "estimator.kind", 'set it to "logistic"'),
    (_generator("shift"), "synthetic.generators.0.kind", "writes no tokens"),
    (_generator("shift", move=1.0), "synthetic.generators.0.kind", "writes no tokens"),
    (_generator("shfit"), "synthetic.generators.0.kind", "did you mean 'shift'"),
    (_with("estimator", intercept=False), "estimator.intercept", "set it to true"),
    (_with("theory", regime="proportional"), "theory.regime", '"fixed_dim"'),
    (_generator("shift", shift=[1.0, 0.0]), "synthetic.generators.0.kind", "'histogram'"),
    (_generator("smote"), "synthetic.generators.0.kind", "writes no tokens"),
    (_generator("gaussian"), "synthetic.generators.0.kind", "writes no tokens"),
    (_generator("transformer", layers=0), "synthetic.generators.0.layers", "at least 1"),
    (_generator("transformer", step=0), "synthetic.generators.0.step", "above 0"),
    (_generator("transformer", stp=1.0), "synthetic.generators.0.stp", "'step'"),
    (_generator("histogram", smoothing=0), "synthetic.generators.0.smoothing", "above 0"),
    (_generator("transformer", groups=["all"]), "synthetic.generators.0.groups", "'minority'"),
    (
        {"setting": {"kind": "imbalance", "dim": 2}, **_generator("transformer")},
        "synthetic.generators.0.kind",
        'setting.kind = "tokens"',
    ),
    (
        {"setting": {"kind": "craft"}, **_generator("histogram")},
        "synthetic.generators.0.kind",
        'setting.kind = "tokens"',
    ),
]


@pytest.mark.parametrize(("change", "field", "words"), BAD)
def test_bad_input_is_one_sentence(change: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        synthlaw.predict({**BASE, **change})
    text = str(told.value)
    assert field in text and words in text
    assert "\n" not in text and text.endswith((".", "?"))


def test_what_is_too_large_or_too_flat_is_refused() -> None:
    large = {**PAIRS, "vocabulary": 2**18, "embedding_dim": 7}
    with pytest.raises(InputError, match="too many to be listed"):
        synthlaw.predict({**BASE, "setting": large, "counts": SWEEP["counts"]})
    with pytest.raises(InputError, match="synthetic rows of a group"):
        synthlaw.simulate({**BASE, "counts": {"majority": 10**10, "minority": 20}}, replicates=2)
    with pytest.raises(InputError, match="too flat"):
        synthlaw.predict({**BASE, "setting": {**BASE["setting"], "latent_norm": 20}})


def test_the_command_refuses_bad_input_before_anything_is_written(tmp_path: Path) -> None:
    text = _run(tmp_path, "init", "--kind", "tokens").stdout
    (tmp_path / "s.toml").write_text(text.replace("latent_angle = 90.0", "latent_angle = 270.0"))
    done = _run(tmp_path, "simulate", "s.toml", "--out", "run")
    assert done.returncode == 2 and "setting.latent_angle" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_terms_that_cancel_at_balance_are_zero_in_the_table() -> None:
    setting = {"kind": "tokens", "vocabulary": 16, "embedding_dim": 2, "attribute_vocabulary": 8}
    counts = {"1,1": 2000, "1,-1": 200, "-1,1": 300, "-1,-1": 1900}
    table = synthlaw.predict(
        {"setting": setting, "counts": counts, "synthetic": {"ratios": [0.5, 1.0]}}
    )
    risks = table[table.metric == "excess_risk"].set_index(["ratio", "group"]).second_order
    assert risks[1.0, "balanced"] == 0.0 and abs(risks[1.0, "1,1"]) > 1e-6
    assert abs(risks[0.5, "balanced"]) > 1e-6
