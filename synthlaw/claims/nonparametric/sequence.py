"""Nonparametric, the Gaussian sequence model: exponents, saturation, ridge's constant."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.nonparametric.limits import SlopeLimit, slope_limit
from scaling.theory.nonparametric.sequence import best_risk, correction_exponent, exponent
from simulations.series.sequence import Sequence, losses, risk, tuned_ridge
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import over
from synthlaw.claims.exponents import exponent_claim, fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.nonparametric.points import ladder_rows, leave, slopes_between
from synthlaw.claims.record import Twin, always

NOTE = "nonparametric.md"
SOURCE = "classical rates; constants derived here"
POWERS = (0.5, 1.0, 2.0)
# Rows at which exact risks are computed, and the accuracy of a sum, relative.
EXACT, ROUNDING = 10.0 ** np.arange(4, 13), 1e-9
# Rows and replicates of the simulation: about the same number of draws a cell.
SIMULATED, DRAWS = (1e4, 1e6, 1e8), 2.5e6
SATURATED = 3.0
PANEL = "Gaussian sequence model, tuned ridge"


def name_of(model: Sequence) -> str:
    """What a model is called in tables.

    >>> name_of(Sequence(1.0, 1.0)), name_of(Sequence(3.0, 1.0))
    ('s = 1', 's = 1, p = 3')
    """
    name = f"s = {model.power:g}"
    return name if model.smoothness == model.power else f"{name}, p = {model.smoothness:g}"


def _exact(lab: Lab, model: Sequence) -> SlopeLimit:
    """Where the local slopes of the tuned exact risk tend."""

    def computed() -> SlopeLimit:
        y = np.array([risk(model, n, tuned_ridge(model, n)).total for n in EXACT])
        correction = correction_exponent(model.smoothness, model.power)
        return slope_limit(EXACT, y, ROUNDING * y, correction)

    return lab.recall(f"sequence exact {model}", computed)


def _limits(lab: Lab, factor: float) -> pd.DataFrame:
    rows = []
    for power in POWERS:
        model = Sequence(factor * power, power)
        limit = _exact(lab, model)
        expected = exponent(model.smoothness, power)
        fitted = limit.value, limit.error
        rows.append(fitted_row(name_of(model), EXACT[-1], expected, fitted, 0, 0))
    return pd.DataFrame(rows).assign(inverse_size=0.0)


def exponents(lab: Lab) -> pd.DataFrame:
    """Limits of the slopes for targets as smooth as the penalty, s = 1/2, 1, 2."""
    leave(lab, PANEL, _pictured(lab))
    return _limits(lab, 1.0)


def saturation(lab: Lab) -> pd.DataFrame:
    """The same for targets three times as smooth as the penalty."""
    return _limits(lab, SATURATED)


def never_saturated(lab: Lab) -> pd.DataFrame:
    """Against the exponent that the smoothness would give without saturation."""
    table = saturation(lab)
    smooth = SATURATED * np.array(POWERS)
    return over(table, 2.0 * smooth / (2.0 * smooth + 1.0))


def _losses(lab: Lab, model: Sequence, n: float) -> np.ndarray:
    """Simulated losses of the tuned ridge."""
    ridge = tuned_ridge(model, n)
    knee = ridge ** (-0.5 / model.power)
    count = int(np.clip(DRAWS / (8.0 * knee), 100, 20_000)) * lab.preset.effort
    return lab.recall(
        f"sequence losses {model} {n}", lambda: losses(model, n, ridge, count, lab.seed)
    )


MODELS = (*(Sequence(power, power) for power in POWERS), Sequence(SATURATED, 1.0))


def ridge_constant(lab: Lab) -> pd.DataFrame:
    """Simulated losses over the leading order, on a ladder of powers of 1/n."""
    rows = []
    for model in MODELS:
        correction = correction_exponent(model.smoothness, model.power)
        for n in SIMULATED:
            found = _losses(lab, model, n)
            mean = float(found.mean()), float(found.std(ddof=1) / len(found) ** 0.5)
            row = fitted_row(name_of(model), n, best_risk(model, n), mean, len(found), 0)
            rows.append({**row, "inverse_size": n**-correction})
    return pd.DataFrame(rows)


def _pictured(lab: Lab) -> list[dict[str, Any]]:
    rows = []
    dense = np.geomspace(1e2, 1e12, 21)
    for model in MODELS:
        y = np.array([risk(model, n, tuned_ridge(model, n)).total for n in dense])
        limit = _exact(lab, model)
        known = exponent(model.smoothness, model.power)
        found = ladder_rows(name_of(model), known, limit, slopes_between(dense, y))
        # The measured slopes of this panel are simulated, not those of the exact risk.
        rows += [row for row in found if "slope" not in row]
        drawn = [_losses(lab, model, n) for n in SIMULATED]
        means = np.array([each.mean() for each in drawn])
        errors = np.array([each.std(ddof=1) / len(each) ** 0.5 / each.mean() for each in drawn])
        at, slopes = slopes_between(np.array(SIMULATED), means)
        steps = np.diff(np.log(SIMULATED))
        for x, slope, se in zip(at, slopes, np.hypot(errors[1:], errors[:-1]) / steps, strict=True):
            common = {"series": name_of(model), "exponent": known}
            rows.append({**common, "rows": x, "slope": slope, "se": se})
    return rows


SUMMED = always("Risks are exact sums over all coefficients; lambda minimises the exact risk.")
TARGET = always("The target is k^-(p + 1/2), with p the smoothness.")

CLAIMS = (
    exponent_claim(
        "nonparametric-exponents",
        "Tuned ridge in the sequence model: 2s/(2s+1)",
        "For a target as smooth as the penalty (s = 1/2, 1, 2) the local slopes of the exact risk tend"
        " to 2s/(2s+1), from below.",
        r"\min_\lambda E\|\hat\theta - \theta\|^2 \asymp n^{-2s/(2s+1)}",
        exponents,
        source=SOURCE,
        note=NOTE,
        assumptions=(SUMMED, TARGET),
    ),
    exponent_claim(
        "nonparametric-saturation",
        "A target smoother than twice the penalty gains no more",
        "For targets of smoothness 3s the exponent is 4s/(4s+1), that of smoothness 2s (s = 1/2, 1, 2).",
        r"p > 2s:\quad \min_\lambda E\|\hat\theta - \theta\|^2 \asymp n^{-4s/(4s+1)}",
        saturation,
        source=SOURCE,
        note=NOTE,
        assumptions=(SUMMED, TARGET),
        twin=Twin("The exponent goes on growing as 2p/(2p+1).", never_saturated),
    ),
    constant_claim(
        "nonparametric-ridge-constant",
        "The constant of tuned ridge",
        "Simulated losses of the tuned ridge have the stated constant, for s = 1/2, 1, 2 and a target as"
        " smooth as the penalty, and for s = 1 beyond saturation (p = 3).",
        (
            r"\left(1 + \tfrac1{2s}\right)\left(\frac{C_s\sigma^2}{n}\right)^{2s/(2s+1)},\quad"
            r" C_s = \left(1 - \tfrac1{2s}\right)\frac{\pi/2s}{\sin(\pi/2s)}"
        ),
        ridge_constant,
        source=SOURCE,
        note=NOTE,
        assumptions=(TARGET, always("Noise is Gaussian and independent.")),
    ),
)
