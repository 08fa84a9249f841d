"""Spurious correlation: the coefficient of the nuisance attribute and the worst group."""

import numpy as np
import pandas as pd

from scaling.theory.expansion import expansion
from simulations.population.units import unit_population
from simulations.runs.moments import measures
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, against, column, exact_rows, ladder_of
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import EFFECT, REGULAR, Twin

NOTE = "spurious.md"
CONFLICTING = "1,-1"
SIZES = (1, 2, 4)
REPLICATES = 100
TOLERANCE = 0.01
LEAKS = (0.1, 0.3, 0.5)

loss_curve = ladder_of(experiments.SPURIOUS, Selection("oracle", (0.25, 0.5, 1.0)), "above_floor")
worst_error = ladder_of(
    experiments.WORST,
    Selection("oracle", (0.5, 1.0), metric="error", group=CONFLICTING),
    "above_floor",
)
balanced_variance = ladder_of(experiments.SPURIOUS, Selection("oracle", (1.0,)), "above_floor")
leak_floor = ladder_of(experiments.SPURIOUS, Selection("leak", (0.25, 0.5, 1.0)), "floor")


def _coefficients(lab: Lab) -> pd.DataFrame:
    """Mean fitted coefficient of the spurious feature per ratio and size, and its prediction."""
    return lab.recall("spurious coefficients", lambda: _measure_coefficients(lab))


def _measure_coefficients(lab: Lab) -> pd.DataFrame:
    rows = []
    for size in SIZES:
        unit = lab.units(experiments.SPURIOUS.sweep, size)[0]
        theta, linear, found = lab.fitted(unit, REPLICATES * lab.preset.effort)
        predicted = np.asarray(unit_population(unit).theta[:, 1])
        # The linear estimate has mean exactly zero: subtracting it only removes noise.
        controlled = (theta - linear)[:, :, 1]
        for c, cell in enumerate(unit.cells):
            kept = controlled[found[:, c], c]
            rows.append(
                {
                    "ratio": cell.ratio,
                    "size": size,
                    "prediction": predicted[c],
                    "estimate": kept.mean(),
                    "se": kept.std(ddof=1) / np.sqrt(len(kept)),
                    "replicates": found.shape[0],
                    "failures": int((~found[:, c]).sum()),
                }
            )
    return pd.DataFrame(rows)


def coefficient(lab: Lab) -> pd.DataFrame:
    """Evidence that the fitted coefficient tends to that of the mixture minimiser."""
    rows = _coefficients(lab).query("ratio < 1")
    return against(rows, column(rows, "prediction"), column(rows, "estimate"))


def _zero_coefficient(lab: Lab, ratio: float) -> pd.DataFrame:
    rows = _coefficients(lab).query("ratio == @ratio")
    return exact_rows(
        [f"size {s}" for s in rows["size"]],
        column(rows, "estimate").tolist(),
        [0.0] * len(rows),
        TOLERANCE,
        column(rows, "se").tolist(),
        rows["replicates"].to_numpy(),
        rows["failures"].to_numpy(),
    )


def balanced_coefficient(lab: Lab) -> pd.DataFrame:
    """The mean coefficient after full balancing."""
    return _zero_coefficient(lab, 1.0)


def half_balanced_coefficient(lab: Lab) -> pd.DataFrame:
    """The mean coefficient at half the balancing."""
    return _zero_coefficient(lab, 0.5)


def _leak_floors(lab: Lab, over_balanced: bool) -> pd.DataFrame:
    cells, floors = [], []
    for strength in LEAKS:
        share = 10 / 11
        ratio = 1.0 / (1.0 - 2.0 * strength * share) if over_balanced else 1.0
        sweep = {
            **experiments.SPURIOUS.sweep,
            "counts": {"1,1": 110_000, "1,-1": 11_000, "-1,1": 11_000, "-1,-1": 110_000},
            "synthetic": {
                "generators": [{"kind": "leak", "strength": strength}],
                "ratios": [ratio],
            },
        }
        population = unit_population(lab.units(sweep)[0])
        terms = measures(np.asarray(expansion(population).floor))
        cells.append(f"strength {strength:g}, ratio {ratio:.4g}")
        floors.append(float(terms[0, 0, -1]))
    # Rows are whole numbers: the ratio is met to about 1e-5, the floor to its square.
    return exact_rows(cells, floors, [0.0] * len(cells), tolerance=1e-8)


def cancelled_leak(lab: Lab) -> pd.DataFrame:
    """Floors of leaking generators at the ratio where they should vanish."""
    return _leak_floors(lab, True)


def balanced_leak(lab: Lab) -> pd.DataFrame:
    """Floors of the same generators at ratio 1."""
    return _leak_floors(lab, False)


CLAIMS = (
    constant_claim(
        "spurious-coefficient",
        "The spurious coefficient along the ratio",
        (
            "The mean fitted coefficient of the spurious feature tends to that of the minimiser"
            " of the training mixture's risk."
        ),
        r"E\,\hat\theta_{spurious} \to (\theta_{mix})_{spurious}",
        coefficient,
        note=NOTE,
    ),
    exact_claim(
        "spurious-balance-removes",
        "Balance removes the spurious coefficient",
        (
            "With right-law rows to balance the mean fitted coefficient of the spurious feature"
            f" is zero (tolerance {TOLERANCE:g}; it is 1.13 in raw data)."
        ),
        r"E\,\hat\theta_{spurious} = 0 \quad (\rho = 1)",
        balanced_coefficient,
        Twin("Half the balancing removes it already.", half_balanced_coefficient),
        note=NOTE,
        source=EFFECT,
    ),
    constant_claim(
        "spurious-worst-group",
        "The worst group's error along the ratio",
        (
            "What the 0-1 error of a conflicting group, the worst one until balance, has above that"
            " of the population rule follows the expansion at the ratios 1/2 and 1."
        ),
        r"\mathrm{err}_{(y,s)} = \Phi\!\left(-(2y-1)\, a_{(y,s)} / \sqrt{v_{(y,s)}}\right)",
        worst_error,
        source=EFFECT,
        note=NOTE,
    ),
    constant_claim(
        "spurious-curve-loss",
        "The whole ratio curve, in loss",
        (
            "What the balanced excess risk has above its floor is variance and second order at the"
            " ratios 1/4, 1/2 and 1, although the logistic model is wrong below balance."
        ),
        r"E\,\mathcal{E}(\hat\theta) = floor + \tfrac12 \mathrm{tr}(H_{bal} M) + g^\top \beta",
        loss_curve,
        note=NOTE,
    ),
    constant_claim(
        "spurious-balanced-variance",
        "The variance constant after balancing four groups",
        "After balancing with the right law the excess risk is the sandwich variance alone.",
        r"E\,\mathcal{E}(\hat\theta) = \tfrac12\,\mathrm{tr}(H_{bal}\, A V A) + O(n^{-2})",
        balanced_variance,
        note=NOTE,
    ),
    constant_claim(
        "spurious-leak-floor",
        "A leaking generator keeps a floor",
        (
            "When three synthetic rows in ten carry the raw law of the attribute, the excess risk"
            " tends to a positive floor at every ratio up to 1 (only over-balancing removes it)."
        ),
        r"E\,\mathcal{E}(\hat\theta) \to R_{bal}(\theta_{mix}) - R_{bal}(\theta_{bal}) > 0",
        leak_floor,
        source=EFFECT,
        note=NOTE,
    ),
    exact_claim(
        "spurious-leak-cancels",
        "Over-balancing can cancel a leak",
        (
            "A generator that leaks with strength lambda leaves no floor at one ratio above 1,"
            " because there the balance of aligned and conflicting rows is restored."
        ),
        (
            r"\rho^* = \frac{1}{1 - 2\lambda\psi},\quad \psi = \frac{n_a}{n_a+n_c},\quad"
            r" \lambda < \frac{1}{2\psi}"
        ),
        cancelled_leak,
        Twin("Balancing alone leaves no floor.", balanced_leak),
        note=NOTE,
        assumptions=REGULAR[:2],
    ),
)
