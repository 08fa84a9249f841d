"""Claims of my own. Run:  synthlaw verify --module my_claims.py

A claim is a statement with the evidence that would refute it, and a wrong twin: the same with a planted
error, which must come out contradicted. Evidence is a function from a laboratory, which runs and remembers
simulations, to a table; the claim's kind says which columns (synthlaw/claims/judges.py lists them).
"""

from typing import Any

import numpy as np
import pandas as pd

from simulations.population.units import unit_population
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, exact_rows, ladder_of
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import Twin, always

# A sweep at size 1, and the sizes (factors on all counts) at which it is simulated.
SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 3, "separation": 2.0},
    "counts": {"majority": 1000, "minority": 100},
    "synthetic": {"generators": [{"kind": "oracle"}], "ratios": [0, 1]},
}
BALANCED = Experiment("own_balanced", SWEEP, sizes=(1, 4), replicates=(300, 300))


def intercepts(lab: Lab, factor: float = 1.0) -> pd.DataFrame:
    """The intercept that imbalance adds, against ``factor`` times the logarithm of the counts' ratio."""
    population = unit_population(lab.units(SWEEP)[0])
    moved = population.theta[0] - population.balanced_theta  # cell 0: ratio 0
    return exact_rows(["1000:100"], [float(moved[-1])], [factor * float(np.log(0.1))], 1e-8)


CLAIMS = (
    # Kind constant: simulated over predicted tends to 1. Without a twin of its own it gets the prediction
    # off by 10 % (preset quick).
    constant_claim(
        "own-balanced",
        "Balanced by the right law",
        "At ratio 1 the balanced excess risk is variance + second order.",
        r"E\,\mathcal E = \tfrac12\mathrm{tr}(HM) + O(n^{-2})",
        ladder_of(BALANCED, Selection("oracle", (1.0,))),
        note="my_note.md",
        source="own",
    ),
    # Kind exact: measured equals expected within a tolerance.
    exact_claim(
        "own-log-odds",
        "Imbalance moves the intercept",
        "Raw counts n_1, n_0 move the intercept by log(n_1/n_0).",
        r"\Delta\beta_0 = \log(n_1/n_0)",
        intercepts,
        Twin("It moves twice as far.", lambda lab: intercepts(lab, factor=2.0)),
        note="my_note.md",
        source="own",
        assumptions=(always("Both groups share one covariance."),),
    ),
)
