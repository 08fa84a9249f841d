"""What lessons show: exercises with their replies, pictures with alternative text, tables.

Everything is plain HTML, beside marimo's own input elements, so that `export` can write a page
that is read without a network and without a script.
"""

import base64
import html
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import marimo as mo
from exercises import Exercise, check
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from figures.style import canvas, style

_PATH, _FINE = re.compile(r'\bd="[^"]*"'), re.compile(r"\d+\.\d+")
_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?\d")
# Points; the size of the style's legends.
_LEGEND = 8.0
# Colours of replies, on white and on black paper; each also begins with a word.
_LOOK = {
    "open": ("", "#7a7f87"),
    "unreadable": ("Not a number.", "#a35a00"),
    "wrong": ("Not yet.", "#a35a00"),
    "right": ("Right.", "#00805c"),
}


def short(value: float) -> str:
    """A number as people write it, with three digits.

    >>> short(0.2904), short(6.938e-4), short(2.4e5), short(0.0)
    ('0.290', '6.94·10⁻⁴', '2.40·10⁵', '0')
    """
    if value == 0.0 or 0.01 <= abs(value) < 1e4:
        return f"{value:#.3g}".rstrip(".") if value else "0"
    digits, _, power = f"{value:.2e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits}·10{raised}"


def field(exercise: Exercise) -> Any:
    """The input element of an exercise: a choice among its options, or a line for a number."""
    if exercise.options:
        return mo.ui.radio(options=list(exercise.options))
    return mo.ui.text(placeholder="a number, then Enter")


def blank(exercise: Exercise, name: str) -> str:
    """What stands for `field` on a page without a script: options that reply when they are chosen, or a
    line to write on. HTML; ``name`` of its own for each exercise."""
    if not exercise.options:
        return '<span class="blank" role="img" aria-label="space for an answer"></span>'
    items = "".join(
        f'<li><input type="radio" name="{name}" id="{name}-{k}"> <label for="{name}-{k}">'
        f'{html.escape(option)}</label><div class="told">{_told(exercise, option)}</div></li>'
        for k, option in enumerate(exercise.options)
    )
    return f'<ul class="choices">{items}</ul>'


def asked(name: str, exercise: Exercise, answer: Any) -> mo.Html:
    """A question, its input element ``answer``, the reply to what stands in it; hint and answer, folded."""
    _, tone = _LOOK[check(exercise, answer.value).state]
    why = f"**{exercise.solution}**. {exercise.why}"
    hint = _folded("Hint", mo.md(exercise.hint).text) if exercise.hint else ""
    return mo.Html(
        f'<section class="exercise" style="border-left:4px solid {tone};padding:.2rem 0 .2rem 1rem;'
        f'margin:1rem 0"><h3 style="font-weight:600;font-size:1em">{html.escape(name)}</h3>'
        f"{mo.md(exercise.question).text}"
        f'<div style="margin:.5rem 0">{mo.as_html(answer).text}</div>'
        f'<div class="reply" role="status">{_told(exercise, answer.value)}</div>{hint}'
        f"{_folded('Show the answer', mo.md(why).text + _traps(exercise))}</section>"
    )


def _told(exercise: Exercise, given: Any) -> str:
    """The reply to an answer, as HTML that begins with a word."""
    reply = check(exercise, given)
    word, _ = _LOOK[reply.state]
    return mo.md(f"**{word}** {reply.text}" if word else reply.text).text


def _folded(summary: str, inner: str) -> str:
    return f'<details style="margin-top:.5rem"><summary>{summary}</summary>{inner}</details>'


def _traps(exercise: Exercise) -> str:
    """Where wrong numbers come from, for those who cannot type theirs."""
    if exercise.options or not exercise.mistakes:
        return ""
    lines = [f"- {exercise._replace(answer=e.value).solution}: {e.text}" for e in exercise.mistakes]
    return mo.md("\n".join(["Where other answers come from:", "", *lines])).text


def fields(exercises: Sequence[Exercise]) -> Any:
    """The input elements of several exercises, in their order."""
    return mo.ui.array([field(each) for each in exercises])


def sheet(exercises: Sequence[Exercise], answers: Any) -> mo.Html:
    """The exercises of a lesson, with the input elements ``answers`` that `fields` made."""
    numbered = enumerate(zip(exercises, answers, strict=True), 1)
    parts = [asked(f"Exercise {k}", exercise, answer) for k, (exercise, answer) in numbered]
    return mo.vstack([mo.md("## Exercises"), *parts])


def axes(
    width: float = 4.6, height: float = 2.9, panels: int = 1
) -> tuple[list[Figure], list[Axes]]:
    """Empty pictures in the project's style, ``width`` by ``height`` inches, to stand side by side where
    there is room: small enough that a phone shows their words at a size to be read."""
    with style():
        figures = [canvas(width, height) for _ in range(panels)]
        found = [each.subplots() for each in figures]
    return figures, found


def picture(figures: Sequence[Figure], alt: str | Sequence[str], caption: str) -> mo.Html:
    """Drawn figures, the text that stands for each where it cannot be seen, and a caption (Markdown)."""
    texts = [alt] if isinstance(alt, str) else alt
    images = "".join(_image(*each) for each in zip(figures, texts, strict=True))
    return mo.Html(
        '<figure style="margin:1rem 0"><div style="display:flex;flex-wrap:wrap;gap:.5rem">'
        f"{images}</div><figcaption>{mo.md(caption).text}</figcaption></figure>"
    )


def _image(figure: Figure, alt: str) -> str:
    for legend in filter(None, (each.get_legend() for each in figure.axes)):
        # Legends were made outside the style, by the lessons' cells.
        legend.set_frame_on(False)
        for text in legend.get_texts():
            text.set_fontsize(_LEGEND)
    kept = io.StringIO()
    with style():
        FigureCanvasSVG(figure).print_svg(kept, metadata={"Date": None, "Creator": None})
    data = base64.b64encode(_light(kept.getvalue()).encode()).decode()
    return (
        f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}" style="flex:1 1 17rem;'
        'min-width:0;max-width:min(100%,38rem);height:auto;background:#fff">'
    )


def _light(svg: str) -> str:
    """The same drawing in fewer bytes: coordinates to a hundredth of a point, no metadata.

    >>> _light('<metadata>x</metadata><path d="M 1.23456 2 \\nL 3.999 4" transform="scale(0.0156)"/>')
    '<path d="M 1.23 2 L 4 4" transform="scale(0.0156)"/>'
    """
    shorter = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return _PATH.sub(lambda path: _FINE.sub(_rounded, re.sub(r"\s+", " ", path[0])), shorter)


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str) -> mo.Html:
    """A table of ready-made cells; the first column names the row. Head, cells and caption are Markdown."""

    rows = [list(row) for row in rows]
    # Numbers stand at the right, words at the left.
    numbers = [bool(_NUMBER.match(str(each))) for each in (rows[0] if rows else head)]

    def cell(tag: str, content: Any, at: int, scope: str = "") -> str:
        inner = mo.md(str(content)).text
        side = "right" if at and numbers[at] else "left"
        whole = ";white-space:nowrap" if numbers[at] and scope != "col" else ""
        look = f"text-align:{side}{whole};padding:.3rem .7rem;border-bottom:1px solid #bbb"
        return f'<{tag}{scope and f" scope={scope}"} style="{look}">{inner}</{tag}>'

    top = "".join(cell("th", each, at, "col") for at, each in enumerate(head))
    body = "".join(
        f"<tr>{cell('th', row[0], 0, 'row')}"
        f"{''.join(cell('td', each, at) for at, each in enumerate(row[1:], 1))}</tr>"
        for row in rows
    )
    return mo.Html(
        '<div class="scroll" tabindex="0" style="overflow-x:auto"><table>'
        f'<caption style="text-align:left">{mo.md(caption).text}'
        f"</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
