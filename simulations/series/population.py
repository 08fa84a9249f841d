"""The population behind a cell: penalised minimiser, its excess risk, noise and curvature.

With ``pi`` the share of label 1 at the minimiser u,

    W = (a + b) pi (1 - pi)                    curvature of the training risk at x
    S = sum_c (w_c^2/k_c) p_c (l'_c)^2         noise of its gradient at x
    excess(u^) = floor + mean[g (u^ - u)] + (1/2) mean[W_bal (u^ - u)^2] + ..
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from simulations.problems import InputError
from simulations.series import cosines
from simulations.series.classes import Classes, excess_risk
from simulations.series.newton import minimise, solve
from simulations.series.training import Cell, Part, masses

# Squared distance to the minimum, as a share of the ridge: far below what a floor is compared with.
PRECISION = 1e-14


class Population(NamedTuple):
    """At the penalised minimiser of the training law: ``score (G,)`` (offset not taken off), ``floor``,
    ``curvature`` W, ``noise`` S, ``balanced`` W_bal, and ``steer = (W + lambda D)^-1 g``, all ``(G,)``."""

    score: np.ndarray
    floor: float
    curvature: np.ndarray
    noise: np.ndarray
    balanced: np.ndarray
    steer: np.ndarray


def slope(part: Part, share: np.ndarray) -> np.ndarray:
    """``l'``: derivative of the loss of a row of this part, ``(G,)``; ``share`` = pi."""
    return share - part.label


def population(two: Classes, cell: Cell) -> Population:
    """The population of a cell, exact on the grid.

    Args:
        two: the classes.
        cell: parts, ridge and power.

    Raises:
        ValueError: the minimiser was not found in 60 steps of Newton's method.

    Source: paper_notes/nonparametric.md, section 5.
    """
    ones, zeros = masses(cell.parts)
    penalty = cell.ridge * cosines.penalty(len(ones), cell.power)
    start = two.log_odds + cell.offset
    found = minimise(ones, zeros, penalty, start, PRECISION * cell.ridge)
    if not found.converged:
        raise InputError(
            f"the penalised minimiser at lambda = {cell.ridge:g} was not found in {found.steps} steps;"
            " raise lambda or use a coarser grid."
        )
    share = expit(found.score)
    curvature = (ones + zeros) * share * (1.0 - share)
    noise = sum(
        (
            part.weight**2 / part.rows * part.density * slope(part, share) ** 2
            for part in cell.parts
        ),
        np.zeros(len(ones)),
    )
    score = found.score - cell.offset
    judged = expit(score)
    total = two.density.sum(axis=0)
    gradient = 0.5 * (total * judged - two.density[1])
    steer, _ = solve(curvature, penalty, cosines.coefficients(gradient), 1e-10)
    return Population(
        found.score,
        float(excess_risk(two, score)),
        curvature,
        noise,
        0.5 * total * judged * (1.0 - judged),
        cosines.values(steer),
    )
