"""Size, the golden case: a bias that the right number of synthetic rows cancels completely.

Majority ``N(0, I_2)``, minority ``N(e_1, I_2)``, synthetic rows ``N(e_1/2, I_2)``, squared loss, labels 0
and 1, no intercept: ``m* = 4(n_0 - n_1)`` leaves no floor, whatever the counts.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.size.curve import balanced_point, size_curve
from scaling.theory.size.directions import directions
from scaling.theory.size.optimum import Objective, optimal_size
from scaling.theory.size.problem import SizeProblem, size_problem
from scaling.theory.size.sizes import size
from simulations.population.units import unit_population
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, exact_rows, ladder_of, over
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import (
    DERIVED,
    EXISTS,
    FIXED_COUNTS,
    GAUSSIAN,
    Assumption,
    Twin,
    always,
)

NOTE = "synthetic_size.md"
SOURCE = "size: arXiv 2601.16120, as quoted in the note; constants derived here"
INDEPENDENT = always("Synthetic rows are independent of the raw ones, of a law that is known.")
ASSUMED: tuple[Assumption, ...] = (GAUSSIAN, FIXED_COUNTS, INDEPENDENT, EXISTS)
# Controls of the squared loss: gradient, Hessian and their corrections; means exact.
CONTROLS = 4
RATIOS = (3.0, 4.0, 5.0)
SETTING: dict[str, Any] = {
    "kind": "groups",
    "groups": [
        {"name": "majority", "label": 0, "mean": [0.0, 0.0]},
        {"name": "minority", "label": 1, "mean": [1.0, 0.0]},
    ],
}
SWEEP: dict[str, Any] = {
    "setting": SETTING,
    "counts": {"majority": 2000, "minority": 100},
    "synthetic": {
        "generators": [{"kind": "shift", "shift": [-0.5, 0.0], "groups": ["minority"]}],
        "ratios": [0, 1, *RATIOS],
    },
    "estimator": {"kind": "squared", "intercept": False},
}
GOLDEN = Experiment("size_golden", SWEEP, sizes=(1, 4), replicates=(300, 300))


def problem_of(lab: Lab, size: int = 1, sweep: dict[str, Any] | None = None) -> SizeProblem:
    """The size problem of a sweep with one generator."""
    return size_problem(lab.units(sweep or SWEEP, size)[0])


def _sizes(lab: Lab, shift: float) -> pd.DataFrame:
    """Size and floors at three imbalances, against what the golden case says."""
    cells, measured, expected = [], [], []
    sweep = {
        **SWEEP,
        "synthetic": {
            "generators": [{"kind": "shift", "shift": [shift, 0.0], "groups": ["minority"]}],
            "ratios": [0],
        },
    }
    base = problem_of(lab, sweep=sweep)
    balanced = balanced_point(base)
    for imbalance in (5.0, 20.0, 100.0):
        problem = base.with_counts(imbalance, 1.0)
        found, missing = directions(problem, balanced), problem.missing
        rows = [size(problem, found, metric).rows for metric in ("euclidean", "inverse_hessian")]
        rows.append(optimal_size(problem, "floor", balanced).rows)
        cells += [f"{name}, {imbalance:g}:1" for name in ("m* / missing", "m*_H", "exact", "floor")]
        measured += [m / missing for m in rows]
        measured.append(float(size_curve(problem, [4.0 * missing], balanced).floor[0]))
        expected += [4.0, 4.0, 4.0, 0.0]
    return exact_rows(cells, measured, expected, tolerance=1e-7)


def golden(lab: Lab) -> pd.DataFrame:
    """The sizes by both formulas and by exact minimisation, and the floor there."""
    return _sizes(lab, -0.5)


def golden_smaller_shift(lab: Lab) -> pd.DataFrame:
    """The same under a generator that is off by .4."""
    return _sizes(lab, -0.4)


def vertex(
    lab: Lab, sweep: dict[str, Any], replicates: int, ratios: tuple[float, ...], name: str
) -> dict[str, Any]:
    """Lowest point of the parabola through simulated risks at three ratios, with its error.

    Replicates are paired: all sizes see the same rows, and the error follows from the covariance of
    the means.

    Args:
        lab: the laboratory.
        sweep: with one generator.
        replicates: of every cell.
        ratios: three, equally far apart.
        name: under which the laboratory remembers it.
    """
    used = {**sweep, "synthetic": {**sweep["synthetic"], "ratios": list(ratios)}}
    unit = lab.units(used)[0]
    values, found = lab.recall(
        f"vertex {name}",
        partial(lab.replicate_values, unit, replicates * lab.preset.effort, CONTROLS),
    )
    whole = np.asarray(found.all(axis=1))
    risks = values[whole, :, 0, -1]
    rows = np.array([cell.oversampled[1] for cell in unit.cells], dtype=float)
    scale = rows[1]
    design = np.linalg.inv(np.vander((rows - scale) / scale, 3))

    def lowest(mean: np.ndarray) -> float:
        bend, slope, _ = design @ mean
        return scale * (1.0 - slope / (2.0 * bend))

    mean = risks.mean(axis=0)
    bend, slope, _ = design @ mean
    push = -scale * (design[1] / (2.0 * bend) - slope * design[0] / (2.0 * bend**2))
    covariance = np.cov(risks, rowvar=False) / len(risks)
    predicted = unit_population(unit)
    least = float(np.mean(predicted.balanced_values[: len(unit.world.names)]))
    return {
        "estimate": lowest(mean),
        "se": float(np.sqrt(push @ covariance @ push)),
        "rows": rows,
        "risks": mean - least,
        "replicates": len(whole),
        "failures": int(np.count_nonzero(~whole)),
    }


def vertex_row(found: dict[str, Any], series: str, size: float, predicted: float) -> dict[str, Any]:
    """A row of evidence of kind constant."""
    fitted = found["estimate"], found["se"]
    row = fitted_row(series, size, predicted, fitted, found["replicates"], found["failures"])
    return {**row, "inverse_size": 0.0}


def optimum(lab: Lab, objective: Objective = "total") -> pd.DataFrame:
    """The number of rows of least simulated risk over the minimiser of the exact terms.

    The parabola through risks at 3, 4 and 5 times the missing rows is carried from the curve's own
    minimum by the same parabola through the predicted risks.

    Args:
        lab: the laboratory.
        objective: which risk the size minimises.
    """
    problem = problem_of(lab)
    balanced = balanced_point(problem)
    best = optimal_size(problem, objective, balanced)
    found = vertex(lab, SWEEP, 500, RATIOS, "golden")
    terms = size_curve(problem, found["rows"], balanced)
    scale = found["rows"][1]
    bend, slope, _ = np.polyfit((found["rows"] - scale) / scale, terms.total, 2)
    shift = best.rows - scale * (1.0 - slope / (2.0 * bend))
    moved = {**found, "estimate": found["estimate"] + shift}
    return pd.DataFrame([vertex_row(moved, "", 1.0, best.rows)])


def balancing_is_best(lab: Lab) -> pd.DataFrame:
    """The same against full balancing."""
    return over(optimum(lab), problem_of(lab).missing)


CLAIMS = (
    exact_claim(
        "size-golden",
        "The golden case: four times the missing rows leave no floor",
        (
            "Synthetic rows half way between the classes, squared loss, no intercept: Ma and"
            " Zhang's size, its form in the metric of the inverse Hessian and the exact minimiser of"
            " the floor are all 4 (n_0 - n_1), where the floor is 0, at imbalances 5, 20 and 100."
        ),
        r"m^* = \frac{n_0 - n_1}{1 - 2\langle g_\psi, g_\phi\rangle/|g_\phi|^2} = 4(n_0-n_1)",
        golden,
        Twin("The same holds for rows that are off by .4.", golden_smaller_shift),
        note=NOTE,
        source=SOURCE,
        assumptions=(GAUSSIAN, INDEPENDENT),
    ),
    constant_claim(
        "size-golden-risk",
        "The risk along the number of rows, golden case",
        (
            "The balanced excess risk is floor + variance + second order without synthetic rows, at"
            " full balancing, and at 3, 4 and 5 times the missing rows."
        ),
        r"E\,\mathcal{E}(m) = floor(m) + \tfrac12\mathrm{tr}(H_{bal} M) + g_b^\top\beta",
        ladder_of(GOLDEN, Selection("shift")),
        note=NOTE,
        source=DERIVED,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "size-optimum",
        "The best number of rows of a finite sample",
        (
            "The number of synthetic rows of least balanced excess risk is the minimiser of floor +"
            " variance + second order (golden case, 2,000 and 100 raw rows)."
        ),
        r"\hat m = \mathrm{arg}\min_m \{ floor(m) + variance(m) + second\ order(m) \}",
        optimum,
        note=NOTE,
        source=DERIVED,
        assumptions=ASSUMED,
        twin=Twin("Full balancing has the least risk.", balancing_is_best),
    ),
)
