"""The fixed-point equations in scaled form, and Newton's method on all of them at once.

Unknowns ``(s, b, log r, log t)``; with the margins and moments of every cluster the equations are

    0 = sum p E[w l'] y m + (sum p D S + ridge) s,            0 = sum p E[w l'] y,
    0 = log t (sum p v D + ridge)/delta,                     0 = log t^2 sum p v E[(w l')^2]/(delta r^2),

the first two divided by the size of their terms. In logarithms nothing degenerates as the ridge goes to
0, whether t stays finite (a minimiser exists) or grows like 1/ridge (interpolation). Jacobians by forward
differentiation; a step that does not lower the defect is halved (paper_notes/proportional.md, section 3).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from scaling.theory.proportional.clusters import Clusters
from scaling.theory.proportional.logistic import Moments
from simulations.arrays import AnyArray

MAX_ITERATIONS = 120
# Damped steps from which Newton's method starts anew where it failed, and halvings of the intercept.
SETTLING, HALVINGS = 100, 40
# Solved; as good as rounding allows; the largest change of log r or log t in one step.
TOLERANCE, GOAL, LONGEST = 1e-9, 1e-13, 2.0


Rule = Callable[[Array, Array, Array, Array], Moments]


class Problem(NamedTuple):
    """One problem, no batch: ``clusters``, ``aspect`` = delta, ``ridge``, and ``free``: 1.0 where the
    intercept is fitted, 0.0 where it is held."""

    clusters: Clusters
    aspect: AnyArray
    ridge: AnyArray
    free: AnyArray


class Iterate(NamedTuple):
    """``point (k + 3,)``: (s, b, log r, log t), the best so far; Newton's ``step`` from there; the largest
    relative ``residual``; ``fraction`` of the step that is tried next; ``iteration``, tried points;
    ``coarse``: above 1 the quadrature does not resolve the margins."""

    point: AnyArray
    step: AnyArray
    residual: AnyArray
    fraction: AnyArray
    iteration: AnyArray
    coarse: AnyArray


class _Seen(NamedTuple):
    """Of every cluster at a point: ``along``: m.s, ``turned``: S s, ``spread``: q, and v t."""

    along: Array
    turned: Array
    spread: Array
    step: Array


def _seen(clusters: Clusters, point: Array) -> _Seen:
    s, r = point[:-3], jnp.exp(point[-2])
    turned = (clusters.covariance * s[None, None, :]).sum(axis=-1)
    spread = jnp.sqrt((turned * s[None, :]).sum(axis=-1) + clusters.variance * r**2)
    along = (clusters.mean * s[None, :]).sum(axis=-1)
    return _Seen(along, turned, spread, clusters.variance * jnp.exp(point[-1]))


def defects(rule: Rule, given: Problem, point: Array) -> tuple[Array, Array]:
    """The relative defects of the equations at a point, ``(k + 3,)``, and how coarse the quadrature is."""
    clusters, s, b = given.clusters, point[:-3], point[-3]
    seen = _seen(clusters, point)
    margin = clusters.sign * (seen.along + b)
    found = rule(clusters.weight, seen.step, margin, seen.spread)

    pulled = clusters.share * found.pull * clusters.sign
    bent = clusters.share * found.curvature
    toward = pulled[:, None] * clusters.mean
    held = (bent[:, None] * seen.turned).sum(axis=0) + given.ridge * s
    size = (jnp.abs(toward).sum(axis=0) + jnp.abs(held)).max()
    size = lax.stop_gradient(jnp.where(size > 0.0, size, 1.0))
    weight = lax.stop_gradient(jnp.abs(pulled).sum())
    stiff = (bent * clusters.variance).sum() + given.ridge
    own = (clusters.share * clusters.variance * found.square).sum()
    goal = jnp.log(given.aspect)
    rest = [
        # Where the intercept is held its equation is met.
        jnp.where(given.free > 0.0, pulled.sum() / weight, 0.0 * b),
        point[-1] + jnp.log(stiff) - goal,
        2.0 * (point[-1] - point[-2]) + jnp.log(own) - goal,
    ]
    coarse = jnp.where(clusters.share > 0.0, found.coarse, 0.0).max()
    return jnp.concatenate([(toward.sum(axis=0) + held) / size, jnp.stack(rest)]), coarse


def begin(point: Array) -> Iterate:
    """Before the start has been looked at."""
    infinite, count = jnp.full((), jnp.inf), jnp.zeros((), int)
    return Iterate(point, jnp.zeros_like(point), infinite, jnp.ones(()), count, jnp.zeros(()))


def advance(rule: Rule, given: Problem, at: Iterate) -> Iterate:
    """Look at the next point: take it if its defect is smaller, else halve the step."""

    def twice(point: Array) -> tuple[Array, tuple[Array, Array]]:
        value, coarse = defects(rule, given, point)
        return value, (value, coarse)

    trial = at.point + at.fraction * at.step
    jacobian, (value, coarse) = jax.jacfwd(twice, has_aux=True)(trial)
    # A held intercept moves by -0.
    jacobian = jacobian.at[-3, -3].add(1.0 - given.free)
    step = -jnp.linalg.solve(jacobian, value)
    step = step * jnp.minimum(1.0, LONGEST / jnp.maximum(jnp.abs(step[-2:]).max(), 1e-300))
    residual = jnp.abs(value).max()
    better = residual < at.residual
    fraction = jnp.where(better, 1.0, 0.5 * at.fraction)
    return Iterate(
        jnp.where(better, trial, at.point),
        jnp.where(better, step, at.step),
        jnp.where(better, residual, at.residual),
        fraction,
        at.iteration + 1,
        jnp.where(better, coarse, at.coarse),
    )


def unfinished(at: Iterate) -> Array:
    """Whether a further iterate may help: at rounding the first failure to improve is the last."""
    least = jnp.where(at.residual < TOLERANCE, 0.9, 1e-6)
    return (at.residual > GOAL) & (at.fraction > least) & (at.iteration < MAX_ITERATIONS)


def solve(rule: Rule, given: Problem, point: Array) -> Iterate:
    """Iterate from a start until the defect is at rounding, or no step lowers it, or patience ends."""

    def once(at: Iterate) -> Iterate:
        return advance(rule, given, at)

    return lax.while_loop(unfinished, once, begin(point))


def settle(rule: Rule, given: Problem, point: Array) -> Array:
    """Damped iterations from a point: half the way to where the equations send s, log r and log t, the
    intercept solved for exactly each time (its equation is monotone). Slow, but kinks do not mislead it."""
    clusters = given.clusters

    def pulls(seen: _Seen, b: Array) -> tuple[Array, Moments]:
        margin = clusters.sign * (seen.along + b)
        found = rule(clusters.weight, seen.step, margin, seen.spread)
        return clusters.share * found.pull * clusters.sign, found

    def level(seen: _Seen, held: Array) -> Array:
        pull = (seen.step * clusters.weight).max()
        far = jnp.abs(seen.along).max() + 10.0 * seen.spread.max() + 1.0 + pull

        def half(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
            middle = 0.5 * (ends[0] + ends[1])
            low = pulls(seen, middle)[0].sum() < 0.0
            return jnp.where(low, middle, ends[0]), jnp.where(low, ends[1], middle)

        low, high = lax.fori_loop(0, HALVINGS, half, (-far, far))
        return jnp.where(given.free > 0.0, 0.5 * (low + high), held)

    def once(_: int, at: Array) -> Array:
        seen = _seen(clusters, at)
        b = level(seen, at[-3])
        pulled, found = pulls(seen, b)
        bent = clusters.share * found.curvature
        stiff = (bent * clusters.variance).sum() + given.ridge
        own = (clusters.share * clusters.variance * found.square).sum()
        held = (bent[:, None, None] * clusters.covariance).sum(axis=0)
        held = held + given.ridge * jnp.eye(held.shape[0])
        s = jnp.linalg.solve(held, -(pulled[:, None] * clusters.mean).sum(axis=0))
        log_r = 0.5 * jnp.log(given.aspect * own) - jnp.log(stiff)
        log_t = jnp.log(given.aspect) - jnp.log(stiff)
        new = jnp.concatenate([s, jnp.stack([b, log_r, log_t])])
        return (0.5 * (at + new)).at[-3].set(b)

    return lax.fori_loop(0, SETTLING, once, point)
