"""Nonparametric: penalised logistic regression on a cosine series, its exponent and its constant."""

import numpy as np
import pandas as pd

from scaling.theory.nonparametric.limits import SlopeLimit
from simulations.series.training import raw
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import exponent_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.nonparametric.points import (
    REPLICATES,
    ROUGH,
    Point,
    constant_row,
    curve_limit,
    ladder_rows,
    leave,
    limit_row,
    point,
    slopes_between,
)
from synthlaw.claims.nonparametric.sequence import NOTE
from synthlaw.claims.record import EXISTS, Twin, always

# Kind of target, s, and the power of 1/N by which its curve comes to its law: half the bandwidth's where
# a root-like peak sits at one point, the bandwidth's elsewhere.
SERIES = (("alike", 1.0, 1 / 6), ("spread", 1.0, 1 / 3), ("alike", 2.0, 1 / 5))
ROWS = {1.0: tuple(10**k for k in range(3, 9)), 2.0: tuple(10**k for k in range(3, 13))}
# The preset full goes on to 10^12; a fit has there 262,144 coefficients.
FARTHER, FAR_REPLICATES = {1.0: (10**10, 10**12), 2.0: ()}, 5
# Sizes on which a constant's ladder stands, and terms of the truncated series.
LADDER, TERMS = 3, 32
PANEL = "penalised logistic series"
SOURCE = "derived here; local law"


def _name(signs: str, power: float) -> str:
    return f"s = {power:g}, {ROUGH[signs]}"


def balanced(lab: Lab, signs: str, power: float, rows: int, grid: int | None = None) -> Point:
    """``rows`` rows in all, half of them in each class."""
    far = rows in FARTHER[power]
    return point(
        lab,
        "balanced",
        lambda right, _, ridge: raw(right, (rows // 2, rows // 2), ridge, power),
        rows=rows,
        power=power,
        signs=signs,
        grid=grid,
        replicates=FAR_REPLICATES if far else REPLICATES,
    )


def sizes(lab: Lab, power: float) -> tuple[int, ...]:
    """Numbers of rows of the preset."""
    return ROWS[power] + (FARTHER[power] if lab.preset.effort > 1 else ())


def _curve(lab: Lab, signs: str, power: float, correction: float) -> tuple[SlopeLimit, list[Point]]:
    rows = sizes(lab, power)
    points = [balanced(lab, signs, power, n) for n in rows]
    return curve_limit(list(rows), points, correction), points


def exponents(lab: Lab) -> pd.DataFrame:
    """Limits of the local slopes of simulated excess risks."""
    rows, drawn = [], []
    for signs, power, correction in SERIES:
        limit, points = _curve(lab, signs, power, correction)
        expected = 2.0 * power / (2.0 * power + 1.0)
        numbers = np.array(sizes(lab, power), float)
        rows.append(limit_row(_name(signs, power), numbers[-1], expected, limit, points))
        predicted = np.array([each.predicted for each in points])
        line = slopes_between(numbers, predicted)
        drawn += ladder_rows(_name(signs, power), expected, limit, line)
    leave(lab, PANEL, drawn)
    return pd.DataFrame(rows)


def truncated(lab: Lab) -> pd.DataFrame:
    """The same of series that end at 31 terms, whatever the rows."""
    rows = []
    for signs, power, correction in SERIES[:2]:
        numbers = ROWS[power]
        points = [balanced(lab, signs, power, n, grid=TERMS) for n in numbers]
        limit = curve_limit(list(numbers), points, correction)
        expected = 2.0 * power / (2.0 * power + 1.0)
        rows.append(limit_row(_name(signs, power), numbers[-1], expected, limit, points))
    return pd.DataFrame(rows)


def constants(lab: Lab) -> pd.DataFrame:
    """Simulated excess risks over the law, on a ladder of powers of 1/N."""
    rows = []
    for signs, power, correction in SERIES:
        for n in sizes(lab, power)[-LADDER:]:
            found = balanced(lab, signs, power, n)
            regressor = float(n) ** -correction
            name = _name(signs, power)
            rows.append(constant_row(name, n, regressor, found.law.least, found))
    return pd.DataFrame(rows)


MODEL = always(
    "The log-odds are a cosine series; class laws are exp(+-f/2) on a grid of 16 N^(1/(2s+1))."
)
TUNED = always(
    "Lambda minimises the law of the rows trained on, (a lambda + b lambda^(-1/2s))/2 without any drift;"
    " the penalty is k^(2s)."
)
ASSUMED = (MODEL, TUNED, EXISTS)

CLAIMS = (
    exponent_claim(
        "nonparametric-series-exponent",
        "Penalised logistic regression has the sequence model's exponent",
        "The balanced excess risk of penalised logistic regression on a cosine series falls with the"
        " exponent 2s/(2s+1) (s = 1, 2; log-odds that are rough at one point or everywhere), by the limit"
        " of local slopes.",
        r"E\,\mathcal{E} \asymp N^{-2s/(2s+1)}",
        exponents,
        source=SOURCE,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("So it does for a series that ends at 31 terms.", truncated),
    ),
    constant_claim(
        "nonparametric-series-constant",
        "The constant of penalised logistic regression on a series",
        "The balanced excess risk of penalised logistic regression on a cosine series is half that of a"
        " sequence model whose noise is the mean of W^(1/2s) over N: N rows in all, W the Fisher"
        " information of the log-odds at x, q_1 and q_0 the classes' densities, C_s the"
        " constant of ridge's variance.",
        (
            r"\tfrac12\left(1 + \tfrac1{2s}\right)\left(\frac{C_s \int W^{1/2s}}{N}\right)^{2s/(2s+1)},"
            r"\quad W = \frac{q_1 q_0}{2(q_1 + q_0)}"
        ),
        constants,
        source=SOURCE,
        note=NOTE,
        assumptions=ASSUMED,
    ),
)
