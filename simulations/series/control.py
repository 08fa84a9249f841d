"""A control variate with an exactly known mean: the estimate's error by a local filter.

The linear error ``-(W + lambda D)^-1 e`` (e: noise of the gradient) is, where W varies slowly against
the bandwidth, the filter ``1/(W + lambda k^(2s))`` with the W at hand. Filters for a few values ``w_b``
of W are interpolated:

    d(x) = -(sqrt(S)/W)(x) sum_b chi_b(x) (F_b eta)(x),   F_b = 1/(1 + (lambda/w_b) k^(2s)),
    eta = e / sqrt(S).

The next order of the error, ``(W + lambda D)^-1`` of ``-(h d + W' d^2/2)`` with h the noise of the
curvature, counts where the training law is biased (steer = (W + lambda D)^-1 g not small):

    c = -mean[steer e] + (1/2) mean[W_bal d^2] - mean[steer (h d + W' d^2/2)],    W' = W (1 - 2 pi).

``eta`` is white but for one direction per part (the number of rows is fixed), so that the means are sums
that are computed, not estimated. They are also the predicted variance and second order of the cell.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from simulations.series import cosines
from simulations.series.population import Population, slope
from simulations.series.training import Cell

# Neighbouring filters differ by this factor in W.
SPACING = 1.4


class Control(NamedTuple):
    """``filters (B, G)`` in k, their ``hats (B, G)`` in x, ``white (G,)`` = S^-1/2, ``gain (G,)`` =
    sqrt(S)/W, ``share (G,)`` = pi; exact means of both quadratic terms: ``variance``, ``second_order``."""

    filters: np.ndarray
    hats: np.ndarray
    white: np.ndarray
    gain: np.ndarray
    share: np.ndarray
    variance: float
    second_order: float

    @property
    def mean(self) -> float:
        """Mean of the control variate."""
        return self.variance + self.second_order


class Noise(NamedTuple):
    """Of replicates ``(R, G)``: ``gradient`` e, ``curvature`` h, the linear error ``moved`` d."""

    gradient: np.ndarray
    curvature: np.ndarray
    moved: np.ndarray


def hats(curvature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values ``w_b (B,)`` of W, and weights ``(B, G)`` that interpolate between them in log W; columns
    sum to 1."""
    logs = np.log(curvature)
    low, high = float(logs.min()), float(logs.max())
    count = max(2, 1 + int(np.ceil((high - low) / np.log(SPACING))))
    # A constant W needs one filter: the second then has no weight.
    span = max(high - low, 1e-9)
    at = (logs - low) / span * (count - 1)
    weights = np.maximum(0.0, 1.0 - np.abs(at[None, :] - np.arange(count)[:, None]))
    return np.exp(low + span * np.arange(count) / (count - 1)), weights


def control(cell: Cell, found: Population) -> Control:
    """The control variate of a cell.

    Args:
        cell: parts, ridge and power.
        found: its population.

    Do not trust its mean as the cell's variance where W changes within a bandwidth ``(lambda/W)^(1/2s)``;
    as a control variate it is right all the same.

    Source: paper_notes/nonparametric.md, section 6.
    """
    penalty = cell.ridge * cosines.penalty(len(found.score), cell.power)
    levels, weights = hats(found.curvature)
    filters = 1.0 / (1.0 + penalty[None, :] / levels[:, None])
    share = expit(found.score)
    bent = share * (1.0 - share)
    root = np.sqrt(found.noise)
    gain = root / found.curvature
    # Of white noise: its filtered variance at x, and its share that a filter keeps there.
    spread, kept = np.zeros((2, len(root)))
    for b in range(len(levels)):
        spread += weights[b] ** 2 * cosines.diagonal(filters[b] ** 2)
        kept += weights[b] * cosines.diagonal(filters[b])
        if b + 1 < len(levels):
            both = cosines.diagonal(filters[b] * filters[b + 1])
            spread += 2.0 * weights[b] * weights[b + 1] * both
    shared = np.zeros(len(root))
    for part in cell.parts:
        scale = part.weight / part.rows**0.5 * part.density
        slopes = scale * slope(part, share)
        shared += scale / part.rows**0.5 * part.weight * slope(part, share) * bent * kept / root
        # A part of so many rows cannot vary in one direction.
        fixed = filtered(slopes / root, filters, weights)
        spread -= fixed**2
        shared -= scale * bent * fixed
    variance = gain**2 * spread
    # shared is -Cov(h, d)/gain at x.
    pull = gain * shared - 0.5 * found.curvature * (1.0 - 2.0 * share) * variance
    return Control(
        filters,
        weights,
        1.0 / root,
        gain,
        share,
        0.5 * float((found.balanced * variance).mean()),
        float((found.steer * pull).mean()),
    )


def filtered(eta: np.ndarray, filters: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``sum_b chi_b F_b eta`` for ``eta (.., G)``."""
    theta = cosines.coefficients(eta)
    total = np.zeros_like(eta)
    for shape, hat in zip(filters, weights, strict=True):
        total += hat * cosines.values(shape * theta)
    return total


def noise_of(kept: Control, cell: Cell, counts: list[np.ndarray]) -> Noise:
    """The noise of replicates; ``counts``: one ``(R, G)`` per part of the cell."""
    gradient, curvature = np.zeros(counts[0].shape), np.zeros(counts[0].shape)
    bent = kept.share * (1.0 - kept.share)
    for part, count in zip(cell.parts, counts, strict=True):
        excess = part.weight * (len(kept.share) / part.rows * count - part.density)
        gradient += slope(part, kept.share) * excess
        curvature += bent * excess
    moved = -kept.gain * filtered(kept.white * gradient, kept.filters, kept.hats)
    return Noise(gradient, curvature, moved)


def control_values(kept: Control, found: Population, noise: Noise) -> np.ndarray:
    """The control of replicates ``(R,)``, its mean not taken off."""
    bend = 0.5 * found.curvature * (1.0 - 2.0 * kept.share) * noise.moved**2
    pull = noise.gradient + noise.curvature * noise.moved + bend
    quadratic = 0.5 * found.balanced * noise.moved**2
    return (quadratic - found.steer * pull).mean(axis=-1)
