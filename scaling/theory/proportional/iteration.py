"""One convex problem in few numbers: what a rule on many features minimises in the limit.

With the margin ``N(y (m.s + b), q^2)``, ``q^2 = s'S s + v r^2``, of a cluster and the envelope
``e(a; t) = min_u w l(u) + (u - a)^2/(2t)``, the rule's projection s, norm r and intercept b minimise

    F(s, r, b) = max_t  sum p E e(a; v t) - kappa2 r^2/(2t) + (ridge/2)(|s|^2 + r^2),

which is convex. Newton's method on F; t is solved for exactly at every point, in log t, by Newton's method
within a bracket. Only the gradient is ever computed: a step is halved until F no longer rises much
along it. The gradient vanishes exactly where the fixed-point equations hold
(paper_notes/proportional.md, section 2).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from scaling.theory.proportional.clusters import Clusters
from scaling.theory.proportional.losses import MarginLoss, Moments
from simulations import linear
from simulations.arrays import AnyArray

MAX_ITERATIONS, MAX_HALVINGS, MAX_INNER = 100, 40, 80
TOLERANCE, GOAL, NEAR = 1e-9, 1e-13, 1e-3
# Bracket of log t; the upper end stands for infinity (a hinge that is met by every row).
LOWEST, HIGHEST = -46.0, 30.0
# A step is short enough when F rises at its end no steeper than this share of its fall at the start.
STEEPNESS = 0.3


class Problem(NamedTuple):
    """One problem, no batch: ``clusters``, ``aspect`` = kappa2, ``ridge``, and ``free``: 1.0 where the
    intercept is fitted, 0.0 where it is held."""

    clusters: Clusters
    aspect: AnyArray
    ridge: AnyArray
    free: AnyArray


class Iterate(NamedTuple):
    """``point (k + 2,)``: (s, r, b); ``log_step``: log t; ``gradient`` of F; relative ``residual``;
    ``iteration``; ``moved``: 0.0 once no step lowers F any more."""

    point: AnyArray
    log_step: AnyArray
    gradient: AnyArray
    residual: AnyArray
    iteration: AnyArray
    moved: AnyArray


def moments_at(loss: MarginLoss, nodes: int, given: Clusters, point: Array, step: Array) -> Moments:
    """The moments of every cluster, ``(C,)`` each."""
    s, r, b = point[:-2], point[-2], point[-1]
    along = (given.mean * s[None, :]).sum(axis=-1)
    turned = (given.covariance * s[None, None, :]).sum(axis=-1)
    spread = jnp.sqrt((turned * s[None, :]).sum(axis=-1) + given.variance * r**2)
    return loss.moments(
        given.weight, given.variance * step, given.sign * (along + b), spread, nodes
    )


def _parts(given: Problem, point: Array, step: Array, found: Moments) -> tuple[Array, ...]:
    """The gradient of F and its slope in log t, each with the size of its terms."""
    clusters, (s, r) = given.clusters, (point[:-2], point[-2])
    share = clusters.share
    pulled = share * found.pull * clusters.sign
    bent = share * found.curvature
    turned = (clusters.covariance * s[None, None, :]).sum(axis=-1)
    toward = pulled[:, None] * clusters.mean
    held = (bent[:, None] * turned).sum(axis=0) + given.ridge * s
    inside = toward.sum(axis=0) + held
    inside_size = jnp.abs(toward).sum(axis=0) + jnp.abs(held)
    stiff = (bent * clusters.variance).sum() + given.ridge
    outside = r * (stiff - given.aspect / step)
    level = pulled.sum() * given.free
    own = step * (share * clusters.variance * found.square).sum()
    room = r**2 * given.aspect / step
    gradient = jnp.concatenate([inside, jnp.stack([outside, level, 0.5 * (room - own)])])
    rest = jnp.stack([r * stiff, jnp.abs(pulled).sum(), 0.5 * (room + own)])
    return gradient, jnp.concatenate([inside_size, rest])


def _slopes(loss: MarginLoss, nodes: int, given: Problem, point: Array, log_step: Array) -> Array:
    step = jnp.exp(log_step)
    return _parts(given, point, step, moments_at(loss, nodes, given.clusters, point, step))[0]


def best_step(loss: MarginLoss, nodes: int, given: Problem, point: Array, start: Array) -> Array:
    """log t that maximises: ``t^2 sum p v E[(w l')^2] = kappa2 r^2``, whose left side grows with t."""
    goal = jnp.log(given.aspect) + 2.0 * jnp.log(point[-2])

    def excess(log_step: Array) -> Array:
        found = moments_at(loss, nodes, given.clusters, point, jnp.exp(log_step))
        own = (given.clusters.share * given.clusters.variance * found.square).sum()
        return 2.0 * log_step + jnp.log(own) - goal

    def advance(state: tuple) -> tuple:
        at, low, high, _, count = state
        value, slope = jax.jvp(excess, (at,), (jnp.ones_like(at),))
        low, high = jnp.where(value < 0.0, at, low), jnp.where(value < 0.0, high, at)
        trial = at - value / slope
        trial = jnp.where((trial > low) & (trial < high), trial, 0.5 * (low + high))
        return trial, low, high, jnp.abs(trial - at), count + 1

    def unfinished(state: tuple) -> Array:
        return (state[3] > 1e-13 * (1.0 + jnp.abs(state[0]))) & (state[4] < MAX_INNER)

    low, high = jnp.full_like(start, LOWEST), jnp.full_like(start, HIGHEST)
    begun = (start, low, high, jnp.full_like(start, jnp.inf), jnp.zeros((), int))
    return lax.while_loop(unfinished, advance, begun)[0]


def _measured(
    loss: MarginLoss, nodes: int, given: Problem, point: Array, near: Array
) -> tuple[Array, Array, Array]:
    """log t, gradient of F and relative residual at a point."""
    log_step = best_step(loss, nodes, given, point, near)
    step = jnp.exp(log_step)
    found = moments_at(loss, nodes, given.clusters, point, step)
    gradient, size = _parts(given, point, step, found)
    residual = (jnp.abs(gradient) / jnp.where(size > 0.0, size, 1.0)).max()
    return log_step, gradient[:-1], residual


def begin(loss: MarginLoss, nodes: int, given: Problem, point: Array) -> Iterate:
    """The iterate at a start ``(s, r, b)`` with r > 0."""
    log_step, gradient, residual = _measured(loss, nodes, given, point, jnp.zeros(()))
    count = jnp.zeros((), int)
    return Iterate(point, log_step, gradient, residual, count, jnp.ones(()))


def _direction(loss: MarginLoss, nodes: int, given: Problem, at: Iterate) -> Array:
    """Newton's step: the Hessian of the saddle with t eliminated."""

    def slopes(joint: Array) -> Array:
        return _slopes(loss, nodes, given, joint[:-1], joint[-1])

    hessian = jax.jacfwd(slopes)(jnp.concatenate([at.point, at.log_step[None]]))
    own, cross = hessian[-1, -1], 0.5 * (hessian[-1, :-1] + hessian[:-1, -1])
    inner = jnp.where(at.log_step < HIGHEST - 1.0, cross / jnp.where(own < 0.0, -own, 1.0), 0.0)
    reduced = 0.5 * (hessian[:-1, :-1] + hessian[:-1, :-1].T) + cross[:, None] * inner[None, :]
    diagonal = jnp.diagonal(reduced)
    fixed = jnp.zeros_like(at.point).at[-1].set(1.0 - given.free)
    # Curvatures of very different size: solved in units in which they are all 1.
    unit = jax.lax.rsqrt(jnp.maximum(jnp.abs(diagonal) + fixed, 1e-300))
    scaled = (reduced + jnp.diag(fixed)) * unit[:, None] * unit[None, :]
    scaled = scaled + 1e-13 * jnp.eye(len(unit))
    return -unit * linear.solve(scaled, unit * at.gradient)


def advance(loss: MarginLoss, nodes: int, given: Problem, at: Iterate) -> Iterate:
    """One step of Newton, shortened until F no longer rises much at its end and r stays positive."""
    direction = _direction(loss, nodes, given, at)
    fall = -(direction * at.gradient).sum()
    r, down = at.point[-2], -direction[-2]
    longest = jnp.where(down > 0.0, 0.9 * r / jnp.where(down > 0.0, down, 1.0), 1.0)

    def tried(length: Array) -> tuple[Array, Array, Array, Array]:
        point = at.point + length * direction
        return (point, *_measured(loss, nodes, given, point, at.log_step))

    def too_far(state: tuple) -> Array:
        _, count, (_, _, gradient, residual) = state
        rise = (direction * gradient).sum()
        # Close to the solution F is flat to rounding: there the residual decides.
        closer = (residual < at.residual) & (at.residual < NEAR)
        rises = ~(rise <= STEEPNESS * fall) & ~closer
        return rises & (count < MAX_HALVINGS)

    def shorter(state: tuple) -> tuple:
        length = 0.5 * state[0]
        return length, state[1] + 1, tried(length)

    length = jnp.minimum(longest, 1.0)
    state = (length, jnp.zeros((), int), tried(length))
    _, count, (point, log_step, gradient, residual) = lax.while_loop(too_far, shorter, state)
    at_rounding = (residual < TOLERANCE) & (residual > 0.5 * at.residual)
    moved = jnp.where((count < MAX_HALVINGS) & ~at_rounding, 1.0, 0.0)
    return Iterate(point, log_step, gradient, residual, at.iteration + 1, moved)


def solve(loss: MarginLoss, nodes: int, given: Problem, point: Array) -> Iterate:
    """Iterate from a start until the residual is at rounding, or no step helps, or patience ends."""

    def unfinished(at: Iterate) -> Array:
        return (at.residual > GOAL) & (at.moved > 0.0) & (at.iteration < MAX_ITERATIONS)

    return lax.while_loop(
        unfinished,
        lambda at: advance(loss, nodes, given, at),
        begin(loss, nodes, given, point),
    )
