"""Every warning of a plan has a line in the note, every line a warning, and all that are raised are
known."""

import ast
import re
from pathlib import Path

from synthlaw.planning.codes import CODES

ROOT = Path(__file__).parents[1]


def raised() -> set[str]:
    """First members of pairs (code, text) in the files that make warnings."""
    found = set()
    for name in ("encoding", "entries", "memorisation", "plan"):
        tree = ast.parse((ROOT / "synthlaw" / "planning" / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple) and len(node.elts) == 2:
                first, second = node.elts
                text = isinstance(second, ast.JoinedStr | ast.Name) or (
                    isinstance(second, ast.Constant) and " " in str(second.value)
                )
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and text:
                    found.add(first.value)
    return found


def test_codes_and_the_note_agree() -> None:
    note = (ROOT / "paper_notes" / "planning.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", note, flags=re.MULTILINE)
    assert [row[0] for row in rows] == list(CODES)
    assert all(means.strip() and what.strip() for _, means, what in rows)


def test_what_is_raised_is_known_and_what_is_known_is_raised() -> None:
    assert raised() == set(CODES)
