"""Intervals of a law's parameters by profile likelihood.

A value belongs to the interval of a parameter if the best fit with the parameter held there is not
much worse than the best of all:

    2 (loss(value) - loss_min) / s^2  <=  chi^2_{1, level}      (standard errors known, s = 1)
                                      <=  F_{1, n - P, level}   (s^2 = 2 loss_min / (n - P))

All ends of all parameters of all curves are sought at a time: steps that double, until one lies
outside, then the Illinois rule on the root of the left side, which is nearly linear.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2, f

from scaling.fitting.batches import problems_of, solve
from scaling.fitting.fit import law_named
from scaling.fitting.fits import Fit, problem_of, weights
from scaling.fitting.laws import Law, limits, reported
from scaling.fitting.polish import Measure
from scaling.fitting.projection import Problem
from scaling.fitting.uncertainty import covariance
from simulations.problems import InputError

LEVEL = 0.95
# A floor is sought up to so many times the largest value, an amplitude up to so many times its own.
HIGHEST_FLOOR, HIGHEST_AMPLITUDE = 10.0, 1e9
DOUBLINGS, REFINEMENTS = 60, 40
# An end is found when its bracket is this small, relative to the end's distance from the estimate.
PRECISION = 1e-3


class Interval(NamedTuple):
    """``low`` and ``high`` of a parameter; ``unbounded``: an end is the limit of the search, beyond
    which the data did not exclude it either."""

    low: float
    high: float
    unbounded: bool


class Ends(NamedTuple):
    """Ends ``(B, P, 2)`` on the internal scale, and which of them are limits of the search."""

    ends: np.ndarray
    at_limit: np.ndarray


def _thresholds(level: float, variance: np.ndarray, freedom: int | None) -> np.ndarray:
    """How much twice the loss may rise, ``(B,)``; ``freedom`` None: the noise is known."""
    return variance * float(chi2.ppf(level, 1) if freedom is None else f.ppf(level, 1, freedom))


def search_limits(
    law: Law, x: np.ndarray, y: np.ndarray, estimates: np.ndarray, growing: bool | float
) -> tuple[np.ndarray, np.ndarray]:
    """How far ends are sought, ``(B, P)`` each."""
    low, high = limits(law, x.reshape(-1, x.shape[-1]), growing)
    count, q = len(y), len(law.searched)
    top = np.abs(y).max(axis=1)[:, None]
    typical = np.maximum(np.abs(estimates[:, q:]), top)
    is_floor = np.array([name == "floor" for name in law.linear])
    ceiling = np.where(is_floor, HIGHEST_FLOOR * top, HIGHEST_AMPLITUDE * typical)
    signed = np.array([name in law.signed for name in law.linear])
    return (
        np.concatenate([np.repeat(low[None], count, axis=0), np.where(signed, -ceiling, 0.0)], 1),
        np.concatenate([np.repeat(high[None], count, axis=0), ceiling], axis=1),
    )


def profile_ends(
    law: Law,
    measure: Measure,
    problems: Problem,
    estimates: np.ndarray,
    losses: np.ndarray,
    steps: np.ndarray,
    thresholds: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    names: Sequence[str] | None = None,
) -> Ends:
    """The ends of every parameter that is not held.

    Args:
        law: which is profiled.
        measure: what was minimised; a squared loss.
        problems: the curves' problems, ``B`` of them.
        estimates: their best fits ``(B, P)`` on the internal scale, with ``losses (B,)``.
        steps: first steps ``(B, P)``, such as delta-method standard errors.
        thresholds: how much twice the loss may rise, ``(B,)``.
        bounds: how far ends are sought, ``(B, P)`` each.
        names: only the ends of these parameters; those of others stay at their estimates.
    """
    count, size = estimates.shape
    curve, place, side = (
        each.ravel() for each in np.meshgrid(range(count), range(size), (0, 1), indexing="ij")
    )
    wanted = np.array([names is None or name in names for name in law.parameters])
    keep = wanted[place] & ~np.asarray(problems.held)[curve, place]
    curve, place, side = curve[keep], place[keep], side[keep]
    centre, limit = estimates[curve, place], np.stack(bounds, axis=-1)[curve, place, side]
    sign = 2.0 * side - 1.0

    def rise(which: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Root of the rise over its threshold, less one."""
        rows, columns = curve[which], place[which]
        part = Problem(*(np.asarray(each)[rows] for each in problems))
        held, fixed = part.held.copy(), part.at.copy()
        held[np.arange(len(rows)), columns] = True
        fixed[np.arange(len(rows)), columns] = at
        # One searched parameter is followed from the estimate; several may have more than one valley.
        near = estimates[rows] if len(law.searched) < 2 else None
        found = solve(law, measure, part._replace(held=held, at=fixed), near)
        more = np.maximum(2.0 * (found.loss - losses[rows]), 0.0)
        return np.sqrt(more / thresholds[rows]) - 1.0

    inner, outer = centre.copy(), centre.copy()
    inner_rise, outer_rise = np.full(len(centre), -1.0), np.full(len(centre), -1.0)
    step = np.maximum(steps[curve, place], 1e-9 * np.maximum(np.abs(centre), 1e-9))
    open_ = np.flatnonzero(sign * (limit - centre) > 0.0)
    for _ in range(DOUBLINGS):
        if len(open_) == 0:
            break
        reach = sign[open_] * np.minimum(
            sign[open_] * (centre[open_] + sign[open_] * step[open_]), sign[open_] * limit[open_]
        )
        here = rise(open_, reach)
        outside = here > 0.0
        inner[open_[~outside]], inner_rise[open_[~outside]] = reach[~outside], here[~outside]
        outer[open_], outer_rise[open_] = reach, here
        step[open_] *= 2.0
        open_ = open_[~outside & (reach != limit[open_])]
    bracketed = outer_rise > 0.0
    ends = np.where(bracketed, outer, limit)
    _refine(rise, np.flatnonzero(bracketed), centre, (inner, inner_rise), (outer, outer_rise), ends)
    result = np.repeat(estimates[:, :, None], 2, axis=2)
    at_limit = np.zeros(result.shape, bool)
    result[curve, place, side] = ends
    at_limit[curve, place, side] = ~bracketed
    return Ends(result, at_limit)


def _refine(
    rise: Callable[[np.ndarray, np.ndarray], np.ndarray],
    which: np.ndarray,
    centre: np.ndarray,
    inside: tuple[np.ndarray, np.ndarray],
    outside: tuple[np.ndarray, np.ndarray],
    ends: np.ndarray,
) -> None:
    """Narrow the brackets of the ends ``which`` by the Illinois rule; writes into ``ends``."""
    (a, fa), (b, fb) = inside, outside
    for _ in range(REFINEMENTS):
        width = np.abs(b[which] - a[which])
        far = np.maximum(np.abs(b[which] - centre[which]), 1e-300)
        which = which[width > PRECISION * far]
        if len(which) == 0:
            break
        at = b[which] - fb[which] * (b[which] - a[which]) / (fb[which] - fa[which])
        here = rise(which, at)
        out = here > 0.0
        # The end that stays twice loses half its weight, so that both close in.
        fa[which] = np.where(out, 0.5 * fa[which], here)
        fb[which] = np.where(out, here, 0.5 * fb[which])
        a[which] = np.where(out, a[which], at)
        b[which] = np.where(out, at, b[which])
        ends[which] = at


def check_profile(fit: Fit) -> None:
    """Raise ``InputError`` where a profile is no likelihood."""
    if fit.measure.loss == "huber":
        raise InputError(
            "a profile of Huber's loss is no likelihood; ask for intervals by the bootstrap."
        )


def intervals(fit: Fit, level: float = LEVEL) -> dict[str, Interval]:
    """Profile-likelihood intervals of all parameters of a fit with squared loss.

    Args:
        fit: a fit on values or logarithms; its noise is normal with the given standard errors, or
            with one unknown standard deviation.
        level: coverage, in (0, 1).

    Returns:
        For each parameter an interval; a held one has no width. An end that the data do not exclude
        is the limit of the search (``unbounded``); 0 is a natural end of floors and amplitudes.

    Where the truth lies on a bound (a floor of 0), the interval covers more often than it says:
    between ``level`` and halfway from there to 1 (paper_notes/fitting.md, section 4).

    Raises:
        ValueError: for Huber's loss.

    Source: paper_notes/fitting.md.

    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> x = np.geomspace(10, 1000, 8)
    >>> y = 0.2 + x**-0.5
    >>> floor = intervals(fit("power_floor", curve(x, y, 0.01 * y)))["floor"]
    >>> floor.low < 0.2 < floor.high
    True
    """
    check_profile(fit)
    data, problem = fit.curve, problem_of(fit)
    estimates = fit.estimate[None]
    freedom = None if data.se is not None else fit.freedom
    found = profile_ends(
        fit.law,
        fit.measure,
        problem,
        estimates,
        np.array([fit.loss]),
        np.sqrt(np.diag(covariance(fit)))[None],
        _thresholds(level, np.array([fit.variance]), freedom),
        search_limits(fit.law, data.x, data.y[None], estimates, fit.growing),
    )
    ends, unbounded = _reported_ends(fit.law, found)
    return {
        name: Interval(float(low), float(high), bool(open_))
        for name, (low, high), open_ in zip(fit.law.parameters, ends[0], unbounded[0], strict=True)
    }


def _reported_ends(law: Law, found: Ends) -> tuple[np.ndarray, np.ndarray]:
    """Ends ``(B, P, 2)`` on the reported scale, and which intervals are unbounded ``(B, P)``."""
    ends = np.stack([reported(law, found.ends[:, :, side]) for side in (0, 1)], axis=-1)
    # Zero is where floors and amplitudes end by nature.
    natural = (ends == 0.0) & (np.arange(ends.shape[1]) >= len(law.searched))[:, None]
    return ends, (found.at_limit & ~natural).any(axis=-1)


class Profiles(NamedTuple):
    """Reported ``parameters (B, P)`` and interval ``ends (B, P, 2)``; ``unbounded (B, P)``."""

    parameters: np.ndarray
    ends: np.ndarray
    unbounded: np.ndarray


def intervals_all(
    law: str,
    x: np.ndarray,
    y: np.ndarray,
    se: np.ndarray | None,
    level: float = LEVEL,
    names: Sequence[str] | None = None,
) -> Profiles:
    """Fits and profile intervals of many curves ``y (B, n)`` at ``x (n,)``, in squared loss; of these
    parameters only, where ``names`` are given (the others' ends are their estimates).

    >>> x = np.geomspace(10, 1000, 8)
    >>> y = np.stack([0.2 + x**-0.5, 0.1 + 2 * x**-0.7])
    >>> found = intervals_all("power_floor", x, y, 0.01 * y)
    >>> bool((found.ends[:, :, 0] < found.parameters).all())
    True
    """
    chosen, measure, points = law_named(law), Measure(), x[:, None]
    problems = problems_of(chosen, points, y, weights(measure, y, se))
    found = solve(chosen, measure, problems)
    freedom = None if se is not None else y.shape[1] - len(chosen.parameters)
    variance = np.ones(len(y)) if freedom is None else 2.0 * found.loss / freedom
    ends = profile_ends(
        chosen,
        measure,
        problems,
        found.parameters,
        found.loss,
        0.05 * np.abs(found.parameters),
        _thresholds(level, variance, freedom),
        search_limits(chosen, points, y, found.parameters, False),
        names,
    )
    whole, unbounded = _reported_ends(chosen, ends)
    return Profiles(reported(chosen, found.parameters), whole, unbounded)
