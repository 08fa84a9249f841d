"""Claims of kind constant: the one form most claims have."""

from synthlaw.claims.evidence import planted
from synthlaw.claims.kinds import claim_of
from synthlaw.claims.record import DERIVED, REGULAR, Assumption, Claim, Evidence, Twin


def constant_claim(
    id: str,
    title: str,
    statement: str,
    formula: str,
    evidence: Evidence,
    *,
    note: str,
    source: str = DERIVED,
    assumptions: tuple[Assumption, ...] = REGULAR,
    twin: Twin | None = None,
) -> Claim:
    """A claim that estimate/prediction tends to 1; its family is the first word of its id.

    Args:
        id: lower-case words joined by hyphens, the family first.
        title: a few words for tables and the report.
        statement: one sentence that can be wrong.
        formula: the same in LaTeX.
        evidence: from a laboratory to a table with the columns ``series, size, inverse_size, prediction,
            estimate, se, ratio, ratio_se``.
        note: file in paper_notes, or a sentence, that derives it.
        source: where the statement comes from.
        assumptions: each with the check that tells whether it held.
        twin: a planted error that must come out contradicted; unless one is given, the same evidence
            against a prediction that is too large by the preset's planted error.
    """
    wrong = twin or Twin("The prediction is larger by the planted error.", planted(evidence))
    return claim_of(
        "constant",
        id,
        title,
        statement,
        formula,
        evidence,
        wrong,
        note=note,
        source=source,
        assumptions=assumptions,
    )
