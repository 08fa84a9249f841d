"""When a rule without a ridge ceases to exist: the separability threshold.

The rows can be separated, for n and d large, iff ``d/n > delta*`` (n distinct rows),

    delta* = min_{s,b} sum_c p_c/v_c E[(sqrt(s'S_c s + v_c) G - y_c (m_c.s + b))_+^2].

Row weights play no part. The logistic and the hinge loss then fall for ever along a direction, and a
minimiser exists only with a ridge. Convex; Newton's method on closed forms.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from scaling.theory.proportional.clusters import Clusters
from simulations.arrays import AnyArray

# The fall that Newton's step promises, relative to the value, which is then right to half of it; and the
# rounding of a value.
MAX_STEPS, TOLERANCE, ROUNDING = 200, 1e-18, 1e-14


class Threshold(NamedTuple):
    """Any leading axes. ``kappa``: delta*, NaN unless ``status`` is 0; ``projection (.., k)``,
    ``intercept``: the minimiser; ``status``: a key of `REASONS`."""

    kappa: AnyArray
    projection: AnyArray
    intercept: AnyArray
    status: AnyArray


REASONS = {
    0: "solved",
    1: "the minimum was not reached; check that means and covariances are of ordinary size",
    2: "all rows have one label, so that an intercept separates them at any size; add rows of the other",
}


def _terms(given: Clusters, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient ``(k + 1,)`` and Hessian of the sum at ``(s, b)``, shares 0 left out."""
    s, b = at[:-1], at[-1]
    turned = given.covariance @ s
    square = turned @ s + given.variance
    margin = given.sign * (given.mean @ s + b)
    sd = np.sqrt(square)
    z = margin / sd
    tail, density = ndtr(-z), np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    mass = given.share / given.variance
    # E(sd G - margin)_+ and its square; d/d(square) of the latter is the tail.
    first = sd * density - margin * tail
    value = (square + margin**2) * tail - margin * sd * density
    widen = 2.0 * np.concatenate([turned, np.zeros((len(sd), 1))], axis=1)
    lifted = np.concatenate([given.mean, np.ones((len(sd), 1))], axis=1)
    along = given.sign[:, None] * lifted
    gradient = mass @ (tail[:, None] * widen - 2.0 * first[:, None] * along)
    cross = np.einsum("c,ci,cj->ij", -mass * density / sd, widen, along)
    hessian = (
        np.einsum("c,ci,cj->ij", mass * 0.5 * density * z / square, widen, widen)
        + np.einsum("c,ci,cj->ij", 2.0 * mass * tail, along, along)
        + cross
        + cross.T
    )
    hessian[:-1, :-1] += np.einsum("c,cij->ij", 2.0 * mass * tail, given.covariance)
    return float(mass @ value), gradient, hessian


def _one(given: Clusters, intercept: bool, offset: float) -> tuple[float, np.ndarray, int]:
    """delta*, the point and the status of one problem."""
    used = given.share > 0.0
    given = Clusters(*(each[used] for each in given))
    size = given.mean.shape[-1] + 1
    if intercept and len(np.unique(given.sign)) < 2:
        return np.nan, np.full(size, np.nan), 2
    free = slice(0, size if intercept else size - 1)
    at = np.zeros(size)
    at[-1] = 0.0 if intercept else offset
    value, gradient, hessian = _terms(given, at)
    for _ in range(MAX_STEPS):
        step = np.zeros(size)
        step[free] = -np.linalg.lstsq(hessian[free, free], gradient[free], rcond=1e-14)[0]
        fall = -float(gradient @ step)
        if fall <= TOLERANCE * max(value, 1e-300):
            return value, at, 0
        length = 1.0
        while length > 1e-12:
            new_value, new_gradient, new_hessian = _terms(given, at + length * step)
            if new_value <= value - 1e-4 * length * fall + ROUNDING:
                break
            length *= 0.5
        else:
            return np.nan, at * np.nan, 1
        at = at + length * step
        value, gradient, hessian = new_value, new_gradient, new_hessian
    return np.nan, at * np.nan, 1


def threshold(clusters: Clusters, *, intercept: bool = True, offset: float = 0.0) -> Threshold:
    """The largest d/n at which an unregularised monotone loss has a minimiser.

    Args:
        clusters: the rows, leading axes allowed; n is the number of distinct rows.
        intercept: False for a rule without one, whose score keeps the constant ``offset``.
        offset: that constant.

    Returns:
        delta* with its point and a status, an axis for each leading one.

    When not to trust it: d below about 50, where the change from 0 to 1 of the probability to be
    separable is wide (of relative order d^-1/2). Source: paper_notes/proportional.md, section 5.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([0.1, 0.9], [1, -1], [[1.0], [-1.0]])
    >>> round(float(threshold(rows).kappa), 5)
    0.1441
    """
    lead = np.shape(clusters.share)[:-1]
    flat = Clusters(
        *(
            np.reshape(np.asarray(each, float), (-1, *np.shape(each)[len(lead) :]))
            for each in clusters
        )
    )
    found = [
        _one(Clusters(*(each[i] for each in flat)), intercept, offset)
        for i in range(len(flat.share))
    ]
    points = np.array([point for _, point, _ in found]).reshape(*lead, -1)
    return Threshold(
        np.array([value for value, _, _ in found]).reshape(lead),
        points[..., :-1],
        points[..., -1],
        np.array([status for _, _, status in found]).reshape(lead),
    )
