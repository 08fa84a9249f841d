"""The engine's estimators as problems of a margin loss, and back.

The engine minimises ``sum_i W_i l(u_i, y_i) + (ridge/2)|slope|^2``, ``sum W_i = 1``, labels 0/1. With
``y = (1 + Y)/2``: the logistic loss is a margin loss as it stands; the squared loss is a quarter of one,

    (u - y)^2 = (1 - Y U)^2/4,    U = 2u - 1,    (ridge/2)|slope_u|^2 = (1/4)(ridge/2)|slope_U|^2,

so that the ridge stays the same, slopes double and the intercept becomes ``2b - 1``. A rule without an
intercept has then the constant -1.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.proportional.clusters import Solution
from scaling.theory.proportional.fixed_point import known


class MarginProblem(NamedTuple):
    """Arguments of `fixed_point.fixed_point` besides clusters and aspect."""

    loss: str
    ridge: float
    intercept: bool
    offset: float


class EngineRule(NamedTuple):
    """``projection (.., k)`` and ``norm`` of the engine's slope, its ``intercept`` and the
    ``threshold`` above which a score says label 1."""

    projection: np.ndarray
    norm: np.ndarray
    intercept: np.ndarray
    threshold: float


def from_engine(kind: str, ridge: float, intercept: bool) -> MarginProblem:
    """What the fixed point takes for an estimator of the engine.

    Args:
        kind: ``estimator.kind``: "logistic" or "squared" (or "hinge", which the engine has not).
        ridge, intercept: ``estimator.ridge`` and ``estimator.intercept``.

    >>> from_engine("squared", 0.1, False)
    MarginProblem(loss='squared', ridge=0.1, intercept=False, offset=-1.0)
    """
    known(kind)
    offset = -1.0 if kind == "squared" and not intercept else 0.0
    return MarginProblem(kind, ridge, intercept, offset)


def to_engine(kind: str, solution: Solution) -> EngineRule:
    """Order parameters in the units of the engine's ``theta``; group errors are those of the solution."""
    known(kind)
    s, r, b = (np.asarray(each) for each in solution[:3])
    if kind == "squared":
        return EngineRule(0.5 * s, 0.5 * r, 0.5 * (b + 1.0), 0.5)
    return EngineRule(s, r, b, 0.0)
