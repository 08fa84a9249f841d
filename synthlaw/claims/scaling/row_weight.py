"""Scaling, claims about a fixed weight of an augmented row: no floor, and what such a row counts."""

import numpy as np
import pandas as pd

from scaling.fitting.correlated import Correlated, fit_correlated, reciprocal_line
from scaling.theory.augmentation import effective_rows
from simulations.population.cells import effective_share
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin
from synthlaw.claims.scaling.samples import RIGHT, Points, Sample, points
from synthlaw.claims.scaling.synthetic import ASSUMED

NOTE = "scaling_law_in_n.md"
WEIGHTS = (0.5, 1.0)
FIXED_SHARE = 0.5
ROWS = 2000
AUGMENT = (1000, 4000, 16000, 64000, 256000)
SIZES = (1, 2, 4)
REPLICATES = 120
TOLERANCE = 0.02


def _sample(lab: Lab, size: int) -> Points:
    """Curves in N at two row weights, then at a fixed share, all on the same random numbers."""
    rows = ROWS * size
    numbers = [size * augment for augment in AUGMENT]
    cells = [
        (augment, effective_share(None, weight, 2 * rows, 2, augment))
        for weight in WEIGHTS
        for augment in numbers
    ]
    cells += [(augment, FIXED_SHARE) for augment in numbers]
    return points(lab, Sample("weights", rows, RIGHT, tuple(cells), REPLICATES, "squared"))


def _curves(lab: Lab, size: int) -> dict[str, tuple[Points, np.ndarray]]:
    """The curve of every row weight and its effective numbers of rows."""
    found, curves = _sample(lab, size), {}
    for place, weight in enumerate(WEIGHTS):
        part = found.take(place * len(AUGMENT), len(AUGMENT))
        rows = [effective_rows(part.sample.rows, n, weight) for n in part.augment]
        curves[f"weight {weight:g}"] = part, np.array(rows)
    return curves


def _power(part: Points, x: np.ndarray) -> Correlated:
    scale = part.predicted.value(part.sample.rows, part.augment)
    return fit_correlated("power", x, part.mean, part.covariance, scale)


def exponent(lab: Lab) -> pd.DataFrame:
    """The exponent of the effective number of rows, no floor allowed."""
    return pd.DataFrame(
        [
            fitted_row(name, size, 1.0, _power(part, x)["exponent"], part.replicates, part.failures)
            for name in (f"weight {weight:g}" for weight in WEIGHTS)
            for size in SIZES
            for part, x in [_curves(lab, size)[name]]
        ]
    )


def total_weight(lab: Lab) -> pd.DataFrame:
    """The exponent of n + N/2: a row of weight 1/2 counted as half a row."""
    rows = []
    for size in SIZES:
        part, _ = _curves(lab, size)["weight 0.5"]
        found = _power(part, part.sample.rows + 0.5 * part.augment)["exponent"]
        rows.append(fitted_row("", size, 1.0, found, part.replicates, part.failures))
    return pd.DataFrame(rows)


def _floors(curves: dict[str, tuple[Points, np.ndarray]]) -> pd.DataFrame:
    """Fitted floors, of either sign, as shares of the excess risk at the largest N."""
    measured, errors = [], []
    for part, x in curves.values():
        scale = part.predicted.value(part.sample.rows, part.augment)
        line = reciprocal_line(x, part.mean, part.covariance, scale)
        measured.append(line.floor / scale[-1])
        errors.append(float(np.sqrt(line.covariance[0, 0])) / scale[-1])
    first = next(iter(curves.values()))[0]
    return exact_rows(
        list(curves),
        measured,
        [0.0] * len(curves),
        TOLERANCE,
        errors,
        first.replicates,
        first.failures,
    )


def no_floor(lab: Lab) -> pd.DataFrame:
    """The floors at fixed row weights."""
    return _floors(_curves(lab, SIZES[-1]))


def fixed_share(lab: Lab) -> pd.DataFrame:
    """The floor at a fixed share."""
    part = _sample(lab, SIZES[-1]).take(len(WEIGHTS) * len(AUGMENT), len(AUGMENT))
    return _floors({f"share {FIXED_SHARE:g}": (part, part.augment)})


CLAIMS = (
    exponent_claim(
        "scaling-effective-rows",
        "How many rows an augmented row of weight 1/2 is worth",
        (
            "Under the right law and balance, n raw rows and N augmented rows of weight w are worth"
            " (n + wN)^2/(n + w^2 N) rows a group: in that number, from n to more than 100 n, the"
            " excess risk is a power law without a floor, of exponent 1, at the weights 1/2 and 1."
        ),
        r"E\,\mathcal{E} = \frac{A}{n_{eff}},\quad n_{eff} = \frac{(n + wN)^2}{n + w^2 N}",
        exponent,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("A row of weight 1/2 is worth half a row: n + N/2.", total_weight),
    ),
    exact_claim(
        "scaling-no-floor",
        "A fixed row weight leaves no floor",
        (
            "Under the right law and balance a fixed weight of an augmented row, 1/2 or 1, lets the"
            " excess risk fall to zero as N grows: the fitted floor is zero (tolerance"
            f" {100 * TOLERANCE:g} % of the smallest excess risk measured)."
        ),
        r"\lim_{N \to \infty} E\,\mathcal{E} = 0\quad (w\ \mathrm{fixed})",
        no_floor,
        Twin("A fixed share leaves none either.", fixed_share),
        note=NOTE,
        assumptions=ASSUMED,
    ),
)
