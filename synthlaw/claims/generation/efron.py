"""Generation, Efron's efficiency: logistic regression beside the discriminant of the true model.

In his setting (1975) labels are random and balanced, and the risk is the 0-1 error; the toolkit has
fixed counts, where the forms differ (paper_notes/generators.md, `scaling.theory.plugin_limits`).
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from scaling.theory.plugin_limits import efron_efficiency, excess_risks, regrets
from simulations.population.gaussian import group_atoms
from simulations.population.losses import LOGISTIC
from simulations.population.minimisers import mixture_hessian
from simulations.population.quadrature import gaussian_grid
from simulations.setup.configuration import read_sweep
from simulations.setup.worlds import world
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, quotient, select
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.generation.random_labels import simulated
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import GAUSSIAN, REGULAR, Twin, always

NOTE = "generators.md"
DISTANCE, DIM = 2.0, 3
SIZES, REPLICATES = (256, 512, 2048), (3000, 1500, 1100)


def _information() -> np.ndarray:
    """Hessian of the balanced logistic risk at its minimiser ``(D, 0, ..; 0)``."""
    sweep = {
        "setting": {"kind": "imbalance", "dim": DIM, "separation": DISTANCE},
        "counts": {"majority": 1, "minority": 1},
    }
    best = np.zeros(DIM + 1)
    best[0] = DISTANCE
    atoms, grid = group_atoms(world(read_sweep(sweep).setting), True), gaussian_grid(DISTANCE)
    half = jnp.full(2, 0.5)
    return np.asarray(mixture_hessian(LOGISTIC, jnp.asarray(best), half, atoms, grid))


def _point(lab: Lab, size: int, replicates: int) -> dict[str, Any]:
    replicates *= lab.preset.effort
    found = simulated(DISTANCE, DIM, size, replicates, _information(), lab.seed)
    # The squares' means are exactly the variance terms: deviations from them are control variates.
    term = regrets(DIM, DISTANCE, (size // 2, size // 2), random_labels=True)
    gaps = found.squares[found.found] - np.array([term.reweighted, term.pooled])
    design = np.column_stack([np.ones(len(gaps)), gaps])
    solved = np.linalg.lstsq(design, found.values[found.found], rcond=None)[0]
    ours, theirs = solved[0]
    left = found.values[found.found] - gaps @ solved[1:]
    ratio = theirs / ours
    noise = (left[:, 1] - ratio * left[:, 0]).std(ddof=3) / np.sqrt(len(left)) / ours
    return fitted_row(
        "",
        size / SIZES[0],
        efron_efficiency(DISTANCE),
        (float(ratio), float(noise)),
        replicates,
        int((~found.found).sum()),
    )


def efficiency(lab: Lab) -> pd.DataFrame:
    """Regret of the discriminant over that of logistic regression, on the same rows."""

    def compute() -> pd.DataFrame:
        steps = list(zip(SIZES, REPLICATES, strict=True))
        return pd.DataFrame([_point(lab, *step) for step in steps])

    return lab.recall("Efron's efficiency", compute)


def without_intercept_gain(lab: Lab) -> pd.DataFrame:
    """The same against ``a0``: what is lost on slopes across the means alone."""
    table = efficiency(lab)
    factor = 1.0 + DISTANCE**2 / 4.0
    return table.assign(
        prediction=table["prediction"] / factor,
        ratio=table["ratio"] * factor,
        ratio_se=table["ratio_se"] * factor,
    )


def _fixed(lab: Lab, name: str) -> pd.DataFrame:
    """Excess of LDA over that of logistic regression at balanced fixed counts, the limit's rule
    being ``name``."""
    counts = experiments.LDA.sweep["counts"]
    setting = experiments.REFERENCE
    arguments = setting["dim"], setting["separation"], (counts["minority"], counts["majority"])
    parts = []
    for metric, series, limit in (
        ("error", "0-1 regret", regrets(*arguments)),
        ("excess_risk", "logistic risk", excess_risks(*arguments)),
    ):
        wanted = Selection("oracle", (0.0,), metric)
        model, plain = (
            select(lab.measure(of), wanted) for of in (experiments.LDA, experiments.REAL_ROWS)
        )
        predicted = np.full(len(model), getattr(limit, name) / limit.reweighted)
        parts.append(quotient(model, plain, predicted).assign(series=series))
    return pd.concat(parts, ignore_index=True)


def fixed_counts(lab: Lab) -> pd.DataFrame:
    """Against the forms for a pooled covariance."""
    return _fixed(lab, "pooled")


def fixed_counts_known(lab: Lab) -> pd.DataFrame:
    """Against the forms for a covariance that is known."""
    return _fixed(lab, "known")


CLAIMS = (
    constant_claim(
        "generation-efron",
        "Efron's efficiency of logistic regression",
        (
            "With random balanced labels the discriminant's 0-1 regret is (1 + D^2/4) a0 of logistic"
            " regression's: what knowing the generator's family is worth."
        ),
        r"\frac{regret_{LDA}}{regret_{LR}} \to (1 + \tfrac{D^2}{4})\, e^{-D^2/8} E\,\mathrm{sech}(DZ/2)",
        efficiency,
        source="Efron (1975)",
        note=NOTE,
        assumptions=(GAUSSIAN, always("Labels are independent fair coins.")),
        twin=Twin("The efficiency is a0 alone.", without_intercept_gain),
    ),
    constant_claim(
        "generation-efron-fixed",
        "The same at fixed counts",
        (
            "At fixed balanced counts the ratio of 0-1 regrets is .8892 and that of excess logistic"
            " risks .8728 (five features, distance 2)."
        ),
        r"\frac{a_0[D^2/4+(d-1)(1+D^2/4)]}{d-a_0},\quad"
        r" \frac{a_0(d-1)(1+D^2/4)+a_0D^2/4+a_2(1+D^2/2)}{d+1-a_0}",
        fixed_counts,
        source="derived here, beside Efron (1975)",
        note=NOTE,
        assumptions=REGULAR,
        twin=Twin("The covariance costs nothing to estimate.", fixed_counts_known),
    ),
)
