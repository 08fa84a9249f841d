"""Groups of label and spurious attribute, two ways to balance them, and exact errors with noise features.

The explicit-memorisation model of Sagawa, Raghunathan, Koh and Liang (arXiv 2005.04345): a row of
group ``(y, a)``, both -1 or 1, has a core feature ``N(y, core)``, a spurious one ``N(a, spurious)`` and d
noise features ``N(0, noise/d)``; a share ``aligned`` of all rows has a = y. Their second model has
``dim`` features of either kind, seen through random features (`simulations.memorising.features`).
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from simulations.problems import InputError

# In the order of the setting `spurious`: "1,1" "1,-1" "-1,1" "-1,-1".
LABELS = np.array([1.0, 1.0, -1.0, -1.0])
ATTRIBUTES = np.array([1.0, -1.0, 1.0, -1.0])
ALIGNED, CONFLICTING = LABELS == ATTRIBUTES, LABELS != ATTRIBUTES
Scheme = Literal["reweighting", "subsampling"]
SCHEMES: tuple[Scheme, ...] = ("reweighting", "subsampling")


class World(NamedTuple):
    """``aligned``: share of rows with a = y, in [1/2, 1); variances ``core``, ``spurious`` and, of all
    noise features together, ``noise``, > 0; ``ridge`` lambda > 0."""

    aligned: float
    core: float
    spurious: float
    noise: float
    ridge: float


def group_counts(of: World, rows: int, scheme: Scheme) -> np.ndarray:
    """Rows of the four groups that a scheme trains on, of ``rows`` raw ones.

    Subsampling keeps as many rows of every group as the smallest has.

    >>> world = World(0.9, 1.0, 0.1, 10.0, 1e-4)
    >>> group_counts(world, 200, "reweighting").tolist()
    [90, 10, 10, 90]
    >>> group_counts(world, 200, "subsampling").tolist()
    [10, 10, 10, 10]
    """
    if scheme not in SCHEMES:
        raise InputError(f"no scheme {scheme!r}; choose {' or '.join(SCHEMES)}.")
    fewest = round(rows * (1.0 - of.aligned) / 2.0)
    most = rows // 2 - fewest
    if not 0 < fewest <= most:
        raise InputError(
            f"{rows} rows leave a group empty; give more, or another share of aligned."
        )
    return np.where(ALIGNED & (scheme == "reweighting"), most, fewest)


def row_weights(counts: np.ndarray) -> np.ndarray:
    """A quarter of the weight for every group, shared equally among its rows; sum 1."""
    return np.repeat(0.25 / counts, counts)


def group_errors(of: World, theta: np.ndarray, dim: int) -> np.ndarray:
    """Exact 0-1 errors ``(4,)`` of a rule on core, spurious and ``dim`` noise features.

        Phi(-(w_core + a y w_spurious + y b)/q),   q^2 = core w_core^2 + spurious w_spurious^2
                                                          + noise/d |w_noise|^2.

    Args:
        of: the variances.
        theta: slope and intercept; the noise part may be rotated into fewer features than ``dim``.
        dim: d, which sets the noise features' variance.

    >>> group_errors(World(0.9, 1.0, 0.1, 10.0, 1e-4), np.array([1.0, 0.0, 0.0, 0.0]), 1).round(6).tolist()
    [0.158655, 0.158655, 0.158655, 0.158655]
    """
    core, spurious, intercept, rest = theta[0], theta[1], theta[-1], theta[2:-1]
    square = of.core * core**2 + of.spurious * spurious**2 + of.noise / dim * float(rest @ rest)
    toward = core + LABELS * ATTRIBUTES * spurious + LABELS * intercept
    return ndtr(-toward / np.sqrt(square))
