"""Imports run one way: simulations <- scaling <- figures <- synthlaw."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "simulations": {"simulations"},
    "scaling": {"scaling", "simulations"},
    "figures": {"figures", "scaling"},
    "synthlaw": {"synthlaw", "figures", "scaling", "simulations"},
}
# Rooms of simulations/, each with those it may import besides what lies outside all rooms.
ROOMS = {
    "setup": set(),
    "tables": set(),
    "craft": set(),
    "smote": set(),
    "series": set(),
    "population": {"setup", "craft", "smote"},
    "tokens": {"setup", "series", "population"},
    "sampling": {"setup", "craft", "smote", "population"},
    "statistics": {"setup", "craft", "smote", "population", "sampling"},
    "wide": {"setup", "craft", "smote", "population", "sampling", "statistics"},
    "transformers": {"setup", "tokens"},
    "token_sweeps": {"setup", "population", "tokens", "sampling"},
    "memorising": {"setup", "sampling", "wide"},
    "runs": {
        "setup",
        "craft",
        "smote",
        "population",
        "sampling",
        "statistics",
        "wide",
        "token_sweeps",
    },
}
HEAVY = ("jax", "numpy", "pandas", "scipy", "pydantic", "matplotlib", "rich.progress")


def wrong_imports(package: str, text: str) -> list[str]:
    """Our packages that ``text``, a file of ``package``, imports and may not."""
    named: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            named.append(node.module or "")
    ours = [
        name for name in named if name.partition(".")[0] in {*MAY_IMPORT, "tests", "benchmarks"}
    ]
    return [name for name in ours if name.partition(".")[0] not in MAY_IMPORT[package]]


def wrong_rooms(room: str, text: str) -> list[str]:
    """Rooms that ``text``, a file of ``room``, imports and may not."""
    named: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulations"):
            inside = (node.module or "").split(".")[1:2]
            named += inside or [alias.name for alias in node.names]
    return [name for name in named if name in ROOMS and name not in {room, *ROOMS[room]}]


@pytest.mark.parametrize("room", ROOMS)
def test_the_rooms_of_simulations_stand_in_order(room: str) -> None:
    files = sorted((ROOT / "simulations" / room).glob("*.py"))
    assert len(files) > 1, f"{room} has no files"
    assert {
        str(f): wrong_rooms(room, f.read_text("utf-8"))
        for f in files
        if wrong_rooms(room, f.read_text("utf-8"))
    } == {}


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("setup", "from simulations.population.cells import Cell"),
        ("sampling", "from simulations import runs"),
        ("statistics", "from simulations.runs import tasks"),
    ],
)
def test_a_room_that_looks_up_is_caught(room: str, text: str) -> None:
    assert len(wrong_rooms(room, text)) == 1


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_file_imports_downwards_only(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package} has no files"
    found = {str(file): wrong_imports(package, file.read_text("utf-8")) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("simulations", "import scaling.theory"),
        ("simulations", "def f():\n    from synthlaw import predict"),
        ("scaling", "from figures import render"),
        ("figures", "from simulations.runs.table import METRICS"),
        ("synthlaw", "import tests"),
    ],
)
def test_a_wrong_import_is_caught(package: str, text: str) -> None:
    assert len(wrong_imports(package, text)) == 1


def test_the_command_line_starts_light() -> None:
    code = f"import sys, synthlaw.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
