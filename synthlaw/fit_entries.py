"""One curve fitted: its entry in fit.json, and the rows of the tables its pictures are drawn from."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from scaling import surfaces
from scaling.against import EXPONENT_MARGIN, exponent_verdict
from scaling.bootstrap import cases
from scaling.choice import Choice, choose
from scaling.curves import Curve, effective
from scaling.equivalence import equivalence
from scaling.fits import Fit, FitWarning, weights
from scaling.fitting import fit
from scaling.forecast import Forecast, Outlook, forecast_warnings, from_outlooks, outlook
from scaling.intervals import Interval, intervals
from scaling.laws import CURVES, LAWS, reported
from scaling.robust import robust_fit
from scaling.uncertainty import covariance
from simulations import cores
from synthlaw.fit_curves import Named, name_of
from synthlaw.fit_request import AUTO, Request

AVERAGE = "average"
# Points of a drawn law, and how far beyond the data it is drawn, in shares of the range of log x.
LINE_POINTS, BEYOND = 31, 0.2
# Profiles and valleys are computed for as many curves as a page can show.
SURFACES = 12
# The law whose exponent is compared with theory where a law assumes its own.
GENERAL = "power_floor"
# Warnings that leave nothing to say of a fit's parameters.
VOID = {"unidentified", "flat"}

Row = dict[str, Any]


class Entry(NamedTuple):
    """``result``: what stands in fit.json; ``tables``: rows of the tables, by name."""

    result: dict[str, Any]
    tables: dict[str, list[Row]]


class Drawn(NamedTuple):
    """What pictures need of one fitted curve: the laws behind it, the forecasts, the line's x."""

    fits: tuple[Fit, ...]
    at: list[Forecast]
    grid: np.ndarray
    line: list[Forecast]


def entry(named: Named, request: Request, number: int) -> Entry:
    """Fit the ``number``-th curve (from 1) as asked."""
    if request.law == AUTO:
        if number == 1:
            _compile(named.curve, request)
        choice = _chosen(named, request)
        best, fits, warned = choice.best, choice.plausible, list(choice.warnings)
    else:
        choice, best = None, _fitted(named.curve, request)
        fits, warned = (best,), []
    if best is not None:
        fits, warned = (best,), list(best.warnings)
    views = [outlook(best, seed=request.seed)] if choice is None else choice.views
    drawn = _forecasts(fits, views, request)
    found = _intervals(best, request) if best is not None else {}
    warned += _unbounded(found)
    if request.at:
        warned += forecast_warnings(fits[0], _effective_places(request))
    theory = _theory(best, request, found, warned)
    result = {
        "by": named.by,
        "law": best.law.name if best is not None else AVERAGE,
        "status": _status(best, warned),
        "points": len(named.curve.y),
        "parameters": _parameters(best, found),
        "criteria": _criteria(best, choice),
        "warnings": [each._asdict() for each in warned],
        "forecast": _as_asked(drawn.at, request),
        "theory": theory,
    }
    if choice is not None:
        result["candidates"] = _candidates(choice)
    return Entry(result, _tables(named, request, number, best, choice, found, drawn))


def _fitted(curve: Curve, request: Request) -> Fit:
    make = robust_fit if request.loss == "huber" and curve.se is None else fit
    return make(
        request.law,
        curve,
        measure=request.measure,
        growing=request.growing,
        held=request.held,
    )


def _compile(curve: Curve, request: Request) -> None:
    """Have the programs of all laws compiled side by side; the fits themselves take no time."""

    def once(law: str) -> None:
        if len(curve.y) > len(LAWS[law].parameters):
            fit(law, curve, growing=request.growing)

    with ThreadPoolExecutor(cores()) as pool:
        # The longest first.
        list(pool.map(once, reversed(CURVES)))


def _chosen(named: Named, request: Request) -> Choice:
    asked = _effective_places(request)
    far = max(asked)[0] if asked else None
    return choose(named.curve, growing=request.growing, held=request.held, far=far)


def _forecasts(fits: tuple[Fit, ...], views: Sequence[Outlook], request: Request) -> Drawn:
    x = fits[0].curve.x
    asked = np.array(_effective_places(request), dtype=float).reshape(-1, x.shape[1])
    grid = np.empty((0, x.shape[1]))
    if x.shape[1] == 1:
        low, high = x.min(), x.max()
        last = max(high * (high / low) ** BEYOND, asked.max(initial=0.0))
        first = min(low, asked.min(initial=np.inf))
        grid = np.geomspace(first, last, LINE_POINTS)[:, None]
    both = np.concatenate([asked, grid])
    if len(both) == 0:
        return Drawn(fits, [], grid, [])
    told = from_outlooks(views, both)
    return Drawn(fits, told[: len(asked)], grid, told[len(asked) :])


def _as_asked(told: Sequence[Forecast], request: Request) -> list[Row]:
    return [
        {
            "x": place[0] if len(place) == 1 else list(place),
            "value": float(each.value),
            "low": float(each.low),
            "high": float(each.high),
        }
        for place, each in zip(request.at, told, strict=True)
    ]


def _intervals(found: Fit, request: Request) -> dict[str, tuple[float, Interval]]:
    """Standard error and interval of every parameter: by profile, for Huber's loss by bootstrap."""
    if found.measure.loss == "huber":
        again = cases(found, seed=request.seed)
        errors, ends = again.errors, again.intervals()
    else:
        ends, errors = intervals(found), _delta_errors(found)
    return {name: (errors[name], ends[name]) for name in found.law.parameters}


def _delta_errors(found: Fit) -> dict[str, float]:
    inner = np.sqrt(np.diag(covariance(found)))
    # Parameters on a logarithmic scale: the error of a logarithm is a relative one.
    here, moved = found.estimate, found.estimate + 1.0
    logarithmic = ~np.isclose(reported(found.law, moved) - reported(found.law, here), 1.0)
    outer = np.where(logarithmic, np.abs(reported(found.law, here)) * inner, inner)
    return dict(zip(found.law.parameters, map(float, outer), strict=True))


def _unbounded(found: Mapping[str, tuple[float, Interval]]) -> list[FitWarning]:
    """What is not bounded by the points, and whether the exponent is among it."""
    names = [name.replace("_", " ") for name, (_, each) in found.items() if each.unbounded]
    if not names:
        return []
    many = (
        f"intervals of {', '.join(names)} end" if len(names) > 1 else f"interval of {names[0]} ends"
    )
    text = (
        f"The {many} where the search does, not where the points do; give points over more decades or"
        " with smaller errors, or hold a parameter that is known."
    )
    told = [FitWarning("unbounded", text)]
    if "exponent" in found and found["exponent"][1].unbounded:
        low, high, _ = found["exponent"][1]
        text = (
            f"The points do not tell the exponent, which may be {low:.2g} to {high:.2g}; report the"
            " forecasts, not the exponent, or hold the floor if theory knows it (--floor)."
        )
        told.append(FitWarning("unidentified", text))
    return told


def _parameters(best: Fit | None, found: Mapping[str, tuple[float, Interval]]) -> Row:
    if best is None:
        return {}
    return {
        name: {
            "value": value,
            "se": found[name][0],
            # An estimate on its bound, or a percentile, must not leave its own interval.
            "low": min(found[name][1].low, value),
            "high": max(found[name][1].high, value),
        }
        for name, value in best.parameters.items()
    }


def _status(best: Fit | None, warned: Sequence[FitWarning]) -> str:
    codes = {each.code for each in warned}
    if best is None:
        return "unranked"
    if "unsettled" in codes:
        return "unsettled"
    # A curve that grows under a law that can only fall has no parameters but its mean.
    void = VOID if best.growing else VOID | {"growing"}
    return "unidentified" if codes & void else "fitted"


def _criteria(best: Fit | None, choice: Choice | None) -> Row:
    found: Row = {}
    if best is not None:
        found |= {"loss": best.loss, "freedom": best.freedom, "noise": math.sqrt(best.variance)}
    if choice is not None and best is not None:
        chosen = next(each for each in choice.candidates if each.fit.law == best.law)
        found |= {
            "criterion": chosen.criterion,
            "weight": chosen.weight,
            "heldout": chosen.heldout,
        }
    return found


def _candidates(choice: Choice) -> list[Row]:
    return [
        {
            "law": each.fit.law.name,
            "criterion": each.criterion,
            "weight": each.weight,
            "heldout": each.heldout,
            "plausible": bool(each.plausible),
            "parameters": each.fit.parameters,
        }
        for each in choice.candidates
    ]


def _theory(
    best: Fit | None,
    request: Request,
    found: Mapping[str, tuple[float, Interval]],
    warned: list[FitWarning],
) -> Row | None:
    """The exponent against the one that theory derives."""
    if request.theory is None:
        return None
    told = {"exponent": request.theory, "outcome": "unresolved", "resolution": None}
    if best is None or len(best.curve.y) <= len(LAWS[GENERAL].parameters) - len(best.held):
        return told
    if "exponent" not in best.law.parameters:
        warned.append(
            FitWarning(
                "no_exponent",
                f"The law {best.law.name} has the exponent 1 by assumption; theory is compared with"
                f" the exponent of {GENERAL}.",
            )
        )
        best = fit(GENERAL, best.curve, measure=best.measure, growing=best.growing, held=best.held)
        found = _intervals(best, request)
    if best.measure.loss == "huber":
        ratio, size = best.parameters["exponent"] / request.theory, abs(request.theory)
        verdict = equivalence(ratio, found["exponent"][0] / size, EXPONENT_MARGIN / size)
        resolution = None if verdict.resolution is None else verdict.resolution * size
        return told | {"outcome": verdict.outcome, "resolution": resolution}
    verdict = exponent_verdict(best, request.theory)
    return told | {"outcome": verdict.outcome, "resolution": verdict.resolution}


def _tables(
    named: Named,
    request: Request,
    number: int,
    best: Fit | None,
    choice: Choice | None,
    found: Mapping[str, tuple[float, Interval]],
    drawn: Drawn,
) -> dict[str, list[Row]]:
    about = {"curve": number, "name": name_of(named.by)}
    tables = {
        "points": _points(about, named, request, drawn),
        "law": _line(about, request, best, drawn),
        "forecast": [
            {**about, "x": x[0], "value": each.value, "low": each.low, "high": each.high}
            for x, each in zip(_effective_places(request), drawn.at, strict=True)
        ],
        "board": _board(about, choice, drawn),
        "exponents": _exponent(about, best, found),
    }
    squared = best is not None and best.measure.loss == "squared" and number <= SURFACES
    if best is not None and squared:
        ends = {name: each for name, (_, each) in found.items()}
        free = "exponent" in best.law.parameters and "exponent" not in best.held
        tables["profile"] = _profile(about, request, best, ends) if free else []
        tables["ridge"] = _ridge(about, best, ends) if surfaces.has_valley(best) else []
    return tables


def _effective_places(request: Request) -> list[tuple[float, ...]]:
    return [tuple(effective(np.array(p), request.base, request.weight)) for p in request.at]


def _points(about: Row, named: Named, request: Request, drawn: Drawn) -> list[Row]:
    data = named.curve
    values = np.mean([each.at(data.x) for each in drawn.fits], axis=0)
    first = drawn.fits[0]
    noise = math.sqrt(np.mean([each.variance for each in drawn.fits]))
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


def _exponent(
    about: Row, best: Fit | None, found: Mapping[str, tuple[float, Interval]]
) -> list[Row]:
    if best is None or "exponent" not in best.law.parameters:
        return []
    low, high, _ = found["exponent"][1]
    value = best.parameters["exponent"]
    return [{**about, "law": best.law.name, "exponent": value, "low": low, "high": high}]


def _line(about: Row, request: Request, best: Fit | None, drawn: Drawn) -> list[Row]:
    theory = _theory_line(best, request, drawn.grid)
    # The law itself; the forecasts may carry on what it misses at the last points.
    values = np.mean([each.at(drawn.grid) for each in drawn.fits], axis=0)
    return [
        {
            **about,
            "x": x,
            "value": values[k],
            "low": each.low,
            "high": each.high,
            "law": AVERAGE if best is None else best.law.name,
            "floor": None if best is None else best.parameters.get("floor"),
            **({} if theory is None else {"theory": theory[k], "theory_exponent": request.theory}),
        }
        for k, (x, each) in enumerate(zip(drawn.grid[:, 0], drawn.line, strict=True))
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


def _board(about: Row, choice: Choice | None, drawn: Drawn) -> list[Row]:
    if choice is None:
        return []
    target = drawn.at[-1].x if drawn.at else drawn.grid[-1, 0]
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
