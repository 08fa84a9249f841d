"""Proportional: repeated and reweighted rows, whose rule is not that of as many new ones."""

from typing import Any

import pandas as pd

from scaling.theory.proportional.units import predicted_errors
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import over
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.cases import DUPLICATES, REWEIGHTED
from synthlaw.claims.proportional.errors import (
    GROUPS,
    NOTE,
    PROPORTIONAL,
    SOURCE,
    Part,
    evidence_of,
    rows_of,
)
from synthlaw.claims.proportional.samples import MEASURES, sweep_of
from synthlaw.claims.record import EXISTS, Evidence, Twin

REPEATED = Part(DUPLICATES, "squared", 0, "duplicates", GROUPS)
WEIGHTED = Part(REWEIGHTED, "logistic", 0, "reweighted", GROUPS)

duplicates: Evidence = evidence_of(REPEATED)
reweighted: Evidence = evidence_of(WEIGHTED)


def against(part: Part, synthetic: dict[str, Any]) -> Evidence:
    """The same measurements against the limit of other rows: those that ``synthetic`` adds."""

    def evidence(lab: Lab) -> pd.DataFrame:
        table = rows_of(lab, [part])
        sweep = sweep_of(part.case, part.loss)
        other = {**sweep, "synthetic": synthetic}
        errors = predicted_errors(lab.units(other)[0]).errors[0]
        wrong = [float(errors[MEASURES.index(name.split(": ")[1])]) for name in table["series"]]
        return over(table, wrong)

    return evidence


CLAIMS = (
    constant_claim(
        "proportional-duplicates",
        "Duplicates in the proportional regime",
        (
            "Duplicating the minority to balance gives both groups the errors of clusters by"
            " multiplicity, d/n counting distinct rows: of M rows n are distinct, m are drawn again from"
            " the minority's n_c, and a row occurs N times."
        ),
        r"p_{c,j} = p_c\, P(N = j),\quad w_{c,j} = j n/M,\quad N - 1 \sim \mathrm{Bin}(m, 1/n_c)",
        duplicates,
        note=NOTE,
        source=SOURCE,
        assumptions=(*PROPORTIONAL, EXISTS),
        twin=Twin(
            "Duplicating is reweighting: every row is repeated equally often.",
            against(REPEATED, {"generators": [{"kind": "reweight"}]}),
        ),
    ),
    constant_claim(
        "proportional-reweighting",
        "Reweighting in the proportional regime",
        (
            "Reweighting the minority's n_c rows to balance, as if m were added to n, M in all, gives both"
            " groups the errors of one cluster of heavier rows."
        ),
        r"w_c = (1 + m/n_c)\, n/M",
        reweighted,
        note=NOTE,
        source=SOURCE,
        assumptions=(*PROPORTIONAL, EXISTS),
        twin=Twin("Reweighted rows are as good as new ones.", against(WEIGHTED, {"ratios": [1]})),
    ),
)
