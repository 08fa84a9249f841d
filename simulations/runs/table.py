"""The tidy table: one row per cell, metric and group.

Columns are those people script against: what the cell is, what the theory says (empty where
there is none), what the simulation says (absent before one ran; its last column flags cells in
which too many fits failed), and the swept keys.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simulations.population.cells import describe_counts
from simulations.population.units import Unit, metrics_of
from simulations.runs.estimates import Estimates
from simulations.runs.flags import flags

IDENTITY = (
    "setting",
    "generator",
    "estimator",
    "counts",
    "ratio",
    "augment",
    "augment_share",
    "metric",
    "group",
)
THEORY = ("predicted", "floor", "variance", "second_order")
SIMULATION = ("estimate", "se", "estimate_raw", "se_raw", "replicates", "failures", "flag")
# A group whose estimate is within this many standard errors of the largest may be the worst.
TIE = 4.0


class Terms(NamedTuple):
    """Predicted terms as measures ``(C, 2, K + 1)`` (of tokens: 3 in place of 2)."""

    predicted: np.ndarray
    floor: np.ndarray
    variance: np.ndarray
    second_order: np.ndarray


def _take(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Append the measure of group ``group (C, 2)`` as a last column: ``(C, 2, K + 2)``."""
    worst = np.take_along_axis(values, group[:, :, None], axis=2)
    return np.concatenate([values, worst], axis=2)


def _largest(values: np.ndarray) -> np.ndarray:
    """The group (not the balanced mean) with the largest value; 0 where none is a number."""
    groups = np.where(np.isnan(values), -np.inf, values)[:, :, :-1]
    return groups.argmax(axis=2)


def worst_group(estimates: Estimates, predicted: np.ndarray) -> np.ndarray:
    """The group whose expected value is largest, ``(C, 2)``.

    The largest of several equal expectations is biased upwards when it is picked by its
    estimate. So the group the theory names is taken when its estimate does not fall short of the
    largest by more than four standard errors, and the largest estimate otherwise.

    Args:
        estimates: of every measure of the cells.
        predicted: by theory, NaN where there is none.
    """
    by_theory, by_estimate = _largest(predicted), _largest(estimates.estimate)

    def at(values: np.ndarray, group: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, group[:, :, None], axis=2)[:, :, 0]

    gap = at(estimates.estimate, by_estimate) - at(estimates.estimate, by_theory)
    noise = np.hypot(at(estimates.se, by_estimate), at(estimates.se, by_theory))
    known = ~np.isnan(at(predicted, by_theory))
    return np.where(known & (gap <= TIE * noise), by_theory, by_estimate)


def unit_table(
    unit: Unit,
    generator: str,
    swept: dict[str, Any],
    terms: Terms,
    estimates: Estimates | None,
) -> pd.DataFrame:
    """The rows of one unit; ``estimates`` is None for a table of predictions only."""
    names, metrics = [*unit.world.names, "balanced", "worst"], metrics_of(unit.sweep)
    rows = [
        {
            "setting": unit.sweep.setting.kind,
            "generator": generator,
            "estimator": unit.sweep.estimator.kind,
            "counts": describe_counts(unit.world.names, unit.counts),
            "ratio": np.nan if cell.ratio is None else cell.ratio,
            "augment": cell.augment,
            "augment_share": cell.augment_share,
            "metric": metric,
            "group": name,
        }
        for cell in unit.cells
        for metric in metrics
        for name in names
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(IDENTITY))
    expected_worst = _largest(terms.predicted)
    for name in THEORY:
        frame[name] = _take(getattr(terms, name), expected_worst).ravel()
    if estimates is not None:
        worst = worst_group(estimates, terms.predicted)
        for name in SIMULATION[:4]:
            frame[name] = _take(getattr(estimates, name), worst).ravel()
        per_cell = len(metrics) * len(names)
        frame["replicates"] = np.repeat(estimates.replicates, per_cell)
        frame["failures"] = np.repeat(estimates.failures, per_cell)
        frame["flag"] = flags(frame["failures"].to_numpy(), frame["replicates"].to_numpy())
    for key, value in swept.items():
        frame[key] = value
    return frame
