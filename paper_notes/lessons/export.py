"""Run all lessons and write them as pages: ``python paper_notes/lessons/export.py results/lessons``.

One HTML file a lesson and an index; each is read offline, without a script: sliders are buttons there, with
what the lesson shows at every position, and choices tell whether they are right.
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
import moving  # noqa: E402
from exercises import Exercise  # noqa: E402
from page import blank  # noqa: E402
from static import Cell, cells_of, left_over, listed, static, words  # noqa: E402

LESSONS = tuple(sorted(HERE.glob("0[1-9]_*.py")))
# Words and lines of listings read in a minute; minutes for an exercise with its reply, and for a slider.
PACE, LINES, PER_EXERCISE, PER_SLIDER = 200, 10, 3, 2


class Run(NamedTuple):
    """A lesson that was run: ``title``, ``cells``, what it ``defined``, its numbers of ``words`` and
    of ``lines`` of listings as it stands at first, the ``style`` that its buttons need."""

    title: str
    cells: list[Cell]
    defined: Mapping[str, Any]
    words: int
    lines: int
    style: str

    @property
    def exercises(self) -> list[Exercise]:
        """The opening prediction, then the exercises in their order."""
        return [self.defined["guess"], *self.defined["exercises"]]

    @property
    def minutes(self) -> int:
        """How long a lesson takes, in steps of five minutes: its words, listings, exercises and sliders."""
        sliders = len(moving.sliders(self.defined))
        read = self.words / PACE + self.lines / LINES
        each = read + PER_EXERCISE * len(self.exercises) + PER_SLIDER * sliders
        return 5 * round(each / 5)


def load(path: Path) -> ModuleType:
    """The notebook as a module; its name begins with a digit, so that ``import`` cannot."""
    spec = importlib.util.spec_from_file_location(f"lesson_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: Path, everywhere: bool = False) -> Run:
    """Run every cell with its inputs as they stand at first; an error in a cell is raised.

    Args:
        path: a lesson.
        everywhere: run the cells that follow a slider at its other positions, too.
    """
    module, source = load(path), path.read_text("utf-8")
    outputs, defined = module.app.run()
    cells, code = moving.wired(source), cells_of(source)
    assert len(outputs) == len(code), f"{path.name}: {len(outputs)} outputs of {len(code)} cells"
    sliders = moving.sliders(defined)
    stand_ins = {defined[each.name].text: moving.control(each) for each in sliders}
    asked = zip(
        [defined["guess"], *defined["exercises"]],
        [defined["guessed"], *defined["answers"]],
        strict=True,
    )
    stand_ins |= {field.text: blank(each, f"answer-{k}") for k, (each, field) in enumerate(asked)}

    def page(output: Any) -> str:
        return "" if output is None else static(mo.as_html(output).text, stand_ins)

    shown = [page(each) for each in outputs]
    first = " ".join(shown)
    moved = {}
    if everywhere:
        moved = moving.replayed(cells, {**vars(module), **defined}, sliders)
        for at, found in moved.items():
            panels = {spots: page(output) for spots, output in found.items()}
            shown[at] = moving.panels(panels, sliders)
    title = re.search(r'app_title="(.*?)"', source)
    assert title is not None, f"{path.name}: has no app_title"
    pairs = [Cell(*pair) for pair in zip(shown, code, strict=True)]
    return Run(title.group(1), pairs, defined, words(first), listed(first), moving.rules(moved))


def written(lesson: Run, source: str) -> str:
    """A lesson as one HTML page."""
    return _page(title=lesson.title, cells=lesson.cells, style=lesson.style, source=source)


def export(folder: Path) -> list[Path]:
    """Write all lessons and an index; raises RuntimeError for a page that would need a network."""
    folder.mkdir(parents=True, exist_ok=True)
    pages, contents = {}, {}
    for path in LESSONS:
        print(f"{path.stem} ...", flush=True)
        lesson = run(path, everywhere=True)
        contents[path.stem] = lesson
        pages[path.stem] = written(lesson, path.name)
    pages["index"] = _page(title="Lessons", source="README.md", contents=contents)
    paths = []
    for stem, page in pages.items():
        if rest := left_over(page):
            raise RuntimeError(f"{stem}: cannot be read offline: {rest[0]}")
        paths.append(folder / f"{stem}.html")
        paths[-1].write_text(page, "utf-8")
    return paths


def _page(**content: Any) -> str:
    loader = jinja2.FileSystemLoader(HERE)
    make = jinja2.Environment(loader=loader, autoescape=True).get_template("lesson.html.j2")
    return make.render(**content)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/lessons")
    export(target)
    print(f"{target / 'index.html'} written")
