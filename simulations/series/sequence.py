"""The Gaussian sequence model and its ridge rules: exact risks and simulated losses.

y_k = theta_k + sigma z_k / sqrt(n),   theta_k = A k^-(p + 1/2),   z_k ~ N(0, 1),   k = 1, 2, ..
estimate b_k y_k,  b_k = 1 / (1 + lambda k^(2s)),
E loss = sum_k theta_k^2 (1 - b_k)^2 + (sigma^2/n) sum_k b_k^2 .
"""

from math import exp, log
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from simulations.problems import InputError
from simulations.series.keys import generator
from simulations.series.sums import ridge_sum

# Numbers drawn at a time.
CHUNK = 2**18


class Sequence(NamedTuple):
    """``smoothness`` p > 0 of the target, ``power`` s in (1/4, 4] of the penalty, ``noise`` sigma > 0,
    ``amplitude`` A > 0."""

    smoothness: float
    power: float
    noise: float = 1.0
    amplitude: float = 1.0


class Risk(NamedTuple):
    """The parts of a risk: squared ``bias`` and ``variance``."""

    bias: float
    variance: float

    @property
    def total(self) -> float:
        """Their sum."""
        return self.bias + self.variance


def check(model: Sequence, n: float) -> None:
    """Raise ``InputError`` unless the model's risk is a finite number."""
    bad = [name for name, value in model._asdict().items() if not 0.0 < value < float("inf")]
    if bad or not 0.25 < model.power <= 4.0:
        name = bad[0] if bad else "power"
        raise InputError(
            f"sequence model: {name} is {getattr(model, name):g}; give a positive number"
            " (power: above 1/4, at most 4)."
        )
    if not 0.0 < n < float("inf"):
        raise InputError(f"sequence model: n is {n:g}; give a positive number of rows.")


def risk(model: Sequence, n: float, ridge: float) -> Risk:
    """The exact risk of ridge at n rows and a given lambda.

    Args:
        model: the sequence model.
        n: rows, > 0; only ``sigma^2/n`` matters.
        ridge: ``lambda``, > 0.

    Returns:
        Squared bias and variance, each to about 1e-12 of its size: no truncation.

    Raises:
        ValueError: see `check`.

    Source: paper_notes/nonparametric.md, section 1.

    >>> found = risk(Sequence(1.0, 1.0), 1e6, 1e-4)
    >>> round(1e5 * found.bias, 6), round(1e5 * found.variance, 6)
    (4.999917, 7.803982)
    """
    check(model, n)
    p, s = model.smoothness, model.power
    bias = model.amplitude**2 * ridge_sum(2.0 * p + 1.0, 0, 2, ridge, s)
    return Risk(bias, model.noise**2 / n * ridge_sum(0.0, 2, 0, ridge, s))


def tuned_ridge(model: Sequence, n: float) -> float:
    """The lambda of the smallest exact risk.

    Root of ``A^2 sum k^-(2p+1) b (1-b)^2 = (sigma^2/n) sum b^2 (1-b)``: half the derivative of the risk
    in log lambda.

    Args:
        model: smoothness p and amplitude A of the target, power s, noise.
        n: rows, above 0.

    Raises:
        ValueError: see `check`; so few rows that the best estimate is nearly zero everywhere.

    >>> model = Sequence(1.0, 1.0)
    >>> best = tuned_ridge(model, 1e4)
    >>> all(risk(model, 1e4, best).total < risk(model, 1e4, f * best).total for f in (0.99, 1.01))
    True
    """
    check(model, n)
    p, s = model.smoothness, model.power
    ratio = model.noise**2 / n / model.amplitude**2

    def slope(log_ridge: float) -> float:
        ridge = exp(log_ridge)
        gained = ridge_sum(2.0 * p + 1.0, 1, 2, ridge, s)
        return log(gained) - log(ratio * ridge_sum(0.0, 2, 1, ridge, s))

    low, high = log(ratio) * max(1.0, 4.0 * s / (4.0 * s + 1.0)) - 30.0, 30.0
    if not slope(low) < 0.0 < slope(high):
        raise InputError(f"sequence model: n = {n:g} is too small to tune lambda; give more rows.")
    root: Any = brentq(slope, low, high, xtol=1e-13)
    return exp(root)


def losses(
    model: Sequence, n: float, ridge: float, replicates: int, seed: int, reach: float = 8.0
) -> np.ndarray:
    """Simulated losses ``(R,)`` of ridge.

    Coefficients up to ``reach`` times the knee ``lambda^(-1/2s)`` are drawn, those beyond it enter by
    the mean of their loss, which is known: the mean of the losses is the exact risk, their scatter is
    a little too small (by about ``reach^(1 - 8s)``).

    Args:
        model: smoothness of the target and power of the penalty.
        n: rows, above 0.
        ridge: lambda, above 0.
        reach: up to which multiple of the knee coefficients are drawn.
        replicates: R, at least 1.
        seed: of the draws; other sizes and rules have other draws.

    >>> model = Sequence(1.0, 1.0)
    >>> found = losses(model, 1e4, 1e-3, 400, seed=1)
    >>> bool(abs(found.mean() - risk(model, 1e4, 1e-3).total) < 5.0 * found.std() / 20)
    True
    """
    exact = risk(model, n, ridge)
    k = np.arange(1.0, max(16.0, reach * ridge ** (-0.5 / model.power)) + 1.0)
    theta = model.amplitude * k ** -(model.smoothness + 0.5)
    kept = 1.0 / (1.0 + ridge * k ** (2.0 * model.power))
    variance = model.noise**2 / n
    beyond = exact.total - (theta**2 * (1.0 - kept) ** 2).sum() - variance * (kept**2).sum()
    name = ["ridge", *model, n, ridge]
    return beyond + linear_losses(theta, kept, variance, replicates, seed, name)


def linear_losses(
    theta: np.ndarray,
    kept: np.ndarray,
    variance: float,
    replicates: int,
    seed: int,
    name: list[Any],
) -> np.ndarray:
    """Losses ``(R,)`` of the linear rule that keeps the share ``kept (K,)`` of every ``y_k``.

    Args:
        theta: the coefficients, ``(K,)``; the others are 0 and estimated as 0.
        kept: shares ``b_k``, ``(K,)``.
        variance: ``v = sigma^2/n``.
        replicates, seed: R >= 1, and the root of the draws.
        name: what is drawn; equal names are equal draws.

    >>> linear_losses(np.ones(3), np.zeros(3), 1.0, 2, 0, ["nothing kept"]).tolist()
    [3.0, 3.0]
    """
    if replicates < 1:
        raise InputError(f"replicates is {replicates}; give at least one.")
    random = generator(seed, name)
    lost, noise = theta * (1.0 - kept), variance**0.5 * kept
    rows = max(1, CHUNK // len(theta))
    found = np.empty(replicates)
    for first in range(0, replicates, rows):
        z = random.standard_normal((min(rows, replicates - first), len(theta)))
        found[first : first + rows] = ((lost - noise * z) ** 2).sum(axis=1)
    return found
