"""One sample: the rows of a unit in one replicate, and their weights in the cells of a tile."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations import draws
from simulations.craft.rows import CraftRows, row_columns
from simulations.sampling.rooms import TILE
from simulations.sampling.segments import Segments, Tiles


class Sample(NamedTuple):
    """Rows in blocks: ``rows (B, p, BLOCK)`` and ``labels (B, BLOCK)``, both ``None`` when they are
    drawn anew wherever they are needed; ``key`` is the replicate's."""

    key: Array
    rows: Array | None
    labels: Array | None


class View(NamedTuple):
    """A sample as one tile sees it: the tile's arrays (its own axis taken away), and the weight
    ``extra (B', TILE, BLOCK)`` that repeats add to raw rows (``None`` where none can be)."""

    segments: Segments
    tile: Tiles
    sample: Sample
    extra: Array | None
    intercept: bool


def row_block(segments: Segments, key: Array, place: Array, intercept: bool) -> tuple[Array, Array]:
    """Draw one block: rows ``(p, BLOCK)``, labels ``(BLOCK,)``; ``key`` is the replicate's."""
    segment, number = segments.blocks.segment[place], segments.blocks.number[place]
    block = draws.block_key(key, segment, number)
    atoms = segments.means.shape[1]
    means = segments.means[segment]
    if isinstance(segments.roots, CraftRows):
        law = segments.roots
        shared = row_columns(law, block, law.label[segment])
        drawn = [shared] * atoms
    else:
        normals = draws.normal_block(block, segments.means.shape[-1])
        roots = segments.roots[segment]
        drawn = [roots[a] @ normals for a in range(atoms)]
    columns = drawn[0] + means[0][:, None]
    labels = jnp.full(draws.BLOCK, segments.labels[segment, 0])
    if atoms > 1:
        uniform = draws.uniform_block(block)
        for a in range(1, atoms):
            chosen = uniform >= segments.thresholds[segment, a - 1]
            candidate = drawn[a] + means[a][:, None]
            columns = jnp.where(chosen[None, :], candidate, columns)
            labels = jnp.where(chosen, segments.labels[segment, a], labels)
    if intercept:
        columns = jnp.concatenate([columns, jnp.ones((1, draws.BLOCK))])
    return columns, labels


def empty_sample(segments: Segments, key: Array, *, intercept: bool, stream: bool) -> Sample:
    """Room for a sample; blocks that are not used stay as they are."""
    if stream:
        return Sample(key, None, None)
    size = segments.blocks.segment.shape[0]
    features = segments.means.shape[-1] + intercept
    return Sample(key, jnp.zeros((size, features, draws.BLOCK)), jnp.zeros((size, draws.BLOCK)))


def draw_sample(
    segments: Segments, key: Array, replicate: Array, room: Sample, *, intercept: bool
) -> Sample:
    """Draw all rows of one replicate into ``room``, whatever it held before.

    Only the used blocks are drawn, so room to spare costs nothing; a sample without room stays
    a key.

    Args:
        segments: where rows of each kind stand.
        key: of the run.
        replicate: its number.
        room: for the rows.
        intercept: whether rows have a constant feature.
    """
    own = draws.replicate_key(key, replicate)
    if room.rows is None or room.labels is None:
        return Sample(own, None, None)

    def draw(place: Array, buffers: tuple[Array, Array]) -> tuple[Array, Array]:
        rows, labels = buffers
        block, label = row_block(segments, own, place, intercept)
        return rows.at[place].set(block), labels.at[place].set(label)

    used = segments.blocks.used
    return Sample(own, *lax.fori_loop(0, used, draw, (room.rows, room.labels)))


def view(segments: Segments, sample: Sample, number: Array, *, intercept: bool, room: int) -> View:
    """The sample as tile ``number`` sees it; ``room``: raw blocks that rows may be
    repeated of, 0 where none are."""
    tile = jax.tree.map(lambda part: part[number], segments.tiles)
    extra = _repeats(segments, tile, sample.key, room) if room else None
    return View(segments, tile, sample, extra, intercept)


def _repeats(segments: Segments, tile: Tiles, key: Array, room: int) -> Array:
    """The weight that repeated rows add to each raw row in the cells of a tile.

    A repeat counts in all cells whose limit lies beyond its number. So it is added once, at the
    lowest such limit, and the sums up to each limit give every cell its own multiplicities
    (whole numbers, exact in a product of matrices).
    """
    groups = segments.raw.shape[0]
    lanes = jnp.arange(draws.BLOCK, dtype=jnp.int32)

    def add(index: Array, counts: Array) -> Array:
        segment, number = tile.indices.segment[index], tile.indices.number[index]
        group, pool = segment % groups, segment // groups - 1
        block = draws.block_key(key, segment, number)
        source = draws.index_block(block, segments.raw[group])
        drawn = number * draws.BLOCK + lanes
        first = (drawn[:, None] >= tile.bound[segment][None, :]).sum(axis=1)
        place = segments.first_block[group] + source // draws.BLOCK
        # Beyond all limits the index is out of bounds and the repeat dropped.
        return counts.at[place, pool, first, source % draws.BLOCK].add(1, mode="drop")

    counts = jnp.zeros((room, 2, TILE, draws.BLOCK), jnp.int32)
    counts = lax.fori_loop(0, tile.indices.used, add, counts)

    def weigh(block: Array, extra: Array) -> Array:
        segment = segments.blocks.segment[block]
        total = jnp.zeros((TILE, draws.BLOCK))
        for pool in range(2):
            from_pool = segment + (pool + 1) * groups
            within = jnp.arange(TILE)[None, :] <= tile.rank[from_pool][:, None]
            upto = within.astype(float) @ counts[block, pool].astype(float)
            total = total + tile.weight[from_pool][:, None] * upto
        return extra.at[block].set(total)

    repeated = jnp.where(tile.indices.used > 0, segments.raw_blocks, 0)
    return lax.fori_loop(0, repeated, weigh, jnp.zeros((room, TILE, draws.BLOCK)))


def block_of(seen: View, index: Array) -> tuple[Array, Array, Array]:
    """Block ``index`` of a tile: rows ``(p, BLOCK)``, labels ``(BLOCK,)`` and the rows' weights in
    every cell ``(TILE, BLOCK)``, zero beyond a cell's prefix."""
    place = seen.tile.place[index]
    blocks = seen.segments.blocks
    segment, number = blocks.segment[place], blocks.number[place]
    row = number * draws.BLOCK + jnp.arange(draws.BLOCK, dtype=jnp.int32)
    counted = row[None, :] < seen.tile.limit[segment][:, None]
    weights = jnp.where(counted, seen.tile.weight[segment][:, None], 0.0)
    if seen.extra is not None:
        # Raw rows come first in the buffer.
        raw = place < seen.segments.raw_blocks
        held = jnp.minimum(place, seen.extra.shape[0] - 1)
        weights = weights + jnp.where(raw & counted, seen.extra[held], 0.0)
    if seen.sample.rows is None or seen.sample.labels is None:
        rows, labels = row_block(seen.segments, seen.sample.key, place, seen.intercept)
        return rows, labels, weights
    return seen.sample.rows[place], seen.sample.labels[place], weights
