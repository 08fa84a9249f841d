"""Many curves at a time: padded to few shapes, cut into chunks, spread over the cores."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import numpy as np

from scaling.fitting.laws import Law, internal, limits
from scaling.fitting.polish import ROUNDS, Measure, polish_all
from scaling.fitting.projection import Problem, Projected, project_all, project_from
from simulations import cores

# Every batch is cut into chunks of one size, for one program takes longer to compile than a chunk to
# run: so many curves by the number of searched parameters (a chunk's grid is looked at whole, however
# few its curves), fewer where they are long, so that a chunk stays in a core's cache.
CHUNKS, CHUNK_POINTS = (64, 64, 16, 16), 8192
FEWEST_POINTS = 8
# The grid of one searched parameter costs little: only for so many curves is a start from near by
# worth a program of its own.
MANY = 2000


def problems_of(
    law: Law,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    growing: bool | float = False,
    held: Mapping[str, float] | None = None,
) -> Problem:
    """The problems of curves ``y (B, n)`` with ``weight (B, n)`` at ``x (n, V)`` or ``(B, n, V)``."""
    count = len(y)
    low, high = limits(law, x.reshape(-1, x.shape[-1]), growing)
    fixed = dict(held or {})
    mask = np.array([name in fixed for name in law.parameters])
    at = internal(law, np.array([fixed.get(name, 1.0) for name in law.parameters]))
    at = np.where(mask, at, 0.0)

    def repeated(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, (count, *values.shape))

    return Problem(
        x if x.ndim == 3 else repeated(x),
        y,
        np.broadcast_to(weight, y.shape),
        *map(repeated, (low, high, mask, at)),
    )


def _padded(problems: Problem) -> Problem:
    """With points of weight 0 up to a power of two, so that curves of many lengths share programs."""
    points = problems.y.shape[1]
    size = max(FEWEST_POINTS, 1 << (points - 1).bit_length())
    x = np.concatenate([problems.x, np.repeat(problems.x[:, -1:], size - points, axis=1)], axis=1)
    more = ((0, 0), (0, size - points))
    y = np.pad(problems.y, more, constant_values=1.0)
    return problems._replace(x=x, y=y, weight=np.pad(problems.weight, more))


def _spread(
    run: Callable[..., Projected], law: Law, problems: Problem, *along: np.ndarray
) -> Projected:
    """``run`` on all problems, chunk by chunk; ``along``: more arrays with a leading axis."""
    padded = _padded(problems)
    count, points = padded.y.shape
    size = max(1, min(CHUNKS[len(law.searched)], CHUNK_POINTS // points))

    def piece(first: int) -> list[np.ndarray]:
        places = np.minimum(np.arange(first, first + size), count - 1)
        part = jax.tree.map(lambda array: np.ascontiguousarray(array[places]), (padded, *along))
        return [np.asarray(each) for each in run(*part)]

    starts = range(0, count, size)
    parts = [piece(0)]
    if len(starts) > 1:
        # The first has compiled the program for all.
        with ThreadPoolExecutor(cores()) as pool:
            parts += list(pool.map(piece, starts[1:]))
    return Projected(*(np.concatenate(each)[:count] for each in zip(*parts, strict=True)))


def _polished(law: Law, measure: Measure, problems: Problem, starts: np.ndarray) -> Projected:
    """Polish all curves, in rounds; those that have settled leave."""
    found = _spread(partial(polish_all, law, measure), law, problems, starts)
    for _ in range(ROUNDS - 1):
        open_ = np.flatnonzero(~found.settled)
        if len(open_) == 0:
            break
        part = Problem(*(np.asarray(each)[open_] for each in problems))
        more = _spread(partial(polish_all, law, measure), law, part, found.parameters[open_])
        for whole, again in zip(found, more, strict=True):
            whole[open_] = again
    return found


def solve(
    law: Law, measure: Measure, problems: Problem, near: np.ndarray | None = None
) -> Projected:
    """The best fit of every problem, parameters ``(B, P)`` on the internal scale.

    ``near (P,)`` or ``(B, P)``: fits of curves that are nearly alike, from which the search may start
    where the whole grid would cost more.

    Args:
        law: which is fitted.
        measure: loss and scale.
        problems: ``B`` of them, in arrays with a leading axis.
        near: fits of curves that are nearly alike.
    """
    count, q = len(problems.y), len(law.searched)
    if measure.projects and (q == 0 or (q == 1 and count < MANY)):
        near = None
    if near is not None:
        start = np.where(
            problems.held, problems.at, np.broadcast_to(near, (count, len(law.parameters)))
        )
        if measure.projects:
            return _spread(partial(project_from, law), law, problems, start[:, :q])
        return _polished(law, measure, problems, start)
    first = problems
    if measure.scale == "log":
        # An error of the logarithm is a relative one.
        first = problems._replace(weight=problems.weight / problems.y)
    found = _spread(partial(project_all, law), law, first)
    if measure.projects:
        return found
    return _polished(law, measure, problems, found.parameters)
