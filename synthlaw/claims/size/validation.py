"""Size, chosen on a validation sample: what the choice costs.

The rules are those of the training mixtures themselves (an endless training sample), so that nothing but
the choice costs anything. Of a validation sample the squared loss takes means and second moments, which
are drawn as such (Bartlett's decomposition of a Wishart matrix).
"""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.size.curve import balanced_point, size_curve
from scaling.theory.size.problem import SizeProblem
from scaling.theory.size.validation import ValidationCost, validation_cost
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import DERIVED, GAUSSIAN, always
from synthlaw.claims.size.golden import INDEPENDENT, NOTE, problem_of

# Validation rows of each class, and samples of each.
LADDER = (4000, 16_000, 64_000)
SAMPLES = 10_000
# The grid of sizes: so many points within so many spreads of the chosen size around the best one.
POINTS, SPREADS = 121, 6.0


def _moments(rng: np.random.Generator, count: int, rows: int, mean: np.ndarray) -> tuple[Any, ...]:
    """Means ``(count, d)`` and second moments ``(count, d, d)`` of ``rows`` rows ``N(mean, I)``."""
    dim = len(mean)
    centre = mean + rng.standard_normal((count, dim)) / np.sqrt(rows)
    root = np.tril(rng.standard_normal((count, dim, dim)), -1)
    for j in range(dim):
        root[:, j, j] = np.sqrt(rng.chisquare(rows - 1 - j, count))
    scatter = root @ root.transpose(0, 2, 1) / rows
    return centre, scatter + centre[:, :, None] * centre[:, None, :]


def _costs(
    problem: SizeProblem, rows: int, count: int, seed: int
) -> tuple[np.ndarray, ValidationCost]:
    """What the choice costs in every sample, less its leading term, plus that term's mean."""
    expected = validation_cost(problem, (rows, rows), "floor")
    balanced = balanced_point(problem)
    grid = expected.size + expected.spread * np.linspace(-SPREADS, SPREADS, POINTS)
    terms = size_curve(problem, grid, balanced)
    rules = terms.solved.theta
    rng = np.random.default_rng([seed, rows])
    means = problem.atoms.means[:2]
    loss, slope = np.zeros((count, POINTS)), np.zeros((count, rules.shape[1]))
    best = POINTS // 2
    for mean, label in zip(means, (0.0, 1.0), strict=True):
        centre, square = _moments(rng, count, rows, mean)
        bent = np.einsum("rpq,cq->rcp", square, rules) - 2.0 * label * centre[:, None, :]
        loss += np.einsum("rcp,cp->rc", bent, rules)
        slope += square @ rules[best] - label * centre
    # The noise of the validation loss is a line in m with this slope, to first order.
    way = (rules[best + 1] - rules[best - 1]) / (grid[best + 1] - grid[best - 1])
    line = (slope - terms.solved.gradients[best, :2].mean(axis=0)) @ way
    leading = line**2 / (2.0 * expected.curvature)
    costs = terms.floor[np.argmin(loss, axis=1)] - expected.least
    return costs - leading + expected.cost, expected


def cost(lab: Lab) -> pd.DataFrame:
    """Mean costs over ``t'S_v t/(2E'')``; ladder in the validation rows."""
    problem, frames = problem_of(lab), []
    for rows in LADDER:
        count = SAMPLES * lab.preset.effort
        found, expected = _costs(problem, rows, count, lab.seed)
        mean, se = float(found.mean()), float(found.std(ddof=1) / np.sqrt(count))
        frames.append(fitted_row("", rows, expected.cost, (mean, se), count, 0))
    return pd.DataFrame(frames)


CLAIMS = (
    constant_claim(
        "size-validation",
        "What a size tuned on a validation sample costs",
        (
            "Choosing the number of synthetic rows by the balanced loss on v independent rows of each"
            " class costs one parameter's worth of validation noise, however large the training sample"
            " is (golden case)."
        ),
        (
            r"E\,\mathcal{E}(\hat m) - \mathcal{E}(m^*) = \frac{t^\top S_v t}{2E''(m^*)},\quad"
            r" t = \partial_m\theta_{mix},\quad S_v = \tfrac14\left(C_0/v_0 + C_1/v_1\right)"
        ),
        cost,
        note=NOTE,
        source=DERIVED,
        assumptions=(GAUSSIAN, INDEPENDENT, always("The training sample is endless.")),
    ),
)
