"""Scaling, claims about both numbers of rows at a time: the law `two_term` in n and N.

Least squares from sufficient statistics: n and N each span more than a decade or two, at no cost.
"""

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from scaling.fitting.correlated import Correlated, fit_correlated
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.scaling.samples import BIASED, Sample, points
from synthlaw.claims.scaling.synthetic import ASSUMED

NOTE = "scaling_law_in_n.md"
SHARE = 0.4
# Raw rows: no number times 1, 2 or 4 meets another, so that all samples are independent.
RAW = (1000, 3000, 9000, 27000)
SYNTHETIC = (1000, 4000, 16000, 64000, 256000)
SIZES = (1, 2, 4)
REPLICATES = 120
# Parameters of the law, and the number of rows that each divides.
TERMS = {"amplitude": "1/n", "amplitude_synthetic": "1/N", "floor": "floor"}


def _surface(lab: Lab, size: int) -> tuple[Correlated, dict[str, float], int, int]:
    """The fitted law at a size, its predicted constants, replicates and failures."""
    cells = tuple((size * augment, SHARE) for augment in SYNTHETIC)
    samples = [Sample("grid", size * rows, BIASED, cells, REPLICATES, "squared") for rows in RAW]
    found = [points(lab, sample) for sample in samples]
    law = found[0].predicted
    x = np.array([(p.sample.rows, augment) for p in found for augment in p.augment], dtype=float)
    above = np.concatenate([p.predicted.value(p.sample.rows, p.augment) for p in found])
    surface = fit_correlated(
        "two_term",
        x,
        np.concatenate([p.mean for p in found]),
        # Raw counts are part of the key of all draws: samples of different n are independent.
        np.asarray(block_diag(*(p.covariance for p in found))),
        above - law.floor[0],
    )
    floor, raw, synthetic = (float(part[0]) for part in law.two_term())
    predicted = {"amplitude": raw, "amplitude_synthetic": synthetic, "floor": floor}
    return surface, predicted, sum(p.replicates for p in found), sum(p.failures for p in found)


def exponent(lab: Lab) -> pd.DataFrame:
    """The exponent that n and N share."""
    rows = []
    for size in SIZES:
        surface, _, replicates, failures = _surface(lab, size)
        rows.append(fitted_row("", size, 1.0, surface["exponent"], replicates, failures))
    return pd.DataFrame(rows)


def constants(lab: Lab) -> pd.DataFrame:
    """Both amplitudes and the floor, at the fitted exponent."""
    rows = []
    for name, series in TERMS.items():
        for size in SIZES:
            surface, predicted, replicates, failures = _surface(lab, size)
            row = fitted_row(series, size, predicted[name], surface[name], replicates, failures)
            rows.append(row)
    return pd.DataFrame(rows)


_LAW = r"E\,\mathcal{E} = floor(\alpha) + (1-\alpha)^2 \frac{A}{n} + \alpha^2 \frac{B}{N}"

CLAIMS = (
    exponent_claim(
        "scaling-two-term-exponent",
        "Raw and synthetic rows share the exponent 1",
        (
            "Under a shifted generator and least squares the excess risk over n = 1,000 to 27,000"
            " raw and N = 1,000 to 256,000 synthetic rows a group is a floor and two powers with"
            " one exponent, and that is 1."
        ),
        r"E\,\mathcal{E} = E_0 + c_1 n^{-a} + c_2 N^{-a},\quad a = 1",
        exponent,
        note=NOTE,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "scaling-two-term",
        "Both amplitudes and the floor of the law in n and N",
        (
            "On the same surface the fitted floor and both amplitudes are those of the training"
            " mixture's expansion."
        ),
        _LAW,
        constants,
        note=NOTE,
        assumptions=ASSUMED,
    ),
)
