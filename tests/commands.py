"""The command line from outside: run in this process or installed, and what a fault must look like."""

import subprocess
import sys
from pathlib import Path

import pytest

from synthlaw import cli

COMMAND = Path(sys.executable).parent / "synthlaw"

# A sweep that takes no time.
SMALL = """
[setting]
kind = "imbalance"
dim = 2
[counts]
majority = 200
minority = 50
[synthetic]
ratios = [0, 1]
"""


def tree(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, to compare with later."""
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


def run(*arguments: str) -> int:
    """The exit status of a command run in this process."""
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


def installed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command run in a folder."""
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def refused(folder: Path, capsys, arguments: list[str], words: list[str]) -> None:
    """Raise unless the command ends with status 2 and one sentence with these words, and leaves nothing."""
    before = tree(folder)
    assert run(*arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1 and told.err.rstrip()[-1] in ".?"
    for word in words:
        assert word in told.err
    assert tree(folder) == before


def refused_alike(folder: Path, capsys, arguments: list[str]) -> None:
    """Raise unless the installed command says of a fault what the one of this process does."""
    run(*arguments)
    done = installed(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == capsys.readouterr().err
