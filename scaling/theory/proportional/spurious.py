"""The explicit-memorisation model in the proportional limit: clusters of its rows, predicted errors.

In the span of core and spurious feature a group's rows have mean ``(y, a)`` and covariance
``diag(core, spurious)``, and outside variance ``noise/d``. Reweighting is one cluster a group with
weight ``1/(4 p_g)`` of the n raw rows; subsampling four equal clusters of the rows it keeps
(paper_notes/proportional_spurious.md).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling.theory.proportional.clusters import Clusters, Solution
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.status import REASONS
from simulations.memorising.replicates import Cell
from simulations.memorising.rows import Reference
from simulations.memorising.world import ATTRIBUTES, CONFLICTING, LABELS, World, group_counts
from simulations.problems import InputError


class Predicted(NamedTuple):
    """Errors ``(B,)`` of the conflicting groups (``worst``), the ``aligned`` ones, and on ``average`` over
    the raw rows; ``spread`` q of the scores; NaN where the solve of ``solution`` has no number."""

    worst: np.ndarray
    aligned: np.ndarray
    average: np.ndarray
    spread: np.ndarray
    solution: Solution


def clusters(of: World, cell: Cell) -> Clusters:
    """The four clusters that a cell trains on.

    >>> cell = Cell(200, 400, "reweighting")
    >>> clusters(World(0.9, 1.0, 0.1, 10.0, 1e-4), cell).weight.round(6).tolist()
    [0.555556, 5.0, 5.0, 0.555556]
    """
    counts = group_counts(of, cell.rows, cell.scheme)
    share = counts / counts.sum()
    mean = np.stack([LABELS, ATTRIBUTES], axis=-1)
    within = np.broadcast_to(np.diag([of.core, of.spurious]), (4, 2, 2))
    outside = np.full(4, of.noise / cell.parameters)
    return Clusters(share, 0.25 / share, LABELS, mean, within, outside)


def predicted(of: World | Sequence[World], cells: Sequence[Cell]) -> Predicted:
    """Errors that the fixed point predicts for cells, in one batch.

    Args:
        of: the world, or one for every cell.
        cells: raw rows, noise features and scheme; what counts is d over the rows trained on.

    Do not trust it with fewer than about ten rows in the smallest group.

    Source: paper_notes/proportional_spurious.md.

    >>> world = World(0.9, 1.0, 0.1, 10.0, 2e-3)
    >>> cells = [Cell(600, d, s) for s in ("reweighting", "subsampling") for d in (30, 6000)]
    >>> predicted(world, cells).worst.round(3).tolist()
    [0.231, 0.341, 0.218, 0.16]
    """
    worlds = [of] * len(cells) if isinstance(of, World) else list(of)
    parts = [clusters(world, cell) for world, cell in zip(worlds, cells, strict=True)]
    batch = Clusters(*(np.stack(each) for each in zip(*parts, strict=True)))
    aspect = np.array([
        cell.parameters / group_counts(world, cell.rows, cell.scheme).sum()
        for world, cell in zip(worlds, cells, strict=True)
    ])  # fmt: skip
    found = fixed_point("logistic", batch, aspect, np.array([world.ridge for world in worlds]))
    errors = group_errors(found, batch)
    worst, aligned = (errors[:, keep].mean(axis=1) for keep in (CONFLICTING, ~CONFLICTING))
    share = np.array([world.aligned for world in worlds])
    within = np.einsum("bi,bij,bj->b", found.projection, batch.covariance[:, 0], found.projection)
    spread = np.sqrt(within + batch.variance[:, 0] * found.norm**2)
    average = share * aligned + (1.0 - share) * worst
    return Predicted(worst, aligned, average, spread, found)


def reference(of: Predicted, place: int) -> Reference:
    """The rule of the fixed point, for the control variates of `simulations.memorising.rows`.

    Args:
        of: what the fixed point predicts.
        place: of the solve among those of a batch.

    Raises ``InputError`` where that solve has no number.
    """
    if of.solution.status[place] != 0:
        raise InputError(f"no rule at cell {place}: {REASONS[int(of.solution.status[place])]}.")
    core, spurious = of.solution.projection[place]
    return Reference(float(core), float(spurious), float(of.spread[place]))
