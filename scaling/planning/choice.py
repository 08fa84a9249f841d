"""How many rows: the least predicted risk, what else it could be, and whether rows help at all."""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.stats import t as student

from scaling.planning.curve import Curve

LEVEL = 0.95
# Charged per standard error of the difference from full balancing: the usual choice is left only where the
# table speaks for it.
CAUTION = 0.5
# A gain counts from one standard error on.
GAIN = 1.0
FINE, DRAWS = 81, 4000
# A band is cut at a factor of 1000 either way.
WIDEST = float(np.log(1000.0))


class Line(NamedTuple):
    """The curve on a fine grid: ``ratio (F,)``, ``predicted``, ``low``, ``high`` and ``variance (F,)``;
    ``map (F + 1, J)`` makes fine values from those at the budgets, the last row reweighting."""

    ratio: np.ndarray
    predicted: np.ndarray
    low: np.ndarray
    high: np.ndarray
    variance: np.ndarray
    map: np.ndarray


class Compared(NamedTuple):
    """Risk at the best ratio less that of something else, and its standard error."""

    gain: float
    se: float

    @property
    def sure(self) -> bool:
        """Whether the best ratio is better by more than its standard error."""
        return self.gain > GAIN * self.se


class Choice(NamedTuple):
    """``ratio`` with the least predicted risk, and ``low``, ``high``: where it lies in 95 % of the curves
    that the noise allows; ``risk`` there; gains over no rows, reweighting and full balancing (None where
    the curve ends before it); ``edge``: the curve still falls where it ends."""

    ratio: float
    low: float
    high: float
    risk: float
    se: float
    over_none: Compared
    over_reweighting: Compared
    over_full: Compared | None
    edge: bool

    @property
    def help(self) -> bool:
        """Whether synthetic rows are better than none, and than weights."""
        return self.ratio > 0.0 and self.over_none.sure and self.over_reweighting.sure


def reach(freedom: int) -> float:
    """Half the width of an interval in standard errors; ``freedom``: the smallest group's rows less one.

    >>> round(reach(11), 2)
    2.2
    """
    return float(student.isf((1.0 - LEVEL) / 2.0, max(freedom, 1)))


def _map(budgets: np.ndarray, small: float) -> tuple[np.ndarray, np.ndarray]:
    """Fine ratios, and the cubic spline in the log of the rows as a matrix."""
    inner = budgets[:-1]
    steps = np.log1p(inner / small)
    fine = np.unique(np.concatenate([np.linspace(0.0, steps[-1], FINE), steps]))
    inside = CubicSpline(steps, np.eye(len(inner)))(fine)
    whole = np.zeros((len(fine) + 1, len(budgets)))
    whole[:-1, :-1], whole[-1, -1] = inside, 1.0
    # Budgets themselves come out of the logarithm to the last digit but one.
    ratio = small * np.expm1(fine)
    nearest = np.abs(ratio[:, None] - inner).argmin(axis=0)
    ratio[nearest] = inner
    return ratio, whole


def line(found: Curve, counts: np.ndarray, small: float) -> Line:
    """The curve between its budgets; ``small``: rows of the groups that get some, over the rows they lack.

    The band is symmetric in the logarithm of the risk: risks are positive, and their noise is skewed.

    Args:
        found: the curve at its budgets.
        counts: rows of each group.
        small: rows of the groups that get some, over those they lack.
    """
    ratio, whole = _map(found.budgets, small)
    predicted = whole @ found.predicted
    se = np.sqrt(np.maximum(np.einsum("fi,ij,fj->f", whole, found.covariance, whole), 0.0))
    wander = np.maximum(whole @ found.wander, 0.0)
    predicted = np.maximum(predicted, 0.05 * se)
    wide = reach(int(counts.min()) - 1) * np.sqrt(se**2 + wander) / predicted
    factor = np.exp(np.minimum(wide, WIDEST))
    return Line(
        ratio,
        predicted[:-1],
        (predicted / factor)[:-1],
        (predicted * factor)[:-1],
        (whole @ found.variance)[:-1],
        whole,
    )


def choose(found: Curve, along: Line, counts: np.ndarray, seed: int) -> Choice:
    """The ratio with the least predicted risk, cautiously, and how sure that is."""
    noise = along.map @ found.covariance @ along.map.T
    risk = along.map @ found.predicted
    inner = len(along.ratio)
    full = int(np.argmin(np.abs(along.ratio - 1.0)))
    off = np.sqrt(np.maximum(np.diag(noise) + noise[full, full] - 2.0 * noise[full], 0.0))
    best = int(np.argmin(risk[:inner] + CAUTION * off[:inner]))

    def compared(other: int) -> Compared:
        variance = noise[best, best] + noise[other, other] - 2.0 * noise[best, other]
        return Compared(float(risk[other] - risk[best]), float(np.sqrt(max(variance, 0.0))))

    low, high = _ends(risk, noise, inner, int(counts.min()) - 1, seed)
    return Choice(
        float(along.ratio[best]),
        float(min(along.ratio[low], along.ratio[best])),
        float(max(along.ratio[high], along.ratio[best])),
        float(risk[best]),
        float(np.sqrt(noise[best, best])),
        compared(0),
        compared(inner),
        compared(full) if abs(along.ratio[full] - 1.0) < 1e-9 else None,
        best == inner - 1,
    )


def _ends(
    risk: np.ndarray, noise: np.ndarray, inner: int, freedom: int, seed: int
) -> tuple[int, int]:
    """Places between which the least risk lies in 95 % of the curves that differ by the noise."""
    values, vectors = np.linalg.eigh(noise[:inner, :inner])
    kept = values > 1e-12 * max(values.max(), 1e-300)
    root = vectors[:, kept] * np.sqrt(values[kept])
    random = np.random.default_rng([seed, 11])
    normals = random.standard_normal((DRAWS, root.shape[1])) @ root.T
    stretch = np.sqrt(max(freedom, 1) / random.chisquare(max(freedom, 1), DRAWS))
    least = np.argmin(risk[:inner] + normals * stretch[:, None], axis=1)
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(least, [tail, 1.0 - tail], method="nearest")
    return int(low), int(high)
