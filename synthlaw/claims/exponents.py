"""Claims of kind exponent, and the rows of evidence of what was fitted to curves."""

from typing import Any

import pandas as pd

from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import over
from synthlaw.claims.record import Claim, Evidence, Twin

# The planted error of an exponent and its margin, both absolute and the same in all presets.
PLANTED, MARGIN = 0.1, 0.02


def fitted_row(
    series: str,
    size: float,
    prediction: float,
    fitted: tuple[float, float],
    replicates: int,
    failures: int,
) -> dict[str, Any]:
    """A row of evidence of kind constant or exponent; ``fitted``: an estimate and its standard error."""
    estimate, se = fitted
    return {
        "series": series,
        "size": size,
        "inverse_size": 1.0 / size,
        "prediction": prediction,
        "estimate": estimate,
        "se": se,
        "ratio": estimate / prediction,
        "ratio_se": se / abs(prediction),
        "replicates": replicates,
        "failures": failures,
    }


def planted_exponent(evidence: Evidence) -> Evidence:
    """The same evidence against an exponent that is larger by 0.1."""

    def twin(lab: Any) -> pd.DataFrame:
        table = evidence(lab)
        return over(table, table["prediction"] + PLANTED)

    return twin


def exponent_claim(
    id: str, title: str, statement: str, formula: str, evidence: Evidence, **options: Any
) -> Claim:
    """A claim on an exponent.

    Args:
        id: lower-case words joined by hyphens, the family first.
        title: a few words for tables and the report.
        statement: one sentence that can be wrong.
        formula: the same in LaTeX.
        evidence: as for `constant_claim`; estimates and predictions are exponents.
        options: those of `constant_claim`. The twin, unless one is given, is the same evidence against
            an exponent larger by 0.1.
    """
    wrong = Twin("The exponent is larger by 0.1.", planted_exponent(evidence))
    claim = constant_claim(id, title, statement, formula, evidence, **{"twin": wrong, **options})
    return claim._replace(kind="exponent", margin=MARGIN)
