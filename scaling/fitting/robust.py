"""Huber's loss where the noise is unknown: it bends at so many standard deviations, which must be read
off the curve itself, some of whose points may be wrong."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import norm

from scaling.fitting.curves import Curve
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.fitting.polish import Measure

# The median of |z| of a standard normal z.
TYPICAL = float(norm.ppf(0.75))
# Below this share of the values, differences are rounding.
ROUNDING = 1e-12
ROUNDS = 4


def with_noise(found: Fit) -> Curve:
    """The curve of a fit with one standard error for all points, read from the typical residual.

    The error is ``median |r_i| / 0.6745 sqrt(n / freedom)``, of values or (on that scale) of their
    logarithms.

    Args:
        found: a fit to a curve without standard errors.
    """
    data = found.curve
    there = found.at(data.x)
    logarithmic = found.measure.scale == "log"
    gap = np.log(data.y / there) if logarithmic else data.y - there
    size = float(np.median(np.abs(gap))) / TYPICAL * np.sqrt(len(gap) / found.freedom)
    unit = data.y if logarithmic else np.ones_like(data.y)
    least = ROUNDING if logarithmic else ROUNDING * float(np.abs(data.y).max()) or ROUNDING
    return data._replace(se=max(size, least) * unit)


def robust_fit(
    law: str,
    data: Curve,
    measure: Measure,
    *,
    growing: bool = False,
    held: Mapping[str, float] | None = None,
) -> Fit:
    """A fit with Huber's loss to a curve without standard errors.

    Least squares first; then the noise is read off the residuals and the law fitted with Huber's loss,
    a few times over, so that a wrong point moves neither. The curve of the fit has the noise as
    standard errors; the warning ``no_standard_errors`` stays.

    Args:
        law: a key of ``LAWS``.
        data: the curve.
        measure: Huber's loss, of values or of their logarithms.
        growing: whether exponents below 0 are allowed.
        held: parameters that are known, by name.

    Do not trust it where a third of the points or more may be wrong.

    >>> from scaling.fitting.curves import curve
    >>> x = np.geomspace(10, 1000, 40)
    >>> y = 0.2 + x**-0.5 + 0.01 * np.random.default_rng(0).standard_normal(40)
    >>> y[7] += 1.0
    >>> found = robust_fit("power_floor", curve(x, y), Measure(loss="huber"))
    >>> bool(found.curve.se[0] < 0.02), abs(found.parameters["floor"] - 0.2) < 0.02
    (True, True)
    """
    squared = measure._replace(loss="squared")
    found = fit(law, data, measure=squared, growing=growing, held=held)
    unknown = tuple(each for each in found.warnings if each.code == "no_standard_errors")
    for _ in range(ROUNDS):
        found = fit(law, with_noise(found), measure=measure, growing=growing, held=held)
    return found._replace(warnings=(*unknown, *found.warnings))
