"""Population quantities of laws that are tables of weighted rows (`simulations.craft.quadrature`).

Every expectation is a sum over the table's rows. Law l is the law of group ``group[l]`` with
``means[l]`` added to its rows and the label ``labels[l]``, so that all laws share the rows.
Functions return one entry for each law; laws without weight in a mixture cost nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.craft import errors as craft_errors
from simulations.craft.errors import Plane
from simulations.population.losses import Loss


class Table(NamedTuple):
    """``points (N, p)``: the rows, lifted by the intercept where there is one; ``weights (K, N)``, each
    group's, sum to 1; laws ``means (L, p)``, ``group (L,)``, ``labels (L,)`` 0.0/1.0; ``plane``: what the
    errors of the groups rest on."""

    points: AnyArray
    weights: AnyArray
    means: AnyArray
    group: AnyArray
    labels: AnyArray
    plane: Plane


Sum = Callable[[Array, Array, Array, Array], Any]


def _law(table: Table, theta: Array, index: Array, total: Sum) -> Any:
    rows = table.points + table.means[index][None, :]
    return total(rows, rows @ theta, table.labels[index], table.weights[table.group[index]])


def _shapes(table: Table, theta: Array, total: Sum) -> Any:
    return jax.eval_shape(lambda: _law(table, theta, jnp.asarray(0), total))


def each(table: Table, theta: Array, total: Sum, used: Array | None = None) -> Any:
    """``total(rows (N, p), scores (N,), label, weights (N,))`` of every law, one after the other; 0
    where ``used (L,)`` is false."""
    count = len(table.labels)
    wanted = jnp.ones(count, bool) if used is None else used
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), _shapes(table, theta, total))

    def one(index: Array) -> Any:
        return lax.cond(wanted[index], lambda: _law(table, theta, index, total), lambda: zero)

    return lax.map(one, jnp.arange(count))


def mixture(table: Table, theta: Array, shares: Array, total: Sum) -> Any:
    """``sum_l shares_l total_l``."""
    parts = each(table, theta, total, shares != 0.0)
    return jax.tree.map(lambda part: jnp.tensordot(shares, part, 1), parts)


def derivatives(loss: Loss) -> Sum:
    """Gradient ``(p,)`` and Hessian ``(p, p)`` of a law's risk."""

    def total(rows: Array, u: Array, y: Array, w: Array) -> tuple[Array, Array]:
        return (w * loss.first(u, y)) @ rows, _matrix(rows, w * loss.second(u, y))

    return total


class Moments(NamedTuple):
    """Of one row of a law: ``f x``, ``f' xx'``, ``f^2 xx'``, and ``(p, p, p)``: ``f'' xxx``, ``f f' xxx``,
    ``f^3 xxx``."""

    score: Array
    hessian: Array
    score_square: Array
    third: Array
    hessian_score: Array
    score_cube: Array


def moments(loss: Loss) -> Sum:
    """All `Moments` of a law in one pass."""

    def total(rows: Array, u: Array, y: Array, w: Array) -> Moments:
        f, slope = loss.first(u, y), loss.second(u, y)
        tensors = _tensors(rows, [w * loss.third(u, y), w * f * slope, w * f**3])
        return Moments((w * f) @ rows, _matrix(rows, w * slope), _matrix(rows, w * f**2), *tensors)

    return total


def quartics(loss: Loss, matrix: Array) -> Sum:
    """``E[f' f^2 x x' (x'Bx)]`` for ``B = matrix``, ``(p, p)``."""

    def total(rows: Array, u: Array, y: Array, w: Array) -> Array:
        form = jnp.sum((rows @ matrix) * rows, axis=1)
        return _matrix(rows, w * loss.second(u, y) * loss.first(u, y) ** 2 * form)

    return total


def bends(loss: Loss) -> Sum:
    """Gradient, Hessian and third derivative of a law's risk."""

    def total(rows: Array, u: Array, y: Array, w: Array) -> tuple[Array, Array, Array]:
        third = _tensors(rows, [w * loss.third(u, y)])[0]
        return (w * loss.first(u, y)) @ rows, _matrix(rows, w * loss.second(u, y)), third

    return total


def _matrix(rows: Array, h: Array) -> Array:
    """``sum h x x'``."""
    return rows.T @ (rows * h[:, None])


def _tensors(rows: Array, weights: list[Array]) -> list[Array]:
    """``sum h x x x`` for several ``h``, from one product of matrices."""
    size = rows.shape[1]
    pairs = (rows[:, :, None] * rows[:, None, :]).reshape(-1, size * size)
    weighted = jnp.concatenate([rows * h[:, None] for h in weights], axis=1)
    sums = (pairs.T @ weighted).reshape(size, size, len(weights), size)
    return [sums[:, :, k] for k in range(len(weights))]


def square(rows: Array, u: Array, y: Array, w: Array) -> Array:
    """``E |x|^2``, a number."""
    return w @ (rows**2).sum(axis=1)


def group_risks(loss: Loss, theta: Array, groups: Table) -> Array:
    """Risk of every group, ``(K,)``."""
    u = groups.points @ theta
    count = groups.weights.shape[0]
    return jnp.stack([groups.weights[g] @ loss.value(u, groups.labels[g]) for g in range(count)])


def values(loss: Loss, theta: Array, groups: Table) -> Array:
    """Group risks, then group errors: ``(2K,)``."""
    wrong = craft_errors.errors(loss.threshold, theta, groups.plane)
    return jnp.concatenate([group_risks(loss, theta, groups), wrong])
