"""Scaling, claims about the best share of synthetic rows in the objective."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from scaling.fitting.correlated import influence
from scaling.theory.augmentation import BestShare, augmentation_law, best_share
from scaling.theory.bias import quadratic_floor
from simulations.population.units import unit_population
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin
from synthlaw.claims.scaling.samples import RIGHT, Points, Sample, points, unit_of
from synthlaw.claims.scaling.synthetic import ASSUMED

NOTE = "scaling_law_in_n.md"
ROWS, AUGMENT = 1000, 3000
SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SIZES = {1: 140, 2: 100, 4: 100}
# The minority's shift across the classes at size 1. It shrinks as size^-1/2, so that its floor
# falls like the variance; by symmetry nothing is of odd order in it.
SHIFT = 0.15
SERIES = ("right law", "small shift")


def _sample(series: str, size: int, cells: tuple[tuple[int, float], ...]) -> Sample:
    shift = [0.0, SHIFT / size**0.5, 0.0, 0.0, 0.0]
    biased = {"kind": "shift", "shift": shift, "groups": ["minority"]}
    generator = RIGHT if series == "right law" else biased
    return Sample(series, ROWS * size, generator, cells, SIZES[size])


def _predicted(lab: Lab, series: str, size: int) -> BestShare:
    """The best share from the constants of the right law and the quadratic law of a small bias."""
    cells = ((AUGMENT * size, 0.5),)
    right = unit_of(lab, _sample("right law", size, cells))
    law = augmentation_law(right, 0.0, np.array([0.5])).balanced()
    unit = unit_of(lab, _sample(series, size, cells))
    # Of one cell of share 1/2: four times that is the law at share 1.
    bias = 4.0 * quadratic_floor(unit, unit_population(unit))[0]
    raw, synthetic = law.amplitude[0], law.amplitude_synthetic[0]
    return best_share(raw / (ROWS * size), synthetic / (AUGMENT * size), bias)


class Lowest(NamedTuple):
    """The lowest point of a fitted parabola: its ``share`` and height ``least``, each with a standard
    error."""

    share: tuple[float, float]
    least: tuple[float, float]


def lowest(found: Points) -> Lowest:
    """Least squares of ``c0 + c1 alpha + c2 alpha^2``, and its lowest point by the delta method."""
    alpha = found.predicted.share
    moves = influence(np.vander(alpha, 3, increasing=True), np.ones(len(alpha)))
    c0, c1, c2 = moves @ found.mean
    covariance = moves @ found.covariance @ moves.T
    at = -c1 / (2.0 * c2)
    slopes = np.array([[0.0, -0.5 / c2, -at / c2], [1.0, at, at**2]])
    share_se, least_se = np.sqrt(np.diag(slopes @ covariance @ slopes.T))
    return Lowest((float(at), float(share_se)), (float(c0 + 0.5 * c1 * at), float(least_se)))


def _rows(lab: Lab, what: str, believed: str | None = None) -> pd.DataFrame:
    """What was found of every series against its prediction, or that of the series ``believed``."""
    rows = []
    for series in SERIES:
        for size in SIZES:
            cells = tuple((AUGMENT * size, share) for share in SHARES)
            found = points(lab, _sample(series, size, cells))
            fitted = getattr(lowest(found), what)
            predicted = getattr(_predicted(lab, believed or series, size), what)
            rows.append(
                fitted_row(series, size, predicted, fitted, found.replicates, found.failures)
            )
    return pd.DataFrame(rows)


def share(lab: Lab) -> pd.DataFrame:
    """Where the parabola through the simulated excess risks over the share is lowest."""
    return _rows(lab, "share")


def least(lab: Lab) -> pd.DataFrame:
    """How low it is there."""
    return _rows(lab, "least")


def bias_ignored(lab: Lab) -> pd.DataFrame:
    """The same lowest points against ``N/(N + n)``, whatever the generator."""
    return _rows(lab, "share", believed="right law")


def bias_free(lab: Lab) -> pd.DataFrame:
    """The same heights against those of the right law."""
    return _rows(lab, "least", believed="right law")


_MEANING = (
    " for right-law rows, and for a generator whose shift shrinks so that its floor stays"
    " comparable with the variance."
)

CLAIMS = (
    constant_claim(
        "scaling-best-share",
        "The best share of synthetic rows",
        (
            "With n balanced raw rows and N synthetic ones a group the excess risk is least at the"
            " share that weighs raw variance against synthetic variance and bias," + _MEANING
        ),
        r"\alpha^* = \frac{A/n}{A/n + B/N + F}\quad \left(\frac{N}{N+n}\ \mathrm{if}\ F = 0\right)",
        share,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("The best share is N/(N + n) under the shift as well.", bias_ignored),
    ),
    constant_claim(
        "scaling-best-value",
        "What the best share achieves",
        "At the best share the excess risk is the harmonic sum of both costs," + _MEANING,
        r"\mathcal{E}^* = \frac{(A/n)(B/N + F)}{A/n + B/N + F}",
        least,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("A small shift costs nothing.", bias_free),
    ),
)
