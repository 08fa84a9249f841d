"""The report of a run: one file that can be mailed, opened offline and printed.

Figures travel inside the page as data; formulas are MathML; there is no script and nothing is
fetched from anywhere.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from figures.tidy import read_table
from simulations.runs.flags import MEANING
from simulations.runs.store import write_atomically
from synthlaw.verifying.mathml import inline_math, mathml
from synthlaw.verifying.published_page import LEFT_OUT, page
from synthlaw.words import GLYPHS, flag_sentence, number, percent, twin_sentence, verdict_sentence

REPORT = "report.html"
_TEMPLATES = Path(__file__).parents[1] / "templates"
_ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{4,5})")
_MOST_ROWS = 60
_MIMES = {".svg": "image/svg+xml", ".png": "image/png"}
# Pictures of the whole run, shown after the board where the run made them.
OVERVIEW = {
    "verdict_board": "All verdicts: measured over predicted with its interval against the margin, "
    "the outcome of every claim and of its planted error.",
    "imbalance_curve": "Balanced excess risk of imbalanced classification along the oversampling "
    "ratio: theory as lines, simulation as points.",
    "spurious_curve": "Balanced excess risk under a spurious correlation along the oversampling "
    "ratio: theory as lines, simulation as points.",
    "spurious_groups": "0-1 error of every group under a spurious correlation along the "
    "oversampling ratio; the worst group is emphasised.",
    "scaling_curve": "Balanced excess risk along the number of synthetic rows at a fixed share: theory "
    "as lines with their floors, simulation as points, and a power law without a floor.",
    "exponent_ladder": "Local slopes of nonparametric excess risks less their exponents, against the "
    "number of rows: theory as lines, simulation as points, and where the slopes tend.",
    "token_kl": "Divergence of a generator's law from the true one along seeds, tokens and layers: laws as "
    "lines, simulation as points.",
    "trained_kl": "Divergence along the number of seeds: a trained transformer, the Bayes predictive, "
    "constructed weights and maximum likelihood; below, trained over Bayes.",
    "token_seeds": "Balanced excess risk with endless rows of transformers that read n seeds, beside "
    "weighting the seeds: theory as lines, simulation as points.",
    "series_curves": "Balanced excess risk of a penalised logistic series along the rows of a class: "
    "real, right-law and biased rows, with their laws and the floors of biased generators.",
}
_ALT = {
    "constant": "Ladder plot: measured over predicted against 1/size with the fitted line to its "
    "intercept and the margin around 1.",
    "exponent": "Ladder plot: fitted exponent over predicted exponent against 1/size.",
    "inequality": "Dot plot: measured over bound in every cell; 1 marks the bound.",
    "distribution": "Dot plot: distance to the predicted law in every cell, with the margin.",
    "exact": "Dot plot: measured minus expected in every cell.",
}


class Picture(NamedTuple):
    """A picture as a data address with the text that stands for it."""

    source: str
    alt: str


class Evidence(NamedTuple):
    """The table behind a verdict, as text, and how many rows it has in all."""

    columns: list[str]
    rows: list[list[str]]
    total: int
    path: str


class Card(NamedTuple):
    """What the page shows of one claim beside its plain fields."""

    claim: dict[str, Any]
    title: str
    statement: Markup
    formula: Markup
    source: Markup
    note: Markup
    remark: Markup
    assumptions: list[tuple[Markup, bool | None]]
    verdict: str
    twin: Markup
    twin_verdict: str
    flag: str
    facts: list[tuple[str, str]]
    evidence: Evidence | None
    picture: Picture | None


def write_report(verdicts: dict[str, Any], directory: Path) -> Path:
    """Write ``directory/report.html`` from verdicts and the figures and tables beside them.

    Args:
        verdicts: the content of ``verdicts.json``.
        directory: the folder of the run; ``figures/`` and ``tables/`` in it are used where
            present, and a claim without them is shown without them.

    Returns:
        The path of the report, written whole or not at all.
    """
    directory = Path(directory)
    page = report(verdicts, directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / REPORT, page.encode())
    return directory / REPORT


def report(verdicts: dict[str, Any], directory: Path) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cards = [_card(claim, directory) for claim in verdicts["claims"]]
    families = {
        name: [card for card in cards if card.claim["family"] == name]
        for name in dict.fromkeys(str(claim["family"]) for claim in verdicts["claims"])
    }
    overview = _pictures(directory, OVERVIEW)
    published = page(directory)
    return environment.get_template("report.html.j2").render(
        verdicts=verdicts,
        families=families,
        counts={
            family: {name: sum(c.claim["outcome"] == name for c in members) for name in GLYPHS}
            for family, members in families.items()
        },
        glyphs=GLYPHS,
        overview=overview,
        published=published,
        left_out=LEFT_OUT,
        published_pictures=_pictures(directory, published.figures if published else {}),
        seconds=sum(float(claim.get("seconds") or 0.0) for claim in verdicts["claims"]),
        meaning=MEANING,
        flagged=[c for c in cards if c.flag],
        escaped=[c for c in cards if (c.claim.get("twin") or {}).get("outcome") in _ESCAPED],
    )


def _pictures(directory: Path, wanted: dict[str, str]) -> list[Picture]:
    """Those of the pictures, each with its caption, that the run made."""
    found = (picture(directory, f"figures/{name}.svg", alt) for name, alt in wanted.items())
    return [each for each in found if each is not None]


_ESCAPED = ("supported", "unresolved")


def _card(claim: dict[str, Any], directory: Path) -> Card:
    twin = claim.get("twin")
    title = str(claim.get("title") or claim["id"])
    return Card(
        claim=claim,
        title=title,
        statement=inline_math(str(claim["statement"])),
        formula=mathml(str(claim["formula"]), display=True) if claim.get("formula") else Markup(""),
        source=_linked(str(claim.get("source") or "")),
        note=inline_math(str(claim.get("note") or "")),
        remark=inline_math(str(claim.get("remark") or "")),
        assumptions=[
            (inline_math(str(each["text"])), each.get("holds"))
            for each in claim.get("assumptions") or []
        ],
        verdict=verdict_sentence(claim),
        twin=inline_math(str(twin["statement"]).rstrip(". ")) if twin else Markup(""),
        twin_verdict=twin_sentence(twin),
        flag=flag_sentence(claim),
        facts=list(_facts(claim)),
        evidence=_evidence(directory, f"tables/{claim['id']}.csv"),
        picture=picture(
            directory, str(claim.get("figure") or ""), f"{title}. {_ALT[claim['kind']]}"
        ),
    )


def _facts(claim: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The numbers worth a line of their own."""
    spread = "radius" if claim["kind"] == "distribution" else "s.e."
    for name, key, digits in (
        ("prediction", "prediction", 6),
        ("estimate", "estimate", 6),
        (spread, "se", 2),
    ):
        if claim.get(key) is not None and (key != "se" or claim[key]):
            yield name, number(claim[key], digits)
    # The margin plays no part in an inequality, and an identity states its own tolerance.
    if claim.get("margin") is not None and claim["kind"] == "constant":
        yield "margin", f"±{percent(claim['margin'])}"
    elif claim.get("margin") is not None and claim["kind"] in ("exponent", "distribution"):
        yield "margin", number(claim["margin"])
    if claim.get("alpha") is not None:
        yield "level α", number(claim["alpha"])
    for name in ("replicates", "failures"):
        if claim.get(name) is not None:
            yield name, f"{claim[name]:,}"
    if claim.get("seconds") is not None:
        yield "time", f"{claim['seconds']:.1f} s"


def _linked(text: str) -> Markup:
    """Prose with every arXiv number made a link."""
    parts = _ARXIV.split(text)
    linked = (
        Markup('<a href="https://arxiv.org/abs/{0}">arXiv {0}</a>').format(part)
        if position % 2
        else inline_math(part)
        for position, part in enumerate(parts)
    )
    return Markup("").join(linked)


def inside(directory: Path, name: str) -> Path | None:
    """The file ``name`` of a run folder; None where it is absent or lies outside the folder."""
    path = (directory / name).resolve()
    return path if path.is_relative_to(directory.resolve()) and path.is_file() else None


def picture(directory: Path, name: str, alt: str) -> Picture | None:
    """A figure of the run as a data address, SVG where there is one."""
    if not name:
        return None
    for candidate in (str(Path(name).with_suffix(".svg")), str(Path(name).with_suffix(".png"))):
        path = inside(directory, candidate)
        if path is not None:
            content = base64.b64encode(path.read_bytes()).decode()
            return Picture(f"data:{_MIMES[path.suffix]};base64,{content}", alt)
    return None


def _evidence(directory: Path, name: str) -> Evidence | None:
    path = inside(directory, name)
    if path is None:
        return None
    table = read_table(path)
    shown = table.head(_MOST_ROWS)
    rows = [[_cell(value) for value in row] for row in shown.itertuples(index=False)]
    return Evidence([str(column) for column in table.columns], rows, len(table), name)


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{value:d}"
    if isinstance(value, float | np.floating):
        return number(float(value), 5)
    return "–" if value is None or value is pd.NA else str(escape(value))
