"""What the picture of a claim shows, in words with its numbers: for those who do not see it.

The sentences are made from the table that was drawn, and say what the picture's kind shows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from figures import tidy
from figures.agreement import differences
from figures.pictures import as_cells, unlinked
from synthlaw.words import measured, number, percent

PLAIN = {
    "constant": "Ladder plot: measured over predicted against 1/size with the fitted line to its "
    "intercept and the margin around 1.",
    "exponent": "Ladder plot: fitted exponent over predicted exponent against 1/size.",
    "inequality": "Dot plot: measured over bound in every cell; 1 marks the bound.",
    "distribution": "Dot plot: distance to the predicted law in every cell, with the margin.",
    "exact": "Dot plot: measured minus expected in every cell.",
}


def caption(claim: dict[str, Any], table: pd.DataFrame | None) -> str:
    """What the picture of a claim of ``verdicts.json`` shows.

    Args:
        claim: the claim.
        table: its evidence, ``tables/<id>.csv``; None or a table of other columns leaves only what kind
            of picture it is.

    >>> evidence = pd.DataFrame({"cell": ["a", "b"], "measured": [0.5, 0.8], "measured_se": 0.0,
    ...                          "bound": [1.0, 1.0]})
    >>> caption({"kind": "inequality"}, evidence)
    'Dot plot: measured over bound in 2 cells, from 0.5 to 0.8, the largest in cell b; the bound is 1.'
    """
    kind = claim["kind"]
    told = _TOLD[kind]
    try:
        return PLAIN[kind] if table is None or table.empty else told(claim, table)
    except (KeyError, ValueError, TypeError):
        return PLAIN[kind]


def _ladder(claim: dict[str, Any], table: pd.DataFrame) -> str:
    if unlinked(table):
        return _cells(as_cells(table, claim["kind"], claim.get("margin") or 0.0))
    what = "fitted over predicted exponent" if claim["kind"] == "exponent" else _RATIO
    sizes, ratio = tidy.numbers(table, "size"), tidy.numbers(table, "ratio")
    inverse = tidy.numbers(table, "inverse_size")
    series = tidy.distinct(table, "series") if "series" in table.columns else [""]
    among = f" in {len(series)} series" if len(series) > 1 else ""
    ends = (inverse.max(), inverse.min())
    if ends[0] == ends[1]:
        text = f"Ladder plot: {what}{among}, at one size only: {_span(ratio)}"
    else:
        first, last = (_span(ratio[inverse == end]) for end in ends)
        small, large = (number(float(sizes[inverse == end].max()), 6) for end in ends)
        text = f"Ladder plot: {what}{among}, {first} at size {small}, {last} at size {large}"
        if claim.get("ratio") is not None:
            decides = ", in the series that decides," if among else ""
            limit = measured(claim["ratio"], claim.get("ratio_se"))
            text += f"; the line meets 1/size = 0{decides} at {limit}"
    return f"{text}{_margin(claim)}."


_RATIO = "measured over predicted"


def _margin(claim: dict[str, Any]) -> str:
    if claim.get("margin") is None:
        return ""
    if claim["kind"] == "exponent":
        return f". The margin is {number(claim['margin'])} in the exponent"
    return f". The margin around 1 is {percent(claim['margin'])}"


def _span(values: np.ndarray) -> str:
    """One number, or from the least to the largest."""
    known = values[np.isfinite(values)]
    if not len(known):
        return "no number"
    low, high = number(float(known.min())), number(float(known.max()))
    return low if low == high else f"from {low} to {high}"


def _count(table: pd.DataFrame) -> str:
    return f"{len(table)} cell{'' if len(table) == 1 else 's'}"


def _inequality(claim: dict[str, Any], table: pd.DataFrame) -> str:
    ratio = tidy.numbers(table, "measured") / tidy.numbers(table, "bound")
    widest = tidy.texts(table, "cell")[int(np.nanargmax(ratio))]
    largest = f", the largest in cell {widest}" if len(table) > 1 else ""
    return f"Dot plot: measured over bound in {_count(table)}, {_span(ratio)}{largest}; the bound is 1."


def _distribution(claim: dict[str, Any], table: pd.DataFrame) -> str:
    if "distance" not in table.columns:
        return _cells(table)
    distance = tidy.numbers(table, "distance")
    text = f"Dot plot: distance to the predicted law in {_count(table)}, {_span(distance)}"
    text += f", with confidence radius {_span(tidy.numbers(table, 'radius'))}"
    margin = claim.get("margin")
    return f"{text}." if margin is None else f"{text}; the margin is {number(margin)}."


def _exact(claim: dict[str, Any], table: pd.DataFrame) -> str:
    return _cells(table)


def _cells(table: pd.DataFrame) -> str:
    found = differences(table)
    size = np.abs(found.value)
    widest = int(np.nanargmax(size))
    text = f"Dot plot: measured less expected in {_count(table)}"
    if size[widest] == 0.0:
        return f"{text}: no difference in any."
    at = f", in cell {tidy.texts(table, 'cell')[widest]}" if len(table) > 1 else ""
    outside = int((size > found.band).sum())
    where = f"{outside} outside" if outside else "within" if len(table) == 1 else "all within"
    if found.unit == "tolerances":
        return f"{text}, {where} the tolerance; at most {percent(float(size[widest]))} of it{at}."
    largest = f"the largest difference is {number(float(size[widest]), 3)} {found.unit}{at}"
    if found.band <= 0.0:
        return f"{text}; {largest}."
    return f"{text}, {where} ±{number(found.band)} {found.unit}; {largest}."


_TOLD: dict[str, Callable[[dict[str, Any], pd.DataFrame], str]] = {
    "constant": _ladder,
    "exponent": _ladder,
    "inequality": _inequality,
    "distribution": _distribution,
    "exact": _exact,
}
