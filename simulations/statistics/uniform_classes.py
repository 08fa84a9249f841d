"""Two classes with independent uniform noise: batches of samples, seen by one squared-loss rule each.

Class g has ``n_g`` rows ``x = mean_g + diag(scale_g) U``, U uniform on ``[-sqrt 3, sqrt 3]^d``, and the
number ``y_g`` as label. Of a sample all that tests of its balanced rule take is kept: the second moments
and means of its rows, and the second moments of its scores at that rule. Rows are drawn in blocks whose
keys belong to replicate, class and block, so that samples are the same whatever is drawn beside them, and
a larger sample begins with the smaller one.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws, linear
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit

# Rows per block (part of what a draw is) and samples one call has room for.
BLOCK = 1024
SIZE = 250


class UniformClasses(NamedTuple):
    """``means``, ``scales (2, d)`` and ``labels (2,)`` of two classes; ``counts (2,)`` rows."""

    means: AnyArray
    scales: AnyArray
    labels: AnyArray
    counts: AnyArray


class ClassMoments(NamedTuple):
    """Of each sample: by class ``mean (.., 2, d)`` and ``square (.., 2, d, d)`` of the rows and ``scores
    (.., 2, d, d)``, means of ``(u - y)^2 x x'`` at ``theta (.., d)``, the rule of least balanced loss."""

    mean: AnyArray
    square: AnyArray
    theta: AnyArray
    scores: AnyArray


def class_key(seed: int, classes: UniformClasses) -> np.ndarray:
    """The key ``(2,)`` of all samples of two classes, whatever their counts."""
    parts = {name: np.asarray(value).tolist() for name, value in classes._asdict().items()}
    del parts["counts"]
    return draws.sample_key(seed, {"kind": "uniform_classes", **parts}, np.zeros(2, int))


def _sample(classes: UniformClasses, key: Array, rows: Array) -> tuple[ClassMoments, Array]:
    """The moments of one sample; ``rows (blocks, d, BLOCK)`` is room for its rows."""
    dim = classes.means.shape[1]
    # Both classes in one loop: block b of all is block ``b - first`` of its class.
    used = (classes.counts + BLOCK - 1) // BLOCK
    ends = used[0], used[0] + used[1]

    def place(block: Array) -> tuple[Array, Array]:
        group = (block >= used[0]).astype(jnp.int32)
        return group, block - group * used[0]

    keys = jnp.stack([draws.derived_key(key, group, draws.FREE_PURPOSE) for group in (0, 1)])
    keys = lax.optimization_barrier(keys)
    means, scales = (part.astype(jnp.float32) for part in classes[:2])

    def draw(block: Array, rows: Array) -> Array:
        group, index = place(block)
        kept = (index * BLOCK + jnp.arange(BLOCK) < classes.counts[group])[None, :]
        noise = draws.short_uniforms(keys[group], index, dim, BLOCK)
        made = jnp.where(kept, means[group][:, None] + scales[group][:, None] * noise, 0.0)
        return lax.dynamic_update_index_in_dim(rows, made, block, 0)

    def summed(block: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        (group, _), (total, square) = place(block), state
        x = lax.dynamic_index_in_dim(rows, block, 0, keepdims=False)
        one = jnp.ones((1, BLOCK), jnp.float32)
        lifted = jnp.concatenate([x, one]) @ x.T
        return (
            total.at[group].add(lifted[-1].astype(jnp.float64)),
            square.at[group].add(lifted[:-1].astype(jnp.float64)),
        )

    rows = lax.fori_loop(0, ends[1], draw, rows)
    zero = jnp.zeros((2, dim, dim))
    total, square = lax.fori_loop(0, ends[1], summed, (jnp.zeros((2, dim)), zero))
    counts = classes.counts.astype(jnp.float64)
    mean, square = total / counts[:, None], square / counts[:, None, None]
    target = (classes.labels[:, None] * mean).sum(axis=0)
    theta = linear.solve(square.sum(axis=0), target)
    rule, labels = theta.astype(jnp.float32), classes.labels.astype(jnp.float32)

    def scored(block: Array, total: Array) -> Array:
        group, _ = place(block)
        x = lax.dynamic_index_in_dim(rows, block, 0, keepdims=False)
        scores = ((rule[:, None] * x).sum(axis=0) - labels[group])[None, :] * x
        return total.at[group].add((scores @ scores.T).astype(jnp.float64))

    scores = lax.fori_loop(0, ends[1], scored, zero) / counts[:, None, None]
    return ClassMoments(mean, square, theta, scores), rows


@partial(quick_jit, static_argnames="blocks")
def _moments(
    classes: UniformClasses, key: Array, first: Array, count: Array, *, blocks: int
) -> ClassMoments:
    dim = classes.means.shape[1]

    def replicate(index: Array, state: tuple[ClassMoments, Array]) -> tuple[ClassMoments, Array]:
        held, rows = state
        own = draws.replicate_key(key, first + index.astype(jnp.uint32))
        found, rows = _sample(classes, own, rows)
        kept = [all_.at[index].set(new) for all_, new in zip(held, found, strict=True)]
        return ClassMoments(*kept), rows

    shapes = ((2, dim), (2, dim, dim), (dim,), (2, dim, dim))
    empty = ClassMoments(*(jnp.zeros((SIZE, *shape)) for shape in shapes))
    room = jnp.zeros((blocks, dim, BLOCK), jnp.float32)
    return lax.fori_loop(0, count, replicate, (empty, room))[0]


def room_for(counts: np.ndarray) -> int:
    """Blocks of room for so many rows of both classes, a power of two: few programs serve all counts."""
    return 1 << (int((-(-np.asarray(counts) // BLOCK)).sum()) - 1).bit_length()


def class_moments(
    classes: UniformClasses, key: np.ndarray, first: int, count: int, room: int | None = None
) -> ClassMoments:
    """Moments of samples ``first .. first + count - 1``; ``room`` (blocks) fixes the program's size."""
    means, scales, labels = (np.asarray(part, np.float64) for part in classes[:3])
    given = UniformClasses(means, scales, labels, np.asarray(classes.counts, np.int32))
    blocks = room_for(given.counts) if room is None else room
    parts = []
    for start in range(0, count, SIZE):
        size = min(SIZE, count - start)
        found = _moments(given, key, np.uint32(first + start), np.int32(size), blocks=blocks)
        parts.append(ClassMoments(*(np.asarray(part)[:size] for part in found)))
    return ClassMoments(*(np.concatenate(all_) for all_ in zip(*parts, strict=True)))
