"""Generation, the control variates of fitted rows: their means are exact, at any number of rows."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.expansion import expansion
from simulations.population.units import Unit, unit_population
from simulations.runs.engine import chunks, run_chunks
from simulations.runs.tasks import prepare
from synthlaw.claims import experiments
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.generation.fitted import NOTE, SEEDS
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import FIXED_COUNTS, GAUSSIAN, Twin

# Small enough that an error of relative order 1/n would show.
SMALL: dict[str, Any] = {
    "setting": experiments.REFERENCE,
    "counts": {"majority": 200, "minority": 40},
    "synthetic": {
        "generators": [
            {"kind": "gaussian", "covariance": "known"},
            {"kind": "gaussian", "covariance": "estimated"},
            {"kind": "smoothed", "bandwidth": 0.5},
        ],
        "ratios": [1],
        "augment": [50],
        "augment_row_weight": 0.5,
    },
}
SMALL_REPLICATES = 2500


def _square(lab: Lab, unit: Unit) -> tuple[float, float, int]:
    """Mean of the quadratic control of the balanced risk, its standard error, replicates without
    a minimiser (the control exists there too)."""

    def compute() -> tuple[np.ndarray, int]:
        replicates = SMALL_REPLICATES * lab.preset.effort
        parts = [part for _, part in run_chunks(prepare(unit), chunks(replicates))]
        groups = len(unit.world.names)
        values = np.concatenate([part.controls[:, 0, 1, :groups].mean(axis=1) for part in parts])
        return values, int(sum((part.status != 0).sum() for part in parts))

    values, failures = lab.recall(f"controls {unit.generator}", compute)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), failures


def _variance(unit: Unit) -> float:
    """The predicted variance term of the balanced risk."""
    return float(expansion(unit_population(unit)).variance[0, : len(unit.world.names)].mean())


def _coupled(lab: Lab, fitted: bool) -> pd.DataFrame:
    """Measured means of ``d'H_bal d/2`` against ``tr(H_bal A V A)/2``, V that of ``fitted`` rows or of
    independent ones."""
    units = lab.units(SMALL)
    laws: dict[str, dict[str, object]] = {
        "gaussian": {"kind": "oracle"},
        "smoothed": {"kind": "scale", "factor": 1.25},
    }
    rows = []
    for unit in units:
        gap, se, failures = _square(lab, unit)
        stated = _variance(unit)
        alone = {**SMALL["synthetic"], "generators": [laws[unit.generator.kind]]}
        expected = stated if fitted else _variance(lab.units({**SMALL, "synthetic": alone})[0])
        name = getattr(unit.generator, "covariance", "")
        cell = f"{unit.generator.kind}, covariance {name}" if name else unit.generator.kind
        rows.append((cell, stated + gap, expected, se, failures))
    cells, measured, expected, se, failures = (list(each) for each in zip(*rows, strict=True))
    return exact_rows(
        cells,
        measured,
        expected,
        tolerance=0.1 * min(expected),
        se=se,
        replicates=SMALL_REPLICATES * lab.preset.effort,
        failures=np.array(failures),
    )


def coupled(lab: Lab) -> pd.DataFrame:
    """The stated mean."""
    return _coupled(lab, fitted=True)


def as_if_independent(lab: Lab) -> pd.DataFrame:
    """The mean that independent rows would give."""
    return _coupled(lab, fitted=False)


CLAIMS = (
    exact_claim(
        "generation-coupled-controls",
        "Control variates of fitted rows have exact means",
        (
            "With 40 seeds and 200 rows of the other class the quadratic control variate of the"
            " balanced risk has the mean its V says; a fitted Gaussian's sees the coupled score."
        ),
        r"E\,\tfrac12 d^\top H_{bal} d = \tfrac12\mathrm{tr}(H_{bal} A V A)",
        coupled,
        Twin("The rows are independent of the seeds and of each other.", as_if_independent),
        note=NOTE,
        assumptions=(GAUSSIAN, FIXED_COUNTS, SEEDS),
    ),
)
