"""The rows the engine trains on, as plain arrays, for tests that redo its work in other ways."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simulations import draws
from simulations.configuration import read_sweep
from simulations.sample import block_weights, draw_sample, empty_sample
from simulations.segments import segments
from simulations.tasks import Task
from simulations.units import Unit, make_unit


class Rows(NamedTuple):
    """``x (N, p)``, ``y (N,)``, weight of every row in every cell ``(N, C)``, and the segment
    each row belongs to ``(N,)``: raw rows 0..K-1, oversampling pools, augmentation pools."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    segment: np.ndarray


@partial(jax.jit, static_argnames=("intercept", "repeats"))
def _draw(layout: Any, key: Any, replicate: Any, *, intercept: bool, repeats: bool) -> Any:
    room = empty_sample(layout, intercept=intercept, repeats=repeats)
    sample = draw_sample(layout, key, replicate, room, intercept=intercept)
    blocks = jnp.arange(layout.row_blocks.segment.shape[0])
    return sample, jax.vmap(lambda block: block_weights(layout, sample, block))(blocks)


def rows_of(unit: Unit, replicate: int) -> Rows:
    """All rows drawn for one replicate of a unit, those of weight 0 included."""
    layout = segments(unit)
    setting = unit.sweep.setting.model_dump(mode="json")
    sample, weights = _draw(
        layout,
        draws.sample_key(unit.sweep.run.seed, setting, unit.counts),
        np.uint32(replicate),
        intercept=unit.sweep.estimator.intercept,
        repeats=bool(layout.index_blocks.used > 0),
    )
    used = int(layout.row_blocks.used)
    x = np.asarray(sample.rows)[:used].transpose(0, 2, 1)
    return Rows(
        x.reshape(-1, x.shape[-1]),
        np.asarray(sample.labels)[:used].ravel(),
        np.asarray(weights)[:used].transpose(0, 2, 1).reshape(-1, len(unit.cells)),
        np.repeat(layout.row_blocks.segment[:used], draws.BLOCK),
    )


def units_of(sweep: dict[str, Any]) -> list[Unit]:
    """The units of a sweep without a ``[sweep]`` section, one per generator."""
    config = read_sweep(sweep)
    return [make_unit(config, spec) for spec in config.synthetic.generators]


def fitted(task: Task, count: int, program: Any) -> Any:
    """What ``program`` gives for replicates ``0 .. count - 1``."""
    static = task.static._replace(size=count)
    results = program(task.recipe, np.uint32(0), np.int32(count), static=static)
    return type(results)(*(np.asarray(part) for part in results))
