"""What lessons show: exercises with their replies, pictures with alternative text, tables.

Everything is plain HTML, beside marimo's own input elements, so that `export` can write a page
that is read without a network and without a script.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

import marimo as mo
from exercises import Exercise, check
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from figures.style import canvas, style

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


def asked(name: str, exercise: Exercise, answer: Any) -> mo.Html:
    """A question, its input element ``answer``, the reply to what stands in it, and the solution folded."""
    reply = check(exercise, answer.value)
    word, tone = _LOOK[reply.state]
    told = mo.md(f"**{word}** {reply.text}" if word else reply.text).text
    right = exercise.answer if exercise.options else f"{exercise.answer:.4g}"
    solution = mo.md(f"**{right}**. {exercise.why}").text
    return mo.Html(
        f'<section class="exercise" style="border-left:4px solid {tone};padding:.2rem 0 .2rem 1rem;'
        f'margin:1rem 0"><h4 style="font-weight:600">{html.escape(name)}</h4>'
        f"{mo.md(exercise.question).text}"
        f'<div style="margin:.5rem 0">{mo.as_html(answer).text}</div>'
        f'<div class="reply" role="status">{told}</div>'
        f'<details style="margin-top:.5rem"><summary>Show the answer</summary>{solution}</details>'
        "</section>"
    )


def fields(exercises: Sequence[Exercise]) -> Any:
    """The input elements of several exercises, in their order."""
    return mo.ui.array([field(each) for each in exercises])


def sheet(exercises: Sequence[Exercise], answers: Any) -> mo.Html:
    """The exercises of a lesson, with the input elements ``answers`` that `fields` made."""
    numbered = enumerate(zip(exercises, answers, strict=True), 1)
    parts = [asked(f"Exercise {k}", exercise, answer) for k, (exercise, answer) in numbered]
    return mo.vstack([mo.md("## Exercises"), *parts])


def axes(width: float = 6.2, height: float = 3.4, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty picture in the project's style, with one or more panels side by side."""
    with style():
        figure = canvas(width, height)
        found = figure.subplots(1, columns, squeeze=False)[0]
    return figure, list(found)


def picture(figure: Figure, alt: str, caption: str) -> mo.Html:
    """A drawn figure with the text that stands for it where it cannot be seen, and a caption (Markdown)."""
    for legend in filter(None, (each.get_legend() for each in figure.axes)):
        # Legends were made outside the style, by the lessons' cells.
        legend.set_frame_on(False)
        for text in legend.get_texts():
            text.set_fontsize(_LEGEND)
    kept = io.StringIO()
    with style():
        FigureCanvasSVG(figure).print_svg(kept, metadata={"Date": None, "Creator": None})
    data = base64.b64encode(kept.getvalue().encode()).decode()
    return mo.Html(
        f'<figure style="margin:1rem 0"><img src="data:image/svg+xml;base64,{data}"'
        f' alt="{html.escape(alt)}" style="max-width:100%;height:auto;background:#fff">'
        f"<figcaption>{mo.md(caption).text}</figcaption></figure>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str) -> mo.Html:
    """A table of ready-made cells; the first column names the row. Head, cells and caption are Markdown."""

    def cell(tag: str, content: Any, scope: str = "", first: bool = False) -> str:
        inner = mo.md(str(content)).text
        side = "left" if first else "right"
        look = f"text-align:{side};padding:.3rem .7rem;border-bottom:1px solid #bbb"
        return f'<{tag}{scope and f" scope={scope}"} style="{look}">{inner}</{tag}>'

    top = "".join(cell("th", each, "col", at == 0) for at, each in enumerate(head))
    body = "".join(
        f"<tr>{cell('th', row[0], 'row', True)}{''.join(cell('td', each) for each in row[1:])}</tr>"
        for row in rows
    )
    return mo.Html(
        '<div class="scroll" tabindex="0" style="overflow-x:auto"><table>'
        f'<caption style="text-align:left">{mo.md(caption).text}'
        f"</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
