"""Rows with noise features, and what is known exactly of a sample of them."""

from typing import NamedTuple

import numpy as np

from simulations.memorising.world import ATTRIBUTES, CONFLICTING, LABELS, World


class Drawn(NamedTuple):
    """``features (n, 2 + r)``, ``labels (n,)`` in 0/1, and ``controls``: sample moments less their means."""

    features: np.ndarray
    labels: np.ndarray
    controls: np.ndarray


def noise_features(rng: np.random.Generator, rows: int, dim: int) -> np.ndarray:
    """Standard normal rows ``(n, min(n, d))``: of more features than rows only their inner products.

    A ridge rule lies in the span of its rows, and its errors do not change when the features are rotated. So
    where d > n the rows may stand in n coordinates in which they are lower triangular: normal below
    the diagonal, on it the roots of chi-squares with d, d - 1, .. degrees of freedom (Bartlett). Exact.

    >>> rng = np.random.default_rng(0)
    >>> noise_features(rng, 3, 2).shape, noise_features(rng, 3, 10_000).shape
    ((3, 2), (3, 3))
    """
    if dim <= rows:
        return rng.standard_normal((rows, dim))
    lower = np.tril(rng.standard_normal((rows, rows)), -1)
    lower[np.diag_indices(rows)] = np.sqrt(rng.chisquare(dim - np.arange(rows)))
    return lower


def draw(of: World, counts: np.ndarray, dim: int, rng: np.random.Generator) -> Drawn:
    """A training sample with ``counts (4,)`` rows of the groups and ``dim`` noise features."""
    group = np.repeat(np.arange(4), counts)
    noise = rng.standard_normal((len(group), 2))
    label, attribute = LABELS[group], ATTRIBUTES[group]
    core, spurious = label + of.core**0.5 * noise[:, 0], attribute + of.spurious**0.5 * noise[:, 1]
    wide = noise_features(rng, len(group), dim)
    features = np.column_stack([core, spurious, (of.noise / dim) ** 0.5 * wide])
    # Towards label and attribute, in standard deviations: standard normal in every group.
    toward = np.column_stack([label * noise[:, 0], attribute * noise[:, 1]])
    few = CONFLICTING[group]
    controls = np.concatenate([_moments(toward[few]), _moments(toward[~few])])
    return Drawn(features, 0.5 * (label + 1.0), controls)


def _moments(z: np.ndarray) -> np.ndarray:
    """First and second sample moments of rows that are standard normal, less what they are on average."""
    second = z.T @ z / len(z) - np.eye(2)
    return np.array([*z.mean(axis=0), second[0, 0], second[1, 1], second[0, 1]])
