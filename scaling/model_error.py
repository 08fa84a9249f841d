"""How wrong a law is beyond its data: held-out extrapolation.

The law is fitted again without the last points, one cut after another, and its forecasts are compared
with what came. What sampling explains (the noise of the point, the uncertainty of the refit) is taken
off the squared errors; the rest is the law's own error. It is taken to grow like a random walk in
``log x``:

    variance of the model error at distance D beyond the data  =  tau^2 D
"""

from typing import NamedTuple

import numpy as np

from scaling.batches import problems_of, solve
from scaling.curves import Curve
from scaling.fitting import Fit, weights
from scaling.laws import reported, value
from scaling.uncertainty import covariance, slopes

# At most so many cuts, and at most this share of the points is left out.
CUTS, SHARE = 6, 0.5


class ModelError(NamedTuple):
    """``size`` = tau, per square root of a unit of log x, in units of the fit's residuals (values, or
    logarithms); ``cuts``: how many refits told it."""

    size: float
    cuts: int


class HeldOut(NamedTuple):
    """Forecasts of points left out: ``errors (k,)`` and the ``variance (k,)`` that sampling explains,
    at ``distance (k,)`` beyond the points fitted, of the ``cut (k,)``-th refit."""

    errors: np.ndarray
    variance: np.ndarray
    distance: np.ndarray
    cut: np.ndarray


def order_of(x: np.ndarray) -> np.ndarray:
    """The points ``x (n, V)`` from small to large: by the product of their variables."""
    return np.argsort(np.log(np.maximum(x, 1e-300)).sum(axis=1), kind="stable")


def distance(x: np.ndarray, data: np.ndarray) -> np.ndarray:
    """How far ``x (m, V)`` lies outside the points ``data (n, V)``: the largest distance of any
    variable's logarithm from the range of the data, ``(m,)``; 0 inside.

    >>> data = np.array([[1.0], [10.0]])
    >>> distance(np.array([[5.0], [100.0]]), data).round(3).tolist()
    [0.0, 2.303]
    """
    logs, known = np.log(np.maximum(x, 1e-300)), np.log(np.maximum(data, 1e-300))
    outside = np.maximum(logs - known.max(axis=0), known.min(axis=0) - logs)
    return np.maximum(outside, 0.0).max(axis=1)


def cuts_of(points: int, parameters: int) -> range:
    """How many of the last points are left out in turn, so that a law can still be fitted."""
    most = min(CUTS, int(SHARE * points), points - parameters - 1)
    return range(1, most + 1)


def held_out(fit: Fit, leave: range | None = None) -> HeldOut:
    """Refits without the last points, and how far off their forecasts were."""
    data = fit.curve
    order = order_of(data.x)
    fitted = len(fit.law.parameters) - len(fit.held)
    cuts = cuts_of(len(order), fitted) if leave is None else leave
    if len(cuts) == 0:
        nothing = np.empty(0)
        return HeldOut(nothing, nothing, nothing, np.empty(0, int))
    w = weights(fit.measure, data.y, data.se)
    kept = np.ones((len(cuts), len(order)))
    for row, out in enumerate(cuts):
        kept[row, order[-out:]] = 0.0
    y = np.repeat(data.y[None], len(cuts), axis=0)
    problems = problems_of(fit.law, data.x, y, w * kept, fit.growing, fit.held)
    found = solve(fit.law, fit.measure, problems)
    parts = [
        _forecasts(fit, found.parameters[row], order[:-out], order[-out:], row)
        for row, out in enumerate(cuts)
    ]
    return HeldOut(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _forecasts(
    fit: Fit, estimate: np.ndarray, kept: np.ndarray, left: np.ndarray, row: int
) -> HeldOut:
    data = fit.curve
    se = None if data.se is None else data.se[kept]
    part = fit._replace(curve=Curve(data.x[kept], data.y[kept], se), estimate=estimate)
    there = value(fit.law, reported(fit.law, estimate), data.x[left])
    # The noise is judged by all points: few are left to a refit.
    scale = fit.variance / part._replace(loss=fit.loss).variance if data.se is None else 1.0
    along = slopes(part, data.x[left])
    explained = scale * np.einsum("mp,pq,mq->m", along, covariance(part), along)
    if fit.measure.scale == "log":
        noise = fit.variance if data.se is None else (data.se[left] / data.y[left]) ** 2
        errors, explained = np.log(data.y[left] / there), explained / there**2
    else:
        noise = fit.variance if data.se is None else data.se[left] ** 2
        errors = data.y[left] - there
    far = distance(data.x[left], data.x[kept])
    return HeldOut(errors, explained + noise, far, np.full(len(left), row))


def model_error(fit: Fit) -> ModelError:
    """The size of the law's own error, from held-out extrapolation; 0 where noise explains all."""
    found = held_out(fit)
    usable = found.distance > 0.0
    if not usable.any():
        return ModelError(0.0, 0)
    excess = (found.errors**2 - found.variance)[usable].sum()
    size = np.sqrt(max(0.0, float(excess)) / found.distance[usable].sum())
    return ModelError(float(size), len(np.unique(found.cut[usable])))
