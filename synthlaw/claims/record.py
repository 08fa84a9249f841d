"""What a claim is: a statement, the evidence for it, and a planted error it must survive.

A claim is a record; its ``evidence`` and its twin's are functions from a ``Lab`` (which runs and
remembers simulations) to a table. The claim's ``kind`` names the columns of that table and
the judge that turns it into a verdict (judges.py).
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import pandas as pd

from synthlaw.claims.lab import Lab

Kind = Literal["constant", "exponent", "inequality", "distribution", "exact"]
Evidence = Callable[[Lab], pd.DataFrame]

FAMILIES = (
    "imbalance",
    "spurious",
    "scaling",
    "proportional",
    "nonparametric",
    "size",
    "generation",
    "control",
)


class Assumption(NamedTuple):
    """An assumption in words, and the check that says whether it held in the evidence."""

    text: str
    check: Callable[[pd.DataFrame], bool]


class Twin(NamedTuple):
    """A wrong statement and its evidence; judged like the claim, it must come out contradicted."""

    statement: str
    evidence: Evidence


class Claim(NamedTuple):
    """One statement to be verified.

    ``formula`` is LaTeX; ``source`` says where the statement comes from; ``note`` names the file
    under paper_notes/ that derives it. ``margin`` overrides the preset's (kind exact: an absolute
    tolerance is in the evidence; kind distribution: the largest distance that counts as equal).
    """

    id: str
    family: str
    kind: Kind
    title: str
    statement: str
    formula: str
    source: str
    note: str
    assumptions: tuple[Assumption, ...]
    evidence: Evidence
    twin: Twin
    margin: float | None = None


def always(text: str) -> Assumption:
    """An assumption that holds by construction of the simulation.

    Args:
        text: the assumption, in words.
    """
    return Assumption(text, lambda evidence: True)


def no_failures(evidence: pd.DataFrame) -> bool:
    """Whether every replicate had a minimiser."""
    return bool((evidence["failures"] == 0).all())


GAUSSIAN = always("Every group is Gaussian with the stated mean and covariance.")
FIXED_COUNTS = always("Row counts are fixed, not random.")
EXISTS = Assumption("Every replicate has a finite minimiser (failures are counted).", no_failures)
REGULAR = (GAUSSIAN, FIXED_COUNTS, EXISTS)
DERIVED = "derived here; expansion of a weighted M-estimator"
CLOSED = "derived here; closed form"
EFFECT = "qualitative effect: arXiv 2406.03628 (abstract); constant derived here"
