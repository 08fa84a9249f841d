"""Newton's method in NumPy, ratio by ratio: what most people would write.

A ratio starts at its population minimiser, or where its neighbour ended, moved by what lies
between their population minimisers. Newton's error squares with every step; with the Hessian kept
it shrinks by a constant factor (about 20 here) and more is asked of the last step.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.rows import Cell, Sample, cells_of, in_single, sigmoid

NEAR, NEAR_KEPT, NEAR_SINGLE, MOST_STEPS = 3e-4, 1e-6, 1e-5, 40
Hessian = Callable[[np.ndarray, np.ndarray], np.ndarray]


def scaled_rows(rows: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """``(w X)' X``."""
    return (rows * curvature[:, None]).T @ rows


def root_rows(rows: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """``B' B`` with ``B = sqrt(w) X``: BLAS computes one triangle only."""
    root = rows * np.sqrt(curvature)[:, None]
    return root.T @ root


def one_by_one(
    sample: Sample, hessian: Hessian = scaled_rows, neighbour: bool = True, kept: bool = False
) -> np.ndarray:
    """All ratios in double precision; with ``kept`` the Hessian of a ratio's first step serves all."""
    found = np.empty_like(sample.starts)
    for c, cell in enumerate(cells_of(sample)):
        start = _start(sample, found, c) if neighbour else sample.starts[c]
        found[c] = _solve(cell, start, hessian, kept)
    return found


def kept_single(sample: Sample) -> np.ndarray:
    """The Hessian kept, single precision until the last steps."""
    found = np.empty_like(sample.starts)
    pairs = zip(cells_of(in_single(sample)), cells_of(sample), strict=True)
    for c, (rough, cell) in enumerate(pairs):
        theta, inverse = _kept(rough, _start(sample, found, c), None, NEAR_SINGLE)
        found[c], _ = _kept(cell, theta, inverse, NEAR_KEPT)
    return found


def products(sample: Sample) -> np.ndarray:
    """Hessians from the products ``x_i x_j``, computed once for all ratios."""
    i, j = np.triu_indices(sample.rows.shape[1])
    table = sample.rows[:, i] * sample.rows[:, j]

    def hessian(rows: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        full = np.empty((rows.shape[1], rows.shape[1]))
        full[i, j] = full[j, i] = curvature @ table[: len(rows)]
        return full

    return one_by_one(sample, hessian)


def _start(sample: Sample, found: np.ndarray, c: int) -> np.ndarray:
    return sample.starts[c] + (found[c - 1] - sample.starts[c - 1] if c else 0.0)


def _slopes(cell: Cell, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals and probabilities of the rows, the former weighted."""
    q = sigmoid(cell.rows @ theta.astype(cell.rows.dtype, copy=False))
    residual = q - cell.labels
    if cell.weights is not None:
        residual *= cell.weights
    return residual, q


def _curvature(cell: Cell, q: np.ndarray) -> np.ndarray:
    curvature = q * (1 - q)
    return curvature if cell.weights is None else curvature * cell.weights


def _solve(cell: Cell, theta: np.ndarray, hessian: Hessian, kept: bool) -> np.ndarray:
    if kept:
        return _kept(cell, theta, None, NEAR_KEPT)[0]
    for _ in range(MOST_STEPS):
        residual, q = _slopes(cell, theta)
        step = np.linalg.solve(hessian(cell.rows, _curvature(cell, q)), residual @ cell.rows)
        theta = theta - step
        if np.abs(step).max() < NEAR:
            break
    return theta


def _kept(
    cell: Cell, theta: np.ndarray, inverse: np.ndarray | None, near: float
) -> tuple[np.ndarray, np.ndarray]:
    """Steps with one inverse Hessian, that of the start where none is given."""
    for _ in range(MOST_STEPS):
        residual, q = _slopes(cell, theta)
        if inverse is None:
            inverse = np.linalg.inv(scaled_rows(cell.rows, _curvature(cell, q)))
        step = inverse @ (residual @ cell.rows)
        theta = theta - step
        if np.abs(step).max() < near:
            break
    assert inverse is not None
    return theta, inverse
