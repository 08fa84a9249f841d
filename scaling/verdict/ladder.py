"""Ladders: a ratio estimate/prediction measured at several sizes, carried to infinite size.

A prediction that is exact up to relative order ``1/n`` has ``ratio = r + b/n``; its constant is
right when the intercept ``r`` is 1. Points are weighted by their known standard errors.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import chi2
from statsmodels.regression.linear_model import WLS


class Ladder(NamedTuple):
    """``intercept`` and ``slope`` with standard errors, fitted values ``(S,)``, and the p-value of
    the lack-of-fit test (1.0 when there are no degrees of freedom to test with)."""

    intercept: float
    intercept_se: float
    slope: float
    slope_se: float
    fitted: np.ndarray
    straightness: float


def ladder(
    inverse_size: np.ndarray, ratio: np.ndarray, ratio_se: np.ndarray, degree: int = 1
) -> Ladder:
    """Weighted least squares of ``ratio (S,)`` on powers of ``inverse_size (S,)``, carried to 0.

    Args:
        inverse_size: ``1/n`` (or any correction that vanishes in the limit), ``(S,)``, >= 0.
        ratio: estimate over prediction at each size, independent of each other, ``(S,)``.
        ratio_se: their known standard errors, ``(S,)``, > 0.
        degree: highest power, 1 (a line) or 2 (the ``1/n^2`` term as well), below S.

    Returns:
        Standard errors follow from ``ratio_se``, not from the scatter. One size only is taken as it
        stands (slope 0): the statement is then about that size.

    Do not trust the intercept when ``straightness`` is tiny: a term is missing that the noise no
    longer hides; raise the degree or climb higher.

    >>> n = np.array([200.0, 400.0, 800.0])
    >>> line = ladder(1 / n, 1 + 6 / n, np.full(3, 0.001))
    >>> round(line.intercept, 9), round(line.slope, 6)
    (1.0, 6.0)
    """
    if not len(inverse_size) == len(ratio) == len(ratio_se) > 0:
        raise ValueError("a ladder needs as many ratios and standard errors as sizes, at least one")
    if len(ratio) == 1:
        return Ladder(float(ratio[0]), float(ratio_se[0]), 0.0, np.nan, np.array(ratio), 1.0)
    if not np.all(ratio_se > 0.0):
        raise ValueError("ratio_se must be positive; leave out points that carry no noise")
    if not 1 <= degree < len(ratio):
        raise ValueError(f"degree must lie in 1..{len(ratio) - 1} for this ladder, got {degree!r}")
    design = np.vander(inverse_size, degree + 1, increasing=True)
    model: Any = WLS
    fit = model(ratio, design, weights=ratio_se**-2.0).fit()
    covariance = np.asarray(fit.normalized_cov_params)
    fitted = np.asarray(fit.fittedvalues)
    freedom = len(ratio) - degree - 1
    misfit = float((((ratio - fitted) / ratio_se) ** 2).sum())
    return Ladder(
        float(fit.params[0]),
        float(np.sqrt(covariance[0, 0])),
        float(fit.params[1]),
        float(np.sqrt(covariance[1, 1])),
        fitted,
        float(chi2.sf(misfit, freedom)) if freedom else 1.0,
    )
