"""From a large ridge, where every loss is nearly linear, down to the one asked for."""

from collections.abc import Callable

import numpy as np

from scaling.theory.proportional.batches import Batch
from scaling.theory.proportional.iteration import TOLERANCE, Iterate
from scaling.theory.proportional.squared import squared_points

Solver = Callable[[Batch], Iterate]
# The ridge to begin with; by how much it falls at a time: at first, at most, and before giving up.
LARGE, FACTOR, LARGEST, LEAST, STAGES = 10.0, 4.0, 64.0, 1.02, 200


def continued(solver: Solver, batch: Batch) -> Iterate:
    """Solve a flat batch along falling ridges; a stage starts on the line through the last two.

    A stage that fails is tried again with the square root of the factor; one that succeeds doubles it.
    """
    target = np.maximum(np.asarray(batch.problem.ridge, float), 1e-300)
    count = len(target)
    ridge, factor = np.maximum(target, LARGE), np.full(count, FACTOR)
    held = batch.start[:, -3]
    first = batch.problem._replace(ridge=ridge)
    last = solver(Batch(first, squared_points(first, held)))
    here, before = last.point.copy(), last.point.copy()
    moved = np.zeros(count)
    iterations = last.iteration.copy()
    result = Iterate(*(np.array(each) for each in last))
    lost = ~(last.residual <= TOLERANCE)
    for _ in range(STAGES):
        todo = np.flatnonzero(~lost & (ridge > target))
        if not len(todo):
            break
        following = np.maximum(target[todo], ridge[todo] / factor[todo])
        change = np.log(following / ridge[todo])
        slope = np.where(
            moved[todo] != 0.0, change / np.where(moved[todo] != 0.0, moved[todo], 1.0), 0.0
        )
        slope = np.clip(slope, 0.0, 4.0)[:, None]
        start = here[todo] + slope * (here[todo] - before[todo])
        part = batch.rows(todo)
        found = solver(Batch(part.problem._replace(ridge=following), start))
        iterations[todo] += found.iteration
        good = found.residual <= TOLERANCE
        on = todo[good]
        before[on], here[on] = here[on], found.point[good]
        moved[on], ridge[on] = change[good], following[good]
        factor[todo] = np.where(good, np.minimum(2.0 * factor[todo], LARGEST), factor[todo] ** 0.5)
        for kept, new in zip(result, found, strict=True):
            kept[todo] = new
        lost[todo] |= factor[todo] < LEAST
    arrived = ~lost & (ridge <= target)
    return result._replace(
        residual=np.where(arrived, result.residual, np.inf), iteration=iterations
    )
