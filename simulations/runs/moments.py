"""Streaming moments: all that estimates need of the replicates, in memory that does not grow.

Of each quarter of the replicates (their number modulo 4), cell and measure the moments of the
vector ``(y, c_1 .. c_J)`` are kept: a measure and its control variates. Two quarters make a half:
even numbers, odd numbers. Replicates without an estimator are counted by their status and left
out of the moments.

Measures are laid out as ``(..., 2, K + 1)``: metric (excess risk, 0-1 error; for tokens a third one, the
divergence) by group, the last "group" being the balanced mean over groups.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np

from simulations.sampling.newton import FOUND, STATUS
from simulations.sampling.replicate import Results

# Replicates enter the moments in these blocks whatever the pieces they come in, so that sums
# round alike however the work was cut.
GRAIN = 100
QUARTERS = 4


class Moments(NamedTuple):
    """Moments of the found replicates of each of P parts (quarters, or halves), cell and measure.

    ``codes (P, C, S)``: replicates of each status; ``mean (P, C, 2, K + 1, 1 + J)`` of ``(y, c)``;
    ``scatter (P, C, 2, K + 1, 1 + J, 1 + J)``: sums of products of deviations from the mean.
    """

    codes: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Replicates that have an estimator, ``(P, C)``."""
        return self.codes[..., FOUND]

    @property
    def failures(self) -> np.ndarray:
        """Replicates that have none, ``(P, C)``."""
        return self.codes.sum(axis=-1) - self.found


def measures(values: np.ndarray, metrics: int = 2) -> np.ndarray:
    """Functionals ``(..., 2K)`` (K risks, K errors) as measures ``(..., 2, K + 1)``; or of more metrics.

    >>> measures(np.array([1.0, 3.0, 0.1, 0.2])).round(3).tolist()
    [[1.0, 3.0, 2.0], [0.1, 0.2, 0.15]]
    """
    split = values.reshape(*values.shape[:-1], metrics, values.shape[-1] // metrics)
    return np.concatenate([split, split.mean(axis=-1, keepdims=True)], axis=-1)


def excess(values: np.ndarray, balanced_values: np.ndarray) -> np.ndarray:
    """Subtract the balanced minimiser's risks from the risks; errors stay absolute."""
    baseline = np.array(balanced_values)
    baseline[len(baseline) // 2 :] = 0.0
    return values - baseline


def _part(vectors: np.ndarray, status: np.ndarray) -> tuple[np.ndarray, ...]:
    """Moments of some replicates ``vectors (R, C, 2, K + 1, 1 + J)``, without the part's axis."""
    codes = np.stack([(status == code).sum(axis=0) for code in STATUS], axis=-1)
    found = (status == FOUND)[:, :, None, None, None]
    count = np.maximum(codes[:, FOUND], 1)[:, None, None, None]
    mean = np.where(found, vectors, 0.0).sum(axis=0) / count
    rows = np.moveaxis(np.where(found, vectors - mean, 0.0), 0, -1)
    return codes, mean, rows @ np.swapaxes(rows, -1, -2)


def moments(
    results: Results, balanced_values: np.ndarray, first: int = 0, metrics: int = 2
) -> Moments:
    """Moments of replicates ``first ..``, by quarters; ``balanced_values (F,)`` is the baseline."""
    values = measures(excess(np.asarray(results.values), balanced_values), metrics)
    controls = np.moveaxis(measures(np.asarray(results.controls), metrics), 2, -1)
    vectors = np.concatenate([values[..., None], controls], axis=-1)
    status = np.asarray(results.status)
    starts = [(quarter - first) % QUARTERS for quarter in range(QUARTERS)]
    parts = [_part(vectors[start::QUARTERS], status[start::QUARTERS]) for start in starts]
    return Moments(*(np.stack(arrays) for arrays in zip(*parts, strict=True)))


def merge(before: Moments, after: Moments) -> Moments:
    """Moments of the replicates of both, by Chan's formula."""
    left, right = before.found, after.found
    total = np.maximum(left + right, 1)

    def spread(share: np.ndarray, like: np.ndarray) -> np.ndarray:
        return share.reshape(*share.shape, *(1,) * (like.ndim - share.ndim))

    gap = after.mean - before.mean
    mean = before.mean + spread(right / total, gap) * gap
    outer = gap[..., :, None] * gap[..., None, :]
    between = spread(left * right / total, outer) * outer
    # A part without replicates has mean 0, no observation: the other's mean stands as it is.
    mean = np.where(spread(left == 0, mean), after.mean, mean)
    return Moments(before.codes + after.codes, mean, before.scatter + after.scatter + between)


def halves(quarters: Moments) -> Moments:
    """The moments of even and of odd replicate numbers."""
    early, late = (Moments(*(part[at] for part in quarters)) for at in (slice(0, 2), slice(2, 4)))
    return merge(early, late)


def one_sample(both: Moments) -> Moments:
    """The moments of both halves together, the axis of parts of length 1."""
    even, odd = (Moments(*(part[at : at + 1] for part in both)) for at in (0, 1))
    return merge(even, odd)


def other_half(both: Moments) -> Moments:
    """The halves, or the two quarters of each half, exchanged."""
    return Moments(*(np.roll(part, len(part) // 2, axis=0) for part in both))


def pick(both: Moments, cells: np.ndarray) -> Moments:
    """The moments of these cells (indices or a mask)."""
    return Moments(*(part[:, cells] for part in both))


def chosen(where: np.ndarray, yes: Moments, no: Moments) -> Moments:
    """Part by part and cell by cell one of two: ``where (P, C)``."""
    return Moments(
        *(
            np.where(where.reshape(*where.shape, *(1,) * (a.ndim - 2)), a, b)
            for a, b in zip(yes, no, strict=True)
        )
    )


def blocks(stream: Iterable[Results], first: int) -> Iterator[tuple[int, Results]]:
    """Cut consecutive results that start at replicate ``first`` at the multiples of ``GRAIN``.

    Yields each block's first replicate and its results; the last block ends with the stream.
    """
    waiting: list[Results] = []
    held = 0
    for part in stream:
        start = 0
        while start < len(part.status):
            room = GRAIN - (first + held) % GRAIN
            taken = Results(*(array[start : start + room] for array in part))
            waiting.append(taken)
            start += len(taken.status)
            held += len(taken.status)
            if (first + held) % GRAIN == 0:
                yield first, join(waiting)
                first, held, waiting = first + held, 0, []
    if waiting:
        yield first, join(waiting)


def accumulated(
    stream: Iterable[Results], balanced_values: np.ndarray, first: int, metrics: int = 2
) -> Moments:
    """Moments of a stream of consecutive results that starts at replicate ``first``."""
    parts = (
        moments(part, balanced_values, start, metrics) for start, part in blocks(stream, first)
    )
    return reduce(merge, parts)


def join(parts: list[Results], axis: int = 0) -> Results:
    """Results of consecutive replicates (axis 0) or of several cells (axis 1) as one."""
    return Results(*(np.concatenate(arrays, axis=axis) for arrays in zip(*parts, strict=True)))


def one_cell(results: Results, cell: int) -> Results:
    """The results of one cell, its axis kept."""
    return Results(*(part[:, cell : cell + 1] for part in results))
