"""Generation, two rules of comparison: endless augmentation is a plug-in rule, duplication is dear."""

import numpy as np
import pandas as pd

from scaling.theory.plugin_limits import excess_risks
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, against, column, quotient, select
from synthlaw.claims.generation.fitted import NOTE
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin


def endless(lab: Lab) -> pd.DataFrame:
    """Excess risk of LDA on balanced rows over the closed form."""
    rows = select(lab.measure(experiments.LDA), Selection("oracle", (0.0,)))
    return against(rows, _limits(rows, "pooled"), column(rows, "estimate"))


def endless_known(lab: Lab) -> pd.DataFrame:
    """The same over the form for a covariance that is known."""
    rows = select(lab.measure(experiments.LDA), Selection("oracle", (0.0,)))
    return against(rows, _limits(rows, "known"), column(rows, "estimate"))


def _limits(rows: pd.DataFrame, rule: str) -> np.ndarray:
    counts = experiments.LDA.sweep["counts"]
    setting = experiments.REFERENCE
    limit = excess_risks(
        setting["dim"], setting["separation"], (counts["minority"], counts["majority"])
    )
    return getattr(limit, rule) / column(rows, "size")


def duplication_cost(lab: Lab) -> pd.DataFrame:
    """Excess risk of duplication over that of reweighting, against the ratio of predicted variances."""
    table = lab.measure(experiments.RESAMPLING)
    twice, once = (
        select(table, wanted) for wanted in (Selection("duplicate", (1.0,)), Selection("reweight"))
    )
    return quotient(twice, once, column(twice, "variance") / column(once, "variance"))


def duplication_free(lab: Lab) -> pd.DataFrame:
    """Against 1: duplicating costs nothing beyond reweighting."""
    evidence = duplication_cost(lab)
    return evidence.assign(prediction=1.0, ratio=evidence["estimate"], ratio_se=evidence["se"])


CLAIMS = (
    constant_claim(
        "generation-endless-lda",
        "Endless augmentation is a plug-in rule",
        (
            "Fisher's discriminant with pooled covariance, the limit of endless rows of such a"
            " generator, has the excess logistic risk of the closed form."
        ),
        r"\tfrac{s}{8}\left[a_0(d-1+\tfrac{D^2}{4})+a_2\right] + \tfrac{D^2}{8n}\left[2a_2+(d-1)a_0\right]",
        endless,
        note=NOTE,
        twin=Twin("The covariance costs nothing to estimate.", endless_known),
    ),
    constant_claim(
        "generation-duplication-cost",
        "Duplicating costs more than reweighting",
        (
            "At balance duplication has a larger excess risk than reweighting, by the variance of"
            " the multiplicities: 8 % here."
        ),
        r"\frac{V_{duplicate}}{V_{reweight}} - 1 \propto m\left(1 - \tfrac1n\right)",
        duplication_cost,
        note=NOTE,
        twin=Twin("Both have the same excess risk.", duplication_free),
    ),
)
