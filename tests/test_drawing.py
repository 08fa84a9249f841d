"""SVG written anew for a page: nothing dangerous comes along, nothing of the picture is lost."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pandas as pd
import pytest

from figures.pictures import SHARED
from figures.style import canvas, style
from synthlaw.claims.record import FAMILIES
from synthlaw.verifying import overview
from synthlaw.verifying.captions import PLAIN, caption
from synthlaw.verifying.dark import DARK_PAPER, PAPER, contrast, darkened
from synthlaw.verifying.drawing import Album, album, definitions, drawing
from synthlaw.verifying.outline import compact
from synthlaw.verifying.pictured import rules

_HEAD = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
RECT = '<rect width="5" height="5"/>'


def svg(body: str, head: str = 'viewBox="0 0 10 10"') -> bytes:
    return f"<svg {_HEAD} {head}>{body}</svg>".encode()


def elements(text: str) -> Iterator[ElementTree.Element]:
    return ElementTree.fromstring(f"<div>{text}</div>").iter()


@pytest.fixture
def shared() -> Album:
    return album()


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<g><script href='x.js'/></g>",
        "<foreignObject><p>x</p></foreignObject>",
        "<a href='http://evil.example'><rect/></a>",
        "<animate attributeName='href' to='javascript:alert(1)'/>",
        "<iframe src='http://evil.example'/>",
        "<g>" * 60 + RECT + "</g>" * 60,
        # A definition that uses another, twice each: two to the power of its depth.
        "<defs><g id='a'><use href='#b'/><use href='#b'/></g><g id='b'><rect/></g></defs><use href='#a'/>",
        "<use href='#b'/><g id='b'><use href='#b'/></g>",
        "<clipPath id='c'><rect clip-path='url(#c)'/></clipPath><rect clip-path='url(#c)'/>",
        '<path d="M 1e999 0 L 1 1"/>',
        "<rect",
    ],
)
def test_what_is_no_picture_is_refused(body: str, shared: Album) -> None:
    assert drawing(svg(RECT), "good", shared) is not None
    assert drawing(svg(body), "bad", shared) is None


def test_entities_and_documents_of_another_kind_are_refused(shared: Album) -> None:
    laughs = b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    outside = b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    assert drawing(outside + svg("<text>&a;</text>"), "", shared) is None
    # An entity of its own is text like any other.
    assert "haha" in (drawing(laughs + svg("<text>&b;</text>"), "", shared) or "")
    assert drawing(b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "", shared) is None
    assert drawing(svg(RECT, ""), "", shared) is None
    for box in (
        "0 0 x y",
        "0&quot;onload=&quot;alert(1) 0 9 9",
        "0 0 inf 9",
        "0 0 0 9",
        "nan 0 9 9",
    ):
        assert drawing(svg(RECT, f'viewBox="{box}"'), "", shared) is None
    assert drawing(b" " * 4_000_001, "", shared) is None


@pytest.mark.parametrize(
    "body",
    [
        '<rect width="5" onclick="alert(1)" onload="alert(1)"/>',
        '<image href="http://evil.example/x.png" width="5"/>',
        '<image xlink:href="file:///etc/passwd" width="5"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+" width="5"/>',
        '<use xlink:href="http://evil.example/x.svg#a"/>',
        '<use href="javascript:alert(1)"/>',
        '<rect style="fill: url(http://evil.example/x#a)"/>',
        '<rect style="background: url(http://evil.example/x)"/>',
        '<rect fill="red;} body{background:url(http://evil.example)"/>',
        "<rect style=\"fill: red}/**/@import 'http://evil.example'\"/>",
        '<rect style="fill: &lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;"/>',
        '<rect clip-path="url(http://evil.example/x#a)" filter="url(http://evil.example)"/>',
        '<rect x="1&quot; onclick=&quot;alert(1)"/>',
        '<path d="M0 0&quot; onclick=&quot;alert(1)"/>',
        '<rect transform="rotate(1)&quot;/&gt;&lt;script&gt;"/>',
        "<!-- ab --><g transform='translate(1&quot;onclick=&quot;alert(1) 2) scale(0.1 -0.1)'>"
        '<use xlink:href="#DejaVuSans-1"/><use xlink:href="#DejaVuSans-2"/></g>',
        '<!-- &lt;script&gt; --><g transform="translate(1 2) scale(0.1 -0.1)">'
        + 8 * '<use xlink:href="#DejaVuSans-1"/>'
        + "</g>",
        "<style>* { background: url(http://evil.example) }</style>",
        '<metadata><a href="http://evil.example"/></metadata>',
        '<evil:script xmlns:evil="http://evil.example">alert(1)</evil:script>',
    ],
)
def test_nothing_dangerous_comes_along(body: str, shared: Album) -> None:
    written = drawing(svg(body + RECT), 'a "<script>" of a name', shared)
    assert written is not None
    everything = written + definitions(shared) + rules(shared)
    assert "evil" not in everything and "passwd" not in everything and "import" not in everything
    assert "javascript" not in everything and "<script" not in everything
    for each in elements(written):
        assert not any(name.startswith("on") for name in each.keys())
        assert each.tag in ("div", "svg", "title", "rect", "path", "g", "use", "image", "text")
    assert f"{RECT}" in written.replace(' class="s0"', "")


def test_pictures_share_what_they_have_in_common_and_nothing_collides(shared: Album) -> None:
    def body(radius: int) -> str:
        return (
            f'<defs><path id="m" d="M 0 0 L {radius} 1 z"/></defs>'
            '<clipPath id="c"><rect width="9" height="9"/></clipPath>'
            '<g clip-path="url(#c)" style="fill: #0173b2"><use xlink:href="#m" x="1"/></g>'
        )

    first, second, third = (drawing(svg(body(r)), "x", shared) for r in (3, 3, 4))
    assert first is not None and second is not None and third is not None
    page = definitions(shared) + first + second + third
    ids = [each.get("id") for each in elements(page) if each.get("id")]
    assert len(ids) == len(set(ids)) == 3 + 3  # titles; two markers and a clip path
    referred = set(re.findall(r'(?:href="#|url\(#)(\w+)', page))
    assert referred <= set(ids)
    assert re.findall("<use[^>]*>", first) == re.findall("<use[^>]*>", second)
    assert re.findall("<use[^>]*>", first) != re.findall("<use[^>]*>", third)
    assert list(shared.styles) == ["fill:var(--c0173b2)"]


def test_a_figure_of_ours_keeps_every_word_and_every_mark(tmp_path, shared: Album) -> None:
    words = ["fitted line & others", "excess risk <loss>", "--double dash", "±2 √n → ∞", "size 4"]
    with style():
        figure = canvas(4.0, 3.0)
        axes = figure.subplots()
        axes.plot([1, 2, 3], [1, 4, 9], marker="o", label=words[0])
        axes.errorbar([1, 2], [2, 3], yerr=[0.5, 0.5], fmt="s", label=words[4])
        axes.set(xlabel=words[1], ylabel=words[3], title=words[2])
        axes.legend()
        figure.savefig(tmp_path / "figure.svg")
    source = (tmp_path / "figure.svg").read_bytes()
    written = drawing(source, "A figure.", shared)
    assert written is not None and len(written) < 0.25 * len(source)
    found = list(elements(written))
    said = [each.text for each in found if each.tag == "text"]
    # Matplotlib cannot write two dashes in a comment: that line keeps its outlines.
    assert set(words) - {words[2]} <= set(said) and words[2] not in said
    assert sum(each.tag == "use" and each.get("transform") is not None for each in found) >= 12
    marks = [each for each in found if each.tag == "use" and each.get("x") is not None]
    original = [each for each in ElementTree.fromstring(source).iter() if each.get("x") is not None]
    assert len(marks) == sum(each.tag.endswith("use") for each in original)
    turned = [each for each in found if each.text == words[3]]
    assert "rotate(-90)" in str(turned[0].get("transform"))


def test_outlines_stay_where_they_were() -> None:
    """Walked anew, a compact path ends each step within half a hundredth of the original."""
    points = [(1.0 / 3.0 * i, (i * 7919 % 1000) / 97.0 - 3.0) for i in range(300)]
    short = compact("M 0 0 \n" + "".join(f"L {x:.6f} {y:.6f} \n" for x, y in points))
    numbers = [float(each) for each in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", short)]
    steps = list(zip(numbers[0::2], numbers[1::2], strict=True))
    x = y = 0.0
    for (dx, dy), (right, up) in zip(steps[1:], points, strict=True):
        x, y = x + dx, y + dy
        assert abs(x - right) < 0.00501 and abs(y - up) < 0.00501
    assert len(short) < 0.6 * 300 * len("L 33.333333 -1.234567 \n")
    # Curves and several parts; other commands are only rounded.
    assert compact("M 1 1 Q 2 2 3 1 C 1 1 2 2 4 4 z M 5 5 L 6 6") == (
        "M1 1q1 1 2 0c-2 0-1 1 1 3zM5 5l1 1"
    )
    assert compact("M 1 1 a 2 2 0 0 1 3.14159 3") == "M 1 1 a 2 2 0 0 1 3.14 3"
    assert compact("M 1 L 2") == "M 1 L 2"


@pytest.mark.parametrize("light", ["222222", "262626", "6b6b6b", "949494", "000000"])
def test_greys_stand_out_from_the_dark_as_from_the_light(light: str) -> None:
    wanted = min(contrast(light, PAPER), contrast("e8e8e8", DARK_PAPER))
    assert contrast(darkened(light), DARK_PAPER) == pytest.approx(wanted, rel=0.03)


def test_hues_can_be_seen_on_the_dark_and_tints_stay_faint() -> None:
    from figures.style import BAND, PALETTE

    for each in PALETTE:
        if each != "#949494":
            assert contrast(darkened(each[1:]), DARK_PAPER) >= 4.5
    assert 1.1 < contrast(darkened(BAND[1:]), DARK_PAPER) < 1.6


def test_every_shared_picture_has_a_caption_and_a_family() -> None:
    drawn = {name for found in SHARED.values() for name in found}
    told = [name for texts in overview.SHARED.values() for name in texts]
    assert sorted(told) == sorted(drawn)
    assert set(overview.SHARED) <= set(FAMILIES)


def test_captions_say_what_the_numbers_are() -> None:
    cells = pd.DataFrame({"cell": ["a", "b"], "measured": [1.0, 2.5], "measured_se": 0.0,
                          "expected": [1.0, 2.0], "tolerance": [0.1, 0.25]})  # fmt: skip
    assert caption({"kind": "exact"}, cells) == (
        "Dot plot: measured less expected in 2 cells, 1 outside the tolerance; "
        "at most 200 % of it, in cell b."
    )
    noisy = cells.drop(columns="tolerance").assign(measured_se=0.5)
    assert "in 2 cells, all within ±2 standard errors; the largest difference is 1 " in (
        caption({"kind": "exact"}, noisy)
    )
    law = pd.DataFrame({"cell": ["a"], "distance": [0.01], "radius": [0.02]})
    assert caption({"kind": "distribution", "margin": 0.05}, law) == (
        "Dot plot: distance to the predicted law in 1 cell, 0.01, with confidence radius 0.02; "
        "the margin is 0.05."
    )
    ladder = pd.DataFrame({"series": ["u", "u", "v", "v"], "size": [1, 4, 1, 4], "ratio_se": 0.01,
                           "inverse_size": [1.0, 0.25] * 2, "ratio": [1.1, 1.02, 1.2, 1.03]})  # fmt: skip
    claim = {"kind": "constant", "ratio": 1.001, "ratio_se": 0.004, "margin": 0.02}
    assert caption(claim, ladder) == (
        "Ladder plot: measured over predicted in 2 series, from 1.1 to 1.2 at size 1, from 1.02 to 1.03"
        " at size 4; the line meets 1/size = 0, in the series that decides, at 1.001 ± 0.004. The margin"
        " around 1 is 2 %."
    )
    assert caption(claim, None) == caption(claim, cells) == PLAIN["constant"]
