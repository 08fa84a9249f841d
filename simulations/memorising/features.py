"""Random features: rows of ``dim`` core and ``dim`` spurious features through m ReLU projections.

A row of group ``(y, a)`` is ``x = (y 1 + core^1/2 z, a 1 + spurious^1/2 z')``, both parts of length dim;
its features are ``max(W x, 0)``, the m rows of W uniform on the unit sphere.
"""

import numpy as np

from simulations.memorising.world import ATTRIBUTES, LABELS, World


def inputs(of: World, counts: np.ndarray, dim: int, rng: np.random.Generator) -> np.ndarray:
    """``x (n, 2 dim)`` of ``counts (4,)`` rows of the groups."""
    group = np.repeat(np.arange(4), counts)
    noise = rng.standard_normal((2, len(group), dim))
    core = LABELS[group][:, None] + of.core**0.5 * noise[0]
    spurious = ATTRIBUTES[group][:, None] + of.spurious**0.5 * noise[1]
    return np.concatenate([core, spurious], axis=1)


def projections(dim: int, features: int, rng: np.random.Generator) -> np.ndarray:
    """W ``(m, 2 dim)``, rows uniform on the unit sphere.

    >>> rows = projections(3, 5, np.random.default_rng(0))
    >>> bool(np.allclose((rows**2).sum(axis=1), 1.0))
    True
    """
    drawn = rng.standard_normal((features, 2 * dim))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def rectified(x: np.ndarray, through: np.ndarray) -> np.ndarray:
    """``max(x W', 0)``, ``(n, m)``."""
    return np.maximum(x @ through.T, 0.0)
