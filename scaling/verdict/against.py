"""A fitted parameter against what theory says it is: supported, contradicted or unresolved.

The interval of the parameter at level ``1 - 2 alpha`` (by profile likelihood, so that it need not be
symmetric) is compared with ``expected +- margin``, as in `scaling.verdict.equivalence`; here the margin is
absolute.
"""

from scaling.fitting.fits import Fit
from scaling.fitting.intervals import intervals
from scaling.verdict.equivalence import ALPHA, POWER, Outcome, Verdict, critical_value
from simulations.problems import InputError, nearest, one_sentence

EXPONENT_MARGIN = 0.02


def parameter_verdict(
    fit: Fit, name: str, expected: float, margin: float, alpha: float = ALPHA
) -> Verdict:
    """Whether a parameter is what theory says, up to an absolute ``margin``.

    Args:
        fit: a fit with squared loss.
        name: one of its parameters.
        expected: its value according to theory.
        margin: half-width of the band that counts as agreement, > 0, in the parameter's units.
        alpha: one-sided error rate, in (0, 1/2).

    Returns:
        The verdict. ``ratio`` is estimate / expected (NaN where 0 is expected), ``ratio_se`` its standard
        error, half the interval's width over its quantile; ``resolution``, in the parameter's units, is
        the smallest error of ``expected`` that would have come out contradicted with 99 % power.

    Do not trust it where the law does not fit (warning ``poor_fit``), or where the points of the curve
    are correlated: the interval takes them as independent.

    Raises:
        ValueError: an unknown or held parameter, a margin that is not positive.

    Source: paper_notes/fitting.md, paper_notes/verdicts.md.

    >>> import numpy as np
    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> x = np.geomspace(10, 1000, 8)
    >>> y = 0.2 + x**-0.5
    >>> found = fit("power_floor", curve(x, y, 1e-4 * y))
    >>> parameter_verdict(found, "exponent", 0.5, margin=0.02).outcome
    'supported'
    >>> parameter_verdict(found, "exponent", 0.6, margin=0.02).outcome
    'contradicted'
    """
    if name not in fit.law.parameters or name in fit.held:
        free = [each for each in fit.law.parameters if each not in fit.held]
        remedy = nearest(name, free, "parameters") if free else "all its parameters are held"
        text = f"the law {fit.law.name} fits no parameter {name!r}; {remedy}"
        raise InputError(one_sentence(text))
    if not margin > 0.0:
        raise InputError(f"margin is {margin:g}; give a positive number.")
    z = critical_value(alpha)
    low, high, unbounded = intervals(fit, 1.0 - 2.0 * alpha)[name]
    estimate = fit.parameters[name]
    se = float("inf") if unbounded else (high - low) / (2.0 * z)
    outcome: Outcome = "unresolved"
    if expected - margin <= low and high <= expected + margin and not unbounded:
        outcome = "supported"
    elif low > expected + margin or high < expected - margin:
        outcome = "contradicted"
    scale = abs(expected) if expected else float("nan")
    resolution = margin + (z + critical_value(1.0 - POWER)) * se
    return Verdict(outcome, estimate / scale, se / scale, resolution)


def exponent_verdict(
    fit: Fit, theory: float, margin: float = EXPONENT_MARGIN, alpha: float = ALPHA
) -> Verdict:
    """Whether the law's ``exponent`` is what theory says, up to an absolute ``margin``."""
    return parameter_verdict(fit, "exponent", theory, margin, alpha)


def floor_verdict(fit: Fit, predicted: float, margin: float, alpha: float = ALPHA) -> Verdict:
    """Whether the fitted ``floor`` is the predicted one, up to ``margin`` in units of y."""
    return parameter_verdict(fit, "floor", predicted, margin, alpha)
