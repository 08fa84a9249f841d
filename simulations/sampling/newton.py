"""The estimator: weighted empirical risk minimisation of all cells of a tile at once.

In matrix-product form: the cells share the rows and differ in their weights, so that with the
row matrix ``X`` the scores of all cells are ``Theta X``, the gradients ``(W f) X'`` and the Hessians
``(W f') P'`` with ``P`` the products ``x_i x_j``, i <= j. A Hessian costs several gradients, so one is
enough as a rule: from the population minimiser, the sample's Hessian there and the population's
third derivative give a step of third order (Halley's), and gradients alone (BFGS) do the rest.
Should they take too long, damped Newton steps with a new Hessian each take over.

A minimiser need not exist: separable data have none for the logistic loss, and rank-deficient
data no unique one for the squared loss. Such cells come back with a status, never a number.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import linear
from simulations.population.losses import Loss
from simulations.sampling.sample import View, block_of

FOUND, SEPARABLE, SINGULAR, STOPPED, LAWLESS = 0, 1, 2, 3, 4
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
    LAWLESS: (
        "the generator makes no law of its seeds: their likelihood has no maximum, or its layers"
        " diverge; add rows to its groups, lower setting.latent_norm or the step"
    ),
}
# Passes over the rows with gradients only, before Newton's method takes over, and all passes.
QUASI_PASSES = 8
MOST_PASSES = 70
# Length of a step, in units where the population Hessian is the identity, below which the next
# point is final. A step shortens the way by a factor of the order of the way's own length (0.1
# when the sample is small), and a replicate's noise is that length: 1e-4 of it or so is left,
# with a sign that changes from sample to sample.
STEP_TOLERANCE = 2e-5
# ... and largest such step relative to the rule. On separable data the t-th step is about 1/t of it.
RELATIVE_STEP = 1e-4
# A rule this many times as large as the population's may be one that runs away.
FAR = 4.0
# Up to here all Hessians come from one product with the p(p+1)/2 distinct x_i x_j.
LARGEST_PRODUCT = 24


class Start(NamedTuple):
    """Where the search begins: ``theta (c, p)``, the population minimisers, with the population
    Hessians ``(c, p, p)``, their inverses, and ``third``, which maps directions ``d (c, p)`` to
    the population's third derivatives ``T[d] (c, p, p)``."""

    theta: Array
    hessian: Array
    inverse: Array
    third: Callable[[Array], Array]


class Fit(NamedTuple):
    """``theta (c, p)``; ``score (c, p)`` and ``hessian (c, p, p)`` of the sample at the start;
    ``status (c,)``, a key of ``STATUS``."""

    theta: Array
    score: Array
    hessian: Array
    status: Array


class _Search(NamedTuple):
    """The search's state: the best point so far with its gradient, the step from there, its
    ``fraction`` to try next, the inverse Hessian in use, and what the first pass found."""

    theta: Array
    gradient: Array
    step: Array
    merit: Array
    fraction: Array
    inverse: Array
    score: Array
    hessian: Array
    passes: Array


def _outer_sums(rows: Array, weights: Array) -> Array:
    """``sum_i w_ci x_i x_i'`` for every cell: rows ``(p, N)``, weights ``(c, N)`` -> ``(c, p, p)``.

    In single precision: a Hessian that is off by 1e-7 steers to the same minimiser, and moves the
    control variates by 1e-7 of their spread.
    """
    size = rows.shape[0]
    rows, weights = rows.astype(jnp.float32), weights.astype(jnp.float32)
    if size > LARGEST_PRODUCT:
        return lax.map(lambda w: (rows * w[None, :]) @ rows.T, weights).astype(jnp.float64)
    upper, lower = np.triu_indices(size)
    place = np.zeros((size, size), np.int32)
    place[upper, lower] = place[lower, upper] = np.arange(len(upper))
    return (weights @ (rows[upper] * rows[lower]).T).astype(jnp.float64)[:, place]


def derivatives(
    loss: Loss, seen: View, penalty: Array, theta: Array, curved: Array
) -> tuple[Array, Array]:
    """Gradients ``(c, p)`` of all cells' objectives at ``theta (c, p)``, and their Hessians
    ``(c, p, p)`` where ``curved``, a flag, is set (else the penalty only)."""

    def add(index: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        rows, labels, weights = block_of(seen, index)
        scores = theta @ rows
        gradient = (weights * loss.first(scores, labels[None, :])) @ rows.T
        hessian = lax.cond(
            curved,
            lambda: sums[1] + _outer_sums(rows, weights * loss.second(scores, labels[None, :])),
            lambda: sums[1],
        )
        return sums[0] + gradient, hessian

    start = (theta @ penalty, jnp.broadcast_to(penalty[None], (*theta.shape, theta.shape[1])))
    return lax.fori_loop(0, seen.tile.used, add, start)


def _separates(seen: View, theta: Array) -> Array:
    """Whether each cell's rule gets every one of its rows strictly right: ``(c,)``."""

    def add(index: Array, smallest: Array) -> Array:
        rows, labels, weights = block_of(seen, index)
        margins = (2.0 * labels - 1.0)[None, :] * (theta @ rows)
        return jnp.minimum(smallest, jnp.where(weights > 0.0, margins, jnp.inf).min(axis=1))

    worst = lax.fori_loop(0, seen.tile.used, add, jnp.full(theta.shape[0], jnp.inf))
    return worst > 0.0


def _length(metric: Array, vectors: Array) -> Array:
    """``sqrt(v' metric v)`` per cell: metric ``(c, p, p)``, vectors ``(c, p)``."""
    square = linear.inner(vectors, linear.times(metric, vectors))
    # Rounding may leave a tiny negative square; NaN stays NaN.
    return jnp.sqrt(jnp.where(square < 0.0, 0.0, square))


def _settled(metric: Array, theta: Array, step: Array) -> Array:
    """Whether each cell's next step is its last: short in the metric, and short beside ``theta``.

    Where the population Hessian is tiny the metric alone calls the steps short by which the
    rule of a separable sample runs away; those never get short beside the rule itself.
    """
    relative = jnp.abs(step).max(axis=1) <= RELATIVE_STEP * (1.0 + jnp.abs(theta).max(axis=1))
    return (_length(metric, step) < STEP_TOLERANCE) & relative


def _inverse(matrices: Array) -> Array:
    return jax.vmap(linear.inverse)(matrices)


def _halley(start: Start, gradient: Array, hessian: Array) -> Array:
    """Inverse Hessian after the first step, and the step: ``(c, p, p + 1)``, the step last."""
    newton = -linear.solve(hessian, gradient)
    step = -linear.solve(hessian + 0.5 * start.third(newton), gradient)
    bent = _inverse(hessian + start.third(step))
    # On a small sample the population's third derivative may lead astray: it is to correct the
    # step, not to replace it.
    close = _length(start.hessian, step - newton) < 0.5 * _length(start.hessian, newton)
    sound = jnp.isfinite(bent).all(axis=(1, 2)) & close
    plain = jnp.concatenate([_inverse(hessian), newton[:, :, None]], axis=2)
    third = jnp.concatenate([bent, step[:, :, None]], axis=2)
    return jnp.where(sound[:, None, None], third, plain)


def _bfgs(inverse: Array, moved: Array, change: Array) -> Array:
    """The inverse Hessian after a move ``(c, p)`` that changed the gradient by ``change (c, p)``."""
    along = linear.inner(moved, change)
    rho = jnp.where(along > 0.0, 1.0 / along, 0.0)
    turned = linear.times(inverse, change)
    weight = rho * (1.0 + rho * linear.inner(change, turned))
    cross = moved[:, :, None] * turned[:, None, :]
    return (
        inverse
        + weight[:, None, None] * moved[:, :, None] * moved[:, None, :]
        - rho[:, None, None] * (cross + cross.transpose(0, 2, 1))
    )


def fit(loss: Loss, seen: View, penalty: Array, start: Start, spanned: Array) -> Fit:
    """Minimise the objectives of all cells of a tile; ``spanned (c,)``: which have rows enough."""

    def moving(state: _Search) -> Array:
        return (state.passes == 0) | ~_settled(start.hessian, state.theta, state.step)

    def unfinished(state: _Search) -> Array:
        able = moving(state) & (state.fraction > 1e-6)
        return able.any() & (state.passes < MOST_PASSES)

    def advance(state: _Search) -> _Search:
        first, fallback = state.passes == 0, state.passes == QUASI_PASSES
        curved = first | (state.passes >= QUASI_PASSES)
        # A finished cell stays where it is while the others go on. Newton's method begins where
        # the search stands, whatever step it had in mind.
        open_cells = moving(state)
        step = state.fraction[:, None] * state.step
        stay = (first | fallback | ~open_cells)[:, None]
        trial = jnp.where(stay, state.theta, state.theta + step)
        gradient, hessian = derivatives(loss, seen, penalty, trial, curved)
        merit = _length(start.inverse, gradient)

        def begin() -> Array:
            return _halley(start, gradient, hessian)

        def newton() -> Array:
            return jnp.concatenate(
                [state.inverse, -linear.solve(hessian, gradient)[:, :, None]], axis=2
            )

        def quasi() -> Array:
            inverse = _bfgs(state.inverse, trial - state.theta, gradient - state.gradient)
            return jnp.concatenate([inverse, -linear.times(inverse, gradient)[:, :, None]], axis=2)

        which = jnp.where(first, 0, jnp.where(curved, 1, 2))
        found = lax.switch(which, [begin, newton, quasi])
        better = jnp.isfinite(found[:, :, -1]).all(axis=1) & (merit < state.merit)
        better = open_cells & (better | fallback)
        return _Search(
            jnp.where(better[:, None], trial, state.theta),
            jnp.where(better[:, None], gradient, state.gradient),
            jnp.where(better[:, None], found[:, :, -1], state.step),
            jnp.where(better, merit, state.merit),
            jnp.where(open_cells & ~better, 0.5 * state.fraction, 1.0),
            jnp.where(better[:, None, None], found[:, :, :-1], state.inverse),
            jnp.where(first, gradient, state.score),
            jnp.where(first, hessian, state.hessian),
            state.passes + 1,
        )

    zero = jnp.zeros_like(start.theta)
    ones = jnp.ones(len(zero))
    begin = _Search(
        start.theta,
        zero,
        zero,
        jnp.inf * ones,
        ones,
        start.inverse,
        zero,
        start.hessian,
        jnp.asarray(0, jnp.int32),
    )
    state = lax.while_loop(unfinished, advance, begin)
    # Rounding can make a singular Hessian look solvable, so that the step alone proves nothing.
    found = _settled(start.hessian, state.theta, state.step) & spanned & jnp.isfinite(state.merit)
    theta = jnp.where(found[:, None], state.theta + state.step, state.theta)
    failed = jnp.where(spanned, jnp.int8(STOPPED), jnp.int8(SINGULAR))
    if loss.name == "logistic":
        # A rule that separates the sample proves that there is no minimiser. It is looked for
        # where the search went far or took long: gradients vanish there, and steps with them.
        far = jnp.abs(theta).max(axis=1) > FAR * (1.0 + jnp.abs(start.theta).max(axis=1))
        sure = found & ~far & (state.passes <= QUASI_PASSES)
        separable = lax.cond(
            sure.all(), lambda: jnp.zeros_like(found), lambda: _separates(seen, theta)
        )
        failed = jnp.where(separable, jnp.int8(SEPARABLE), failed)
        found = found & ~separable
    return Fit(theta, state.score, state.hessian, jnp.where(found, jnp.int8(FOUND), failed))
