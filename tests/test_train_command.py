"""``synthlaw train`` from outside: what it leaves, a killed run, the shipped model, and what is refused."""

import io
import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import figures
import synthlaw
from simulations.problems import InputError
from simulations.transformers import models
from simulations.transformers.latents import token_table
from simulations.transformers.plans import PLANS, TEACHING, TrainingPlan
from simulations.transformers.training import first_losses
from synthlaw.training import runs
from synthlaw.training.screen import training_bar
from synthlaw.training.shipped import teaching_model
from tests.commands import run

TINY = TrainingPlan(
    vocabulary=8, embedding_dim=2, context=4, layers=1, head_dim=4, width=8, hidden=4, batch=4,
    steps=20, warmup=2,
)  # fmt: skip
LEFT = {
    *("checkpoint.zip", "model.zip", "table.csv", "losses.csv", "attention.csv"),
    *("train.json", "train.config.json"),
}
SHORT = ["train", "--steps", "60", "--sequences", "128"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset teaching is a model that trains in no time."""
    monkeypatch.setitem(PLANS, "teaching", TINY)


def test_a_run_killed_from_outside_ends_as_the_uninterrupted_one(tmp_path: Path) -> None:
    """SIGKILL once a checkpoint is there; the same command then ends with the same bits. Such a short run
    is not yet near Bayes, which the table must show."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "synthlaw", *SHORT, "--quiet", "--out", str(out)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=Path(__file__).parents[1])
    until = time.monotonic() + 120.0
    while not (out / "checkpoint.zip").exists():
        assert child.poll() is None and time.monotonic() < until
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    _, told = child.communicate()
    # No bar where standard error is no terminal.
    assert child.returncode == -signal.SIGKILL and told == b""
    assert not (out / "model.zip").exists()
    with zipfile.ZipFile(out / "checkpoint.zip") as archive:
        assert 0 < json.loads(archive.read("provenance.json"))["step"] < 60
    assert run(*SHORT, "--quiet", "--out", str(out)) == 0
    whole = synthlaw.train(steps=60, sequences=128)
    content = models.content(whole.trained, token_table(whole.trained.plan))
    assert (out / "model.zip").read_bytes() == content
    kept = pd.read_csv(out / "table.csv")
    pd.testing.assert_frame_equal(kept, whole.table, check_dtype=False)
    last = kept[(kept.generator == "trained") & (kept.n == 64)].iloc[0]
    assert last.ratio_bayes - 4.0 * last.ratio_bayes_se > 1.1


@pytest.mark.usefixtures("tiny")
def test_a_run_leaves_all_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    options = ["train", "--sequences", "32", "--out", str(out)]
    assert run(*options, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == {*LEFT, "figures"}
    pictures = {"trained_kl.png", "trained_kl.svg", "attention.png", "attention.svg"}
    numbers = {"trained_kl.csv", "attention.csv"}
    assert {path.name for path in (out / "figures").iterdir()} == pictures | numbers
    assert json.loads((out / "train.json").read_text()) == told
    assert told["schema"] == 1 and told["steps"] == 20 and len(told["table"]) == 8 * 4
    asked = json.loads((out / "train.config.json").read_text())
    assert asked["train"]["plan"] == TINY.model_dump() and asked["train"]["sequences"] == 32
    assert {"jax", "numpy", "synthlaw"} <= set(asked["versions"])
    table = pd.read_csv(out / "table.csv")
    assert list(table.columns) == list(runs.divergence_table.__globals__["COLUMNS"])
    assert table.n.unique().tolist() == [0, 1, 2, 4]
    losses = pd.read_csv(out / "losses.csv")
    assert losses.step.tolist() == list(range(1, 21)) and losses.loss.iloc[0] == pytest.approx(
        np.log(8), abs=1e-6
    )
    model = models.read(out / "model.zip")
    assert model.provenance["plan"] == TINY.model_dump() and model.provenance["step"] == 20
    np.testing.assert_allclose(model.trained.losses, losses.loss, rtol=1e-7)
    # A finished run is read back: the same files again.
    before = {name: (out / name).read_bytes() for name in LEFT}
    assert run(*options) == 0
    assert {name: (out / name).read_bytes() for name in LEFT} == before
    shown = capsys.readouterr().out
    assert "trained/Bayes" in shown and f"table: {out / 'table.csv'} (32 rows)" in shown
    for path in (out / "figures").iterdir():
        path.unlink()
    assert {path.name for path in figures.render("all", out)} == pictures


@pytest.mark.usefixtures("tiny")
def test_what_cannot_be_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "run", tmp_path / "other"
    synthlaw.train(out=out, sequences=16)
    other.mkdir()
    (other / "table.csv").write_text("a\n1\n")
    (tmp_path / "file").write_text("")
    capsys.readouterr()

    def refused(says: str, *options: str, into: Path = out) -> None:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert run("train", *options, "--out", str(into)) == 2
        text = capsys.readouterr().err.strip()
        assert says in text and text.count(". ") == 0 and text.endswith((".", "?"))
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before

    refused("is a checkpoint of another run (seed 0, not 1)", "--seed", "1")
    refused("is a checkpoint of another run (steps 20, not 30)", "--steps", "30")
    refused("did you mean 'teaching'?", "--preset", "teachin")
    refused("--steps is 0; give a whole number", "--steps", "0")
    refused("--sequences is 2; give a whole number", "--sequences", "2")
    refused("--learning-rate is -1; give a number above 0", "--learning-rate", "-1")
    refused("holds the table of another command", into=other)
    refused("is not a folder", into=tmp_path / "file")
    # Other versions may round otherwise: their checkpoint is not gone on with.
    path = out / "checkpoint.zip"
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as kept, zipfile.ZipFile(changed, "w") as archive:
        for name in kept.namelist():
            content = kept.read(name)
            if name == "provenance.json":
                about = json.loads(content)
                about["versions"]["jax"] = "0.0"
                content = json.dumps(about).encode()
            archive.writestr(name, content)
    path.write_bytes(changed.getvalue())
    refused("is a checkpoint of another run (jax 0.0, not")


@pytest.mark.usefixtures("tiny")
def test_a_loss_that_is_no_number_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run("train", "--learning-rate", "1e30", "--out", str(out)) == 2
    text = capsys.readouterr().err.strip()
    assert "the loss is no number after step" in text and "below 1e+30" in text
    assert text.count("\n") == 0 and text.endswith(".")
    kept = {path.name for path in out.iterdir()} if out.exists() else set()
    assert kept <= {"checkpoint.zip"}


def test_the_bar_says_loss_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    from synthlaw.output import Output

    with training_bar(Output()) as report:
        report(runs.Progress(10, 20, 3.5, 12.0))
    assert capsys.readouterr().err == ""


def test_the_shipped_model_is_the_teaching_plan_trained() -> None:
    """Its plan is the code's, and the first steps come out again. On one machine the losses are equal to
    the bit; others sum in another order, and 8 steps carry an error of 1e-7 on to less than 1e-4."""
    model = teaching_model()
    assert model.trained.plan == TEACHING and model.provenance["step"] == TEACHING.steps
    assert {"jax", "jaxlib", "numpy", "optax"} == set(model.provenance["versions"])
    size = (Path(runs.__file__).parents[1] / "data" / "teaching.zip").stat().st_size
    assert size < 300_000
    again = first_losses(TEACHING, token_table(TEACHING), 8)
    kept = model.trained.losses
    assert len(kept) == TEACHING.steps and np.abs(again - kept[:8]).max() < 1e-4
    assert np.abs(again - kept[1:9]).max() > 1e-3
    assert kept[-200:].mean() < kept[:20].mean() - 0.2


def test_a_model_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(models.content(teaching_model().trained, token_table(TEACHING)))
    assert models.read(path).provenance == teaching_model().provenance

    def changed(name: str, change: Any) -> None:
        kept = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(kept)) as archive:
            parts = {each: archive.read(each) for each in archive.namelist()}
        parts[name] = change(parts[name])
        with zipfile.ZipFile(path, "w") as archive:
            for each, content in parts.items():
                archive.writestr(each, content)
        with pytest.raises(InputError, match="make it anew") as found:
            models.read(path)
        assert str(path) in str(found.value) and str(found.value).count(". ") == 0
        path.write_bytes(kept)

    changed("weights.readout.npy", lambda content: content[:-4] + b"\x00\x00\x80?")
    changed("provenance.json", lambda content: content.replace(b'"seed": 0', b'"seed": 1'))
    changed("provenance.json", lambda content: content.replace(b'"width"', b'"wodth"'))
    changed("losses.npy", lambda content: content[:50])
    with pytest.raises(InputError, match="there is no such file"):
        models.read(tmp_path / "none.zip")
