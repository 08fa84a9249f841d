"""A control variate with an exactly known mean: the estimate's error by a local filter.

The linear error ``-(W + lambda D)^-1 e`` (e: noise of the gradient) is, where W varies slowly against the
bandwidth, the filter ``1/(W + lambda k^(2s))`` with the W at hand. Filters for a few values ``w_b`` of W are
interpolated:

    d(x) = -(sqrt(S)/W)(x) sum_b chi_b(x) (F_b eta)(x),   F_b = 1/(1 + (lambda/w_b) k^(2s)),
    eta = e / sqrt(S),        c = -mean[steer e] + (1/2) mean[W_bal d^2] .

``eta`` is white but for one direction per part (the number of rows is fixed), so that the mean of c is
a sum that is computed, not estimated; it is also the predicted variance of the cell. The same local sums
give the other term of that order, which counts where the training law is biased (steer = A g not small):

    second order = mean[ steer ( Q(x) sum_k phi_k^2/(W + lambda k^(2s)) - (1/2) W'(x) Var u^(x) ) ],
    Q = sum_c (w_c^2/k_c) p_c l'' l'_c,    W' = (a + b) pi (1 - pi) (1 - 2 pi).
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
    sqrt(S)/W, ``slopes (P, G)``: w l'/k of each part; ``mean``: of the control, exact; ``second_order``."""

    filters: np.ndarray
    hats: np.ndarray
    white: np.ndarray
    gain: np.ndarray
    slopes: np.ndarray
    mean: float
    second_order: float


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

    Do not trust its mean as the cell's variance where W changes within a bandwidth ``(lambda/W)^(1/2s)``;
    as a control variate it is right all the same.

    Source: paper_notes/nonparametric.md, section 6.
    """
    penalty = cell.ridge * cosines.penalty(len(found.score), cell.power)
    levels, weights = hats(found.curvature)
    filters = 1.0 / (1.0 + penalty[None, :] / levels[:, None])
    share = expit(found.score)
    root = np.sqrt(found.noise)
    slopes = np.stack([p.weight / p.rows * slope(p, share) for p in cell.parts])
    gain = root / found.curvature
    # Var of the filtered noise at x: that of white noise, ..
    variance = np.zeros(len(root))
    for b in range(len(levels)):
        variance += weights[b] ** 2 * cosines.diagonal(filters[b] ** 2)
        if b + 1 < len(levels):
            both = cosines.diagonal(filters[b] * filters[b + 1])
            variance += 2.0 * weights[b] * weights[b + 1] * both
    # .. less the direction in which a part of so many rows cannot vary.
    each_part = list(zip(cell.parts, slopes, strict=True))
    for part, one in each_part:
        fixed = part.rows**0.5 * part.density * one / root
        variance -= filtered(fixed, filters, weights) ** 2
    variance *= gain**2
    mean = 0.5 * float((found.balanced * variance).mean())
    # l'' of a row is pi (1 - pi), whatever its label.
    bent = share * (1.0 - share)
    moved = sum(
        (part.rows * part.density * one**2 / slope(part, share) for part, one in each_part),
        np.zeros(len(root)),
    )
    inverse = sum(
        (hat * cosines.diagonal(shape) for shape, hat in zip(filters, weights, strict=True)),
        np.zeros(len(root)),
    )
    pull = bent * moved * inverse / found.curvature
    pull -= 0.5 * found.curvature * (1.0 - 2.0 * share) * variance
    second = float((found.steer * pull).mean())
    return Control(filters, weights, 1.0 / root, gain, slopes, mean, second)


def filtered(eta: np.ndarray, filters: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``sum_b chi_b F_b eta`` for ``eta (.., G)``."""
    theta = cosines.coefficients(eta)
    total = np.zeros_like(eta)
    for shape, hat in zip(filters, weights, strict=True):
        total += hat * cosines.values(shape * theta)
    return total


def control_values(
    kept: Control, cell: Cell, found: Population, counts: list[np.ndarray]
) -> np.ndarray:
    """The control of replicates ``(R,)``; ``counts``: one ``(R, G)`` per part of the cell."""
    grid = len(found.score)
    noise = np.zeros(counts[0].shape)
    for part, one, count in zip(cell.parts, kept.slopes, counts, strict=True):
        noise += one * (grid * count - part.rows * part.density)
    moved = kept.gain * filtered(kept.white * noise, kept.filters, kept.hats)
    linear = -(found.steer * noise).mean(axis=-1)
    return linear + 0.5 * (found.balanced * moved**2).mean(axis=-1)
