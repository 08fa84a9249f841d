"""Linear algebra with symmetric positive definite matrices.

Cholesky throughout: half the work of a general solve, quick to compile, and NaN where
a matrix is not positive definite, which is how a singular Hessian is noticed.

Products with vectors are written as sums of products: XLA compiles them into the loops around them,
whereas each product of its own costs it some 10 ms, more than all else in a small program.
"""

import jax.numpy as jnp
from jax import Array, lax


def inner(left: Array, right: Array) -> Array:
    """Sums over the last axis of ``left * right``, the axes before it alike: ``(..., p)`` -> ``(...)``."""
    return (left * right).sum(axis=-1)


def times(matrix: Array, vector: Array) -> Array:
    """``matrix vector`` for matrices ``(..., k, p)`` and vectors ``(..., p)``."""
    return inner(matrix, vector[..., None, :])


def solve(matrix: Array, vectors: Array) -> Array:
    """``matrix^-1 vectors`` for matrices ``(..., p, p)`` and vectors ``(..., p)``."""
    return _solve(matrix, vectors[..., None])[..., 0]


def inverse(matrix: Array) -> Array:
    """The symmetric inverse of one matrix ``(p, p)``."""
    result = _solve(matrix, jnp.eye(matrix.shape[-1]))
    return 0.5 * (result + result.T)


def _solve(matrix: Array, columns: Array) -> Array:
    root = lax.linalg.cholesky(matrix)
    half = lax.linalg.triangular_solve(root, columns, left_side=True, lower=True)
    return lax.linalg.triangular_solve(root, half, left_side=True, lower=True, transpose_a=True)
