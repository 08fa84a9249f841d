"""Imbalance, claims about floors: what remains however large the sample."""

import numpy as np
import pandas as pd

from scaling.theory.bias import quadratic_floor
from simulations.population.gaussian import group_risks
from simulations.population.units import unit_population
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import (
    Selection,
    against,
    column,
    exact_rows,
    ladder_of,
    planted,
    select,
)
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import (
    EFFECT,
    FIXED_COUNTS,
    GAUSSIAN,
    REGULAR,
    Claim,
    Twin,
    always,
)

NOTE = "imbalance.md"
SHARED = always("All groups share one covariance, so the logistic model holds.")
# Dimension, separation, majority and minority counts.
LOG_ODDS_CASES = ((2, 1.0, 300, 100), (2, 3.0, 5000, 100), (5, 2.0, 2000, 200))


def _log_odds(lab: Lab, minority_covariance: float) -> pd.DataFrame:
    cells, measured, expected = [], [], []
    for dim, separation, majority, minority in LOG_ODDS_CASES:
        mean = np.zeros(dim)
        mean[0] = separation / 2
        groups = [
            {"name": "majority", "label": 0, "mean": list(-mean)},
            {"name": "minority", "label": 1, "mean": list(mean), "covariance": minority_covariance},
        ]
        sweep = {
            "setting": {"kind": "groups", "groups": groups},
            "counts": {"majority": majority, "minority": minority},
            "synthetic": {"ratios": [0]},
        }
        population = unit_population(lab.units(sweep)[0])
        moved = np.asarray(population.theta[0] - population.balanced_theta)
        where = f"dim {dim}, {majority}:{minority}"
        cells += [f"intercept, {where}", f"largest slope change, {where}"]
        measured += [float(moved[-1]), float(np.abs(moved[:-1]).max())]
        expected += [float(np.log(minority / majority)), 0.0]
    return exact_rows(cells, measured, expected, tolerance=1e-8)


def log_odds(lab: Lab) -> pd.DataFrame:
    """How far the raw mixture's minimiser lies from the balanced one."""
    return _log_odds(lab, 1.0)


def log_odds_unequal(lab: Lab) -> pd.DataFrame:
    """The same with a wider minority: the logistic model no longer holds."""
    return _log_odds(lab, 1.5)


def raw_floor(lab: Lab) -> pd.DataFrame:
    """Simulated raw excess risk over ``R_bal(theta_bal + log(n1/n0) e) - R_bal(theta_bal)``."""
    rows = select(lab.measure(experiments.CURVE), Selection("oracle", (0.0,)))
    unit = lab.units(experiments.CURVE.sweep)[0]
    population = unit_population(unit)
    theta = population.balanced_theta
    shifted = theta.copy()
    shifted[-1] += np.log(unit.counts[1] / unit.counts[0])
    risks = [group_risks(unit.loss, t, unit.groups, population.grid) for t in (shifted, theta)]
    floor = float(risks[0].mean() - risks[1].mean())
    return against(rows, np.full(len(rows), floor), column(rows, "estimate"))


def _small_bias_experiment(tau: float, size: int, replicates: int) -> Experiment:
    sweep = {
        "setting": experiments.REFERENCE,
        "counts": experiments.COUNTS,
        "synthetic": {
            "generators": [{"kind": "shift", "shift": [0, tau, 0, 0, 0]}],
            "ratios": [1],
        },
    }
    return Experiment(f"small_bias_{tau:g}", sweep, (size,), (replicates,))


# Smaller shifts need larger samples; different counts make the points independent.
SMALL_BIAS = (
    _small_bias_experiment(0.4, 2, experiments.FEWEST),
    _small_bias_experiment(0.2, 4, experiments.FEWEST),
    _small_bias_experiment(0.1, 8, experiments.FEWEST),
)


def small_bias(lab: Lab) -> pd.DataFrame:
    """Simulated floor over ``(1/2) b' H^-1 b`` for shrinking shifts across the classes."""
    frames = []
    for experiment in SMALL_BIAS:
        rows = select(lab.measure(experiment), Selection("shift"))
        unit = lab.units(experiment.sweep)[0]
        law = quadratic_floor(unit, unit_population(unit))[0]
        above = column(rows, "predicted") - column(rows, "floor")
        tau = experiment.sweep["synthetic"]["generators"][0]["shift"][1]
        table = against(rows, np.full(len(rows), law), column(rows, "estimate") - above)
        frames.append(table.assign(size=1.0 / tau, inverse_size=tau**2))
    return pd.concat(frames, ignore_index=True)


def _floor_claim(kind: str, title: str, law: str) -> Claim:
    evidence = ladder_of(experiments.CURVE, Selection(kind, (0.5, 1.0, 2.0)), "floor")
    return constant_claim(
        f"imbalance-{kind.replace('_', '-')}-floor",
        title,
        (
            f"When the minority's synthetic rows follow {law}, the balanced excess risk tends to"
            " the floor of the training mixture as all counts grow, at the ratios 1/2, 1 and 2."
        ),
        _MIXTURE,
        evidence,
        source=EFFECT,
        note=NOTE,
    )


_MIXTURE = (
    r"E\,\mathcal{E}(\hat\theta) \to R_{bal}(\theta_{mix}) - R_{bal}(\theta_{bal}),\quad"
    r" \theta_{mix} = \mathrm{arg}\min \sum_c w_c k_c R_c"
)

CLAIMS = (
    exact_claim(
        "imbalance-log-odds",
        "Raw imbalance moves only the intercept",
        (
            "With a shared covariance the population logistic rule of the raw data has the"
            " balanced slope, and an intercept moved by the log-odds of the counts."
        ),
        r"\theta_{mix} - \theta_{bal} = (0, \ldots, 0,\ \log(n_1/n_0))",
        log_odds,
        Twin("The same holds when the minority's covariance is 1.5 I.", log_odds_unequal),
        note=NOTE,
        assumptions=(GAUSSIAN, SHARED),
    ),
    constant_claim(
        "imbalance-raw-floor",
        "The floor of raw data is the price of the log-odds shift",
        (
            "Without synthetic rows the balanced excess risk tends to the balanced risk of the"
            " balanced rule with its intercept moved by the log-odds of the counts, less the"
            " least balanced risk."
        ),
        (
            r"E\,\mathcal{E}(\hat\theta) \to R_{bal}(\theta_{bal} + \log(n_1/n_0)\,e)"
            r" - R_{bal}(\theta_{bal})"
        ),
        raw_floor,
        note=NOTE,
        source=EFFECT,
        assumptions=(*REGULAR, SHARED),
        twin=Twin("The floor is larger by the planted error.", planted(raw_floor)),
    ),
    _floor_claim("shift", "A shifted generator leaves a floor", "a law shifted by 0.3"),
    _floor_claim("scale", "A generator too narrow leaves a floor", "a law of covariance 2/3 I"),
    _floor_claim(
        "label_noise",
        "A generator with label noise leaves a floor",
        "the right law with one label in ten flipped",
    ),
    constant_claim(
        "imbalance-small-bias",
        "A small bias costs its square",
        (
            "At full balancing, as the generator's shift across the classes shrinks, the floor"
            " approaches half the squared length of the training gradient at the balanced rule,"
            " in the metric of the inverse Hessian."
        ),
        (
            r"floor = \tfrac12\, b^\top H^{-1} b\,(1 + O(\tau^2)),\quad"
            r" b = \nabla R_{mix}(\theta_{bal})"
        ),
        small_bias,
        note=NOTE,
        assumptions=(GAUSSIAN, FIXED_COUNTS, always("The shift is orthogonal to the separation.")),
        twin=Twin("The floor is larger by the planted error.", planted(small_bias)),
    ),
)
