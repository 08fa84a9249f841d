"""Proportional: group errors and order parameters of regularised rules against the fixed point."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.cases import (
    BALANCING,
    BIASED,
    DENSE,
    DIM,
    HINGE,
    NARROW,
    RAW,
    RIGHT,
    SHIFTED,
)
from synthlaw.claims.proportional.pictures import curves
from synthlaw.claims.proportional.samples import MEASURES, Case, measured
from synthlaw.claims.record import EXISTS, FIXED_COUNTS, GAUSSIAN, Claim, Evidence, always

NOTE = "proportional.md"
SOURCE = "derived here; convex Gaussian min-max theorem"
# The large size of the preset full, where the limit must hold as it stands.
LARGE = 32
PROPORTIONAL = (
    GAUSSIAN,
    FIXED_COUNTS,
    always("Dimension and counts grow together; rows are isotropic within a group."),
)
GROUPS = ("majority error", "minority error")
BALANCED = ("balanced error",)
ORDER = ("projection", "norm", "intercept")


class Part(NamedTuple):
    """A case, a loss, the position of a cell and its label, and the measures looked at."""

    case: Case
    loss: str
    cell: int
    label: str
    measures: Sequence[str]


def rows_of(lab: Lab, parts: Sequence[Part], sizes: Sequence[int] = ()) -> pd.DataFrame:
    """Evidence of kind constant, a series in d for each measure of each part; all sizes unless some
    are named."""
    rows = []
    for case, loss, cell, label, names in parts:
        for size, found in measured(lab, case).items():
            for name in names if not sizes or size in sizes else ():
                at = cell, MEASURES.index(name)
                rows.append(
                    fitted_row(
                        f"{label}: {name}",
                        size,
                        float(found[loss].predicted[at]),
                        (float(found[loss].mean[at]), float(found[loss].se[at])),
                        found[loss].replicates,
                        int(found[loss].failures[cell]),
                    )
                )
    return pd.DataFrame(rows).assign(size_one=f"d = {DIM}")


def evidence_of(*parts: Part) -> Evidence:
    """The evidence of some parts as a function of the laboratory."""
    return lambda lab: rows_of(lab, parts)


logistic: Evidence = evidence_of(
    Part(BALANCING, "logistic", 0, RAW, GROUPS),
    Part(BALANCING, "logistic", 1, RIGHT, GROUPS),
    Part(BIASED, "logistic", 0, SHIFTED, GROUPS),
    Part(NARROW, "logistic", 0, DENSE, GROUPS),
)
_squared = (
    Part(BALANCING, "squared", 0, RAW, ("minority error", *BALANCED)),
    Part(BALANCING, "squared", 1, RIGHT, GROUPS),
    Part(NARROW, "squared", 0, DENSE, GROUPS),
)


def squared(lab: Lab) -> pd.DataFrame:
    """Least squares; leaves the curves to be drawn."""
    lab.recall("proportional curves", lambda: lab.drawn.update(proportional_curve=curves(lab)))
    return rows_of(lab, _squared)


hinge: Evidence = evidence_of(Part(HINGE, "hinge", 0, RIGHT, BALANCED))
order: Evidence = evidence_of(Part(BALANCING, "logistic", 0, RAW, ORDER))


# The six cells that are looked at without a ladder: two cells for each loss where it has them.
CELLS = (
    Part(BALANCING, "logistic", 0, f"logistic, {RAW}", BALANCED),
    Part(BALANCING, "logistic", 1, f"logistic, {RIGHT}", BALANCED),
    Part(BIASED, "logistic", 0, f"logistic, {SHIFTED}", BALANCED),
    Part(BALANCING, "squared", 0, f"squared, {RAW}", BALANCED),
    Part(NARROW, "squared", 0, f"squared, {DENSE}", BALANCED),
    Part(HINGE, "hinge", 0, f"hinge, {RIGHT}", BALANCED),
)


def largest(lab: Lab) -> pd.DataFrame:
    """Six cells at the largest dimension of the preset, as they stand."""
    size = LARGE if lab.preset.name == "full" else 4
    return rows_of(lab, CELLS, (size,)).assign(inverse_size=0.0)


_ERRORS = (
    r"\mathrm{err}_g \to \Phi\!\left(-y_g (\mu_g^\top s + b)/\sqrt{|s|^2 + r^2}\right),\quad"
    r" s, r, b \text{: projection, norm, intercept of the fixed point}"
)


def _claim(
    id: str, title: str, statement: str, evidence: Evidence, formula: str = _ERRORS
) -> Claim:
    return constant_claim(
        id,
        title,
        statement,
        formula,
        evidence,
        note=NOTE,
        source=SOURCE,
        assumptions=(*PROPORTIONAL, EXISTS),
    )


CLAIMS = (
    _claim(
        "proportional-logistic",
        "Ridge logistic regression in the proportional regime",
        (
            "With d/n fixed both groups' errors of ridge logistic regression tend to those of the fixed"
            " point: raw rows (d/n = .28), balanced by the right law, by a shifted generator, and at"
            " d/n = 1/2."
        ),
        logistic,
    ),
    _claim(
        "proportional-squared",
        "Ridge least squares in the proportional regime",
        (
            "With d/n fixed both groups' errors of ridge least squares tend to those of the fixed point:"
            " raw rows (d/n = .28; there the minority's and the balanced error), balanced by the right"
            " law, and at d/n = 1/2."
        ),
        squared,
    ),
    _claim(
        "proportional-hinge",
        "A linear support vector machine in the proportional regime",
        (
            "With d/n fixed the balanced error of a linear support vector machine (hinge loss with a"
            " ridge), on rows balanced by the right law, tends to that of the fixed point."
        ),
        hinge,
    ),
    _claim(
        "proportional-order-parameters",
        "Projection, norm and intercept of the rule",
        (
            "Projection on the groups' means, norm of the rest and intercept of ridge logistic"
            " regression on raw rows tend to the fixed point's s, r and b: w is a row's weight, u its"
            " margin after its own pull, D the mean curvature, beta^2 the mean squared pull."
        ),
        order,
        r"s = \frac{-\sum_c p_c E[w\ell'(u)]\, y_c\mu_c}{D + \lambda},\quad"
        r" r = \frac{\beta\sqrt{d/n}}{D + \lambda},\quad \sum_c p_c E[w\ell'(u)]\, y_c = 0,"
        r"\quad \beta^2 = \sum_c p_c E[(w\ell'(u))^2]",
    ),
    _claim(
        "proportional-large",
        "The limit holds as it stands",
        (
            "At the largest dimension measured (see the evidence) the balanced errors of six cells are"
            " those of the fixed point as they stand, not carried to 1/d = 0."
        ),
        largest,
    ),
)
