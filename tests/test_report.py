"""The report page and the verdicts in words; every verdict here is made up.

Long because the page's parts are told apart by what the same made-up run leaves in each.
"""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import figures
from synthlaw.verifying.mathml import inline_math, mathml
from synthlaw.verifying.report import report, write_report
from synthlaw.verifying.terminal import summary, verdict_table
from synthlaw.words import measured, twin_sentence, verdict_sentence

HOSTILE = '<script>alert("x")</script><img src="http://evil.example/x.png" onerror=alert(1)>'
VOID = {"meta", "img", "br", "hr", "link", "input"}


def claim(name: str, kind: str = "constant", **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "family": "imbalance",
        "kind": kind,
        "title": f"Title of {name}",
        "statement": "The floor is $\\log(n_1/n_0)$ & more.",
        "formula": r"\tfrac12 \operatorname{tr}(H_{\mathrm{bal}} M) + O(n^{-2})",
        "source": "derived here, after arXiv 2406.03628",
        "note": "paper_notes/imbalance.md",
        "remark": "",
        "assumptions": [
            {"text": "the covariance $\\Sigma$ is shared", "holds": True},
            {"text": "nothing fails", "holds": False},
        ],
        "outcome": "supported",
        "prediction": 6.938e-4,
        "estimate": 6.96e-4,
        "se": 2e-6,
        "ratio": 1.003,
        "ratio_se": 0.0042,
        "margin": 0.02,
        "alpha": 1e-4,
        "resolution": 0.042,
        "twin": {"statement": "it is $n$ times larger", "outcome": "contradicted"},
        "seconds": 1.25,
        "replicates": 20000,
        "failures": 3,
        "figure": f"figures/{name}.png",
        "reproduce": f"synthlaw verify --preset quick --seed 0 --claim {name}",
    } | changes


def made_up(*claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": 1,
        "preset": "quick",
        "seed": 7,
        "versions": {"python": "3.11.0", "synthlaw": "0.1.0"},
        "claims": list(claims),
    }


class Page(HTMLParser):
    """Elements, attributes and text of a page; a wrongly nested end tag is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value for _, found in self.elements if (value := found.get(name)) is not None]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


CLAIMS = (
    claim("first"),
    claim("second", outcome="contradicted", family="spurious", ratio=1.2),
    claim("third", "inequality", outcome="unresolved", ratio=0.99, resolution=None),
    claim("fourth", "exact", ratio=None, ratio_se=None, se=0.0, twin=None, formula="", note=""),
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    (directory / "tables").mkdir(parents=True)
    (directory / "verdicts.json").write_text(json.dumps(made_up(*CLAIMS)))
    table = {"size": [1, 2], "inverse_size": [1.0, 0.5], "ratio": [1.02, 1.01],
             "ratio_se": 0.002, "fit": [1.02, 1.01], "series": ["", ""]}  # fmt: skip
    pd.DataFrame(table).to_csv(directory / "tables/first.csv", index=False)
    figures.render("all", directory)
    return directory


def test_the_page_holds_everything_about_every_claim(run: Path) -> None:
    path = write_report(made_up(*CLAIMS), run)
    assert path == run / "report.html"
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    for each in CLAIMS:
        assert each["id"] in ids and f"#{each['id']}" in page.attributes("href")
        assert each["title"] in page.text
        assert each["reproduce"] in page.text
        assert verdict_sentence(each) in page.text
    for words in ("quick", "3.11.0", "caught, as it must be", "20,000", "does not hold", "1.2 s"):
        assert words in page.text
    assert "paper_notes/imbalance.md" in page.text


def test_formulas_are_mathml(run: Path) -> None:
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    displays = [found["display"] for tag, found in page.elements if tag == "math"]
    assert displays.count("block") == 3
    assert displays.count("inline") == 4 + 4 + 3  # statements, first assumptions, twins
    assert any(tag == "mfrac" for tag, _ in page.elements)
    assert "$" not in page.text


def test_nothing_is_fetched_from_outside(run: Path) -> None:
    text = write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8")
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed"}
    for name in ("src", "srcset", "data", "poster", "action", "background"):
        assert all(value.startswith("data:image/") for value in page.attributes(name))
    allowed = ("#", "https://arxiv.org/abs/")
    assert all(value.startswith(allowed) for value in page.attributes("href"))
    assert "https://arxiv.org/abs/2406.03628" in page.attributes("href")
    style = text[text.index("<style>") : text.index("</style>")]
    # The letters of the pictures are the only address, and hold their content themselves.
    assert style.count("url(") == style.count("url(data:font/woff;base64,") == 1
    assert "@import" not in style and "http" not in style
    assert "prefers-color-scheme: dark" in style and "@media print" in style
    assert re.findall(r"url\((?!#|data:font/woff;)", text) == []


def test_figures_and_evidence_travel_inside(run: Path) -> None:
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    assert not any(tag == "img" for tag, _ in page.elements)
    pictures = [
        found for tag, found in page.elements if tag == "svg" and found.get("role") == "img"
    ]
    assert len(pictures) == 2  # the board, and the only claim with a table
    ids = page.attributes("id")
    for found in pictures:
        assert found["aria-labelledby"] in ids and found["viewbox"]
    # What is written in the picture is text of the page, and so is what it shows.
    assert "measured / predicted" in page.text and "simulation, ±2 standard errors" in page.text
    assert (
        "Title of first. Ladder plot: measured over predicted, 1.02 at size 1, 1.01 at size 2; "
        in (page.text)
    )
    assert sum(tag == "details" for tag, _ in page.elements) == 2
    assert "inverse_size" in page.text and "1.02" in page.text


def test_a_picture_that_is_no_svg_is_shown_as_pixels(run: Path) -> None:
    (run / "figures/first.svg").write_text("<svg><script>alert(1)</script></svg>")
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    (image,) = [found for tag, found in page.elements if tag == "img"]
    assert str(image["alt"]).startswith("Title of first. Ladder plot")
    kind, content = str(image["src"]).split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == (run / "figures/first.png").read_bytes()
    (run / "figures/first.png").unlink()
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    assert not any(tag in ("img", "script") for tag, _ in page.elements)


def test_the_index_leads_everywhere_and_headings_are_in_order(run: Path) -> None:
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    ids, links = page.attributes("id"), page.attributes("href")
    inner = [each[1:] for each in links if each.startswith("#")]
    assert set(inner) <= set(ids)
    # From the index to every card and family, from every card and family back.
    assert {each["id"] for each in CLAIMS} | {"Open", "Board", "Family1", "Family2"} <= set(inner)
    assert inner.count("Index1") == 3 and inner.count("Index2") == 1
    assert inner[0] == "Board"  # the skip link comes before everything
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in zip(levels, levels[1:], strict=False))
    landmarks = [tag for tag, _ in page.elements if tag in ("header", "nav", "main", "footer")]
    assert landmarks == ["header", "nav", "main"]
    tables = [tag for tag, _ in page.elements if tag == "table"]
    assert len(tables) == sum(tag == "caption" for tag, _ in page.elements) == 2


def test_what_needs_attention_comes_first(tmp_path: Path) -> None:
    def seen(*claims: dict[str, Any]) -> str:
        text = Page(report(made_up(*claims), tmp_path)).text
        return text[text.index("What needs attention") : text.rindex("Board")]

    well = seen(claim("a"), claim("b"))
    assert "2 claims have assumptions that do not hold" in well and "nothing fails" in well
    holds = [{"text": "all is well", "holds": True}]
    assert "Nothing: the claim is supported" in seen(claim("a", assumptions=holds))
    assert "Nothing: all 2 claims are supported" in seen(
        claim("a", assumptions=holds), claim("b", assumptions=holds)
    )
    bad = seen(
        claim("a", outcome="contradicted", ratio=1.1, assumptions=holds),
        claim("b", outcome="unresolved", assumptions=holds),
        claim("c", twin={"statement": "wrong", "outcome": "supported"}, assumptions=holds),
        claim("d", flagged_rows=2, assumptions=holds),
    )
    assert "Nothing" not in bad
    for words in (
        *("1 claim is contradicted", "its whole interval lies outside the margin"),
        *("1 claim is unresolved", "more replicates are needed"),
        *("1 planted error was not caught", "it passed as true"),
        *("1 claim rests on cells in which", "in 2 rows of the evidence"),
    ):
        assert words in bad
    assert "The run held no claims" in seen()


def test_the_whole_run_can_be_done_again(tmp_path: Path) -> None:
    asked = {"preset": "quick", "seed": 7, "claims": ["first"], "families": ["size"],
             "published": None, "module": "my claims.py"}  # fmt: skip
    path = tmp_path / "verify.config.json"
    path.write_text(json.dumps({"verify": asked}))
    command = "synthlaw verify --preset quick --seed 7 --module 'my claims.py' --claim first --family size"
    assert command in Page(report(made_up(claim("a")), tmp_path)).text
    # Another run's, or none that can be read: no command rather than a wrong one.
    path.write_text(json.dumps({"verify": asked | {"seed": 8}}))
    assert "The whole run again" not in Page(report(made_up(claim("a")), tmp_path)).text
    path.write_text("{}")
    assert "The whole run again" not in Page(report(made_up(claim("a")), tmp_path)).text


def test_a_long_table_is_cut_and_says_so(run: Path) -> None:
    pd.DataFrame({"cell": range(500)}).to_csv(run / "tables/second.csv", index=False)
    page = Page(write_report(made_up(*CLAIMS), run).read_text(encoding="utf-8"))
    assert "The first 60 of 500 rows" in page.text


def test_a_run_without_figures_still_has_a_report(tmp_path: Path) -> None:
    page = Page(write_report(made_up(claim("only")), tmp_path / "bare").read_text(encoding="utf-8"))
    assert not any(tag in ("img", "details") for tag, _ in page.elements)
    assert [path.name for path in (tmp_path / "bare").iterdir()] == ["report.html"]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    pd.DataFrame({"cell": [HOSTILE], HOSTILE: [1.0]}).to_csv(tmp_path / "tables/x.csv", index=False)
    fields = dict.fromkeys(("title", "statement", "source", "note", "remark", "reproduce"), HOSTILE)
    hostile = claim(
        "x",
        **fields,
        formula=rf"\text{{{HOSTILE}}}",
        assumptions=[{"text": f"$\\text{{{HOSTILE}}}$ {HOSTILE}", "holds": None}],
        twin={"statement": HOSTILE, "outcome": "supported"},
        family=HOSTILE,
    )
    page = Page(write_report(made_up(hostile), tmp_path).read_text(encoding="utf-8"))
    assert not any(tag in ("script", "img") for tag, _ in page.elements)
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.text.count("alert(1)") >= 8
    assert "1 planted error was not caught" in page.text and "not checked" in page.text


def test_figures_outside_the_run_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "run").mkdir()
    for name in ("../secret.png", str(tmp_path / "secret.png")):
        path = write_report(made_up(claim("x", figure=name)), tmp_path / "run")
        assert "<img" not in path.read_text(encoding="utf-8")


def test_mathml_writes_only_mathml() -> None:
    for latex in (r"\text{<b>x</b>}", r"\text{<mi onclick='x'>y</mi>}", r"\frac{", ""):
        page = Page(str(mathml(latex)))
        assert {tag for tag, _ in page.elements} <= {"math", "mrow", "code"}
        assert not page.attributes("onclick")
    assert str(inline_math("5 $ and a < b")) == "5 $ and a &lt; b"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (claim("a"), "supported: estimate/prediction = 1.003 ± 0.004; an error above 4.2 % of the "
                     "prediction would have been caught"),
        (claim("a", outcome="contradicted", ratio=1.1), "contradicted: estimate/prediction = 1.100 "
                     "± 0.004; its whole interval lies outside the margin of 2 %"),
        (claim("a", outcome="unresolved"), "unresolved: estimate/prediction = 1.003 ± 0.004; its "
                     "interval crosses the margin of 2 %, so more replicates are needed"),
        (claim("a", "exponent", prediction=2 / 3, estimate=0.7, se=0.001, ratio=1.002,
               ratio_se=0.0045, resolution=0.041),
         "supported: exponent 0.668 ± 0.003 where 0.6667 is predicted; an error above 0.041 in the "
         "exponent would have been caught"),
        (claim("a", "exponent", prediction=2 / 3, estimate=0.668, se=0.003, ratio=None,
               resolution=0.041),
         "supported: exponent 0.668 ± 0.003 where 0.6667 is predicted; an error above 0.041 in the "
         "exponent would have been caught"),
        (claim("a", "inequality", ratio=0.8, ratio_se=0.01), "supported: largest measured/bound = "
         "0.800 ± 0.010; the bound holds with 20 % to spare"),
        (claim("a", "inequality", outcome="contradicted", ratio=1.8, ratio_se=0.1),
         "contradicted: largest measured/bound = 1.80 ± 0.10; the bound is broken"),
        (claim("a", "exact", estimate=2.0, prediction=2.0, se=0.0), "supported: measured 2, "
         "expected 2; they agree"),
        (claim("a", "distribution", estimate=0.012, se=0.004, margin=0.03), "supported: distance "
         "to the predicted law 0.012 ± 0.004 (confidence radius); within the margin of 0.03"),
        (claim("a", ratio=None, ratio_se=None, resolution=None), "supported: estimate/prediction = "
         "–; its whole interval lies inside the margin of 2 %"),
    ],
)  # fmt: skip
def test_verdicts_in_words(given: dict[str, Any], sentence: str) -> None:
    assert verdict_sentence(given) == sentence


def test_numbers_keep_the_decimals_their_error_deserves() -> None:
    assert measured(123.456, 12.0) == "123 ± 12"
    assert measured(0.14112, 0.00013) == "0.14112 ± 0.00013"
    assert measured(float("nan"), 1.0) == "–"


def test_twins_in_words() -> None:
    assert twin_sentence({"outcome": "contradicted"}) == "caught, as it must be"
    assert "not caught" in twin_sentence({"outcome": "supported"})
    assert twin_sentence(None) == "no planted error is declared"


def test_the_terminal_table_lists_claims_counts_and_escapes_markup() -> None:
    odd = claim("[red]odd[/red]", twin={"statement": "w", "outcome": "unresolved"})
    verdicts = made_up(*CLAIMS, odd)
    console = Console(width=150, record=True, color_system=None, file=open("/dev/null", "w"))
    with console.file:
        console.print(verdict_table(verdicts))
        text = console.export_text()
    assert all(each["id"] in text for each in verdicts["claims"])
    assert "✔ supported" in text and "? unresolved" in text and "✘ contradicted" in text
    assert "escaped: unresolved" in text
    assert summary(verdicts) == "5 claims: 3 supported, 1 unresolved, 1 contradicted"
    assert summary(verdicts) in text
