"""Sequential stopping that does not bias: each half of the replicates stops the other.

At looks after fixed numbers of replicates, half A of a cell (even numbers) ends when half B
(odd numbers) says that the precision asked for is reached, and half B when A says so. Given B's
data, the number of A's replicates and A's coefficients are fixed, so that A's mean has exactly its
expectation; so has B's, and the estimate is their plain average (paper_notes/estimation.md).
"""

from typing import NamedTuple

import numpy as np

from simulations.runs.estimates import Evidence, adjusted, coefficients, without_controls
from simulations.runs.moments import GRAIN, Moments, chosen, halves, other_half
from simulations.setup.configuration import FIRST_LOOK

GROWTH = 1.1
# The precision foreseen must beat the target by this factor: of several looks the first that
# passes tends to be one at which the variance came out too small.
SAFETY = 0.95


class Watch(NamedTuple):
    """What is known of every cell at a look; half 0 has the even replicate numbers, half 1 the odd.

    ``ended (2, C)``: whether the half has ended; ``own, other (2, C, ..)``: moments of the half and
    of the half that ended it, at that look; ``reached (2, C)``: whether it ended because the
    target was met, not because replicates ran out; ``failed (C,)``: whether some replicate has no
    estimator, so that the plain mean is to be precise.
    """

    ended: np.ndarray
    reached: np.ndarray
    failed: np.ndarray
    own: Moments
    other: Moments

    @property
    def running(self) -> np.ndarray:
        """Cells that need more replicates, ``(C,)``."""
        return np.logical_not(self.ended.all(axis=0))

    @property
    def evidence(self) -> Evidence:
        """What the estimates rest on, once nothing runs any more."""
        return Evidence(self.own, self.other, True)


def looks(most: int) -> list[int]:
    """Numbers of replicates after which a run may stop: multiples of 100, and ``most`` at the end.

    >>> looks(1450)
    [200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1300, 1450]
    """
    found = [FIRST_LOOK]
    while found[-1] < most:
        found.append(max(found[-1] + GRAIN, int(np.ceil(found[-1] * GROWTH / GRAIN)) * GRAIN))
    return [*found[:-1], most]


def foreseen(quarters: Moments) -> np.ndarray:
    """Relative standard error of the final estimate of the balanced excess risk, ``(2, C)``, as
    each half foresees it from its own data, for twice its replicates.

    With coefficients of the same n replicates the variance comes out too small by a share of about
    ``a ~ J/n``; with those that its two quarters take from each other too large by ``2 a``; with those
    of the other half, as in the estimate, it is larger by ``a``: a third of the first and two
    thirds of the second. Zero where a half has found no estimator at all: nothing could be made
    more precise.
    """
    both = halves(quarters)
    count, usable = both.found.astype(float), ~failed(both)
    none = np.zeros_like(both.mean[..., :0])
    plain, squares = _balanced(adjusted(without_controls(both), none))
    mean, inner = _balanced(adjusted(both, coefficients(both)))
    _, outer = _balanced(adjusted(quarters, coefficients(other_half(quarters))))
    controlled = inner / 3.0 + (outer[:2] + outer[2:]) * (2.0 / 3.0)
    usable = usable & np.isfinite(controlled) & np.isfinite(mean)
    mean, squares = np.where(usable, mean, plain), np.where(usable, controlled, squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.sqrt(squares / (count - 1.0) / (2.0 * count))
        relative = np.where(se == 0.0, 0.0, se / np.abs(mean))
    return np.where(count == 0, 0.0, np.where(count < 2, np.inf, relative))


def _balanced(measured: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The balanced excess risk's part of means and sums of squares."""
    mean, squares = measured
    return mean[:, :, 0, -1], squares[:, :, 0, -1]


def failed(both: Moments) -> np.ndarray:
    """Cells in which some replicate has no estimator, ``(C,)``."""
    return both.failures.sum(axis=0) > 0


def begin(quarters: Moments) -> Watch:
    """No cell has ended; the moments give the shapes."""
    both = halves(quarters)
    nothing = np.zeros(both.found.shape, bool)
    return Watch(nothing, nothing, nothing[0], both, other_half(both))


def consult(watch: Watch, quarters: Moments, target: float, last: bool) -> Watch:
    """The state after a look at the moments of all replicates so far.

    ``last``: no more replicates are to be had, so every half ends here. Moments of cells that
    no longer run are not looked at.

    The first failure of a cell that still runs opens both its halves again: from then on it is the
    plain mean that has to be precise. Which replicates fail says nothing about the values of the
    others, so that this brings in no bias either.

    Args:
        watch: the state before.
        quarters: moments of the replicates, in quarters.
        target: standard error over size.
        last: whether this is the last look.
    """
    both = halves(quarters)
    fresh = watch.running & failed(both) & ~watch.failed
    ended, reached = watch.ended & ~fresh, watch.reached & ~fresh
    # What half h says ends the other half, 1 - h.
    told = (foreseen(quarters) <= SAFETY * target)[::-1]
    ends = ~ended & (told | last)
    return Watch(
        ended | ends,
        reached | (ends & told),
        watch.failed | fresh,
        chosen(ends, both, watch.own),
        chosen(ends, other_half(both), watch.other),
    )
