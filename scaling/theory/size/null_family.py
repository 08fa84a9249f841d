"""A family of classes around local symmetry: uniform noise, squared loss, labels -1/+1, no intercept.

Majority ``-e_1 + U diag(2, 1, ..)``, minority ``b e_1 + U``, U uniform of mean 0 and variance 1. Then

    g_phi = 4 (5b - (1 + b^2))/(6 + b^2) e_1,    theta_bal = (1 + b)/(6 + b^2) e_1,

0 at ``b = (5 - sqrt 21)/2``. All moments are known, fourth ones included, so that the covariance V of
Wald's test and its power are exact to leading order.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.size.symmetry import WaldParts, wald_batch
from simulations.statistics.uniform_classes import UniformClasses, class_key, class_moments

SYMMETRIC_B = (5.0 - 21.0**0.5) / 2.0
# Fourth cumulant of a uniform of variance 1.
KURTOSIS = -1.2


def uniform_family(
    b: float, minority: int, dim: int = 5, ratio: int = 20, spread: float = 2.0
) -> UniformClasses:
    """The two classes at b; ``spread`` is the majority's along the first axis."""
    means, scales = np.zeros((2, dim)), np.ones((2, dim))
    means[:, 0] = -1.0, b
    scales[0, 0] = spread
    return UniformClasses(
        means, scales, np.array([-1.0, 1.0]), np.array([ratio * minority, minority])
    )


class Asymmetry(NamedTuple):
    """``theta (d,)``, ``g_phi (d,)``, V ``(d, d)`` at these counts and the noncentrality of T."""

    theta: np.ndarray
    g_phi: np.ndarray
    covariance: np.ndarray
    noncentrality: float


def population_asymmetry(classes: UniformClasses) -> Asymmetry:
    """Exact g_phi, V and ``g_phi' V^-1 g_phi`` of two classes with independent uniform noise.

    With ``x = mu + xi``, ``c = theta.mu - y``, S the covariance and ``v = theta'S theta`` the score
    ``2(u - y) x`` has the covariance

        4 { c^2 S + c (S theta mu' + mu theta'S) + v mu mu' + v S + S theta theta'S
            - 1.2 diag(S_jj^2 theta_j^2) }.

    Source: paper_notes/synthetic_size.md, section 5.

    >>> found = population_asymmetry(uniform_family(1.0, 100))
    >>> round(float(found.g_phi[0]), 6) == round(4 * 3 / 7, 6)
    True
    """
    variances = np.asarray(classes.scales) ** 2
    squares = [np.diag(s) + np.outer(m, m) for s, m in zip(variances, classes.means, strict=True)]
    target = np.asarray(classes.labels) @ np.asarray(classes.means)
    theta = np.linalg.solve(squares[0] + squares[1], target)
    hessians = [2.0 * square for square in squares]
    inverse = np.linalg.inv(0.5 * (hessians[0] + hessians[1]))
    gradients, pieces = [], []
    turns = hessians[1] @ inverse, hessians[0] @ inverse
    for group in (0, 1):
        mean, label = classes.means[group], classes.labels[group]
        spread = np.diag(variances[group])
        along, c = spread @ theta, float(theta @ mean) - float(label)
        v = float(theta @ along)
        covariance = (
            (c**2 + v) * spread
            + c * (np.outer(along, mean) + np.outer(mean, along))
            + v * np.outer(mean, mean)
            + np.outer(along, along)
            + KURTOSIS * np.diag((variances[group] * theta) ** 2)
        )
        gradients.append(hessians[group] @ theta - 2.0 * label * mean)
        pieces.append(turns[group] @ (4.0 * covariance) @ turns[group].T / classes.counts[group])
    covariance = pieces[0] + pieces[1]
    g_phi = gradients[0] - gradients[1]
    noncentrality = float(g_phi @ np.linalg.solve(covariance, g_phi))
    return Asymmetry(theta, g_phi, covariance, noncentrality)


def wald_samples(
    classes: UniformClasses, count: int, seed: int = 0, first: int = 0, room: int | None = None
) -> WaldParts:
    """Wald's test on ``count`` samples of two classes with uniform noise, squared loss, no intercept.

    Args:
        classes: the classes and their counts.
        count: samples, from number ``first`` on; a sample depends on seed, classes and number only.
        seed: root of all random numbers.
        room: blocks of memory of the program; give the largest's (`uniform_classes.room_for`) to several
            counts, so that one program serves all.

    Returns:
        Statistics, estimates of g_phi, covariances and statuses, a leading axis of samples.

    Source: paper_notes/synthetic_size.md, section 5.

    >>> found = wald_samples(uniform_family(1.0, 100), 3)
    >>> found.statistic.shape, bool((found.statistic > 11.07).all())
    ((3,), True)
    """
    found = class_moments(classes, class_key(seed, classes), first, count, room)
    labels = np.asarray(classes.labels)[:, None]
    turned = np.einsum("rgij,rj->rgi", found.square, found.theta)
    return wald_batch(
        found.theta,
        2.0 * (turned - labels * found.mean),
        2.0 * found.square,
        4.0 * found.scores,
        np.asarray(classes.counts),
    )
