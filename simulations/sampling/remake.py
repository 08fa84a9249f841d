"""Synthetic rows made from the raw rows of their own replicate.

A sample is first drawn as if every synthetic row were an independent one of the law in
`simulations.setup.generators`, in the buffer where the raw rows come first; then the rows of the
groups that a fitted generator acts on are remade in place, from these and from the raw rows:

    gaussian   mean^ + L^ L^-1 (x - mean)         mean^, L^ L^' fitted to the raw rows
    smoothed   x_i + h/sqrt(1 + h^2) (x - mean)   x_i a raw row drawn with replacement
    smote      x_i + u (x_J - x_i)                x_J one of its nearest neighbours, u uniform

with L L' the group's covariance. So a fitted row shares its normals with the right law's, which is what
the coupled control variate rests on (paper_notes/generators.md), and prefixes stay prefixes.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations import draws
from simulations.population.fitted import LESS
from simulations.sampling.rooms import Room
from simulations.sampling.sample import Sample
from simulations.sampling.segments import Fitting, Segments
from simulations.smote.neighbours import neighbours
from simulations.smote.rows import choices, interpolate


class RawMoments(NamedTuple):
    """Of the raw rows of every group, about the mean of its law: ``means (K, d)`` and ``products
    (K, d, d)``, the mean of ``(x - mean)(x - mean)'``."""

    means: Array
    products: Array


def raw_moments(segments: Segments, fitting: Fitting, rows: Array) -> RawMoments:
    """Moments of the raw rows in a buffer of ``rows (B, p, BLOCK)``."""
    groups, dim = fitting.centre.shape
    lanes = jnp.arange(draws.BLOCK, dtype=jnp.int32)

    def add(place: Array, sums: RawMoments) -> RawMoments:
        group, number = segments.blocks.segment[place], segments.blocks.number[place]
        counted = number * draws.BLOCK + lanes < segments.raw[group]
        x = jnp.where(counted, rows[place, :dim] - fitting.centre[group][:, None], 0.0)
        return RawMoments(
            sums.means.at[group].add(x.sum(axis=1)), sums.products.at[group].add(x @ x.T)
        )

    zero = RawMoments(jnp.zeros((groups, dim)), jnp.zeros((groups, dim, dim)))
    sums = lax.fori_loop(0, segments.raw_blocks, add, zero)
    count = segments.raw.astype(float)
    return RawMoments(sums.means / count[:, None], sums.products / count[:, None, None])


def _maps(fitting: Fitting, found: RawMoments, raw: Array) -> Array:
    """``L^ L^-1`` of every group, ``(K, d, d)``; the identity where the covariance is known."""
    centred = found.products - found.means[:, :, None] * found.means[:, None, :]
    count = jnp.maximum(raw, LESS + 1).astype(float)
    fitted = lax.linalg.cholesky((count / (count - LESS))[:, None, None] * centred)
    turned = lax.linalg.triangular_solve(fitting.root, fitted, left_side=False, lower=True)
    return jnp.where(fitting.estimated, turned, jnp.eye(fitted.shape[-1]))


def _raw_rows(segments: Segments, rows: Array, group: Array, pool: int, dim: int) -> Array:
    """The raw rows of a group, ``(pool * BLOCK, d)``, those beyond its number being anything."""
    places = jnp.minimum(segments.first_block[group] + jnp.arange(pool), rows.shape[0] - 1)
    return rows[places, :dim].transpose(0, 2, 1).reshape(pool * draws.BLOCK, dim)


def _searched(segments: Segments, fitting: Fitting, rows: Array, room: Room) -> tuple[Array, Array]:
    """Of every group the raw rows ``(K, pool * BLOCK, d)``, and their neighbours ``(K, pool * BLOCK, k)``
    where synthetic rows are made between them: once a replicate, for all cells."""
    dim = fitting.centre.shape[1]

    def one(group: Array) -> tuple[Array, Array]:
        own = _raw_rows(segments, rows, group, room.pool, dim)
        none = jnp.zeros((own.shape[0], room.neighbours), jnp.int32)
        near = lax.cond(
            fitting.acts[group],
            lambda: neighbours(own, segments.raw[group], room.neighbours),
            lambda: none,
        )
        return own, near

    return lax.map(one, jnp.arange(fitting.acts.shape[0]))


def remake(segments: Segments, sample: Sample, found: RawMoments, room: Room) -> Sample:
    """The sample with the rows of the fitted generator in place of those drawn."""
    fitting = segments.fitting
    if fitting is None or sample.rows is None:
        return sample
    groups, dim = fitting.centre.shape
    searched = _searched(segments, fitting, sample.rows, room) if room.fitted == "smote" else None
    maps = _maps(fitting, found, segments.raw) if room.fitted == "gaussian" else None

    def made(rows: Array, place: Array, group: Array) -> Array:
        deviation = rows[place, :dim] - fitting.centre[group][:, None]
        if maps is not None:
            mean = fitting.centre[group] + found.means[group]
            return mean[:, None] + maps[group] @ deviation
        segment, number = segments.blocks.segment[place], segments.blocks.number[place]
        key = draws.block_key(sample.key, segment, number)
        if searched is not None:
            own, near = (part[group] for part in searched)
            return interpolate(own, choices(key, near, segments.raw[group])).T
        seed = draws.index_block(key, segments.raw[group])
        at = segments.first_block[group] + seed // draws.BLOCK
        return rows[at, :dim, seed % draws.BLOCK].T + fitting.noise * deviation

    def advance(place: Array, rows: Array) -> Array:
        group = segments.blocks.segment[place] % groups
        block = lax.cond(
            fitting.acts[group], lambda: made(rows, place, group), lambda: rows[place, :dim]
        )
        return rows.at[place, :dim].set(block)

    rows = lax.fori_loop(segments.raw_blocks, segments.blocks.used, advance, sample.rows)
    return sample._replace(rows=rows)
