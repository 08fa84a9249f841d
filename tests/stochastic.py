"""How a stochastic test compares: a declared false-fail rate, and what it could have detected.

``assert_mean`` first asks whether the effort suffices to detect what it claims to detect, then
whether the numbers agree. The two failures have different types, so that a wrong twin
(``pytest.raises(Disagreement)``) cannot pass by being too noisy.
"""

from typing import Any

import numpy as np
from scipy.stats import norm

FALSE_FAIL = 1e-6
POWER = 0.999


class Disagreement(AssertionError):  # noqa: N818
    """The sample contradicts what was expected."""


class TooNoisy(AssertionError):  # noqa: N818
    """The sample is too small to detect what the test claims to detect."""


def critical(comparisons: int) -> float:
    """Two-sided normal quantile with false-fail rate 1e-6 shared among the comparisons.

    >>> round(critical(1), 2)
    4.89
    """
    return float(norm.isf(FALSE_FAIL / 2 / comparisons))


def assert_mean(
    estimate: Any, se: Any, expected: Any, *, detects: Any, remainder: Any = 0.0
) -> None:
    """Estimates (any shape) must lie within ``z se + remainder`` of what is expected.

    ``remainder`` bounds what the expectation neglects. ``detects`` is the smallest true
    discrepancy (an absolute number per entry) that fails with probability 99.9 %.
    """
    estimate, se = np.asarray(estimate, float), np.asarray(se, float)
    if not (np.isfinite(estimate).all() and np.isfinite(se).all()):
        raise TooNoisy("an estimate or its standard error is no number")
    z = critical(estimate.size)
    reach = z * se + remainder
    needed = reach + norm.ppf(POWER) * se
    if not (needed <= detects).all():
        raise TooNoisy(f"detects {np.max(needed / detects):.3g} times what it claims to detect")
    excess = np.abs(estimate - expected) - reach
    if not (excess <= 0.0).all():
        at = np.unravel_index(np.argmax(excess), estimate.shape)
        raise Disagreement(
            f"{estimate[at]:.6g} is not {np.broadcast_to(expected, estimate.shape)[at]:.6g}"
            f" within {np.broadcast_to(reach, estimate.shape)[at]:.2g} at {at}"
        )


def sample_mean(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis and its standard error."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
