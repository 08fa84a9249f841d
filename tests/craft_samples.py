"""The simulated table drawn as its authors draw it, in plain NumPy, for tests."""

from functools import cache

import numpy as np

FEATURES = 9


def authors_rows(rng: np.random.Generator, rows: int, noise: float, sign: bool = False):
    """Features ``(rows, 9)`` and scores ``S (rows,)``, with NumPy's own rounding."""
    z = rng.standard_normal((8, rows))
    x1, x2 = np.round(z[0], 1), np.round(z[1], 1)
    x3 = np.round(0.5 * x1 + 0.3 * x2 + 0.5 * z[2], 1)
    x4, x5 = np.round(z[3] * x1, 1), np.round(z[4] + 0.5 * x3, 1)
    x6 = np.where(z[5] < 0.0, -1.0, 1.0) if sign else np.round(z[5], 1)
    x7, x8, x9 = np.round(z[6], 1), np.round(x2 * x3, 1), np.round(x1 * x2, 1)
    score = 1.5 + 0.7 * x1 - 0.6 * x2 + 0.8 * x3 + 0.4 * x9 + noise * z[7]
    return np.stack([x1, x2, x3, x4, x5, x6, x7, x8, x9], axis=1), score


@cache
def large_sample(noise: float, rows: int = 1_000_000) -> tuple[np.ndarray, np.ndarray]:
    """The same for every test of a session."""
    return authors_rows(np.random.default_rng(20240523), rows, noise)


def columns(x: np.ndarray) -> np.ndarray:
    """First and second moments of rows ``(N, 9)``: their features and distinct products, ``(N, 54)``."""
    upper = np.triu_indices(FEATURES)
    return np.concatenate([x, x[:, upper[0]] * x[:, upper[1]]], axis=1)
