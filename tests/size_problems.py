"""Size problems for tests, and their quantities once more in plain NumPy (squared loss)."""

from typing import Any

import numpy as np

from scaling.theory.size.problem import SizeProblem, problem_of_laws
from simulations.population.losses import LOSSES
from simulations.setup.generators import Atom

Law = tuple[Any, Any]


def problem(
    majority: Law,
    minority: Law,
    synthetic: Law,
    counts: tuple[float, float],
    loss: str = "squared",
    intercept: bool = False,
    synthetic_majority: Law | None = None,
) -> SizeProblem:
    """Laws as pairs of mean and covariance (a number times the identity, or a matrix)."""

    def law(pair: Law, label: int) -> list[Atom]:
        mean = np.asarray(pair[0], dtype=float)
        covariance = np.asarray(pair[1], dtype=float)
        if covariance.ndim == 0:
            covariance = covariance * np.eye(len(mean))
        return [Atom(1.0, mean, covariance, label)]

    laws = (
        law(majority, 0),
        law(minority, 1),
        law(synthetic, 1),
        law(synthetic_majority or majority, 0),
    )
    return problem_of_laws(laws, counts, LOSSES[loss], intercept)


def golden(counts: tuple[float, float] = (20.0, 1.0), shift: float = -0.5) -> SizeProblem:
    return problem(([0, 0], 1), ([1, 0], 1), ([1 + shift, 0], 1), counts)


def anisotropic(counts: tuple[float, float] = (20.0, 1.0)) -> SizeProblem:
    spread = np.diag([1.0, 9.0])
    return problem(([0, 0], spread), ([1, 1], spread), ([1.05, 1], spread), counts)


def reference(
    shift: tuple[float, ...], majority_shift: tuple[float, ...] = (0.0,) * 5, scale: float = 1.0
) -> SizeProblem:
    """Logistic, ``N(-+e_1, I_5)``, 2,000 and 200 rows."""
    mean = np.eye(5)[0]
    return problem(
        (-mean, 1),
        (mean, 1),
        (mean + np.array(shift), scale),
        (2000.0, 200.0),
        "logistic",
        True,
        (-mean + np.array(majority_shift), scale),
    )


def squared_floor(given: SizeProblem, rows: float) -> float:
    """The floor of the squared loss from normal equations."""
    means, covariances = given.atoms.means[:3], given.atoms.covariances[:3]
    squares = [c + np.outer(m, m) for m, c in zip(means, covariances, strict=True)]
    labels = np.array([0.0, 1.0, 1.0])

    def rule(weights: np.ndarray) -> np.ndarray:
        left = np.tensordot(weights, squares, 1)
        return np.linalg.solve(left, (weights * labels) @ means)

    def risk(theta: np.ndarray) -> float:
        each = [
            theta @ s @ theta - 2 * y * theta @ m + y
            for s, m, y in zip(squares[:2], means[:2], labels[:2], strict=True)
        ]
        return float(np.mean(each))

    return risk(rule(np.array([*given.counts, rows]))) - risk(rule(np.array([1.0, 1.0, 0.0])))
