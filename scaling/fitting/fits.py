"""The record of a fitted law."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scaling.fitting.batches import problems_of
from scaling.fitting.curves import Curve
from scaling.fitting.laws import Law, reported, value
from scaling.fitting.polish import Measure
from scaling.fitting.projection import Problem

SQUARED = Measure()


class FitWarning(NamedTuple):
    """``code`` is the name of a page in paper_notes/warnings/; ``text`` one sentence with the remedy."""

    code: str
    text: str


class Fit(NamedTuple):
    """A fitted law. ``estimate (P,)`` on the internal scale; ``loss``: half the sum of squares of
    the weighted residuals (or Huber's loss of them); ``held``: parameters that were given."""

    law: Law
    curve: Curve
    measure: Measure
    growing: bool | float
    held: Mapping[str, float]
    estimate: np.ndarray
    loss: float
    settled: bool
    warnings: tuple[FitWarning, ...]

    @property
    def parameters(self) -> dict[str, float]:
        """Name and value of every parameter."""
        found = reported(self.law, self.estimate)
        return dict(zip(self.law.parameters, map(float, found), strict=True))

    @property
    def freedom(self) -> int:
        """Points less parameters fitted."""
        return len(self.curve.y) - len(self.law.parameters) + len(self.held)

    @property
    def variance(self) -> float:
        """Of a weighted residual: 1 where the standard errors were given, else estimated."""
        return 1.0 if self.curve.se is not None else 2.0 * self.loss / self.freedom

    def at(self, x: Any) -> np.ndarray:
        """The law at ``x (m,)`` or ``(m, V)``."""
        points = np.asarray(x, dtype=float)
        points = points[:, None] if points.ndim == 1 else points
        return value(self.law, reported(self.law, self.estimate), points)


def weights(measure: Measure, y: np.ndarray, se: np.ndarray | None) -> np.ndarray:
    """Weights of the residuals, one over their standard errors where these are known."""
    if measure.scale == "log":
        return np.ones_like(y) if se is None else y / se
    return np.ones_like(y) if se is None else np.broadcast_to(1.0 / se, y.shape)


def problem_of(fit: Fit) -> Problem:
    """The problem that a fit has solved, as a batch of one."""
    data = fit.curve
    w = weights(fit.measure, data.y, data.se)
    return problems_of(fit.law, data.x, data.y[None], w[None], fit.growing, fit.held)
