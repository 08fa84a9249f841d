"""Scaling, claims about raw rows, synthetic rows and their share at a time: the law `mixture`.

The form is that of Jain, Montanari and Sasoglu; its four constants are predicted here.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from scaling.fitting.correlated import Correlated, fit_correlated
from scaling.theory.augmentation import augmentation_law
from scaling.theory.bias import quadratic_floor
from simulations.population.units import unit_population
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import always
from synthlaw.claims.scaling.samples import RIGHT, Sample, points, unit_of
from synthlaw.claims.scaling.synthetic import ASSUMED

NOTE = "scaling_law_in_n.md"
SOURCE = "form of the law: arXiv 2402.04376; exponent and constants derived here"
# Raw rows: no number times 1, 2 or 4 meets another, so that all samples are independent.
RAW = (1000, 3000, 9000)
CELLS = tuple((augment, share) for augment in (1000, 16000) for share in (0.2, 0.4, 0.6, 0.8))
SIZES = (1, 2, 4)
REPLICATES = 120
# The minority's shift across the classes at size 1; see scaling_share.
SHIFT = 0.15
TERMS = {"amplitude": "amplitude", "odds": "synthetic/raw", "bias": "bias"}


def _generator(size: int) -> dict[str, Any]:
    shift = [0.0, SHIFT / size**0.5, 0.0, 0.0, 0.0]
    return {"kind": "shift", "shift": shift, "groups": ["minority"]}


def _predicted(lab: Lab, size: int) -> dict[str, float]:
    """Amplitude and odds of the right law, and the quadratic law of a small bias."""
    (augment, share), *_ = CELLS
    sample = Sample("", RAW[0] * size, _generator(size), ((augment, share),), 2, "squared")
    unit = unit_of(lab, sample)
    right = unit_of(lab, sample._replace(generator=RIGHT))
    law = augmentation_law(right, 0.0, np.array([share])).balanced()
    bias = float(quadratic_floor(unit, unit_population(unit))[0]) / share**2
    odds = float(law.amplitude_synthetic[0] / law.amplitude[0])
    return {"amplitude": float(law.amplitude[0]), "odds": odds, "bias": bias}


def _surface(lab: Lab, size: int) -> tuple[Correlated, int, int]:
    """The fitted law at a size, replicates and failures."""
    cells = tuple((size * augment, share) for augment, share in CELLS)
    found = [
        points(lab, Sample("mixture", size * n, _generator(size), cells, REPLICATES, "squared"))
        for n in RAW
    ]
    x = [(p.sample.rows, augment, share) for p in found for augment, share in p.sample.cells]
    surface = fit_correlated(
        "mixture",
        np.array(x, dtype=float),
        np.concatenate([p.mean for p in found]),
        np.asarray(block_diag(*(p.covariance for p in found))),
        np.concatenate([p.predicted.value(p.sample.rows, p.augment) for p in found]),
        held={"floor": 0.0},
    )
    return surface, sum(p.replicates for p in found), sum(p.failures for p in found)


def exponent(lab: Lab) -> pd.DataFrame:
    """The exponent of the mixed variance."""
    rows = []
    for size in SIZES:
        surface, replicates, failures = _surface(lab, size)
        rows.append(fitted_row("", size, 1.0, surface["exponent"], replicates, failures))
    return pd.DataFrame(rows)


def constants(lab: Lab) -> pd.DataFrame:
    """Amplitude, odds and bias, at the fitted exponent."""
    rows = []
    for name, series in TERMS.items():
        for size in SIZES:
            surface, replicates, failures = _surface(lab, size)
            predicted = _predicted(lab, size)[name]
            row = fitted_row(series, size, predicted, surface[name], replicates, failures)
            rows.append(row)
    return pd.DataFrame(rows)


_LAW = (
    r"E\,\mathcal{E} = F\alpha^2 + A \left[\frac{(1-\alpha)^2}{n} + k\,\frac{\alpha^2}{N}\right]^a"
)
SMALL = always("The bias shrinks as the size grows, so that it stays comparable with the variance.")

CLAIMS = (
    exponent_claim(
        "scaling-mixture-exponent",
        "The law of mixed data has exponent 1",
        (
            "Over raw rows, synthetic rows and their share the excess risk of least squares is a"
            " bias quadratic in the share and a power of the mixed variance, and that power is 1."
        ),
        _LAW + r",\quad a = 1",
        exponent,
        source=SOURCE,
        note=NOTE,
        assumptions=(*ASSUMED, SMALL),
    ),
    constant_claim(
        "scaling-mixture",
        "The constants of the law of mixed data",
        (
            "On the same points the amplitude is that of raw rows, a synthetic row costs as much as"
            " a raw one, and the bias is half the squared length of the synthetic rows' gradient at"
            " the balanced rule, in the metric of the inverse Hessian."
        ),
        r"A = n \cdot \tfrac12 \mathrm{tr}(H_{bal} M),\quad k = 1,\quad"
        r" F = \tfrac12\, b^\top H^{-1} b",
        constants,
        source=SOURCE,
        note=NOTE,
        assumptions=(*ASSUMED, SMALL),
    ),
)
