"""The rows the engine trains on, as plain arrays, for tests that redo its work in other ways."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from simulations import draws
from simulations.population.units import Unit, key_words, make_unit
from simulations.sampling.remake import raw_moments, remake
from simulations.sampling.rooms import room
from simulations.sampling.sample import block_of, draw_sample, empty_sample, view
from simulations.sampling.segments import segments
from simulations.setup.configuration import read_sweep


class Rows(NamedTuple):
    """``x (N, p)``, ``y (N,)``, weight of every row in every cell ``(N, C)``, and the segment
    each row belongs to ``(N,)``: raw rows 0..K-1, oversampling pools, augmentation pools."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    segment: np.ndarray


@partial(jax.jit, static_argnames=("intercept", "size"))
def _draw(laid_out: Any, key: Any, replicate: Any, *, intercept: bool, size: Any) -> Any:
    room = empty_sample(laid_out, key, intercept=intercept, stream=size.stream)
    sample = draw_sample(laid_out, key, replicate, room, intercept=intercept)
    if laid_out.fitting is not None and sample.rows is not None:
        found = raw_moments(laid_out, laid_out.fitting, sample.rows)
        sample = remake(laid_out, sample, found, size)

    def block(seen: Any, place: Any) -> Any:
        # The block as if the tile began with it.
        moved = seen._replace(tile=seen.tile._replace(place=seen.tile.place.at[0].set(place)))
        return block_of(moved, jnp.int32(0))

    def tile(number: Any) -> Any:
        seen = view(laid_out, sample, number, intercept=intercept, room=size.raw)
        return lax.map(lambda place: block(seen, place), jnp.arange(size.blocks, dtype=jnp.int32))

    rows, labels, weights = lax.map(tile, jnp.arange(size.tiles))
    return rows[0], labels[0], weights


def rows_of(unit: Unit, replicate: int, streamed: bool = False) -> Rows:
    """All rows drawn for one replicate of a unit, those of weight 0 included."""
    size = room(unit)._replace(stream=streamed)
    cells = tuple(range(len(unit.cells)))
    laid_out, order = segments(unit, cells, size)
    x, y, weights = _draw(
        laid_out,
        key_words(unit),
        np.uint32(replicate),
        intercept=unit.sweep.estimator.intercept,
        size=size,
    )
    used = int(laid_out.blocks.used)
    x = np.asarray(x)[:used].transpose(0, 2, 1)
    # (tiles, blocks, TILE, BLOCK) -> (rows, places) -> (rows, cells)
    weights = np.asarray(weights)[:, :used].transpose(1, 3, 0, 2).reshape(used * draws.BLOCK, -1)
    place = [int(np.flatnonzero(order == cell)[0]) for cell in cells]
    return Rows(
        x.reshape(-1, x.shape[-1]),
        np.asarray(y)[:used].ravel(),
        weights[:, place],
        np.repeat(laid_out.blocks.segment[:used], draws.BLOCK),
    )


def units_of(sweep: dict[str, Any]) -> list[Unit]:
    """The units of a sweep without a ``[sweep]`` section, one per generator."""
    config = read_sweep(sweep)
    return [make_unit(config, spec) for spec in config.synthetic.generators]
