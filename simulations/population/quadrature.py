"""The one-dimensional Gaussian rule behind every exact population quantity.

The trapezoid rule in ``z`` on [-9, 9] with normalised Gaussian weights converges
geometrically for functions analytic in a strip, here all the way to rounding:
a step of ``min(1/4, 1/(2 sd))`` gives about 1e-13 for a logistic score of standard
deviation ``sd`` (the nearest pole of the logistic lies at ``z = i pi / sd``).
"""

import math
from typing import NamedTuple

import numpy as np

from simulations.arrays import AnyArray

HALF_WIDTH = 9.0


class Grid(NamedTuple):
    """Nodes ``z`` and weights ``w`` (both ``(Q,)``) with ``sum w h(z) = E h(Z)``, Z standard normal."""

    nodes: AnyArray
    weights: AnyArray


def gaussian_grid(largest_sd: float = 2.0) -> Grid:
    """Grid that integrates functions of a score whose standard deviation is at most ``largest_sd``.

    The number of nodes is rounded up to ``72 * 2**k + 1``, so that few array shapes occur.

    >>> grid = gaussian_grid(1.0)
    >>> round(float((grid.weights * grid.nodes**4).sum()), 10)
    3.0
    """
    if not math.isfinite(largest_sd) or largest_sd < 0.0:
        raise ValueError(f"largest_sd must be a finite number >= 0, got {largest_sd!r}")
    doublings = max(0, math.ceil(math.log2(max(largest_sd, 2.0) / 2.0) - 1e-9))
    nodes = np.linspace(-HALF_WIDTH, HALF_WIDTH, 72 * 2**doublings + 1)
    weights = np.exp(-0.5 * nodes**2)
    return Grid(nodes, weights / weights.sum())
