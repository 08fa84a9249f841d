"""Scaling, claims about the curve in the number N of synthetic rows: exponent, amplitude, floor."""

import numpy as np
import pandas as pd

from scaling.fitting.correlated import Correlated, fit_correlated
from scaling.theory.bias import quadratic_floor
from simulations.population.units import unit_population
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import over
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import EFFECT, REGULAR, Twin, always
from synthlaw.claims.scaling.samples import BIASED, RIGHT, Points, Sample, points, unit_of

NOTE = "scaling_law_in_n.md"
SHARE = 0.5
# The largest sample stays below 32,768 rows, so that one compiled program serves all sizes.
ROWS, SMALLEST, DOUBLINGS = 600, 200, 5
# Numbers of rows at which a pictured curve is predicted.
LINE_POINTS = 60
SIZES = {1: 260, 2: 100, 4: 160}
GENERATORS = {"right law": RIGHT, "shifted": BIASED}
INDEPENDENT = always("Synthetic rows are independent of the raw ones and of each other.")
BALANCED = always("Raw rows are balanced.")
ASSUMED = (*REGULAR, INDEPENDENT, BALANCED)


def _curve(lab: Lab, series: str, size: int) -> Points:
    """Excess risks at N = 200, 400, .. 3,200 rows a group beside 600 raw ones, times the size."""
    cells = tuple((SMALLEST * size * 2**k, SHARE) for k in range(DOUBLINGS))
    return points(lab, Sample(series, ROWS * size, GENERATORS[series], cells, SIZES[size]))


def fitted(found: Points, law: str) -> Correlated:
    """A law in N fitted to the points; noise is expected in proportion to what is above the floor."""
    rows = found.sample.rows
    above = found.predicted.value(rows, found.augment) - found.predicted.floor
    return fit_correlated(law, found.augment, found.mean, found.covariance, above)


def _rows(lab: Lab, law: str, name: str, biased_only: bool = False) -> pd.DataFrame:
    """A fitted parameter of every series and size, and its prediction."""
    rows = []
    for series in list(GENERATORS)[biased_only:]:
        for size in SIZES:
            found = _curve(lab, series, size)
            floor, amplitude = found.predicted.in_synthetic(found.sample.rows)
            predicted = {"exponent": 1.0, "amplitude": amplitude[0], "floor": floor[0]}[name]
            value = fitted(found, law)[name]
            rows.append(
                fitted_row(series, size, predicted, value, found.replicates, found.failures)
            )
    return pd.DataFrame(rows)


def exponent(lab: Lab) -> pd.DataFrame:
    """The exponent of N, with a floor fitted."""
    return _rows(lab, "power_floor", "exponent")


def amplitude(lab: Lab) -> pd.DataFrame:
    """The amplitude of 1/N, with a floor fitted."""
    return _rows(lab, "reciprocal_floor", "amplitude")


def floor(lab: Lab) -> pd.DataFrame:
    """What is left as N grows and the raw rows stay."""
    return _rows(lab, "reciprocal_floor", "floor")


def quadratic_bias(lab: Lab) -> pd.DataFrame:
    """The shifted generator's floors against the law of a small bias, quadratic in the share."""
    table = _rows(lab, "reciprocal_floor", "floor", biased_only=True)
    wrong = []
    for size in SIZES:
        found = _curve(lab, "shifted", size)
        unit = unit_of(lab, found.sample)
        law = quadratic_floor(unit, unit_population(unit))[0]
        floor, _ = found.predicted.in_synthetic(found.sample.rows)
        wrong.append(floor[0] - found.predicted.floor[0] + law)
    return over(table, wrong)


def _straight(found: Points) -> Correlated:
    """A power law without a floor; errors in proportion to the whole: a line through logarithms."""
    total = found.predicted.value(found.sample.rows, found.augment)
    return fit_correlated("power", found.augment, found.mean, found.covariance, total)


def without_floor(lab: Lab) -> pd.DataFrame:
    """The exponent of a law that has no floor. Leaves the curves of the first size to be drawn."""
    rows = []
    for series in GENERATORS:
        for size in SIZES:
            found = _curve(lab, series, size)
            value = _straight(found)["exponent"]
            rows.append(fitted_row(series, size, 1.0, value, found.replicates, found.failures))
    lab.drawn["scaling_curve"] = pd.concat(
        [_drawn(_curve(lab, series, 1), series) for series in GENERATORS], ignore_index=True
    )
    return pd.DataFrame(rows)


def _drawn(found: Points, series: str) -> pd.DataFrame:
    """Theory, its floor and the straight line at many N, beside the simulated points."""
    dense = np.geomspace(found.augment[0] / 2, found.augment[-1] * 16, LINE_POINTS)
    numbers = np.union1d(dense, found.augment)
    floor, amplitude = (float(part[0]) for part in found.predicted.in_synthetic(found.sample.rows))
    simulated = pd.DataFrame({"augment": found.augment, "estimate": found.mean, "se": found.se()})
    return pd.DataFrame(
        {
            "series": series,
            "augment": numbers,
            "predicted": floor + amplitude / numbers,
            "floor": floor,
            "power_law": _straight(found).fit.at(numbers),
        }
    ).merge(simulated, how="left", on="augment")


_ONE = r"E\,\mathcal{E} = E_\infty + c\,N^{-a},\quad a = 1"

CLAIMS = (
    exponent_claim(
        "scaling-exponent",
        "The exponent in the number of synthetic rows is 1",
        (
            "At a fixed share, and with a floor fitted, the balanced excess risk falls as 1/N in"
            " the number N of synthetic rows, under the right law and under a shifted one."
        ),
        _ONE,
        exponent,
        source=EFFECT,
        note=NOTE,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "scaling-amplitude",
        "The amplitude in the number of synthetic rows",
        (
            "The amplitude of 1/N, with a floor fitted, is the squared share times what one"
            " synthetic row a group costs at the mixture's minimiser, under the right law and"
            " under a shifted one."
        ),
        (
            r"E\,\mathcal{E} = E_\infty + \alpha^2 \frac{B}{N},\quad \frac{B}{N} = \tfrac12"
            r" \mathrm{tr}(H_{bal} A V_{syn} A) + g^\top \beta_{syn}"
        ),
        amplitude,
        note=NOTE,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "scaling-floor",
        "The floor in the number of synthetic rows",
        (
            "What the fitted law leaves as N grows is the floor of the training mixture and the"
            " share that the raw rows keep of their variance, under the right law and under a"
            " shifted one."
        ),
        r"E_\infty = R_{bal}(\theta_{mix}) - R_{bal}(\theta_{bal}) + (1-\alpha)^2 \frac{A}{n}",
        floor,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin(
            "The shifted generator's floor is that of a small bias, quadratic in the share.",
            quadratic_bias,
        ),
    ),
    exponent_claim(
        "control-ignored-floor",
        "A floor that is ignored is noticed",
        "The curve in N has exponent 1 and a floor: a power law without one cannot fit it.",
        _ONE,
        exponent,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("A power law without a floor has exponent 1.", without_floor),
    ),
)
