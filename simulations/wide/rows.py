"""The rows of one replicate: the same draws as those of `simulations.sampling`, in plain arrays.

The normals, uniforms and indices come from the same keys, block by block, so that samples are equal to
rounding and every rule that was simulated in few dimensions can be compared, replicate by replicate.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy import linalg

from simulations import draws
from simulations.compilation import quick_jit
from simulations.population.fitted import LESS
from simulations.population.units import Unit
from simulations.sampling.layout import made_of
from simulations.wide.layout import Blocks, Layout, variances


class Sample(NamedTuple):
    """``rows (N, d)`` and ``labels (N,)`` of all segments, which begin at ``start (S + 1,)``; of segments
    that repeat raw rows the ``repeats``, a list of S arrays of places within the group's raw rows."""

    rows: np.ndarray
    labels: np.ndarray
    start: np.ndarray
    repeats: list[np.ndarray]


@partial(quick_jit, static_argnames="dim")
def _normals(key: Array, replicate: Array, segment: Array, number: Array, *, dim: int) -> Array:
    """The standard normals of one block, ``(BLOCK, dim)``, in the single precision they are drawn in.

    A program for one block, called for each: in a loop XLA takes several times as long for it.
    """
    own = draws.block_key(draws.replicate_key(key, replicate), segment, number)
    return draws.normal_block(own, dim).astype(jnp.float32).T


@quick_jit
def _uniforms(key: Array, replicate: Array, segment: Array, number: Array) -> Array:
    """The uniforms of one block, ``(BLOCK,)``."""
    own = draws.replicate_key(key, replicate)
    return draws.uniform_block(draws.block_key(own, segment, number))


@quick_jit
def _indices(key: Array, replicate: Array, segment: Array, number: Array, count: Array) -> Array:
    """The indices below ``count`` of one block, ``(BLOCK,)``."""
    own = draws.replicate_key(key, replicate)
    return draws.index_block(draws.block_key(own, segment, number), count)


def _blocks(program: Callable[..., Array], blocks: Blocks, *more: np.ndarray) -> np.ndarray:
    """What a program draws for each block, along the first axis: ``(B, ..)``."""
    drawn = [program(*each) for each in zip(blocks.segment, blocks.number, *more, strict=True)]
    return np.stack([np.asarray(each) for each in drawn])


def draw(unit: Unit, laid_out: Layout, replicate: int) -> Sample:
    """All rows of one replicate of a unit."""
    at = (laid_out.key, np.uint32(replicate))
    dim = unit.world.means.shape[1]
    lengths, longest = lengths_of(laid_out), laid_out.limit.max(axis=0)
    first = np.searchsorted(laid_out.rows.segment, np.arange(len(lengths) + 1))

    def joined(blocks: np.ndarray) -> np.ndarray:
        """The first rows of every segment's blocks, as many as it has, one segment after the other."""
        parts = [
            blocks[first[s] : first[s + 1]].reshape(-1, *blocks.shape[2:])[:length]
            for s, length in enumerate(lengths)
        ]
        return np.concatenate(parts)

    normals = joined(_blocks(partial(_normals, *at, dim=dim), laid_out.rows))
    uniforms = None
    if (laid_out.threshold[:, 0] < 1.0).any():
        uniforms = joined(_blocks(partial(_uniforms, *at), laid_out.rows))
    return placed(unit, laid_out, normals, _repeats(unit, laid_out, at, longest), uniforms)


def lengths_of(laid_out: Layout) -> np.ndarray:
    """Rows that are drawn of each segment, ``(S,)``: none where raw rows are repeated."""
    return np.where(laid_out.repeated, 0, laid_out.limit.max(axis=0))


def placed(
    unit: Unit,
    laid_out: Layout,
    normals: np.ndarray,
    repeats: list[np.ndarray],
    uniforms: np.ndarray | None = None,
) -> Sample:
    """A sample made of standard normals ``(N, d)``, in the order of the segments; ``uniforms (N,)`` choose
    the atoms, and may be missing where every law has one."""
    start = np.concatenate([[0], np.cumsum(lengths_of(laid_out))])
    rows, labels = np.empty((start[-1], normals.shape[1])), np.empty(start[-1])
    for s in range(len(laid_out.repeated)):
        here = slice(start[s], start[s + 1])
        if uniforms is None or laid_out.threshold[s, 0] >= 1.0:
            rows[here] = laid_out.sd[s, 0] * normals[here].astype(float) + laid_out.mean[s, 0]
            labels[here] = laid_out.label[s, 0]
            continue
        atom = (uniforms[here, None] >= laid_out.threshold[s, None, :-1]).sum(axis=1)
        rows[here] = laid_out.sd[s, atom, None] * normals[here] + laid_out.mean[s, atom]
        labels[here] = laid_out.label[s, atom]
    sample = Sample(rows, labels, start, repeats)
    if unit.generator.kind == "gaussian":
        _refit(unit, sample, made_of(unit), unit.generator.covariance == "estimated")
    return sample


def _repeats(
    unit: Unit, laid_out: Layout, at: tuple[np.ndarray, np.uint32], longest: np.ndarray
) -> list[np.ndarray]:
    segments, groups = len(laid_out.repeated), len(unit.counts)
    none = [np.zeros(0, np.int32)] * segments
    if not len(laid_out.indices.segment):
        return none
    count = unit.counts[laid_out.indices.segment % groups].astype(np.int32)
    drawn = _blocks(partial(_indices, *at), laid_out.indices, count)
    first = np.searchsorted(laid_out.indices.segment, np.arange(segments + 1))
    return [
        drawn[first[s] : first[s + 1]].reshape(-1)[: longest[s]]
        if laid_out.repeated[s]
        else none[s]
        for s in range(segments)
    ]


def _refit(unit: Unit, sample: Sample, acts: np.ndarray, estimated: bool) -> None:
    """Put the Gaussian fitted to each group's raw rows in the place of its right law, in ``sample``:
    ``mean^ + L^ L^-1 (x - mean)`` as in `simulations.sampling.remake`."""
    groups = len(unit.counts)
    for g in np.flatnonzero(acts):
        raw = sample.rows[sample.start[g] : sample.start[g + 1]]
        centre = raw.mean(axis=0)
        turn = None
        if estimated:
            scatter = (raw - centre).T @ (raw - centre) / (len(raw) - LESS)
            turn = linalg.cholesky(scatter, lower=True) / np.sqrt(variances(unit)[g])
        for s in (groups + g, 2 * groups + g):
            here = slice(sample.start[s], sample.start[s + 1])
            deviation = sample.rows[here] - unit.world.means[g]
            sample.rows[here] = centre + (deviation if turn is None else deviation @ turn.T)


def weights_of(unit: Unit, laid_out: Layout, sample: Sample, cell: int) -> np.ndarray:
    """The weight of every row of a sample in one cell, ``(N,)``; 0 for rows that it has not."""
    groups = len(unit.counts)
    weights = np.zeros(len(sample.labels))
    for s, (limit, weight) in enumerate(
        zip(laid_out.limit[cell], laid_out.weight[cell], strict=True)
    ):
        if not laid_out.repeated[s]:
            weights[sample.start[s] : sample.start[s] + limit] = weight
    for s in np.flatnonzero(laid_out.repeated):
        g = s % groups
        times = np.bincount(sample.repeats[s][: laid_out.limit[cell, s]], minlength=unit.counts[g])
        weights[sample.start[g] : sample.start[g + 1]] += laid_out.weight[cell, s] * times
    return weights
