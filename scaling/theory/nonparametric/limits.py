"""Where the local slopes of a curve tend, when theory knows by which powers they come there."""

from typing import NamedTuple

import numpy as np

from scaling.fitting.local_slopes import Slopes, extrapolated, local_slopes


class SlopeLimit(NamedTuple):
    """The limit ``value`` of the slopes and its ``error`` (one standard error and what the next power
    moves), the ``slopes`` and the ``fitted`` ones."""

    value: float
    error: float
    slopes: Slopes
    fitted: np.ndarray


def slope_limit(x: np.ndarray, y: np.ndarray, se: np.ndarray, correction: float) -> SlopeLimit:
    """The exponent of a curve ``A x^-a (1 + c_1 x^-w + c_2 x^-2w + ..)`` from its local slopes.

    Args:
        x: abscissae ``(n,)``, increasing, n >= 5.
        y: values ``(n,)``, > 0, independent.
        se: their standard errors; of an exact curve any numbers in proportion to y.
        correction: ``w``, from theory.

    Returns:
        The limit with ``x^-w`` and ``x^-2w``. Its error joins the fit's (larger by the root of chi-square
        per degree of freedom where that exceeds 1: what is left out beyond the noise) and the distance to
        the limit with ``x^-w`` alone.

    Do not trust it when the first slopes are far from the last: start at larger x.

    Source: paper_notes/nonparametric.md, section 8.

    >>> x = np.geomspace(1e3, 1e8, 6)
    >>> y = x**-0.5 * (1 - x**-0.25 + 0.3 * x**-0.5)
    >>> found = slope_limit(x, y, 1e-6 * y, 0.25)
    >>> abs(found.value - 0.5) < 1e-4, found.error < 3e-3
    (True, True)
    """
    slopes = local_slopes(x, y, se)
    one = extrapolated(slopes, correction)
    two = extrapolated(slopes, (correction, 2.0 * correction))
    residual = slopes.value - two.fitted
    freedom = len(residual) - 3
    misfit = float(residual @ np.linalg.solve(slopes.covariance, residual))
    scatter = max(1.0, misfit / freedom) ** 0.5 if freedom else 1.0
    error = float(np.hypot(two.se * scatter, two.value - one.value))
    return SlopeLimit(two.value, error, slopes, two.fitted)
