"""Pinsker's constant: the best linear rule over a Sobolev ellipsoid, and ridge's worst case there.

    Theta = { theta : sum_k k^(2 beta) theta_k^2 <= Q },        v = sigma^2/n.

The minimax linear rule keeps ``(1 - (k/W)^beta)_+`` of coefficient k; its largest risk over the ellipsoid
is ``v sum_k (1 - (k/W)^beta)_+``, W being the root of ``v sum_k k^beta (W^beta - k^beta)_+ = Q``.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.nonparametric.sequence import variance_constant
from simulations.problems import InputError

# Coefficients that an exact minimax risk may keep.
LARGEST = 2**24


class Minimax(NamedTuple):
    """``risk`` of the minimax linear rule, its ``bandwidth`` W and how many coefficients it keeps."""

    risk: float
    bandwidth: float
    kept: int


def _check(smoothness: float, radius: float, variance: float) -> None:
    for name, value in (("smoothness", smoothness), ("radius", radius), ("variance", variance)):
        if not 0.0 < value < float("inf"):
            raise InputError(f"ellipsoid: {name} is {value:g}; give a positive number.")


def pinsker_constant(smoothness: float) -> float:
    """``P = (2 beta + 1)^(1/(2 beta+1)) (beta/(beta+1))^(2 beta/(2 beta+1))``.

    The minimax linear risk is ``P Q^(1/(2 beta+1)) v^(2 beta/(2 beta+1)) (1 + o(1))``.

    Args:
        smoothness: beta, above 0.

    >>> round(pinsker_constant(1.0), 6)
    0.90856
    """
    b = smoothness
    return (2 * b + 1) ** (1 / (2 * b + 1)) * (b / (b + 1)) ** (2 * b / (2 * b + 1))


def pinsker_risk(smoothness: float, radius: float, variance: float) -> float:
    """Leading order of the minimax linear risk.

    >>> round(pinsker_risk(1.0, 1.0, 1e-3), 7)
    0.0090856
    """
    _check(smoothness, radius, variance)
    rate = 1.0 / (2.0 * smoothness + 1.0)
    return pinsker_constant(smoothness) * radius**rate * variance ** (1.0 - rate)


def minimax_linear(smoothness: float, radius: float, variance: float) -> Minimax:
    """The exact minimax linear risk over the ellipsoid.

    Args:
        smoothness: ``beta``, > 0.
        radius: ``Q``, > 0.
        variance: ``v = sigma^2/n``, > 0.

    Returns:
        The risk of the rule above with the number J of kept coefficients for which its W lies
        between J and J + 1: no asymptotics.

    Raises:
        ValueError: a number that is not positive, more than 2^24 coefficients to keep.

    Source: paper_notes/nonparametric.md, section 3.

    >>> found = minimax_linear(1.0, 1.0, 1e-6)
    >>> round(found.risk / pinsker_risk(1.0, 1.0, 1e-6), 4)
    0.9945
    """
    _check(smoothness, radius, variance)
    b = smoothness
    leading = (radius * (b + 1) * (2 * b + 1) / (b * variance)) ** (1 / (2 * b + 1))
    if not leading < LARGEST:
        raise InputError(f"the minimax rule keeps {leading:.3g} coefficients; raise the variance.")
    powers = np.arange(1.0, 2.0 * leading + 16.0) ** b
    first, second = np.cumsum(powers), np.cumsum(powers**2)
    # W^beta if exactly the first J are kept; it must keep them and not the next.
    height = (radius / variance + second) / first
    kept = int(np.flatnonzero(height[:-1] <= powers[1:])[0]) + 1
    top = float(height[kept - 1])
    return Minimax(variance * (kept - float(first[kept - 1]) / top), float(top ** (1.0 / b)), kept)


def least_favourable(
    smoothness: float, found: Minimax, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The target at which the minimax rule has its largest risk, and the shares it keeps, ``(J,)`` each.

    ``theta_k^2 = v ((W/k)^beta - 1)``, ``b_k = 1 - (k/W)^beta``: for this target b is the best linear rule
    too, ``theta^2/(theta^2 + v) = b``, hence a saddle point.

    Args:
        smoothness: beta, above 0.
        found: the minimax rule, with its cut W.
        variance: v of a coefficient, above 0.

    >>> found = minimax_linear(1.0, 1.0, 1e-4)
    >>> theta, kept = least_favourable(1.0, found, 1e-4)
    >>> round(float((np.arange(1, found.kept + 1) ** 2 * theta**2).sum()), 12)
    1.0
    """
    powers = (np.arange(1.0, found.kept + 1.0) / found.bandwidth) ** smoothness
    return np.sqrt(variance * (1.0 / powers - 1.0)), 1.0 - powers


def ridge_minimax_constant(power: float) -> float:
    """The constant of the best ridge ``k^(2s)`` over the ellipsoid of the same smoothness s.

    The worst target sits at ``lambda k^(2s) = 1`` and costs ``Q lambda/4``; with the variance
    ``v C_s lambda^(-1/2s)`` the least maximum is ``R Q^(1/(2s+1)) v^(2s/(2s+1))``,
    ``R = ((2s + 1)/4) (2 C_s/s)^(2s/(2s+1))``.

    Args:
        power: s, above 1/4.

    >>> round(ridge_minimax_constant(1.0) / pinsker_constant(1.0), 4)
    1.1155
    """
    s = power
    return (2 * s + 1) / 4 * (2 * variance_constant(s) / s) ** (2 * s / (2 * s + 1))


def ridge_minimax_ridge(power: float, radius: float, variance: float) -> float:
    """The lambda of that least maximum: ``(2 C_s v / (s Q))^(2s/(2s+1))``."""
    _check(power, radius, variance)
    rate = 2.0 * power / (2.0 * power + 1.0)
    return (2.0 * variance_constant(power) * variance / (power * radius)) ** rate
