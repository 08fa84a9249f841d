"""The ridge that serves a functional of the group errors best, when d grows with n."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scaling.theory.proportional.clusters import Clusters, Solution
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.status import SOLVED
from simulations.problems import InputError, nearest

INSIDE, AT_LOWER, AT_UPPER, UNSOLVED = range(4)
RIDGE_REASONS = {
    INSIDE: "solved: the least value lies between the bounds",
    AT_LOWER: "the value is least at the smallest ridge; lower the bounds, or take that one",
    AT_UPPER: "the value is least at the largest ridge; raise the bounds, or take that one",
    UNSOLVED: "no ridge within the bounds has a solution; raise the bounds",
}
# G errors `(.., G)` to one number.
FUNCTIONALS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "balanced": lambda errors: errors.mean(axis=-1),
    "worst": lambda errors: errors.max(axis=-1),
}
# As many points as a program solves at once.
POINTS, ROUNDS = 24, 8


class BestRidge(NamedTuple):
    """``ridge``, the functional's ``value`` and the group ``errors (G,)`` there, the order parameters, and
    ``status``: a key of `RIDGE_REASONS`; NaN where it is `UNSOLVED`. ``unsolved`` counts the ridges
    looked at that had no solution."""

    ridge: float
    value: float
    errors: np.ndarray
    solution: Solution
    status: int
    unsolved: int


def best_ridge(
    loss: str,
    clusters: Clusters,
    aspect: float,
    groups: Clusters,
    functional: str = "balanced",
    bounds: tuple[float, float] = (1e-4, 1e2),
    *,
    intercept: bool = True,
    offset: float = 0.0,
) -> BestRidge:
    """Least value of a functional over the ridge: a grid of 24 in log ridge, narrowed seven times.

    Args:
        loss, clusters, aspect, intercept, offset: as in `fixed_point.fixed_point`, no leading axes.
        groups: the groups that are judged (`errors.group_errors`).
        functional: "balanced", the mean of their errors, or "worst", the largest.
        bounds: smallest and largest ridge > 0.

    Returns:
        The best ridge to about four digits (the value is flat there) and whether it lies inside.

    Raises:
        InputError: an unknown functional or loss, or bounds out of order.

    When not to trust it: several local minima closer than a quarter of a decade. Source:
    paper_notes/proportional.md, section 4.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([0.5, 0.5], [1, -1], [[1.0], [-1.0]])
    >>> best_ridge("squared", rows, 0.5, rows).status == AT_UPPER
    True
    """
    if functional not in FUNCTIONALS:
        raise InputError(
            f"functional is {functional!r}; {nearest(functional, FUNCTIONALS, 'functionals')}."
        )
    if not 0.0 < bounds[0] < bounds[1] < np.inf:
        raise InputError(f"bounds are {bounds}; give a smallest and a larger ridge, both above 0.")
    lowest, highest = np.log(bounds[0]), np.log(bounds[1])
    low, high, unsolved, rounds = lowest, highest, 0, 0
    while True:
        grid = np.linspace(low, high, POINTS)
        found = fixed_point(
            loss, clusters, aspect, np.exp(grid), intercept=intercept, offset=offset
        )
        errors = group_errors(found, groups)
        value = np.where(found.status == SOLVED, FUNCTIONALS[functional](errors), np.inf)
        unsolved += int((found.status != SOLVED).sum())
        at = int(np.argmin(value))
        rounds += 1
        if rounds == ROUNDS or not np.isfinite(value[at]):
            break
        step = grid[1] - grid[0]
        low, high = max(grid[at] - step, lowest), min(grid[at] + step, highest)
    here = Solution(*(np.asarray(each)[at] for each in found))
    if not np.isfinite(value[at]):
        nothing = np.full(errors.shape[-1], np.nan)
        return BestRidge(np.nan, np.nan, nothing, here, UNSOLVED, unsolved)
    edge = 1e-9 * (highest - lowest)
    status = INSIDE
    if grid[at] <= lowest + edge:
        status = AT_LOWER
    elif grid[at] >= highest - edge:
        status = AT_UPPER
    return BestRidge(float(np.exp(grid[at])), float(value[at]), errors[at], here, status, unsolved)
