"""Replicates of cells of a logistic series: counts on the grid, fits, exact excess risks.

The cost of a replicate does not depend on the number of rows: rows enter by their counts at the
grid's points, which are multinomial. Cells of one call share their rows: equal streams are one
stream of which each cell takes a prefix, its counts drawn piece by piece in the order of the sizes.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from simulations import cores
from simulations.problems import InputError
from simulations.series import cosines
from simulations.series.classes import Classes, excess_risk
from simulations.series.control import Control, control, control_values, noise_of
from simulations.series.keys import generator
from simulations.series.newton import minimise
from simulations.series.population import Population, population
from simulations.series.training import Cell

# Numbers that a batch of replicates holds in one array; and what a fit may lie above its minimum, as a
# share of the excess risk.
BATCH, PRECISION = 2**18, 1e-12


class Prepared(NamedTuple):
    """A cell with its population and control variate."""

    cell: Cell
    population: Population
    control: Control

    @property
    def predicted(self) -> float:
        """Floor, variance and second order: the excess risk expected at this lambda."""
        return self.population.floor + self.control.mean


class Values(NamedTuple):
    """Per replicate and cell ``(R, C)``: ``excess`` risk, its ``control`` less the control's mean, and
    whether the fit was ``found``; ``steps``, ``products``: most of Newton's steps and Hessian products."""

    excess: np.ndarray
    control: np.ndarray
    found: np.ndarray
    steps: int
    products: int


class Estimate(NamedTuple):
    """Of one cell: ``value`` with the control variate where no fit failed (else plain), ``se``; ``raw``
    mean and ``raw_se`` over the fits that were found; ``replicates``, ``failures``."""

    value: float
    se: float
    raw: float
    raw_se: float
    replicates: int
    failures: int


def prepare(two: Classes, cell: Cell) -> Prepared:
    """A cell made ready: what all its replicates share."""
    found = population(two, cell)
    return Prepared(cell, found, control(cell, found))


def draw_counts(
    cells: list[Cell], seed: int, replicate: int
) -> dict[tuple[tuple[Any, ...], int], np.ndarray]:
    """Counts ``(G,)`` of every stream of the cells at every size asked for, one replicate.

    A piece of a stream, rows ``first`` to ``last``, has a key of its own (seed, stream, first, last,
    replicate): a longer prefix is a shorter one and another piece.
    """
    wanted: dict[tuple[Any, ...], tuple[np.ndarray, set[int]]] = {}
    for cell in cells:
        for part in cell.parts:
            wanted.setdefault(part.stream, (part.density, set()))[1].add(part.rows)
    drawn = {}
    for stream, (density, sizes) in wanted.items():
        share = density / density.sum()
        total, first = np.zeros(len(density), np.int64), 0
        for last in sorted(sizes):
            random = generator(seed, [*stream, first, last, replicate])
            total = total + random.multinomial(last - first, share)
            drawn[stream, last] = total
            first = last
    return drawn


def _batch(two: Classes, ready: list[Prepared], seed: int, replicates: range) -> Values:
    drawn = [draw_counts([each.cell for each in ready], seed, r) for r in replicates]
    excess, controls, found = [], [], []
    steps = products = 0
    for cell, known, kept in ready:
        grid = len(known.score)
        counts = [
            np.stack([each[part.stream, part.rows] for each in drawn]).astype(float)
            for part in cell.parts
        ]
        ones, zeros = np.zeros(counts[0].shape), np.zeros(counts[0].shape)
        for part, count in zip(cell.parts, counts, strict=True):
            into = ones if part.label else zeros
            into += part.weight / part.rows * grid * count
        penalty = cell.ridge * cosines.penalty(grid, cell.power)
        noise = noise_of(kept, cell, counts)
        scale = known.floor + kept.variance
        fit = minimise(ones, zeros, penalty, known.score + noise.moved, PRECISION * scale)
        steps, products = max(steps, fit.steps), max(products, fit.products)
        excess.append(excess_risk(two, fit.score - cell.offset))
        controls.append(control_values(kept, known, noise) - kept.mean)
        found.append(fit.converged)
    excess, controls, found = (np.stack(each, axis=-1) for each in (excess, controls, found))
    return Values(excess, controls, found, steps, products)


def replicate_values(
    two: Classes, ready: list[Prepared], replicates: int, seed: int, first: int = 0
) -> Values:
    """Replicates ``first .. first + R - 1`` of several cells with common rows.

    Args:
        two: the classes that excess risks refer to.
        ready: cells from `prepare`, C of them.
        replicates: R >= 1.
        seed: root of all draws; the values do not depend on the number of threads or on R.
        first: number of the first replicate.

    Source: paper_notes/nonparametric.md, section 7.
    """
    if replicates < 1:
        raise InputError(f"replicates is {replicates}; give at least one.")
    size = max(1, BATCH // two.target.grid)
    size = min(size, -(-replicates // cores()))
    pieces = [
        range(first + start, first + min(start + size, replicates))
        for start in range(0, replicates, size)
    ]
    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(lambda piece: _batch(two, ready, seed, piece), pieces))
    return Values(
        np.concatenate([part.excess for part in parts]),
        np.concatenate([part.control for part in parts]),
        np.concatenate([part.found for part in parts]),
        max(part.steps for part in parts),
        max(part.products for part in parts),
    )


def estimates(values: Values) -> list[Estimate]:
    """Means with standard errors, one per cell; failed fits are left out and counted."""
    found = []
    for c in range(values.excess.shape[1]):
        good = values.found[:, c]
        raw = values.excess[good, c]
        failures = int((~good).sum())
        better = raw if failures else raw - values.control[good, c]
        found.append(Estimate(*_mean(better), *_mean(raw), len(good), failures))
    return found


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard error; NaN where there are too few."""
    if len(values) < 2:
        return (float(values[0]) if len(values) else float("nan")), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def simulate(two: Classes, cells: list[Cell], replicates: int, seed: int = 0) -> list[Estimate]:
    """The balanced excess risk of cells by simulation.

    >>> from simulations.series.classes import Target, classes
    >>> from simulations.series.training import raw
    >>> two = classes(Target(128, 1.0))
    >>> cell = raw(two, (10**4, 10**4), 1e-3, 1.0)
    >>> found = simulate(two, [cell], 20)[0]
    >>> found.failures, bool(abs(found.value - prepare(two, cell).predicted) < 0.1 * found.value)
    (0, True)
    """
    ready = [prepare(two, cell) for cell in cells]
    return estimates(replicate_values(two, ready, replicates, seed))
