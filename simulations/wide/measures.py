"""Exact risks and errors of a linear rule on isotropic Gaussian groups, in any dimension.

The score of a row of group g is normal with mean ``a = slope.mean_g + b`` and standard deviation
``sd = sqrt(v_g) |slope|``. With ``z = (1 - (2y-1) a)/sd`` the hinge risk is ``sd (phi(z) + z Phi(z))``, the
squared risk ``(a - y)^2 + sd^2``; the logistic one is a sum over the nodes of a grid.
"""

from functools import cache

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.units import Unit
from simulations.wide.layout import variances

# Beyond this spread of the score the grid is that of this spread; the risk is then its two straight
# lines but for a share below 1e-6.
LARGEST_SD = 4096.0


@cache
def _grid(doublings: int) -> Grid:
    return gaussian_grid(2.0**doublings)


def risks(loss: str, mean: np.ndarray, sd: np.ndarray, label: np.ndarray) -> np.ndarray:
    """``E l(u, y)`` of scores ``u ~ N(mean, sd^2)``, for arrays ``(K,)``.

    >>> values = risks("hinge", np.array([0.0]), np.array([1e-9]), np.array([1.0]))
    >>> round(float(values[0]), 12)
    1.0
    """
    sign = 2.0 * label - 1.0
    if loss == "squared":
        return (mean - label) ** 2 + sd**2
    if loss == "hinge":
        gap = 1.0 - sign * mean
        with np.errstate(divide="ignore", invalid="ignore"):
            z = gap / sd
            return np.where(sd > 0.0, sd * norm.pdf(z) + gap * ndtr(z), np.maximum(gap, 0.0))
    grid = _grid(max(0, int(np.ceil(np.log2(np.clip(sd.max(), 1.0, LARGEST_SD))))))
    scores = mean[:, None] + sd[:, None] * grid.nodes
    return np.logaddexp(0.0, -sign[:, None] * scores) @ grid.weights


def values(unit: Unit, theta: np.ndarray) -> np.ndarray:
    """The K group risks, then the K group errors, of the rule ``theta (p,)``: ``(2K,)``."""
    dim, label = unit.world.means.shape[1], unit.world.labels.astype(float)
    mean = unit.world.means @ theta[:dim] + theta[dim:].sum()
    sd = np.sqrt(variances(unit)) * float(np.linalg.norm(theta[:dim]))
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = ndtr(-(2.0 * label - 1.0) * (mean - unit.loss.threshold) / sd)
    return np.concatenate([risks(unit.loss.name, mean, sd, label), wrong])
