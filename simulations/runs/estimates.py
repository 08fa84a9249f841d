"""From moments to estimates: mean, standard error, failures, control variates.

With ``y`` a measure and ``c`` its J control variates, of mean exactly 0, the estimate is the mean of
``y - beta'c``. Each half's coefficients ``beta`` are the least-squares ones of the other half, so
that they are independent of what they multiply and no bias comes in (paper_notes/estimation.md).
"""

from typing import NamedTuple

import numpy as np

from simulations.runs.moments import Moments, halves, moments, one_sample, other_half
from simulations.sampling.newton import FOUND, STATUS
from simulations.sampling.replicate import Results

# Found replicates per control variate that a half needs before coefficients are taken from it.
ROWS_PER_COEFFICIENT = 20
# Directions of the controls below this share of the largest count as absent (collinear controls).
COLLINEAR = 1e-10
# A control whose spread is below this share of the measure's is rounding: its gradient is zero in theory.
ROUNDING = 1e-10


class Evidence(NamedTuple):
    """What the estimate of each half rests on.

    ``own``: moments of the half's replicates; ``other``: of those replicates of the other half that
    may speak about it. ``equal``: whether halves weigh the same (needed where the halves
    decide about each other's size) or by their replicates (which gives the plain mean).
    """

    own: Moments
    other: Moments
    equal: bool


class Estimates(NamedTuple):
    """Per cell and measure ``(C, 2, K + 1)``: the estimate and its standard error, with the control
    variates where their mean is exact and plain (``_raw``); per cell ``(C,)``: replicates run and
    how many of them have no estimator (they are left out of the means, never redrawn)."""

    estimate: np.ndarray
    se: np.ndarray
    estimate_raw: np.ndarray
    se_raw: np.ndarray
    replicates: np.ndarray
    failures: np.ndarray


def evidence_of(quarters: Moments) -> Evidence:
    """The evidence of a fixed number of replicates: each half speaks about the other."""
    both = halves(quarters)
    return Evidence(both, other_half(both), False)


def coefficients(sample: Moments) -> np.ndarray:
    """Least-squares coefficients of ``y`` on its controls, intercept included: ``(.., J)``.

    Controls that are constant, collinear or no numbers get the coefficients of smallest norm; those
    that are rounding get none, or the estimate would depend on the last bits of a zero.

    Args:
        sample: moments of ``y`` and its controls.
    """
    covariance = np.nan_to_num(sample.scatter[..., 1:, 1:], posinf=0.0, neginf=0.0)
    with_y = np.nan_to_num(sample.scatter[..., 1:, 0], posinf=0.0, neginf=0.0)
    scale = np.sqrt(np.einsum("...jj->...j", covariance))
    own = np.sqrt(np.nan_to_num(sample.scatter[..., 0, 0], posinf=0.0))
    real = scale > ROUNDING * own[..., None]
    scale, with_y = np.where(real, scale, 1.0), np.where(real, with_y, 0.0)
    both = real[..., :, None] & real[..., None, :]
    correlation = np.where(both, covariance, 0.0) / (scale[..., :, None] * scale[..., None, :])
    inverse = np.linalg.pinv(correlation, rcond=COLLINEAR, hermitian=True)
    return (inverse @ (with_y / scale)[..., None])[..., 0] / scale


def adjusted(sample: Moments, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of ``y - beta'c``, and the sum of squared deviations from it: ``(.., 2, K + 1)`` each."""
    direction = np.concatenate([np.ones((*beta.shape[:-1], 1)), -beta], axis=-1)
    mean = (direction * sample.mean).sum(axis=-1)
    squares = np.einsum("...i,...ij,...j->...", direction, sample.scatter, direction)
    return mean, np.maximum(squares, 0.0)


def without_controls(sample: Moments) -> Moments:
    """The moments of ``y`` alone."""
    return Moments(sample.codes, sample.mean[..., :1], sample.scatter[..., :1, :1])


def _each(count: np.ndarray) -> np.ndarray:
    """A number per half and cell, beside measures."""
    return np.asarray(count)[..., None, None]


def _combined(sample: Moments, beta: np.ndarray, equal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean over the halves and its standard error, ``(C, 2, K + 1)``; NaN where some
    half has fewer than two replicates."""
    mean, squares = adjusted(sample, beta)
    count = _each(sample.found.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.full_like(count, 1.0 / len(count)) if equal else count / count.sum(axis=0)
        variance = squares / (count - 1.0) / count
        estimate = (weight * mean).sum(axis=0)
        se = np.sqrt((weight**2 * variance).sum(axis=0))
    enough = (count > 1).all(axis=0)
    return np.where(enough, estimate, np.nan), np.where(enough, se, np.nan)


def estimates(evidence: Evidence) -> Estimates:
    """Estimates of every cell.

    Each half's ``beta`` is the other half's. Where a half has fewer than 20 replicates per control,
    ``beta = 1`` and the halves count as one sample. Cells with failures, and measures whose
    controls are no numbers, get the plain mean: the controls' mean is not exact there.

    Args:
        evidence: moments of both halves of the replicates.
    """
    own = evidence.own
    whole = one_sample(own)
    controls = own.mean.shape[-1] - 1
    ones, none = np.ones_like(whole.mean[..., 1:]), np.zeros_like(own.mean[..., :0])
    smallest = np.minimum(own.found, evidence.other.found).min(axis=0)

    raw, se_raw = _combined(without_controls(whole), none[:1], False)
    if evidence.equal:
        separate = _combined(without_controls(own), none, True)
        both = zip(separate, (raw, se_raw), strict=True)
        raw, se_raw = (np.where(_each(smallest > 1), *ways) for ways in both)

    crossed = _combined(own, coefficients(evidence.other), evidence.equal)
    pooled = _combined(whole, ones, False)
    enough = _each(smallest >= max(ROWS_PER_COEFFICIENT * controls, 2))
    controlled, se = (np.where(enough, *ways) for ways in zip(crossed, pooled, strict=True))

    failures = own.failures.sum(axis=0)
    defined = np.isfinite(evidence.other.scatter).all(axis=(0, -1, -2)) & np.isfinite(controlled)
    # Without control variates the plain mean is all there is.
    exact = _each(failures == 0) & defined & (controls > 0)
    return Estimates(
        np.where(exact, controlled, raw),
        np.where(exact, se, se_raw),
        raw,
        se_raw,
        own.codes.sum(axis=(0, -1)),
        failures,
    )


def from_results(results: Results, balanced_values: np.ndarray) -> Estimates:
    """Estimates from the results of all replicates at once, the first one's number being 0."""
    return estimates(evidence_of(moments(results, balanced_values)))


def reasons(own: Moments) -> dict[str, int]:
    """Why estimators do not exist, in words, and how many replicates of cells each concerns."""
    counts = zip(STATUS.items(), own.codes.sum(axis=(0, 1)).tolist(), strict=True)
    return {text: count for (code, text), count in counts if code != FOUND and count > 0}
