"""Imbalance, claims about whole curves, and about the law of the estimator itself."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, kstest

from scaling.verdict.equivalence import ALPHA
from simulations.population.units import Unit, unit_population
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, ladder_of
from synthlaw.claims.kinds import distribution_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import EFFECT, Twin

NOTE = "excess_risk.md"

# Curves are judged above their floor: it is most of the total, and a margin of 2 % of the total would
# not see variance and second order at all.
SYNTHETIC = (0.5, 1.0, 2.0)
loss_curve = ladder_of(experiments.CURVE, Selection("oracle", SYNTHETIC), "above_floor")
error_curve = ladder_of(
    experiments.CURVE, Selection("oracle", SYNTHETIC, metric="error"), "above_floor"
)
minority_error = ladder_of(
    experiments.SHIFTED,
    Selection("shift", (1.0, 2.0), metric="error", group="minority"),
    "above_floor",
)

WALD_REPLICATES = 10_000
# Three parameters: the limit is nearer than with the reference setting's six.
WALD_SETTING = {"kind": "imbalance", "dim": 2, "separation": 2.0}


def _wald_sweep(generator: str, majority: int, minority: int) -> dict[str, Any]:
    return {
        "setting": WALD_SETTING,
        "counts": {"majority": majority, "minority": minority},
        "synthetic": {"generators": [{"kind": generator}], "ratios": [1]},
    }


def _wald_units(lab: Lab) -> dict[str, Unit]:
    """Right-law rows and duplicates, both to balance, at sizes where the limit is near."""
    return {
        "right law": lab.units(_wald_sweep("oracle", 800, 160))[0],
        "duplicates": lab.units(_wald_sweep("duplicate", 1200, 400))[0],
    }


def _wald(lab: Lab, fresh: bool) -> pd.DataFrame:
    """Kolmogorov distance of the Wald statistic to chi-square, with its exact confidence radius."""
    units = _wald_units(lab)
    rows = []
    for name, unit in units.items():
        population = unit_population(unit)
        spread = np.asarray(population.expansions.spread[0])
        if fresh and name == "duplicates":
            # What the spread would be if every duplicate were a new row.
            new = lab.units(_wald_sweep("oracle", 1200, 400))[0]
            spread = np.asarray(unit_population(new).expansions.spread[0])
        theta, _, found = lab.recall(
            f"fitted rules, {name}",
            partial(lab.fitted, unit, WALD_REPLICATES * lab.preset.effort),
        )
        gap = (theta - np.asarray(population.theta))[found]
        statistic = np.einsum("ri,ij,rj->r", gap, np.linalg.inv(spread), gap)
        level = ALPHA / len(units)
        rows.append(
            {
                "cell": name,
                "distance": kstest(statistic, chi2(gap.shape[1]).cdf).statistic,
                # Massart's constant in the Dvoretzky-Kiefer-Wolfowitz inequality.
                "radius": np.sqrt(np.log(2.0 / level) / (2.0 * len(gap))),
                "replicates": found.size,
                "failures": int((~found).sum()),
            }
        )
    return pd.DataFrame(rows)


def wald(lab: Lab) -> pd.DataFrame:
    """The Wald statistic with the sandwich of the theory."""
    return _wald(lab, fresh=False)


def wald_fresh(lab: Lab) -> pd.DataFrame:
    """The Wald statistic with duplicates taken for new rows."""
    return _wald(lab, fresh=True)


_SUM = (
    r"E\,F(\hat\theta) = F(\theta_{mix}) + \tfrac12 \mathrm{tr}(H_F M) + g_F^\top \beta + O(n^{-2})"
)


CLAIMS = (
    constant_claim(
        "imbalance-curve-loss",
        "The whole ratio curve, in loss",
        (
            "What the balanced excess risk has above its floor is variance and second order, at the"
            " ratios 1/2, 1 and 2."
        ),
        _SUM,
        loss_curve,
        source=EFFECT,
        note=NOTE,
    ),
    constant_claim(
        "imbalance-curve-error",
        "The whole ratio curve, in 0-1 error",
        (
            "The same expansion of the exact errors gives what the balanced 0-1 error has above that"
            " of the population rule, at the ratios 1/2, 1 and 2."
        ),
        _SUM,
        error_curve,
        source=EFFECT,
        note=NOTE,
    ),
    constant_claim(
        "imbalance-curve-minority",
        "The minority's error under a shifted generator",
        (
            "When the minority's synthetic rows are shifted by 0.3, the same expansion gives what its"
            " 0-1 error has above that of the population rule, at the ratios 1 and 2."
        ),
        _SUM,
        minority_error,
        source=EFFECT,
        note=NOTE,
    ),
    distribution_claim(
        "imbalance-wald-limit",
        "The estimator is normal with the sandwich covariance",
        (
            "The Wald statistic of the estimator, with the sandwich spread of right-law rows or"
            " of duplicates, is chi-square with as many degrees of freedom as parameters."
        ),
        r"(\hat\theta - \theta_{mix})^\top M^{-1} (\hat\theta - \theta_{mix}) \to \chi^2_p",
        wald,
        Twin("Duplicates spread the estimator as new rows would.", wald_fresh),
        note=NOTE,
        margin=0.05,
    ),
)
