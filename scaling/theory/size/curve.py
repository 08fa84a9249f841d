"""The balanced excess risk along the number of synthetic rows: floor + variance + second order.

``m`` synthetic minority rows join ``n_0`` and ``n_1`` raw ones; all rows weigh the same. The terms are
those of `scaling.theory.expansion` with real ``m``, and the floor's slope in ``m`` is exact as well:

    d floor/dm = g_b' d theta/dm,    d theta/dm = -H^-1 d(grad R_mix)/dm .
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scaling.theory.expansion import ROUNDING
from scaling.theory.size.mixtures import BALANCED, Mixtures, Weights, mixtures, size_weights
from scaling.theory.size.problem import SYNTHETIC_1, SizeProblem
from simulations.population.units import FLAT
from simulations.problems import InputError


class Terms(NamedTuple):
    """Of C training mixtures, each ``(C,)``: the terms of the balanced excess risk, and whether the
    mixture has a minimiser (else the terms are NaN); ``theta (C, p)`` and the matrices they rest on."""

    floor: np.ndarray
    variance: np.ndarray
    second_order: np.ndarray
    found: np.ndarray
    solved: Mixtures

    @property
    def total(self) -> np.ndarray:
        """``floor + variance + second_order``."""
        return self.floor + self.variance + self.second_order


def balanced_point(problem: SizeProblem) -> Mixtures:
    """All quantities at ``theta_bal``, leading axis 1; raises ``InputError`` where it is too flat."""
    found = mixtures(problem, BALANCED, penalised=False)
    if not found.found[0]:
        raise InputError(FLAT)
    return found


def terms_of(
    problem: SizeProblem,
    weights: Weights,
    balanced: Mixtures,
    starts: np.ndarray | None = None,
) -> Terms:
    """The terms of any weighted samples of the four laws."""
    at = mixtures(problem, weights, starts)
    gradient = at.gradients[:, :2].mean(axis=1)
    hessian = at.hessians[:, :2].mean(axis=1)
    floor = at.risk - balanced.risk[0]
    parts = (
        np.where(np.abs(floor) < ROUNDING, 0.0, floor),
        0.5 * np.einsum("cij,cij->c", hessian, at.spread),
        np.einsum("ci,ci->c", gradient, at.bias),
    )
    floor, variance, second_order = (np.where(at.found, part, np.nan) for part in parts)
    return Terms(floor, variance, second_order, at.found, at)


def size_curve(
    problem: SizeProblem, rows: Sequence[float] | np.ndarray, balanced: Mixtures | None = None
) -> Terms:
    """Floor, variance and second order of the balanced excess risk at ``rows`` synthetic rows.

    Args:
        problem: classes, generator, loss and raw counts.
        rows: ``m (C,)``, real, >= 0.
        balanced: what `balanced_point` gave, to save its time.

    Returns:
        Terms with one entry per m, exact up to ``O(n^-2)`` when all counts grow in proportion.

    Do not trust it where a class has fewer than about ten rows per feature.

    Raises:
        InputError: a negative number of rows, or classes that hardly overlap.

    Source: paper_notes/synthetic_size.md, section 1.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> size_curve(golden, [0, 19, 76]).floor.round(7).tolist()
    [0.1243113, 0.0161695, 0.0]
    """
    rows = np.atleast_1d(np.asarray(rows, dtype=float))
    if not (np.isfinite(rows) & (rows >= 0.0)).all():
        raise InputError("rows: numbers of synthetic rows must be finite and not negative.")
    return terms_of(problem, size_weights(problem, rows), balanced or balanced_point(problem))


def floor_slopes(problem: SizeProblem, rows: np.ndarray, terms: Terms) -> np.ndarray:
    """``d floor/dm`` at every m, ``(C,)``: exact."""
    at = terms.solved
    whole = sum(problem.counts) + rows
    each = np.zeros((len(rows), 4))
    each[:, :2] = problem.counts
    # dW/dm of weights k/M with M = n_0 + n_1 + m: -k/M^2, and for the synthetic rows (n_0 + n_1)/M^2.
    moved = -each / whole[:, None] ** 2
    moved[:, SYNTHETIC_1] = sum(problem.counts) / whole**2
    push = np.einsum("cq,cqi->ci", moved, at.gradients)
    moves = -np.einsum("cij,cj->ci", at.inverse, push)
    return np.einsum("ci,ci->c", at.gradients[:, :2].mean(axis=1), moves)
