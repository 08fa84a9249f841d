"""From per-replicate results to estimates: mean, standard error, failures, control variate.

Measures are laid out as ``(..., 2, K + 1)``: metric (excess risk, 0-1 error) by group, the last
"group" being the balanced mean over groups.
"""

from typing import NamedTuple

import numpy as np

from simulations.newton import FOUND, STATUS
from simulations.replicate import Results


class Estimates(NamedTuple):
    """Per cell and measure ``(C, 2, K + 1)``: the estimate and its standard error, with the control
    variate where its mean is exact and plain (``_raw``); per cell ``(C,)``: replicates run and
    how many of them have no estimator (they are left out of the means, never redrawn)."""

    estimate: np.ndarray
    se: np.ndarray
    estimate_raw: np.ndarray
    se_raw: np.ndarray
    replicates: np.ndarray
    failures: np.ndarray


def measures(values: np.ndarray) -> np.ndarray:
    """Functionals ``(..., 2K)`` (K risks, K errors) as measures ``(..., 2, K + 1)``.

    >>> measures(np.array([1.0, 3.0, 0.1, 0.2])).round(3).tolist()
    [[1.0, 3.0, 2.0], [0.1, 0.2, 0.15]]
    """
    split = values.reshape(*values.shape[:-1], 2, values.shape[-1] // 2)
    return np.concatenate([split, split.mean(axis=-1, keepdims=True)], axis=-1)


def excess(values: np.ndarray, balanced_values: np.ndarray) -> np.ndarray:
    """Subtract the balanced minimiser's risks from the risks; errors stay absolute."""
    baseline = np.array(balanced_values)
    baseline[len(baseline) // 2 :] = 0.0
    return values - baseline


def _mean_and_se(values: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the found replicates, and its standard error; NaN where fewer than two."""
    kept = np.where(found[:, :, None, None], values, 0.0)
    count = found.sum(axis=0)[:, None, None].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = kept.sum(axis=0) / count
        deviations = np.where(found[:, :, None, None], values - mean, 0.0)
        variance = (deviations**2).sum(axis=0) / (count - 1.0)
        se = np.sqrt(variance / count)
    enough = count > 1
    return np.where(enough, mean, np.nan), np.where(enough, se, np.nan)


def estimates(results: Results, balanced_values: np.ndarray) -> Estimates:
    """Estimates of every cell from the results of all its replicates, in their order."""
    found = results.status == FOUND
    failures = (~found).sum(axis=0)
    plain = measures(excess(results.values, balanced_values))
    raw, se_raw = _mean_and_se(plain, found)
    controlled, se = _mean_and_se(plain - measures(results.controls), found)
    # No control where its mean is not exact (a failure) or not defined (a flat score has no error
    # derivative).
    exact = (failures == 0)[:, None, None] & np.isfinite(controlled)
    return Estimates(
        np.where(exact, controlled, raw),
        np.where(exact, se, se_raw),
        raw,
        se_raw,
        np.full(found.shape[1], found.shape[0]),
        failures,
    )


def reasons(results: Results) -> dict[str, int]:
    """Why estimators do not exist, in words, and how many replicates of cells each concerns."""
    status, counts = np.unique(results.status, return_counts=True)
    found = zip(status.tolist(), counts.tolist(), strict=True)
    return {STATUS[code]: count for code, count in found if code != FOUND}


def join(parts: list[Results], axis: int = 0) -> Results:
    """Results of consecutive chunks (axis 0) or of several cells (axis 1) as one."""
    return Results(*(np.concatenate(arrays, axis=axis) for arrays in zip(*parts, strict=True)))


def one_cell(results: Results, cell: int) -> Results:
    """The results of one cell, its axis kept."""
    return Results(*(part[:, cell : cell + 1] for part in results))
