"""Two classes on [0, 1] whose log-odds are a cosine series.

    f(x) = sum_{k=1}^{K} theta_k sqrt(2) cos(pi k x),   |theta_k| = A k^-(p + 1/2),
    class laws  p_1 = exp(f/2)/Z_+,  p_0 = exp(-f/2)/Z_-     on the G midpoints of [0, 1].

On the grid the model is well specified: the balanced log-odds are ``f + log(Z_-/Z_+)``.
"""

from typing import Any, NamedTuple

import numpy as np

from simulations.problems import InputError, nearest
from simulations.series import cosines

# A sign for each k: all alike (f is rough at x = 0 alone), or Rudin and Shapiro's (rough everywhere).
SIGNS = ("alike", "spread")
LARGEST_GRID = 2**22


class Target(NamedTuple):
    """What the log-odds are: ``grid`` G points, ``smoothness`` p > 0, ``amplitude`` A, ``signs``,
    ``terms`` K (0: as many as the grid holds, G - 1), ``shift``: what is added to ``theta_1`` (the bias
    of a generator)."""

    grid: int
    smoothness: float
    amplitude: float = 1.0
    signs: str = "alike"
    terms: int = 0
    shift: float = 0.0


class Classes(NamedTuple):
    """``target``; ``density (2, G)`` of class 0 and 1 under the uniform law (grid means 1);
    ``log_odds (G,)`` = log p_1/p_0."""

    target: Target
    density: np.ndarray
    log_odds: np.ndarray


def rudin_shapiro(count: int) -> np.ndarray:
    """The signs ``(-1)^(number of 11 in k's binary form)``, k = 0 .. count - 1.

    Partial sums of ``r_k cos(k t)`` are of order sqrt(count) for every t: no point is special.

    >>> rudin_shapiro(8).tolist()
    [1, 1, 1, -1, 1, 1, -1, 1]
    """
    k = np.arange(count)
    pairs = k & (k >> 1)
    parity = np.zeros(count, int)
    while pairs.any():
        parity ^= pairs & 1
        pairs >>= 1
    return 1 - 2 * parity


def check(target: Target) -> None:
    """Raise ``InputError`` for a target that cannot be."""
    if not 8 <= target.grid <= LARGEST_GRID:
        raise InputError(f"grid is {target.grid}; give 8 to {LARGEST_GRID} points.")
    if not 0.0 < target.smoothness < 50.0:
        raise InputError(f"smoothness is {target.smoothness:g}; give a number above 0, below 50.")
    if not abs(target.amplitude) <= 10.0:
        raise InputError(f"amplitude is {target.amplitude:g}; give a number between -10 and 10.")
    if target.signs not in SIGNS:
        raise InputError(f"signs {target.signs!r}: {nearest(target.signs, SIGNS, 'signs')}.")
    if not 0 <= target.terms < target.grid:
        raise InputError(
            f"terms is {target.terms}; a grid of {target.grid} points holds 1 to {target.grid - 1}."
        )


def series(target: Target) -> np.ndarray:
    """The coefficients ``theta_k``, ``(G,)``; ``theta_0 = 0``."""
    check(target)
    k = np.arange(1, (target.terms or target.grid - 1) + 1)
    signs: Any = 1 if target.signs == "alike" else rudin_shapiro(len(k) + 1)[1:]
    theta = np.zeros(target.grid)
    theta[k] = signs * target.amplitude * k ** -(target.smoothness + 0.5)
    theta[1] += target.shift
    return theta


def classes(target: Target) -> Classes:
    """The laws of both classes.

    Raises:
        ValueError: one sentence, for a target out of range.

    Source: paper_notes/nonparametric.md, section 4.

    >>> two = classes(Target(64, 1.0))
    >>> two.density.mean(axis=1).round(12).tolist()
    [1.0, 1.0]
    >>> np.allclose(np.log(two.density[1] / two.density[0]), two.log_odds)
    True
    """
    half = 0.5 * cosines.values(series(target))
    up, down = np.exp(half), np.exp(-half)
    log_odds = 2.0 * half + np.log(down.mean() / up.mean())
    return Classes(target, np.stack([down / down.mean(), up / up.mean()]), log_odds)


def balanced_curvature(two: Classes) -> np.ndarray:
    """``W(x) = p_1 p_0 / (2 (p_1 + p_0))``: Fisher information of the log-odds at x, balanced classes."""
    return two.density[0] * two.density[1] / (2.0 * two.density.sum(axis=0))


def excess_risk(two: Classes, log_odds: np.ndarray) -> np.ndarray:
    """Exact balanced excess risk ``(..)`` of estimated log-odds ``(.., G)``: a mean over the grid.

    ``E = mean_x q [log(1 + pi (e^delta - 1)) - pi delta]``, delta the error of the log-odds, ``q`` the
    balanced density and ``pi`` the truth: nothing cancels when delta is small.

    Args:
        two: the classes.
        log_odds: as estimated on the grid.

    >>> two = classes(Target(64, 1.0))
    >>> float(excess_risk(two, two.log_odds))
    0.0
    """
    total = two.density.sum(axis=0)
    share = two.density[1] / total
    delta = log_odds - two.log_odds
    return (0.5 * total * (np.log1p(share * np.expm1(delta)) - share * delta)).mean(axis=-1)
