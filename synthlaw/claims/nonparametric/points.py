"""Simulated points of logistic series, each once in a laboratory, and where local slopes tend."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scaling.theory.nonparametric.limits import SlopeLimit, slope_limit
from scaling.theory.nonparametric.series import SeriesLaw, grid_for, series_law
from simulations.series.classes import Classes, Target, classes
from simulations.series.experiment import Estimate, estimates, prepare, replicate_values
from simulations.series.training import Cell
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab

# Fits of the preset quick: enough for a standard error that can be trusted.
REPLICATES = 50
# Names of the two kinds of target in tables and pictures.
ROUGH = {"alike": "rough at 0", "spread": "rough everywhere"}
PICTURE = "exponent_ladder"
# Makes a cell of these classes (the right ones, the generator's) at a lambda.
Make = Callable[[Classes, Classes, float], Cell]


class Point(NamedTuple):
    """``estimate`` of a cell; what theory ``predicted`` for it at its rows, the ``law`` it tends to."""

    estimate: Estimate
    predicted: float
    law: SeriesLaw


def point(
    lab: Lab,
    name: str,
    make: Make,
    *,
    rows: float,
    power: float = 1.0,
    signs: str = "spread",
    shift: float = 0.0,
    grid: int | None = None,
    replicates: int = REPLICATES,
) -> Point:
    """The cell ``make(right, generator, lambda)`` at its best lambda, on a grid for so many rows."""

    def simulated() -> Point:
        target = Target(grid or grid_for(rows, power), power, signs=signs)
        right, wrong = classes(target), classes(target._replace(shift=shift))
        parts = make(right, wrong, 1.0).parts
        law = series_law(right, parts, power)
        ready = prepare(right, make(right, wrong, law.ridge))
        many = replicates * lab.preset.effort
        found = estimates(replicate_values(right, [ready], many, lab.seed))[0]
        return Point(found, ready.predicted, law)

    return lab.recall(f"series {name} {power} {signs} {shift} {grid} {rows}", simulated)


def constant_row(
    series: str, size: float, regressor: float, prediction: float, found: Point, less: float = 0.0
) -> dict[str, Any]:
    """A row of evidence: what a point measures beyond ``less``, over a prediction."""
    estimate = found.estimate
    fitted = estimate.value - less, estimate.se
    row = fitted_row(series, size, prediction, fitted, estimate.replicates, estimate.failures)
    return {**row, "inverse_size": regressor}


def curve_limit(x: list[float], points: list[Point], correction: float) -> SlopeLimit:
    """The limit of the local slopes of simulated points."""
    values = np.array([p.estimate.value for p in points])
    errors = np.array([p.estimate.se for p in points])
    return slope_limit(np.array(x, float), values, errors, correction)


def limit_row(
    series: str, size: float, exponent: float, limit: SlopeLimit, points: list[Point]
) -> dict[str, Any]:
    """A row of evidence of kind exponent: a limit is a statement of its own, no ladder."""
    replicates = sum(p.estimate.replicates for p in points)
    failures = sum(p.estimate.failures for p in points)
    row = fitted_row(series, size, exponent, (limit.value, limit.error), replicates, failures)
    return {**row, "inverse_size": 0.0}


def leave(lab: Lab, panel: str, rows: list[dict[str, Any]]) -> None:
    """Add a panel's rows to the picture of exponents, once."""
    lab.draw(PICTURE, panel, pd.DataFrame(rows).assign(panel=panel))


def ladder_rows(
    series: str, exponent: float, limit: SlopeLimit, predicted: tuple[np.ndarray, np.ndarray]
) -> list[dict[str, Any]]:
    """Rows of the picture: measured slopes with errors, predicted ones ``(x, slope)``, the limit."""
    found = limit.slopes
    errors = np.sqrt(np.diag(found.covariance))
    common = {"series": series, "exponent": exponent}
    rows: list[dict[str, Any]] = [
        {**common, "rows": x, "slope": value, "se": error}
        for x, value, error in zip(found.x, found.value, errors, strict=True)
    ]
    rows += [{**common, "rows": x, "predicted": value} for x, value in zip(*predicted, strict=True)]
    rows.append({**common, "limit": limit.value, "limit_se": limit.error})
    return rows


def slopes_between(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Geometric means of neighbouring abscissae and the slopes there, with their sign turned."""
    return np.sqrt(x[1:] * x[:-1]), -np.diff(np.log(y)) / np.diff(np.log(x))
