"""Generation, claims about generators fitted to the very rows that are trained on."""

import pandas as pd

from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import (
    Selection,
    against,
    column,
    exact_rows,
    ladder_of,
    select,
)
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import (
    REGULAR,
    Evidence,
    Twin,
    always,
)
from synthlaw.simulating.predictions import predict

NOTE = "generators.md"
SEEDS = always("The generator is fitted to the very raw rows that are trained on.")
KNOWN, ESTIMATED = (f"gaussian[{kind};groups=minority]" for kind in ("known", "estimated"))

known: Evidence = ladder_of(experiments.FITTED, Selection(KNOWN, (1.0,)), "above_floor")
estimated: Evidence = ladder_of(experiments.FITTED, Selection(ESTIMATED, (1.0,)), "above_floor")
smoothed: Evidence = ladder_of(experiments.SMOOTHED, Selection("smoothed", (1.0,)), "above_floor")
augmented: Evidence = ladder_of(experiments.FITTED_AUGMENT, Selection("gaussian", augment=True))


def as_independent(of: experiments.Experiment, generator: str) -> Evidence:
    """What lies above the floor, against as many independent rows of the right law."""

    def evidence(lab: Lab) -> pd.DataFrame:
        rows = select(lab.measure(of), Selection(generator, (1.0,)))
        sweep = {**of.sweep, "synthetic": {"ratios": [1]}}
        right = predict(sweep).query("metric == 'excess_risk' and group == 'balanced'").iloc[0]
        return against(rows, right["variance"] / column(rows, "size"), column(rows, "estimate"))

    return evidence


def smoothed_without_sharing(lab: Lab) -> pd.DataFrame:
    """Smoothed rows taken for independent ones of their own law."""
    rows = select(lab.measure(experiments.SMOOTHED), Selection("smoothed", (1.0,)))
    wide = {"kind": "scale", "factor": 1.25, "groups": experiments.MINORITY}
    sweep = {**experiments.SMOOTHED.sweep, "synthetic": {"generators": [wide], "ratios": [1]}}
    alone = predict(sweep).query("metric == 'excess_risk' and group == 'balanced'").iloc[0]
    above = (alone["predicted"] - alone["floor"]) / column(rows, "size")
    return against(rows, above, column(rows, "estimate") - column(rows, "floor"))


def _second_order(lab: Lab, own: bool) -> pd.DataFrame:
    """Of the smallest size at ratio 1/2: estimates against the whole prediction, its second-order
    term the generator's ``own`` or that of independent rows."""
    table = lab.measure(experiments.FITTED)
    table = pd.DataFrame(table[table["size"] == table["size"].min()])
    rows = pd.concat([select(table, Selection(kind, (0.5,))) for kind in (KNOWN, ESTIMATED)])
    above = column(rows, "estimate") - column(rows, "floor")
    second = column(rows, "second_order")
    if not own:
        sweep = {**experiments.FITTED.sweep, "synthetic": {"ratios": [0.5]}}
        right = predict(sweep).query("metric == 'excess_risk' and group == 'balanced'").iloc[0]
        second = right["second_order"] / column(rows, "size")
    expected = column(rows, "variance") + second
    return exact_rows(
        ["covariance known", "covariance estimated"],
        above.tolist(),
        expected.tolist(),
        tolerance=0.1 * float(expected.max()),
        se=column(rows, "se").tolist(),
        replicates=rows["replicates"].to_numpy(),
        failures=rows["failures"].to_numpy(),
    )


def second_order(lab: Lab) -> pd.DataFrame:
    """With the generator's own second-order term."""
    return _second_order(lab, own=True)


def second_order_of_independent_rows(lab: Lab) -> pd.DataFrame:
    """With that of as many independent rows."""
    return _second_order(lab, own=False)


CLAIMS = (
    constant_claim(
        "generation-gaussian-known",
        "The constant of a fitted mean",
        (
            "Rows of a Gaussian whose mean is that of the minority rows trained on, and whose"
            " covariance is known, leave the variance of independent rows and that of the mean."
        ),
        r"V_g = n w^2 C + (2we + e^2/n) J S J^\top + m w^2 C",
        known,
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
        twin=Twin(
            "They are worth as many rows of the right law.",
            as_independent(experiments.FITTED, KNOWN),
        ),
    ),
    constant_claim(
        "generation-gaussian-estimated",
        "The constant of a fitted mean and covariance",
        "Estimating the covariance too adds its own part, the second Hermite projection of the score.",
        r"V_g = n w^2 C + (2we + e^2/n)(J S J^\top + Q) + m w^2 C",
        estimated,
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
    ),
    constant_claim(
        "generation-gaussian-augment",
        "The constant of augmentation by fitted Gaussians",
        "Fitted to both groups, with share 0.7 of the objective, the rows keep the same form of V.",
        r"e = m w + \alpha/K,\quad V_g \ni [m w^2 + \alpha^2/(K^2 N)]\, C",
        augmented,
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
    ),
    exact_claim(
        "generation-second-order",
        "The second-order term of a fitted Gaussian",
        (
            "Half-way to balance the second-order term of fitted rows is many times that of"
            " independent rows; with it prediction and simulation agree to a tenth at 800 seeds."
        ),
        (
            r"g_b^\top A\left\{\sum_g X_g - \tfrac12 \sum_c w_c k_c E_c[f'' x x^\top M x]"
            r" - \sum_g \bar s_g\right\}"
        ),
        second_order,
        Twin("It is that of as many independent rows.", second_order_of_independent_rows),
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
    ),
    constant_claim(
        "generation-smoothed",
        "The constant of the smoothed bootstrap",
        "Rows that share a raw row are not independent: V has their cross terms, exactly at every n.",
        r"V_g = w^2\{n C + m[\mathrm{Cov}(s,s_h)+\mathrm{Cov}(s_h,s)]"
        r" + (m^2/n - m/n)\mathrm{Cov}(s_h) + m C_h\}",
        smoothed,
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
        twin=Twin("They are independent rows of their own law.", smoothed_without_sharing),
    ),
)
