"""Replicates of a unit in the proportional regime: draw, fit cell by cell, measure exactly.

A replicate depends on the unit, the cell and its number only. There are no control variates: an
expansion around the population's rule says nothing where there are as many features as rows.
"""

import numpy as np

from simulations.population.units import Unit
from simulations.sampling.newton import FOUND, SINGULAR
from simulations.sampling.replicate import Parameters, Results
from simulations.wide.fitted import Fitted, blank
from simulations.wide.layout import Layout
from simulations.wide.measures import values
from simulations.wide.rows import Sample, draw, weights_of
from simulations.wide.solvers import SOLVERS, solve


def mean_difference(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Fitted:
    """``slope = m_1 - m_0``, ``intercept = -(m_0 + m_1).slope/2`` with the weighted means of the labels."""
    ones, zeros = weights * labels, weights * (1.0 - labels)
    if not (ones.sum() > 0.0 and zeros.sum() > 0.0):
        return blank(rows.shape[1], True, SINGULAR, 0)
    upper, lower = rows.T @ ones / ones.sum(), rows.T @ zeros / zeros.sum()
    slope = upper - lower
    theta = np.append(slope, -0.5 * float((upper + lower) @ slope))
    return Fitted(theta, FOUND, 1, 0.0)


def fit(unit: Unit, laid_out: Layout, sample: Sample, cell: int) -> Fitted:
    """The rule of one cell in one sample."""
    weights = weights_of(unit, laid_out, sample, cell)
    # Without the rows of other cells, on which the last bits of a sum would depend.
    kept = weights > 0.0
    rows, labels = sample.rows, sample.labels
    if not kept.all():
        rows, labels, weights = rows[kept], labels[kept], weights[kept]
    estimator = unit.sweep.estimator
    if estimator.kind not in SOLVERS:
        return mean_difference(rows, labels, weights)
    return solve(estimator.kind, rows, labels, weights, estimator.ridge, estimator.intercept)


def _rules(
    unit: Unit, laid_out: Layout, first: int, count: int, cells: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """``theta (R, C, p)``, NaN where there is none, and ``status (R, C)``."""
    size = unit.world.means.shape[1] + unit.sweep.estimator.intercept
    theta = np.full((count, len(cells), size), np.nan)
    status = np.zeros((count, len(cells)), np.int8)
    for r in range(count):
        sample = draw(unit, laid_out, first + r)
        for c, cell in enumerate(cells):
            found = fit(unit, laid_out, sample, cell)
            theta[r, c], status[r, c] = found.theta, found.status
    return theta, status


def replicates(
    unit: Unit, laid_out: Layout, first: int, count: int, cells: tuple[int, ...]
) -> Results:
    """Results of replicates ``first .. first + count - 1`` of these cells, without control variates."""
    theta, status = _rules(unit, laid_out, first, count, cells)
    measured = np.full((count, len(cells), 2 * len(unit.counts)), np.nan)
    for at in zip(*np.nonzero(status == FOUND), strict=True):
        measured[at] = values(unit, theta[at])
    return Results(measured, np.zeros((count, len(cells), 0, measured.shape[2])), status)


def parameters(
    unit: Unit, laid_out: Layout, first: int, count: int, cells: tuple[int, ...]
) -> Parameters:
    """The fitted parameters themselves, for the same replicates; no linear estimate is known (NaN)."""
    theta, status = _rules(unit, laid_out, first, count, cells)
    return Parameters(theta, np.full_like(theta, np.nan), status)
