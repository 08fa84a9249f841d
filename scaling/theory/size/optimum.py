"""The best number of synthetic rows by the exact terms: of the floor, or of the whole prediction.

The floor is searched by the sign of its exact slope, the total by its values; both over the share of the
synthetic rows in the sample, from 0 to ``LARGEST_SHARE``, first on a grid and then by zooming in.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from scaling.theory.size.curve import balanced_point, floor_slopes, size_curve
from scaling.theory.size.mixtures import BATCH, Mixtures
from scaling.theory.size.problem import SizeProblem
from scaling.theory.size.sizes import Size

Objective = Literal["floor", "total"]
# Beyond 98 % synthetic rows the raw majority hardly counts.
LARGEST_SHARE = 0.98
COARSE = 3 * BATCH
# A share this small is rounding.
EDGE = 1e-9
# Each zoom narrows 15-fold (slopes) or 7-fold (values).
ZOOMS = {"floor": 10, "total": 6}
INTERIOR = "The {0} has its least value inside the range."
NO_ROWS = "at the boundary m = 0: the {0} grows from the first synthetic row on; add none."
NO_END = (
    "no interior minimiser: the {0} still falls where 98 % of the rows are synthetic; every further row"
    " still cancels a part of the imbalance, and the bias has to be mended, not the number."
)
NOT_FOUND = "no number: a training mixture has no minimiser in double precision."


def optimal_size(
    problem: SizeProblem, objective: Objective = "total", balanced: Mixtures | None = None
) -> Size:
    """Minimise the floor, or floor + variance + second order, over real ``m`` in [0, 49 (n_0 + n_1)].

    Args:
        problem: classes, generator, loss and raw counts.
        objective: ``"floor"`` (what remains as all counts grow) or ``"total"`` (at these counts).
        balanced: what `balanced_point` gave, to save its time.

    Returns:
        ``rows``, the objective's ``value`` there and a status; ``found`` is false at the boundary.

    Do not trust the total where a class has fewer than about ten rows per feature.

    Source: paper_notes/synthetic_size.md, section 4.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> round(optimal_size(golden, "floor").rows, 6)
    76.0
    >>> round(optimal_size(golden.with_counts(2000, 100)).rows)
    7671
    """
    balanced = balanced_point(problem) if balanced is None else balanced
    raw = sum(problem.counts)

    def rows(shares: np.ndarray) -> np.ndarray:
        return raw * shares / (1.0 - shares)

    def values(shares: np.ndarray) -> np.ndarray:
        terms = size_curve(problem, rows(shares), balanced)
        return terms.floor if objective == "floor" else terms.total

    def slopes(shares: np.ndarray) -> np.ndarray:
        m = rows(shares)
        return floor_slopes(problem, m, size_curve(problem, m, balanced))

    shares = np.linspace(0.0, LARGEST_SHARE, COARSE)
    first = values(shares)
    if not np.isfinite(first).all():
        return Size(np.nan, np.nan, False, NOT_FOUND)
    best = int(np.argmin(first))
    low, high = shares[max(best - 1, 0)], shares[min(best + 1, COARSE - 1)]
    zoom = _zero if objective == "floor" else _lowest
    share = zoom(slopes if objective == "floor" else values, low, high, ZOOMS[objective])
    value = float(values(np.array([share]))[0])
    if share <= EDGE:
        return Size(0.0, value, False, NO_ROWS.format(objective))
    if share >= LARGEST_SHARE:
        return Size(float(rows(np.array([share]))[0]), value, False, NO_END.format(objective))
    return Size(float(rows(np.array([share]))[0]), value, True, INTERIOR.format(objective))


def _zero(slopes: Callable[[np.ndarray], np.ndarray], low: float, high: float, zooms: int) -> float:
    """Where a slope turns from negative to positive, or the end to which the values fall."""
    for _ in range(zooms):
        points = np.linspace(low, high, BATCH)
        falling = slopes(points) < 0.0
        if falling.all():
            return high
        if not falling.any():
            return low
        last = int(np.flatnonzero(falling)[-1])
        low, high = points[last], points[min(last + 1, BATCH - 1)]
    return 0.5 * (low + high)


def _lowest(
    values: Callable[[np.ndarray], np.ndarray], low: float, high: float, zooms: int
) -> float:
    """The lowest point by values; the last step is the vertex of a parabola through all points."""
    ends = low, high
    for last in reversed(range(zooms)):
        points = np.linspace(low, high, BATCH)
        found = values(points)
        best = int(np.argmin(found))
        if best in (0, BATCH - 1) and points[best] in ends:
            # At an end of the search: closer in on it.
            step = (high - low) / (BATCH - 1)
            low, high = max(ends[0], points[best] - step), min(ends[1], points[best] + step)
            if not last:
                return float(points[best])
            continue
        scaled = (points - points[best]) / (high - low)
        if high - low < 1e-3:
            bend, slope, _ = np.polyfit(scaled, found, 2)
            if bend > 0.0:
                vertex = points[best] - (high - low) * slope / (2.0 * bend)
                return float(np.clip(vertex, low, high))
        low, high = points[max(best - 1, 0)], points[min(best + 1, BATCH - 1)]
    return float(0.5 * (low + high))
