"""SMOTE: how much variance its rows lack, and why."""

from typing import Any

import numpy as np
import pandas as pd

from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import exact_rows, over
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

NOTE = "generators_smote.md"
# What is measured: law of the rows, raw rows, dimensions, neighbours, replicates of the preset quick.
INTERVAL = (("uniform", 20, 1, 5, 32_000), ("uniform", 60, 1, 20, 8_000))
NORMAL = (("gaussian", 100, 2, 5, 4_000), ("gaussian", 200, 5, 5, 1_000))
NEIGHBOURS = 5
PICTURED_DIMS, PICTURED_ROWS = (1, 2, 5, 10), (100, 400, 1600)
# Rows times replicates of a point that is measured for the picture alone (preset full).
PICTURED = 640_000
# Rows and dimensions of the samples whose pairs are all used.
COMPLETE = (30, 3)
ROUNDING = 1e-9


def _measured(lab: Lab, cell: tuple[str, int, int, int, int]) -> Any:
    from scaling.theory.smote_measured import shrinkage

    law, n, dim, k, replicates = cell
    many = replicates * lab.preset.effort
    return lab.recall(
        f"smote {law} {n} {dim} {k}", lambda: shrinkage(law, n, dim, k, many, lab.seed)
    )


def _rows(lab: Lab, cells: tuple[tuple[str, int, int, int, int], ...]) -> pd.DataFrame:
    from scaling.theory import smote

    rows = []
    for cell in cells:
        law, n, dim, k, _ = cell
        found = _measured(lab, cell)
        exact = smote.uniform_interval(n, k) if law == "uniform" else smote.gaussian(n, k, dim)
        name, fitted = f"d = {dim}, n = {n}, k = {k}", (found.deficit, found.se)
        rows.append(fitted_row(name, n, exact, fitted, found.replicates, 0))
    # Every size is a statement of its own: the prediction is exact, no ladder is needed.
    return pd.DataFrame(rows).assign(inverse_size=0.0)


def on_an_interval(lab: Lab) -> pd.DataFrame:
    """The variance lost by uniform rows, against the closed form."""
    return _rows(lab, INTERVAL)


def without_hubs(lab: Lab) -> pd.DataFrame:
    """The same, against partners that follow the law of the rows: the step alone costs variance."""
    from scaling.theory import smote

    table = _rows(lab, INTERVAL)
    wrong = np.array([smote.interval_steps(n, k) / 6.0 for _, n, _, k, _ in INTERVAL])
    return over(table, wrong)


def of_normal_rows(lab: Lab) -> pd.DataFrame:
    """The variance lost by normal rows, against the quadrature; leaves the picture's table."""
    lab.recall("smote picture", lambda: lab.drawn.update(smote_law=pictured(lab)))
    return _rows(lab, NORMAL)


def pictured(lab: Lab) -> pd.DataFrame:
    """Deficits with five neighbours against the number of rows, with their formulas."""
    from scaling.theory import smote

    points = [cell for cell in (*INTERVAL, *NORMAL) if cell[3] == NEIGHBOURS]
    lines = [
        (law, n, dim, NEIGHBOURS, PICTURED // n // lab.preset.effort)
        for law in ("gaussian", "uniform")
        for dim in PICTURED_DIMS
        for n in PICTURED_ROWS
    ]
    rows = []
    for cell in [*points, *lines]:
        law, n, dim, k, _ = cell
        exact = leading = deficit = se = np.nan
        if law == "gaussian":
            exact = smote.gaussian(n, k, dim)
        else:
            exact = smote.uniform_interval(n, k) if dim == 1 else np.nan
            leading = smote.uniform_cube(n, k, dim)
        if cell in points or lab.preset.effort > 1:
            deficit, se, _ = _measured(lab, cell)
        rows.append([law, dim, n, deficit, se, exact, leading])
    return pd.DataFrame(rows, columns=["law", "dim", "rows", "deficit", "se", "exact", "leading"])


def _all_pairs(lab: Lab, share: float) -> pd.DataFrame:
    """tr Cov of SMOTE rows given raw rows over the trace of theirs, for ``k = share (n - 1)``."""
    from scaling.theory.smote import all_partners
    from scaling.theory.smote_measured import near_of, trace_ratio

    n, dim = COMPLETE
    rng = np.random.default_rng([lab.seed, n])
    samples = {
        "normal": rng.standard_normal((n, dim)),
        "heavy-tailed": rng.standard_t(2.0, (n, dim)),
        "skewed": rng.exponential(size=(n, dim)) ** 2,
    }
    every = lab.recall("smote pairs", lambda: near_of(np.stack(list(samples.values())), n - 1))
    near = every[:, :, : int(share * (n - 1))]
    ratios = [trace_ratio(x, each) for x, each in zip(samples.values(), near, strict=True)]
    return exact_rows(list(samples), ratios, [all_partners(n)] * len(ratios), ROUNDING)


def complete(lab: Lab) -> pd.DataFrame:
    """Every other row may be the partner."""
    return _all_pairs(lab, 1.0)


def half_complete(lab: Lab) -> pd.DataFrame:
    """The nearer half of the others may."""
    return _all_pairs(lab, 0.5)


RAW = always("Raw rows are independent with the stated law; their number is fixed.")

CLAIMS = (
    exact_claim(
        "generation-smote-complete",
        "SMOTE between all pairs loses a third of the variance",
        (
            "With k = n - 1 neighbours, and whatever the raw rows, the covariance of SMOTE rows is"
            " that of the raw rows (divisor n - 1) times (2n - 3)/(3n): two thirds as n grows."
        ),
        r"\mathrm{Cov}(x \mid x_1..x_n) = \frac{2n-3}{3n}\,\hat S",
        complete,
        Twin("So it does with half as many neighbours.", half_complete),
        note=NOTE,
        assumptions=(always("Seed, partner and gap are averaged out exactly."),),
    ),
    constant_claim(
        "generation-smote-interval",
        "Partners near the wall cost SMOTE most of the variance",
        "Of uniform rows on an interval SMOTE loses, at every n and k, the stated share of the variance:"
        " of order (k/n)^2, and seven times what the steps alone cost.",
        r"1 - \frac{\mathrm{Var}\,x}{\sigma^2} = \frac{7(k+1)(k+2)}{6n(n+1)}"
        r" - \frac{5(k+1)(k+2)(k+3)}{6n(n+1)(n+2)}",
        on_an_interval,
        note=NOTE,
        assumptions=(RAW,),
        twin=Twin("Only the steps cost variance: partners follow the law.", without_hubs),
    ),
    constant_claim(
        "generation-smote-normal",
        "How much variance SMOTE rows of a normal law lack",
        "Of normal rows SMOTE loses the share that a two-dimensional integral gives, at every n, k and"
        " dimension: 12 % at 100 rows in two dimensions with five neighbours, not a third.",
        r"\frac{n-1}{kd} E\left[\left(\rho r A_d(\rho r) - \tfrac{r^2}{3}\right)"
        r" P(\mathrm{Bin}(n-2, p) < k)\right]",
        of_normal_rows,
        note=NOTE,
        assumptions=(RAW,),
    ),
)
