"""Variable projection: only the searched parameters are searched.

For squared loss in the value, and any searched parameters ``phi``, the best linear ones solve

    min_beta  sum_i w_i^2 (y_i - sum_j beta_j exp L_j(phi, x_i))^2,    beta_j >= 0 unless signed,

a problem with at most three unknowns: every choice of those that are zero is tried. What is
left is a function of ``phi`` alone, one to three numbers: looked at on a grid, then followed down by
Levenberg and Marquardt's method from the best point of each part of the grid (Golub and Pereyra,
SIAM J. Numer. Anal. 1973).
"""

from functools import partial
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from scaling.fitting.descent import Bounds, Descent, descend, eliminated, total_loss, with_slopes
from scaling.fitting.laws import Law
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit

# Points of the grid along each searched parameter, and the parts of the grid a search starts from.
POINTS = {0: 1, 1: 96, 2: 28, 3: 11}
STARTS = {0: 1, 1: 4, 2: 4, 3: 11}
# Exponents are laid out evenly in asinh(a / EVEN): steps in proportion above it, equal below.
EVEN = 0.1
PASSES = 60
# Terms that agree to this share of their length cannot be told apart.
COLLINEAR = 1e-12


class Problem(NamedTuple):
    """One curve: ``x (n, V)``, ``y (n,)``, ``weight (n,)`` = 1/se (0: no point); ``low``, ``high
    (q,)`` bound the searched parameters; those ``held (P,)`` stay ``at (P,)`` (on the internal scale)."""

    x: AnyArray
    y: AnyArray
    weight: AnyArray
    low: AnyArray
    high: AnyArray
    held: AnyArray
    at: AnyArray


class Projected(NamedTuple):
    """The best ``parameters (P,)``, half the sum of squared weighted residuals, and whether the
    search settled."""

    parameters: AnyArray
    loss: AnyArray
    settled: AnyArray


def _choices(law: Law) -> np.ndarray:
    """Which coefficients may be other than zero together, ``(C, L)``; signed ones always may."""
    choices = np.array(list(product((True, False), repeat=len(law.linear))))
    signed = [name in law.signed for name in law.linear]
    return choices[(choices | ~np.array(signed)).all(axis=1)]


def solve_linear(law: Law, terms: AnyArray, target: AnyArray, free: AnyArray) -> Array:
    """The best coefficients ``(L,)`` of the columns of ``terms (n, L)``; those not ``free`` are 0."""
    lengths = jnp.sqrt((terms**2).sum(axis=0))
    safe = jnp.where(lengths > 0.0, lengths, 1.0)
    unit = terms / safe[None, :]
    gram, right = unit.T @ unit, unit.T @ target
    signed = jnp.array([name in law.signed for name in law.linear])

    def solved(choice: Array) -> tuple[Array, Array]:
        use = choice & free & (lengths > 0.0)
        system = jnp.where(use[:, None] & use[None, :], gram, jnp.eye(len(use)))
        here = jnp.where(use, right, 0.0)
        found, pivot = eliminated(system, here)
        allowed = (pivot > COLLINEAR) & (signed | (found >= 0.0)).all()
        # What the columns explain of the squared target; coefficients of zero explain nothing.
        return jnp.where(allowed, found, 0.0), jnp.where(allowed, (found * here).sum(), 0.0)

    candidates, gains = jax.vmap(solved)(jnp.asarray(_choices(law)))
    return candidates[jnp.argmax(gains)] / safe


def projected_residuals(law: Law, problem: Problem, phi: Array) -> tuple[Array, Array]:
    """Weighted residuals ``(n,)`` with the best linear parameters, and these ``(L,)``."""
    q = len(law.searched)
    logs = law.log_terms(jnp, phi, problem.x)
    # Only counted points may set the scale; it is taken off so that no term under- or overflows.
    counted = (problem.weight > 0.0)[:, None]
    top = lax.stop_gradient(jnp.where(counted, logs, -jnp.inf).max(axis=0))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    terms = jnp.where(counted, jnp.exp(logs - top[None, :]), 0.0) * problem.weight[:, None]
    held, at = problem.held[q:], problem.at[q:]
    known = jnp.where(held, at, 0.0) * jnp.exp(top)
    target = problem.weight * problem.y - terms @ known
    found = solve_linear(law, terms, target, ~held)
    residuals = target - terms @ found
    return residuals, jnp.where(held, at, found * jnp.exp(-top))


def unit_grid(law: Law) -> np.ndarray:
    """Points ``(S, G, q)`` of the unit cube, in S parts; the law's limits stretch it."""
    q = len(law.searched)
    # Inside, not on the border: a start on a bound may never leave it.
    line = (np.arange(POINTS[q]) + 0.5) / POINTS[q]
    points = np.array(list(product(*[line] * q)))
    return points.reshape(STARTS[q], len(points) // STARTS[q], q)


def stretched(law: Law, unit: Array, low: Array, high: Array) -> Array:
    """Points of the unit cube ``(.., q)`` between the limits, exponents in even steps of asinh."""
    curved = jnp.array([each.kind == "exponent" for each in law.searched], bool)
    left, right = jnp.arcsinh(low / EVEN), jnp.arcsinh(high / EVEN)
    even = EVEN * jnp.sinh(left + unit * (right - left))
    return jnp.where(curved, even, low + unit * (high - low))


def _descended(law: Law, problem: Problem, start: Array) -> Descent:
    q = len(law.searched)
    span = jnp.where(problem.high > problem.low, problem.high - problem.low, 1.0)
    bounds = Bounds(problem.low, problem.high, ~problem.held[:q], span)
    looked = with_slopes(lambda phi: projected_residuals(law, problem, phi)[0])
    return descend(looked, start, bounds, passes=PASSES)


def _completed(law: Law, problem: Problem, found: Descent) -> Projected:
    linear = projected_residuals(law, problem, found.phi)[1]
    return Projected(jnp.concatenate([found.phi, linear]), found.loss, found.settled)


def project(law: Law, problem: Problem) -> Projected:
    """The best fit of one curve in squared loss; to be mapped over curves."""
    q = len(law.searched)

    def loss_at(unit: Array) -> tuple[Array, Array]:
        wide = stretched(law, unit, problem.low, problem.high)
        phi = jnp.where(problem.held[:q], problem.at[:q], wide)
        return total_loss(projected_residuals(law, problem, phi)[0], None), phi

    def from_part(part: Array) -> Descent:
        losses, points = lax.map(loss_at, part)
        return _descended(law, problem, points[jnp.argmin(losses)])

    if q == 0:
        nowhere = jnp.zeros(0)
        residuals, linear = projected_residuals(law, problem, nowhere)
        return Projected(linear, total_loss(residuals, None), jnp.array(True))
    found = lax.map(from_part, jnp.asarray(unit_grid(law)))
    best = jnp.argmin(found.loss)
    return _completed(law, problem, jax.tree.map(lambda part: part[best], found))


@partial(quick_jit, static_argnames="law")
def project_all(law: Law, problems: Problem) -> Projected:
    """`project` for every curve of a batch (a leading axis on all arrays)."""
    return jax.vmap(lambda problem: project(law, problem))(problems)


@partial(quick_jit, static_argnames="law")
def project_from(law: Law, problems: Problem, starts: Array) -> Projected:
    """The same from one start ``(B, q)`` per curve: for curves that are nearly alike."""

    def one(problem: Problem, start: Array) -> Projected:
        return _completed(law, problem, _descended(law, problem, start))

    return jax.vmap(one)(problems, starts)
