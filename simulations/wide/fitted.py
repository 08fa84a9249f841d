"""What a solver hands back."""

from typing import NamedTuple

import numpy as np

from simulations.arrays import AnyArray


class Fitted(NamedTuple):
    """``theta (d + 1,)``, the slope and then the intercept (``(d,)`` without one), NaN unless ``status``,
    a key of `simulations.sampling.newton.STATUS`, is 0; ``steps`` of the method; ``defect``, what its own
    test of optimality leaves, beside the total weight (hinge: the duality gap, a proven bound)."""

    theta: AnyArray
    status: int
    steps: int
    defect: float


def blank(dim: int, intercept: bool, status: int, steps: int) -> Fitted:
    """No rule, and why."""
    return Fitted(np.full(dim + intercept, np.nan), status, steps, np.inf)
