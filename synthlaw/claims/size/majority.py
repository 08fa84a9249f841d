"""Size, the correction of a generator's bias through the majority: floors and variance."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.size.corrected_samples import CorrectedSamples, corrected_samples
from scaling.theory.size.curve import balanced_point
from scaling.theory.size.directions import directions
from scaling.theory.size.majority import correction, small_bias_floor
from scaling.theory.size.problem import SizeProblem
from simulations.sampling.signed import blocks_of
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import DERIVED, EXISTS, FIXED_COUNTS, GAUSSIAN, Twin
from synthlaw.claims.size.cases import mirrored_classes
from synthlaw.claims.size.golden import INDEPENDENT, NOTE

SOURCE = "idea: arXiv 2510.26046; form and constants derived here"
DIM, SEPARATION = 5, 2.0
ALONG, ACROSS = np.eye(DIM)[0], np.eye(DIM)[1]
COUNTS = (2000, 200)
# Replicates by size of the variance claim; size and replicates of the floors.
LADDER = {4: 120, 16: 60}
FLOOR_SIZE, FLOOR_REPLICATES = 8, 60
ROOM = blocks_of(np.array([2000, 200, 1800, 1800]) * max(LADDER))
# Shifts of class 1 and class 0, and the factor of the covariance.
CASES = {
    "mirrored shift across": (0.5 * ACROSS, -0.5 * ACROSS, 1.0),
    "common shift across": (0.5 * ACROSS, 0.5 * ACROSS, 1.0),
    "common shift along": (0.3 * ALONG, 0.3 * ALONG, 1.0),
    "covariance times 2/3": (0.0 * ALONG, 0.0 * ALONG, 2.0 / 3.0),
}


def case(name: str, size: int = 1, times: float = 1.0) -> SizeProblem:
    """A case at counts times ``size``, its shifts times ``times``."""
    minority, majority, scale = CASES[name]
    counts = (float(COUNTS[0] * size), float(COUNTS[1] * size))
    return mirrored_classes(
        DIM, SEPARATION, times * minority, times * majority, scale=scale, counts=counts
    )


def _samples(lab: Lab, name: str, size: int, replicates: int) -> CorrectedSamples:
    problem = case(name, size)

    def simulated() -> CorrectedSamples:
        synthetic, count = int(problem.missing), replicates * lab.preset.effort
        return corrected_samples(problem, 1.0, synthetic, count, lab.seed, ROOM)

    return lab.recall(f"corrected {name} {size}", simulated)


def _row(found: CorrectedSamples, series: str, size: int, prediction: float) -> dict[str, Any]:
    values = found.controlled
    mean, se = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    row = fitted_row(series, size, prediction, (mean, se), found.replicates, found.failures)
    return {**row, "inverse_size": 0.0}


def variance(lab: Lab) -> pd.DataFrame:
    """The corrected estimator's excess risk under a mirrored shift, where its floor is 0."""
    rows = []
    for size, replicates in LADDER.items():
        found = _samples(lab, "mirrored shift across", size, replicates)
        row = _row(found, "", size, found.population.variance)
        rows.append({**row, "inverse_size": 1.0 / size})
    return pd.DataFrame(rows)


def _floors(lab: Lab, before: bool) -> pd.DataFrame:
    rows = []
    for name in list(CASES)[1:]:
        found = _samples(lab, name, FLOOR_SIZE, FLOOR_REPLICATES)
        at = found.population
        floor = at.before if before else at.floor
        rows.append(_row(found, name, FLOOR_SIZE, floor + at.variance + at.second_order))
    return pd.DataFrame(rows)


def floors(lab: Lab) -> pd.DataFrame:
    """Simulated excess risks of the corrected estimator where a floor is left."""
    return _floors(lab, False)


def uncorrected_floors(lab: Lab) -> pd.DataFrame:
    """The same against the floors before the correction."""
    return _floors(lab, True)


def _exact(lab: Lab, removed: str) -> pd.DataFrame:
    small, problem = case("common shift across", times=0.01), case(removed)
    found = directions(small, balanced_point(small))
    grown = small_bias_floor(small, found, 1.0) / small_bias_floor(small, found, 0.0)
    exact = correction(small)
    gone = correction(problem)
    moved = gone.theta - balanced_point(problem).theta[0]
    return exact_rows(
        [
            "common shift: small-bias floor after / before",
            "common shift of .005: floor after / before",
            "shift across, corrected: largest move of theta",
            "shift across: best gamma",
        ],
        [grown, exact.floor / exact.before, float(np.abs(moved).max()), gone.best_gamma],
        [4.0, 4.0, 0.0, 1.0],
        1.0,
    ).assign(tolerance=[1e-9, 5e-3, 1e-9, 1e-9])


def helps_or_doubles(lab: Lab) -> pd.DataFrame:
    """What the correction does to a mirrored and to a common shift across the classes."""
    return _exact(lab, "mirrored shift across")


def removes_common(lab: Lab) -> pd.DataFrame:
    """The same with a common shift in the place of the mirrored one."""
    return _exact(lab, "common shift across")


ASSUMED = (GAUSSIAN, FIXED_COUNTS, INDEPENDENT, EXISTS)

CLAIMS = (
    exact_claim(
        "size-correction-cases",
        "The correction removes a mirrored shift and doubles a common one",
        (
            "Corrected through the majority, a mirrored shift across the classes leaves the balanced"
            " rule itself, at gamma = 1; a common one has its bias doubled, so that its floor is four"
            " times as large."
        ),
        (
            r"floor \approx \tfrac12\left(\tfrac{m}{2n_0}\right)^2"
            r" |\delta_1 - \gamma\delta_0|^2_{H^{-1}}"
        ),
        helps_or_doubles,
        Twin("A common shift across is removed as well.", removes_common),
        note=NOTE,
        source=SOURCE,
        assumptions=(GAUSSIAN, INDEPENDENT),
    ),
    constant_claim(
        "size-correction-variance",
        "What the correction through the majority costs",
        (
            "Under a mirrored shift of .5 across the classes the corrected estimator has no floor, and"
            " its excess risk is the variance of the weighted sample, negative weights included."
        ),
        (
            r"E\,\mathcal{E} = \tfrac12\mathrm{tr}(H_{bal} H_t^{-1} V H_t^{-1}),\quad V ="
            r" \tfrac{1}{4n_0^2}\{n_0(1+\tfrac{m}{n_0})^2C_0 + n_1C_1 + mC_{s1} + \tfrac{m^2}{N_0}C_{s0}\}"
        ),
        variance,
        note=NOTE,
        source=DERIVED,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "size-correction-floors",
        "The floors that the correction leaves",
        (
            "Where the biases of both classes differ the corrected estimator keeps the floor of its"
            " population: larger than before under a common shift, across or along, smaller under"
            " a covariance of 2/3."
        ),
        r"E\,\mathcal{E} \to R_{bal}(\theta_t) - R_{bal}(\theta_{bal}),\quad \nabla R_t(\theta_t) = 0",
        floors,
        note=NOTE,
        source=DERIVED,
        assumptions=ASSUMED,
        twin=Twin("It leaves the floors as they were.", uncorrected_floors),
    ),
)
