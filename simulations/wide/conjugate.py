"""Newton directions of large problems by conjugate gradients in single precision.

A direction need not be exact: its error multiplies the error of the step, and the gradient that the
next step starts from is exact. So early directions are coarse. Where one takes many products a Hessian is
formed and factored, to precondition those that follow, and again when they take many.
"""

import numpy as np
from scipy import linalg

from simulations.wide.directions import Direction, Gradient

# Relative residuals of directions, the coarsest and the finest, and the most products one may take.
COARSE, FINE = 0.1, 1e-3
MOST_PRODUCTS = 200
# Products in one direction after which a Hessian is formed, by whether one is held already: forming
# and factoring one costs as much as some sixty products.
MANY_PRODUCTS, MANY_PRECONDITIONED = 60, 25


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
        self._stale = False

    def direction(
        self, curvature: np.ndarray, gradient: Gradient, tolerance: float = FINE
    ) -> Direction | None:
        """The direction, to a relative residual of ``tolerance`` between `FINE` and `COARSE`; None where a
        Hessian that is needed cannot be factored."""
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
        start = (target / size).astype(np.float32)
        solution, products = self._solve(weights, penalty, start, np.clip(tolerance, FINE, COARSE))
        self._stale = products > (MANY_PRODUCTS if self._root is None else MANY_PRECONDITIONED)
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

    def _precondition(self, residual: np.ndarray) -> np.ndarray:
        if self._root is None:
            return residual
        return linalg.cho_solve(self._root, residual, check_finite=False)

    def _solve(
        self, weights: np.ndarray, penalty: np.ndarray, target: np.ndarray, tolerance: float
    ) -> tuple[np.ndarray, int]:
        """Preconditioned conjugate gradients from zero, and how many products they took."""
        solution, residual = np.zeros_like(target), target
        turned = self._precondition(residual)
        way, fall = turned, float(residual @ turned)
        enough = tolerance**2 * fall
        for products in range(1, MOST_PRODUCTS + 1):
            image = self._rows.T @ (weights * (self._rows @ way)) + penalty * way
            bent = float(way @ image)
            if not bent > 0.0:
                return solution, MOST_PRODUCTS
            solution = solution + np.float32(fall / bent) * way
            residual = residual - np.float32(fall / bent) * image
            turned = self._precondition(residual)
            before, fall = fall, float(residual @ turned)
            if fall <= enough:
                return solution, products
            way = turned + np.float32(fall / before) * way
        return solution, MOST_PRODUCTS
