"""Run all lessons and write them as pages: ``python paper_notes/lessons/export.py results/lessons``.

One HTML file a lesson and an index; each is read offline, without a script.
"""

import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jinja2

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import marimo as mo  # noqa: E402
from exercises import Exercise  # noqa: E402
from static import Cell, cells_of, left_over, static  # noqa: E402

LESSONS = tuple(sorted(HERE.glob("0[1-9]_*.py")))


class Run(NamedTuple):
    """A lesson that was run: ``title``, ``cells`` and what it ``defined``."""

    title: str
    cells: list[Cell]
    defined: Mapping[str, Any]

    @property
    def exercises(self) -> list[Exercise]:
        """The opening prediction, then the exercises in their order."""
        return [self.defined["guess"], *self.defined["exercises"]]


def load(path: Path) -> ModuleType:
    """The notebook as a module; its name begins with a digit, so that ``import`` cannot."""
    spec = importlib.util.spec_from_file_location(f"lesson_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: Path) -> Run:
    """Run every cell with its inputs as they stand at first; an error in a cell is raised."""
    app = load(path).app
    outputs, defined = app.run()
    shown = ["" if each is None else static(mo.as_html(each).text) for each in outputs]
    code = cells_of(path.read_text("utf-8"))
    assert len(shown) == len(code), f"{path.name}: {len(shown)} outputs of {len(code)} cells"
    title = re.search(r'app_title="(.*?)"', path.read_text("utf-8"))
    assert title is not None, f"{path.name}: has no app_title"
    return Run(title.group(1), [Cell(*pair) for pair in zip(shown, code, strict=True)], defined)


def export(folder: Path) -> list[Path]:
    """Write all lessons and an index; raises RuntimeError for a page that would need a network."""
    loader = jinja2.FileSystemLoader(HERE)
    make = jinja2.Environment(loader=loader, autoescape=True).get_template("lesson.html.j2")
    folder.mkdir(parents=True, exist_ok=True)
    pages, titles = {}, {}
    for path in LESSONS:
        print(f"{path.stem} ...", flush=True)
        lesson = run(path)
        titles[path.stem] = lesson.title
        pages[path.stem] = make.render(
            title=lesson.title, cells=lesson.cells, source=path.name, titles={}
        )
    pages["index"] = make.render(title="Lessons", cells=[], source="README.md", titles=titles)
    written = []
    for stem, page in pages.items():
        if rest := left_over(page):
            raise RuntimeError(f"{stem}: cannot be read offline: {rest[0]}")
        written.append(folder / f"{stem}.html")
        written[-1].write_text(page, "utf-8")
    return written


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/lessons")
    export(target)
    print(f"{target / 'index.html'} written")
