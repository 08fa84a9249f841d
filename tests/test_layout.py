"""How files are laid out: short ones, and a reason in the head of every long one."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("simulations", "scaling", "figures", "synthlaw", "benchmarks", "tests", "paper_notes")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONG = 300
REASON = "Long because"


def unexplained(text: str) -> bool:
    """Whether a file is long and its head does not say why."""
    lines = text.splitlines()
    if len(lines) <= LONG:
        return False
    return REASON not in (ast.get_docstring(ast.parse(text)) or "") + "\n".join(lines[:10])


def test_a_long_file_says_why_in_its_head() -> None:
    told = [str(path.relative_to(ROOT)) for path in FILES if unexplained(path.read_text("utf-8"))]
    assert not told, f"above {LONG} lines; split it by subject, or say '{REASON} ..': {told}"


def test_files_are_short_as_a_rule() -> None:
    lines = sorted(len(path.read_text("utf-8").splitlines()) for path in FILES)
    assert len(lines) > 500 and lines[len(lines) // 2] < 160


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n" * 301, True),
        ("x = 1\n" * 300, False),
        ('"""A table.\n\nLong because it is one table.\n"""\n' + "x = 1\n" * 400, False),
        ("x = 1\n" * 400 + "# Long because\n", True),
    ],
)
def test_the_check_itself(text: str, told: bool) -> None:
    assert unexplained(text) is told
