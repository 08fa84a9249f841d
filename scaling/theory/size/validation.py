"""A size tuned on a validation sample: what it costs, beside the sizes that theory names.

Of rules fitted at a grid of sizes the one of least balanced loss on ``v_0`` and ``v_1`` independent rows of
the classes is kept. Near the best size m* the curve is a parabola, and the noise of the validation loss
a line in m: choosing costs, on top of the curve's minimum,

    cost = t' S_v t / (2 E''(m*)),   t = d theta/dm,   S_v = ( C_0/v_0 + C_1/v_1 )/4,

one parameter's worth of validation noise (C_y the covariance of the scores of class y).
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from scaling.theory.size.curve import balanced_point, size_curve
from scaling.theory.size.optimum import Objective, optimal_size
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_1, SizeProblem
from simulations.population.losses import SQUARED, Loss
from simulations.problems import InputError

# Relative step of the second differences of the curve.
STEP = 1e-2


class ValidationCost(NamedTuple):
    """``size`` m*, the ``least`` excess risk there, its curvature ``E''``, the ``cost`` of choosing on the
    validation sample and the ``spread`` (standard deviation) of the size it chooses; ``status``."""

    size: float
    least: float
    curvature: float
    cost: float
    spread: float
    status: str


def validation_cost(
    problem: SizeProblem, rows: tuple[float, float], objective: Objective = "total"
) -> ValidationCost:
    """What choosing m on ``rows = (v_0, v_1)`` validation rows costs, to first order in 1/v.

    Args:
        problem: raw and synthetic laws, counts and loss.
        rows: of each class that validate.
        objective: which risk the size minimises.

    Do not trust it where ``spread`` is not small beside the size and the grid's range (the parabola
    ends), nor for a grid coarser than the spread.

    Raises:
        InputError: numbers of validation rows that are not positive.

    Source: paper_notes/synthetic_size.md, section 9.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> found = validation_cost(golden.with_counts(40_000, 2000), (200, 200))
    >>> f"{found.least:.2e}", f"{found.cost:.2e}"
    ('6.44e-06', '4.63e-04')
    """
    if not min(rows) > 0.0:
        raise InputError("rows: give positive numbers of validation rows for both classes.")
    balanced = balanced_point(problem)
    best = optimal_size(problem, objective, balanced)
    if not best.found:
        nan = float("nan")
        return ValidationCost(best.rows, best.value, nan, nan, nan, best.status)
    step = STEP * best.rows
    points = best.rows + step * np.array([-1.0, 0.0, 1.0])
    terms = size_curve(problem, points, balanced)
    values = terms.floor if objective == "floor" else terms.total
    curvature = float(values[0] - 2.0 * values[1] + values[2]) / step**2
    at = terms.solved
    whole = sum(problem.counts) + best.rows
    moved = np.zeros(4)
    moved[[RAW_0, RAW_1]] = -np.array(problem.counts) / whole**2
    moved[SYNTHETIC_1] = sum(problem.counts) / whole**2
    way = -at.inverse[1] @ (moved @ at.gradients[1])
    gradients, seconds = at.gradients[1], at.seconds[1]
    noise = sum(
        (seconds[y] - np.outer(gradients[y], gradients[y])) / (4.0 * rows[y]) for y in (0, 1)
    )
    variance = float(way @ noise @ way)
    return ValidationCost(
        best.rows,
        best.value,
        curvature,
        0.5 * variance / curvature,
        variance**0.5 / curvature,
        best.status,
    )


def chosen_by_validation(
    loss: Loss, theta: np.ndarray, majority: np.ndarray, minority: np.ndarray
) -> np.ndarray:
    """Which of C rules each replicate's validation sample prefers, ``(R,)``.

    Args:
        loss: whose balanced mean is compared.
        theta: rules ``(R, C, p)``.
        majority, minority: validation rows ``(R, v, p)`` of each class (lifted where there is an
            intercept).
    """
    total = np.zeros(theta.shape[:2])
    for rows, label in ((majority, 0.0), (minority, 1.0)):
        if loss.name == SQUARED.name:
            square, mean = np.einsum("rvp,rvq->rpq", rows, rows) / rows.shape[1], rows.mean(axis=1)
            bent = np.einsum("rpq,rcq->rcp", square, theta) - 2.0 * label * mean[:, None, :]
            total += np.einsum("rcp,rcp->rc", theta, bent)
        else:
            u = np.einsum("rvp,rcp->rcv", rows, theta)
            total += np.asarray(loss.value(jnp.asarray(u), jnp.full_like(u, label))).mean(axis=2)
    return np.argmin(total, axis=1)
