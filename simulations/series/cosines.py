"""Cosine series on the midpoints ``x_j = (j + 1/2)/G`` of [0, 1].

    u(x) = sum_{k < G} theta_k phi_k(x),   phi_0 = 1,  phi_k = sqrt(2) cos(pi k x).

On these points the G functions are orthonormal under the mean over the grid, so that values and
coefficients are a discrete cosine transform apart: O(G log G).
"""

import numpy as np
from scipy.fft import dct, idct


def coefficients(values: np.ndarray) -> np.ndarray:
    """``theta_k = mean_j u(x_j) phi_k(x_j)`` of values ``(.., G)``.

    >>> x = midpoints(8)
    >>> coefficients(3.0 + np.sqrt(2.0) * np.cos(2 * np.pi * x))[:3:2].round(12).tolist()
    [3.0, 1.0]
    """
    return dct(values, type=2, norm="ortho", axis=-1) * values.shape[-1] ** -0.5


def values(coefficients: np.ndarray) -> np.ndarray:
    """``u(x_j)`` from coefficients ``(.., G)``; the inverse of `coefficients`."""
    return idct(coefficients, type=2, norm="ortho", axis=-1) * coefficients.shape[-1] ** 0.5


def midpoints(grid: int) -> np.ndarray:
    """The points ``x_j``, ``(G,)``."""
    return (np.arange(grid) + 0.5) / grid


def penalty(grid: int, power: float) -> np.ndarray:
    """``k^(2s)`` for k = 0 .. G-1: the constant is not penalised.

    >>> penalty(4, 1.0).tolist()
    [0.0, 1.0, 4.0, 9.0]
    """
    return np.arange(grid, dtype=float) ** (2.0 * power)


def diagonal(squares: np.ndarray) -> np.ndarray:
    """``sum_k c_k phi_k(x_j)^2`` for coefficients ``c (G,)``: ``phi_k^2 = 1 + cos(2 pi k x)``.

    ``cos(2 pi k x_j)`` with ``2k > G`` is minus the cosine of frequency ``2G - 2k``; with ``2k = G`` it is
    0.

    Args:
        squares: the coefficients c.

    >>> c = np.arange(6.0)
    >>> full = [(c * values(np.eye(6))[:, j] ** 2).sum() for j in range(6)]
    >>> np.allclose(diagonal(c), full, atol=1e-13)
    True
    """
    grid = len(squares)
    folded = np.zeros(grid)
    double = 2 * np.arange(1, grid)
    low, high = double < grid, double > grid
    folded[double[low]] += squares[1:][low]
    folded[2 * grid - double[high]] -= squares[1:][high]
    # values() multiplies cosines by sqrt(2).
    return squares.sum() + values(folded) * 0.5**0.5
