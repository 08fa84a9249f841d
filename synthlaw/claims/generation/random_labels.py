"""Efron's experiment: n rows, each label a fair coin's, fitted by logistic regression and by LDA.

Rows are ``N(+-(D/2) e_1, I_d)``. Both rules are fitted to the same rows, logistic regression without
weights, the discriminant with pooled covariance and the observed shares of the labels; their 0-1 regret
is exact. Beside each stands the square of its influence, whose mean is exactly the variance term: what it
does not follow of the noise is of third order (paper_notes/generators.md).
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import cores, draws, linear
from simulations.compilation import quick_jit

NEWTON_STEPS = 6
# Replicates of one call of a program.
PIECE = 256
# Rows that programs are compiled for: smaller samples leave the last ones out.
ROOMS = (512, 2048)
# Length of the last Newton step above which a fit does not count as found.
TOLERANCE = 1e-6


class Regrets(NamedTuple):
    """Per replicate: regrets ``values (R, 2)`` of the logistic and of the discriminant rule, ``squares
    (R, 2)`` of their influences, and whether the logistic minimiser was ``found (R,)``."""

    values: np.ndarray
    squares: np.ndarray
    found: np.ndarray


def regret(distance: Array | float, theta: Array) -> Array:
    """Balanced 0-1 error of the rule ``theta (d + 1,)``, the intercept last, less ``Phi(-D/2)``."""
    slope, intercept = theta[:-1], theta[-1]
    half, size = 0.5 * distance * slope[0], jnp.sqrt(slope @ slope)
    cdf = jax.scipy.stats.norm.cdf
    errors = cdf(-(half + intercept) / size) + cdf(-(half - intercept) / size)
    return 0.5 * errors - cdf(-0.5 * distance)


def _logistic(rows: Array, labels: Array, start: Array) -> tuple[Array, Array]:
    """The minimiser on rows ``(n, p)`` and the length of the last step."""

    def step(_: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        theta, _ = state
        p = jax.nn.sigmoid(rows @ theta)
        hessian = (rows * (p * (1.0 - p))[:, None]).T @ rows
        move = linear.solve(hessian, rows.T @ (p - labels))
        return theta - move, jnp.abs(move).max()

    return lax.fori_loop(0, NEWTON_STEPS, step, (start, jnp.asarray(jnp.inf)))


def _one(
    key: Array, distance: Array, size: Array, room: int, dim: int, hessian: Array, inverse: Array
) -> tuple[Any, ...]:
    blocks = -(-room // draws.BLOCK)
    numbers = jnp.arange(blocks, dtype=jnp.uint32)
    keys = jax.vmap(lambda number: draws.block_key(key, jnp.uint32(0), number))(numbers)
    normals = jax.vmap(lambda one: draws.normal_block(one, dim).T)(keys)
    used = jnp.arange(room) < size
    normals = normals.reshape(-1, dim)[:room] * used[:, None]
    labels = (jax.vmap(draws.uniform_block)(keys).ravel()[:room] < 0.5).astype(float) * used
    centre = jnp.zeros(dim).at[0].set(0.5 * distance)
    x = normals + (2.0 * labels - 1.0)[:, None] * centre[None]
    best = jnp.concatenate([2.0 * centre, jnp.zeros(1)])
    rows = jnp.concatenate([x, jnp.ones((room, 1))], axis=1) * used[:, None]
    fitted, last = _logistic(rows, labels, best)
    score = rows.T @ (jax.nn.sigmoid(rows @ best) - labels) / size
    influence = -inverse @ score

    share = labels.sum() / size
    of = [(labels == y) & used for y in (0, 1)]
    means = [(own[:, None] * x).sum(axis=0) / own.sum() for own in of]
    own = jnp.where(labels[:, None] > 0.5, means[1][None], means[0][None])
    apart = (x - own) * used[:, None]
    slope = linear.solve(apart.T @ apart / size, means[1] - means[0])
    intercept = jnp.log(share / (1.0 - share)) - 0.5 * (means[0] + means[1]) @ slope
    rule = jnp.concatenate([slope, intercept[None]])
    # The rule's influence: of the means, of the covariance and of the labels' odds.
    moved = [(own[:, None] * normals).sum(axis=0) * 2.0 / size for own in of]
    wider = (normals.T @ normals / size - jnp.eye(dim)) @ (2.0 * centre)
    turn = jnp.concatenate(
        [moved[1] - moved[0] - wider, (4.0 * (share - 0.5) - (moved[0] + moved[1]) @ centre)[None]]
    )

    values = jnp.stack([regret(distance, fitted), regret(distance, rule)])
    first = jnp.stack([influence, turn])
    squares = 0.5 * linear.inner(first, first @ hessian)
    return values, squares, last < TOLERANCE


@partial(quick_jit, static_argnames=("room", "dim"))
def _batch(
    key: Array,
    distance: Array,
    hessian: Array,
    inverse: Array,
    size: Array,
    first: Array,
    *,
    room: int,
    dim: int,
) -> tuple[Any, ...]:
    """``PIECE`` replicates from ``first`` on."""

    def one(replicate: Array) -> tuple[Any, ...]:
        own = draws.replicate_key(key, replicate)
        return _one(own, distance, size, room, dim, hessian, inverse)

    return lax.map(one, first + jnp.arange(PIECE, dtype=jnp.uint32), batch_size=16)


def simulated(
    distance: float, dim: int, size: int, replicates: int, information: np.ndarray, seed: int
) -> Regrets:
    """Regrets of both rules on ``size`` rows.

    Args:
        distance: D > 0, between the means.
        dim: features d.
        size: rows n, at least some tens per feature.
        replicates: how many samples R.
        information: Hessian ``(d + 1, d + 1)`` of the logistic risk at its minimiser.
        seed: of all random numbers.
    """
    best = jnp.zeros(dim + 1).at[0].set(distance)
    # As one program: operation by operation it would take a second.
    hessian = quick_jit(jax.hessian(regret, argnums=1), once=True)(distance, best)
    key = draws.sample_key(seed, {"kind": "random labels", "dim": dim}, np.array([size]))
    room = next((each for each in ROOMS if each >= size), size)
    given = np.float64(distance), np.asarray(hessian), np.linalg.inv(information), np.float64(size)

    def piece(first: int) -> tuple[np.ndarray, ...]:
        found = _batch(key, *given, np.uint32(first), room=room, dim=dim)
        return tuple(np.asarray(part) for part in found)

    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(piece, range(0, replicates, PIECE)))
    return Regrets(*(np.concatenate(each)[:replicates] for each in zip(*parts, strict=True)))
