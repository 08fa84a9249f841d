"""Size, Wald's test of local symmetry: its chi-square law, from which size on, and its power."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, kstest, ncx2

from scaling.theory.size.null_family import (
    SYMMETRIC_B,
    population_asymmetry,
    uniform_family,
    wald_samples,
)
from scaling.theory.size.symmetry import wald_power
from scaling.verdict.equivalence import ALPHA
from simulations import cores
from simulations.statistics.uniform_classes import room_for
from synthlaw.claims.kinds import distribution_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always
from synthlaw.claims.size.golden import NOTE, SOURCE

DIM = 5
# Samples by minority rows: enough for distance and radius together to stay below the margin by three
# standard errors. The smallest sample is where the law does not hold yet.
NULL = {250: 22_000, 500: 14_000}
TOO_SMALL = {50: 4_000}
# Dimension, minority rows, departure of b to either side, samples of each.
POWER_DIM, POWERED, DEPARTURE, EACH_SIGN = 2, 250, 0.16, 10_000
ROOM = room_for(uniform_family(0.0, max(NULL)).counts)
PIECE = 1000
LEVELS = (0.01, 0.05, 0.1)


def statistics(lab: Lab, b: float, minority: int, count: int, dim: int = DIM) -> np.ndarray:
    """Wald statistics of ``count`` samples (times the effort), each once in a laboratory."""
    classes, total = uniform_family(b, minority, dim), count * lab.preset.effort

    def piece(first: int) -> np.ndarray:
        size = min(PIECE, total - first)
        return wald_samples(classes, size, lab.seed, first, ROOM).statistic

    def simulated() -> np.ndarray:
        with ThreadPoolExecutor(cores()) as pool:
            return np.concatenate(list(pool.map(piece, range(0, total, PIECE))))

    return lab.recall(f"wald {b} {minority} {count} {dim}", simulated)


def _null(lab: Lab, sizes: dict[int, int]) -> pd.DataFrame:
    rows = []
    for minority, count in sizes.items():
        found = statistics(lab, SYMMETRIC_B, minority, count)
        level = ALPHA / len(sizes)
        rows.append(
            {
                "cell": f"{minority} minority rows",
                "distance": kstest(found, chi2(DIM).cdf).statistic,
                # Massart's constant in the Dvoretzky-Kiefer-Wolfowitz inequality.
                "radius": np.sqrt(np.log(2.0 / level) / (2.0 * len(found))),
                "replicates": len(found),
                "failures": int(np.count_nonzero(~np.isfinite(found))),
            }
        )
    return pd.DataFrame(rows)


def null(lab: Lab) -> pd.DataFrame:
    """Kolmogorov distances to chi-square under local symmetry, with confidence radius."""
    table = _null(lab, NULL)
    lab.drawn["wald_calibration"] = _drawn(lab)
    return table


def null_too_small(lab: Lab) -> pd.DataFrame:
    """The same at 50 minority rows."""
    return _null(lab, TOO_SMALL)


def _noncentrality(b: float) -> float:
    return population_asymmetry(uniform_family(b, POWERED, POWER_DIM)).noncentrality


def _signs(lab: Lab) -> list[tuple[np.ndarray, float]]:
    """Statistics and noncentralities at a departure to either side."""
    found = []
    for sign in (-1.0, 1.0):
        b = SYMMETRIC_B + sign * DEPARTURE
        found.append((statistics(lab, b, POWERED, EACH_SIGN, POWER_DIM), _noncentrality(b)))
    return found


def _power(lab: Lab, factor: float) -> pd.DataFrame:
    """Distance of both signs' statistics together to the mean of their noncentral laws."""
    signs = _signs(lab)
    values = np.concatenate([found for found, _ in signs])

    def cdf(x: np.ndarray) -> np.ndarray:
        return np.mean([ncx2(POWER_DIM, factor * lam).cdf(x) for _, lam in signs], axis=0)

    # Half the samples have one law, half the other: each half has a radius of its own.
    radius = np.sqrt(np.log(4.0 / ALPHA) / len(values))
    return pd.DataFrame(
        {
            "cell": [f"{POWERED} minority rows, departures of {DEPARTURE:g} to either side"],
            "distance": kstest(values, cdf).statistic,
            "radius": radius,
            "replicates": len(values),
            "failures": int(np.count_nonzero(~np.isfinite(values))),
        }
    )


def power(lab: Lab) -> pd.DataFrame:
    """Against noncentral chi-square with the exact noncentrality."""
    return _power(lab, 1.0)


def power_too_large(lab: Lab) -> pd.DataFrame:
    """Against a noncentrality that is twice as large."""
    return _power(lab, 2.0)


def _drawn(lab: Lab) -> pd.DataFrame:
    """What the picture shows: rejection rates against n_1 and b, and quantiles of p."""
    rows = []
    for minority, count in {**TOO_SMALL, **NULL}.items():
        found = statistics(lab, SYMMETRIC_B, minority, count)
        p = chi2.sf(found, DIM)
        for level in LEVELS:
            rows.append(_rate("level", minority, level, 0.0, p < level, level))
        for expected in np.geomspace(1e-3, 1.0, 13):
            share = p <= expected
            rows.append(_rate("p-values", minority, expected, 0.0, share, expected))
    for departure in np.linspace(-0.24, 0.24, 41):
        expected = float(wald_power(_noncentrality(SYMMETRIC_B + departure), POWER_DIM))
        rows.append(_rate("power", POWERED, 0.05, departure, np.zeros(0, bool), expected))
    shown = {0.0: PIECE, DEPARTURE / 2: PIECE, -DEPARTURE / 2: PIECE}
    for departure, count in {**shown, DEPARTURE: EACH_SIGN, -DEPARTURE: EACH_SIGN}.items():
        b = SYMMETRIC_B + departure
        found = statistics(lab, b, POWERED, count, POWER_DIM)
        expected = float(wald_power(_noncentrality(b), POWER_DIM))
        rejected = found > chi2.isf(0.05, POWER_DIM)
        rows.append(_rate("power", POWERED, 0.05, departure, rejected, expected))
    return pd.DataFrame(rows)


def _rate(
    what: str, minority: int, level: float, departure: float, hits: np.ndarray, expected: float
) -> dict[str, Any]:
    return {
        "what": what,
        "minority": minority,
        "level": level,
        "departure": departure,
        "hits": int(hits.sum()) if len(hits) else np.nan,
        "count": len(hits),
        "expected": expected,
    }


UNIFORM = (
    always("Labels -1 and +1, squared loss, no intercept; noise is independent and uniform."),
    always("Imbalance 20."),
)

CLAIMS = (
    distribution_claim(
        "size-wald-null",
        "Wald's test of local symmetry is chi-square from 50 rows per parameter on",
        (
            "Under local symmetry the statistic of Wald's test is chi-square with d degrees of"
            " freedom, to a distance of .05, with 250 and with 500 minority rows in 5 dimensions (at 50"
            " it rejects three times too often)."
        ),
        (
            r"T = g^\top V^{-1} g \to \chi^2_d,\quad g = 2\nabla \hat R_0(\hat\theta),\quad"
            r" V = \frac{A_0 S_0 A_0^\top}{n_0} + \frac{A_1 S_1 A_1^\top}{n_1}"
        ),
        null,
        Twin("It is so with 50 minority rows already.", null_too_small),
        note=NOTE,
        source=SOURCE,
        assumptions=UNIFORM,
        margin=0.05,
    ),
    distribution_claim(
        "size-wald-power",
        "The power of the test is that of noncentral chi-square",
        (
            "At departures of .16 to either side of symmetry (250 minority rows, two dimensions) the"
            " statistic, over both sides, follows the noncentral chi-square laws with the exact"
            " noncentralities to a distance of .05."
        ),
        r"T \approx \chi^2_d(\lambda),\quad \lambda = g_\phi^\top V^{-1} g_\phi",
        power,
        Twin("The noncentrality is twice as large.", power_too_large),
        note=NOTE,
        assumptions=UNIFORM,
        margin=0.05,
    ),
)
