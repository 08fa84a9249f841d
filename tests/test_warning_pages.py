"""Every warning of a fit or a plan has a page, every page a warning, and its example raises it."""

import re
from pathlib import Path
from typing import Any

import pytest

from scaling.fitting.warnings import CODES as OF_FITS
from synthlaw import fit, plan
from synthlaw.planning.codes import CODES as OF_PLANS
from synthlaw.words import warning_line

PAGES = Path(__file__).parents[1] / "paper_notes" / "warnings"
CODES = (*OF_FITS, *OF_PLANS)
PARTS = ("**It means.**", "**Why it happens.**", "**What to do.**")
# Whether a search comes to rest hangs on the last digits: no example can promise it. A sample is drawn
# of tables with more than 100,000 rows.
WITHOUT_EXAMPLE = {"unsettled", "not_converged", "sampled_rows"}


def page(code: str) -> str:
    return (PAGES / f"{code}.md").read_text("utf-8")


def example(code: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", page(code), flags=re.DOTALL)
    return found


def raised(found: dict[str, Any]) -> list[str]:
    """The codes in the result of a fit of one curve, or of a plan."""
    (entry,) = found["fits"] if "fits" in found else [found]
    return [each["code"] for each in entry["warnings"]]


def test_codes_and_pages_agree() -> None:
    assert len(set(CODES)) == len(CODES)
    found = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert found == set(CODES)
    index = (PAGES / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[(\w+)\]\(\1\.md\)", index, flags=re.MULTILINE) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_why_and_what_to_do(code: str) -> None:
    text = page(code)
    assert text.startswith(f"# `{code}`\n")
    places = [text.index(part) for part in PARTS]
    assert places == sorted(places)
    assert all(text[place + len(part) :].strip() for place, part in zip(places, PARTS, strict=True))
    assert (PAGES.parents[1] / warning_line(code, "").split("(")[1].split(")")[0]).is_file()


@pytest.mark.parametrize("code", [code for code in CODES if code not in WITHOUT_EXAMPLE])
def test_the_example_raises_its_warning(code: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(example(code), f"{code}.md", "exec"), names)
    assert code in raised(names["found"])


def test_a_sound_curve_raises_none() -> None:
    rows = [100, 200, 400, 800, 1600, 3200, 6400]
    table = {"rows": rows, "error": [0.1 + 2 / r**0.5 for r in rows], "se": [0.002] * len(rows)}
    (entry,) = fit(table, x="rows", y="error", se="se", law="power_floor")["fits"]
    assert (entry["status"], entry["warnings"]) == ("fitted", [])


def test_a_sound_table_raises_none() -> None:
    """The table of the examples, as it is."""
    names: dict[str, Any] = {}
    exec(compile(example("missing_labels").split("label[:5]")[0], "head", "exec"), names)
    x, label = names["x"], names["label"]
    found = plan({"a": x[:, 0], "b": x[:, 1], "y": label}, label="y", generator="duplicate")
    assert raised(found) == []
