"""Endless augmentation: what is left of the excess risk when a fitted generator may write for ever.

Two Gaussian groups of one covariance, distance D (Mahalanobis) apart, raw counts n_1 and n_0. Minimising
the logistic loss on endless rows of a generator fitted to the raw rows (N -> infinity, alpha -> 1) is a
plug-in rule: Fisher's discriminant where both groups get one covariance, known or pooled, and where each
gets its own the logistic rule nearest to the two fitted laws. Beside them stands the null model,
logistic regression on reweighted raw rows. With

    a0 = e^(-D^2/8) E sech(D Z/2),  a2 = e^(-D^2/8) E[Z^2 sech(D Z/2)],
    g  = e^(-D^2/8) E[sech(D Z/2) tanh(D Z/2)^2],  s = 1/n_1 + 1/n_0,  n = n_1 + n_0

everything of order 1/n is in closed form (paper_notes/generators.md).
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from simulations.population.quadrature import gaussian_grid


class Sech(NamedTuple):
    """``a0``, ``a2`` and ``g``: Gaussian moments of the hyperbolic secant at one distance."""

    a0: float
    a2: float
    g: float


class Rules(NamedTuple):
    """One number for every rule: logistic regression on ``reweighted`` raw rows, and what endless rows give
    of Gaussians with ``known``, ``pooled`` and ``separate`` covariances."""

    reweighted: float
    known: float
    pooled: float
    separate: float


def sech_moments(distance: float) -> Sech:
    """``a0``, ``a2`` and ``g`` at a Mahalanobis distance D > 0.

    >>> [round(part, 6) for part in sech_moments(2.0)]
    [0.4496, 0.266088, 0.133044]
    """
    if not 0.0 < distance < np.inf:
        raise ValueError(f"distance must be a positive number, got {distance!r}")
    grid = gaussian_grid(max(2.0, distance))
    half = 0.5 * distance * grid.nodes
    weights = np.exp(-(distance**2) / 8.0) * grid.weights / np.cosh(half)
    return Sech(
        float(weights.sum()),
        float(weights @ grid.nodes**2),
        float(weights @ np.tanh(half) ** 2),
    )


def _sizes(dim: int, counts: tuple[int, int]) -> tuple[float, float]:
    """``s`` and ``1/n``."""
    if dim < 1 or min(counts) < 1:
        raise ValueError("dim and both counts must be at least 1")
    return 1.0 / counts[0] + 1.0 / counts[1], 1.0 / (counts[0] + counts[1])


def excess_risks(dim: int, distance: float, counts: tuple[int, int]) -> Rules:
    """Excess balanced logistic risk, the term of order 1/n (there is no floor).

    Reweighted ``(s/8)(d + 1 - a0)``; known ``(s/8)[a0 (d - 1 + D^2/4) + a2]``; pooled: that and
    ``(D^2/8n)[2 a2 + (d - 1) a0]``; separate
    ``(s/8)[a2 (1 + D^2/2) + (d - 1) a0 (1 + D^2/4) + a0 D^2/4 + D^4 g^2/(8 a0)]``.

    Args:
        dim: features d, at least 1.
        distance: Mahalanobis distance D of the group means, > 0.
        counts: raw rows ``(n_1, n_0)``; the order does not matter.

    Returns:
        The four numbers; multiply counts by c and they fall by c.

    Raises:
        ValueError: where an argument is out of range.

    Do not trust it where the groups' covariances differ (then these rules have a floor), or with fewer
    than about ten rows per feature.

    Source: paper_notes/generators.md.

    >>> found = excess_risks(5, 2.0, (200, 2000))
    >>> [f"{value:.5e}" for value in found]
    ['3.81590e-03', '1.72843e-03', '2.25811e-03', '3.38484e-03']
    """
    s, share = _sizes(dim, counts)
    a0, a2, g = sech_moments(distance)
    square = distance**2
    known = s / 8.0 * (a0 * (dim - 1 + square / 4.0) + a2)
    own = a2 * (1.0 + square / 2.0) + (dim - 1) * a0 * (1.0 + square / 4.0)
    own = own + a0 * square / 4.0 + square**2 * g**2 / (8.0 * a0)
    return Rules(
        s / 8.0 * (dim + 1 - a0),
        known,
        known + square / 8.0 * share * (2.0 * a2 + (dim - 1) * a0),
        s / 8.0 * own,
    )


def regrets(
    dim: int, distance: float, counts: tuple[int, int], random_labels: bool = False
) -> Rules:
    """Regret: balanced 0-1 error in excess of the best rule's ``Phi(-D/2)``, the term of order 1/n.

    ``phi(D/2)/(4 D)`` times the summed variances of the intercept and of the slopes across the means:
    reweighted ``(s/a0)(d - a0)``; known ``s (d - 1 + D^2/4)``; pooled: that and ``(d - 1) D^2/n``; separate
    ``s [(d - 1)(1 + D^2/4) + D^2/4 + D^4 g^2/(8 a0^2)]``.

    Args:
        dim, distance, counts: as in `excess_risks`.
        random_labels: the counts are means, each row's label a fair coin's; needs equal counts. Rows are
            then weighed alike (``reweighted`` is plain logistic regression), and every rule estimates
            the log odds of the labels too, which adds s to the variance of its intercept.

    Returns:
        The four numbers.

    Raises:
        ValueError: where an argument is out of range, or for random labels with unequal counts.

    Do not trust it where `excess_risks` is not to be trusted.

    Source: paper_notes/generators.md; Efron (1975) for random labels and the pooled covariance.

    >>> found = regrets(5, 2.0, (300, 300))
    >>> round(found.known / found.reweighted, 4), round(found.pooled / found.reweighted, 4)
    (0.494, 0.8892)
    """
    s, share = _sizes(dim, counts)
    if random_labels and counts[0] != counts[1]:
        raise ValueError("random labels need equal counts")
    a0, _, g = sech_moments(distance)
    square = distance**2
    odds = s if random_labels else 0.0
    known = s * (dim - 1 + square / 4.0)
    own = (dim - 1) * (1.0 + square / 4.0) + square / 4.0 + square**2 * g**2 / (8.0 * a0**2)
    variances = (s / a0 * (dim - a0), known, known + (dim - 1) * square * share, s * own)
    front = norm.pdf(distance / 2.0) / (4.0 * distance)
    return Rules(*(float(front * (variance + odds)) for variance in variances))


def efron_efficiency(distance: float) -> float:
    """Efron's efficiency of logistic regression relative to Fisher's discriminant: ``(1 + D^2/4) a0``.

    The ratio of regrets, discriminant over logistic regression, where labels are random and balanced
    and the covariance is pooled; it is the same in every dimension.

    Args:
        distance: D, of the means in standard deviations.

    >>> [round(efron_efficiency(distance), 5) for distance in (1.0, 2.0, 3.0, 4.0)]
    [0.99493, 0.8992, 0.64104, 0.34299]
    """
    return (1.0 + distance**2 / 4.0) * sech_moments(distance).a0
