"""Rows with noise features, and what is known exactly of a sample of them."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from simulations.memorising.world import ATTRIBUTES, CONFLICTING, LABELS, World, row_weights

# Deviates and weights of the standard normal for the one mean that has no closed form.
_Z = np.linspace(-9.0, 9.0, 241)
_Z_WEIGHT = np.exp(-0.5 * _Z**2) / np.exp(-0.5 * _Z**2).sum()


class Reference(NamedTuple):
    """A rule near the fitted ones, for control variates: weights of ``core`` and ``spurious`` feature and
    the ``spread`` of its scores. Any numbers (spread > 0) give controls of mean 0; those of the fixed point
    give good ones."""

    core: float
    spurious: float
    spread: float


class Drawn(NamedTuple):
    """``features (n, 2 + r)``, ``labels (n,)`` in 0/1, and ``controls (18,)`` of mean 0."""

    features: np.ndarray
    labels: np.ndarray
    controls: np.ndarray


def noise_features(rng: np.random.Generator, rows: int, dim: int) -> np.ndarray:
    """Standard normal rows ``(n, min(n, d))``: of more features than rows only their inner products.

    A ridge rule lies in the span of its rows, and its errors do not change when features are rotated. So
    where d > n the rows may stand in n coordinates in which they are lower triangular: normal below
    the diagonal, on it the roots of chi-squares with d, d - 1, .. degrees of freedom (Bartlett). Exact.

    Args:
        rng: where they come from.
        rows: n.
        dim: d.

    >>> rng = np.random.default_rng(0)
    >>> noise_features(rng, 3, 2).shape, noise_features(rng, 3, 10_000).shape
    ((3, 2), (3, 3))
    """
    if dim <= rows:
        return rng.standard_normal((rows, dim))
    lower = np.tril(rng.standard_normal((rows, rows)), -1)
    lower[np.diag_indices(rows)] = np.sqrt(rng.chisquare(dim - np.arange(rows)))
    return lower


def draw(
    of: World, counts: np.ndarray, dim: int, near: Reference, rng: np.random.Generator
) -> Drawn:
    """A training sample with ``counts (4,)`` rows of the groups and ``dim`` noise features."""
    group = np.repeat(np.arange(4), counts)
    drawn = rng.standard_normal((len(group), 2))
    label, attribute = LABELS[group], ATTRIBUTES[group]
    # Towards label and attribute, in standard deviations: standard normal in every group.
    toward = np.column_stack([label * drawn[:, 0], attribute * drawn[:, 1]])
    wide = noise_features(rng, len(group), dim)
    span = np.array([of.core, of.spurious]) ** 0.5 * drawn
    features = np.column_stack(
        [label + span[:, 0], attribute + span[:, 1], (of.noise / dim) ** 0.5 * wide]
    )
    controls = _controls(of, counts, dim, near, toward, wide)
    return Drawn(features, 0.5 * (label + 1.0), controls)


def _controls(
    of: World,
    counts: np.ndarray,
    dim: int,
    near: Reference,
    toward: np.ndarray,
    wide: np.ndarray,
) -> np.ndarray:
    """Sample sums less their means, by conflicting and aligned rows: first and second moments of the span,
    the pull ``Phi(1 - a/q)`` of the margin a at the reference and its products with the span, and the
    inner products of what both kinds of rows pull along the noise."""
    group = np.repeat(np.arange(4), counts)
    weights, label = row_weights(counts), LABELS[group]
    parts, pulls, squares = [], [], []
    for kind, side in ((CONFLICTING, -1.0), (~CONFLICTING, 1.0)):
        rows = kind[group]
        z = toward[rows]
        second = z.T @ z / len(z) - np.eye(2)
        slope = np.array([near.core * of.core**0.5, side * near.spurious * of.spurious**0.5])
        mean, square = near.core + side * near.spurious, float(slope @ slope)
        pull = ndtr(1.0 - (mean + z @ slope) / near.spread)
        width = np.hypot(near.spread, square**0.5)
        at = (near.spread - mean) / width
        # Stein: E pull z = slope E pull', and both are those of a normal of the joint width.
        bend = -slope * np.exp(-0.5 * at**2) / (np.sqrt(2.0 * np.pi) * width)
        first = [pull.mean() - ndtr(at), *(pull @ z / len(z) - bend)]
        parts += [*z.mean(axis=0), second[0, 0], second[1, 1], second[0, 1], *first]
        pulls.append((weights[rows] * label[rows] * pull) @ wide[rows])
        spread = ndtr(1.0 - (mean + square**0.5 * _Z) / near.spread) ** 2
        squares.append(float((weights[rows] ** 2).sum()) * float(_Z_WEIGHT @ spread))
    few, many = pulls
    total = few + many
    along = [float(total @ total) / dim - sum(squares), float(few @ many) / dim]
    return np.array([*parts, *along])
