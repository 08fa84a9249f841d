"""Nonparametric, imbalance and synthetic rows: which number of rows drives the rate."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.nonparametric.series import (
    balanced_law,
    grid_for,
    limit_floor,
    minority_limit,
    series_law,
)
from simulations.series.classes import Target, classes
from simulations.series.training import augmented, oversampled, raw, real, reweighted
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import exponent_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.nonparametric.points import Point, constant_row, curve_limit, limit_row, point
from synthlaw.claims.nonparametric.sequence import NOTE
from synthlaw.claims.nonparametric.series import ASSUMED, SOURCE
from synthlaw.claims.record import EFFECT, Twin, always

METHODS = {"raw": raw, "reweighted": reweighted}
# Majority rows beside minorities of these sizes.
MAJORITY, MINORITY = 10**12, (10**3, 10**4, 10**5, 10**6, 10**7)
# Minority rows of a ladder, and imbalances.
LADDER, IMBALANCES = (10**5, 10**6, 10**7), (1, 10)
# Oversampling: majority rows of a ladder, imbalance, ratios.
MAJORITIES, IMBALANCE, RATIOS = (10**5, 10**6, 10**7), 100, (0.5, 1.0)
# Augmentation: raw rows of both classes, synthetic rows a class, biases of the generator's theta_1.
RAW, SYNTHETIC, SHIFTS = (10**3, 10**2), (10**5, 10**6, 10**7), (0.1, 0.3)
# The correction of a spread target at s = 1: that of the bandwidth.
CORRECTION = 1 / 3


def _raw(lab: Lab, method: str, minority: int, majority: int) -> Point:
    return point(
        lab,
        f"{method} {minority} {majority}",
        lambda right, _, ridge: METHODS[method](right, (majority, minority), ridge, 1.0),
        rows=2 * minority,
    )


def minority_exponent(lab: Lab) -> pd.DataFrame:
    """The exponent in minority rows beside endless majority rows."""
    rows = []
    for method in METHODS:
        points = [_raw(lab, method, n, MAJORITY) for n in MINORITY]
        limit = curve_limit(list(MINORITY), points, CORRECTION)
        rows.append(limit_row(method, MINORITY[-1], 2 / 3, limit, points))
    return pd.DataFrame(rows)


def _minority(lab: Lab, all_alike: bool) -> pd.DataFrame:
    rows = []
    for n in LADDER:
        two = classes(Target(grid_for(2 * n, 1.0), 1.0, signs="spread"))
        cases = {f"{k} to 1": k * n for k in IMBALANCES} | {"endless majority": MAJORITY}
        for name, majority in cases.items():
            found = _raw(lab, "raw", n, majority)
            endless = majority == MAJORITY
            law = minority_limit(two, n, 1.0) if endless else found.law.least
            if all_alike:
                law = balanced_law(two, n + majority, 1.0).least
            rows.append(constant_row(name, n, n**-CORRECTION, law, found))
    return pd.DataFrame(rows)


def minority_constant(lab: Lab) -> pd.DataFrame:
    """Excess risks at several imbalances over the law of both class sizes."""
    return _minority(lab, False)


def all_rows_alike(lab: Lab) -> pd.DataFrame:
    """Over the law of as many rows in balance."""
    return _minority(lab, True)


def _oversampled(lab: Lab, majority: int, ratio: float) -> Point:
    counts = majority, majority // IMBALANCE
    return point(
        lab,
        f"oversampled {majority} {ratio}",
        lambda right, _, ridge: oversampled(right, counts, ratio, ridge, 1.0),
        rows=2 * majority,
    )


def _oversampling(lab: Lab, without: bool) -> pd.DataFrame:
    rows = []
    for ratio in RATIOS:
        for majority in MAJORITIES:
            found = _oversampled(lab, majority, ratio)
            law = found.law.least
            if ratio == 1.0 or without:
                two = classes(Target(grid_for(2 * majority, 1.0), 1.0, signs="spread"))
                real = majority // IMBALANCE if without else majority
                law = balanced_law(two, 2 * real, 1.0).least
            name = f"ratio {ratio:g}"
            rows.append(constant_row(name, majority, majority**-CORRECTION, law, found))
    return pd.DataFrame(rows)


def oversampling(lab: Lab) -> pd.DataFrame:
    """Excess risks with right-law rows in the minority; at ratio 1 over the law of n_max rows a class."""
    return _oversampling(lab, False)


def rows_of_no_use(lab: Lab) -> pd.DataFrame:
    """Over the law of n_min rows a class."""
    return _oversampling(lab, True)


def _augmented(lab: Lab, synthetic: int, shift: float) -> Point:
    return point(
        lab,
        f"augmented {synthetic}",
        lambda right, made, ridge: augmented(right, RAW, made, synthetic, ridge, 1.0),
        rows=2 * synthetic,
        shift=shift,
    )


def augmentation(lab: Lab) -> pd.DataFrame:
    """Excess risks with N rows a class of the right law over the law of N rows a class; leaves the
    picture's table."""
    lab.recall("series picture", lambda: lab.drawn.update(series_curves=pictured(lab)))
    rows = []
    for n in SYNTHETIC:
        found = _augmented(lab, n, 0.0)
        two = classes(Target(grid_for(2 * n, 1.0), 1.0, signs="spread"))
        law = balanced_law(two, 2 * n, 1.0).least
        rows.append(constant_row("", n, n**-CORRECTION, law, found))
    return pd.DataFrame(rows)


def above_floor(lab: Lab) -> pd.DataFrame:
    """What a biased generator's rows leave above the floor of the training law, over its law."""
    rows = []
    for shift in SHIFTS:
        for n in SYNTHETIC:
            found = _augmented(lab, n, shift)
            law = found.law
            above = law.above(law.ridge)
            name = f"shift {shift:g}"
            rows.append(constant_row(name, n, n**-CORRECTION, above, found, law.floor))
    return pd.DataFrame(rows)


def generator_floor(lab: Lab) -> pd.DataFrame:
    """Excess risks over the generator's own, as its rows become many."""
    rows = []
    for shift in SHIFTS:
        for n in SYNTHETIC:
            found = _augmented(lab, n, shift)
            target = Target(grid_for(2 * n, 1.0), 1.0, signs="spread")
            made = classes(target._replace(shift=shift))
            parts = tuple(real(made, label, n, 0.5) for label in (0, 1))
            floor = limit_floor(classes(target), parts)
            name = f"shift {shift:g}"
            # The raw rows' share, 1/N, moves the floor; noise and penalty add N^(-2/3).
            rows.append(constant_row(name, n, n ** (-2 / 3), floor, found))
    return pd.DataFrame(rows)


def pictured(lab: Lab) -> pd.DataFrame:
    """Excess risks against rows a class, with their laws and the generators' floors."""
    dense, few = 10.0 ** np.linspace(2.5, 8.0, 34), [10**3, 10**4, *SYNTHETIC]
    found: dict[str, dict[int, Point]] = {
        "n real rows in both classes": {n: _raw(lab, "raw", n, n) for n in LADDER},
        "n real rows in the smaller class": {n: _raw(lab, "raw", n, MAJORITY) for n in MINORITY},
        "n augmented rows, right law": {n: _augmented(lab, n, 0.0) for n in few},
    }
    two = classes(Target(2**11, 1.0, signs="spread"))
    laws: dict[str, Any] = {
        "n real rows in both classes": lambda n: raw(two, (n, n), 1.0, 1.0),
        "n real rows in the smaller class": lambda n: raw(two, (MAJORITY, n), 1.0, 1.0),
        "n augmented rows, right law": lambda n: augmented(two, RAW, two, n, 1.0, 1.0),
    }
    floors = dict.fromkeys(laws, float("nan"))
    for shift in SHIFTS:
        name = f"n augmented rows, first coefficient off by {shift:g}"
        found[name] = {n: _augmented(lab, n, shift) for n in few}
        made = classes(two.target._replace(shift=shift))
        laws[name] = lambda n, made=made: augmented(two, RAW, made, n, 1.0, 1.0)
        floors[name] = limit_floor(two, tuple(real(made, label, 1, 0.5) for label in (0, 1)))
    rows = []
    for name, points in found.items():
        common = {"series": name, "floor": floors[name]}
        for n, each in points.items():
            value = each.estimate
            rows.append({**common, "rows": n, "estimate": value.value, "se": value.se})
        for n in dense:
            law = series_law(two, laws[name](int(n)).parts, 1.0)
            rows.append({**common, "rows": int(n), "predicted": law.least})
    return pd.DataFrame(rows)


SPREAD = always("s = 1; the log-odds are rough everywhere.")
IMBALANCED = (*ASSUMED, SPREAD, always("log(n_1/n_0) is taken off the fitted log-odds."))
INDEPENDENT = always("Synthetic rows are independent of the raw ones and of each other.")

CLAIMS = (
    exponent_claim(
        "nonparametric-minority-exponent",
        "The rate is that of the smaller class",
        "Beside 10^12 rows of the other class the excess risk falls with the exponent 2/3 in the rows of"
        " the smaller one (s = 1), with raw and with reweighted rows.",
        r"E\,\mathcal{E} \asymp n_{\min}^{-2s/(2s+1)}",
        minority_exponent,
        source=SOURCE,
        note=NOTE,
        assumptions=IMBALANCED,
    ),
    constant_claim(
        "nonparametric-minority-constant",
        "How the larger class counts: the variance of the log-odds",
        "The constant at every imbalance is that of noise tau = 1/(n_1 q_1) + 1/(n_0 q_0) at x, q_y the"
        " density and n_y the rows of class y, W what training curves and W_bal what an error costs there;"
        " beside an endless majority that of n_1 alone.",
        (
            r"\tfrac12\left[\tfrac{\lambda}{2s}\int\tfrac{W_{bal}}{W} + C_s\lambda^{-1/2s}\int W_{bal}"
            r"\,\tau\,W^{1/2s}\right],\quad \tau = \frac1{n_1q_1} + \frac1{n_0q_0}"
        ),
        minority_constant,
        source=SOURCE,
        note=NOTE,
        assumptions=IMBALANCED,
        twin=Twin("All rows count alike: the law of n_0 + n_1 rows in balance.", all_rows_alike),
    ),
    constant_claim(
        "nonparametric-oversampling",
        "Right-law oversampling moves the rate to the larger class",
        "At imbalance 100, right-law rows in the minority give the law of the classes' new sizes: at ratio"
        " 1 that of n_max rows a class, constant included.",
        r"\rho = 1:\quad \mathcal{E}(n_{\min}, n_{\max}) \to \mathcal{E}(n_{\max}, n_{\max})",
        oversampling,
        source=EFFECT,
        note=NOTE,
        assumptions=(*IMBALANCED, INDEPENDENT),
        twin=Twin("The added rows are of no use: the law of n_min rows a class.", rows_of_no_use),
    ),
    constant_claim(
        "nonparametric-augmentation",
        "Augmentation moves the rate to the number of synthetic rows",
        "Beside 1,000 and 100 raw rows, N right-law rows a class (10^5 to 10^7) give the law of N rows a"
        " class.",
        (
            r"\mathcal{E} \to \tfrac12\left(1 + \tfrac1{2s}\right)\left(\frac{C_s \int W^{1/2s}}{2N}"
            r"\right)^{2s/(2s+1)}"
        ),
        augmentation,
        source=EFFECT,
        note=NOTE,
        assumptions=(*IMBALANCED, INDEPENDENT),
    ),
    constant_claim(
        "nonparametric-generator-bias",
        "Above a biased generator's floor the rate stays, with a constant of its own",
        "With a generator whose log-odds are off by .1 or .3 sqrt(2) cos(pi x) the excess above the floor"
        " of the training law has the stated constant: the bias bends what an error costs, and the penalty"
        " moves it. Of the training law, generator included: u_k are the coefficients of its log-odds, W"
        " its curvature, a and b its bias and variance; g is the gradient of the balanced risk there.",
        (
            r"\lambda\left[\tfrac12 a - \textstyle\sum_k k^{2s} u_k r_k\right] + \tfrac12 b\lambda^{-1/2s},"
            r"\quad r = g/W"
        ),
        above_floor,
        source=SOURCE,
        note=NOTE,
        assumptions=(*IMBALANCED, INDEPENDENT),
    ),
    constant_claim(
        "nonparametric-generator-floor",
        "Augmentation ends at the generator's floor",
        "As the generator's rows a class, N, grow, the excess risk of penalised logistic regression tends"
        " to that of the generator's own log-odds.",
        r"\mathcal{E} \to R_{bal}(\tilde f) - R_{bal}(f)",
        generator_floor,
        source=EFFECT,
        note=NOTE,
        assumptions=(*IMBALANCED, INDEPENDENT),
    ),
)
