"""The newcomer's path: the note's commands run as they stand, and its times are the recorded ones."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import newcomer

_NOTE = newcomer.NOTE.read_text(encoding="utf-8")
_STEPS = newcomer.steps(_NOTE)
_WELL = newcomer.Step(8, "well", 1, "true\n")
_BROKEN = newcomer.Step(9, "broken", 1, "(exit 3)\ntouch late\n")


def test_steps_follow_the_path() -> None:
    assert [step.number for step in _STEPS] == [1, 2, 3, 4, 5, 6, 7]
    assert _STEPS[0].script.startswith("make verify\n")
    assert all(step.script and step.words > 0 for step in _STEPS)


# `make verify`, a claim and a sweep with its figures take minutes together, and are run by other tests.
def test_commands_run_as_they_stand(tmp_path: Path) -> None:
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "activate").write_text(f'export PATH="{Path(sys.executable).parent}:$PATH"\n')
    assert shutil.which("synthlaw", path=str(Path(sys.executable).parent))
    installed = _STEPS[0]._replace(script=_STEPS[0].script.removeprefix("make verify\n"))
    times = newcomer.walk([installed, *_STEPS[3:6]], tmp_path)
    assert len(times) == 4 and times[0] < min(times[1:])
    made = {path.name for path in (tmp_path / "results" / "first_hour").iterdir()}
    assert {"fits", "plan", "mine"} <= made


def test_a_step_that_fails_ends_the_walk(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="step 9, broken, ended with status 3"):
        newcomer.walk([_WELL, _BROKEN, _WELL], tmp_path)
    assert not (tmp_path / "late").exists()


def test_the_times_are_the_recorded_ones() -> None:
    record = json.loads(newcomer.RECORD.read_text(encoding="utf-8"))
    assert newcomer.written(_NOTE, record) == _NOTE
    assert [each["name"] for each in record["steps"]] == [step.name for step in _STEPS]


def test_starts_before_anything_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(newcomer.__file__)), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
