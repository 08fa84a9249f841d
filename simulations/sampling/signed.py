"""Samples whose rows weigh something of either sign: fits of an objective that need not be convex.

Streams of rows, each of one Gaussian law, a number of rows and a weight per row; the rule is the zero of
the weighted gradient that Newton's method reaches from a given start. Wherever the weighted Hessian on
the way is not positive definite there is no rule, and the replicate is a failure.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws, linear
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population import gaussian as population
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.quadrature import Grid
from simulations.sampling.newton import FOUND, STOPPED

# Replicates one call has room for.
SIZE = 128
MOST_STEPS = 30
# A step this short, relative to 1 + |theta|, is the last: the next point is off by its square, far less
# than the noise of a rule.
SHORT_STEP = 1e-3


class SignedStreams(NamedTuple):
    """S streams: ``means (S, d)``, ``roots (S, d, d)`` (Cholesky factors), ``labels``, ``counts`` and
    ``weights (S,)``, the last per row and of either sign."""

    means: AnyArray
    roots: AnyArray
    labels: AnyArray
    counts: AnyArray
    weights: AnyArray


class SignedFits(NamedTuple):
    """Of R replicates: ``theta (R, p)``; the weighted ``score (R, p)`` and ``hessian (R, p, p)`` of the
    sample at the start; the ``risks (R, K)`` of the groups at theta; ``status (R,)``: found, or stopped."""

    theta: AnyArray
    score: AnyArray
    hessian: AnyArray
    risks: AnyArray
    status: AnyArray


class _Given(NamedTuple):
    streams: SignedStreams
    start: AnyArray
    groups: Atoms
    grid: Grid
    key: AnyArray


def _draw(given: _Given, key: Array, intercept: bool, rows: Array) -> Array:
    """All rows of one replicate, with their 1 where there is an intercept, block after block."""
    streams = given.streams
    dim = streams.means.shape[1]
    ends = jnp.cumsum(_blocks(streams))

    def draw(block: Array, rows: Array) -> Array:
        own, number = _place(ends, block)
        key_ = draws.block_key(key, own.astype(jnp.uint32), number.astype(jnp.uint32))
        made = streams.means[own][:, None] + streams.roots[own] @ draws.normal_block(key_, dim)
        if intercept:
            made = jnp.concatenate([made, jnp.ones((1, draws.BLOCK))])
        return lax.dynamic_update_index_in_dim(rows, made, block, 0)

    return lax.fori_loop(0, ends[-1], draw, rows)


def _blocks(streams: SignedStreams) -> Array:
    return (streams.counts + draws.BLOCK - 1) // draws.BLOCK


def _place(ends: Array, block: Array) -> tuple[Array, Array]:
    """Stream of a block, and its number in the stream."""
    own = (block >= ends).sum()
    return own, block - jnp.where(own > 0, ends[own - 1], 0)


def _fit(loss: Loss, streams: SignedStreams, rows: Array, start: Array) -> tuple[Array, ...]:
    """Theta, score and Hessian at the start, and the status of one replicate."""
    ends = jnp.cumsum(_blocks(streams))
    size = start.shape[0]

    def derivatives(theta: Array) -> tuple[Array, Array]:
        def add(block: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
            own, number = _place(ends, block)
            x = lax.dynamic_index_in_dim(rows, block, 0, keepdims=False)
            kept = number * draws.BLOCK + jnp.arange(draws.BLOCK) < streams.counts[own]
            weight = jnp.where(kept, streams.weights[own], 0.0)
            u = (theta[:, None] * x).sum(axis=0)
            label = jnp.full_like(u, streams.labels[own])
            bent = x * (weight * loss.second(u, label))[None, :]
            return sums[0] + x @ (weight * loss.first(u, label)), sums[1] + bent @ x.T

        return lax.fori_loop(0, ends[-1], add, (jnp.zeros(size), jnp.zeros((size, size))))

    def unfinished(state: tuple[Any, ...]) -> Array:
        theta, step, _, _, count = state
        long = jnp.abs(step).max() > SHORT_STEP * (1.0 + jnp.abs(theta).max())
        # A Hessian that is not positive definite makes the step NaN, which ends the loop.
        return (count < MOST_STEPS) & (long | (count == 0))

    def advance(state: tuple[Any, ...]) -> tuple[Any, ...]:
        theta, _, score, bend, count = state
        gradient, hessian = derivatives(theta)
        step = -linear.solve(hessian, gradient)
        held = [jnp.where(count == 0, n, o) for n, o in ((gradient, score), (hessian, bend))]
        return theta + step, step, *held, count + 1

    first = (start, jnp.zeros(size), jnp.zeros(size), jnp.zeros((size, size)), 0)
    theta, _, score, hessian, count = lax.while_loop(unfinished, advance, first)
    found = jnp.isfinite(theta).all() & (count < MOST_STEPS)
    return theta, score, hessian, jnp.where(found, FOUND, STOPPED)


@partial(quick_jit, static_argnames=("loss", "intercept", "blocks"))
def _replicates(
    given: _Given, first: Array, count: Array, *, loss: Loss, intercept: bool, blocks: int
) -> SignedFits:
    size = given.start.shape[0]

    def one(index: Array, state: tuple[SignedFits, Array]) -> tuple[SignedFits, Array]:
        held, rows = state
        key = draws.replicate_key(given.key, first + index.astype(jnp.uint32))
        rows = _draw(given, key, intercept, rows)
        theta, score, hessian, status = _fit(loss, given.streams, rows, given.start)
        risks = population.group_risks(loss, theta, given.groups, given.grid)
        new = SignedFits(theta, score, hessian, risks, status.astype(jnp.int8))
        kept = [all_.at[index].set(part) for all_, part in zip(held, new, strict=True)]
        return SignedFits(*kept), rows

    groups = len(given.groups.labels)
    empty = SignedFits(
        jnp.zeros((SIZE, size)),
        jnp.zeros((SIZE, size)),
        jnp.zeros((SIZE, size, size)),
        jnp.zeros((SIZE, groups)),
        jnp.zeros(SIZE, jnp.int8),
    )
    rows = jnp.zeros((blocks, size, draws.BLOCK))
    return lax.fori_loop(0, count, one, (empty, rows))[0]


def signed_fits(
    loss: Loss,
    streams: SignedStreams,
    start: np.ndarray,
    groups: Atoms,
    grid: Grid,
    key: np.ndarray,
    first: int,
    count: int,
    room: int,
) -> SignedFits:
    """Rules of replicates ``first .. first + count - 1``.

    Args:
        loss: logistic or squared.
        streams: laws, numbers of rows and weights per row.
        start: ``(p,)``, where Newton's method begins: one more than d entries for an intercept.
        groups: laws whose exact risks are reported, lifted by the intercept.
        grid: for these risks.
        key: ``(2,)``, of all replicates.
        first, count: which replicates; each depends on the key, the streams and its number alone.
        room: blocks of memory, at least `blocks_of`; a power of two lets few programs serve all.

    Returns:
        The fits; where ``status`` is not ``newton.FOUND`` the other numbers mean nothing.
    """
    given = _Given(streams, np.asarray(start, float), groups, grid, np.asarray(key, np.uint32))
    intercept = len(start) > streams.means.shape[1]
    parts = []
    for begin in range(0, count, SIZE):
        size = min(SIZE, count - begin)
        found = _replicates(
            given, np.uint32(first + begin), np.int32(size),
            loss=loss, intercept=intercept, blocks=room,
        )  # fmt: skip
        parts.append(jax.tree.map(lambda part, n=size: np.asarray(part)[:n], found))
    return SignedFits(*(np.concatenate(all_) for all_ in zip(*parts, strict=True)))


def blocks_of(counts: np.ndarray) -> int:
    """Blocks of room for so many rows, a power of two."""
    return 1 << (int((-(-np.asarray(counts) // draws.BLOCK)).sum()) - 1).bit_length()
