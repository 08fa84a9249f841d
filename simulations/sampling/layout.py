"""What every segment holds: its law, and how many rows of which weight each cell takes of it."""

import numpy as np

from simulations.population.cells import Cell
from simulations.population.fitted import fitted_in
from simulations.population.plugins import PLUGINS
from simulations.population.units import Unit
from simulations.setup.generators import Atom, fits, independent_law, resamples, right_law


def fitted_of(unit: Unit) -> np.ndarray:
    """Which groups have synthetic rows made by a generator fitted to their raw rows, ``(K,)``."""
    return np.array([fits(unit.generator, unit.world, g) for g in range(len(unit.world.names))])


def made_of(unit: Unit) -> np.ndarray:
    """Which of these groups have such rows in any cell, ``(K,)``."""
    return np.any(fitted_in(unit.generator, unit.world, unit.cells), axis=0)


def laws_of(unit: Unit) -> list[list[Atom]]:
    """The law of a row of every segment, as Gaussian atoms."""
    groups = range(len(unit.world.names))
    raw = [[right_law(unit.world, g)] for g in groups]
    rows = [independent_law(unit.generator, unit.world, unit.counts, g) for g in groups]
    return [*raw, *rows, *rows]


def limits_of(cells: list[Cell]) -> np.ndarray:
    """Prefix of every segment that each cell takes, ``(C, S)``."""
    groups = len(cells[0].raw)
    limits = [[*cell.raw, *cell.oversampled, *[cell.augment] * groups] for cell in cells]
    return np.array(limits, np.int64)


def row_weights(cells: list[Cell]) -> np.ndarray:
    """Weight of one row of every segment in each cell, ``(C, S)``."""
    return np.array(
        [
            [*cell.row_weight, *cell.row_weight, *[cell.augment_weight] * len(cell.raw)]
            for cell in cells
        ]
    )


def repeated_of(unit: Unit) -> np.ndarray:
    """Which segments hold indices of repeated raw rows instead of rows, ``(S,)``."""
    groups = range(len(unit.world.names))
    repeats = np.array([resamples(unit.generator, unit.world, g) for g in groups])
    return np.concatenate([np.zeros(len(groups), bool), repeats, repeats])


def spanned_of(unit: Unit, cells: np.ndarray) -> np.ndarray:
    """Whether the rows of these cells ``(C,)`` are enough for the rule to be unique, ``(C,)``.

    Rows are continuous, so that k distinct ones span k dimensions almost surely: counting them is
    exact where a rank computed from rounded numbers is not. (Rows of ``craft`` lie on a lattice;
    that a dozen of them lie in one flat is far less likely than a separable sample.) A mean of each
    label taken off (lda) costs two more. Rows between raw rows (smote) span nothing new.

    Args:
        unit: one generator of a sweep.
        cells: their numbers.
    """
    between = np.concatenate([np.zeros(len(unit.world.names), bool), *[fitted_of(unit)] * 2])
    spanning = ~(repeated_of(unit) | (between if unit.generator.kind == "smote" else False))
    distinct = np.where(spanning, limits_of([unit.cells[c] for c in cells]), 0).sum(axis=1)
    estimator, dim = unit.sweep.estimator, unit.world.means.shape[1]
    if estimator.kind in PLUGINS:
        return distinct >= (dim + 2 if PLUGINS[estimator.kind] else 2)
    return (distinct >= dim + estimator.intercept) | (estimator.ridge > 0.0)
