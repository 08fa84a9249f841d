"""Fits as a table in the terminal, and what must be told beside it."""

import math
from typing import Any

from rich.table import Table
from rich.text import Text

from synthlaw.fitting.curves import name_of
from synthlaw.fitting.request import Request
from synthlaw.words import GLYPHS, number, warning_line

# More curves than this are cut on the screen; fit.json has them all.
SHOWN = 60
SHOWN_FORECASTS = 3
STYLES = {"fitted": "green", "unranked": "yellow", "unidentified": "yellow", "unsettled": "red"}


def fit_table(result: dict[str, Any], request: Request) -> Table:
    """One row per curve: law, exponent and floor with their intervals, forecasts, theory."""
    fits = result["fits"]
    table = Table(title="Fits, with 95 % intervals", title_justify="left")
    for name in request.by:
        table.add_column(name, overflow="fold")
    for name in ("status", "law", "exponent", "floor"):
        table.add_column(name, overflow="fold")
    places = [each["x"] for each in fits[0]["forecast"]][:SHOWN_FORECASTS]
    for place in places:
        table.add_column(f"forecast at {_place(place)}", overflow="fold")
    if request.theory is not None:
        table.add_column(f"theory {request.theory:g}", overflow="fold")
    for each in fits[:SHOWN]:
        cells = [Text(value) for value in each["by"].values()]
        cells += [Text(each["status"], style=STYLES[each["status"]]), Text(each["law"])]
        cells += [Text(_parameter(each, name, request)) for name in ("exponent", "floor")]
        cells += [Text(_interval(told)) for told in each["forecast"][: len(places)]]
        if request.theory is not None:
            outcome = each["theory"]["outcome"]
            cells.append(Text(f"{GLYPHS[outcome]} {outcome}"))
        table.add_row(*cells)
    return table


def told(result: dict[str, Any]) -> list[str]:
    """Each kind of warning once, with how many curves have it; and notes on rows left out."""
    fits = result["fits"]
    found: dict[str, list[tuple[str, str]]] = {}
    for each in fits:
        for warning in each["warnings"]:
            found.setdefault(warning["code"], []).append((name_of(each["by"]), warning["text"]))
    sentences: list[str] = []
    for code, cases in found.items():
        which, text = cases[0]
        many = f" ({len(cases)} of {len(fits)} curves, first {which})" if len(fits) > 1 else ""
        sentences.append(warning_line(code, f"{text}{many}"))
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
    """A value and its interval, to the figures its width deserves, six at most.

    >>> _interval({"value": 0.48487, "low": 0.4463, "high": 0.5239})
    '0.485 [0.446, 0.524]'
    >>> _interval({"value": 0.15866722, "low": 0.15866720, "high": 0.15866724})
    '0.158667 [0.158667, 0.158667]'
    >>> _interval({"value": 2e-7, "low": 0.0, "high": 4e-7})
    '2.0e-07 [0, 4.0e-07]'
    """
    value, low, high = found["value"], found["low"], found["high"]
    top, width = max(abs(value), abs(low), abs(high)), high - low
    if not width > 0.0:
        return number(value, 3)
    figures = min(max(math.ceil(math.log10(top / width)) + 2, 2), 6)
    shown = [_figures(each, top, figures) for each in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _figures(value: float, top: float, figures: int) -> str:
    """``value`` with as many decimals as give ``top`` its figures."""
    power = math.floor(math.log10(top))
    if value == 0.0:
        return "0"
    if -4 <= power < 7:
        return f"{value:.{max(figures - 1 - power, 0)}f}"
    return f"{value:.{figures - 1}e}"
