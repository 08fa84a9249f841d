"""Ridge logistic regression with row weights, for tables from a hundred to a million rows.

    minimise  sum_i w_i log(1 + exp(-(2 y_i - 1) u_i)) + (ridge/2) |slope|^2,   u_i = theta'x_i

The last column of ``x`` is the constant 1; its coefficient, the intercept, has no ridge. Newton's method
in NumPy: the fits of a plan have few rows or few iterations, and a compiled program costs more than it
saves.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

# Rows at a time: weighted copies of the features then stay in the cache.
CHUNK = 4096
# Newton's decrement squared is twice what is left of the objective, near the minimum.
DECREMENT = 1e-12
STEPS, HALVINGS = 60, 30


class Fit(NamedTuple):
    """``theta (p,)``; ``hessian (p, p)`` of the objective there, ridge included; whether Newton's
    method came to rest."""

    theta: np.ndarray
    hessian: np.ndarray
    converged: bool


def penalty(ridge: float, p: int) -> np.ndarray:
    """Diagonal ``(p,)`` of the ridge: none on the intercept, the last."""
    found = np.full(p, ridge)
    found[-1] = 0.0
    return found


def losses(score: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Logistic losses ``log(1 + exp(-(2y - 1) u))``; shapes broadcast.

    >>> losses(np.array([0.0, 800.0]), np.array([1, 0])).round(4).tolist()
    [0.6931, 800.0]
    """
    return np.logaddexp(0.0, np.where(y > 0, -score, score))


def derivatives(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, theta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Weighted sums of loss, gradient ``(p,)`` and Hessian ``(p, p)``; ``x (n, p)``, others ``(n,)``."""
    p = x.shape[1]
    value, gradient, hessian = 0.0, np.zeros(p), np.zeros((p, p))
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        part, w, label = x[rows], weight[rows], y[rows]
        score = part @ theta
        share = expit(score)
        value += float(w @ losses(score, label))
        gradient += part.T @ (w * (share - label))
        hessian += part.T @ (part * (w * share * (1.0 - share))[:, None])
    return value, gradient, hessian


def fit(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    ridge: float,
    start: np.ndarray | None = None,
) -> Fit:
    """The minimiser, by Newton's method with halved steps.

    Args:
        x: ``(n, p)``, the last column 1.
        y: labels 0 or 1, ``(n,)``.
        weight: ``(n,)``, >= 0, of sum 1.
        ridge: > 0; at 0 a separable table has no minimiser, and what is returned means nothing.
        start: ``(p,)``, 0 where none is given.

    >>> x = np.array([[-1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
    >>> found = fit(x, np.array([0, 1, 0, 1]), np.array([0.4, 0.4, 0.1, 0.1]), 1e-9)
    >>> found.converged, abs(found.theta.round(4)).tolist()  # slope log 4 = 1.3863
    (True, [1.3863, 0.0])
    """
    p = x.shape[1]
    diagonal = penalty(ridge, p)
    theta = np.zeros(p) if start is None else start
    value, gradient, hessian = _objective(x, y, weight, theta, diagonal)
    for _ in range(STEPS):
        try:
            step = cho_solve(cho_factor(hessian), gradient)
        except LinAlgError:
            return Fit(theta, hessian, False)
        decrement = float(gradient @ step)
        if not np.isfinite(decrement):
            return Fit(theta, hessian, False)
        for halving in range(HALVINGS):
            trial = theta - step * 0.5**halving
            found = _objective(x, y, weight, trial, diagonal)
            if found[0] <= value + 1e-14 * abs(value):
                break
        else:
            return Fit(theta, hessian, decrement < 1e-8)
        theta, (value, gradient, hessian) = trial, found
        # The step was taken: what is left is of the order of its square.
        if decrement < DECREMENT**0.5:
            return Fit(theta, hessian, True)
    return Fit(theta, hessian, False)


def _objective(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, theta: np.ndarray, diagonal: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    value, gradient, hessian = derivatives(x, y, weight, theta)
    value += 0.5 * float(diagonal @ theta**2)
    gradient += diagonal * theta
    hessian[np.diag_indices_from(hessian)] += diagonal
    return value, gradient, hessian
