"""``predict``: the tidy table of a sweep from theory alone."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.expansion import Expansion, expansion
from simulations.population.units import Unit, make_unit, unit_population
from simulations.runs.moments import measures
from simulations.runs.table import Terms, unit_table
from simulations.setup.configuration import Sweep, points, read_sweep
from simulations.setup.generator_specs import generator_label

Source = str | os.PathLike[str] | Mapping[str, Any] | Sweep


def units(sweep: Sweep) -> Iterator[tuple[Unit, str, dict[str, Any]]]:
    """Every unit of a sweep with its generator's label and its swept values."""
    for point in points(sweep):
        specs = point.sweep.synthetic.generators
        for spec in specs:
            yield make_unit(point.sweep, spec), generator_label(spec, specs), dict(point.swept)


def terms(expanded: Expansion) -> Terms:
    """The predicted terms of a unit as measures, balanced means included."""
    return Terms(
        measures(np.asarray(expanded.predicted)),
        measures(np.asarray(expanded.floor)),
        measures(np.asarray(expanded.variance)),
        measures(np.asarray(expanded.second_order)),
    )


def predict(sweep: Source) -> pd.DataFrame:
    """Predict excess risks and 0-1 errors of every cell of a sweep, without simulating.

    For a group's excess risk, ``E R_g(theta_hat) - R_g(theta_bal)`` is predicted as

        floor + variance + second_order,

    exact up to terms of order ``n^-2`` when all counts ``n`` grow in proportion; for a 0-1 error
    the floor is the error at the population minimiser, so that the sum is the error itself.

    Args:
        sweep: a SWEEP.toml (path), the same as a dictionary, or a ``Sweep``.

    Returns:
        One row per cell, metric and group, with the columns of the tidy table up to
        ``second_order`` and one column per swept key. Terms are NaN where no theory exists.

    Raises:
        ValueError: one sentence naming the place, the fault and the remedy.

    Do not trust it where the smallest group has fewer than about ten rows per feature: the
    neglected terms are then as large as ``variance`` itself, and on separable data the
    estimator does not exist.

    Source: paper_notes/excess_risk.md.

    >>> table = predict({"setting": {"kind": "imbalance", "dim": 5, "separation": 2.0},
    ...                  "counts": {"majority": 2000, "minority": 200},
    ...                  "synthetic": {"ratios": [1.0]}})
    >>> row = table[(table.metric == "excess_risk") & (table.group == "balanced")].iloc[0]
    >>> f"{row.predicted:.4e}"
    '6.9380e-04'
    """
    frames = [
        unit_table(unit, label, swept, terms(expansion(unit_population(unit))), None)
        for unit, label, swept in units(read_sweep(sweep))
    ]
    return pd.concat(frames, ignore_index=True)
