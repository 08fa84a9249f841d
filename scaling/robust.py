"""The noise of a curve whose standard errors are unknown and some of whose points may be wrong."""

import numpy as np
from scipy.stats import norm

from scaling.curves import Curve
from scaling.fits import Fit

# The median of |z| of a standard normal z.
TYPICAL = float(norm.ppf(0.75))
# Below this share of the values, differences are rounding.
ROUNDING = 1e-12


def with_noise(fit: Fit) -> Curve:
    """The curve of a fit with one standard error for all points, read from the typical residual.

    The error is ``median |r_i| / 0.6745 sqrt(n / freedom)``, of values or (on that scale) of their
    logarithms: up to a half of the points may be wrong without moving it far.

    >>> from scaling.curves import curve
    >>> from scaling.fitting import fit
    >>> x = np.geomspace(10, 1000, 40)
    >>> y = 0.2 + x**-0.5 + 0.01 * np.random.default_rng(0).standard_normal(40)
    >>> y[7] += 1.0
    >>> bool(with_noise(fit("power_floor", curve(x, y))).se[0] < 0.05)
    True
    """
    data = fit.curve
    there = fit.at(data.x)
    logarithmic = fit.measure.scale == "log"
    gap = np.log(data.y / there) if logarithmic else data.y - there
    size = float(np.median(np.abs(gap))) / TYPICAL * np.sqrt(len(gap) / fit.freedom)
    unit = data.y if logarithmic else np.ones_like(data.y)
    least = ROUNDING if logarithmic else ROUNDING * float(np.abs(data.y).max()) or ROUNDING
    return data._replace(se=max(size, least) * unit)
