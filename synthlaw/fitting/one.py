"""One curve fitted as asked: the law or the choice, its intervals, its forecasts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scaling.fitting.curves import Curve, effective
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.fitting.intervals import Interval, intervals
from scaling.fitting.laws import reported
from scaling.fitting.robust import robust_fit
from scaling.fitting.uncertainty import covariance
from scaling.forecasting.bootstrap import cases
from scaling.forecasting.choice import Choice, choose
from scaling.forecasting.forecast import Forecast, from_outlooks, outlook
from synthlaw.fitting.curves import Named
from synthlaw.fitting.request import AUTO, Request

# Points of a drawn law, and how far beyond the data it is drawn, in shares of the range of log x.
LINE_POINTS, BEYOND = 31, 0.2


class Bound(NamedTuple):
    """What is known of a parameter beside its value."""

    se: float
    interval: Interval


class Fitted(NamedTuple):
    """``best``: the law asked for or chosen, None where ``choice`` refuses; ``fits``: it alone, or the
    plausible ones; ``places``: x of the forecasts ``at`` as the law counts it; ``grid (m, V)``: where
    the law is drawn, with the ``band`` of a new observation there."""

    named: Named
    choice: Choice | None
    best: Fit | None
    fits: tuple[Fit, ...]
    bounds: Mapping[str, Bound]
    places: list[tuple[float, ...]]
    at: list[Forecast]
    grid: np.ndarray
    band: list[Forecast]


def fitted(named: Named, request: Request) -> Fitted:
    """Fit one curve."""
    places = [tuple(effective(np.array(p), request.base, request.weight)) for p in request.at]
    if request.law == AUTO:
        far = max(places)[0] if places else None
        choice = choose(
            named.curve, growing=request.growing, held=request.held, far=far, seed=request.seed
        )
        best, views = choice.best, choice.views
        fits = choice.plausible if best is None else (best,)
    else:
        choice, best = None, _law(named.curve, request)
        fits, views = (best,), (outlook(best, seed=request.seed),)
    x = named.curve.x
    asked = np.array(places, dtype=float).reshape(-1, x.shape[1])
    grid = _grid(x, asked)
    told = from_outlooks(views, np.concatenate([asked, grid])) if len(asked) + len(grid) else []
    bounds = {} if best is None else bounds_of(best, request.seed)
    count = len(asked)
    return Fitted(named, choice, best, fits, bounds, places, told[:count], grid, told[count:])


def _law(curve: Curve, request: Request) -> Fit:
    make = robust_fit if request.loss == "huber" and curve.se is None else fit
    return make(
        request.law,
        curve,
        measure=request.measure,
        growing=request.growing,
        held=request.held,
    )


def _grid(x: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Where a law in one variable is drawn, ``(m, 1)``: its data, a little beyond, all forecasts."""
    if x.shape[1] != 1:
        return np.empty((0, x.shape[1]))
    low, high = float(x.min()), float(x.max())
    last = max(high * (high / low) ** BEYOND, float(asked.max(initial=0.0)))
    first = min(low, float(asked.min(initial=np.inf)))
    return np.geomspace(first, last, LINE_POINTS)[:, None]


def bounds_of(found: Fit, seed: int) -> dict[str, Bound]:
    """Standard errors and intervals: by the delta method and profile likelihood; for Huber's loss,
    which is no likelihood, by bootstrap."""
    if found.measure.loss == "huber":
        again = cases(found, seed=seed)
        errors, ends = again.errors, again.intervals()
    else:
        errors, ends = _delta_errors(found), intervals(found)
    return {name: Bound(errors[name], ends[name]) for name in found.law.parameters}


def _delta_errors(found: Fit) -> dict[str, float]:
    inner = np.sqrt(np.diag(covariance(found)))
    # Parameters on a logarithmic scale: the error of a logarithm is a relative one.
    here, moved = found.estimate, found.estimate + 1.0
    logarithmic = ~np.isclose(reported(found.law, moved) - reported(found.law, here), 1.0)
    outer = np.where(logarithmic, np.abs(reported(found.law, here)) * inner, inner)
    return dict(zip(found.law.parameters, map(float, outer), strict=True))
