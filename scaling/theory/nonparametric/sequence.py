"""Rates and constants of ridge in the Gaussian sequence model (simulations/series/sequence.py).

With ``v = sigma^2/n``, ``theta_k = A k^-(p + 1/2)`` and the penalty ``k^(2s)``, as lambda -> 0,

    bias     = A^2 { lambda^(p/s) B(p, s)                          p < 2s
                   { lambda^2 [gamma + (log(1/lambda) - 1)/(2s)]   p = 2s
                   { lambda^2 zeta(2p + 1 - 4s)                    p > 2s      (saturation)
    variance = v (lambda^(-1/2s) C_s - 1/2).
"""

from math import exp, log, pi, sin
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import zeta

from simulations.problems import InputError
from simulations.series.sequence import Sequence, check


def variance_constant(power: float) -> float:
    """``C_s = int_0^inf du / (1 + u^(2s))^2 = (1 - 1/(2s)) (pi/2s) / sin(pi/2s)``; ``C_(1/2) = 1``.

    Args:
        power: s of the penalty.

    Raises:
        ValueError: s <= 1/4, where the integral is infinite.

    >>> round(variance_constant(1.0), 6), variance_constant(0.5)
    (0.785398, 1.0)
    """
    if not power > 0.25:
        raise InputError(f"power s is {power:g}; below 1/4 the variance is infinite, raise it.")
    a = 0.5 / power
    # sin(pi a) has a zero at a = 1 where the factor 1 - a has one too.
    return 1.0 if abs(a - 1.0) < 1e-12 else (1.0 - a) * pi * a / sin(pi * a)


def bias_constant(smoothness: float, power: float) -> float:
    """``B(p, s) = int_0^inf u^(4s-2p-1) / (1 + u^(2s))^2 du = (1 - p/s) pi / (2s sin(pi p/s))``, p < 2s.

    ``B(s, s) = 1/(2s)``.

    Args:
        smoothness: p of the target.
        power: s of the penalty.

    >>> bias_constant(1.0, 1.0), round(bias_constant(1.0, 2.0), 6)
    (0.5, 0.392699)
    """
    c = smoothness / power
    if not 0.0 < c < 2.0:
        raise InputError(
            f"smoothness {smoothness:g} with power {power:g}: the constant is finite for p < 2s only."
        )
    if abs(c - 1.0) < 1e-12:
        return 0.5 / power
    return (1.0 - c) * pi / (2.0 * power * sin(pi * c))


def exponent(smoothness: float, power: float) -> float:
    """The exponent of the best ridge: ``2p/(2p+1)`` for p < 2s, ``4s/(4s+1)`` from p = 2s on.

    At p = 2s it holds up to the power ``1/(4s+1)`` of a logarithm.

    Args:
        smoothness: p of the target.
        power: s of the penalty.

    >>> exponent(1.0, 1.0), exponent(3.0, 1.0)
    (0.6666666666666666, 0.8)
    """
    p = min(smoothness, 2.0 * power)
    return 2.0 * p / (2.0 * p + 1.0)


def correction_exponent(smoothness: float, power: float) -> float:
    """How fast the best risk approaches its leading order: relative error of order ``n^-omega``.

    The variance lacks 1/2 of ``lambda^(-1/2s) C_s`` terms, which is of relative order
    ``lambda^(1/2s)``; the bias, ``lambda^|2 - p/s|``. The larger one counts. None exists at p = 2s, where
    the correction is logarithmic.

    Args:
        smoothness: p of the target.
        power: s of the penalty.

    >>> round(correction_exponent(1.0, 1.0), 6)
    0.333333
    """
    p, s = smoothness, power
    gap = abs(2.0 - p / s)
    if gap < 1e-12:
        raise InputError("at p = 2s the correction is a logarithm; choose another smoothness.")
    per_log = exponent(p, s) * s / min(p, 2.0 * s)
    return per_log * min(0.5 / s, gap)


def best_risk(model: Sequence, n: float) -> float:
    """Leading order of the risk of the best ridge.

    With ``a = A^2 B``, ``b = v C_s`` and ``q = p/s`` (``a = A^2 zeta(2p+1-4s)``, ``q = 2`` beyond p = 2s)
    the minimum of ``a lambda^q + b lambda^(-1/2s)`` is
    ``(1 + 2 s q) a (b / (2 s q a))^(2sq/(2sq+1))``. For p = s it is
    ``(1 + 1/(2s)) A^(2/(2s+1)) (C_s sigma^2/n)^(2s/(2s+1))``. At p = 2s the logarithm is kept and
    the minimum found numerically.

    Args:
        model: the sequence model.
        n: rows, > 0.

    Do not trust it where few coefficients count: its relative error is of order
    ``n^-correction_exponent`` (8.7 % at n = 100, p = s = 1).

    Source: paper_notes/nonparametric.md, section 2.

    >>> round(1e4 * best_risk(Sequence(1.0, 1.0), 1e6), 6)
    1.276883
    """
    check(model, n)
    p, s = model.smoothness, model.power
    b = model.noise**2 / n * variance_constant(s)
    if abs(p - 2.0 * s) < 1e-12:
        return _with_logarithm(model, b)
    q = min(p / s, 2.0)
    constant = bias_constant(p, s) if q < 2.0 else float(zeta(2.0 * p + 1.0 - 4.0 * s))
    a, c = model.amplitude**2 * constant, 2.0 * s * q
    return (1.0 + c) * a * (b / (c * a)) ** (c / (c + 1.0))


def _with_logarithm(model: Sequence, b: float) -> float:
    """The minimum of ``a lambda^2 L + b lambda^(-1/2s)``, ``L = gamma + (log(1/lambda) - 1)/(2s)``."""
    s, a = model.power, model.amplitude**2

    def slope(x: float) -> float:
        length = np.euler_gamma - (x + 1.0) / (2.0 * s)
        return 2.0 * length - 1.0 / (2.0 * s) - b / (2.0 * s * a) * exp(-x * (2.0 + 0.5 / s))

    # The slope grows from minus infinity to its peak, where it must have become positive.
    fall = 2.0 + 0.5 / s
    peak = log(0.5 * b / a * fall) / fall
    if not slope(peak) > 0.0:
        raise InputError("too few rows for the law with a logarithm; give more.")
    x: Any = brentq(slope, min(log(b / a), peak) - 50.0, peak, xtol=1e-13)
    length = np.euler_gamma - (x + 1.0) / (2.0 * s)
    return a * exp(2.0 * x) * length + b * exp(-0.5 * x / s)


def best_linear(model: Sequence, n: float) -> float:
    """Leading order of the risk of the best linear rule for this very target (an oracle).

    ``sum theta^2 v / (theta^2 + v)``, to leading order ``A^(2/(2p+1)) v^(2p/(2p+1)) c / sin c``,
    ``c = pi/(2p+1)``: ridge with the penalty ``k^(2p+1)`` and ``lambda = v/A^2``.

    Args:
        model: smoothness p and amplitude A of the target, and the noise.
        n: rows, above 0.

    >>> round(1e4 * best_linear(Sequence(1.0, 1.0), 1e6), 5)
    1.2092
    """
    check(model, n)
    c = pi / (2.0 * model.smoothness + 1.0)
    v = model.noise**2 / n / model.amplitude**2
    return model.amplitude**2 * v ** (1.0 - c / pi) * c / sin(c)
