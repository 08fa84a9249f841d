"""Habits of the installed command, from outside: one JSON object, no word when quiet, progress on a
terminal alone, and what was asked beside every result (paper_notes/command_line.md)."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synthlaw import cli
from synthlaw.output import BAD_INPUT, CONTRADICTED, INTERRUPTED
from tests.commands import COMMAND, SMALL, installed, tree

NOTE = Path(__file__).parents[1] / "paper_notes" / "command_line.md"
ESCAPE = "\x1b"
# In this order: a later one reads what an earlier one left.
CALLS: dict[str, tuple[str, ...]] = {
    "claims": (),
    "init": (),
    "predict": ("SWEEP.toml",),
    "simulate": ("SWEEP.toml", "--replicates", "8"),
    "status": ("results/simulate",),
    "fit": ("curve.csv", "--x", "rows", "--y", "error", "--law", "power_floor"),
    "plan": ("table.csv", "--label", "y", "--generator", "duplicate"),
    "verify": ("--claim", "imbalance-log-odds"),
    "figure": ("all", "--from", "results/plan"),
}
# What was asked, by command, with a name that must be in it.
ASKED = {
    "predict": ("table.config.json", "sweep"),
    "simulate": ("manifest.json", "sweep"),
    "fit": ("fit.config.json", "fit"),
    "plan": ("plan.config.json", "plan"),
    "verify": ("verify.config.json", "verify"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("habits")
    (found / "SWEEP.toml").write_text(SMALL)
    rows = [100, 200, 400, 800, 1600, 3200]
    points = "".join(f"{n},{0.1 + 2.0 / n**0.5}\n" for n in rows)
    (found / "curve.csv").write_text("rows,error\n" + points)
    random = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [200, 40])
    x = random.standard_normal((240, 2)) + np.where(y == "yes", 1.0, 0.0)[:, None]
    lines = "".join(f"{a:.4f},{b:.4f},{c}\n" for (a, b), c in zip(x, y, strict=True))
    (found / "table.csv").write_text("a,b,y\n" + lines)
    return found


def test_every_command_is_tried_here() -> None:
    # (tests/test_train_command.py asks the same of train, which takes longer.)
    assert {*CALLS, "train"} == set(cli.COMMANDS)


@pytest.mark.parametrize("command", CALLS)
def test_json_is_one_object_and_what_was_asked_is_kept(folder: Path, command: str) -> None:
    done = installed(folder, command, *CALLS[command], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["schema"] == 1
    if command in ASKED:
        name, key = ASKED[command]
        kept = json.loads((folder / "results" / command / name).read_text())
        assert kept[key] and {"python", "synthlaw", "jax"} <= set(kept["versions"])
        assert name in NOTE.read_text("utf-8") or name.replace("table", "NAME") in NOTE.read_text()


def test_a_pipe_gets_words_without_codes_and_no_progress(folder: Path) -> None:
    done = installed(folder, "fit", *CALLS["fit"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout and ESCAPE not in done.stdout
    done = installed(folder, "--quiet", "fit", *CALLS["fit"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command writes on a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    running = subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    told = b""
    # The other end of a terminal that closed is an error on Linux, an end of file elsewhere.
    try:
        while part := os.read(ours, 1 << 16):
            told += part
    except OSError:
        pass
    finally:
        os.close(ours)
    assert running.wait(timeout=120) == 0
    return told.decode("utf-8", "replace")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_progress_with_the_time_left(folder: Path) -> None:
    told = on_a_terminal(folder, "predict", "SWEEP.toml")
    assert ESCAPE in told and "1/1" in told and "left" in told
    told = on_a_terminal(folder, "predict", "SWEEP.toml", "--quiet")
    assert told == ""


def test_a_fault_leaves_standard_output_empty(folder: Path) -> None:
    before = tree(folder)
    for arguments in (["--json"], ["--json", "fit", "curve.csv", "--x", "n", "--y", "error"]):
        done = installed(folder, *arguments)
        assert (done.returncode, done.stdout) == (BAD_INPUT, "")
        assert done.stderr.count("\n") == 1
    assert tree(folder) == before


def test_a_file_of_claims_that_exits_is_a_fault_of_the_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "claims.py").write_text("raise SystemExit(0)\n")
    done = installed(tmp_path, "verify", "--module", "claims.py")
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert "line 1: SystemExit" in done.stderr


def test_exit_statuses_stand_in_the_help_and_in_the_note(folder: Path) -> None:
    shown = installed(folder, "--help").stdout
    told = re.findall(r"^ +(\d+) {2,}\w", shown, flags=re.MULTILINE)
    assert [int(each) for each in told] == [0, CONTRADICTED, BAD_INPUT, INTERRUPTED]
    note = re.findall(r"^\| (\d+) \|", NOTE.read_text("utf-8"), flags=re.MULTILINE)
    assert note == told
    # No line of the list of commands is cut.
    assert "..." not in shown.split("Commands:")[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_learn_to_complete(shell: str) -> None:
    asked = {"_SYNTHLAW_COMPLETE": f"source_{shell}"}
    done = subprocess.run([COMMAND], env={**os.environ, **asked}, capture_output=True, text=True)
    assert done.returncode == 0 and "synthlaw" in done.stdout and "COMPLETE" in done.stdout
