"""The simulated table of arXiv 2406.03628, as a law: its lattice, its label and its median.

With ``Z`` independent standard normals and ``r`` rounding to one decimal (half to even),

    X1 = r(Z)    X2 = r(Z)    X3 = r(.5 X1 + .3 X2 + .5 Z)
    X4 = r(Z X1)    X5 = r(Z + .5 X3)    X6 = r(Z), or a random sign    X7 = r(Z)
    X8 = r(X2 X3)    X9 = r(X1 X2)
    S = 1.5 + .7 X1 - .6 X2 + .8 X3 + .4 X9 + noise Z,    label = 1[S > median of S] .

The label depends on ``X1, X2, X3`` alone (``X9`` is a function of them): given these,

    P(label = 1) = Phi((m - median)/noise),    m = E[S | X1, X2, X3],

and these live on a lattice whose probabilities are differences of normal distribution functions: the
median, and every expectation of a function of ``X1, X2, X3``, is a plain sum (paper_notes/craft.md).
All lattice coordinates are *tenths* (``10 X``), whole numbers in floating point, so that half to even
means what it says: in ``X`` itself one product in a hundred that ends on a 5 misses its tie by a
rounding. Nothing here needs JAX but what is handed its arrays.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from simulations.arrays import AnyArray

NAMES = ("majority", "minority")
# |X1| and |X2| up to 5.4: what lies beyond has probability 1e-7, and no draw gets there (|z| < 5.42).
LARGEST = 54
# ... and |X3 - E X3| up to 2.8, 5.6 standard deviations.
LARGEST_THIRD = 28
# Points of the plane, and of the lattice, that are rarer than this are left out: 1e-9 in all.
RAREST = 1e-14
# Rounding to tenths adds the variance of a uniform of this width (Sheppard): exact to 1e-8 where the
# rounded normal has a standard deviation of a tenth or more.
ROUNDING = 0.1**2 / 12.0
# Error allowed in P(label = 1) = 1/2 at the median, far below any Monte-Carlo error.
MEDIAN_TOLERANCE = 1e-14


class Lattice(NamedTuple):
    """``X1, X2, X3`` in tenths, each ``(P,)``, and their probabilities ``mass (P,)``."""

    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    mass: np.ndarray


def cell(tenths: np.ndarray, mean: np.ndarray | float, sd: float) -> np.ndarray:
    """Probability that a normal of this mean and deviation is rounded to ``tenths``."""
    low, high = ((tenths + side) / 10.0 for side in (-0.5, 0.5))
    return ndtr((high - mean) / sd) - ndtr((low - mean) / sd)


@cache
def lattice() -> Lattice:
    """All points of ``(X1, X2, X3)`` that are not rarer than ``RAREST``; about 565,000."""
    axis = np.arange(-LARGEST, LARGEST + 1.0)
    single = cell(axis, 0.0, 1.0)
    first, second = np.meshgrid(axis, axis, indexing="ij")
    plane = np.outer(single, single)
    first, second, plane = (part[plane > RAREST] for part in (first, second, plane))
    mean = (5.0 * first + 3.0 * second) / 100.0
    third = np.rint(10.0 * mean)[:, None] + np.arange(-LARGEST_THIRD, LARGEST_THIRD + 1.0)
    mass = plane[:, None] * cell(third, mean[:, None], 0.5)
    kept = mass > RAREST
    first, second = (np.broadcast_to(part[:, None], mass.shape)[kept] for part in (first, second))
    return Lattice(first, second, third[kept], mass[kept] / mass[kept].sum())


def product(one: AnyArray, other: AnyArray) -> AnyArray:
    """``r(X Y)`` in tenths, of two features in tenths."""
    return np.rint(one * other / 10.0)


def mean_score(first: Any, second: Any, third: Any, ninth: Any) -> Any:
    """``m = E[S | X]``; the features in tenths."""
    return 1.5 + 0.07 * first - 0.06 * second + 0.08 * third + 0.04 * ninth


@cache
def median(noise: float) -> float:
    """The population median of ``S``: the root of ``P(S > t) = 1/2``, by bisected Newton steps.

    >>> round(median(0.5), 6)
    1.587344
    """
    i, j, k, mass = lattice()
    m = mean_score(i, j, k, product(i, j))
    low, high = m.min() - 40.0 * noise, m.max() + 40.0 * noise
    root = float(mass @ m)
    # Bisection alone would need about 60 rounds.
    for _ in range(200):
        z = (m - root) / noise
        excess = mass @ ndtr(z) - 0.5
        if abs(excess) <= MEDIAN_TOLERANCE:
            break
        low, high = (root, high) if excess > 0.0 else (low, root)
        density = mass @ np.exp(-0.5 * z * z) / (noise * np.sqrt(2.0 * np.pi))
        step = root + excess / density if density > 0.0 else low
        root = step if low < step < high else 0.5 * (low + high)
        if high - low <= np.spacing(abs(high) + abs(low)):
            break
    return float(root)


def label_probability(noise: float, m: np.ndarray) -> np.ndarray:
    """``P(label = 1 | X)`` from ``m``."""
    return ndtr((m - median(noise)) / noise)
