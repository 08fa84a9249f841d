"""Fits: a law, a curve, and what to minimise, to parameters with what must be known about them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scaling.fitting.batches import problems_of, solve
from scaling.fitting.curves import Curve, check_abscissae
from scaling.fitting.fits import SQUARED, Fit, problem_of, weights
from scaling.fitting.laws import LAWS, Law, reported
from scaling.fitting.polish import Measure
from scaling.fitting.warnings import of_fit
from simulations.problems import InputError, nearest, one_sentence


def law_named(name: str) -> Law:
    """A law by its name; ``InputError`` where there is none."""
    if name not in LAWS:
        raise InputError(
            f"there is no law {name!r}; {nearest(name, LAWS, 'laws')}.".replace("?.", "?")
        )
    return LAWS[name]


def _check(law: Law, data: Curve, measure: Measure, held: Mapping[str, float]) -> None:
    check_abscissae(law.variables, data.x)
    for name in held:
        if name not in law.parameters:
            remedy = nearest(name, law.parameters, "parameters")
            text = f"the law {law.name} has no parameter {name!r}; {remedy}"
            raise InputError(one_sentence(text))
    needed = len(law.parameters) - len(held) + 1
    if len(data.y) < needed:
        raise InputError(
            f"{len(data.y)} points are too few for the law {law.name}, which has"
            f" {needed - 1} parameters to fit; give at least {needed} points or a simpler law."
        )
    if measure.scale == "log" and not (data.y > 0.0).all():
        raise InputError(
            "y has values that are not positive, which have no logarithm; fit on the scale 'value'."
        )


def fit(
    law: str,
    data: Curve,
    *,
    measure: Measure = SQUARED,
    growing: bool | float = False,
    held: Mapping[str, float] | None = None,
) -> Fit:
    """Fit a law to a curve.

    Args:
        law: a name in `scaling.fitting.laws.LAWS`.
        data: the curve; with standard errors, residuals are counted in them.
        measure: what is minimised: squared or Huber loss, of the value or of its logarithm.
        growing: whether exponents may be negative (the curve may grow); a number: down to it.
        held: parameters that are known, such as ``{"floor": 0.0}``, and stay as given.

    Returns:
        The fit with its warnings (paper_notes/warnings/ has a page for each).

    Raises:
        ValueError: one sentence: an unknown law or parameter, too few points, or abscissae that the
            law cannot have.

    Do not trust an exponent or a floor without its interval (`scaling.fitting.intervals`): over one decade
    they can hardly be told apart.

    Source: paper_notes/fitting.md.

    >>> from scaling.fitting.curves import curve
    >>> x = np.geomspace(10, 1000, 8)
    >>> found = fit("power_floor", curve(x, 0.2 + x**-0.5))
    >>> {name: round(v, 6) for name, v in found.parameters.items()}
    {'exponent': 0.5, 'amplitude': 1.0, 'floor': 0.2}
    """
    chosen, fixed = law_named(law), dict(held or {})
    _check(chosen, data, measure, fixed)
    blank = Fit(chosen, data, measure, growing, fixed, np.empty(0), np.nan, False, ())
    found = solve(chosen, measure, problem_of(blank))
    whole = blank._replace(
        estimate=found.parameters[0], loss=float(found.loss[0]), settled=bool(found.settled[0])
    )
    return whole._replace(warnings=tuple(of_fit(whole)))


class Fits(NamedTuple):
    """Fits of many curves: reported ``parameters (B, P)``, ``loss (B,)`` and ``settled (B,)``."""

    parameters: np.ndarray
    loss: np.ndarray
    settled: np.ndarray


def fit_all(
    law: str,
    x: np.ndarray,
    y: np.ndarray,
    se: np.ndarray | None = None,
    *,
    measure: Measure = SQUARED,
    growing: bool | float = False,
    held: Mapping[str, float] | None = None,
    near: Fit | None = None,
) -> Fits:
    """Fit one law to many curves ``y (B, n)`` at ``x (n,)``, ``(n, V)`` or ``(B, n, V)``.

    ``near``: a fit of a curve that is nearly alike; the search then starts there, not on the grid.

    Args:
        law: a key of ``LAWS``.
        x: abscissae, above 0.
        y: values.
        se: their standard errors ``(n,)`` or ``(B, n)``; None: all points count alike.
        measure: squared or Huber's loss, of values or of their logarithms.
        growing: whether exponents below 0 are allowed; or the lowest one.
        held: parameters that are known, by name.
        near: a fit of a curve that is nearly alike.

    >>> x = np.geomspace(10, 1000, 8)
    >>> fit_all("power", x, np.stack([x**-0.5, 2 * x**-0.3])).parameters.round(6).tolist()
    [[0.5, 1.0], [0.3, 2.0]]
    """
    chosen, fixed = law_named(law), dict(held or {})
    points = x[:, None] if x.ndim == 1 else x
    first = points[0] if points.ndim == 3 else points
    _check(chosen, Curve(first, y.min(axis=0)), measure, fixed)
    w = weights(measure, y, se)
    problems = problems_of(chosen, points, y, w, growing, fixed)
    found = solve(chosen, measure, problems, None if near is None else near.estimate)
    return Fits(reported(chosen, found.parameters), found.loss, found.settled)
