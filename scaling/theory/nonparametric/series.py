"""Rate and constant of penalised logistic regression on a cosine series (simulations/series/).

To leading order the problem is a sequence model at every point x, with its own curvature W(x) and noise
S(x) (simulations/series/population.py), judged with W_bal(x); all at the training law's own log-odds u:

    E excess = floor + drift lambda + (1/2) [ a lambda^(p/s) + b lambda^(-1/2s) ],
    a = A^2 B(p, s) < (W_bal - r W') W^(-p/s) >,
    b = mean_x[ C_s (W_bal - r W') S W^(1/2s - 2) + 2 D_s r Q W^(1/2s - 1) ],
    drift = -sum_k k^(2s) u_k r_k,     r = g/W, with coefficients r_k,

where < > is the mean over [0, 1] for a target that is rough everywhere (signs "spread"), the value at
x = 0 for one that is rough there alone ("alike"). For right-law rows g = 0: floor, drift and all terms
with r vanish. W' = W (1 - 2 pi) and ``Q = sum_c (w_c^2/k_c) p_c l'' l'_c``.
"""

from math import inf, pi, sin
from typing import NamedTuple

import numpy as np
from scipy.special import expit, zeta

from scaling.theory.nonparametric.sequence import bias_constant, variance_constant
from simulations.problems import InputError
from simulations.series import cosines
from simulations.series.classes import Classes, balanced_curvature, excess_risk
from simulations.series.training import Part, masses

# A training law with a smaller floor than this is the right law, up to rounding.
NO_BIAS = 1e-20


class SeriesLaw(NamedTuple):
    """``floor + drift lambda + (1/2)[bias lambda^order + variance lambda^(-1/2s)]``: ``bias`` a,
    ``variance`` b, ``order`` p/s, ``power`` s; ``floor`` and ``drift`` are 0 for right-law rows."""

    bias: float
    variance: float
    order: float
    power: float
    floor: float = 0.0
    drift: float = 0.0

    def above(self, ridge: float) -> float:
        """Excess risk beyond the floor at a lambda, leading order."""
        rest = self.variance * ridge ** (-0.5 / self.power)
        return self.drift * ridge + 0.5 * (self.bias * ridge**self.order + rest)

    def risk(self, ridge: float) -> float:
        """Excess risk at a lambda, leading order."""
        return self.floor + self.above(ridge)

    @property
    def ridge(self) -> float:
        """The best lambda without drift, ``(b / (2 s q a))^(2s/(2sq+1))``, q = p/s."""
        c = 2.0 * self.power * self.order
        return (self.variance / (c * self.bias)) ** (2.0 * self.power / (c + 1.0))

    @property
    def least(self) -> float:
        """The excess risk there."""
        return self.risk(self.ridge)


def series_law(two: Classes, parts: tuple[Part, ...], power: float) -> SeriesLaw:
    """The law of a training set with parts of any weights.

    Args:
        two: the classes that are judged; smoothness p, amplitude A and signs are their target's.
        parts: as in a cell, log-odds corrected, of the right law or of a generator whose log-odds differ
            by a smooth function.
        power: s of the penalty, p < 2s.

    For raw or right-law rows of classes with n_0 and n_1 rows, whatever their weights,
    ``S = W^2 tau`` with ``tau = 1/(n_1 p_1) + 1/(n_0 p_0)``: the variance of the log-odds.

    Do not trust the constant at few rows: relative corrections are of order ``lambda^(1/2s)`` (the
    variance) and, for a rough target that sits at one point, ``lambda^((p - 1/2)/2s)``.

    Raises:
        ValueError: p >= 2s (saturation: the bias then depends on all of the target).

    Source: paper_notes/nonparametric.md, section 5.

    >>> from simulations.series.classes import Target, classes
    >>> from simulations.series.training import raw
    >>> two = classes(Target(256, 1.0))
    >>> law = series_law(two, raw(two, (500, 500), 1.0, 1.0).parts, 1.0)
    >>> round(law.least / balanced_law(two, 1000, 1.0).least, 9)
    1.0
    """
    target = two.target
    if not target.smoothness < 2.0 * power:
        raise InputError(
            f"smoothness {target.smoothness:g} saturates the penalty k^{2 * power:g}; raise the power."
        )
    ones, zeros = masses(parts)
    share = ones / (ones + zeros)
    curvature = ones * (1.0 - share)
    log_odds = np.log(ones / zeros) - np.log(ones.mean() / zeros.mean())
    judged = expit(log_odds)
    total = two.density.sum(axis=0)
    pull = 0.5 * (total * judged - two.density[1]) / curvature
    # What a squared error at x costs: W_bal, and through the bend of the training risk.
    cost = 0.5 * total * judged * (1.0 - judged) - pull * curvature * (1.0 - 2.0 * share)
    noise, moved = np.zeros((2, len(share)))
    for p in parts:
        each = p.weight**2 / p.rows * p.density * (share - p.label)
        noise += each * (share - p.label)
        moved += each * share * (1.0 - share)
    order, half = target.smoothness / power, 0.5 / power
    sensitivity = cost * curvature**-order
    rough = float(sensitivity.mean()) if target.signs == "spread" else _at_zero(two, sensitivity)
    spread = variance_constant(power) * cost * noise * curvature ** (half - 2.0)
    floor = limit_floor(two, parts)
    if floor > NO_BIAS:
        spread += 2.0 * inverse_constant(power) * pull * moved * curvature ** (half - 1.0)
    drift = cosines.penalty(len(pull), power) * cosines.coefficients(log_odds)
    return SeriesLaw(
        target.amplitude**2 * bias_constant(target.smoothness, power) * rough,
        float(spread.mean()),
        order,
        power,
        floor if floor > NO_BIAS else 0.0,
        -float(drift @ cosines.coefficients(pull)) if floor > NO_BIAS else 0.0,
    )


def inverse_constant(power: float) -> float:
    """``D_s = int_0^inf du / (1 + u^(2s)) = (pi/2s) / sin(pi/2s)``, s > 1/2.

    >>> round(inverse_constant(1.0), 6)
    1.570796
    """
    if not power > 0.5:
        raise InputError(
            f"power s is {power:g}; with biased rows the second order is finite above 1/2 only."
        )
    a = 0.5 * pi / power
    return a / sin(a)


def _at_zero(two: Classes, values: np.ndarray) -> float:
    """A smooth function of the log-odds at x = 0, where they are largest and rise like a root.

    Its logarithm is carried on linearly in the log-odds from the first point to the exact f(0).
    """
    if not (values[:2] > 0.0).all():
        return float(values[0])
    p = two.target.smoothness
    if p <= 0.5:
        return inf
    terms = two.target.terms or two.target.grid - 1
    missing = 2.0**0.5 * two.target.amplitude * float(zeta(p + 0.5, terms + 1.0))
    k = np.arange(1, terms + 1)
    top = 2.0**0.5 * (two.target.amplitude * (k ** -(p + 0.5)).sum() + two.target.shift) + missing
    constant = float(two.log_odds.mean())
    rise = (np.log(values[0]) - np.log(values[1])) / (two.log_odds[0] - two.log_odds[1])
    return float(values[0] * np.exp(rise * (top + constant - two.log_odds[0])))


def balanced_law(two: Classes, rows: int, power: float) -> SeriesLaw:
    """The law of ``rows`` rows in all, half of them in each class.

    There S = W/N and ``b = C_s mean[W^(1/2s)]/N``: for p = s the best excess risk is

        (1/2)(1 + 1/(2s)) A^(2/(2s+1)) (C_s mean[W^(1/2s)] / N)^(2s/(2s+1)).

    Args:
        two: the classes.
        rows: N, in all.
        power: s of the penalty.
    """
    half = rows / 2.0
    parts = tuple(
        Part(label, two.density[label], half, 0.5, ("raw", label))  # pyright: ignore[reportArgumentType]
        for label in (0, 1)
    )
    return series_law(two, parts, power)


def minority_limit(two: Classes, rows: int, power: float) -> float:
    """The best excess risk of raw rows, ``rows`` in class 1 and endlessly many in class 0, p = s.

    ``(1/2)(1 + 1/(2s)) A^(2/(2s+1)) <W_bal/p_1>^(1/(2s+1)) (b/n_1)^(2s/(2s+1))``,
    ``b = C_s mean[W_bal p_1^(1/2s-1)]``: the rate is that of the smaller class.

    Args:
        two: the classes.
        rows: n_1, in class 1.
        power: s of the penalty, equal to p.

    Raises:
        ValueError: p differs from s.
    """
    target, s = two.target, power
    if target.smoothness != s:
        raise InputError(
            f"smoothness {target.smoothness:g} is not the power {s:g}; give a target with p = s."
        )
    judged, law = balanced_curvature(two), two.density[1]
    ratio = judged / law
    rough = float(ratio.mean()) if target.signs == "spread" else _at_zero(two, ratio)
    noise = variance_constant(s) * float((judged * law ** (0.5 / s - 1.0)).mean()) / rows
    rate = 2.0 * s / (2.0 * s + 1.0)
    return 0.5 * (1.0 + 0.5 / s) * (target.amplitude**2 * rough) ** (1.0 - rate) * noise**rate


def limit_floor(two: Classes, parts: tuple[Part, ...], corrected: bool = True) -> float:
    """The excess risk of the training law itself, without noise and penalty: 0 for right-law rows.

    ``u = log(a/b)`` less the log-odds of the classes' weights (``corrected``), judged exactly on the grid.

    Args:
        two: the classes.
        parts: of the training law, each with its weight.
        corrected: whether the log odds of the weights are taken off.

    >>> from simulations.series.classes import Target, classes
    >>> from simulations.series.training import real
    >>> right, wrong = (classes(Target(64, 1.0, shift=shift)) for shift in (0.0, 0.3))
    >>> rows = lambda made: tuple(real(made, y, 10, 0.5) for y in (0, 1))
    >>> round(limit_floor(right, rows(right)), 12), round(limit_floor(right, rows(wrong)), 5)
    (0.0, 0.00756)
    """
    ones, zeros = masses(parts)
    moved = np.log(ones.mean() / zeros.mean()) if corrected else 0.0
    return float(excess_risk(two, np.log(ones / zeros) - moved))


def grid_for(rows: float, power: float, finest: int = 16) -> int:
    """A grid with more than ``finest`` times ``rows^(1/(2s+1))`` points, a power of two, at least 128.

    With 16 the grid costs .1 % of the excess risk at p = s = 1, whatever the rows.

    >>> grid_for(1e12, 1.0), grid_for(1e12, 2.0)
    (262144, 4096)
    """
    wanted = finest * rows ** (1.0 / (2.0 * power + 1.0))
    return max(128, 1 << int(np.ceil(np.log2(wanted))))
