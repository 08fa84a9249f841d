"""What a lesson showed, as HTML that needs neither a network nor a script.

marimo's own static export fetches its programs from a content network. Here formulas become MathML, and
an input element becomes a line that says what it is and where it stands.
"""

import ast
import html
import json
import re
from html.parser import HTMLParser
from typing import Any, NamedTuple

from synthlaw.verifying.mathml import mathml

_FORMULA = re.compile(r"<marimo-tex[^>]*>\s*\|\|([(\[])(.*?)\|\|[)\]]\s*</marimo-tex>", re.DOTALL)
_ELEMENT = re.compile(r"<marimo-ui-element.*?</marimo-ui-element>", re.DOTALL)
_LESSON = re.compile(r'href="([^"/:]+)\.py"')
_NOTE = re.compile(r'href="\.\./([^":]+)"')


class Cell(NamedTuple):
    """``shown``: HTML of what a cell shows, or ""; ``code``: its source, or "" where it is prose."""

    shown: str
    code: str


def cells_of(source: str) -> list[str]:
    """The bodies of a notebook's cells in order, without the closing ``return``; "" where a cell hides
    its code.

    >>> cells_of("@app.cell\\ndef _(a):\\n    b = a + 1\\n    return (b,)\\n")
    ['b = a + 1']
    >>> cells_of("@app.cell(hide_code=True)\\ndef _():\\n    mo.md('x')\\n    return\\n")
    ['']
    """
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        marks = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
        if not isinstance(node, ast.FunctionDef) or not any(
            m.startswith("app.cell") for m in marks
        ):
            continue
        body = [each for each in node.body if not isinstance(each, ast.Return)]
        hidden = not body or any("hide_code=True" in mark for mark in marks)
        first, last = (0, 0) if hidden else (node.body[0].lineno - 1, body[-1].end_lineno or 0)
        # Comments above the first statement belong to it.
        while not hidden and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        found.append("\n".join(line.removeprefix("    ") for line in lines[first:last]))
    return found


def static(shown: str) -> str:
    """The HTML of an output with formulas as MathML, input elements as text, links to other pages.

    >>> static("<p>a <marimo-tex class='x'>||(n^2||)</marimo-tex></p>")
    '<p>a <math display="inline"><mrow><msup><mi>n</mi><mn>2</mn></msup></mrow></math></p>'
    >>> static('<a href="02_oversampling.py">next</a> <a href="../imbalance.md">why</a>')
    '<a href="02_oversampling.html">next</a> <a href="../../paper_notes/imbalance.md">why</a>'
    """
    text = _ELEMENT.sub(lambda found: _stand_in(found.group()), shown)
    text = _FORMULA.sub(_formula, text)
    text = _LESSON.sub(r'href="\1.html"', text)
    return _NOTE.sub(r'href="../../paper_notes/\1"', text)


def left_over(page: str) -> list[str]:
    """Elements that only marimo's programs could show, and addresses that are fetched: none may be left.

    >>> left_over('<marimo-slider></marimo-slider> <img src="https://x.org/a.png"> <a href="https://x.org">')
    ['<marimo-slider', 'src="https://x.org/a.png"']
    """
    return re.findall(r"<marimo-[a-z-]+|<script|<link[^>]*>|src=\"https?:[^\"]*\"", page)


def _formula(found: re.Match[str]) -> str:
    display = found.group(1) == "["
    written = str(mathml(html.unescape(found.group(2)), display))
    return f'<div class="formula">{written}</div>' if display else written


class _First(HTMLParser):
    """Name and attributes of the first marimo element inside a wrapper."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.options: dict[str, Any] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.name and tag.startswith("marimo-") and tag != "marimo-ui-element":
            self.name = tag.removeprefix("marimo-")
            kept = {key: value for key, value in attrs if value is not None}
            self.options = {k[5:]: json.loads(v) for k, v in kept.items() if k.startswith("data-")}


def _stand_in(element: str) -> str:
    """An input element in words."""
    reader = _First()
    reader.feed(element)
    options = reader.options
    label, value = options.get("label") or "", options.get("initial-value")
    if reader.name == "slider":
        steps = options.get("steps") or []
        low, high = (steps[0], steps[-1]) if steps else (options["start"], options["stop"])
        here = steps[int(value or 0)] if steps else value
        return (
            f'<p class="control">{label}: <b>{here:,.10g}</b>'
            f" <small>(a slider from {low:,.10g} to {high:,.10g} in the notebook)</small></p>"
        )
    if reader.name in ("radio", "dropdown"):
        items = "".join(f"<li>{html.escape(str(each))}</li>" for each in options["options"])
        return f'{label}<ul class="choices">{items}</ul>'
    return f'{label}<span class="blank" aria-label="space for an answer"></span>'
