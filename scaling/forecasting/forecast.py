"""Forecasts: what a *new observation* will be, at sizes that were not measured.

Three things make a forecast wrong, and an interval has to hold all of them:

- the parameters are estimates: refits to redrawn curves (`scaling.forecasting.bootstrap`);
- the new point has noise of its own: the standard error of the last points;
- the law is wrong: a random walk in log x, its size judged by forecasts of points held out
  (`scaling.forecasting.model_error`). What the law misses at the last points is carried on.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from scaling.fitting.fit import Fit
from scaling.fitting.intervals import LEVEL
from scaling.fitting.warnings import FitWarning
from scaling.forecasting.bootstrap import Bootstrap, cases, parametric
from scaling.forecasting.model_error import (
    Cuts,
    Drift,
    distance,
    drift_of,
    noise_of,
    on_scale,
    order_of,
)
from simulations.problems import InputError

REFITS = 400
# How many points tell the noise of a new one.
LAST = 3
# Beyond so many times the last abscissa nothing of the kind has been seen.
FAR = 10.0
HALVINGS = 40


class Forecast(NamedTuple):
    """The ``value`` expected at ``x`` (a tuple for laws in several variables), and the interval
    ``low`` to ``high`` of a new observation."""

    x: float | tuple[float, ...]
    value: float
    low: float
    high: float


class Outlook(NamedTuple):
    """What one fit says of anything beyond its data: its ``refits`` and its ``drift``."""

    fit: Fit
    refits: Bootstrap
    drift: Drift


class Mixture(NamedTuple):
    """Normal laws with ``centre``, ``spread`` and ``weight (K, m)``, for each of m points."""

    centre: np.ndarray
    spread: np.ndarray
    weight: np.ndarray

    def quantile(self, share: float) -> np.ndarray:
        """Quantiles ``(m,)``, by halving."""
        low = (self.centre - 9.0 * self.spread).min(axis=0)
        high = (self.centre + 9.0 * self.spread).max(axis=0)
        # A centre without spread is a step, which halving finds as well.
        spread = np.maximum(self.spread, 1e-300)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            below = (self.weight * ndtr((middle - self.centre) / spread)).sum(axis=0) < share
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


def points_of(fit: Fit, x: Any) -> np.ndarray:
    """Points ``(m, V)`` to forecast at, checked."""
    points = np.asarray(x, dtype=float)
    variables = fit.curve.x.shape[1]
    points = points.reshape(-1, 1) if variables == 1 else np.atleast_2d(points)
    if points.shape[1] != variables:
        raise InputError(f"give {variables} numbers for each point to forecast.")
    if not (np.isfinite(points).all() and (points > 0.0).all()):
        raise InputError("the points to forecast must be finite and positive.")
    return points


def outlook(fit: Fit, *, seed: int = 0, cuts: Cuts | None = None) -> Outlook:
    """Refit and judge a fit's own error, once for all its forecasts; ``cuts``: its refits without the
    last points, where they are at hand."""
    again = cases if fit.measure.loss == "huber" else parametric
    refits = again(fit, REFITS, seed=seed)
    return Outlook(fit, refits, drift_of(fit, refits, cuts))


def observation(view: Outlook, x: np.ndarray, own_error: bool = True) -> Mixture:
    """The law of new observations at ``x (m, V)``, on the scale of the fit's residuals; with the law
    taken for true where ``own_error`` is False."""
    fit, drift = view.fit, view.drift
    noise = np.sqrt((noise_of(fit)[order_of(fit.curve.x)[-LAST:]] ** 2).mean())
    centres = on_scale(fit, view.refits.at(x))
    if not own_error:
        count = np.full(centres.shape, 1.0 / len(centres))
        return Mixture(centres, np.full(centres.shape, noise), count)
    carried, grown = drift.at(x)
    spread = np.sqrt(noise**2 + grown)
    centre = centres[None] + carried[:, None]
    shape = centre.shape
    weight = drift.weight[:, None, None] / shape[1]
    return Mixture(
        centre.reshape(-1, shape[2]),
        np.broadcast_to(spread[:, None], shape).reshape(-1, shape[2]),
        np.broadcast_to(weight, shape).reshape(-1, shape[2]),
    )


def expected(view: Outlook, x: np.ndarray) -> np.ndarray:
    """The value expected ``(m,)``: the law, and what it misses carried on."""
    fit, drift = view.fit, view.drift
    carried = drift.weight @ drift.at(x)[0]
    return fit.at(x) * np.exp(carried) if fit.measure.scale == "log" else fit.at(x) + carried


def forecast(fit: Fit, x: Any, *, level: float = LEVEL, seed: int = 0) -> list[Forecast]:
    """Forecast new observations.

    Args:
        fit: the fitted law.
        x: where, ``(m,)`` or ``(m, V)``.
        level: coverage of the intervals, in (0, 1).
        seed: root of the random numbers of the bootstrap.

    Returns:
        One forecast for each point.

    Raises:
        ValueError: for points that are no sizes.

    Do not trust a forecast far beyond the data (`forecast_warnings`): the model error is judged
    within them.

    Source: paper_notes/forecasting.md.

    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> sizes = np.geomspace(10, 1000, 8)
    >>> y = 0.2 + sizes**-0.5
    >>> (found,) = forecast(fit("power_floor", curve(sizes, y, 0.01 * y)), [4000.0])
    >>> found.low < 0.2 + 4000**-0.5 < found.high
    True
    """
    return average([fit], x, level=level, seed=seed)


def average(fits: Sequence[Fit], x: Any, *, level: float = LEVEL, seed: int = 0) -> list[Forecast]:
    """The same by the equal-weight average of several laws fitted to one curve, where the data do
    not tell which is right: the interval is that of the mixture of what each of them says."""
    return from_outlooks([outlook(fit, seed=seed) for fit in fits], x, level)


def from_outlooks(views: Sequence[Outlook], x: Any, level: float = LEVEL) -> list[Forecast]:
    """Forecasts by the equal-weight average of what several fits of one curve say."""
    points = points_of(views[0].fit, x)
    value = np.mean([expected(view, points) for view in views], axis=0)
    parts = [observation(view, points) for view in views]
    # All fits of one curve are on one scale.
    whole = Mixture(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    whole = whole._replace(weight=whole.weight / len(views))
    low, high = (whole.quantile(share) for share in (0.5 - level / 2.0, 0.5 + level / 2.0))
    if views[0].fit.measure.scale == "log":
        low, high = np.exp(low), np.exp(high)
    return [
        Forecast(float(at[0]) if len(at) == 1 else tuple(map(float, at)), *map(float, numbers))
        for at, *numbers in zip(points, value, low, high, strict=True)
    ]


def forecast_warnings(fit: Fit, x: Any) -> list[FitWarning]:
    """A warning where a point lies beyond ten times the largest size measured."""
    far = np.exp(distance(points_of(fit, x), fit.curve.x).max(initial=0.0))
    if far <= FAR * (1.0 + 1e-9):
        return []
    return [
        FitWarning(
            "far_forecast",
            f"A forecast lies a factor of {far:.3g} beyond the data, where nothing vouches for the"
            f" law; measure at sizes nearer to it (within a factor of {FAR:g}).",
        )
    ]
