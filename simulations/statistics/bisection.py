"""Halving the statistics of a block of standard normal rows, again and again.

A *node* stands for ``n`` independent rows ``z_i ~ N(0, I_d)`` of which only the total
``s = sum z_i`` and the centred scatter ``W = sum (z_i - s/n)(z_i - s/n)'`` are held. For ``2n`` rows let
``delta = (s_left - s_right) / sqrt(2n)``; then

    s_left = s/2 + sqrt(n/2) delta,    W = W_left + W_right + delta delta',

with ``s``, ``delta ~ N(0, I)`` and ``W_left, W_right ~ Wishart(n - 1)`` independent. Draw
``A_left, A_right, delta_0`` afresh and let ``C C' = A_left + A_right + delta_0 delta_0'``. Given
``W = R R'`` and ``G = R C^-1``, take ``G A_left G'``, ``G A_right G'`` and ``G delta_0``: exactly the law
of the halves given the whole (paper_notes/sufficient_statistics.md). Roots are lower triangular, and
so is a product of them: a half's root is ``G`` times the fresh half's.

All functions are pure in their key ``(2,)``. ``n`` is a power of two, at least ``2 d``: roots then exist.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations import draws

# Proposals for a chi-square number: each is refused with probability below 5e-4 (at 128 degrees
# of freedom; like 1/degrees), so that none of them is accepted with probability 1e-10.
PROPOSALS = 3


class Node(NamedTuple):
    """``total (d,)`` and lower triangular ``root (d, d)``: ``root root'`` is the centred scatter."""

    total: Array
    root: Array


def chi(normals: Array, uniforms: Array, degrees: Array) -> Array:
    """Square roots of independent chi-square numbers with ``degrees (k,)`` >= 64 degrees of freedom,
    from normals and uniforms ``(PROPOSALS, k)``.

    Marsaglia and Tsang: ``2 b (1 + y)^3`` with ``b = degrees/2 - 1/3`` and ``y = x / (3 sqrt b)``,
    x normal, accepted with probability ``exp(x^2/2 + b (3 log(1+y) - 3y - 3y^2 - y^3))``. The terms are
    ordered so that nothing cancels at 1e18 degrees of freedom.
    """
    b = (0.5 * degrees - 1.0 / 3.0)[None, :]
    y = normals / (3.0 * jnp.sqrt(b))
    log_accept = 0.5 * normals**2 + b * (3.0 * jnp.log1p(y) - 3.0 * y - 3.0 * y**2 - y**3)
    first = jnp.argmax(jnp.log(uniforms) < log_accept, axis=0)
    y = jnp.take_along_axis(y, first[None, :], axis=0)[0]
    return jnp.sqrt(2.0 * b[0]) * (1.0 + y) ** 1.5


def _drawn(key: Array, normals: int, degrees: Array) -> tuple[Array, Array]:
    """So many normals, and a chi number for each of the ``degrees``."""
    tries = PROPOSALS * degrees.shape[0]
    drawn, uniforms = draws.numbers(key, normals + tries, tries)
    shape = (PROPOSALS, degrees.shape[0])
    return drawn[tries:], chi(drawn[:tries].reshape(shape), uniforms.reshape(shape), degrees)


def _degrees(rows: Array, dim: int) -> Array:
    """Degrees of freedom down the diagonal of a Bartlett root: ``rows - 1 - i``, ``(dim,)``."""
    return rows.astype(jnp.float64) - 1.0 - jnp.arange(dim)


def fresh(key: Array, rows: Array, dim: int) -> Node:
    """The statistics of ``rows`` new rows: ``s ~ N(0, rows I)`` and Bartlett's root of ``W``."""
    normals, lengths = _drawn(key, dim * (dim + 1), _degrees(rows, dim))
    normals = normals.reshape(dim + 1, dim)
    root = jnp.tril(normals[1:], -1) + jnp.diag(lengths)
    return Node(jnp.sqrt(rows.astype(jnp.float64)) * normals[0], root)


def halves(key: Array, node: Node, rows: Array) -> tuple[Node, Node]:
    """The halves, of ``rows`` rows each, of a node of ``2 rows``, given its statistics.

    ``key`` must not be one that the node's own statistics were drawn from.
    """
    dim = node.total.shape[0]
    # One square of normals serves both roots and delta: below, above and on the diagonal.
    normals, lengths = _drawn(key, dim * dim, jnp.tile(_degrees(rows, dim), 2))
    normals = normals.reshape(dim, dim)
    left = jnp.tril(normals, -1) + jnp.diag(lengths[:dim])
    right = jnp.tril(normals.T, -1) + jnp.diag(lengths[dim:])
    delta = jnp.diagonal(normals)
    whole = lax.linalg.cholesky(left @ left.T + right @ right.T + jnp.outer(delta, delta))
    # G = R C^-1
    carry = lax.linalg.triangular_solve(whole, node.root, left_side=False, lower=True)
    shift = jnp.sqrt(0.5 * rows.astype(jnp.float64)) * (carry @ delta)
    return (
        Node(0.5 * node.total + shift, carry @ left),
        Node(0.5 * node.total - shift, carry @ right),
    )


def leaf_rows(key: Array, node: Node, size: int) -> Array:
    """The rows ``(d, size)`` of a node of ``size`` rows, given its statistics.

    New rows are centred, whitened by the root of their own scatter and given the node's.

    Args:
        key: of the node.
        node: its mean and scatter.
        size: its rows.
    """
    dim = node.total.shape[0]
    new = draws.numbers(key, dim * size)[0].reshape(dim, size)
    centred = new - new.mean(axis=1, keepdims=True)
    own = lax.linalg.cholesky(centred @ centred.T)
    carry = lax.linalg.triangular_solve(own, node.root, left_side=False, lower=True)
    return carry @ centred + node.total[:, None] / size
