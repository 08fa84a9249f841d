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
        ("figures", "from simulations.table import METRICS"),
        ("synthlaw", "import tests"),
    ],
)
def test_a_wrong_import_is_caught(package: str, text: str) -> None:
    assert len(wrong_imports(package, text)) == 1


def test_the_command_line_starts_light() -> None:
    code = f"import sys, synthlaw.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
