"""What the report says of one claim, ready for the page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from figures.tidy import read_table
from synthlaw.verifying.captions import caption
from synthlaw.verifying.drawing import Album
from synthlaw.verifying.mathml import inline_math, mathml
from synthlaw.verifying.pictured import Picture, inside, picture
from synthlaw.words import flag_sentence, number, percent, twin_sentence, verdict_sentence

_ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{4,5})")
_MOST_ROWS = 60
_ESCAPED = ("supported", "unresolved")


class Evidence(NamedTuple):
    """The table behind a verdict, as text, and how many rows it has in all."""

    columns: list[str]
    rows: list[list[str]]
    total: int
    path: str


class Card(NamedTuple):
    """What the page shows of one claim beside its plain fields."""

    claim: dict[str, Any]
    title: Markup
    statement: Markup
    formula: Markup
    source: Markup
    note: Markup
    remark: Markup
    assumptions: list[tuple[Markup, bool | None]]
    verdict: str
    twin: Markup
    twin_verdict: str
    escaped: bool
    broken: bool
    flag: str
    facts: list[tuple[str, str]]
    evidence: Evidence | None
    picture: Picture | None


def card(claim: dict[str, Any], directory: Path, shared: Album) -> Card:
    """The card of a claim of ``verdicts.json``.

    Args:
        claim: the claim.
        directory: the folder of the run, with its figure and table where it has them.
        shared: what the pictures of the page have in common; this claim's is added.
    """
    twin = claim.get("twin")
    title = str(claim.get("title") or claim["id"])
    table = _table(directory, f"tables/{claim['id']}.csv")
    assumptions = [
        (inline_math(str(each["text"])), each.get("holds"))
        for each in claim.get("assumptions") or []
    ]
    return Card(
        claim=claim,
        title=inline_math(title),
        statement=inline_math(str(claim["statement"])),
        formula=mathml(str(claim["formula"]), display=True) if claim.get("formula") else Markup(""),
        source=_linked(str(claim.get("source") or "")),
        note=inline_math(str(claim.get("note") or "")),
        remark=inline_math(str(claim.get("remark") or "")),
        assumptions=assumptions,
        verdict=verdict_sentence(claim),
        twin=inline_math(str(twin["statement"]).rstrip(". ")) if twin else Markup(""),
        twin_verdict=twin_sentence(twin),
        escaped=(twin or {}).get("outcome") in _ESCAPED,
        broken=any(holds is False for _, holds in assumptions),
        flag=flag_sentence(claim),
        facts=list(_facts(claim)),
        evidence=None if table is None else _evidence(table, f"tables/{claim['id']}.csv"),
        picture=picture(
            directory,
            str(claim.get("figure") or ""),
            title,
            caption(claim, table),
            shared,
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


def _table(directory: Path, name: str) -> pd.DataFrame | None:
    path = inside(directory, name)
    return None if path is None else read_table(path)


def _evidence(table: pd.DataFrame, name: str) -> Evidence:
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
