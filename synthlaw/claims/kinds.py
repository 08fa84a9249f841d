"""Claims of kinds inequality, exact and distribution; each needs a wrong twin of its own.

Of kind constant and exponent, whose twin follows from the evidence: constants.py and exponents.py.
"""

from typing import Any

from synthlaw.claims.record import DERIVED, REGULAR, Assumption, Claim, Evidence, Kind, Twin


def claim_of(
    kind: Kind,
    id: str,
    title: str,
    statement: str,
    formula: str,
    evidence: Evidence,
    twin: Twin,
    *,
    note: str,
    source: str = DERIVED,
    assumptions: tuple[Assumption, ...] = REGULAR,
    margin: float | None = None,
) -> Claim:
    """A claim whose family is the first word of its id."""
    family = id.split("-")[0]
    about = kind, title, statement, formula, source, note, assumptions
    return Claim(id, family, *about, evidence, twin, margin)


def inequality_claim(
    id: str,
    title: str,
    statement: str,
    formula: str,
    evidence: Evidence,
    twin: Twin,
    **options: Any,
) -> Claim:
    """A claim that what is measured lies below its bound in every cell, with the options of `claim_of`;
    the evidence has the rows of `evidence.bounded_row`.

    >>> import pandas as pd
    >>> from synthlaw.claims.evidence import bounded_row
    >>> def below(x: float) -> pd.DataFrame:
    ...     return pd.DataFrame([bounded_row(f"{x}", (x * x, 0.0), (x, 0.0))])
    >>> claim = inequality_claim(
    ...     "own-squares",
    ...     "Squares of halves",
    ...     "The square of 1/2 lies below it.",
    ...     "x^2 < x",
    ...     lambda lab: below(0.5),
    ...     Twin("So does the square of 2.", lambda lab: below(2.0)),
    ...     note="own.md",
    ... )
    >>> claim.family, claim.kind
    ('own', 'inequality')
    """
    return claim_of("inequality", id, title, statement, formula, evidence, twin, **options)


def exact_claim(
    id: str,
    title: str,
    statement: str,
    formula: str,
    evidence: Evidence,
    twin: Twin,
    **options: Any,
) -> Claim:
    """A claim that measured equals expected within a stated tolerance in every cell.

    Args:
        id: unique, ``family-...``.
        title: a few words, for lists and the report.
        statement: one sentence that can come out false.
        formula: the same in LaTeX.
        evidence: a function from the laboratory to a table of `evidence.exact_rows`.
        twin: the same with a planted error, which must come out contradicted.
        **options: those of `claim_of`.

    >>> from synthlaw.claims.evidence import exact_rows
    >>> claim = exact_claim(
    ...     "own-half",
    ...     "Half and half",
    ...     "Two halves are one.",
    ...     "2x = 1",
    ...     lambda lab: exact_rows(["0.5"], [0.5 + 0.5], [1.0], 1e-12),
    ...     Twin("They are two.", lambda lab: exact_rows(["0.5"], [0.5 + 0.5], [2.0], 1e-12)),
    ...     note="own.md",
    ... )
    >>> claim.kind
    'exact'
    """
    return claim_of("exact", id, title, statement, formula, evidence, twin, **options)


def distribution_claim(
    id: str,
    title: str,
    statement: str,
    formula: str,
    evidence: Evidence,
    twin: Twin,
    *,
    margin: float,
    **options: Any,
) -> Claim:
    """A claim that the distance to the predicted law is at most ``margin`` in every cell, with the options
    of `claim_of`."""
    given = {"margin": margin, **options}
    return claim_of("distribution", id, title, statement, formula, evidence, twin, **given)
