"""The verdict on a number: supported, contradicted or unresolved (paper_notes/verdicts.md).

With ``r = estimate/prediction`` and the two-sided interval ``I`` of ``r`` at level ``1 - 2 alpha``:
*supported* if ``I`` lies in ``[1 - m, 1 + m]``, *contradicted* if ``I`` and that band do not
meet, *unresolved* otherwise. The *resolution* ``m + (z_alpha + z_.99) se(r)`` is the smallest
relative error of the prediction that would have come out contradicted with 99 % power.
"""

from typing import Literal, NamedTuple

from scipy.stats import norm

Outcome = Literal["supported", "contradicted", "unresolved"]
POWER = 0.99
ALPHA = 1e-4


class Verdict(NamedTuple):
    """``outcome``, the ratio with its standard error, and the ``resolution`` (None: not defined)."""

    outcome: Outcome
    ratio: float
    ratio_se: float
    resolution: float | None


def critical_value(alpha: float) -> float:
    """``z_alpha``: a standard normal exceeds it with probability ``alpha``.

    >>> round(critical_value(0.025), 6)
    1.959964
    """
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must lie in (0, 1/2), got {alpha!r}")
    return float(norm.isf(alpha))


def equivalence(ratio: float, ratio_se: float, margin: float, alpha: float = ALPHA) -> Verdict:
    """Whether ``ratio`` is 1 up to ``margin``, judged by a normal interval at level ``1 - 2 alpha``.

    Args:
        ratio: estimate over prediction, any real number.
        ratio_se: its standard error, >= 0; NaN or infinity comes out unresolved.
        margin: half-width ``m`` of the band that counts as agreement, > 0.
        alpha: one-sided error rate, in (0, 1/2).

    Returns:
        The verdict; a true ratio at the edge of the band is contradicted with
        probability ``alpha`` at most, and supported with probability ``alpha`` at most.

    Do not trust it when ``ratio_se`` rests on so few replicates (under about 50) that the normal
    quantile at level ``alpha`` understates the tail.

    >>> equivalence(1.003, 0.002, margin=0.02).outcome
    'supported'
    >>> equivalence(1.10, 0.005, margin=0.02).outcome
    'contradicted'
    >>> equivalence(1.02, 0.005, margin=0.02).outcome
    'unresolved'
    """
    if not margin > 0.0:
        raise ValueError(f"margin must be positive, got {margin!r}")
    z = critical_value(alpha)
    low, high = ratio - z * ratio_se, ratio + z * ratio_se
    outcome: Outcome = "unresolved"
    if 1.0 - margin <= low and high <= 1.0 + margin:
        outcome = "supported"
    elif low > 1.0 + margin or high < 1.0 - margin:
        outcome = "contradicted"
    return Verdict(outcome, ratio, ratio_se, margin + (z + critical_value(1 - POWER)) * ratio_se)


def below(ratio: float, ratio_se: float, alpha: float = ALPHA) -> Verdict:
    """Whether ``ratio <= 1`` (measured over bound), by one-sided bounds at level ``alpha``.

    Supported if the upper bound is at most 1, contradicted if the lower one exceeds 1.

    Args:
        ratio: measured over bound.
        ratio_se: its standard error.
        alpha: level of each bound.

    >>> below(0.9, 0.01).outcome, below(1.2, 0.01).outcome, below(1.0, 0.01).outcome
    ('supported', 'contradicted', 'unresolved')
    """
    z = critical_value(alpha)
    outcome: Outcome = "unresolved"
    if ratio + z * ratio_se <= 1.0:
        outcome = "supported"
    elif ratio - z * ratio_se > 1.0:
        outcome = "contradicted"
    return Verdict(outcome, ratio, ratio_se, None)
