"""The rows of a unit as plain numbers: segments as in `simulations.sampling.segments`, isotropic laws.

For K groups there are ``S = 3K`` segments: raw rows, oversampling pools, augmentation pools. A cell takes a
prefix of each; where rows repeat raw ones it takes a prefix of the indices.
"""

from typing import NamedTuple

import numpy as np

from simulations import draws
from simulations.arrays import AnyArray
from simulations.population.units import Unit, key_words
from simulations.problems import InputError
from simulations.sampling.layout import laws_of, limits_of, repeated_of, row_weights
from simulations.setup.generators import padded

# Numbers in the rows of one sample (512 MiB in double precision, per worker).
MOST_NUMBERS = 2**26


class Blocks(NamedTuple):
    """``segment (B,)`` and ``number (B,)`` of each block that is drawn."""

    segment: np.ndarray
    number: np.ndarray


class Layout(NamedTuple):
    """Laws of S segments of up to A atoms: ``mean (S, A, d)``, ``sd (S, A)``, ``label (S, A)`` and
    cumulated ``threshold (S, A)``; what the C cells take of them, ``limit (C, S)`` rows of
    ``weight (C, S)``; which are ``repeated (S,)``; blocks of ``rows`` and of ``indices``; ``key (2,)``."""

    mean: np.ndarray
    sd: np.ndarray
    label: np.ndarray
    threshold: np.ndarray
    limit: np.ndarray
    weight: np.ndarray
    repeated: np.ndarray
    rows: Blocks
    indices: Blocks
    key: AnyArray


def layout(unit: Unit) -> Layout:
    """The layout of a unit; raises ``InputError`` where a sample would not fit in memory."""
    limits, repeated = limits_of(unit.cells), repeated_of(unit)
    longest = limits.max(axis=0)
    rows, indices = np.where(repeated, 0, longest), np.where(repeated, longest, 0)
    dim = unit.world.means.shape[1]
    numbers = float(rows.astype(float).sum()) * dim + float(indices.astype(float).sum())
    if numbers > MOST_NUMBERS:
        raise InputError(
            f"counts: one sample of generator '{unit.generator.kind}' has"
            f" {rows.astype(float).sum():.1e} rows of {dim} features, {numbers:.1e} numbers (limit"
            f" {MOST_NUMBERS:.1e}); lower counts, ratios, augment or dim, or use synthlaw predict,"
            " which draws no rows."
        )
    laws = laws_of(unit)
    laws = padded(laws, max(len(law) for law in laws))
    return Layout(
        np.array([[atom.mean for atom in law] for law in laws]),
        # One variance in every direction: the configuration asks for it.
        np.sqrt([[float(atom.covariance[0, 0]) for atom in law] for law in laws]),
        np.array([[float(atom.label) for atom in law] for law in laws]),
        np.array([np.cumsum([atom.probability for atom in law]) for law in laws]),
        limits,
        row_weights(unit.cells),
        repeated,
        _blocks(rows),
        _blocks(indices),
        key_words(unit),
    )


def variances(unit: Unit) -> np.ndarray:
    """The variance of a group's rows in every direction, ``(K,)``."""
    return unit.world.covariances[:, 0, 0]


def _blocks(lengths: np.ndarray) -> Blocks:
    count = -(-lengths // draws.BLOCK)
    segment = np.repeat(np.arange(len(lengths)), count).astype(np.int32)
    number = np.concatenate([np.arange(k) for k in count]).astype(np.int32)
    return Blocks(segment, number)
