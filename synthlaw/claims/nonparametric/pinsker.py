"""Nonparametric: Pinsker's constant over a Sobolev ellipsoid, and what ridge pays beside it."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.nonparametric import pinsker
from simulations.series.sequence import linear_losses
from simulations.series.sums import ridge_sum
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.nonparametric.sequence import NOTE
from synthlaw.claims.record import always

SMOOTHNESS = (0.5, 1.0, 2.0)
ROWS, DRAWS = (1e4, 1e6, 1e8), 1e6
# Where the noise of ridge is no longer drawn but enters by its mean, in units of the knee.
REACH = 8.0


def _row(series: str, n: float, regressor: float, law: float, found: np.ndarray) -> dict[str, Any]:
    mean = float(found.mean()), float(found.std(ddof=1) / len(found) ** 0.5)
    return {**fitted_row(series, n, law, mean, len(found), 0), "inverse_size": regressor}


def _count(lab: Lab, terms: int) -> int:
    return int(np.clip(DRAWS / terms, 100, 20_000)) * lab.preset.effort


def minimax(lab: Lab) -> pd.DataFrame:
    """Losses of the minimax rule at its least favourable target, and of the best ridge at its own."""
    rows = []
    for smoothness in SMOOTHNESS:
        for n in ROWS:
            exact = pinsker.minimax_linear(smoothness, 1.0, 1.0 / n)
            theta, kept = pinsker.least_favourable(smoothness, exact, 1.0 / n)
            name = ["minimax", smoothness, n]
            found = linear_losses(theta, kept, 1.0 / n, _count(lab, len(theta)), lab.seed, name)
            law = pinsker.pinsker_risk(smoothness, 1.0, 1.0 / n)
            regressor = n ** (-1.0 / (2.0 * smoothness + 1.0))
            rows.append(_row(f"best linear, {smoothness:g}", n, regressor, law, found))
    for n in ROWS:
        rows.append(_row("best ridge, 1", n, n ** (-1.0 / 3.0), *_ridge(lab, n)))
    return pd.DataFrame(rows)


def _ridge(lab: Lab, n: float) -> tuple[float, np.ndarray]:
    """The constant's risk, and losses at the one coefficient that costs the best ridge most (s = 1)."""
    ridge = pinsker.ridge_minimax_ridge(1.0, 1.0, 1.0 / n)
    k = np.arange(1.0, REACH * ridge**-0.5)
    kept = 1.0 / (1.0 + ridge * k**2)
    worst = int(np.argmax((1.0 - kept) ** 2 / k**2))
    theta = np.zeros(len(k))
    theta[worst] = 1.0 / k[worst]
    count = _count(lab, len(k))
    found = linear_losses(theta, kept, 1.0 / n, count, lab.seed, ["worst", n])
    beyond = (ridge_sum(0.0, 2, 0, ridge, 1.0) - (kept**2).sum()) / n
    return pinsker.ridge_minimax_constant(1.0) * n ** (-2.0 / 3.0), found + beyond


CLAIMS = (
    constant_claim(
        "nonparametric-pinsker",
        "Pinsker's constant, and ridge's beside it",
        "Over the ellipsoid of smoothness 1/2, 1, 2 the minimax linear rule has, at its least favourable"
        " target, Pinsker's constant; the best ridge of the same smoothness (s = 1) has, at its own, a"
        " constant 11.5 % larger.",
        (
            r"(2\beta+1)^{1/(2\beta+1)}\left(\tfrac{\beta}{\beta+1}\right)^{2\beta/(2\beta+1)},\quad"
            r" \tfrac{2s+1}{4}\left(\tfrac{2 C_s}{s}\right)^{2s/(2s+1)}"
        ),
        minimax,
        source="constant: Pinsker (1980); derived here with its finite-n form, and ridge's",
        note=NOTE,
        assumptions=(
            always("Noise is Gaussian and independent."),
            always("The ellipsoid is sum k^(2 beta) theta_k^2 <= 1."),
        ),
    ),
)
