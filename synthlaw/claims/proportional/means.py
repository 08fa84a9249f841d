"""Proportional: the mean-difference rule, its limit for every generator, and how fast it is reached."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from scaling.theory.proportional.mean_difference import (
    Errors,
    MeanLaw,
    exact_errors,
    mean_difference_errors,
    minority_mean,
)
from simulations.wide.layout import layout
from simulations.wide.measures import values
from simulations.wide.replicate import mean_difference
from simulations.wide.rows import weights_of
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import exact_rows, over
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.cases import DIM, SETTING
from synthlaw.claims.proportional.errors import (
    GROUPS,
    NOTE,
    PROPORTIONAL,
    Part,
    evidence_of,
    rows_of,
)
from synthlaw.claims.proportional.samples import Case, controlled_means, drawn, sweep_of
from synthlaw.claims.record import CLOSED, Twin

COUNTS = {"majority": 75, "minority": 25}
STEPS = {
    "quick": {1: 80, 2: 40, 4: 100},
    "full": {1: 800, 2: 400, 4: 600, 8: 200, 32: 40},
}
GENERATORS: dict[str, dict[str, Any]] = {
    "right law": {"kind": "oracle"},
    "duplicates": {"kind": "duplicate"},
    "fitted": {"kind": "gaussian", "covariance": "known", "groups": ["minority"]},
    "shifted": {"kind": "shift", "shift": [0.6] + [0] * (DIM - 1), "groups": ["minority"]},
    "too narrow": {"kind": "scale", "factor": 0.5, "groups": ["minority"]},
}


def _case(name: str) -> Case:
    sweep = {
        "setting": SETTING,
        "counts": COUNTS,
        "synthetic": {"generators": [GENERATORS[name]], "ratios": [1]},
    }
    return Case(f"means {name}", sweep, {"mean_difference": 0.0}, STEPS)


PARTS = tuple(Part(_case(name), "mean_difference", 0, name, GROUPS) for name in GENERATORS)
limits = evidence_of(*PARTS)


def duplicates_as_new(lab: Lab) -> pd.DataFrame:
    """Measured errors of duplicates against the limit of as many new rows."""
    right, twice = (rows_of(lab, [part]) for part in PARTS[:2])
    return over(twice, right["prediction"])


# Samples of the rule's own law: its errors depend on the inner products of two class means alone.
SAMPLES = 150_000
SEPARATION = SETTING["separation"] / 2.0
# Sizes two by two, each pair with an exponent of its own.
PAIRS = ((1, 8), (4, 32))
EXACT_SIZES = (1, 4)
TOLERANCE = 1e-4


class Drawn(NamedTuple):
    """``mean (3,)`` and ``se (3,)`` of the minority's, the majority's and the balanced error."""

    mean: np.ndarray
    se: np.ndarray


def sampled_errors(lab: Lab, size: int, balanced: bool) -> Drawn:
    """Errors of the rule over many pairs of class means, of raw rows or of ones balanced by the right law.

    The two means' deviations are drawn as they lie in mu, in the first one's direction across mu and
    in the rest (Bartlett's root of a Wishart matrix): the cost does not depend on d.

    Args:
        lab: the laboratory.
        size: of the ladder.
        balanced: whether rows of the right law balance the classes.
    """

    def compute() -> Drawn:
        dim, rows = DIM * size, COUNTS["majority"] * size
        inverse = np.array([1.0 / (rows if balanced else COUNTS["minority"] * size), 1.0 / rows])
        count = SAMPLES * lab.preset.effort
        rng = np.random.default_rng([lab.seed, size, balanced])
        along = rng.standard_normal((2, count))
        first = np.sqrt(rng.chisquare(dim - 1, count))
        second = rng.standard_normal(count)
        third = rng.chisquare(dim - 2, count)
        sd = np.sqrt(inverse)
        one = np.stack([SEPARATION + sd[0] * along[0], sd[0] * first, np.zeros(count)])
        two = np.stack([-SEPARATION + sd[1] * along[1], sd[1] * second, sd[1] * np.sqrt(third)])
        slope, middle = one - two, 0.5 * (one + two)
        length = np.sqrt((slope**2).sum(axis=0))
        score, offset = SEPARATION * slope[0], (slope * middle).sum(axis=0)
        errors = np.stack([ndtr(-(score - offset) / length), ndtr(-(score + offset) / length)])
        # What the errors follow, with known means: parts along mu, squares and the inner product.
        squares = [first**2 - (dim - 1), second**2 + third - (dim - 1), first * second]
        parts = np.stack([*along, *squares])
        twice = [parts[i] * parts[j] for i in range(2) for j in range(i, 2)]
        twice = [each - float(i) for each, i in zip(twice, (1, 0, 1), strict=True)]
        controls = np.stack([*parts, *twice], axis=1)
        return Drawn(*controlled_means(np.stack([*errors, errors.mean(axis=0)], axis=1), controls))

    return lab.recall(f"class means {size} {balanced}", compute)


def _laws(size: int, balanced: bool) -> tuple[int, float, MeanLaw, float]:
    """The arguments of `mean_difference_errors` and `exact_errors`."""
    few, many = COUNTS["minority"] * size, COUNTS["majority"] * size
    law = minority_mean("right_law", few, (many - few) * balanced)
    return DIM * size, SEPARATION, law, 1.0 / many


def gap_exponents(lab: Lab, power: float = 1.0) -> pd.DataFrame:
    """By how much the gap to the limit falls as d grows eightfold, as an exponent."""
    found = []
    for pair in PAIRS:
        gaps, relative, far = [], [], pair[1] / pair[0]
        for size in pair:
            limit = mean_difference_errors(*_laws(size, False)).majority
            drawn = sampled_errors(lab, size, False)
            gaps.append(float(drawn.mean[1]) - limit)
            relative.append(float(drawn.se[1]) / gaps[-1])
        value = float(np.log(gaps[0] / gaps[1]) / np.log(far))
        noise = float(np.hypot(*relative) / np.log(far))
        many = 2 * SAMPLES * lab.preset.effort
        found.append(fitted_row("", pair[0], power, (value, noise), many, 0))
    return pd.DataFrame(found)


def gap_by_root(lab: Lab) -> pd.DataFrame:
    """The same against an exponent of 1/2."""
    return gap_exponents(lab, 0.5)


def _finite(lab: Lab, law: Callable[..., Errors]) -> pd.DataFrame:
    cells, measured, expected, errors = [], [], [], []
    for size in EXACT_SIZES:
        for name, balanced in (("raw rows", False), ("right law", True)):
            drawn = sampled_errors(lab, size, balanced)
            for at, group in enumerate(("minority", "majority")):
                cells.append(f"d = {DIM * size}, {name}, {group}")
                measured.append(float(drawn.mean[at]))
                errors.append(float(drawn.se[at]))
                expected.append(float(law(*_laws(size, balanced))[at]))
    return exact_rows(cells, measured, expected, TOLERANCE, errors, SAMPLES * lab.preset.effort)


def finite(lab: Lab) -> pd.DataFrame:
    """Simulated errors against the exact ones."""
    return _finite(lab, exact_errors)


def limit_as_finite(lab: Lab) -> pd.DataFrame:
    """Simulated errors against the limit."""
    return _finite(lab, mean_difference_errors)


MULTIPLE, MULTIPLE_SAMPLES = 3.0, 20


def _unchanged(lab: Lab, cells: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Largest change of a group's error, over samples, from raw rows to each way of repeating them."""
    changes = []
    for name, generator in cells.items():
        synthetic = {"generators": [generator], "ratios": [1]}
        if generator["kind"] == "reweight":
            synthetic = {"generators": [generator]}
        case = PARTS[0].case
        unit = lab.units({**sweep_of(case, "mean_difference"), "synthetic": synthetic})[0]
        laid_out, largest = layout(unit), 0.0
        rng = np.random.default_rng(lab.seed)
        for _ in range(MULTIPLE_SAMPLES):
            sample = drawn(unit, laid_out, rng).sample
            raw = np.ones(len(sample.labels))
            given = weights_of(unit, laid_out, sample, 0)
            repeated = np.where(sample.labels > 0.5, MULTIPLE, 1.0)
            ways = (given,) if name != "each row three times" else (repeated,)
            for weights in ways:
                both = [mean_difference(sample.rows, sample.labels, w) for w in (raw, weights)]
                gap = values(unit, both[0].theta) - values(unit, both[1].theta)
                largest = max(largest, float(np.abs(gap[2:]).max()))
        changes.append(largest)
    return exact_rows(list(cells), changes, [0.0] * len(cells), 1e-12, replicates=MULTIPLE_SAMPLES)


def unchanged(lab: Lab) -> pd.DataFrame:
    """Reweighting and equal multiplicities."""
    ways = {"reweighted": {"kind": "reweight"}, "each row three times": {"kind": "reweight"}}
    return _unchanged(lab, ways)


def changed(lab: Lab) -> pd.DataFrame:
    """Random multiplicities."""
    return _unchanged(lab, {"duplicates": {"kind": "duplicate"}})


CLAIMS = (
    constant_claim(
        "proportional-mean-difference",
        "The mean-difference rule with any generator",
        (
            "With d/n fixed both groups' errors under the mean-difference rule tend to the closed form:"
            " rows of the right law, duplicates, a Gaussian fitted to the seeds, a shifted law and one too"
            " narrow. Groups lie at +-mu, R = |mu|; class g's training mean has variance i_g in each"
            " coordinate, the minority's (g = 1) expectation is mu + eta."
        ),
        r"\mathrm{err}_1 \to \Phi\!\left(-\frac{R^2 - |\eta|^2/4 - \frac d4(i_1-i_0)}{q}\right),\quad"
        r" \mathrm{err}_0 \to \Phi\!\left(-\frac{|\mu + \eta/2|^2 + \frac d4(i_1-i_0)}{q}\right),\quad"
        r" q^2 = |\mu + \eta/2|^2 + \tfrac d4(i_1+i_0)",
        limits,
        note=NOTE,
        source=CLOSED,
        assumptions=PROPORTIONAL,
        twin=Twin("Duplicates are as good as new rows.", duplicates_as_new),
    ),
    exact_claim(
        "proportional-mean-difference-exact",
        "The mean-difference rule at finite d",
        (
            "At 25 and at 100 features the errors of the mean-difference rule are those of a difference of"
            f" two noncentral chi-squares (tolerance {TOLERANCE:g}), whose rates lambda_j and"
            " noncentralities nu_j follow from the counts and the groups' means."
        ),
        r"P\left(\lambda_1 \chi^2_d(\nu_1) - \lambda_2 \chi^2_d(\nu_2) < 0\right)",
        finite,
        Twin("They are those of the limit.", limit_as_finite),
        note=NOTE,
        source=CLOSED,
        assumptions=PROPORTIONAL[:2],
    ),
    exponent_claim(
        "proportional-gap",
        "The limit is reached as 1/d",
        "The gap between the majority's error under the mean-difference rule, on raw rows, and its limit"
        " falls as 1/d.",
        r"\mathrm{err}(d) - \mathrm{err}(\infty) = O(1/d)",
        gap_exponents,
        note=NOTE,
        source=CLOSED,
        assumptions=PROPORTIONAL,
        twin=Twin("It falls as 1/sqrt d.", gap_by_root),
    ),
    exact_claim(
        "proportional-multiplicities",
        "Equal multiplicities change no mean-difference rule",
        (
            "Reweighting the minority, or repeating each of its rows equally often, leaves the"
            " mean-difference rule as it is; random duplication does not."
        ),
        r"\bar x_1(w) = \bar x_1 \text{ for equal weights}",
        unchanged,
        Twin("Nor does random duplication change it.", changed),
        note=NOTE,
        source=CLOSED,
        assumptions=PROPORTIONAL[:1],
    ),
)
