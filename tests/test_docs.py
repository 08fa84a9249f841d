"""The documentation site: it builds without a warning, opens from disk, and lacks no page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docstrings import PUBLIC

ROOT = Path(__file__).parents[1]
pytest.importorskip("mkdocs", reason="needs the extra docs: make docs installs it")
FETCHED = re.compile(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="https?://[^"]*"')
LINKED = re.compile(r'<a [^>]*href="([^"#:]+\.html)(#[^"]*)?"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_nothing_is_fetched_from_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    assert [page for page in pages if FETCHED.search(page.read_text("utf-8"))] == []


def test_every_link_between_pages_leads_somewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        # Its links are absolute: it stands for a page that is missing, wherever that was.
        if page.name == "404.html":
            continue
        for target, part in LINKED.findall(page.read_text("utf-8")):
            there = page.parent / target
            assert there.is_file(), (page.name, target)
            if part:
                assert f'id="{part[1:]}"' in there.read_text("utf-8"), (page.name, target, part)


def test_notes_warnings_and_rooms_each_have_a_page(site: Path) -> None:
    for note in (ROOT / "paper_notes").glob("*.md"):
        assert (site / f"{note.stem}.html").is_file() or note.name == "README.md"
    for code in (ROOT / "paper_notes" / "warnings").glob("*.md"):
        name = "index" if code.name == "README.md" else code.stem
        assert (site / "warnings" / f"{name}.html").is_file()
    for room in ("synthlaw", "scaling.verdict", "simulations.runs", "scaling.theory.tokens"):
        assert (site / "reference" / f"{room}.html").is_file()


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """But for the families of claims: what they hold is listed by ``synthlaw claims``."""
    pages = [page.read_text("utf-8") for page in (site / "reference").glob("*.html")]
    there = {name for page in pages for name in re.findall(r'id="([\w.]+)"', page)}
    hidden = re.compile(r"synthlaw\.(claims\.(\w+\.|[a-z]+$)|templates|__main__)")
    assert len(PUBLIC) > 1500
    assert [name for name in PUBLIC if name not in there and not hidden.match(name)] == []


def test_commands_are_shown_plainly(site: Path) -> None:
    page = (site / "reference" / "synthlaw.simulating.html").read_text("utf-8")
    assert "Annotated" not in page and "\b" not in page
    assert "synthlaw simulate SWEEP.toml --target-se 0.01\n" in page


def test_formulas_are_mathml_and_examples_are_code(site: Path) -> None:
    for name in (
        note.stem for note in (ROOT / "paper_notes").glob("*.md") if note.stem != "README"
    ):
        note = (site / f"{name}.html").read_text("utf-8")
        # What cannot be converted is shown as its source.
        assert "arithmatex" not in note and not re.search(r"<code>[^<]*\\(frac|mathrm|sum)", note)
    assert (site / "proportional.html").read_text("utf-8").count("<math") > 50
    page = (site / "reference" / "synthlaw.html").read_text("utf-8")
    assert "synthlaw.predict" in page and '<span class="gp">&gt;&gt;&gt; </span>' in page
    assert "<blockquote>" not in page
