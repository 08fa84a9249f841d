"""Proportional: from which d/n on no rule without a ridge exists."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import norm

from scaling.theory.proportional.clusters import isotropic
from scaling.theory.proportional.existence import threshold
from simulations.sampling.newton import SEPARABLE
from simulations.wide.layout import layout
from simulations.wide.replicate import fit
from synthlaw.claims.evidence import bounded_row, column, exact_rows
from synthlaw.claims.kinds import exact_claim, inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.errors import NOTE, PROPORTIONAL, SOURCE
from synthlaw.claims.proportional.samples import PATIENCE, drawn
from synthlaw.claims.record import Twin

SEPARATION, SHARE = 2.0, 0.2
# Samples by features, at each of these d/n over the threshold.
SAMPLES, PLACES = {12: 280, 32: 120, 64: 220}, (0.72, 0.87, 0.95, 1.05, 1.15, 1.4)
# Two places on either side that the sharpening is judged at, and the outermost, which have few samples.
INNER, FEW = (0.87, 1.15), 0.25
DIMS = tuple(SAMPLES)
TOLERANCE = 0.06


def predicted(share: float = SHARE) -> float:
    """The threshold delta* of two clusters."""
    rows = isotropic([share, 1.0 - share], [1.0, -1.0], [[SEPARATION / 2.0], [-SEPARATION / 2.0]])
    return float(threshold(rows).kappa)


def _sweep(dim: int, place: float) -> dict[str, Any]:
    rows = dim / (place * predicted())
    minority = round(SHARE * rows)
    return {
        "setting": {"kind": "imbalance", "dim": dim, "separation": SEPARATION},
        "counts": {"majority": round(rows) - minority, "minority": minority},
        "synthetic": {"ratios": [0]},
        "estimator": {"kind": "logistic", "ridge": 0.0},
        "theory": {"regime": "proportional"},
    }


def _separable(lab: Lab, dim: int, place: float) -> dict[str, float]:
    """How many samples a hyperplane separates."""
    unit = lab.units(_sweep(dim, place))[0]
    laid_out, separable, others = layout(unit), 0, 0
    outer = place in (PLACES[0], PLACES[-1])
    count = round(SAMPLES[dim] * lab.preset.effort * (FEW if outer else 1.0))
    rng = np.random.default_rng([lab.seed, dim, PLACES.index(place)])
    for r in range(count):
        if r % PATIENCE == 0:
            lab.go_on()
        status = fit(unit, laid_out, drawn(unit, laid_out, rng).sample, 0).status
        separable += status == SEPARABLE
        others += status not in (0, SEPARABLE)
    kappa = dim / unit.counts.sum()
    return {"dim": dim, "kappa": kappa, "separable": separable, "count": count, "failures": others}


def shares(lab: Lab) -> pd.DataFrame:
    """Separable samples by dimension and d/n, once in a laboratory."""

    def compute() -> pd.DataFrame:
        rows = [_separable(lab, dim, place) for dim in DIMS for place in PLACES]
        table = pd.DataFrame(rows).assign(threshold=predicted())
        lab.drawn["existence"] = table
        return table

    return lab.recall("separable samples", compute)


def _columns(table: pd.DataFrame, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """d/n, separable samples and all samples at one dimension."""
    own = column(table, "dim") == dim
    kappa, separable, count = (column(table, name)[own] for name in ("kappa", "separable", "count"))
    return kappa, separable, count


def centre(dim: int, kappa: np.ndarray, hits: np.ndarray, count: np.ndarray) -> tuple[float, float]:
    """Where half the samples are separable and its standard error: a normal curve in log kappa, by
    maximum likelihood."""

    def loss(at: np.ndarray) -> float:
        z = (np.log(kappa) - at[0]) * np.exp(at[1])
        return -float(hits @ norm.logcdf(z) + (count - hits) @ norm.logsf(z))

    start = np.array([float(np.log(kappa).mean()), 0.5 * np.log(dim)])
    found = minimize(loss, start, method="BFGS")
    return float(np.exp(found.x[0])), float(np.exp(found.x[0]) * np.sqrt(found.hess_inv[0, 0]))


def _carried(lab: Lab) -> tuple[float, float]:
    """The centres, carried to 1/d = 0 by a line, and its standard error."""
    table = shares(lab)
    centres, errors = [], []
    for dim in DIMS:
        at, se = centre(dim, *_columns(table, dim))
        centres.append(at)
        errors.append(se)
    design = np.column_stack([np.ones(len(DIMS)), 1.0 / np.array(DIMS)]) / np.array(errors)[:, None]
    covariance = np.linalg.inv(design.T @ design)
    value = covariance @ design.T @ (np.array(centres) / np.array(errors))
    return float(value[0]), float(np.sqrt(covariance[0, 0]))


def _against(lab: Lab, expected: float) -> pd.DataFrame:
    value, se = _carried(lab)
    table = shares(lab)
    return exact_rows(
        ["d/n where half the samples are separable"],
        [value],
        [expected],
        TOLERANCE * expected,
        [se],
        int(column(table, "count").sum()),
        int(column(table, "failures").sum()),
    )


def transition(lab: Lab) -> pd.DataFrame:
    """Against the threshold."""
    return _against(lab, predicted())


def as_balanced(lab: Lab) -> pd.DataFrame:
    """Against the threshold of clusters of equal size."""
    return _against(lab, predicted(0.5))


def _wrong(lab: Lab, dim: int) -> tuple[float, float, int]:
    """Share of samples on the wrong side at both inner places, its standard error, and how
    many there were."""
    _, hits, count = _columns(shares(lab), dim)
    low, high = (PLACES.index(place) for place in INNER)
    wrong, total = hits[low] + count[high] - hits[high], count[low] + count[high]
    share = (wrong + 0.5) / (total + 1.0)
    return float(share), float(np.sqrt(share * (1.0 - share) / total)), int(total)


def _compared(lab: Lab, measured: int, bound: int) -> pd.DataFrame:
    (low, low_se, many), (high, high_se, more) = (_wrong(lab, dim) for dim in (measured, bound))
    cell = f"{measured} features against {bound}"
    return pd.DataFrame([bounded_row(cell, (low, low_se), (high, high_se), many + more)])


def sharper(lab: Lab) -> pd.DataFrame:
    """The largest dimension against the smallest."""
    return _compared(lab, DIMS[-1], DIMS[0])


def blunter(lab: Lab) -> pd.DataFrame:
    """The smallest dimension against the largest."""
    return _compared(lab, DIMS[0], DIMS[-1])


CLAIMS = (
    exact_claim(
        "proportional-existence",
        "When logistic regression without a ridge ceases to exist",
        (
            "With one row in five of the minority half the samples are separable at d/n = delta*,"
            f" carried to d without bound (within {100 * TOLERANCE:g} %); G is standard normal, p_c a"
            " group's share, mu_c its mean."
        ),
        (
            r"\delta^* = \min_{s,b} \sum_c p_c"
            r" E\left(\sqrt{1+|s|^2}\,G - y_c(\mu_c^\top s + b)\right)_+^2"
        ),
        transition,
        Twin("The threshold is that of balanced clusters.", as_balanced),
        note=NOTE,
        source=SOURCE,
        assumptions=PROPORTIONAL,
    ),
    inequality_claim(
        "proportional-existence-sharpens",
        "The transition sharpens with the dimension",
        (
            "Fewer samples are on the wrong side of the threshold at 64 features than at 12: separable"
            " below it, or not separable above."
        ),
        r"P(\text{separable}) \to 1\{d/n > \delta^*\}",
        sharper,
        Twin("More are.", blunter),
        note=NOTE,
        source=SOURCE,
        assumptions=PROPORTIONAL,
    ),
)
