"""One sample: the rows of every cell of a unit in one replicate, and their weights."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations import draws
from simulations.segments import Segments


class Sample(NamedTuple):
    """Rows in blocks: ``rows (B, p, BLOCK)``, ``labels (B, BLOCK)``; ``extra (B', C, BLOCK)`` is the
    weight that duplicates add to raw rows (``None`` where no generator repeats rows)."""

    rows: Array
    labels: Array
    extra: Array | None


def _row_block(
    layout: Segments, key: Array, replicate: Array, index: Array, intercept: bool
) -> tuple[Array, Array]:
    segment, number = layout.row_blocks.segment[index], layout.row_blocks.number[index]
    block = draws.block_key(key, replicate, segment, number)
    dim = layout.means.shape[-1]
    normals = draws.normal_block(block, dim)
    atoms = layout.means.shape[1]
    means, roots = layout.means[segment], layout.roots[segment]
    columns = roots[0] @ normals + means[0][:, None]
    labels = jnp.full(draws.BLOCK, layout.labels[segment, 0])
    if atoms > 1:
        uniform = draws.uniform_block(block)
        for a in range(1, atoms):
            chosen = uniform >= layout.thresholds[segment, a - 1]
            candidate = roots[a] @ normals + means[a][:, None]
            columns = jnp.where(chosen[None, :], candidate, columns)
            labels = jnp.where(chosen, layout.labels[segment, a], labels)
    if intercept:
        columns = jnp.concatenate([columns, jnp.ones((1, draws.BLOCK))])
    return columns, labels


def _add_duplicates(
    layout: Segments, key: Array, replicate: Array, index: Array, extra: Array
) -> Array:
    """Add one block of repeated rows to the weights of the raw rows they repeat."""
    groups = layout.raw.shape[0]
    segment, number = layout.index_blocks.segment[index], layout.index_blocks.number[index]
    group = segment % groups
    block = draws.block_key(key, replicate, segment, number)
    source = draws.index_block(block, layout.raw[group])
    drawn = number * draws.BLOCK + jnp.arange(draws.BLOCK, dtype=jnp.int32)
    counted = drawn[None, :] < layout.limit[segment][:, None]
    weight = jnp.where(counted, layout.weight[segment][:, None], 0.0)
    place = layout.first_block[group] + source // draws.BLOCK
    return extra.at[place, :, source % draws.BLOCK].add(weight.T)


def empty_sample(layout: Segments, *, intercept: bool, repeats: bool) -> Sample:
    """Room for a sample; blocks that are not used stay as they are."""
    size = layout.row_blocks.segment.shape[0]
    features, cells = layout.means.shape[-1] + intercept, layout.limit.shape[1]
    return Sample(
        jnp.zeros((size, features, draws.BLOCK)),
        jnp.zeros((size, draws.BLOCK)),
        jnp.zeros((size, cells, draws.BLOCK)) if repeats else None,
    )


def draw_sample(
    layout: Segments, key: Array, replicate: Array, room: Sample, *, intercept: bool
) -> Sample:
    """Draw all rows of one replicate into ``room``, whatever it held before.

    Only the used blocks are drawn, so room to spare costs nothing.
    """

    def draw(index: Array, buffers: tuple[Array, Array]) -> tuple[Array, Array]:
        rows, labels = buffers
        block, label = _row_block(layout, key, replicate, index, intercept)
        return rows.at[index].set(block), labels.at[index].set(label)

    used = layout.row_blocks.used
    rows, labels = lax.fori_loop(0, used, draw, (room.rows, room.labels))
    if room.extra is None:
        return Sample(rows, labels, None)
    extra = lax.fori_loop(0, used, lambda index, buffer: buffer.at[index].set(0.0), room.extra)
    extra = lax.fori_loop(
        0,
        layout.index_blocks.used,
        lambda index, buffer: _add_duplicates(layout, key, replicate, index, buffer),
        extra,
    )
    return Sample(rows, labels, extra)


def block_weights(layout: Segments, sample: Sample, index: Array) -> Array:
    """Row weights of one block in every cell, ``(C, BLOCK)``; zero beyond a cell's prefix."""
    segment, number = layout.row_blocks.segment[index], layout.row_blocks.number[index]
    row = number * draws.BLOCK + jnp.arange(draws.BLOCK, dtype=jnp.int32)
    counted = row[None, :] < layout.limit[segment][:, None]
    weights = jnp.where(counted, layout.weight[segment][:, None], 0.0)
    return weights if sample.extra is None else weights + sample.extra[index]
