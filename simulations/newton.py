"""The estimator: weighted empirical risk minimisation of all cells of a unit at once.

Newton in matrix-product form. The cells share the rows and differ in their weights, so that
with the row matrix ``X`` the scores of all cells are ``Theta X``, the gradients ``(W f) X'`` and
the Hessians ``(W f') P'`` with ``P`` the products ``x_i x_j``, i <= j. The start is the population
minimiser; a step that does not shorten the gradient is halved.

A minimiser need not exist: separable data have none for the logistic loss, and rank-deficient
data no unique one for the squared loss. Such cells come back with a status, never a number.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import linear
from simulations.losses import Loss
from simulations.sample import Sample, block_weights
from simulations.segments import Segments

FOUND, SEPARABLE, SINGULAR, STOPPED = 0, 1, 2, 3
STATUS = {
    FOUND: "the minimiser was found",
    SEPARABLE: (
        "no finite minimiser: a hyperplane separates the two labels of the sample;"
        " add rows or set estimator.ridge > 0"
    ),
    SINGULAR: (
        "no unique minimiser: the rows do not span the features; add rows or set"
        " estimator.ridge > 0"
    ),
    STOPPED: (
        "the minimiser was not found within the step limit: the sample is close to separable;"
        " add rows or set estimator.ridge > 0"
    ),
}
MAX_STEPS = 60
# Length of a Newton step, in units where the population Hessian is the identity, below which the
# next point is final: quadratic convergence leaves an error of the order of its square.
STEP_TOLERANCE = 1e-5
# ... and largest such step relative to the rule. On separable data the t-th step is about 1/t of it.
RELATIVE_STEP = 1e-3
# Up to here all Hessians come from one product with the p(p+1)/2 distinct x_i x_j.
LARGEST_PRODUCT = 24


class Fit(NamedTuple):
    """``theta (C, p)``; ``score (C, p)`` and ``hessian (C, p, p)`` of the sample at the start;
    ``status (C,)``, a key of ``STATUS``."""

    theta: Array
    score: Array
    hessian: Array
    status: Array


def _outer_sums(rows: Array, weights: Array) -> Array:
    """``sum_i w_ci x_i x_i'`` for every cell: rows ``(p, N)``, weights ``(C, N)`` -> ``(C, p, p)``."""
    size = rows.shape[0]
    if size > LARGEST_PRODUCT:
        return lax.map(lambda w: (rows * w[None, :]) @ rows.T, weights)
    upper, lower = np.triu_indices(size)
    place = np.zeros((size, size), np.int32)
    place[upper, lower] = place[lower, upper] = np.arange(len(upper))
    return (weights @ (rows[upper] * rows[lower]).T)[:, place]


def derivatives(
    loss: Loss, layout: Segments, sample: Sample, penalty: Array, theta: Array
) -> tuple[Array, Array]:
    """Gradients ``(C, p)`` and Hessians ``(C, p, p)`` of all cells' objectives at ``theta (C, p)``."""

    def add(index: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        rows, labels = sample.rows[index], sample.labels[index][None, :]
        scores = theta @ rows
        weights = block_weights(layout, sample, index)
        gradient = (weights * loss.first(scores, labels)) @ rows.T
        hessian = _outer_sums(rows, weights * loss.second(scores, labels))
        return sums[0] + gradient, sums[1] + hessian

    start = (theta @ penalty, jnp.broadcast_to(penalty[None], (*theta.shape, theta.shape[1])))
    return lax.fori_loop(0, layout.row_blocks.used, add, start)


def _separates(layout: Segments, sample: Sample, theta: Array) -> Array:
    """Whether each cell's rule gets every one of its rows strictly right: ``(C,)``."""

    def add(index: Array, smallest: Array) -> Array:
        signs = (2.0 * sample.labels[index] - 1.0)[None, :]
        margins = signs * (theta @ sample.rows[index])
        counted = block_weights(layout, sample, index) > 0.0
        return jnp.minimum(smallest, jnp.where(counted, margins, jnp.inf).min(axis=1))

    worst = lax.fori_loop(0, layout.row_blocks.used, add, jnp.full(theta.shape[0], jnp.inf))
    return worst > 0.0


def _length(metric: Array, vectors: Array) -> Array:
    """``sqrt(v' metric v)`` per cell: metric ``(C, p, p)``, vectors ``(C, p)``."""
    square = jnp.einsum("ci,cij,cj->c", vectors, metric, vectors)
    # Rounding may leave a tiny negative square; NaN stays NaN.
    return jnp.sqrt(jnp.where(square < 0.0, 0.0, square))


def _settled(metric: Array, theta: Array, step: Array) -> Array:
    """Whether each cell's next step is its last: short in the metric, and short beside ``theta``.

    Where the population Hessian is tiny the metric alone calls the steps short by which the
    rule of a separable sample runs away; those never get short beside the rule itself.
    """
    relative = jnp.abs(step).max(axis=1) <= RELATIVE_STEP * (1.0 + jnp.abs(theta).max(axis=1))
    return (_length(metric, step) < STEP_TOLERANCE) & relative


def _spanned(layout: Segments, penalty: Array) -> Array:
    """Whether each cell's problem has full rank: ``(C,)``.

    Rows are continuous, so that k distinct ones span k dimensions almost surely: counting them
    is exact where a rank computed from rounded numbers is not.
    """
    used = jnp.arange(layout.row_blocks.segment.shape[0]) < layout.row_blocks.used
    drawn = jnp.zeros(layout.limit.shape[0], bool).at[layout.row_blocks.segment].max(used)
    distinct = jnp.where(drawn[:, None], layout.limit, 0).sum(axis=0)
    return (distinct >= penalty.shape[0]) | (penalty[0, 0] > 0.0)


def fit(
    loss: Loss, layout: Segments, sample: Sample, penalty: Array, start: Array, inverse: Array
) -> Fit:
    """Minimise all cells' objectives from ``start (C, p)``, the population minimisers.

    ``inverse (C, p, p)`` is the inverse population Hessian there: it measures gradients.
    """
    metric = jax.vmap(linear.inverse)(inverse)

    score, first_hessian = derivatives(loss, layout, sample, penalty, start)
    merit, step = _length(inverse, score), -linear.solve(first_hessian, score)

    def unfinished(state: tuple) -> Array:
        theta, step, _, fraction, count = state
        moving = ~_settled(metric, theta, step)
        return (moving & (fraction > 1e-6)).any() & (count < MAX_STEPS)

    def advance(state: tuple) -> tuple:
        theta, step, merit, fraction, count = state
        # A finished cell stays where it is while the others go on.
        moving = ~_settled(metric, theta, step)
        trial = jnp.where(moving[:, None], theta + fraction[:, None] * step, theta)
        gradient, hessian = derivatives(loss, layout, sample, penalty, trial)
        trial_merit, trial_step = _length(inverse, gradient), -linear.solve(hessian, gradient)
        usable = jnp.isfinite(trial_step).all(axis=1)
        better = moving & usable & (trial_merit < merit)
        return (
            jnp.where(better[:, None], trial, theta),
            jnp.where(better[:, None], trial_step, step),
            jnp.where(better, trial_merit, merit),
            jnp.where(moving & ~better, 0.5 * fraction, jnp.where(better, 1.0, fraction)),
            count + 1,
        )

    begin = (start, step, merit, jnp.ones(start.shape[0]), jnp.asarray(0, jnp.int32))
    theta, step, merit, _, _ = lax.while_loop(unfinished, advance, begin)
    # Rounding can make a singular Hessian look solvable, so that the step alone proves nothing.
    spanned = _spanned(layout, penalty)
    found = _settled(metric, theta, step) & spanned
    theta = jnp.where(found[:, None], theta + step, theta)
    failed = jnp.where(spanned, jnp.int8(STOPPED), jnp.int8(SINGULAR))
    if loss.name == "logistic":
        separable = lax.cond(
            found.all(), lambda: jnp.zeros_like(found), lambda: _separates(layout, sample, theta)
        )
        failed = jnp.where(separable, jnp.int8(SEPARABLE), failed)
    return Fit(theta, score, first_hessian, jnp.where(found, jnp.int8(FOUND), failed))
