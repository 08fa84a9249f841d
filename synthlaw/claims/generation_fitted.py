"""Generation, claims about generators fitted to the very rows that are trained on."""

import numpy as np
import pandas as pd

from scaling.theory.expansion import expansion
from scaling.theory.plugin_limits import excess_risks
from simulations.population.units import Unit, unit_population
from simulations.runs.engine import chunks, run_chunks
from simulations.runs.flags import either
from simulations.runs.tasks import prepare
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
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import (
    DERIVED,
    FIXED_COUNTS,
    GAUSSIAN,
    REGULAR,
    Claim,
    Evidence,
    Twin,
    always,
)
from synthlaw.simulating.predictions import predict

NOTE = "generators.md"
SEEDS = always("The generator is fitted to the very raw rows that are trained on.")
KNOWN, ESTIMATED = (f"gaussian[{kind};groups=minority]" for kind in ("known", "estimated"))

known = ladder_of(experiments.FITTED, Selection(KNOWN, (1.0,)), "above_floor")
estimated = ladder_of(experiments.FITTED, Selection(ESTIMATED, (1.0,)), "above_floor")
smoothed = ladder_of(experiments.SMOOTHED, Selection("smoothed", (1.0,)), "above_floor")
augmented = ladder_of(experiments.FITTED_AUGMENT, Selection("gaussian", augment=True))


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


# Small enough that an error of relative order 1/n would show.
SMALL = {
    "setting": experiments.REFERENCE,
    "counts": {"majority": 200, "minority": 40},
    "synthetic": {
        "generators": [
            {"kind": "gaussian", "covariance": "known"},
            {"kind": "gaussian", "covariance": "estimated"},
            {"kind": "smoothed", "bandwidth": 0.5},
        ],
        "ratios": [1],
        "augment": [50],
        "augment_row_weight": 0.5,
    },
}
SMALL_REPLICATES = 6000


def _square(lab: Lab, unit: Unit) -> tuple[float, float, int]:
    """Mean of the quadratic control of the balanced risk, its standard error, replicates without
    a minimiser (the control exists there too)."""

    def compute() -> tuple[np.ndarray, int]:
        replicates = SMALL_REPLICATES * lab.preset.effort
        parts = [part for _, part in run_chunks(prepare(unit), chunks(replicates))]
        groups = len(unit.world.names)
        values = np.concatenate([part.controls[:, 0, 1, :groups].mean(axis=1) for part in parts])
        return values, int(sum((part.status != 0).sum() for part in parts))

    values, failures = lab.recall(f"controls {unit.generator}", compute)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), failures


def _variance(unit: Unit) -> float:
    """The predicted variance term of the balanced risk."""
    return float(expansion(unit_population(unit)).variance[0, : len(unit.world.names)].mean())


def _coupled(lab: Lab, fitted: bool) -> pd.DataFrame:
    """Measured means of ``d'H_bal d/2`` against ``tr(H_bal A V A)/2``, V that of ``fitted`` rows or of
    independent ones."""
    units = lab.units(SMALL)
    laws: dict[str, dict[str, object]] = {
        "gaussian": {"kind": "oracle"},
        "smoothed": {"kind": "scale", "factor": 1.25},
    }
    rows = []
    for unit in units:
        gap, se, failures = _square(lab, unit)
        stated = _variance(unit)
        alone = {**SMALL["synthetic"], "generators": [laws[unit.generator.kind]]}
        expected = stated if fitted else _variance(lab.units({**SMALL, "synthetic": alone})[0])
        name = getattr(unit.generator, "covariance", "")
        cell = f"{unit.generator.kind}, covariance {name}" if name else unit.generator.kind
        rows.append((cell, stated + gap, expected, se, failures))
    cells, measured, expected, se, failures = (list(each) for each in zip(*rows, strict=True))
    return exact_rows(
        cells,
        measured,
        expected,
        tolerance=0.1 * min(expected),
        se=se,
        replicates=SMALL_REPLICATES * lab.preset.effort,
        failures=np.array(failures),
    )


def coupled(lab: Lab) -> pd.DataFrame:
    """The stated mean."""
    return _coupled(lab, fitted=True)


def as_if_independent(lab: Lab) -> pd.DataFrame:
    """The mean that independent rows would give."""
    return _coupled(lab, fitted=False)


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


def _duplication_cost(lab: Lab, predicted: str) -> pd.DataFrame:
    """Excess risk of duplication over that of reweighting."""
    table = lab.measure(experiments.RESAMPLING)
    twice = select(table, Selection("duplicate", (1.0,)))
    once = select(table, Selection("reweight")).reset_index(drop=True)
    twice = twice.reset_index(drop=True)
    ratio = column(twice, "estimate") / column(once, "estimate")
    expected = column(twice, predicted) / column(once, predicted)
    evidence = against(twice, expected, ratio)
    noise = np.hypot(
        column(twice, "se") / column(twice, "estimate"),
        column(once, "se") / column(once, "estimate"),
    )
    return evidence.assign(
        se=ratio * noise,
        ratio_se=ratio * noise / expected,
        replicates=evidence["replicates"] + once["replicates"],
        failures=evidence["failures"] + once["failures"],
        flag=either(evidence["flag"].to_numpy(), once["flag"].to_numpy()),
    )


def duplication_cost(lab: Lab) -> pd.DataFrame:
    """Against the ratio of the predicted variances."""
    return _duplication_cost(lab, "variance")


def duplication_free(lab: Lab) -> pd.DataFrame:
    """Against 1: duplicating costs nothing beyond reweighting."""
    evidence = _duplication_cost(lab, "variance")
    return evidence.assign(
        prediction=1.0, ratio=evidence["estimate"], ratio_se=evidence["se"], series="free"
    )


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
    Claim(
        id="generation-second-order",
        family="generation",
        kind="exact",
        title="The second-order term of a fitted Gaussian",
        statement=(
            "Half-way to balance the second-order term of fitted rows is many times that of"
            " independent rows; with it prediction and simulation agree to a tenth at 800 seeds."
        ),
        formula=(
            r"g_b^\top A\left\{\sum_g X_g - \tfrac12 \sum_c w_c k_c E_c[f'' x x^\top M x]"
            r" - \sum_g \bar s_g\right\}"
        ),
        source=DERIVED,
        note=NOTE,
        assumptions=(*REGULAR, SEEDS),
        evidence=second_order,
        twin=Twin("It is that of as many independent rows.", second_order_of_independent_rows),
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
    Claim(
        id="generation-coupled-controls",
        family="generation",
        kind="exact",
        title="Control variates of fitted rows have exact means",
        statement=(
            "With 40 seeds and 200 rows of the other class the quadratic control variate of the"
            " balanced risk has the mean its V says; a fitted Gaussian's sees the coupled score."
        ),
        formula=r"E\,\tfrac12 d^\top H_{bal} d = \tfrac12\mathrm{tr}(H_{bal} A V A)",
        source=DERIVED,
        note=NOTE,
        assumptions=(GAUSSIAN, FIXED_COUNTS, SEEDS),
        evidence=coupled,
        twin=Twin("The rows are independent of the seeds and of each other.", as_if_independent),
    ),
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
