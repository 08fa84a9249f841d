"""Many training samples: the errors of a rule on aligned and on conflicting groups, with their errors."""

from typing import NamedTuple

import numpy as np

from simulations.controlled import controlled
from simulations.memorising import features as random_features
from simulations.memorising.rows import Reference, draw
from simulations.memorising.world import (
    ALIGNED,
    CONFLICTING,
    LABELS,
    Scheme,
    World,
    group_counts,
    group_errors,
    row_weights,
)
from simulations.sampling.newton import FOUND
from simulations.threads import one_thread
from simulations.wide.solvers import solve

# Test rows of every group for a rule on random features; their noise is part of the standard error.
TEST_ROWS = 400
CONTROLS = 18
FOLDS, PER_CONTROL = 8, 5
PLAIN = Reference(1.0, 0.0, 1.0)


class Cell(NamedTuple):
    """``rows`` raw rows, ``parameters`` d (noise features) or m (random features), a ``scheme``."""

    rows: int
    parameters: int
    scheme: Scheme


class Estimate(NamedTuple):
    """A mean over replicates and its standard error."""

    value: float
    se: float


class Errors(NamedTuple):
    """Expected errors: of ``worst`` groups (conflicting), ``aligned`` ones, and the ``average`` over raw
    rows; ``replicates`` whose rule was found, and ``failures``."""

    worst: Estimate
    aligned: Estimate
    average: Estimate
    replicates: int
    failures: int


def controlled_mean(values: np.ndarray, controls: np.ndarray) -> Estimate:
    """Mean of ``values (R,)`` by control variates ``controls (R, C)`` of known mean 0.

    Coefficients come from the replicates outside of a fold and serve inside of it: the mean has no bias.
    The standard error is that of what the controls leave. With fewer than `PER_CONTROL` replicates a
    control the plain mean is better.

    >>> rng = np.random.default_rng(1)
    >>> control = rng.standard_normal((400, 1))
    >>> found = controlled_mean(2.0 + control[:, 0] + 0.01 * rng.standard_normal(400), control)
    >>> abs(found.value - 2.0) < 0.005, found.se < 0.001
    (True, True)
    """
    enough = len(values) >= PER_CONTROL * max(controls.shape[1], 1)
    left = controlled(values, controls, FOLDS) if enough else values
    return Estimate(float(left.mean()), float(left.std(ddof=1) / np.sqrt(len(left))))


def _summary(of: World, errors: np.ndarray, controls: np.ndarray | None, cell: Cell) -> Errors:
    """Of errors ``(R, 4)``, NaN in failed replicates. Groups that mirror each other have one expected
    error and are averaged; under subsampling all four do."""
    found = np.isfinite(errors).all(axis=1)
    errors = errors[found]
    worst, aligned = errors[:, CONFLICTING].mean(axis=1), errors[:, ALIGNED].mean(axis=1)
    average = of.aligned * aligned + (1.0 - of.aligned) * worst
    if cell.scheme == "subsampling":
        worst = aligned = average = errors.mean(axis=1)
    empty = np.zeros((len(errors), 0))
    # Given that a rule was found the controls no longer have mean 0.
    known = empty if controls is None or not found.all() else controls
    return Errors(
        controlled_mean(worst, known),
        controlled_mean(aligned, known),
        controlled_mean(average, known),
        int(found.sum()),
        int((~found).sum()),
    )


def with_noise(
    of: World, cell: Cell, replicates: int, seed: int, near: Reference = PLAIN
) -> Errors:
    """Errors of weighted ridge logistic rules on core, spurious and noise features.

    Args:
        of: the world.
        cell: raw rows, noise features, scheme.
        replicates: training samples, at least a few times the 18 controls.
        seed: with rows and features the root of the samples; schemes are drawn apart.
        near: a rule near the fitted ones; a good one makes the standard errors smaller.

    Returns:
        Group errors exact given each rule; standard errors with control variates (`rows.Drawn`).

    Source: paper_notes/proportional_spurious.md.
    """
    counts = group_counts(of, cell.rows, cell.scheme)
    weights = row_weights(counts)
    rng = np.random.default_rng([seed, *counts.tolist(), cell.parameters])
    errors, controls = np.full((replicates, 4), np.nan), np.zeros((replicates, CONTROLS))
    with one_thread():
        for place in range(replicates):
            sample = draw(of, counts, cell.parameters, near, rng)
            controls[place] = sample.controls
            found = solve("logistic", sample.features, sample.labels, weights, of.ridge)
            if found.status == FOUND:
                errors[place] = group_errors(of, found.theta, cell.parameters)
    return _summary(of, errors, controls, cell)


def with_random_features(of: World, dim: int, cell: Cell, replicates: int, seed: int) -> Errors:
    """Errors of weighted ridge logistic rules on random features, new ones in every replicate.

    Test errors on `TEST_ROWS` new rows a group and replicate: their noise is independent between
    replicates and so counted in the standard errors. ``of.noise`` is not used.

    Args:
        of: the world.
        dim: noise coordinates.
        cell: rows, features and scheme.
        replicates: at least 2.
        seed: of the draws.
    """
    counts = group_counts(of, cell.rows, cell.scheme)
    weights, labels = row_weights(counts), np.repeat(0.5 * (LABELS + 1.0), counts)
    rng = np.random.default_rng([seed, *counts.tolist(), cell.parameters, dim])
    errors = np.full((replicates, 4), np.nan)
    with one_thread():
        for place in range(replicates):
            through = random_features.projections(dim, cell.parameters, rng)
            x = random_features.inputs(of, counts, dim, rng)
            rows = random_features.rectified(x, through)
            found = solve("logistic", rows, labels, weights, of.ridge)
            fresh = random_features.inputs(of, np.full(4, TEST_ROWS), dim, rng)
            if found.status == FOUND:
                tested = random_features.rectified(fresh, through)
                scores = (tested @ found.theta[:-1] + found.theta[-1]).reshape(4, TEST_ROWS)
                errors[place] = (LABELS[:, None] * scores <= 0.0).mean(axis=1)
    return _summary(of, errors, None, cell)
