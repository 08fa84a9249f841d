"""Imbalance, claims about variance: what synthetic rows are worth."""

import numpy as np
import pandas as pd

from simulations.runs.flags import either
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, against, column, compare, ladder_of, planted, select
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import EFFECT, REGULAR, Twin, always

NOTE = "imbalance.md"
SAME_ROWS = always("Both rules see the same raw rows in every replicate.")

balanced_variance = ladder_of(experiments.CURVE, Selection("oracle", (1.0,)), "above_floor")
reweighting = ladder_of(experiments.RESAMPLING, Selection("reweight"))
duplication = ladder_of(experiments.RESAMPLING, Selection("duplicate", (1.0,)))
share = ladder_of(experiments.AUGMENT_SHARE, Selection("oracle", augment=True), "above_floor")
row_weight = ladder_of(experiments.AUGMENT_WEIGHT, Selection("shift", augment=True), "above_floor")


def like_real_rows(lab: Lab) -> pd.DataFrame:
    """Excess risk after full balancing over that of ``n_max`` real rows in every group."""
    synthetic = select(lab.measure(experiments.CURVE), Selection("oracle", (1.0,)))
    real = select(lab.measure(experiments.REAL_ROWS), Selection("oracle"))
    table = against(synthetic, column(real, "estimate"), column(synthetic, "estimate"))
    noise = column(real, "se") / column(real, "estimate")
    return table.assign(
        ratio_se=np.hypot(table["ratio_se"], table["ratio"] * noise),
        replicates=table["replicates"] + real["replicates"].to_numpy(),
        failures=table["failures"] + real["failures"].to_numpy(),
        flag=either(table["flag"].to_numpy(), real["flag"].to_numpy()),
    )


def _duplication_and_reweighting(lab: Lab) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = lab.measure(experiments.RESAMPLING)
    return select(table, Selection("duplicate", (1.0,))), select(table, Selection("reweight"))


def reweighting_first(lab: Lab) -> pd.DataFrame:
    """Reweighting (measured) against duplication (bound)."""
    duplicated, reweighted = _duplication_and_reweighting(lab)
    return compare(reweighted, duplicated, [f"size {s}" for s in reweighted["size"]])


def duplication_first(lab: Lab) -> pd.DataFrame:
    """Duplication (measured) against reweighting (bound)."""
    duplicated, reweighted = _duplication_and_reweighting(lab)
    return compare(duplicated, reweighted, [f"size {s}" for s in reweighted["size"]])


def _ratios(lab: Lab, measured: float, bound: float) -> pd.DataFrame:
    table = lab.measure(experiments.CURVE)
    low = select(table, Selection("oracle", (measured,)))
    high = select(table, Selection("oracle", (bound,)))
    return compare(low, high, [f"size {s}" for s in low["size"]])


def over_balancing(lab: Lab) -> pd.DataFrame:
    """Full balancing (measured) against twice as many rows (bound)."""
    return _ratios(lab, 1.0, 2.0)


def more_is_better(lab: Lab) -> pd.DataFrame:
    """Twice the rows (measured) against full balancing (bound)."""
    return _ratios(lab, 2.0, 1.0)


CLAIMS = (
    constant_claim(
        "imbalance-balanced-variance",
        "The variance constant of right-law balancing",
        "After balancing with the right law the excess risk is the sandwich variance alone.",
        r"E\,\mathcal{E}(\hat\theta) = \tfrac12\,\mathrm{tr}(H_{bal}\, A V A) + O(n^{-2})",
        balanced_variance,
        source=EFFECT,
        note=NOTE,
    ),
    constant_claim(
        "imbalance-like-real-rows",
        "Right-law synthetic rows are worth real rows",
        (
            "After balancing with the right law the excess risk equals that of a sample with"
            " n_max real rows in every group, simulated independently."
        ),
        r"\mathcal{E}(n, \rho = 1) = \mathcal{E}(n_{max}, \ldots, n_{max})",
        like_real_rows,
        note=NOTE,
        source=EFFECT,
        twin=Twin("Real rows are worth more by the planted error.", planted(like_real_rows)),
    ),
    constant_claim(
        "imbalance-duplication-variance",
        "The constant of duplication",
        (
            "Random duplication to balance has no floor, the variance of the few distinct rows"
            " and that of the multinomial multiplicities on top."
        ),
        r"V_g = w^2\left[n\left(\tfrac{n+m}{n}\right)^2 + m\left(1-\tfrac1n\right)\right] C_g",
        duplication,
        note=NOTE,
    ),
    constant_claim(
        "imbalance-reweighting-variance",
        "The constant of reweighting",
        "Weighting group g by 1/(K n_g) has no floor and the variance of the distinct rows.",
        r"V_g = C_g / (K^2 n_g)",
        reweighting,
        note=NOTE,
    ),
    inequality_claim(
        "imbalance-duplication-not-better",
        "Duplicating to balance never beats reweighting",
        (
            "Reweighting has at most the balanced excess risk of random duplication to balance"
            " (single groups, 0-1 errors and ratios far above 1 can be the other way round)."
        ),
        r"\mathcal{E}_{reweight} \le \mathcal{E}_{duplicate}",
        reweighting_first,
        Twin("Duplication has at most the excess risk of reweighting.", duplication_first),
        note=NOTE,
        assumptions=(*REGULAR, SAME_ROWS),
    ),
    inequality_claim(
        "imbalance-over-balancing",
        "Over-balancing hurts",
        "With the right law, ratio 1 has less excess balanced risk than ratio 2.",
        r"\mathcal{E}(\rho = 1) \le \mathcal{E}(\rho = 2)",
        over_balancing,
        Twin("More rows are better: ratio 2 has less than ratio 1.", more_is_better),
        note=NOTE,
    ),
    constant_claim(
        "imbalance-augment-share",
        "The constant of augmentation with a share",
        (
            "With N right-law rows more in every group, sharing weight alpha, the excess risk is"
            " the sandwich variance of raw, oversampled and augmented rows."
        ),
        r"V = \sum_g \left[\tfrac{(1-\alpha)^2 (n_g+m_g)}{M^2} + \tfrac{\alpha^2}{K^2 N}\right] C_g",
        share,
        source=EFFECT,
        note=NOTE,
    ),
    constant_claim(
        "imbalance-augment-row-weight",
        "The constant of augmentation with a row weight",
        (
            "Giving every augmented row the weight 1/2 is augmentation with a share; with a"
            " shifted generator the excess risk above the floor is variance and second order of it."
        ),
        r"\alpha = \frac{w K N}{M + w K N},\quad w = \tfrac12",
        row_weight,
        source=EFFECT,
        note=NOTE,
    ),
)
