"""What the documentation site adds to the notes: README, CONTRIBUTING and CHANGELOG as pages, a reference
page per room of the code, formulas as MathML, and a search that works from disk.

MkDocs calls the functions named ``on_...`` (mkdocs.yml, ``hooks``).
"""

import html
import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

import griffe
from mkdocs.structure.files import File, Files

from synthlaw.verifying.mathml import mathml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ("synthlaw", "scaling", "simulations", "figures")
HIDDEN = ("synthlaw/templates",)
# Pages made from files that the site does not find by itself: name on the site, and the file.
MADE = {
    "index.md": "README.md",
    "notes.md": "paper_notes/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")
# What the plug-in `offline` would fetch from the network, and our own in its place.
_FETCHED = re.compile(r'<script src="https://[^"]*iframe-worker[^"]*"></script>')
_RANGE = re.compile(r"^( *(?:[\w, ]+: )?)>(?!>>)", re.MULTILINE)
_FORMULA = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.DOTALL)


def rooms() -> dict[str, list[str]]:
    """The folders of the packages with their modules, by dotted names. (Of the claims only what they are
    made of: `synthlaw claims` lists them.)"""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            where = path.relative_to(ROOT)
            parts = where.with_suffix("").parts
            if where.as_posix().startswith((*HIDDEN, "synthlaw/__main__")):
                continue
            if parts[:2] == ("synthlaw", "claims") and len(parts) > 3:
                continue
            name = ".".join(parts[:-1] if path.stem == "__init__" else parts)
            found.setdefault(".".join(parts[:-1]), []).append(name)
    return found


def reference(room: str, modules: list[str]) -> str:
    """The page of a room: one block per module."""
    blocks = "\n\n".join(f"::: {name}" for name in modules)
    return f"# {room}\n\n{blocks}\n"


def fenced(docstring: str) -> str:
    """A docstring with its examples (from ``>>>`` to the next empty line) as blocks of code; else Markdown
    takes ``>>>`` for a quotation."""
    lines: list[str] = []
    inside = False
    for line in [*docstring.split("\n"), ""]:
        if line.lstrip().startswith(">>>") and not inside:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += ["", f"{indent}```pycon"]
        elif inside and not line.strip():
            inside = False
            lines.append(f"{indent}```")
        lines.append(line)
    lines = _shown(lines)
    # "> 0" at the start of a description is a number's range, no quotation.
    return _RANGE.sub(r"\1\\>", "\n".join(lines[:-1]))


def _shown(lines: list[str]) -> list[str]:
    """Lines of a command's help after a mark that they stay as they are (``\\b``) as blocks of code."""
    found: list[str] = []
    inside = False
    for line in lines:
        if line.strip() == "\b":
            inside = True
            found.append("```text")
            continue
        if inside and not line.strip():
            inside = False
            found.append("```")
        found.append(line)
    return found


def plain_options(function: griffe.Function) -> None:
    """A command's arguments without what its help says of them: that stands in ``--help``."""
    for each in function.parameters:
        told = each.annotation
        if isinstance(told, griffe.ExprSubscript) and str(told.left) == "Annotated":
            (each.annotation, *_) = list(getattr(told.slice, "elements", [told.slice]))


class Examples(griffe.Extension):
    """Examples of docstrings become blocks of code, and commands show their arguments plainly."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for every object that was read but packages."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
        if isinstance(obj, griffe.Function):
            plain_options(obj)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Called for every package."""
        self.on_object(obj=pkg)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and the pictures they show."""
    notes = files.get_file_from_path("README.md")
    if notes is not None:
        files.remove(notes)
    pages = {name: (ROOT / source).read_text("utf-8") for name, source in MADE.items()}
    pictures = {
        target
        for text in pages.values()
        for shown, _, target, _ in _LINK.findall(text)
        if shown and (ROOT / target).is_file()
    }
    pages |= {f"reference/{room}.md": reference(room, modules) for room, modules in rooms().items()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for picture in sorted(pictures):
        files.append(File.generated(config, picture, content=(ROOT / picture).read_bytes()))
    config.nav = navigation(sorted(file.src_uri for file in files.documentation_pages()))
    return files


def navigation(pages: list[str]) -> list[Any]:
    """The pages in sections; a folder's README comes first. The notes stand in the order of their index."""

    def under(folder: str) -> list[str]:
        found = [page for page in pages if dirname(page) == folder]
        return sorted(found, key=lambda page: (not page.endswith("README.md"), page))

    index = (ROOT / MADE["notes.md"]).read_text("utf-8")
    listed = list(dict.fromkeys(target for *_, target, _ in _LINK.findall(index)))
    notes = [page for page in under("") if page not in MADE]
    notes.sort(key=lambda page: (page not in listed, listed.index(page) if page in listed else 0))
    sections = {
        "Notes": ["notes.md", *notes],
        "Lessons": under("lessons"),
        "Warnings": under("warnings"),
        "Reference": under("reference"),
        "Project": ["contributing.md", "changelog.md"],
    }
    return ["index.md", *({name: inner} for name, inner in sections.items() if inner)]


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as they stand on the site; one that leads to no page of it becomes plain text."""
    here = page.file.src_uri
    source = MADE.get(here, f"paper_notes/{here}")
    pages = {file: name for name, file in MADE.items()}

    def link(found: re.Match) -> str:
        shown, text, target, part = found.groups()
        if ":" in target:
            return found.group()
        where = normpath(join(dirname(source), target))
        # A folder of notes is its README.
        where = pages.get(where, where.removeprefix("paper_notes/"))
        if (ROOT / "paper_notes" / where).is_dir():
            where = join(where, "README.md")
        if files.get_file_from_path(where) is None:
            return text
        return f"{shown}[{text}]({relpath(where, dirname(here) or '.')}{part or ''})"

    return _LINK.sub(link, markdown)


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """Formulas as MathML."""

    def formula(found: re.Match) -> str:
        source = html.unescape(found.group(2))
        return str(mathml(source[2:-2].strip(), display=found.group(1) == "div"))

    return _FORMULA.sub(formula, content)


def _offline(output: str) -> str:
    worker = (HERE / "worker.js").read_text("utf-8")
    return _FETCHED.sub(lambda _: f"<script>{worker}</script>", output)


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Nothing is fetched: the search's worker is our own."""
    return _offline(output)


def on_post_template(output: str, template_name: str, config: Any) -> str:
    """The same for pages that are no notes (404.html)."""
    return _offline(output)
