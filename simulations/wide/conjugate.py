"""Newton directions of large problems by conjugate gradients in single precision.

A direction need not be exact: its error multiplies the error of the step, and the gradient that the
next step starts from is exact. One Hessian is formed and factored, to precondition all steps, and
again when a step takes long.
"""

import numpy as np
from scipy import linalg

from simulations.wide.directions import Direction, Gradient

# Relative residual of a direction, and the most products it may take.
TOLERANCE = 1e-3
MOST_PRODUCTS = 200
# After a direction that took so many products the preconditioner is renewed.
MANY_PRODUCTS = 25


class Metric:
    """The Hessians of one problem: products with them, and the factor of one of them.

    ``rows (n, d)``; an intercept is one more feature, 1 on every row, without a penalty.
    """

    def __init__(self, rows: np.ndarray, ridge: float, intercept: bool) -> None:
        number, dim = rows.shape
        self._rows = np.empty((number, dim + intercept), np.float32)
        self._rows[:, :dim] = rows
        self._rows[:, dim:] = 1.0
        self._penalty = np.full(dim + intercept, ridge, np.float32)
        self._penalty[dim:] = 0.0
        self._dim, self._root = dim, None
        self._stale = True

    def direction(self, curvature: np.ndarray, gradient: Gradient) -> Direction | None:
        """The direction, to a relative residual of `TOLERANCE`; None where no Hessian can be factored."""
        # Single precision has a range of its own: the system is brought to size one.
        scale = float(curvature.max())
        if not scale > 0.0:
            return None
        weights = (curvature / scale).astype(np.float32)
        penalty = self._penalty / np.float32(scale)
        target = -np.append(gradient.slope, [gradient.intercept] * (len(penalty) - self._dim))
        size = float(np.abs(target).max())
        if size == 0.0:
            return Direction(np.zeros(self._dim), 0.0)
        if self._stale and not self._factor(weights, penalty):
            return None
        solution, products = self._solve(weights, penalty, (target / size).astype(np.float32))
        self._stale = products > MANY_PRODUCTS
        found = solution.astype(float) * (size / scale)
        return Direction(found[: self._dim], float(found[self._dim :].sum()))

    def _factor(self, weights: np.ndarray, penalty: np.ndarray) -> bool:
        scaled = self._rows * np.sqrt(weights)[:, None]
        matrix = scaled.T @ scaled
        matrix[np.diag_indices_from(matrix)] += penalty + 1e-6 * np.trace(matrix) / len(matrix)
        try:
            self._root = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            return False
        return True

    def _solve(
        self, weights: np.ndarray, penalty: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """Preconditioned conjugate gradients from zero, and how many products they took."""
        solution, residual = np.zeros_like(target), target
        turned = linalg.cho_solve(self._root, residual, check_finite=False)
        way, fall = turned, float(residual @ turned)
        enough = TOLERANCE**2 * fall
        for products in range(1, MOST_PRODUCTS + 1):
            image = self._rows.T @ (weights * (self._rows @ way)) + penalty * way
            bent = float(way @ image)
            if not bent > 0.0:
                return solution, MOST_PRODUCTS
            solution = solution + np.float32(fall / bent) * way
            residual = residual - np.float32(fall / bent) * image
            turned = linalg.cho_solve(self._root, residual, check_finite=False)
            before, fall = fall, float(residual @ turned)
            if fall <= enough:
                return solution, products
            way = turned + np.float32(fall / before) * way
        return solution, MOST_PRODUCTS
