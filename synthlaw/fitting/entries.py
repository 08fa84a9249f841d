"""One fitted curve as its entry in fit.json."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit, FitWarning
from scaling.fitting.laws import LAWS
from scaling.forecasting.choice import Choice
from scaling.forecasting.forecast import Forecast, forecast_warnings
from scaling.verdict.against import EXPONENT_MARGIN, exponent_verdict
from scaling.verdict.equivalence import ALPHA, equivalence
from synthlaw.fitting.one import Bound, Fitted, bounds_of
from synthlaw.fitting.request import Request

# What stands for a law where none is chosen.
AVERAGE = "average"
# The law whose exponent is compared with theory where a law assumes its own.
GENERAL = "power_floor"
# An exponent whose interval is unbounded and wider than this is not told by the points.
UNTOLD = 0.5
# Warnings that leave nothing to say of a fit's parameters.
VOID = {"unidentified", "flat"}

Row = dict[str, Any]


def entry(what: Fitted, request: Request) -> Row:
    """What stands in fit.json of one curve."""
    best, choice = what.best, what.choice
    if best is not None:
        warned = list(best.warnings)
    else:
        warned = list(choice.warnings) if choice is not None else []
    warned += _unbounded(best, what.bounds)
    if what.places:
        warned += forecast_warnings(what.fits[0], what.places)
    theory = _theory(best, request, what.bounds, warned)
    found = {
        "by": what.named.by,
        "law": best.law.name if best is not None else AVERAGE,
        "status": _status(best, warned),
        "points": len(what.named.curve.y),
        "parameters": _parameters(best, what.bounds),
        "criteria": _criteria(best, choice),
        "warnings": [each._asdict() for each in warned],
        "forecast": _as_asked(what.at, request),
        "theory": theory,
    }
    return found if choice is None else found | {"candidates": _candidates(choice)}


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


def _unbounded(best: Fit | None, bounds: Mapping[str, Bound]) -> list[FitWarning]:
    """What is not bounded by the points, and whether the exponent is among it."""
    names = [name.replace("_", " ") for name, each in bounds.items() if each.interval.unbounded]
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
    low, high, unbounded = (
        bounds["exponent"].interval if "exponent" in bounds else (0.0, 0.0, False)
    )
    if unbounded and high - low > UNTOLD:
        hold = best is not None and "floor" in best.law.linear and "floor" not in best.held
        remedy = ", or hold the floor if theory knows it (--floor)" if hold else ""
        text = (
            f"The points do not tell the exponent, which may be {low:.2g} to {high:.2g}; report the"
            f" forecasts, not the exponent{remedy}."
        )
        told.append(FitWarning("unidentified", text))
    return told


def _parameters(best: Fit | None, bounds: Mapping[str, Bound]) -> Row:
    if best is None:
        return {}
    return {
        name: {
            "value": value,
            "se": bounds[name].se,
            # An estimate on its bound, or a percentile, must not leave its own interval.
            "low": min(bounds[name].interval.low, value),
            "high": max(bounds[name].interval.high, value),
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
    best: Fit | None, request: Request, bounds: Mapping[str, Bound], warned: list[FitWarning]
) -> Row | None:
    """The exponent against the one that theory derives."""
    if request.theory is None:
        return None
    told = {
        "exponent": request.theory,
        "outcome": "unresolved",
        "resolution": None,
        "margin": EXPONENT_MARGIN,
        "level": 1.0 - 2.0 * ALPHA,
    }
    if best is None:
        return told
    if "exponent" not in best.law.parameters:
        text = (
            f"The law {best.law.name} has the exponent 1 by assumption; theory is compared with the"
            f" exponent of {GENERAL}."
        )
        warned.append(FitWarning("no_exponent", text))
        if len(best.curve.y) <= len(LAWS[GENERAL].parameters) - len(best.held):
            return told
        best = fit(GENERAL, best.curve, measure=best.measure, growing=best.growing, held=best.held)
        bounds = bounds_of(best, request.seed)
    if best.measure.loss == "huber":
        size = abs(request.theory)
        ratio, error = best.parameters["exponent"] / request.theory, bounds["exponent"].se / size
        verdict = equivalence(ratio, error, EXPONENT_MARGIN / size)
        resolution = None if verdict.resolution is None else verdict.resolution * size
        return told | {"outcome": verdict.outcome, "resolution": resolution}
    verdict = exponent_verdict(best, request.theory)
    return told | {"outcome": verdict.outcome, "resolution": verdict.resolution}
