"""The installed command: bad input leaves one sentence, exit status 2 and nothing on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthlaw import cli
from synthlaw.simulating import simulation
from tests.commands import COMMAND, SMALL, tree
from tests.commands import installed as run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.toml").write_text(SMALL)
    (tmp_path / "negative.toml").write_text(SMALL.replace("[0, 1]", "[0, -1]"))
    (tmp_path / "typo.toml").write_text(SMALL.replace("imbalance", "imbalanced"))
    (tmp_path / "broken.toml").write_text("[setting\n")
    return tmp_path


BAD = [  # arguments, words the sentence must hold
    (["predict", "nowhere.toml"], ["nowhere.toml", "no such file", "synthlaw init"]),
    (["predict", "broken.toml"], ["broken.toml", "line 1"]),
    (["predict", "negative.toml"], ["negative.toml", "synthetic.ratios.1", "at least 0"]),
    (["simulate", "typo.toml"], ["typo.toml", "setting.kind", "'imbalance'"]),
    (["predict", "good.toml", "--out", "good.toml/t.csv"], ["cannot write", "--out"]),
    (["predict", "good.toml", "--out", "."], ["is a folder", "name a file"]),
    (["simulate", "good.toml", "--out", "good.toml"], ["cannot write", "--out"]),
    (["simulate", "good.toml", "--out", "/proc/none"], ["cannot write", "--out"]),
    (["simulate", "good.toml", "--replicates", "1"], ["--replicates is 1", "from 2 to"]),
    (["simulate", "good.toml", "--replicates", "many"], ["--replicates", "integer"]),
    (["simulate", "good.toml", "--replicate", "9"], ["No such option", "--replicates"]),
    (["simulate", "good.toml", "--target-se", "0"], ["--target-se is 0", "between 0 and 1"]),
    (
        ["simulate", "good.toml", "--target-se", "0.1", "--replicates", "9"],
        ["--replicates", "--target-se", "keep one"],
    ),
    (["simulate", "good.toml", "--shard", "3/2"], ["--shard is 3/2", "such as 1/4"]),
    (["simulate", "good.toml", "--shard", "1/2", "--dry-run"], ["--shard", "leave out"]),
    (
        ["simulate", "good.toml", "--shard", "1/2", "--target-se", "0.1"],
        ["--shard", "fixed number of replicates"],
    ),
    (["verify", "--preset", "quik"], ["'quik'", "did you mean 'quick'?"]),
    (["verify", "--claim", "no_such_claim"], ["no_such_claim", "claims"]),
    (["verify", "--family", "imbalanse"], ["imbalanse", "did you mean 'imbalance'?"]),
    (["verify", "--soak", "0"], ["--soak is 0", "at least 1"]),
    (["verify", "--out", "good.toml"], ["cannot write", "--out"]),
    (["init", "--kind", "spurius"], ["'spurius'", "did you mean 'spurious'?"]),
    (["status", "nowhere"], ["nowhere", "simulate"]),
    (["figure", "all", "--from", "nowhere"], ["nowhere", "no such folder"]),
    (["figure", "all"], ["--from", "--help"]),
    (["predikt", "good.toml"], ["predikt", "--help"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: " ".join(v[:3]))
def test_bad_input_is_one_sentence_and_leaves_nothing(folder, arguments, words) -> None:
    before = tree(folder)
    done = run(folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    text = done.stderr
    assert text.count("\n") == 1 and text.rstrip()[-1] in ".?"
    for word in words:
        assert word in text
    assert tree(folder) == before


def test_the_package_runs_as_the_command(folder: Path) -> None:
    module = [sys.executable, "-m", "synthlaw", "predict", "negative.toml"]
    done = subprocess.run(module, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, run(folder, "predict", "negative.toml").stderr)


def test_help_version_and_json(folder: Path) -> None:
    assert "simulate" in run(folder, "--help").stdout
    assert run(folder, "--version").stdout.startswith("synthlaw 0.")
    for command in cli.COMMANDS:
        assert "Example" in run(folder, command, "--help").stdout
    done = run(folder, "predict", "good.toml", "--json")
    shown = json.loads(done.stdout)
    assert shown["schema"] == 1
    assert {row["metric"] for row in shown["table"]} == {"excess_risk", "error"}
    assert done.stderr == ""
    kept = folder / "results" / "predict"
    assert sorted(p.name for p in kept.iterdir()) == ["table.config.json", "table.csv"]
    assert len((kept / "table.csv").read_text().splitlines()) == len(shown["table"]) + 1
    about = json.loads((kept / "table.config.json").read_text())
    assert about["sweep"]["counts"] == {"majority": 200, "minority": 50}


@pytest.mark.parametrize("kind", ["imbalance", "spurious", "groups", "craft", "tokens"])
def test_the_printed_template_can_be_predicted(folder: Path, kind: str) -> None:
    done = run(folder, "init", "--kind", kind)
    (folder / "made.toml").write_text(done.stdout)
    assert f'kind = "{kind}"' in done.stdout
    quiet = run(folder, "--quiet", "predict", "made.toml")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_dry_run_writes_nothing_and_a_run_can_be_asked_for_its_state(folder: Path) -> None:
    before = tree(folder)
    planned = run(folder, "--json", "simulate", "good.toml", "--dry-run", "--replicates", "4")
    assert [row["missing"] for row in json.loads(planned.stdout)["rows"]] == [4, 4]
    assert tree(folder) == before
    done = run(folder, "simulate", "good.toml", "--out", "run", "--replicates", "4", "--json")
    rows = json.loads(done.stdout)["table"]
    assert {row["replicates"] for row in rows} == {4}
    state = json.loads(run(folder, "status", "run", "--json").stdout)["rows"]
    assert [(row["held"], row["missing"]) for row in state] == [(4, 0), (4, 0)]


def test_a_share_and_a_target_from_the_command_line(folder: Path) -> None:
    first = run(folder, "simulate", "good.toml", "--out", "run", "--replicates", "4", "--shard=1/2")
    assert first.returncode == 0 and "Share 1/2 is done; 4 replicates" in first.stdout
    arguments = ("--out", "run", "--replicates", "4", "--shard=2/2", "--json")
    last = json.loads(run(folder, "simulate", "good.toml", *arguments).stdout)
    assert {row["replicates"] for row in last["table"]} == {4} and last["notes"] == []
    done = run(folder, "simulate", "good.toml", "--out", "run", "--target-se", "0.2")
    assert done.returncode == 0 and "table: run/table.csv" in done.stdout
    state = json.loads(run(folder, "status", "run", "--json").stdout)["rows"]
    assert [(row["held"], row["wanted"], row["state"]) for row in state] == [
        (200, None, "done")
    ] * 2


def test_an_interruption_is_one_sentence_and_130(folder, monkeypatch, capsys) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "simulate", interrupted)
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as caught:
        cli.main(["--quiet", "simulate", "good.toml"])
    assert caught.value.code == 130
    assert capsys.readouterr().err == "Interrupted; run the same command again.\n"


def test_a_mistake_of_ours_is_not_passed_off_as_bad_input(folder, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("shapes do not match")

    monkeypatch.setattr(simulation, "simulate", broken)
    monkeypatch.chdir(folder)
    with pytest.raises(ValueError, match="shapes"):
        cli.main(["--quiet", "simulate", "good.toml"])


def test_a_shell_completes_commands_and_options() -> None:
    for words, at, expected in (
        ("synthlaw ver", 1, "verify"),
        ("synthlaw fit --the", 2, "--theory"),
    ):
        asked = {"_SYNTHLAW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        done = subprocess.run(
            [COMMAND], env={**os.environ, **asked}, capture_output=True, text=True
        )
        assert done.stdout.split() == [expected]
