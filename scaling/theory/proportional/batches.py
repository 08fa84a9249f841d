"""Problems of any leading axes as one flat batch, checked, and padded to few sizes of programs."""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from scaling.theory.proportional.clusters import Clusters
from scaling.theory.proportional.iteration import Problem
from simulations.arrays import AnyArray
from simulations.problems import InputError

# Sizes that programs are compiled for: problems in a batch, clusters, dimensions of the span.
BATCHES, CLUSTERS, SPANS = (1, 24), (4, 16, 48, 96), (2, 4, 8)
# Axes of each field of `Clusters` that are not the batch's.
_AXES = Clusters(1, 1, 1, 2, 3, 1)


class Batch(NamedTuple):
    """Problems along one axis: their data and the starts ``(B, k + 3)``."""

    problem: Problem
    start: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Batch":
        """The chosen problems, by a mask or by positions."""
        return jax.tree.map(lambda each: each[chosen], self)


def flattened(
    clusters: Clusters, aspect: AnyArray, ridge: AnyArray
) -> tuple[tuple[int, ...], Clusters, np.ndarray, np.ndarray]:
    """The batch's shape, and clusters, aspect and ridge along one axis of it."""
    arrays = Clusters(*(np.asarray(each, float) for each in clusters))
    try:
        count, span = arrays.mean.shape[-2:]
        square = (count, span, span)
        tails = Clusters((count,), (count,), (count,), (count, span), square, (count,))
        leads = [each.shape[: each.ndim - k] for each, k in zip(arrays, _AXES, strict=True)]
        lead = np.broadcast_shapes(*leads, np.shape(aspect), np.shape(ridge))
        if not (count and span and np.prod(lead)):
            raise ValueError("nothing to solve")
        wide = [
            np.broadcast_to(each, (*lead, *tail)).reshape(-1, *tail)
            for each, tail in zip(arrays, tails, strict=True)
        ]
    except ValueError as error:
        named = zip(Clusters._fields, arrays, strict=True)
        shapes = ", ".join(f"{name} {each.shape}" for name, each in named)
        raise InputError(
            f"clusters, aspect and ridge do not fit together ({shapes}, aspect {np.shape(aspect)},"
            f" ridge {np.shape(ridge)}); give the leading axes the same sizes, and no axis the size 0."
        ) from error
    one_axis = [np.broadcast_to(np.asarray(each, float), lead).ravel() for each in (aspect, ridge)]
    return lead, Clusters(*wide), one_axis[0], one_axis[1]


def infeasible(
    clusters: Clusters, aspect: np.ndarray, ridge: np.ndarray, intercept: bool
) -> np.ndarray:
    """Which problems of a flat batch describe no sample, ``(B,)``."""
    used = clusters.share > 0.0
    fits = np.isfinite(clusters.share).all(axis=-1) & (clusters.share >= 0.0).all(axis=-1)
    fits &= np.abs(clusters.share.sum(axis=-1) - 1.0) <= 1e-9
    for each in clusters:
        fits &= (np.isfinite(each).reshape(*used.shape, -1).all(axis=-1) | ~used).all(axis=-1)
    right = (clusters.weight > 0.0) & (clusters.variance > 0.0) & (np.abs(clusters.sign) == 1.0)
    fits &= (right | ~used).all(axis=-1)
    fits &= (aspect > 0.0) & np.isfinite(aspect) & (ridge >= 0.0) & np.isfinite(ridge)
    if intercept:
        for sign in (-1.0, 1.0):
            fits &= (used & (clusters.sign == sign)).any(axis=-1)
    for i in np.flatnonzero(fits):
        own = clusters.covariance[i][used[i]]
        symmetric = np.allclose(own, own.swapaxes(-1, -2), rtol=1e-9, atol=1e-12)
        fits[i] = symmetric and (np.linalg.eigvalsh(own) > -1e-12).all()
    return ~fits


def padded(size: int, sizes: tuple[int, ...]) -> int:
    """The smallest of ``sizes`` that holds ``size``, else ``size``.

    >>> padded(5, CLUSTERS), padded(200, CLUSTERS)
    (16, 200)
    """
    return next((each for each in sizes if each >= size), size)


def widened(clusters: Clusters) -> Clusters:
    """Clusters of share 0 and directions without means added, up to a size compiled for."""
    lead, count, span = clusters.mean.shape
    more, wider = padded(count, CLUSTERS) - count, padded(span, SPANS) - span
    covariance = np.tile(np.eye(span + wider), (lead, count + more, 1, 1))
    covariance[:, :count, :span, :span] = clusters.covariance
    one = ((0, 0), (0, more))
    ones = [np.pad(each, one, constant_values=1.0) for each in (clusters.weight, clusters.sign)]
    return Clusters(
        np.pad(clusters.share, one),
        ones[0],
        ones[1],
        np.pad(clusters.mean, ((0, 0), (0, more), (0, wider))),
        covariance,
        np.pad(clusters.variance, one, constant_values=1.0),
    )


def make_batch(
    clusters: Clusters, aspect: np.ndarray, ridge: np.ndarray, intercept: bool, offset: float
) -> Batch:
    """A flat batch with the starts s = 0, r = t = 1."""
    start = np.zeros((len(aspect), clusters.mean.shape[-1] + 3))
    start[:, -3] = 0.0 if intercept else offset
    free = np.full(len(aspect), float(intercept))
    return Batch(Problem(clusters, aspect, ridge, free), start)


def pieces(count: int) -> Iterator[tuple[np.ndarray, int]]:
    """Positions of problems, padded by repeating the last, and how many are real.

    >>> [(len(rows), real) for rows, real in pieces(25)]
    [(24, 24), (1, 1)]
    """
    for first in range(0, count, BATCHES[-1]):
        real = min(BATCHES[-1], count - first)
        size = padded(real, BATCHES)
        yield np.minimum(first + np.arange(size), first + real - 1), real
