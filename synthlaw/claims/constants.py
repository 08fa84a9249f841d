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

    The twin, unless one is given, is the same evidence against a prediction that is too large by
    the preset's planted error.
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
