"""What Wald's test of local symmetry will find in classes whose laws are known."""

from typing import NamedTuple

import numpy as np

from scaling.theory.size.curve import balanced_point
from scaling.theory.size.mixtures import Mixtures
from scaling.theory.size.problem import SizeProblem
from scaling.theory.size.symmetry import wald_power


class PopulationSymmetry(NamedTuple):
    """``g_phi (p,)``, its ``covariance`` V ``(p, p)`` at the problem's raw counts, the ``noncentrality``
    ``g_phi' V^-1 g_phi``, the degrees of freedom ``df`` and the ``power`` of the test at its level."""

    g_phi: np.ndarray
    covariance: np.ndarray
    noncentrality: float
    df: int
    power: float


def population_symmetry(
    problem: SizeProblem, level: float = 0.05, balanced: Mixtures | None = None
) -> PopulationSymmetry:
    """Exact g_phi, V and the power of the test on raw rows of two Gaussian classes.

    Args:
        problem: the classes, their raw counts and the loss; the generator does not enter.
        level: of the test, in (0, 1).
        balanced: what `balanced_point` gave, to save its time.

    Do not trust the power far from symmetry (V belongs to departures of order ``n^-1/2``), nor below
    about fifty minority rows per parameter.

    Source: paper_notes/synthetic_size.md, section 5.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> mirrored = gaussian_problem([[-1, 0], [1, 0], [1, 0]], (2000, 200), intercept=False)
    >>> round(population_symmetry(mirrored).power, 6)
    0.05
    """
    at = balanced_point(problem) if balanced is None else balanced
    gradients, hessians, seconds = (part[0, :2] for part in (at.gradients, at.hessians, at.seconds))
    inverse = np.linalg.inv(hessians.mean(axis=0))
    turns = hessians[1] @ inverse, hessians[0] @ inverse
    covariance = np.zeros_like(inverse)
    for turn, second, gradient, rows in zip(turns, seconds, gradients, problem.counts, strict=True):
        spread = second - np.outer(gradient, gradient)
        covariance += turn @ spread @ turn.T / rows
    g_phi = gradients[0] - gradients[1]
    noncentrality = float(g_phi @ np.linalg.solve(covariance, g_phi))
    df = len(g_phi)
    power = float(wald_power(noncentrality, df, level))
    return PopulationSymmetry(g_phi, covariance, noncentrality, df, power)
