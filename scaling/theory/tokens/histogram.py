"""What a free histogram of n seeds costs: mean divergences to the order 1/n^2.

    plain       E KL(P^ || P) = (d-1)/(2n) + (sum 1/p - 1)/(12 n^2) + ..     (the forward one is infinite)
    add-s       E KL(P || Q)  = (d-1)/(2n) + second/n^2 + ..,   q_j = (c_j + s)/(n + s d)

Both need ``n min_j p_j >> 1``; `exact` sums the binomial laws and needs nothing, at any n and d. Source:
paper_notes/transformers.md, section 5.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import xlogy
from scipy.stats import binom

from simulations.problems import InputError

# All sets of so many tokens can be listed.
MOST_SETS = 16
# Mean counts from which a series stands for a sum, and tokens from which a spline stands for each.
MANY, NODES = 1000.0, 1025


class Histogram(NamedTuple):
    """``first`` (d-1)/(2n), ``second`` the term of order 1/n^2, ``least`` n min p, which must be large."""

    first: float
    second: float
    least: float

    @property
    def total(self) -> float:
        """Both terms."""
        return self.first + self.second


def _check(law: np.ndarray, n: float) -> np.ndarray:
    law = np.asarray(law, float)
    if law.ndim != 1 or (law <= 0.0).any() or abs(law.sum() - 1.0) > 1e-9 or n < 1:
        raise InputError(
            "histogram: give positive probabilities that sum to 1, and at least one seed."
        )
    return law


def plain(law: np.ndarray, n: float) -> Histogram:
    """The reverse divergence ``KL(P^ || P)`` of the unsmoothed histogram.

    Args:
        law: P, ``(d,)``.
        n: seeds.

    Raises:
        InputError: no such law.

    >>> found = plain(np.full(4, 0.25), 1000)
    >>> round(1e3 * found.first, 6), round(1e6 * found.second, 6)
    (1.5, 1.25)
    """
    law = _check(law, n)
    first = (len(law) - 1) / (2.0 * n)
    second = (float((1.0 / law).sum()) - 1.0) / (12.0 * n**2)
    return Histogram(first, second, n * float(law.min()))


def smoothed(law: np.ndarray, n: float, smoothing: float) -> Histogram:
    """The divergence ``KL(P || Q)`` of the histogram with ``smoothing`` s > 0 added to every count.

    ``second = sum_j [s^2/2 - s q_j + q_j/3 + q_j^2/12]/p_j - s^2 d^2/2``, ``q = 1 - p``.

    Args:
        law: P ``(d,)``.
        n: tokens counted.
        smoothing: s, above 0.

    >>> round(smoothed(np.full(4, 0.25), 1000, 1.0).first, 6)
    0.0015
    """
    law = _check(law, n)
    if smoothing <= 0.0:
        raise InputError("histogram: without smoothing the divergence of P from it is infinite.")
    rest, d = 1.0 - law, len(law)
    terms = 0.5 * smoothing**2 - smoothing * rest + rest / 3.0 + rest**2 / 12.0
    second = (terms / law).sum() - 0.5 * (smoothing * d) ** 2
    return Histogram((d - 1) / (2.0 * n), float(second) / n**2, n * float(law.min()))


def unseen(law: np.ndarray, n: int) -> float:
    """The probability that some token has no seed: the forward divergence of the plain histogram is then
    infinite, so that it has no mean at any n.

    By inclusion and exclusion, ``sum over non-empty sets S of (-1)^(|S|+1) (1 - p_S)^n``.

    Args:
        law: P, ``(d,)``, d at most 16.
        n: seeds.

    Raises:
        InputError: no such law, or more tokens.

    >>> round(unseen(np.full(2, 0.5), 3), 6)  # 2 (1/2)^3
    0.25
    """
    law = _check(law, n)
    if len(law) > MOST_SETS:
        raise InputError(f"histogram: {len(law)} tokens; sets of them are listed for {MOST_SETS}.")
    missing, sign = np.zeros(1), -np.ones(1)
    for p in law:
        missing, sign = np.append(missing, missing + p), np.append(sign, -sign)
    return float((sign * np.maximum(0.0, 1.0 - missing) ** n)[1:].sum())


def exact(law: np.ndarray, n: int, smoothing: float = 0.0) -> float:
    """The same means as finite sums over the binomial law of every count, at a cost that grows with
    neither n nor d (s > 0).

    A count is summed over 9 of its standard deviations to both sides; where a token has many seeds on
    average, ``E log(c + s)`` is its series in central moments, the next term below ``13/(n p)^4``; of many
    tokens it is a spline in log p.

    Args:
        law: P, ``(d,)``.
        n: seeds.
        smoothing: s; 0 is the reverse divergence of the plain histogram, up to some 10^9 seeds.

    >>> law = np.array([0.2, 0.3, 0.5])
    >>> abs(exact(law, 2000) - plain(law, 2000).total) < 1e-8
    True
    >>> round(1e9 * exact(law, 10**9, 1.0), 4)  # (d - 1)/2
    1.0
    """
    law = _check(law, n)
    if smoothing == 0.0:

        def own(counts: np.ndarray, p: np.ndarray) -> np.ndarray:
            return xlogy(counts / n, counts / (n * p))

        return float(_binomial_means(own, law, n).sum())
    logs = np.log(law)
    if len(law) > NODES:
        # Of even laws too: nodes are apart.
        nodes = np.linspace(min(logs.min(), logs.max() - 0.01), logs.max(), NODES)
        # Of log(c + s) less its limit: small numbers, that a spline keeps.
        apart = CubicSpline(nodes, _log_means(np.exp(nodes), n, smoothing))(logs)
    else:
        apart = _log_means(law, n, smoothing)
    ratio = np.log1p(smoothing * (len(law) - 1.0 / law) / (n + smoothing / law))
    return float((law * (ratio - apart)).sum())


def _log_means(law: np.ndarray, n: int, smoothing: float) -> np.ndarray:
    """``E log[(c + s)/(n p + s)]`` for ``c ~ Binomial(n, p)`` and every p of ``law (d,)``."""
    found = np.empty_like(law)
    many = n * law > MANY
    p, middle = law[many], n * law[many] + smoothing
    r = p * (1.0 - p)
    k2 = n * r
    k3, k4 = k2 * (1.0 - 2.0 * p), k2 * (1.0 - 6.0 * r)
    k5, k6 = k3 * (1.0 - 12.0 * r), k2 * (1.0 - 30.0 * r + 120.0 * r**2)
    fifth = k5 + 10.0 * k3 * k2
    sixth = k6 + 15.0 * k4 * k2 + 10.0 * k3**2 + 15.0 * k2**3
    central = (k2, k3, k4 + 3.0 * k2**2, fifth, sixth)
    terms = [(-1.0) ** (k + 1) * m / (k * middle**k) for k, m in enumerate(central, start=2)]
    found[many] = np.sum(terms, axis=0)

    def log_ratio(counts: np.ndarray, p: np.ndarray) -> np.ndarray:
        return np.log((counts + smoothing) / (n * p + smoothing))

    found[~many] = _binomial_means(log_ratio, law[~many], n)
    return found


def _binomial_means(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], law: np.ndarray, n: int
) -> np.ndarray:
    """``E f(c, p)``, ``c ~ Binomial(n, p)``, for every p of ``law (d,)``, token by token."""
    found = np.empty(len(law))
    for j, p in enumerate(law):
        reach = 9.0 * (n * p * (1.0 - p)) ** 0.5
        # Rare tokens: beyond 15 more the Poisson law is below 1e-16 as well.
        first, last = max(0, int(n * p - reach)), min(n, int(n * p + reach) + 15)
        counts = np.arange(first, last + 1.0)
        found[j] = binom.pmf(counts, n, p) @ function(counts, p)
    return found
