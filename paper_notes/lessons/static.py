"""What a lesson showed, as HTML that needs neither a network nor a script.

marimo's own static export fetches its programs from a content network. Here formulas become MathML; what
stands for sliders and for exercises' input elements is in `moving` and `page`.
"""

import ast
import html
import re
from collections.abc import Mapping
from typing import NamedTuple

from moving import wired

from synthlaw.verifying.mathml import mathml

_FORMULA = re.compile(r"<marimo-tex[^>]*>\s*\|\|([(\[])(.*?)\|\|[)\]]\s*</marimo-tex>", re.DOTALL)
_LESSON = re.compile(r'href="([^"/:]+)\.py"')
_NOTE = re.compile(r'href="\.\./([^":]+)"')
_TABLE = re.compile(r"(?<!tabindex=\"0\">)<table>.*?</table>", re.DOTALL)
_LISTING = re.compile(r'(<div class="[\w -]*codehilite)"')
# Formulas, listings and tags are no words.
_NO_PROSE = re.compile(r"<(math|pre|style)\b.*?</\1>|<[^>]*>", re.DOTALL)


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
    for node in (each.node for each in wired(source)):
        body = [each for each in node.body if not isinstance(each, ast.Return)]
        hidden = not body or any("hide_code=True" in ast.unparse(m) for m in node.decorator_list)
        first, last = (0, 0) if hidden else (node.body[0].lineno - 1, body[-1].end_lineno or 0)
        # Comments above the first statement belong to it.
        while not hidden and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        found.append("\n".join(line.removeprefix("    ") for line in lines[first:last]))
    return found


def static(shown: str, stand_ins: Mapping[str, str] | None = None) -> str:
    """The HTML of an output with formulas as MathML, links to other pages, tables that scroll.

    Args:
        shown: HTML as marimo makes it.
        stand_ins: what takes the place of marimo's input elements, by their HTML.

    >>> static("<p>a <marimo-tex class='x'>||(n^2||)</marimo-tex></p>")
    '<p>a <math display="inline"><mrow><msup><mi>n</mi><mn>2</mn></msup></mrow></math></p>'
    >>> static('<a href="02_oversampling.py">next</a> <a href="../imbalance.md">why</a>')
    '<a href="02_oversampling.html">next</a> <a href="../../paper_notes/imbalance.md">why</a>'
    """
    text = shown
    for element, stand_in in (stand_ins or {}).items():
        text = text.replace(element, stand_in)
    text = _FORMULA.sub(_formula, text)
    text = _TABLE.sub(r'<div class="scroll" tabindex="0">\g<0></div>', text)
    text = _LISTING.sub(r'\1 scroll" tabindex="0"', text)
    text = _LESSON.sub(r'href="\1.html"', text)
    return _NOTE.sub(r'href="../../paper_notes/\1"', text)


def words(page: str) -> int:
    """How many words of prose a page has.

    >>> words("<p>An <b>error</b> of <math><mi>x</mi></math> rows</p><pre>code</pre>")
    4
    """
    return len(re.findall(r"[^\W\d_][\w'-]*", _NO_PROSE.sub(" ", page)))


def listed(page: str) -> int:
    """How many lines of listings a page has.

    >>> listed("<p>text</p><pre><code>one\\ntwo\\n</code></pre>")
    2
    """
    found = re.findall(r"<pre\b.*?</pre>", page, re.DOTALL)
    return sum(each.strip().count("\n") for each in found)


def left_over(page: str) -> list[str]:
    """Elements that only marimo's programs could show, and addresses that are fetched: none may be left.

    >>> left_over('<marimo-slider></marimo-slider> <img src="https://x.org/a.png"> <a href="https://x.org">')
    ['<marimo-slider', 'src="https://x.org/a.png"']
    """
    return re.findall(r"<marimo-[a-z-]+|<script|<link[^>]*>|src=\"https?:[^\"]*\"", page)


def _formula(found: re.Match[str]) -> str:
    display = found.group(1) == "["
    written = str(mathml(html.unescape(found.group(2)), display))
    return f'<div class="formula scroll">{written}</div>' if display else written
