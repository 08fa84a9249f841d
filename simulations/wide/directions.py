"""Newton directions of weighted problems with a ridge, in the smaller of the rows' two spaces.

For the objective ``sum_i w_i l(u_i) + ridge/2 |slope|^2`` with scores ``u = X slope + b`` and the rows'
curvatures ``c_i = w_i l''(u_i)`` the direction ``(p, q)`` solves

    (ridge I + X'C X) p + X'c q = -g,        c'X p + (sum c) q = -h

with the gradient ``g (d,)`` in the slope and ``h`` in the intercept. With fewer features than rows the
matrix is formed as it stands. Otherwise the unknown is what each row pulls, ``z = sqrt(c) (X p + q)``:

    (I + sqrt(C) X X' sqrt(C) / ridge) z = sqrt(c) (q - X g / ridge),    p = -(g + X' sqrt(c) z)/ridge,

a matrix of the rows' inner products, as well conditioned as the first one.
"""

from typing import NamedTuple

import numpy as np
from scipy import linalg

from simulations.arrays import AnyArray


class Direction(NamedTuple):
    """``slope (d,)`` and ``intercept``, a number (0 where the problem has none)."""

    slope: AnyArray
    intercept: float


class Gradient(NamedTuple):
    """Derivatives of an objective in the ``slope (d,)`` and in the ``intercept``."""

    slope: AnyArray
    intercept: float


def by_features(
    rows: np.ndarray, curvature: np.ndarray, gradient: Gradient, ridge: float, intercept: bool
) -> Direction | None:
    """The direction from the matrix of features ``(d, d)``; None where it is singular.

    Costs n d^2 operations. ``rows (n, d)``, ``curvature (n,)`` >= 0.

    Args:
        rows: ``(n, d)``.
        curvature: second derivative of each row's loss ``(n,)``.
        gradient: of the objective.
        ridge: lambda.
        intercept: whether the rule has one.
    """
    scaled = rows * np.sqrt(curvature)[:, None]
    matrix = scaled.T @ scaled
    matrix[np.diag_indices_from(matrix)] += ridge
    try:
        root = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        return None
    if not intercept:
        return Direction(-linalg.cho_solve(root, gradient.slope, check_finite=False), 0.0)
    border = rows.T @ curvature
    both = np.column_stack([gradient.slope, border])
    own, turned = linalg.cho_solve(root, both, check_finite=False).T
    schur = curvature.sum() - border @ turned
    if not schur > 0.0:
        return None
    step = (border @ own - gradient.intercept) / schur
    return Direction(-own - step * turned, step)


def by_rows(
    rows: np.ndarray,
    curvature: np.ndarray,
    gradient: Gradient,
    ridge: float,
    intercept: bool,
    products: np.ndarray | None = None,
) -> Direction | None:
    """The direction from the matrix of rows ``(n, n)``; None where it is singular or ridge is 0.

    Costs d n^2 operations, less where ``products = rows rows'`` is at hand.

    Args:
        rows: ``(n, d)``.
        curvature: second derivative of each row's loss ``(n,)``.
        gradient: of the objective.
        ridge: lambda.
        intercept: whether the rule has one.
        products: of the rows with each other, where known.
    """
    if not ridge > 0.0:
        return None
    root_weight = np.sqrt(curvature)
    products = rows @ rows.T if products is None else products
    matrix = products * root_weight[:, None]
    matrix *= root_weight[None, :] / ridge
    matrix[np.diag_indices_from(matrix)] += 1.0
    try:
        root = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        return None
    pulled = root_weight * (rows @ gradient.slope) / ridge
    if not intercept:
        z, step = -linalg.cho_solve(root, pulled, check_finite=False), 0.0
    else:
        both = np.column_stack([pulled, root_weight])
        own, turned = linalg.cho_solve(root, both, check_finite=False).T
        schur = root_weight @ turned
        if not schur > 0.0:
            return None
        step = (root_weight @ own - gradient.intercept) / schur
        z = step * turned - own
    return Direction(-(gradient.slope + rows.T @ (root_weight * z)) / ridge, step)


def direction(
    rows: np.ndarray,
    curvature: np.ndarray,
    gradient: Gradient,
    ridge: float,
    intercept: bool,
    products: np.ndarray | None = None,
) -> Direction | None:
    """The exact direction, in the smaller of the two spaces; None where there is no unique one.

    >>> rows, ones = np.array([[1.0, 0.0], [0.0, 2.0]]), np.ones(2)
    >>> found = direction(rows, ones, Gradient(np.array([-1.5, 0.0]), 0.0), 0.5, False)
    >>> round(float(found.slope[0]), 12)
    1.0
    """
    if ridge > 0.0 and len(rows) < rows.shape[1]:
        return by_rows(rows, curvature, gradient, ridge, intercept, products)
    return by_features(rows, curvature, gradient, ridge, intercept)
