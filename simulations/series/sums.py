"""Infinite sums over the coefficients of a series, to rounding and at a cost that no size changes.

    S(a, i, j) = sum_{k >= 1} k^-a b_k^i (1 - b_k)^j,        b_k = 1 / (1 + lambda k^(2s)).

Terms up to ``FIRST`` are added; the rest is the integral and Gregory's end correction (Euler and
Maclaurin's with differences for derivatives), the integral by Gauss-Legendre panels in ``log x``.
"""

from math import log

import numpy as np
from scipy.special import expit

from simulations.problems import InputError

FIRST = 1024
# (x / log(1 + x) - 1) / x by powers of the difference x: the end correction of a sum from K on.
GREGORY = np.array([1 / 2, -1 / 12, 1 / 24, -19 / 720, 3 / 160, -863 / 60480, 275 / 24192])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
# Where the integrand has fallen by e^-40 the rest is below rounding.
DECADES = 40.0


def _terms(
    log_x: np.ndarray, ridge: float, power: float, sums: tuple[float, int, int]
) -> np.ndarray:
    """``x^-a b^i (1-b)^j`` from logarithms: nothing over- or underflows on the way."""
    a, i, j = sums
    at = log(ridge) + 2.0 * power * log_x
    return np.exp(-a * log_x) * expit(-at) ** i * expit(at) ** j


def ridge_sum(a: float, i: int, j: int, ridge: float, power: float) -> float:
    """``sum_k k^-a b_k^i (1 - b_k)^j`` over all k >= 1, relative error below 1e-11.

    Args:
        a: falling power of k, real.
        i, j: powers of the share kept ``b_k`` and of the share lost ``1 - b_k``, >= 0.
        ridge: ``lambda``, > 0.
        power: ``s`` of the penalty ``k^(2s)``, in (0, 4].

    Raises:
        ValueError: a sum that does not converge (``a + 2 s i <= 1``), a ridge or power out of range.

    Do not trust the last digits where ``a + 2 s i`` is within 0.01 of 1.

    Source: paper_notes/nonparametric.md, section 1.

    >>> from scipy.special import zeta
    >>> bool(abs(ridge_sum(3.0, 0, 0, 1.0, 1.0) - zeta(3.0)) < 1e-14)
    True
    """
    if not (ridge > 0.0 and 0.0 < power <= 4.0):
        raise InputError(
            f"ridge {ridge:g} and power {power:g}: give a ridge above 0 and a power in (0, 4]."
        )
    decay = a + 2.0 * power * i - 1.0
    if not decay > 0.0:
        raise InputError(f"the sum falls as k^-{decay + 1.0:g} and has no limit; raise the power.")
    kind = (a, i, j)
    logs = np.log(np.arange(1.0, FIRST + len(GREGORY)))
    direct = _terms(logs, ridge, power, kind)
    ends = direct[FIRST - 1 :]
    correction = sum(c * np.diff(ends, order)[0] for order, c in enumerate(GREGORY))
    # Before the knee the sum falls as k^-a or grows; beyond it as k^-(decay + 1).
    start = log(FIRST)
    knee = max(start, -log(ridge) / (2.0 * power))
    width = min(1.0, 2.0 / power)
    panels = np.arange(start, knee + DECADES / min(decay, 40.0) + width, width)
    at = panels[:, None] + 0.5 * width * (1.0 + NODES)[None, :]
    # dx = x d(log x): one power less.
    inner = _terms(at, ridge, power, (a - 1.0, i, j)) @ (0.5 * width * WEIGHTS)
    return float(direct[: FIRST - 1].sum() + correction + inner.sum())
