"""Local slopes of a curve on logarithmic axes, and where they tend.

Between neighbouring points,

    a_i = -log((y_{i+1} - E)/(y_i - E)) / log(x_{i+1}/x_i),

is the exponent that a power law through both would have. Where the curve is ``A x^-a (1 + c x^-w)``,
``a_i = a + const x_i^-w + ...`` at the points' geometric mean: the exponent is the limit, not
any slope.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from simulations.problems import InputError


class Slopes(NamedTuple):
    """Slopes ``value (n-1,)`` at ``x (n-1,)`` with their ``covariance``: neighbours share a point."""

    x: np.ndarray
    value: np.ndarray
    covariance: np.ndarray


class Limit(NamedTuple):
    """The slope carried to infinite x, with its standard error; ``fitted (n-1,)``; the p-value of the
    lack of fit (1.0 where there are no degrees of freedom to test with)."""

    value: float
    se: float
    fitted: np.ndarray
    straightness: float


def local_slopes(x: np.ndarray, y: np.ndarray, se: np.ndarray, floor: float = 0.0) -> Slopes:
    """The local slopes of a curve above a floor that is known.

    Args:
        x: abscissae ``(n,)``, > 0, increasing.
        y: values ``(n,)``, above ``floor``, independent of each other.
        se: their standard errors ``(n,)``, > 0.
        floor: ``E``; theory must know it, for a fitted one makes all slopes dependent on each other.

    Raises:
        ValueError: abscissae that do not increase, values not above the floor.

    >>> x = np.array([1.0, 10.0, 100.0])
    >>> local_slopes(x, 2 * x**-0.5, np.full(3, 0.01)).value.round(9).tolist()
    [0.5, 0.5]
    """
    if len(x) < 2 or not (np.diff(x) > 0.0).all():
        raise InputError("x must increase from point to point; sort it and merge equal ones.")
    if not (y > floor).all():
        raise InputError(f"y is not above the floor {floor:g} at every point; lower the floor.")
    steps = np.diff(np.log(x))
    logs = np.log(y - floor)
    matrix = np.zeros((len(x) - 1, len(x)))
    places = np.arange(len(x) - 1)
    matrix[places, places], matrix[places, places + 1] = 1.0 / steps, -1.0 / steps
    relative = se / (y - floor)
    return Slopes(np.sqrt(x[1:] * x[:-1]), matrix @ logs, (matrix * relative**2) @ matrix.T)


def extrapolated(slopes: Slopes, correction: float | tuple[float, ...]) -> Limit:
    """The limit of local slopes whose distance to it falls like ``x^-correction``.

    Generalised least squares of the slopes on 1 and ``x^-correction`` (each of several powers), with the
    covariance of slopes that share points.

    Do not trust the limit where ``straightness`` is tiny: the next correction is seen too.

    >>> x = np.geomspace(10, 1e4, 7)
    >>> y = x**-0.5 * (1 + x**-0.5)
    >>> found = extrapolated(local_slopes(x, y, 1e-3 * y), 0.5)
    >>> abs(found.value - 0.5) < 0.01
    True
    """
    powers = (correction,) if isinstance(correction, int | float) else correction
    if len(slopes.value) < 1 + len(powers):
        raise InputError(
            f"{len(slopes.value)} slopes have no limit; give at least {2 + len(powers)} points."
        )
    design = np.stack([(slopes.x / slopes.x[0]) ** -power for power in (0.0, *powers)], axis=1)
    root = np.linalg.cholesky(slopes.covariance)
    white, target = np.linalg.solve(root, design), np.linalg.solve(root, slopes.value)
    found, *_ = np.linalg.lstsq(white, target)
    variance = np.linalg.inv(white.T @ white)[0, 0]
    freedom = len(slopes.x) - len(design.T)
    misfit = float(((target - white @ found) ** 2).sum())
    return Limit(
        float(found[0]),
        float(np.sqrt(variance)),
        design @ found,
        float(chi2.sf(misfit, freedom)) if freedom else 1.0,
    )
