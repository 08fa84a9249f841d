"""Laws fitted to points that are correlated: means over the same replicates, as of a nested sweep.

The points ``y (n,)`` are means with covariance ``S (n, n)``. They are fitted by least squares with
weights ``1/scale``, fixed in advance, whatever ``S`` is; ``S`` enters the errors only. To first order
in the noise the estimate is ``theta + G (y - E y)``, so that its covariance is

    G S G',      G = (J' W J)^-1 J' W,      J the law's slopes, W = diag(scale^-2).

Weights that do not come from the data keep a law that is linear in its parameters unbiased at every
number of replicates; weights from an estimated ``S^-1`` would not.
"""

from typing import NamedTuple

import numpy as np

from scaling.fitting.curves import Curve
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.fitting.uncertainty import weighted_slopes


class Correlated(NamedTuple):
    """A fit with the covariance ``(P, P)`` of its reported parameters; NaN where the search stopped
    at a bound, where no expansion in the noise exists; zero in parameters that were held."""

    fit: Fit
    covariance: np.ndarray

    def __getitem__(self, name: str) -> tuple[float, float]:
        """A parameter and its standard error."""
        place = self.fit.law.parameters.index(name)
        variance = self.covariance[place, place]
        return self.fit.parameters[name], float(np.sqrt(variance))


def influence(slopes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``G (P, n)``: how the parameters move with the points, for ``slopes (n, P)``, ``scale (n,)``."""
    weighted = slopes / scale[:, None]
    lengths = np.linalg.norm(weighted, axis=0)
    lengths = np.where(lengths > 0.0, lengths, 1.0)
    return np.linalg.pinv(weighted / lengths) / lengths[:, None] / scale


def fit_correlated(
    law: str,
    x: np.ndarray,
    y: np.ndarray,
    covariance: np.ndarray,
    scale: np.ndarray,
    held: dict[str, float] | None = None,
) -> Correlated:
    """Fit a law to correlated points.

    Args:
        law: a name in `scaling.fitting.laws.LAWS`.
        x: abscissae ``(n,)`` or ``(n, V)``.
        y: the points, ``(n,)``.
        covariance: of the points, ``(n, n)``.
        scale: expected sizes of their errors, up to a factor, ``(n,)``, > 0; not from the data.
        held: parameters that are known.

    Do not trust the errors where the noise is not small against what the law explains: they are of
    first order in it.

    Source: paper_notes/scaling_law_in_n.md, section 5.

    >>> x = np.geomspace(10, 1000, 8)
    >>> found = fit_correlated("reciprocal_floor", x, 0.2 + 1 / x, 1e-6 * np.eye(8), np.ones(8))
    >>> value, se = found["floor"]
    >>> round(value, 9), round(se, 5)
    (0.2, 0.00045)
    """
    points = x[:, None] if x.ndim == 1 else x
    found = fit(law, Curve(points, y, scale), held=held)
    moves = influence(weighted_slopes(found) * scale[:, None], scale)
    for place, each in enumerate(found.law.searched):
        if each.kind != "exponent":
            # Searched as a logarithm: its reported value moves by itself times that.
            moves[place] *= found.parameters[each.name]
    result = moves @ covariance @ moves.T
    if _at_bound(found):
        result = np.full_like(result, np.nan)
    return Correlated(found, result)


def _at_bound(found: Fit) -> bool:
    """Whether a parameter that is fitted was stopped by a bound."""
    zero = any(
        found.parameters[name] == 0.0 and name not in found.held and name not in found.law.signed
        for name in found.law.linear
    )
    return zero or not found.settled or any(w.code == "at_limit" for w in found.warnings)


class Line(NamedTuple):
    """``floor`` and ``amplitude`` of ``floor + amplitude/x`` and their ``covariance (2, 2)``."""

    floor: float
    amplitude: float
    covariance: np.ndarray


def reciprocal_line(
    x: np.ndarray, y: np.ndarray, covariance: np.ndarray, scale: np.ndarray
) -> Line:
    """The law `reciprocal_floor` with a floor of either sign: a linear problem, unbiased where the
    floor is zero, as one that may not be negative is not.

    >>> line = reciprocal_line(np.array([1.0, 2.0, 4.0]), np.array([0.9, 0.4, 0.15]), np.eye(3),
    ...                        np.ones(3))
    >>> round(line.floor, 9), round(line.amplitude, 9)
    (-0.1, 1.0)
    """
    moves = influence(np.stack([np.ones_like(x), 1.0 / x], axis=1), scale)
    floor, amplitude = moves @ y
    return Line(float(floor), float(amplitude), moves @ covariance @ moves.T)
