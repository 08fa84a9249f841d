"""The fitted Gaussian: rows of N(mu^, S^), mean and covariance those of the raw rows.

    mu^ = (1/n) sum_i x_i,     S^ = (1/n) sum_i (x_i - mu^)(x_i - mu^)' = L^ L^',     x = mu^ + L^ z

The divisor is n, as maximum likelihood has it: what changes with n - 1 is of relative order 1/n in the
generator's covariance, and so no part of a first-order variance.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax


class FittedGaussian(NamedTuple):
    """``mean (d,)``, ``root (d, d)`` (lower triangle) and whether a covariance was ``found``."""

    mean: Array
    root: Array
    found: Array


def fitted_mean(rows: Array, count: Array | int) -> Array:
    """The mean ``(d,)`` of the first ``count`` of ``rows (n_max, d)``."""
    return _raw(rows, count).sum(axis=0) / count


def fit_gaussian(rows: Array, count: Array | int) -> FittedGaussian:
    """Mean and root of the covariance of the first ``count`` rows.

    Args:
        rows: raw rows ``(n_max, d)``; those from ``count`` on are padding and may hold anything.
        count: number of raw rows ``n``, 1 .. n_max; may be traced.

    Returns:
        The fit. ``found`` is false where the rows do not span all dimensions: with ``n <= d``, which is
        counted and not left to rounding, or where the covariance has no Cholesky root in floating
        point. The root is then 0, and the generator would repeat the mean: do not use it.

    >>> from simulations.compilation import quick_jit
    >>> rows = jnp.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0], [jnp.nan, 9.0]])
    >>> fit = quick_jit(fit_gaussian)(rows, 4)
    >>> fit.mean.tolist(), fit.root.tolist(), bool(fit.found)
    ([1.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], True)
    """
    mean = fitted_mean(rows, count)
    valid = (jnp.arange(rows.shape[0]) < count)[:, None]
    centred = jnp.where(valid, rows - mean[None], 0.0)
    root = lax.linalg.cholesky(centred.T @ centred / count)
    found = (jnp.asarray(count) > rows.shape[1]) & jnp.isfinite(root).all()
    return FittedGaussian(mean, jnp.where(found, root, 0.0), found)


def gaussian_rows(mean: Array, root: Array, normals: Array) -> Array:
    """Rows ``mu^ + L z``, ``(m, d)``, for standard normals ``z (m, d)``.

    With the fitted root both mean and covariance are estimated; with a root of the true covariance it
    is only the mean.
    """
    return mean[None] + normals @ root.T


def _raw(rows: Array, count: Array | int) -> Array:
    """The rows with padding set to zero."""
    return jnp.where((jnp.arange(rows.shape[0]) < count)[:, None], rows, 0.0)
