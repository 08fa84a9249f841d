"""The best oversampling ratio of any generator and any number of groups, fitted generators included.

The terms are those of `scaling.theory.expansion`, in whole rows; where rows depend on the raw ones
(duplicates, a fitted Gaussian, the smoothed bootstrap) variance and second order say so. For two classes
and a known law `scaling.theory.size.optimum` does the same with real numbers of rows.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.expansion import expansion
from simulations.population.cells import components, make_cell
from simulations.population.fitted import has_theory
from simulations.population.units import Unit, unit_population
from simulations.problems import InputError
from simulations.runs.moments import measures
from simulations.setup.generators import REWEIGHT

# Shares of the synthetic rows in the sample: the grid, and its end.
SHARES, LARGEST_SHARE = 36, 0.98
ZOOM = 9


class BestRatio(NamedTuple):
    """``ratio`` of least predicted balanced excess risk, ``rows`` added to each group ``(K,)``, the risk
    ``value`` there, at full balancing (``balanced``) and without synthetic rows (``raw``); ``found`` is
    false at an end of the search; ``status``, a sentence."""

    ratio: float
    rows: np.ndarray
    value: float
    balanced: float
    raw: float
    found: bool
    status: str


def predicted_at(unit: Unit, ratios: np.ndarray) -> np.ndarray:
    """Floor + variance + second order of the balanced excess risk at these ratios, ``(C,)``."""
    cells = [make_cell(unit.counts, float(ratio)) for ratio in ratios]
    intercept = unit.sweep.estimator.intercept
    parts = components(unit.generator, unit.world, unit.counts, cells, intercept)
    here = unit._replace(cells=cells, components=parts)
    return measures(expansion(unit_population(here)).predicted)[:, 0, -1]


def best_ratio(unit: Unit) -> BestRatio:
    """The oversampling ratio of least predicted balanced excess risk.

    Args:
        unit: setting, generator, counts and estimator; its own ratios do not matter.

    Returns:
        The ratio to one row of the group that receives most, between 0 and where 98 % of the sample are
        synthetic.

    Do not trust it where a group has fewer than about ten rows per feature.

    Raises:
        InputError: reweighting (it has no ratio), a generator without a theory (smote), or groups of
            equal counts (nothing to add).

    Source: paper_notes/synthetic_size.md, section 4.

    >>> from simulations.population.units import make_unit
    >>> from simulations.setup.configuration import read_sweep
    >>> sweep = read_sweep({"setting": {"kind": "imbalance", "dim": 2},
    ...                     "counts": {"majority": 1000, "minority": 100},
    ...                     "synthetic": {"generators": [{"kind": "gaussian"}], "ratios": [0]}})
    >>> best_ratio(make_unit(sweep, sweep.synthetic.generators[0])).rows.tolist()
    [0, 912]
    """
    if unit.generator.kind == REWEIGHT:
        raise InputError("generator 'reweight': it writes no rows; there is no ratio to choose.")
    if not has_theory(unit.generator):
        raise InputError(
            f"generator '{unit.generator.kind}': no expansion of its variance is known; compare ratios"
            " with synthlaw simulate."
        )
    missing = unit.counts.max() - unit.counts
    if not missing.any():
        raise InputError("counts: all groups have as many rows; oversampling adds none.")
    raw = unit.counts.sum() / missing.sum()
    shares = np.linspace(0.0, LARGEST_SHARE, SHARES)
    ratios = np.union1d(raw * shares / (1.0 - shares), [1.0])
    values = predicted_at(unit, ratios)
    ends = values[[0, np.flatnonzero(ratios == 1.0)[0]]]
    low, high = ratios[0], ratios[-1]
    step = 1.0 / missing.max()
    while True:
        best = int(np.argmin(values))
        left, right = ratios[max(best - 1, 0)], ratios[min(best + 1, len(ratios) - 1)]
        if right - left <= 2.0 * step:
            break
        ratios = np.union1d(np.linspace(left, right, ZOOM), [ratios[best]])
        values = predicted_at(unit, ratios)
    ratio, value = float(ratios[best]), float(values[best])
    rows = make_cell(unit.counts, ratio).oversampled
    status = "The predicted risk has its least value inside the range."
    if not rows.any():
        status = "at the boundary: every synthetic row is predicted to hurt; add none."
    elif ratio >= high:
        status = "no interior minimum: the predicted risk still falls at 98 % synthetic rows."
    found = bool(rows.any()) and low < ratio < high
    return BestRatio(ratio, rows, value, float(ends[1]), float(ends[0]), found, status)
