"""Fits as a table in the terminal, and what must be told beside it."""

import math
from typing import Any

from rich.table import Table
from rich.text import Text

from synthlaw.fit_curves import name_of
from synthlaw.fit_request import Request
from synthlaw.words import GLYPHS, number

# More curves than this are cut on the screen; fit.json has them all.
SHOWN = 60
SHOWN_FORECASTS = 3
STYLES = {"fitted": "green", "unranked": "yellow", "unidentified": "yellow", "unsettled": "red"}


def fit_table(result: dict[str, Any], request: Request) -> Table:
    """One row per curve: law, exponent and floor with their intervals, forecasts, theory."""
    fits = result["fits"]
    table = Table(title="Fits, with 95 % intervals", title_justify="left")
    if request.by:
        table.add_column("curve", overflow="fold")
    for name in ("status", "law", "exponent", "floor"):
        table.add_column(name, overflow="fold")
    places = [each["x"] for each in fits[0]["forecast"]][:SHOWN_FORECASTS]
    for place in places:
        table.add_column(f"forecast at {_place(place)}", overflow="fold")
    if request.theory is not None:
        table.add_column(f"theory {request.theory:g}", overflow="fold")
    for each in fits[:SHOWN]:
        cells = [Text(name_of(each["by"]))] if request.by else []
        cells += [Text(each["status"], style=STYLES[each["status"]]), Text(each["law"])]
        cells += [Text(_parameter(each, name, request)) for name in ("exponent", "floor")]
        cells += [Text(_interval(told)) for told in each["forecast"][: len(places)]]
        if request.theory is not None:
            outcome = each["theory"]["outcome"]
            cells.append(Text(f"{GLYPHS[outcome]} {outcome}"))
        table.add_row(*cells)
    return table


def told(result: dict[str, Any]) -> list[str]:
    """Warnings, each once with the curves it is about, and notes on rows left out."""
    fits = result["fits"]
    found: dict[tuple[str, str], int] = {}
    for each in fits:
        for warning in each["warnings"]:
            key = (warning["code"], warning["text"])
            found[key] = found.get(key, 0) + 1
    by_code: dict[str, list[tuple[str, int]]] = {}
    for (code, text), count in found.items():
        by_code.setdefault(code, []).append((text, count))
    sentences = []
    for code, texts in by_code.items():
        total = sum(count for _, count in texts)
        where = f" ({total} of {len(fits)} curves)" if len(fits) > 1 else ""
        sentences.append(f"{code}{where}: {texts[0][0]}")
    if len(fits) > SHOWN:
        sentences.append(f"({len(fits) - SHOWN} more curves)")
    return [*result["notes"], *sentences]


def _place(place: Any) -> str:
    return f"{place:g}" if isinstance(place, int | float) else ":".join(f"{p:g}" for p in place)


def _parameter(each: dict[str, Any], name: str, request: Request) -> str:
    found = each["parameters"].get(name)
    if found is None:
        return "–"
    if found["low"] == found["high"]:
        return f"{number(found['value'], 3)} (held)"
    return _interval(found)


def _interval(found: dict[str, Any]) -> str:
    """A value and its interval, to the decimals its width deserves.

    >>> _interval({"value": 0.48487, "low": 0.4463, "high": 0.5239})
    '0.485 [0.446, 0.524]'
    >>> _interval({"value": 12345.6, "low": 11000.0, "high": 14000.0})
    '12300 [11000, 14000]'
    >>> _interval({"value": 2e-7, "low": 1e-7, "high": 4e-7})
    '2.0e-07 [1.0e-07, 4.0e-07]'
    """
    value, low, high = found["value"], found["low"], found["high"]
    width = high - low
    if not width > 0.0:
        return number(value, 3)
    # Two figures of the width are as many as it has to tell.
    places = 1 - math.floor(math.log10(width))
    if places > 6 or places < -6:
        shown = [f"{each:.{max(1, places + _power(value))}e}" for each in (value, low, high)]
    else:
        shown = [f"{round(each, places):.{max(places, 0)}f}" for each in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _power(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
