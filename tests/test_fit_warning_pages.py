"""Every warning of a fit has a page, every page a warning, and its example raises it."""

import re
from pathlib import Path
from typing import Any

import pytest

from scaling.fitting.warnings import CODES
from synthlaw import fit

PAGES = Path(__file__).parents[1] / "paper_notes" / "warnings"
PARTS = ("**It means.**", "**Why it happens.**", "**What to do.**")
# Whether a search comes to rest hangs on the last digits: no example can promise it.
WITHOUT_EXAMPLE = {"unsettled"}


def page(code: str) -> str:
    return (PAGES / f"{code}.md").read_text("utf-8")


def example(code: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", page(code), flags=re.DOTALL)
    return found


def test_codes_and_pages_agree() -> None:
    found = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert found == set(CODES)
    index = (PAGES / "README.md").read_text("utf-8")
    assert set(re.findall(r"\]\((\w+)\.md\)", index)) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_why_and_what_to_do(code: str) -> None:
    text = page(code)
    assert text.startswith(f"# `{code}`\n")
    places = [text.index(part) for part in PARTS]
    assert places == sorted(places)
    assert all(text[place + len(part) :].strip() for place, part in zip(places, PARTS, strict=True))


@pytest.mark.parametrize("code", [code for code in CODES if code not in WITHOUT_EXAMPLE])
def test_the_example_raises_its_warning(code: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(example(code), f"{code}.md", "exec"), names)
    (entry,) = names["found"]["fits"]
    raised = [each["code"] for each in entry["warnings"]]
    assert code in raised


def test_a_sound_curve_raises_none() -> None:
    rows = [100, 200, 400, 800, 1600, 3200, 6400]
    table = {"rows": rows, "error": [0.1 + 2 / r**0.5 for r in rows], "se": [0.002] * len(rows)}
    (entry,) = fit(table, x="rows", y="error", se="se", law="power_floor")["fits"]
    assert (entry["status"], entry["warnings"]) == ("fitted", [])
