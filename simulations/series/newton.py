"""Penalised logistic regression on a grid: Newton's method, its steps by conjugate gradients.

    minimise  mean_x [ a log(1 + e^-u) + b log(1 + e^u) ] + (lambda/2) sum k^(2s) theta_k^2

for weighted counts ``a, b`` of label 1 and 0 at every point. The Hessian, a multiplication by
``W = (a + b) pi (1 - pi)`` in x plus ``lambda k^(2s)`` in k, is never formed: a product costs two cosine
transforms, and ``diag(mean W + lambda k^(2s))`` preconditions it up to the spread of W.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from simulations.series import cosines

STEPS, INNER = 60, 200
# The inner residual a Newton step is solved to, relative.
FORCING = 1e-3


class Solution(NamedTuple):
    """``score (.., G)``: values of the minimiser on the grid; ``converged (..)``; ``steps`` of Newton's
    method and ``products`` with the Hessian that all problems together waited for."""

    score: np.ndarray
    converged: np.ndarray
    steps: int
    products: int


def _inner(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=-1, keepdims=True)


def solve(
    curvature: np.ndarray, penalty: np.ndarray, right: np.ndarray, forcing: float
) -> tuple[np.ndarray, int]:
    """``x (.., G)`` with ``(W + diag(penalty)) x = right`` in coefficients, and the products it took.

    Preconditioned conjugate gradients until the residual has fallen by ``forcing`` in every problem.

    Args:
        curvature: W on the grid ``(.., G)``.
        penalty: of each coefficient.
        right: the right-hand side.
        forcing: how far the residual must fall, below 1.
    """
    scale = 1.0 / (curvature.mean(axis=-1, keepdims=True) + penalty)
    x, residual = np.zeros_like(right), right.copy()
    direction = scale * residual
    size = _inner(residual, direction)
    enough = forcing**2 * size
    for done in range(INNER):
        if (size <= enough).all():
            return x, done
        image = cosines.coefficients(curvature * cosines.values(direction)) + penalty * direction
        # A problem that is solved already stays as it is.
        step = np.where(size > enough, size / np.maximum(_inner(direction, image), 1e-300), 0.0)
        x += step * direction
        residual -= step * image
        shaped = scale * residual
        last, size = size, _inner(residual, shaped)
        direction = shaped + np.where(last > 0.0, size / np.maximum(last, 1e-300), 0.0) * direction
    return x, INNER


def minimise(
    ones: np.ndarray,
    zeros: np.ndarray,
    penalty: np.ndarray,
    start: np.ndarray,
    tolerance: float,
) -> Solution:
    """The minimisers of a batch of problems.

    Args:
        ones, zeros: ``a, b (.., G)`` >= 0, each with a positive sum: the minimiser then exists, also where
            points hold no row.
        penalty: ``lambda k^(2s)``, ``(G,)``.
        start: values to start from, ``(.., G)`` or ``(G,)``.
        tolerance: of the squared Newton decrement, twice the objective's distance to its minimum.

    Returns:
        The solution; a problem that has not converged after 60 steps says so and must not be used.

    The loss's third derivative is bounded by its second, so that a step of ``log(1 + m)/m`` times
    Newton's, m its largest change of u, always descends; steps with m <= 1 are taken whole.

    Source: paper_notes/nonparametric.md, section 7.

    >>> k = cosines.penalty(16, 1.0)
    >>> found = minimise(np.full(16, 0.75), np.full(16, 0.25), 0.1 * k, np.zeros(16), 1e-20)
    >>> bool(found.converged), found.score.round(12)[0] == np.log(3.0).round(12)
    (True, np.True_)
    """
    theta = np.broadcast_to(cosines.coefficients(start), ones.shape).copy()
    total = ones + zeros
    products = 0
    converged = np.zeros(ones.shape[:-1], bool)
    score = cosines.values(theta)
    for done in range(STEPS):
        share = expit(score)
        gradient = cosines.coefficients(total * share - ones) + penalty * theta
        curvature = total * share * (1.0 - share)
        scale = 1.0 / (curvature.mean(axis=-1, keepdims=True) + penalty)
        converged = _inner(gradient, scale * gradient)[..., 0] <= tolerance
        if converged.all():
            return Solution(score, converged, done, products)
        step, used = solve(curvature, penalty, -gradient, FORCING)
        change = cosines.values(step)
        largest = np.abs(change).max(axis=-1, keepdims=True)
        damped = np.log1p(largest) / np.maximum(largest, 1e-300)
        length = np.where(converged[..., None], 0.0, np.where(largest > 1.0, damped, 1.0))
        theta += length * step
        score = score + length * change
        products += used
    return Solution(score, converged, STEPS, products)
