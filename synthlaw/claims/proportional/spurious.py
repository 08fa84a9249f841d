"""Proportional regime, claims about spurious correlation with more parameters than rows: reweighting
against subsampling, and the reversal of Sagawa, Raghunathan, Koh and Liang."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from simulations.memorising.replicates import Cell, Errors
from simulations.memorising.world import SCHEMES, Scheme
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import bounded_row
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.kinds import exact_claim, inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.errors import SOURCE as FIXED_POINT
from synthlaw.claims.proportional.spurious_cells import (
    ENDS,
    EVEN,
    FEATURE_ENDS,
    FEATURES_HELD,
    HELD_DRAWS,
    NOISE,
    REPLICATES,
    SIZES,
    cell,
    feature_errors,
    feature_theory,
    noise_errors,
    pictured,
    theory,
)
from synthlaw.claims.record import EXISTS, Claim, Evidence, Twin, always

NOTE = "proportional_spurious.md"
# Absolute, on errors from .1 to .5.
TOLERANCE = 0.03
SOURCE = "qualitative effect: arXiv 2005.04345; constants derived here"


def _rows(lab: Lab, scheme: Scheme) -> pd.DataFrame:
    rows = []
    for n, d, replicates in SIZES[scheme]:
        at = Cell(n, d, scheme)
        found, expected = noise_errors(lab, EVEN, at, replicates), theory(lab)[EVEN, at][0]
        fitted = (found.worst.value, found.worst.se)
        name = f"d/n = {d / n:g}"
        rows.append(fitted_row(name, n, expected, fitted, found.replicates, found.failures))
    return pd.DataFrame(rows)


def reweighted(lab: Lab) -> pd.DataFrame:
    """Worst-group error under reweighting against the fixed point, at sizes where 1/n is small."""
    return _rows(lab, "reweighting").assign(inverse_size=0.0)


def subsampled(lab: Lab) -> pd.DataFrame:
    """Worst-group error under subsampling against the fixed point, carried to large n."""
    return _rows(lab, "subsampling")


Measure = Callable[[Lab, float, Scheme], Errors]


def _with_noise(lab: Lab, per_row: float, scheme: Scheme) -> Errors:
    lab.recall("spurious picture", lambda: lab.drawn.update(overparameterised=pictured(lab)))
    return noise_errors(lab, NOISE, cell(per_row, scheme), REPLICATES)


def _with_features(lab: Lab, per_row: float, scheme: Scheme) -> Errors:
    return feature_errors(lab, cell(per_row, scheme))


def _below(name: str, small: Errors, large: Errors, part: str) -> dict[str, Any]:
    """That one expected error lies below another."""
    low, high = getattr(small, part), getattr(large, part)
    both = small.replicates + large.replicates, small.failures + large.failures
    return bounded_row(name, (low.value, low.se), (high.value, high.se), *both)


def _reversal(measure: Measure, ends: tuple[float, float]) -> Evidence:
    def evidence(lab: Lab) -> pd.DataFrame:
        few, many = (measure(lab, per_row, "reweighting") for per_row in ends)
        fewer, more = (measure(lab, per_row, "subsampling") for per_row in ends)
        return pd.DataFrame(
            [
                _below("reweighting: average falls", many, few, "average"),
                _below("reweighting: worst group rises", few, many, "worst"),
                _below("subsampling: worst group falls", more, fewer, "worst"),
                _below("many parameters: subsampling below reweighting", more, many, "worst"),
            ]
        )

    return evidence


def _no_reversal(measure: Measure, ends: tuple[float, float]) -> Evidence:
    def twin(lab: Lab) -> pd.DataFrame:
        few, many = (measure(lab, per_row, "subsampling") for per_row in ends)
        return pd.DataFrame([_below("subsampling: worst group rises", few, many, "worst")])

    return twin


def _features(lab: Lab, believed: Scheme | None = None) -> pd.DataFrame:
    """Worst-group and aligned error with random features against their fixed point; ``believed``: that of
    one scheme for both."""
    rows = []
    for scheme in SCHEMES:
        found = feature_errors(lab, cell(FEATURES_HELD, scheme))
        told = feature_theory(lab, cell(FEATURES_HELD, believed or scheme), HELD_DRAWS)
        for part in ("worst", "aligned"):
            measured, expected = getattr(found, part), getattr(told, part)
            noise = float(np.hypot(measured.se, getattr(told, f"{part}_se")))
            rows.append([f"{scheme}, {part}", measured.value, noise, expected, TOLERANCE])
            rows[-1] += [found.replicates, found.failures + told.failures]
    names = ["cell", "measured", "measured_se", "expected", "tolerance", "replicates", "failures"]
    return pd.DataFrame(rows, columns=names)


GAUSSIAN_NOISE = always("Core, spurious and noise features are Gaussian; raw counts are fixed.")
BOTH = (always("Logistic loss with a small ridge, four groups of equal weight."), EXISTS)


def _claim(
    id: str, title: str, statement: str, measure: Measure, ends: tuple[float, float]
) -> Claim:
    return inequality_claim(
        id,
        title,
        statement,
        r"\mathrm{err}_{worst}(\mathrm{few}) < \mathrm{err}_{worst}(\mathrm{many})",
        _reversal(measure, ends),
        Twin("Subsampling suffers from more parameters as well.", _no_reversal(measure, ends)),
        note=NOTE,
        source=SOURCE,
        assumptions=BOTH,
    )


_ERROR = r"\Phi\left(-\frac{s_{core} - s_{spu} + y b}{\sqrt{s^\top S s + v r^2}}\right)"

CLAIMS = (
    constant_claim(
        "proportional-spurious-reweighting",
        "The worst-group error of reweighting, few or many noise features",
        "With core, spurious and noise features the error of the conflicting groups under reweighting is"
        " that of the fixed point whose clusters have their own variances, at d/n = 1/20 and at 2.",
        _ERROR,
        reweighted,
        source=FIXED_POINT,
        note=NOTE,
        assumptions=(GAUSSIAN_NOISE, *BOTH),
    ),
    constant_claim(
        "proportional-spurious-subsampling",
        "The worst-group error of subsampling",
        "Trained on as many rows of every group as the smallest has, the rule has the error of the fixed"
        " point of these rows, carried to large n, at d/n = 1/20 and at 2 of the raw rows.",
        _ERROR,
        subsampled,
        source=FIXED_POINT,
        note=NOTE,
        assumptions=(GAUSSIAN_NOISE, *BOTH),
    ),
    _claim(
        "proportional-spurious-reversal",
        "More parameters hurt the worst group under reweighting only",
        "From 1/20 to 5 noise features a raw row the average error of reweighting falls and its worst-group"
        " error rises; that of subsampling falls and ends below.",
        _with_noise,
        ENDS,
    ),
    _claim(
        "proportional-spurious-features",
        "The reversal with random features",
        "From 3/40 to 3 ReLU random features a raw row the average error of reweighting falls and its"
        " worst-group error rises; that of subsampling falls and ends below.",
        _with_features,
        FEATURE_ENDS,
    ),
    exact_claim(
        "proportional-spurious-random-features",
        "Errors with random features, as if they were Gaussian",
        (
            "With one ReLU random feature for four raw rows the errors of the groups are within"
            " .03 of the fixed point of Gaussian rows that have the features' means mu_g and average"
            " covariance S: e_g is the mean pull of a row of group g, D the mean curvature, q the score's"
            " standard deviation."
        ),
        (
            r"\Phi\left(-\frac{y_g(\mu_g^\top w + b)}{q}\right),\quad w = (DS + \lambda)^{-1}"
            r"\sum_g p_g e_g y_g\mu_g,\quad e_g = -E[w_g\ell'(u)],\quad"
            r" D = \sum_g p_g E\left[\frac{w_g\ell''}{1 + t w_g\ell''}\right],\quad"
            r" q^2 = w^\top S w + \tfrac1n \mathrm{tr}\left((S(DS + \lambda)^{-1})^2\right)"
            r"\sum_g p_g E[(w_g\ell'(u))^2]"
        ),
        _features,
        Twin(
            "Subsampling has the errors of reweighting.",
            lambda lab: _features(lab, believed="reweighting"),
        ),
        note=NOTE,
        source="derived here; Gaussian equivalence is a conjecture",
        assumptions=(
            *BOTH,
            always("Noise of simulated errors and of drawn projections is allowed for."),
        ),
    ),
)
