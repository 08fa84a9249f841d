"""LaTeX to MathML that is safe to put in a page.

The converter copies text it does not understand, so its output is read back and written anew
from the elements and attributes of presentation MathML only. What cannot be converted is shown
as its source: a formula is never lost.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup, escape

_ELEMENTS = frozenset(
    "math mrow mi mn mo ms mtext mspace msup msub msubsup mover munder munderover mfrac msqrt "
    "mroot mstyle mtable mtr mtd mpadded mphantom menclose mmultiscripts mprescripts none".split()
)
_ATTRIBUTES = frozenset(
    "display mathvariant stretchy fence form accent accentunder displaystyle scriptlevel "
    "linethickness columnalign rowspacing columnspacing minsize maxsize separator lspace rspace "
    "width height depth movablelimits largeop symmetric notation".split()
)
# An alphabet's letter without braces would be marked up in a way that browsers no longer know.
_BARE = re.compile(r"(\\math[a-z]+)\s+([A-Za-z0-9])(?![A-Za-z])")
_INLINE = re.compile(r"(?<!\\)\$([^$]+)(?<!\\)\$")


def mathml(latex: str, display: bool = False) -> Markup:
    """One formula.

    Args:
        latex: without dollar signs; what cannot be converted is shown as it is written.
        display: on a line of its own.

    >>> mathml("n^2")
    Markup('<math display="inline"><mrow><msup><mi>n</mi><mn>2</mn></msup></mrow></math>')
    >>> mathml(r"\\mathcal E")
    Markup('<math display="inline"><mrow><mi>ℰ</mi></mrow></math>')
    >>> mathml(r"\\frac{")
    Markup('<code>\\\\frac{</code>')
    """
    try:
        source = convert(_BARE.sub(r"\1{\2}", latex), display="block" if display else "inline")
        written = "".join(_write(ElementTree.fromstring(source)))
    except Exception:  # the converter raises many kinds; each means: cannot be converted
        return Markup("<code>{}</code>").format(latex)
    return Markup(written)


def _write(element: ElementTree.Element) -> Iterator[str]:
    name = element.tag.rpartition("}")[2]
    if name not in _ELEMENTS:
        raise ValueError(f"{name} is no element of presentation MathML")
    attributes = (
        f' {key}="{escape(value)}"' for key, value in element.items() if key in _ATTRIBUTES
    )
    yield f"<{name}{''.join(attributes)}>{escape(element.text or '')}"
    for child in element:
        yield from _write(child)
        yield str(escape(child.tail or ""))
    yield f"</{name}>"


def inline_math(text: str) -> Markup:
    """Prose with ``$...$`` converted and everything else escaped.

    >>> inline_math("if $n$ < 3")
    Markup('if <math display="inline"><mrow><mi>n</mi></mrow></math> &lt; 3')
    """
    parts = _INLINE.split(text)
    return Markup("").join(
        mathml(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )
