"""SVG pictures written anew, to stand inside a page.

A picture is parsed, not trusted: only known elements and attributes are written, so that no script,
no event and no address of another file can come along. What pictures have in common stands once for
the whole page: outlines (markers, letters), clip paths and gradients are definitions shared by their
content, so ids cannot collide; styles are classes; colours are variables that have a dark twin.
Letters that matplotlib drew as outlines become text again, so that a page can be searched.
"""

import html
import math
import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from markupsafe import Markup, escape

from synthlaw.verifying.outline import compact, rounded

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_SHAPES = frozenset("g path use rect circle ellipse line polyline polygon image text tspan".split())
_SERVERS = frozenset("clipPath linearGradient radialGradient".split())
_SILENT = frozenset("defs metadata title desc style".split())
_LENGTHS = frozenset(
    "x y width height cx cy r rx ry x1 y1 x2 y2 fx fy dx dy points offset transform "
    "gradientTransform".split()
)
_WORDS = frozenset("gradientUnits clipPathUnits spreadMethod preserveAspectRatio".split())
_STYLES = frozenset(
    "fill fill-opacity fill-rule clip-rule stroke stroke-width stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity opacity stop-color "
    "stop-opacity font-size font-weight font-style text-anchor image-rendering".split()
)
_VALUE = re.compile(r"[-\w.,%# ()+]*")
_GEOMETRY = re.compile(r"[-+\w.,() \n]*")
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_REFERENCE = re.compile(r"url\(#([^()]+)\)")
_RASTER = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
# matplotlib's outlines of letters: a glyph's name, and the frame of a line of text.
_GLYPH = re.compile(r"#DejaVuSans-[0-9a-f]+")
_FRAME = re.compile(
    r"translate\(([-+\d.e]+) ([-+\d.e]+)\)( rotate\([-+\d.e]+\))? scale\((\d*\.?\d+) -\d*\.?\d+\)"
)
_LIGATURE = re.compile("ffi|ffl|ff|fi|fl")
# matplotlib draws letters at this size and scales them.
_DRAWN_AT = 100.0
# Characters of a file, and groups within groups, beyond which it is no picture of ours.
LARGEST, _DEEPEST = 4_000_000, 40
# Width in pixels from which a picture no longer stands beside another.
WIDE = 760


class Album(NamedTuple):
    """What the pictures of one page share; every picture that is written adds to it.

    ``texts``: what stands for each picture, in order; ``definitions``: content -> id; ``styles``:
    declarations -> class; ``colours``: those used; ``letters``: those set as text. Ids begin with a
    capital letter, which no claim's does.
    """

    texts: list[str]
    definitions: dict[str, str]
    styles: dict[str, str]
    colours: set[str]
    letters: set[str]


class _RefusedError(ValueError):
    """The file is no picture that can be written anew."""


class _Sheet(NamedTuple):
    """One file being written: its elements by id, the page's ids of those defined so far, the one that
    is being defined, and the page it goes to."""

    named: dict[str, ElementTree.Element]
    ids: dict[str, str]
    defining: list[str]
    album: Album


def album() -> Album:
    """An empty album."""
    return Album([], {}, {}, set(), set())


def drawing(source: bytes, text: str, shared: Album) -> Markup | None:
    """One picture as an ``<svg>`` element, or None where it is no SVG that can be trusted.

    Args:
        source: the file.
        text: what stands for the picture, for those who do not see it.
        shared: what the pictures of the page have in common; this one is added to it.

    Returns:
        The element, scaled by its ``viewBox``; of class ``plate`` where it holds pixels, whose colours
        know no dark, and ``wide`` where it needs more than half a page. None for what is not well-formed, holds elements other than shapes, or is too
        large: show it as an image, or not at all.

    >>> circle = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="3.14159"/></svg>'
    >>> print(drawing(circle, "A circle.", album()))
    <svg role="img" aria-labelledby="P0" viewBox="0 0 9 9" width="12" style="--wide:12"><title id="P0">A circle.</title><circle r="3.14"/></svg>
    >>> drawing(b"<svg><script/></svg>", "", album()) is None
    True
    """  # noqa: E501
    if len(source) > LARGEST:
        return None
    try:
        root = ElementTree.fromstring(
            source, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        )
        box = _box(root)
        sheet = _Sheet({each.get("id", ""): each for each in root.iter()}, {}, [], shared)
        body = "".join(_children(root, sheet, 0, inside=False))
    except (ElementTree.ParseError, ValueError, OverflowError):
        return None
    name = f"P{len(shared.texts)}"
    shared.texts.append(text)
    # The file's unit is the point, the page's the pixel.
    width = round(float(box[2]) * 4.0 / 3.0)
    kinds = {"plate": root.find(f".//{_SVG}image") is not None, "wide": width > WIDE}
    classes = " ".join(kind for kind, true in kinds.items() if true)
    classes = f' class="{classes}"' if classes else ""
    head = (
        f'<svg role="img" aria-labelledby="{name}"{classes} '
        f'viewBox="{" ".join(box)}" width="{width}" style="--wide:{width}">'
    )
    return Markup(f'{head}<title id="{name}">{escape(text)}</title>{body}</svg>')


def _box(root: ElementTree.Element) -> list[str]:
    box = [float(each) for each in (root.get("viewBox") or "").split()]
    if root.tag != f"{_SVG}svg" or len(box) != 4 or not all(map(math.isfinite, box)) or box[2] <= 0:
        raise _RefusedError("no picture with a viewBox")
    return [rounded(str(each)) for each in box]


def _children(
    parent: ElementTree.Element, sheet: _Sheet, depth: int, inside: bool
) -> Iterator[str]:
    if depth > _DEEPEST:
        raise _RefusedError("groups within groups")
    said = ""
    for child in parent:
        # A comment's tag is the function that makes it.
        if not isinstance(child.tag, str):
            said = html.unescape((child.text or "").removeprefix(" ").removesuffix(" "))
            continue
        line = _text(child, said, sheet) if said and not inside else None
        said = ""
        if line is not None:
            yield line
        elif child.tag.startswith(_SVG):
            yield _element(child, child.tag.removeprefix(_SVG), sheet, depth, inside)


def _element(
    element: ElementTree.Element, name: str, sheet: _Sheet, depth: int, inside: bool
) -> str:
    """One element with all that is in it, as it stands in the page or ``inside`` a definition."""
    if name in _SILENT or (name in _SERVERS and not inside):
        return ""
    allowed = _SHAPES | _SERVERS | {"stop"} if inside else _SHAPES
    if name not in allowed:
        raise _RefusedError(f"{name} is no shape")
    attributes = _attributes(element, name, sheet)
    if name in ("use", "image") and "href" not in attributes:
        return ""
    content = "".join(_children(element, sheet, depth + 1, inside))
    if name in ("text", "tspan"):
        content = str(escape(element.text or "")) + content
    if name == "g" and not (content and attributes):
        return content
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _attributes(element: ElementTree.Element, name: str, sheet: _Sheet) -> dict[str, str]:
    found: dict[str, str] = {}
    styles: dict[str, str] = {}
    for key, value in element.items():
        if key in _STYLES:
            styles[key] = value
        elif key == "d" and name == "path":
            found[key] = compact(value)
        elif key in _LENGTHS and _GEOMETRY.fullmatch(value):
            found[key] = rounded(value)
        elif key in _WORDS and _VALUE.fullmatch(value):
            found[key] = value
        elif key == "clip-path" and (target := _target(value, sheet)):
            found[key] = f"url(#{target})"
        elif key in ("href", f"{_XLINK}href"):
            found |= _address(name, value, sheet)
    for part in (element.get("style") or "").split(";"):
        key, _, value = part.partition(":")
        styles[key.strip()] = value.strip()
    declared = _declared(styles, sheet)
    if declared:
        known = sheet.album.styles
        found = {"class": known.setdefault(declared, f"s{len(known)}"), **found}
    return found


def _declared(styles: dict[str, str], sheet: _Sheet) -> str:
    """Declarations of a class, colours by their variables."""
    kept = []
    for key, value in styles.items():
        lower = value.lower()
        if key not in _STYLES:
            continue
        if _HEX.fullmatch(lower):
            kept.append(f"{key}:var(--{colour(lower, sheet.album)})")
        elif target := _target(value, sheet):
            kept.append(f"{key}:url(#{target})")
        elif _VALUE.fullmatch(value) and "url" not in lower:
            kept.append(f"{key}:{value}")
    return ";".join(kept)


def colour(value: str, shared: Album) -> str:
    """The variable of a colour: ``c`` and six digits."""
    digits = value[1:] if len(value) == 7 else "".join(2 * each for each in value[1:])
    shared.colours.add(digits)
    return f"c{digits}"


def _address(name: str, value: str, sheet: _Sheet) -> dict[str, str]:
    """Where ``use`` and ``image`` point: a shape of this file, pixels that it holds itself."""
    if name == "use" and value.startswith("#"):
        target = _defined(value[1:], sheet, _SHAPES)
        return {"href": f"#{target}"} if target else {}
    return {"href": value} if name == "image" and _RASTER.fullmatch(value) else {}


def _target(value: str, sheet: _Sheet) -> str:
    """The page's id of the clip path or gradient that ``url(#..)`` names; "" where there is none."""
    match = _REFERENCE.fullmatch(value)
    return _defined(match[1], sheet, _SERVERS) if match else ""


def _defined(name: str, sheet: _Sheet, kinds: frozenset[str]) -> str:
    """The page's id of an element of this file, whose content becomes a definition; "" for nothing.

    A definition refers to no other: neither circles nor towers of them can be built.
    """
    element = sheet.named.get(name)
    kind = element.tag.removeprefix(_SVG) if element is not None else ""
    if element is None or kind not in kinds:
        return ""
    if sheet.defining:
        raise _RefusedError("a definition that uses another")
    if name not in sheet.ids:
        sheet.defining.append(name)
        content = _element(element, kind, sheet, 0, inside=True)
        sheet.defining.pop()
        known = sheet.album.definitions
        sheet.ids[name] = known.setdefault(content, f"D{len(known)}") if content else ""
    return sheet.ids[name]


def _text(element: ElementTree.Element, said: str, sheet: _Sheet) -> str | None:
    """A line that matplotlib wrote as outlines, as text; None where it is anything else.

    The comment before it says the words: as many letters as outlines (ligatures are one), in one font.
    """
    frame = _FRAME.fullmatch(element.get("transform") or "")
    drawn = [each for each in element if each.tag != f"{_SVG}defs"]
    if frame is None or len(drawn) not in (len(said), len(_LIGATURE.sub("f", said))):
        return None
    if not all(
        each.tag == f"{_SVG}use" and _GLYPH.fullmatch(each.get(f"{_XLINK}href") or "")
        for each in drawn
    ):
        return None
    x, y, turned, scale = frame.groups()
    size = rounded(str(_DRAWN_AT * float(scale)))
    styles = f"font-size:{size}px;{element.get('style') or ''}"
    kind = _attributes(ElementTree.Element("text", {"style": styles}), "text", sheet)["class"]
    sheet.album.letters.update(said)
    x, y = rounded(x), rounded(y)
    place = f'transform="translate({x} {y}){rounded(turned)}"' if turned else f'x="{x}" y="{y}"'
    return f'<text class="{kind}" {place}>{escape(said)}</text>'


def definitions(shared: Album) -> Markup:
    """What the pictures share, as one element that takes no room; to stand before them."""
    if not shared.definitions:
        return Markup("")
    written = "".join(
        re.sub(r"^<(\w+)", rf'<\1 id="{name}"', content)
        for content, name in shared.definitions.items()
    )
    return Markup(
        f'<svg class="shared" width="0" height="0" aria-hidden="true"><defs>{written}</defs></svg>'
    )
