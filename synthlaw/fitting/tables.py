"""The rows of the tables that the pictures of a fit are drawn from."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.fitting import surfaces
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit, weights
from scaling.fitting.intervals import Interval
from synthlaw.fitting.curves import name_of
from synthlaw.fitting.entries import AVERAGE
from synthlaw.fitting.one import Fitted
from synthlaw.fitting.request import Request

# Profiles and valleys are computed for as many curves as a page can show.
SURFACES = 12

Row = dict[str, Any]


def tables_of(what: Fitted, request: Request, number: int) -> dict[str, list[Row]]:
    """Rows by table name, of the ``number``-th curve (from 1)."""
    best = what.best
    by = what.named.by
    # Where a curve has one line only, its values without their columns' names must do.
    about = {"curve": number, "name": name_of(by), "label": " · ".join(by.values())}
    found = {
        "points": _points(about, what, request),
        "law": _line(about, what, request),
        "forecast": [
            {**about, "x": x[0], "value": each.value, "low": each.low, "high": each.high}
            for x, each in zip(what.places, what.at, strict=True)
        ],
        "board": _board(about, what),
        "exponents": _exponent(about, what),
    }
    if best is None or best.measure.loss != "squared" or number > SURFACES:
        return found
    ends = {name: each.interval for name, each in what.bounds.items()}
    if "exponent" in best.law.parameters and "exponent" not in best.held:
        found["profile"] = _profile(about, request, best, ends)
    if surfaces.has_valley(best):
        found["ridge"] = _ridge(about, best, ends)
    return found


def _points(about: Row, what: Fitted, request: Request) -> list[Row]:
    data = what.named.curve
    values = np.mean([each.at(data.x) for each in what.fits], axis=0)
    first = what.fits[0]
    noise = math.sqrt(np.mean([each.variance for each in what.fits]))
    w = weights(first.measure, data.y, first.curve.se)
    gap = np.log(data.y / values) if request.scale == "log" else data.y - values
    # Points that a law hits to the last digit have no residual to speak of.
    residual = gap * w / noise if noise > 0.0 else np.zeros(len(gap))
    rows = []
    for k in range(len(data.y)):
        many = {f"x{v + 1}": data.x[k, v] for v in range(data.x.shape[1])}
        x = {"x": data.x[k, 0]} if data.x.shape[1] == 1 else many
        se = None if data.se is None else data.se[k]
        rows.append(
            {
                **about,
                **x,
                "y": data.y[k],
                "se": se,
                "fitted": values[k],
                "residual": residual[k],
            }
        )
    return rows


def _exponent(about: Row, what: Fitted) -> list[Row]:
    best = what.best
    if best is None or "exponent" not in best.law.parameters:
        return []
    low, high, _ = what.bounds["exponent"].interval
    value = best.parameters["exponent"]
    return [{**about, "law": best.law.name, "exponent": value, "low": low, "high": high}]


def _line(about: Row, what: Fitted, request: Request) -> list[Row]:
    best = what.best
    theory = _theory_line(best, request, what.grid)
    # The law itself; the forecasts may carry on what it misses at the last points.
    values = np.mean([each.at(what.grid) for each in what.fits], axis=0)
    return [
        {
            **about,
            "x": x,
            "value": values[k],
            "low": each.low,
            "high": each.high,
            "law": f"{AVERAGE} of the plausible laws" if best is None else best.law.name,
            "floor": None if best is None else best.parameters.get("floor"),
            **({} if theory is None else {"theory": theory[k], "theory_exponent": request.theory}),
        }
        for k, (x, each) in enumerate(zip(what.grid[:, 0], what.band, strict=True))
    ]


def _theory_line(best: Fit | None, request: Request, grid: np.ndarray) -> np.ndarray | None:
    """The same law with the exponent of theory, everything else fitted."""
    if request.theory is None or best is None or "exponent" not in best.law.parameters:
        return None
    if len(grid) == 0:
        return None
    held = {**best.held, "exponent": request.theory}
    again = fit(best.law.name, best.curve, measure=best.measure, growing=best.growing, held=held)
    return again.at(grid)


def _board(about: Row, what: Fitted) -> list[Row]:
    choice = what.choice
    if choice is None:
        return []
    target = what.at[-1].x if what.at else what.grid[-1, 0]
    return [
        {
            **about,
            "law": each.fit.law.name,
            "weight": each.weight,
            "criterion": each.criterion,
            "heldout": each.heldout,
            "plausible": bool(each.plausible),
            "chosen": choice.best is not None and each.fit.law == choice.best.law,
            "at": target,
            "forecast": float(each.fit.at([target])[0]),
        }
        for each in choice.candidates
    ]


def _profile(about: Row, request: Request, best: Fit, ends: Mapping[str, Interval]) -> list[Row]:
    along = surfaces.profile(best, ends)
    low, high, _ = ends["exponent"]
    fixed = {
        **about,
        "estimate": best.parameters["exponent"],
        "low": low,
        "high": high,
        "threshold": along.threshold,
        "theory": request.theory,
    }
    return [
        {**fixed, "exponent": value, "deviance": deviance}
        for value, deviance in zip(along.values, along.deviance, strict=True)
    ]


def _ridge(about: Row, best: Fit, ends: Mapping[str, Interval]) -> list[Row]:
    over = surfaces.valley(best, ends)
    fixed = {
        **about,
        "best_floor": best.parameters["floor"],
        "best_exponent": best.parameters["exponent"],
        "threshold68": over.thresholds[0],
        "threshold95": over.thresholds[1],
    }
    return [
        {**fixed, "floor": floor, "exponent": exponent, "deviance": over.deviance[i, j]}
        for i, floor in enumerate(over.floors)
        for j, exponent in enumerate(over.exponents)
    ]


def write_tables(tables: Sequence[dict[str, list[Row]]], folder: Path) -> None:
    """Write the rows of all curves, one CSV file per table name."""
    for name in dict.fromkeys(name for each in tables for name in each):
        rows = [row for each in tables for row in each.get(name, [])]
        if rows:
            pd.DataFrame(rows).to_csv(folder / f"fit_{name}.csv", index=False)
