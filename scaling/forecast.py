"""Forecasts: what a *new observation* will be, at sizes that were not measured.

Three things make a forecast wrong, and an interval has to hold all of them:

- the parameters are estimates: refits to redrawn curves (`scaling.bootstrap`);
- the new point has noise of its own: the standard error of the last points;
- the law is wrong: what refits without the last points missed beyond what noise explains
  (`scaling.model_error`); it grows with the distance in log x.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from scaling.bootstrap import Bootstrap, cases, parametric
from scaling.fit_warnings import FitWarning
from scaling.fitting import Fit
from scaling.intervals import LEVEL
from scaling.model_error import distance, model_error, order_of
from simulations.problems import InputError

REFITS = 400
# Each refit stands for so many new observations, at quantiles of their noise.
QUANTILES = 25
# How many points tell the noise of a new one.
LAST = 3
# Beyond so many times the last abscissa nothing of the kind has been seen.
FAR = 10.0


class Forecast(NamedTuple):
    """The ``value`` expected at ``x`` (a tuple for laws in several variables), and the interval
    ``low`` to ``high`` of a new observation."""

    x: float | tuple[float, ...]
    value: float
    low: float
    high: float


def _points(fit: Fit, x: Any) -> np.ndarray:
    points = np.asarray(x, dtype=float)
    variables = fit.curve.x.shape[1]
    points = points.reshape(-1, 1) if variables == 1 else np.atleast_2d(points)
    if points.shape[1] != variables:
        raise InputError(f"give {variables} numbers for each point to forecast.")
    if not (np.isfinite(points).all() and (points >= 0.0).all()):
        raise InputError("the points to forecast must be finite and not negative.")
    return points


def noise_at(fit: Fit, values: np.ndarray) -> np.ndarray:
    """Standard error of new observations ``(m,)`` where the law is ``values (m,)``.

    That of the last points (root mean square); on the logarithmic scale it is in proportion to the
    value.
    """
    data = fit.curve
    last = order_of(data.x)[-LAST:]
    if fit.measure.scale == "log":
        share = np.sqrt(fit.variance) if data.se is None else _rms(data.se[last] / data.y[last])
        return np.abs(values) * share
    size = np.sqrt(fit.variance) if data.se is None else _rms(data.se[last])
    return np.full(len(values), size)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def _refits(fit: Fit, seed: int) -> Bootstrap:
    if fit.measure.loss == "huber":
        return cases(fit, REFITS, seed=seed)
    return parametric(fit, REFITS, seed=seed)


def observations(fit: Fit, x: np.ndarray, seed: int) -> np.ndarray:
    """New observations ``(K, m)`` as they might come out at ``x (m, V)``, by parameters, noise and
    the law's own error together."""
    centres = _refits(fit, seed).at(x)
    here, error = fit.at(x), model_error(fit)
    unit = np.abs(here) if fit.measure.scale == "log" else np.ones(len(x))
    own = error.size * np.sqrt(distance(x, fit.curve.x)) * unit
    # An estimate from few cuts is uncertain itself.
    steps = (np.arange(QUANTILES) + 0.5) / QUANTILES
    spread = np.sqrt(noise_at(fit, here) ** 2 + own**2)
    return (centres[:, None, :] + norm.ppf(steps)[None, :, None] * spread).reshape(-1, len(x))


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

    >>> from scaling.curves import curve
    >>> from scaling.fitting import fit
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
    points = _points(fits[0], x)
    value = np.mean([fit.at(points) for fit in fits], axis=0)
    drawn = np.concatenate([observations(fit, points, seed) for fit in fits])
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(drawn, [tail, 100.0 - tail], axis=0)
    return [
        Forecast(float(at[0]) if len(at) == 1 else tuple(map(float, at)), *map(float, numbers))
        for at, *numbers in zip(points, value, low, high, strict=True)
    ]


def forecast_warnings(fit: Fit, x: Any) -> list[FitWarning]:
    """A warning where a point lies beyond ten times the largest size measured."""
    far = np.exp(distance(_points(fit, x), fit.curve.x).max(initial=0.0))
    if far <= FAR * (1.0 + 1e-9):
        return []
    return [
        FitWarning(
            "far_forecast",
            f"A forecast lies a factor of {far:.3g} beyond the data, where nothing vouches for the"
            f" law; measure at sizes nearer to it (within a factor of {FAR:g}).",
        )
    ]
