"""Many classifiers at once: fits in batches of one shape, so that few programs are compiled."""

from typing import NamedTuple

import jax
import numpy as np
from jax import Array

from simulations.compilation import quick_jit
from simulations.tokens import classifier

# Fits of one call; lists of rows are filled up with rows of weight 0 to the next of these lengths.
BATCH = 64
ROOMS = (256, 1024, 4096)


def room(listed: int) -> int:
    """The length a list of rows is filled up to.

    >>> room(64), room(300), room(5000)
    (256, 1024, 5000)
    """
    return next((each for each in ROOMS if each >= listed), listed)


class Fits(NamedTuple):
    """``theta (R, p)`` and whether each is the minimiser, ``found (R,)``."""

    theta: np.ndarray
    found: np.ndarray


def _batch(points: Array, ones: Array, zeros: Array, start: Array) -> tuple[Array, Array]:
    def one(up: Array, down: Array) -> tuple[Array, Array]:
        fitted = classifier.fit(points, up, down, start)
        return fitted.theta, fitted.converged

    return jax.vmap(one)(ones, zeros)


_BATCH = quick_jit(_batch)


def minimisers(points: np.ndarray, ones: np.ndarray, zeros: np.ndarray, start: np.ndarray) -> Fits:
    """`classifier.fit` of R samples, or populations.

    Args:
        points: ``x~``, ``(N, p)``.
        ones, zeros: weights of rows with label 1 and 0, ``(R, N)``, of total 1 for every fit.
        start: where all fits begin, ``(p,)``.

    >>> fits = minimisers(np.ones((1, 1)), np.array([[0.75]]), np.array([[0.25]]), np.zeros(1))
    >>> round(float(fits.theta[0, 0]), 9), fits.found.tolist()
    (1.098612289, [True])
    """
    count, listed = ones.shape
    length = room(listed)
    rows = np.zeros((length, points.shape[1]))
    rows[:listed] = points
    parts = []
    for first in range(0, count, BATCH):
        both = []
        for weights in (ones, zeros):
            piece = weights[first : first + BATCH]
            filled = np.zeros((BATCH, length))
            filled[:, :listed] = piece[:1]
            filled[: len(piece), :listed] = piece
            both.append(filled)
        theta, found = _BATCH(rows, *both, start)
        parts.append((np.asarray(theta), np.asarray(found)))
    theta, found = (np.concatenate(each)[:count] for each in zip(*parts, strict=True))
    return Fits(theta, found)
