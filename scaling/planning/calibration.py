"""What balancing does to probabilities, and the correction of the prior.

Rows added to a class (or weights) multiply the odds by the factor by which the classes' shares changed: the
log odds of a rule trained so are too high by

    shift = log(N_1/N_0) - log(n_1/n_0),     N with the added rows, n without

if the added rows follow the law of their class. Taking it off gives probabilities for the table's own
shares.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import logistic


class Measures(NamedTuple):
    """On held-out rows at the table's own shares: mean predicted probability less the observed share;
    ``slope`` and ``intercept`` of the outcome on the log odds (1 and 0 for calibrated ones);
    mean logistic loss; mean squared error (Brier)."""

    in_the_large: float
    slope: float
    intercept: float
    log_loss: float
    brier: float


def prior_shift(counts: np.ndarray, added: np.ndarray, labels: np.ndarray) -> float:
    """``log(N_1/N_0) - log(n_1/n_0)`` of rows ``added (K,)`` to groups of ``counts (K,)`` rows.

    >>> round(prior_shift(np.array([900, 100]), np.array([0, 800]), np.array([0, 1])), 6)  # log 9
    2.197225
    """
    after = counts + added
    ones = labels == 1
    odds = np.log(after[ones].sum() / after[~ones].sum())
    return float(odds - np.log(counts[ones].sum() / counts[~ones].sum()))


def measures(score: np.ndarray, y: np.ndarray) -> Measures:
    """Calibration of log odds ``score (n,)`` against labels ``y (n,)``, every row alike.

    >>> random = np.random.default_rng(0)
    >>> score = random.standard_normal(100_000)
    >>> found = measures(score, (random.random(100_000) < expit(score)).astype(int))
    >>> abs(found.in_the_large) < 0.01, abs(found.slope - 1) < 0.05, abs(found.intercept) < 0.05
    (True, True, True)
    """
    share = expit(score)
    x = np.column_stack([score, np.ones(len(score))])
    # A ridge that matters only where the score separates the labels and the slope has no end.
    ridge = 1e-6 * max(float(score.var()), 1e-12)
    line = logistic.fit(x, y, np.full(len(y), 1.0 / len(y)), ridge)
    return Measures(
        float(share.mean() - y.mean()),
        float(line.theta[0]),
        float(line.theta[1]),
        float(logistic.losses(score, y).mean()),
        float(((share - y) ** 2).mean()),
    )
