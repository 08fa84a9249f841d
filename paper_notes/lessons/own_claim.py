"""The claims of lesson 7: what copies cost beyond weights.

    synthlaw verify --module paper_notes/lessons/own_claim.py

Two classes that mirror each other, k times as many majority as minority rows, logistic loss, full balance.
Copies (random duplication) and weights (reweighting) leave the same rule in the limit and no floor. Of the
excess risks, as counts grow with k fixed,

    copies / weights  ->  1 + (k - 1) / (k (k + 1))  <=  1 + (3 - 2 sqrt 2) ,

with equality at k = 1 + sqrt 2. Derivation: lesson 7, from paper_notes/imbalance.md, section 5.
"""

from math import sqrt

import numpy as np
import pandas as pd

from synthlaw.claims.evidence import Selection, quotient, select
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import REGULAR, Claim, Twin, always
from synthlaw.simulating.predictions import predict

MINORITY = 200
# Imbalances at which the constant is simulated, and at which the bound is looked at.
SIMULATED, LOOKED_AT = (2, 5), (1.5, 2.0, 2.25, 2.5, 3.0, 5.0, 10.0, 30.0)
WORST = 3.0 - 2.0 * sqrt(2.0)


def price(k: float) -> float:
    """What copies cost beyond weights, as a share: ``(k - 1)/(k (k + 1))``.

    >>> round(price(2), 6), round(price(3), 6), round(price(1 + 2**0.5) / WORST, 12)
    (0.166667, 0.166667, 1.0)
    """
    return (k - 1.0) / (k * (k + 1.0))


def hasty_price(k: float) -> float:
    """The same by somebody who forgot the majority's share of the variance: ``(k - 1)/k^2``."""
    return (k - 1.0) / k**2


def sweep(k: float, minority: int = MINORITY) -> dict:
    """Copies and weights at full balance, k majority rows to one minority row."""
    return {
        "setting": {"kind": "imbalance", "dim": 3, "separation": 2.0},
        "counts": {"majority": round(k * minority), "minority": minority},
        "synthetic": {"generators": [{"kind": "duplicate"}, {"kind": "reweight"}], "ratios": [1]},
    }


EXPERIMENTS = {
    k: Experiment(f"own_copies_{k}", sweep(k), sizes=(2, 8), replicates=(200, 200))
    for k in SIMULATED
}


def measured_price(lab: Lab, law=price) -> pd.DataFrame:
    """Evidence of kind constant: simulated copies over simulated weights, against ``1 + law(k)``."""
    parts = []
    for k, experiment in EXPERIMENTS.items():
        table = lab.measure(experiment)
        copies, weights = (select(table, Selection(kind)) for kind in ("duplicate", "reweight"))
        predicted = np.full(len(copies), 1.0 + law(k))
        parts.append(quotient(copies, weights, predicted).assign(series=f"{k} to 1"))
    return pd.concat(parts, ignore_index=True)


def largest_price(lab: Lab, bound: float = WORST) -> pd.DataFrame:
    """Evidence of kind inequality: the price by the exact expansion at many imbalances, against a bound."""
    found = []
    for k in LOOKED_AT:
        table = predict(sweep(k, minority=10_000))
        copies, weights = (
            float(select(table, Selection(kind))["variance"].iloc[0])
            for kind in ("duplicate", "reweight")
        )
        found.append(copies / weights - 1.0)
    return pd.DataFrame(
        {
            "cell": [f"{k:g} to 1" for k in LOOKED_AT],
            "measured": found,
            "measured_se": 0.0,
            "bound": bound,
            "bound_se": 0.0,
            "replicates": 0,
            "failures": 0,
        }
    )


MIRRORED = always("The two classes mirror each other, so that both weigh alike in the variance.")

CLAIMS = (
    Claim(
        id="own-price-of-copies",
        family="own",
        kind="constant",
        title="What copies cost beyond weights",
        statement="Copying to balance costs 1 + (k-1)/(k(k+1)) times the excess risk of weights.",
        formula=r"\mathcal{E}_{copies}/\mathcal{E}_{weights} \to 1 + \frac{k-1}{k(k+1)}",
        source="own, lesson 7",
        note="lessons/07_verify_your_own_theorem.py",
        assumptions=(*REGULAR, MIRRORED),
        evidence=measured_price,
        twin=Twin("It costs 1 + (k-1)/k^2 times.", lambda lab: measured_price(lab, hasty_price)),
    ),
    Claim(
        id="own-price-limit",
        family="own",
        kind="inequality",
        title="Copies never cost 17.2 % more",
        statement="At no imbalance do copies cost more than 3 - 2 sqrt 2 beyond weights.",
        formula=r"\frac{k-1}{k(k+1)} \le 3 - 2\sqrt2",
        source="own, lesson 7",
        note="lessons/07_verify_your_own_theorem.py",
        assumptions=(MIRRORED,),
        evidence=largest_price,
        twin=Twin("Never more than a sixth.", lambda lab: largest_price(lab, 1.0 / 6.0)),
    ),
)
