"""How the misfit rises away from the estimate: along one parameter, and over two of them.

With parameters held at values ``v`` and all others fitted anew, the deviance is

    D(v) = 2 (loss(v) - loss_min) / s^2,        s = 1 where standard errors were given.

``D`` along the exponent is the parabola (or not) behind its interval; over floor and exponent it is
the valley along which the two can be exchanged.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2, f

from scaling.fitting.batches import problems_of, solve
from scaling.fitting.fits import Fit, weights
from scaling.fitting.intervals import LEVEL, Interval, check_profile
from scaling.fitting.laws import internal, limits, reported

# Points along a profile; along each side of a valley, by the number of searched parameters.
PROFILE_POINTS = 41
VALLEY_POINTS = {0: 45, 1: 45, 2: 17, 3: 13}
# How far a parameter is followed, in times the distance from its estimate to an end of its interval:
# to two and a half times the threshold; to the edge of the joint region of two, and some more.
FURTHER, JOINT = 1.7, 1.7


class Profile(NamedTuple):
    """Reported ``values (K,)`` of a parameter, their ``deviance (K,)``, and the ``threshold`` below
    which a value belongs to the interval."""

    values: np.ndarray
    deviance: np.ndarray
    threshold: float


class Valley(NamedTuple):
    """``deviance (K, L)`` over ``floors (K,)`` and ``exponents (L,)``; ``thresholds``: those of the
    joint regions at 68 % and 95 %."""

    floors: np.ndarray
    exponents: np.ndarray
    deviance: np.ndarray
    thresholds: tuple[float, float]


def threshold(fit: Fit, level: float = LEVEL, parameters: int = 1) -> float:
    """What the deviance may reach within the region of so many parameters at this level."""
    if fit.curve.se is not None:
        return float(chi2.ppf(level, parameters))
    return parameters * float(f.ppf(level, parameters, fit.freedom))


def _deviance(fit: Fit, held: Mapping[str, np.ndarray]) -> np.ndarray:
    """The deviance with parameters held at reported values ``(K,)`` each."""
    count = len(next(iter(held.values())))
    data, names = fit.curve, fit.law.parameters
    w = weights(fit.measure, data.y, data.se)
    y = np.repeat(data.y[None], count, axis=0)
    problems = problems_of(fit.law, data.x, y, w[None], fit.growing, fit.held)
    mask, at = np.array(problems.held), np.array(problems.at)
    for name, values in held.items():
        place = names.index(name)
        rows = np.ones((count, len(names)))
        rows[:, place] = values
        mask[:, place], at[:, place] = True, internal(fit.law, rows)[:, place]
    whole = problems._replace(held=mask, at=at)
    loss = solve(fit.law, fit.measure, whole).loss
    return np.maximum(2.0 * (loss - fit.loss), 0.0) / max(fit.variance, 1e-300)


def _reach(fit: Fit, name: str, found: Interval, times: float) -> tuple[float, float]:
    """From where to where a parameter is followed: some times its interval, within its bounds."""
    place, searched = fit.law.parameters.index(name), len(fit.law.searched)
    estimate = fit.parameters[name]
    least = 1e-9 * max(abs(estimate), 1e-12)
    low = estimate - times * max(estimate - found.low, least)
    high = estimate + times * max(found.high - estimate, least)
    if place < searched:
        least, most = limits(fit.law, fit.curve.x, fit.growing)
        at = np.ones((2, len(fit.law.parameters)))
        at[:, place] = least[place], most[place]
        ends = reported(fit.law, at)[:, place]
        low, high = max(low, float(ends[0])), min(high, float(ends[1]))
    elif name not in fit.law.signed:
        low = max(low, 0.0)
    return low, high


def profile(
    fit: Fit, found: Mapping[str, Interval], name: str = "exponent", points: int = PROFILE_POINTS
) -> Profile:
    """The deviance along one parameter, a little further than its interval.

    Args:
        fit: a fit with squared loss.
        found: its intervals (`scaling.fitting.intervals.intervals`).
        name: a parameter that was not held.
        points: how many values, the estimate among them.

    Raises:
        ValueError: for Huber's loss, whose profile is no likelihood.

    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> from scaling.fitting.intervals import intervals
    >>> x = np.geomspace(10, 1000, 8)
    >>> made = fit("power_floor", curve(x, 0.2 + x**-0.5, 0.002 + 0 * x))
    >>> along = profile(made, intervals(made))
    >>> inside = along.values[along.deviance <= along.threshold]
    >>> bool(inside.min() < 0.5 < inside.max() and along.deviance.max() > along.threshold)
    True
    """
    check_profile(fit)
    low, high = _reach(fit, name, found[name], FURTHER)
    values = np.union1d(np.linspace(low, high, points - 1), fit.parameters[name])
    return Profile(values, _deviance(fit, {name: values}), threshold(fit))


def valley(fit: Fit, found: Mapping[str, Interval], points: int | None = None) -> Valley:
    """The deviance over floor and exponent, of a law that has both and holds neither.

    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> from scaling.fitting.intervals import intervals
    >>> x = np.geomspace(10, 1000, 8)
    >>> made = fit("power_floor", curve(x, 0.2 + x**-0.5, 0.002 + 0 * x))
    >>> over = valley(made, intervals(made), points=9)
    >>> over.deviance.shape, bool((over.deviance < over.thresholds[1]).any())
    ((9, 9), True)
    """
    check_profile(fit)
    count = points or VALLEY_POINTS[len(fit.law.searched)]
    floors = np.linspace(*_reach(fit, "floor", found["floor"], JOINT), count)
    exponents = np.linspace(*_reach(fit, "exponent", found["exponent"], JOINT), count)
    over = [each.ravel() for each in np.meshgrid(floors, exponents, indexing="ij")]
    deviance = _deviance(fit, {"floor": over[0], "exponent": over[1]})
    levels = (threshold(fit, 0.68, 2), threshold(fit, LEVEL, 2))
    return Valley(floors, exponents, deviance.reshape(count, count), levels)


def has_valley(fit: Fit) -> bool:
    """Whether the law has a floor and an exponent, both fitted."""
    free = set(fit.law.parameters) - set(fit.held)
    return {"floor", "exponent"} <= free and fit.measure.loss == "squared"
