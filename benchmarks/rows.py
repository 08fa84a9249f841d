"""Samples as a user without synthlaw would draw them, for the competitors.

All ratios of a replicate share their rows, as in the engine: raw rows, then a pool of which every
ratio takes a prefix. A duplicate is a weight on a raw row, which is faster than a repeated row.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import SFC64, Generator

from benchmarks.problem import Problem


class Sample(NamedTuple):
    """Rows ``(n, p)`` with a constant feature and labels ``(n,)``; the cells by the number of rows
    they take from the top, ascending, or, for duplicates, their row weights ``(C, n)``; the
    population minimisers ``(C, p)``, granted as starts."""

    rows: np.ndarray
    labels: np.ndarray
    ends: np.ndarray
    weights: np.ndarray | None
    starts: np.ndarray


class Cell(NamedTuple):
    """One ratio of a sample: its rows, labels and weights (None: all 1)."""

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None


def generator(seed: int) -> Generator:
    """The fastest of NumPy's good generators."""
    return Generator(SFC64(seed))


def draw(rng: Generator, problem: Problem, cells: np.ndarray) -> Sample:
    """One sample for the cells with these indices, in ascending order; no row more than they need."""
    majority, minority = problem.counts
    sizes, starts = problem.sizes[cells], problem.starts[cells]
    most = int(sizes.max(initial=0))
    raw, pool = majority + minority, 0 if problem.duplicate else most
    rows = np.empty((raw + pool, problem.dim + 1))
    rows[:, :-1] = rng.standard_normal((raw + pool, problem.dim))
    rows[:, -1] = 1.0
    rows[:majority, 0] -= 0.5 * problem.separation
    rows[majority:, 0] += 0.5 * problem.separation
    rows[raw:, 0] += problem.shift
    labels = np.ones(raw + pool)
    labels[:majority] = 0.0
    if not problem.duplicate:
        return Sample(rows, labels, raw + sizes, None, starts)
    copies = rng.integers(0, minority, most)
    weights = np.ones((len(sizes), raw))
    for cell, size in enumerate(sizes):
        weights[cell, majority:] += np.bincount(copies[:size], minlength=minority)
    return Sample(rows, labels, np.full(len(sizes), raw), weights, starts)


def cells_of(sample: Sample) -> Iterator[Cell]:
    """The cells of a sample one by one."""
    for cell, end in enumerate(sample.ends):
        weights = None if sample.weights is None else sample.weights[cell, :end]
        yield Cell(sample.rows[:end], sample.labels[:end], weights)


def in_single(sample: Sample) -> Sample:
    """The sample with rows, labels and weights in single precision."""
    weights = None if sample.weights is None else sample.weights.astype(np.float32)
    rows, labels = sample.rows.astype(np.float32), sample.labels.astype(np.float32)
    return sample._replace(rows=rows, labels=labels, weights=weights)


def sigmoid(score: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-score))`` in the memory of the scores."""
    np.negative(score, out=score)
    np.exp(score, out=score)
    score += 1
    return np.reciprocal(score, out=score)
