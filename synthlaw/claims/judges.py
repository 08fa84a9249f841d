"""Judges: from a claim's table of evidence to its verdict, one per kind.

Columns of the evidence, by kind:

- constant: ``series, size, inverse_size, prediction, estimate, se, ratio, ratio_se, replicates,
  failures``; every series is carried to ``inverse_size = 0`` and must have intercept 1. For the picture:
  ``size_name`` (optional), what the size counts, ``size_one`` (optional), what size 1 is.
- exponent: the same columns, of fitted exponents with a floor fitted beside them where theory does
  not say that it is zero; ``prediction`` is the exponent predicted, the same at all sizes of a
  series, and the margin is absolute: the exponent carried to ``inverse_size = 0`` must lie within it.
- inequality: ``cell, measured, measured_se, bound, bound_se, replicates, failures``.
- exact: ``cell, measured, measured_se, expected, tolerance``, in absolute terms.
- distribution: ``cell, distance, radius``: distance to the predicted law, and the radius of its
  confidence ball at level ``alpha / cells``; ``replicates, failures``.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scaling.verdict.equivalence import ALPHA, Outcome, Verdict, below, critical_value, equivalence
from scaling.verdict.ladder import Ladder, ladder
from simulations.problems import InputError


class Judgement(NamedTuple):
    """A verdict with the numbers it speaks of; ``evidence`` gains the fitted ladder, ``remark``
    says what else a reader must know; ``level`` is the alpha of each cell's or series' interval."""

    verdict: Verdict
    prediction: float | None
    estimate: float | None
    se: float | None
    evidence: pd.DataFrame
    level: float
    remark: str = ""


def worst(outcomes: list[Outcome]) -> Outcome:
    """One statement over many cells: contradicted anywhere, else unresolved anywhere."""
    if "contradicted" in outcomes:
        return "contradicted"
    return "unresolved" if "unresolved" in outcomes else "supported"


def judge_constant(evidence: pd.DataFrame, margin: float, alpha: float) -> Judgement:
    """Every series' ladder must reach 1; levels are shared out among the series."""
    groups = list(evidence.groupby("series", sort=False))
    return _judge_ladders(groups, [margin] * len(groups), [1.0] * len(groups), alpha)


def judge_exponent(evidence: pd.DataFrame, margin: float, alpha: float) -> Judgement:
    """Every series' ladder of exponents must reach its prediction; margin and resolution are
    absolute."""
    groups = list(evidence.groupby("series", sort=False))
    predicted = [abs(float(part["prediction"].iloc[0])) for _, part in groups]
    return _judge_ladders(groups, [margin / each for each in predicted], predicted, alpha)


def _judge_ladders(
    groups: list[tuple[Any, pd.DataFrame]], margins: list[float], units: list[float], alpha: float
) -> Judgement:
    """Ladders of ratios, each with its relative margin; ``units`` turn relative resolutions into
    those that are reported."""
    level = alpha / len(groups)
    verdicts, fits, remarks = [], [], []
    for (name, part), margin in zip(groups, margins, strict=True):
        x, ratio, se = (part[k].to_numpy() for k in ("inverse_size", "ratio", "ratio_se"))
        if np.isfinite(ratio).all() and np.isfinite(se).all():
            line = ladder(x, ratio, se)
        else:
            remarks.append(f"{name or 'ladder'}: a size has no number with a standard error")
            line = Ladder(np.nan, np.nan, np.nan, np.nan, np.full(len(ratio), np.nan), 1.0)
        if line.straightness < level and len(part) > 2:
            # The noise no longer hides the next term of the expansion: fit it.
            remarks.append(f"{name or 'ladder'}: bends (p = {line.straightness:.1g}), 1/n^2 fitted")
            line = ladder(x, ratio, se, degree=2)
        verdict = equivalence(line.intercept, line.intercept_se, margin, level)
        if line.straightness < level:
            remarks.append(f"{name or 'ladder'}: bends still; climb higher")
            verdict = verdict._replace(outcome="unresolved")
        verdicts.append(verdict)
        fits.append(part.assign(fit=line.fitted))
    # The series that decides: the one furthest outside or closest to the edge of the band.
    z = critical_value(level)
    outcome = worst([v.outcome for v in verdicts])
    deciding = max(
        (i for i, v in enumerate(verdicts) if v.outcome == outcome),
        key=lambda i: (abs(verdicts[i].ratio - 1.0) + z * verdicts[i].ratio_se) / margins[i],
    )
    chosen = verdicts[deciding]
    resolution = max((v.resolution or 0.0) * u for v, u in zip(verdicts, units, strict=True))
    largest = fits[deciding].sort_values("inverse_size").iloc[0]
    return Judgement(
        Verdict(outcome, chosen.ratio, chosen.ratio_se, resolution),
        float(largest["prediction"]),
        float(largest["estimate"]),
        float(largest["se"]),
        pd.concat(fits, ignore_index=True),
        level,
        "; ".join(remarks),
    )


def judge_inequality(evidence: pd.DataFrame, margin: float, alpha: float) -> Judgement:
    """Measured over bound must not exceed 1 in any cell, with one-sided simultaneous bounds."""
    ratio = evidence["measured"] / evidence["bound"]
    relative = np.hypot(
        evidence["measured_se"] / evidence["measured"], evidence["bound_se"] / evidence["bound"]
    )
    level = alpha / len(evidence)
    verdicts = [
        below(float(r), float(abs(r) * e), level) for r, e in zip(ratio, relative, strict=True)
    ]
    z = critical_value(level)
    deciding = max(range(len(verdicts)), key=lambda i: verdicts[i].ratio + z * verdicts[i].ratio_se)
    chosen = verdicts[deciding]
    row = evidence.iloc[deciding]
    outcome = worst([v.outcome for v in verdicts])
    return Judgement(
        chosen._replace(outcome=outcome),
        float(row["bound"]),
        float(row["measured"]),
        float(row["measured_se"]),
        evidence,
        level,
        f"Largest measured/bound {chosen.ratio:.4g} in cell {row['cell']}.",
    )


def judge_exact(evidence: pd.DataFrame, margin: float, alpha: float) -> Judgement:
    """Measured must equal expected within the stated tolerance, noise allowed for."""
    level = alpha / len(evidence)
    z = critical_value(level)
    gap = (evidence["measured"] - evidence["expected"]).abs().to_numpy()
    noise = z * evidence["measured_se"].to_numpy()
    tolerance = evidence["tolerance"].to_numpy()
    outcomes: list[Outcome] = [
        "supported" if high else "contradicted" if low else "unresolved"
        for high, low in zip(gap + noise <= tolerance, gap - noise > tolerance, strict=True)
    ]
    outcome = worst(outcomes)
    deciding = max(
        (i for i, o in enumerate(outcomes) if o == outcome),
        key=lambda i: (gap[i] + noise[i]) / tolerance[i],
    )
    row = evidence.iloc[deciding]
    expected, measured, se = (float(row[k]) for k in ("expected", "measured", "measured_se"))
    ratio = measured / expected if expected else float("nan")
    ratio_se = se / abs(expected) if expected else float("nan")
    return Judgement(
        Verdict(outcome, ratio, ratio_se, None),
        expected,
        measured,
        se,
        evidence,
        level,
        f"Largest difference {gap[deciding]:.2g} (tolerance {tolerance[deciding]:.2g})"
        f" in cell {row['cell']}.",
    )


def judge_distribution(evidence: pd.DataFrame, margin: float, alpha: float) -> Judgement:
    """The distance to the predicted law must lie below the margin, its confidence ball included."""
    distance, radius = evidence["distance"].to_numpy(), evidence["radius"].to_numpy()
    outcomes: list[Outcome] = [
        "supported" if d + r <= margin else "contradicted" if d - r > margin else "unresolved"
        for d, r in zip(distance, radius, strict=True)
    ]
    deciding = int(np.argmax(distance + radius))
    row = evidence.iloc[deciding]
    return Judgement(
        Verdict(worst(outcomes), float("nan"), float("nan"), None),
        0.0,
        float(row["distance"]),
        float(row["radius"]),
        evidence,
        alpha / len(evidence),
        f"Largest distance {row['distance']:.3g} (radius {row['radius']:.2g}, margin {margin:g})"
        f" in cell {row['cell']}.",
    )


JUDGES = {
    "constant": judge_constant,
    "exponent": judge_exponent,
    "inequality": judge_inequality,
    "exact": judge_exact,
    "distribution": judge_distribution,
}


_COUNTED = ("replicates", "failures")
_LADDER = ("series", "size", "inverse_size", "prediction", "estimate", "se", "ratio", "ratio_se")
COLUMNS: dict[str, tuple[str, ...]] = {
    "constant": (*_LADDER, *_COUNTED),
    "exponent": (*_LADDER, *_COUNTED),
    "inequality": ("cell", "measured", "measured_se", "bound", "bound_se", *_COUNTED),
    "exact": ("cell", "measured", "measured_se", "expected", "tolerance", *_COUNTED),
    "distribution": ("cell", "distance", "radius", *_COUNTED),
}


def check_evidence(kind: str, evidence: Any, whose: str) -> None:
    """Raise ``InputError`` unless this is a table with rows and with the columns of the kind.

    >>> check_evidence("exact", pd.DataFrame({"cell": ["a"]}), "my-claim")
    Traceback (most recent call last):
    ...
    simulations.problems.InputError: my-claim: evidence of kind exact has no column measured; give it the
    columns cell, measured, measured_se, expected, tolerance, replicates, failures.
    """
    if not isinstance(evidence, pd.DataFrame) or not len(evidence):
        raise InputError(f"{whose}: the evidence is no table with rows; return a pandas DataFrame.")
    for column in COLUMNS[kind]:
        if column not in evidence.columns:
            raise InputError(
                f"{whose}: evidence of kind {kind} has no column {column}; give it the columns"
                f" {', '.join(COLUMNS[kind])}."
            )


def judge(kind: str, evidence: pd.DataFrame, margin: float, alpha: float = ALPHA) -> Judgement:
    """The verdict of a claim of this kind on this evidence."""
    return JUDGES[kind](evidence, margin, alpha)
