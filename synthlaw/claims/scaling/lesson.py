"""Scaling, a claim about fitting itself: a curve with a floor, fitted with and without one."""

import numpy as np
import pandas as pd

from scaling.fitting.fit import fit_all
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import DERIVED, Twin, always

NOTE = "scaling_law_in_n.md"
EXPONENT, FLOOR, NOISE = 0.5, 0.2, 0.01
SMALLEST, POINTS, CURVES = 10.0, 10, 2000
DECADES = (1, 2, 3)


def _rows(lab: Lab, law: str) -> pd.DataFrame:
    """The mean fitted exponent over many noisy curves of 1, 2 and 3 decades."""
    rows = []
    for decades in DECADES:
        x = np.geomspace(SMALLEST, SMALLEST * 10.0**decades, POINTS)
        truth = FLOOR + x**-EXPONENT
        rng = np.random.default_rng([lab.seed, decades])
        noise = rng.standard_normal((CURVES * lab.preset.effort, POINTS))
        found = fit_all(law, x, truth * (1.0 + NOISE * noise), NOISE * truth)
        exponents = found.parameters[:, 0]
        mean = float(exponents.mean()), float(exponents.std(ddof=1) / np.sqrt(len(exponents)))
        name = f"{decades} decades" if decades > 1 else "1 decade"
        unsettled = int((~found.settled).sum())
        # Every number of decades is a statement of its own: no ladder.
        rows.append(fitted_row(name, 1, EXPONENT, mean, len(exponents), unsettled))
    return pd.DataFrame(rows).assign(inverse_size=0.0)


def with_floor(lab: Lab) -> pd.DataFrame:
    """Exponents of a law with a floor."""
    return _rows(lab, "power_floor")


def without_floor(lab: Lab) -> pd.DataFrame:
    """Exponents of a power law: slopes of a line through the logarithms."""
    return _rows(lab, "power")


CLAIMS = (
    exponent_claim(
        "scaling-fitting-lesson",
        "An exponent needs a floor beside it",
        (
            "Of noisy curves (1 %) of ten points whose truth is a floor of 0.2 and a power -0.5,"
            " over one, two or three decades, a fit with a floor finds the exponent on average."
        ),
        r"y = 0.2 + x^{-1/2}",
        with_floor,
        source=DERIVED,
        note=NOTE,
        assumptions=(
            always("The noise is normal and independent."),
            always("The standard errors given are true."),
        ),
        twin=Twin("So does a fit without one: a line through the logarithms.", without_floor),
    ),
)
