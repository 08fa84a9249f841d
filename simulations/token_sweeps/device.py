"""The arrays of a unit of tokens that no replicate changes, handed to compiled programs again and again."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simulations.arrays import AnyArray
from simulations.population.minimisers import ridge_matrix
from simulations.population.units import Unit
from simulations.token_sweeps.endless import Pieces
from simulations.token_sweeps.population import TokenPopulation


class Device(NamedTuple):
    """A unit's arrays, handed to programs again and again: of T positions, K groups, D rows, p features.

    ``tables``: embeddings of the positions, each ``(d_t, r)``; ``points (D, p)``; ``log_laws`` and ``laws``
    ``(K, D)``; ``labels (K,)`` 0.0 or 1.0; ``best (p,)`` of the balanced risk; ``pieces`` of the generator,
    slopes and bends left out; ``acts (K,)`` booleans; ``counts (K,)`` of raw rows; ``penalty (p, p)`` of
    the ridge."""

    tables: tuple[AnyArray, ...]
    points: AnyArray
    log_laws: AnyArray
    laws: AnyArray
    labels: AnyArray
    best: AnyArray
    pieces: Pieces
    acts: AnyArray
    counts: AnyArray
    penalty: AnyArray


def device_arrays(unit: Unit, population: TokenPopulation) -> Device:
    """The arrays of a unit that no replicate changes.

    Args:
        unit: one generator of a sweep of tokens.
        population: of the unit (`population.token_population`).

    Returns:
        `Device`, arrays of JAX in double precision.
    """
    here = population.world
    # Slopes and bends of laws are in the population of cells; programs of replicates need no copy.
    slim = population.pieces._replace(slope=np.zeros(()), bend=np.zeros(()))
    return jax.tree.map(
        jnp.asarray,
        Device(
            tuple(here.tables),
            here.points,
            here.log_laws,
            here.laws,
            here.labels.astype(float),
            here.best,
            slim,
            population.acts,
            unit.counts.astype(float),
            ridge_matrix(here.points.shape[1], unit.sweep.estimator.ridge, True),
        ),
    )
