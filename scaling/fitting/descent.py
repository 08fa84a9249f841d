"""Downhill in a few parameters within bounds: Levenberg and Marquardt's method, for batches.

Minimises ``sum_i h(r_i(phi))`` with ``h(r) = r^2/2``, or Huber's ``h(r) = r^2/2`` for
``|r| <= delta`` and ``delta (|r| - delta/2)`` beyond. Huber's loss consists of parabolas: Newton's step
with the residuals that lie within ``delta`` ends after finitely many, and damping guards the way.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

STEP_TOLERANCE = 1e-11
STUCK = 1e12


class Bounds(NamedTuple):
    """Where the parameters ``(q,)`` may lie, which of them are ``free``, and the ``span`` by which the
    size of a step is judged."""

    low: Array
    high: Array
    free: Array
    span: Array


class Descent(NamedTuple):
    """Parameters ``phi``, residuals there, their ``slopes`` in ``phi`` and the ``loss``; ``settled``:
    the search came to rest."""

    phi: Array
    residuals: Array
    slopes: Array
    loss: Array
    damping: Array
    passes: Array
    settled: Array


def eliminated(matrix: Array, right: Array) -> tuple[Array, Array]:
    """The solution of a small positive definite system, and the smallest pivot met."""
    size = len(right)
    rows = [[matrix[i, j] for j in range(size)] for i in range(size)]
    values, smallest = [right[i] for i in range(size)], matrix[0, 0]
    for k in range(size):
        smallest = jnp.minimum(smallest, rows[k][k])
        for i in range(k + 1, size):
            share = rows[i][k] / rows[k][k]
            for j in range(k + 1, size):
                rows[i][j] = rows[i][j] - share * rows[k][j]
            values[i] = values[i] - share * values[k]
    for k in reversed(range(size)):
        for j in range(k + 1, size):
            values[k] = values[k] - rows[k][j] * values[j]
        values[k] = values[k] / rows[k][k]
    return jnp.stack(values), smallest


def _within(residuals: Array, delta: float | None) -> tuple[Array, Array]:
    """Slopes of the loss in each residual, and its curvature there (0 where Huber's is a line)."""
    if delta is None:
        return residuals, jnp.ones_like(residuals)
    return jnp.clip(residuals, -delta, delta), (jnp.abs(residuals) <= delta) * 1.0


def total_loss(residuals: Array, delta: float | None) -> Array:
    """The sum of the losses of all residuals."""
    squares = 0.5 * residuals**2
    if delta is None:
        return squares.sum()
    size = jnp.abs(residuals)
    return jnp.where(size <= delta, squares, delta * (size - 0.5 * delta)).sum()


def _step(slopes: Array, curved: Array, gradient: Array, moves: Array, damping: Array) -> Array:
    active = jnp.where(moves[None, :], slopes, 0.0)
    curvature = active.T @ (curved[:, None] * active)
    # The scale of each parameter comes from all residuals: few may lie where Huber's loss curves.
    diagonal = jnp.where(moves, (active**2).sum(axis=0), 1.0)
    lifted = jnp.maximum(diagonal, 1e-14 * diagonal.max()) * damping + (~moves | (diagonal == 0.0))
    step, _ = eliminated(curvature + jnp.diag(lifted), jnp.where(moves, -gradient, 0.0))
    return jnp.where(jnp.isfinite(step), step, 0.0)


def with_slopes(residuals: Callable[[Array], Array]) -> Callable[[Array], tuple[Array, Array]]:
    """Slopes ``(n, q)`` and values ``(n,)`` of ``residuals(phi (q,)) -> (n,)``."""

    def twice(phi: Array) -> tuple[Array, Array]:
        found = residuals(phi)
        return found, found

    return jax.jacfwd(twice, has_aux=True)


def descend(
    looked: Callable[[Array], tuple[Array, Array]],
    start: Array,
    bounds: Bounds,
    *,
    passes: int,
    delta: float | None = None,
) -> Descent:
    """Follow the loss down from ``start``; ``looked(phi (q,))`` gives slopes ``(n, q)`` and values
    ``(n,)`` of the residuals."""

    def advance(state: Descent) -> Descent:
        pulls, curved = _within(state.residuals, delta)
        gradient = state.slopes.T @ pulls
        # A parameter on its bound that would leave it stands still.
        out = ((state.phi <= bounds.low) & (gradient > 0.0)) | (
            (state.phi >= bounds.high) & (gradient < 0.0)
        )
        step = _step(state.slopes, curved, gradient, bounds.free & ~out, state.damping)
        there = jnp.clip(state.phi + step, bounds.low, bounds.high)
        # The first pass only looks at the start.
        there = jnp.where((state.passes == 0) | ~bounds.free, state.phi, there)
        new_slopes, new = looked(there)
        loss = total_loss(new, delta)
        better = loss <= state.loss
        moved = (jnp.abs(there - state.phi) / bounds.span).max()
        ended = (moved < STEP_TOLERANCE) | (state.damping > STUCK)
        return Descent(
            jnp.where(better, there, state.phi),
            jnp.where(better, new, state.residuals),
            jnp.where(better, new_slopes, state.slopes),
            jnp.where(better, loss, state.loss),
            jnp.where(better, state.damping * 0.1, jnp.maximum(state.damping, 1e-6) * 8.0),
            state.passes + 1,
            ended & (state.passes > 0),
        )

    points = jax.eval_shape(looked, start)[1].shape[0]
    begin = Descent(
        start,
        jnp.zeros(points),
        jnp.zeros((points, len(start))),
        jnp.array(jnp.inf),
        jnp.array(1e-2),
        jnp.array(0),
        jnp.array(False),
    )
    return lax.while_loop(lambda s: ~s.settled & (s.passes < passes), advance, begin)
