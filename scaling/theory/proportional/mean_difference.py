"""The mean-difference rule when d grows with the counts: closed forms, and exact errors at finite d.

The rule says label 1 where ``(x - (c_1 + c_0)/2).(c_1 - c_0) > 0`` with the class means c of the
training rows. Classes ``N(+mu, I_d)`` (label 1, minority) and ``N(-mu, I_d)``, ``R = |mu|``. If ``c_g``
is normal with covariance ``i_g I`` about ``+-mu`` (the minority's about ``mu + eta``), the errors tend to

    minority Phi(-[R^2 - |eta|^2/4 - (d/4)(i_1 - i_0)]/q),    majority Phi(-[a + (d/4)(i_1 - i_0)]/q),
    a = |mu + eta/2|^2,    q^2 = a + (d/4)(i_1 + i_0).

Everything a generator does is in ``i_1`` and eta (`minority_mean`). paper_notes/proportional.md, section 6.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr

from simulations.problems import InputError


class MeanLaw(NamedTuple):
    """Law of the minority's training mean: variance ``inverse`` = i_1 of every coordinate, and ``shift``
    = eta, how far its expectation lies from mu, along mu and across it ``(2,)``."""

    inverse: float
    shift: tuple[float, float]


class Errors(NamedTuple):
    """0-1 errors of the two classes."""

    minority: float
    majority: float


def _right(n: int, m: int) -> float:
    return 1.0 / (n + m)


def _duplicated(n: int, m: int) -> float:
    return 1.0 / n + m * (1.0 - 1.0 / n) / (n + m) ** 2


def _fitted(n: int, m: int) -> float:
    return 1.0 / n + m / (n + m) ** 2


# i_1 by what the m further rows are; a reweighted or equally repeated row changes no mean.
INVERSES: dict[str, Callable[[int, int], float]] = {
    "right_law": _right,
    "duplicate": _duplicated,
    "reweight": lambda n, m: 1.0 / n,
    "fitted": _fitted,
}


def minority_mean(
    kind: str, rows: int, more: int, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)
) -> MeanLaw:
    """Law of the mean of n raw and m further rows of the minority.

    Args:
        kind: a key of `INVERSES`: "right_law", "duplicate" (drawn with replacement), "reweight" (also:
            every row repeated equally often), "fitted" (normal about the raw rows' mean, with the known
            covariance I), or "known": normal of covariance ``scale I`` about ``mu + shift``.
        rows: n >= 1. more: m >= 0.
        scale: c >= 0, for "known". shift: tau along mu and across it, for "known".

    Raises:
        InputError: an unknown kind or counts too small.

    >>> round(minority_mean("known", 25, 475, 1.0, (0.6, 0.0)).shift[0], 12)
    0.57
    """
    if rows < 1 or more < 0:
        raise InputError(f"minority_mean of {rows} and {more} rows; give rows >= 1, more >= 0.")
    if kind == "known":
        share = more / (rows + more)
        inverse = (rows + scale * more) / (rows + more) ** 2
        return MeanLaw(inverse, (share * shift[0], share * shift[1]))
    if kind not in INVERSES:
        named = ", ".join(map(repr, [*INVERSES, "known"]))
        raise InputError(f"kind is {kind!r}; the kinds here are {named}.")
    return MeanLaw(INVERSES[kind](rows, more), (0.0, 0.0))


def mean_difference_errors(
    dim: int, separation: float, minority: MeanLaw, inverse: float
) -> Errors:
    """The limits above.

    Args:
        dim: d. separation: R > 0, half the distance of the means.
        minority: from `minority_mean`. inverse: i_0, 1/n_0 for the majority's raw rows.

    When not to trust it: d below about 50 (the error is of relative order 1/sqrt d in the majority's; use
    `exact_errors`).

    >>> limit = mean_difference_errors(100, 1.5, minority_mean("reweight", 25, 0), 1 / 500)
    >>> round(limit.minority, 5), round(limit.majority, 5)
    (0.23711, 0.03907)
    """
    along, across = minority.shift
    half = (separation + 0.5 * along) ** 2 + 0.25 * across**2
    gap = 0.25 * dim * (minority.inverse - inverse)
    q = np.sqrt(half + 0.25 * dim * (minority.inverse + inverse))
    own = separation**2 - 0.25 * (along**2 + across**2)
    return Errors(float(ndtr(-(own - gap) / q)), float(ndtr(-(half + gap) / q)))


def _negative_chance(rates: np.ndarray, noncentral: np.ndarray, dims: int) -> float:
    """``P(sum_j rates_j chi2_dims(noncentral_j) < 0)`` by Imhof's integral."""

    def integrand(x: float) -> float:
        scaled = rates * x
        angle = 0.5 * (dims * np.arctan(scaled) + noncentral * scaled / (1.0 + scaled**2)).sum()
        damp = 0.25 * dims * np.log1p(scaled**2) + 0.5 * noncentral * scaled**2 / (1.0 + scaled**2)
        return float(np.sin(angle) / x * np.exp(-damp.sum()))

    # The integrand has died by where its damping reaches e^-40.
    end = 1.0 / np.abs(rates).max()
    while (0.25 * dims * np.log1p((rates * end) ** 2)).sum() < 40.0:
        end *= 1.5
    edges = np.linspace(0.0, end, 33)
    edges[0] = 1e-12 * end
    parts = [
        quad(integrand, low, high, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
        for low, high in zip(edges[:-1], edges[1:], strict=True)
    ]
    start = 0.5 * edges[0] * float((rates * (dims + noncentral)).sum())
    return 0.5 - (sum(parts) + start) / np.pi


def exact_errors(dim: int, separation: float, minority: MeanLaw, inverse: float) -> Errors:
    """The same errors exactly, at any d >= 2, for normal training means; arguments as above.

    With x of the class that is judged the score is ``2 A.B``, A = x - (c_1 + c_0)/2 and B = (c_1 - c_0)/2
    jointly normal with covariances ``(1 + v) I``, ``v I`` and ``-(i_1 - i_0)/4 I``, ``v = (i_1 + i_0)/4``.
    ``A'B`` has two eigenvalues, so it is a difference of two independent noncentral chi-squares.

    Args:
        dim: d, at least 2.
        separation: R > 0, half the distance of the means.
        minority: from `minority_mean`.
        inverse: i_0, 1/n_0 for the majority's raw rows.

    When not to trust it: repeated rows ("duplicate"), whose mean is normal given the multiplicities only.

    >>> exact = exact_errors(100, 1.5, minority_mean("reweight", 25, 0), 1 / 500)
    >>> round(exact.minority, 5), round(exact.majority, 5)
    (0.237, 0.03995)
    """
    i_1 = minority.inverse
    v, cross = 0.25 * (i_1 + inverse), -0.25 * (i_1 - inverse)
    spread = np.array([[1.0 + v, cross], [cross, v]])
    shift = np.array(minority.shift)
    mu = np.array([separation, 0.0])
    found = []
    for sign in (1.0, -1.0):
        # Means of (A, B), a row each, along mu and across.
        means = np.stack([sign * mu - 0.5 * shift, mu + 0.5 * shift])
        root = np.linalg.cholesky(spread)
        values, vectors = np.linalg.eigh(root.T @ np.array([[0.0, 0.5], [0.5, 0.0]]) @ root)
        places = vectors.T @ np.linalg.solve(root, means)
        chance = _negative_chance(values, (places**2).sum(axis=1), dim)
        found.append(float(chance if sign > 0 else 1.0 - chance))
    return Errors(*found)
