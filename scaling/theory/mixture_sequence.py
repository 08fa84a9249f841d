"""Mixed data in the Gaussian sequence model: the exact risk of one weighted ridge fit, as sums.

Coefficient k of a signal is seen in raw rows, ``y_k = theta_k + sigma z_k/sqrt n``, and in synthetic
ones, ``y'_k = theta_k + b_k + sigma z'_k/sqrt N``. The fit that weighs the synthetic rows with alpha
is ``t_k = h_k ((1 - alpha) y_k + alpha y'_k)``, ``h_k = 1/(1 + lambda k^2s)``, and its risk

    E |t - theta|^2 = A - 2 alpha X + alpha^2 Y + sigma^2 v V,      v = (1 - alpha)^2/n + alpha^2/N,
    A = sum (1-h)^2 theta^2,  X = sum h (1-h) theta b,  Y = sum h^2 b^2,  V = sum h^2,

least over lambda: the ridge is tuned to every mixture (paper_notes/mixture.md).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from simulations.problems import InputError
from simulations.series.sequence import Sequence, check

# Coefficients that are summed one by one; beyond, sums are integrals (midpoint rule, error 1/(24 k^2)).
SINGLE, LAST = 400, 1e12
PANELS, ORDER = 48, 6
# Grid of the ridge, in steps of its logarithm; between its points a parabola is exact to 1e-5 of the risk.
RIDGES = np.geomspace(1e-9, 1e3, 451)
SHARES = np.linspace(0.0, 1.0, 201)


class Summands(NamedTuple):
    """A sequence model as sums: ``index`` k and ``weight`` of the summands ``(J,)`` (integers, then nodes
    of an integral), ``target`` theta_k ``(J,)``, ``power`` s of the penalty ``k^2s``, ``noise`` sigma."""

    index: np.ndarray
    weight: np.ndarray
    target: np.ndarray
    power: float
    noise: float


class Bias(NamedTuple):
    """Bias of the synthetic rows: ``size`` |b_k| ``(J,)`` and its mean ``sign`` against theta_k, in
    [-1, 1]: 1 or -1 where it is known, 0 for signs drawn independently (the risk is then a mean
    over the signs)."""

    size: np.ndarray
    sign: np.ndarray


class Sums(NamedTuple):
    """The four sums ``(L,)`` over the grid of the ``ridge (L,)``; ``floor``: least risk of infinitely
    many synthetic rows alone; ``energy``: ``sum b_k^2``; ``noise`` sigma."""

    ridge: np.ndarray
    shrinkage: np.ndarray
    cross: np.ndarray
    bias: np.ndarray
    spread: np.ndarray
    floor: float
    energy: float
    noise: float


def summands(model: Sequence) -> Summands:
    """The summands of a sequence model, `simulations.series.sequence`: ``theta_k = A k^-(p + 1/2)``.

    Args:
        model: p, s, sigma and A.

    Raises:
        InputError: a model whose risk is no finite number.

    >>> found = summands(Sequence(1.0, 1.0))
    >>> round(float((found.weight * found.target**2).sum()), 8)  # zeta(3)
    1.2020569
    """
    check(model, 1.0)
    x, w = np.polynomial.legendre.leggauss(ORDER)
    edges = np.linspace(np.log(SINGLE + 0.5), np.log(LAST), PANELS + 1)
    half = 0.5 * np.diff(edges)[:, None]
    far = np.exp(0.5 * (edges[1:] + edges[:-1])[:, None] + half * x)
    index = np.concatenate([np.arange(1.0, SINGLE + 1), far.ravel()])
    weight = np.concatenate([np.ones(SINGLE), (half * w * far).ravel()])
    target = model.amplitude * index ** -(model.smoothness + 0.5)
    return Summands(index, weight, target, model.power, model.noise)


def finite(of: Summands, length: int) -> Summands:
    """The first coefficients of a sequence alone, at most ``SINGLE``: a model of its own.

    >>> finite(summands(Sequence(1.0, 1.0)), 3).index.tolist()
    [1.0, 2.0, 3.0]
    """
    if not 1 <= length <= SINGLE:
        raise InputError(f"a finite sequence has 1 to {SINGLE} coefficients, not {length}.")
    return of._replace(
        **{name: getattr(of, name)[:length] for name in ("index", "weight", "target")}
    )


def _along_target(of: Summands, sign: float) -> Bias:
    return Bias(np.abs(of.target), np.full(len(of.index), sign))


def _rough(of: Summands) -> Bias:
    return Bias(of.index**-ROUGH, np.zeros(len(of.index)))


# Decay of a rough bias: its energy converges slowly.
ROUGH = 0.6
# How a bias can lie against the target; `bias` scales it.
BIASES: dict[str, Callable[[Summands], Bias]] = {
    "incoherent": lambda of: _along_target(of, 0.0),
    "shrinking": lambda of: _along_target(of, -1.0),
    "stretching": lambda of: _along_target(of, 1.0),
    "rough": _rough,
}


def bias(kind: str, of: Summands, energy: float) -> Bias:
    """A bias of total energy ``sum b_k^2``.

    Args:
        kind: ``incoherent`` (as smooth as the target, random signs), ``shrinking`` (a multiple of the
            target with a minus), ``stretching`` (with a plus), ``rough`` (``k^-0.6``, random signs).
        of: the sequence.
        energy: at least 0.

    >>> of = summands(Sequence(1.0, 1.0))
    >>> round(float((of.weight * bias("rough", of, 0.01).size**2).sum()), 12)
    0.01
    """
    if kind not in BIASES or not energy >= 0.0:
        raise InputError(
            f"no bias {kind!r} of energy {energy:g}; choose {', '.join(BIASES)} and at least 0."
        )
    shape = BIASES[kind](of)
    return shape._replace(size=shape.size * np.sqrt(energy / (of.weight @ shape.size**2)))


def sums(of: Summands, wrong: Bias, ridge: np.ndarray = RIDGES) -> Sums:
    """The sums of a sequence and a bias over a grid of ridges (increasing, geometric).

    >>> of = summands(Sequence(1.0, 1.0))
    >>> at = sums(of, bias("incoherent", of, 0.04))
    >>> 0.98 < at.floor / at.energy < 1.0  # a little ridge takes a little of the bias
    True
    """
    log = 2.0 * of.power * np.log(of.index)
    h = 1.0 / (1.0 + np.exp(np.log(ridge)[:, None] + log))
    against = of.weight * np.abs(of.target) * wrong.sign * wrong.size
    b2 = of.weight * wrong.size**2
    shrinkage, cross = (1.0 - h) ** 2 @ (of.weight * of.target**2), (h * (1.0 - h)) @ against
    seen = h**2 @ b2
    energy = float(b2.sum())
    floor = min(float(_least(shrinkage - 2.0 * cross + seen)[0]), energy)
    return Sums(ridge, shrinkage, cross, seen, h**2 @ of.weight, floor, energy, of.noise)


def _least(risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimum over the last axis, a parabola through three points, and its (fractional) place."""
    at = np.clip(risk.argmin(axis=-1), 1, risk.shape[-1] - 2)
    low, mid, high = (
        np.take_along_axis(risk, (at + move)[..., None], -1)[..., 0] for move in (-1, 0, 1)
    )
    bend = np.maximum(low + high - 2.0 * mid, np.finfo(float).tiny)
    step = np.clip(0.5 * (low - high) / bend, -1.0, 1.0)
    return mid + step * (0.5 * (high - low) + 0.5 * step * (low + high - 2.0 * mid)), at + step


def mixed_variance(share: Any, rows: Any, synthetic: Any) -> np.ndarray:
    """``v = (1 - alpha)^2/n + alpha^2/N``, of arrays that broadcast."""
    share = np.asarray(share, float)
    return (1.0 - share) ** 2 / rows + share**2 / synthetic


def mixed_risk(at: Sums, share: Any, rows: Any, synthetic: Any) -> np.ndarray:
    """Risk of the mixed fit with the best ridge.

    Args:
        at: sums of sequence and bias.
        share: alpha in [0, 1].
        rows: raw rows n > 0.
        synthetic: synthetic rows N > 0; the three broadcast.

    Returns:
        ``min over lambda of A - 2 alpha X + alpha^2 Y + sigma^2 v V``, relative error below 1e-5.

    Do not trust it beyond 1e8 rows or below ten: the best ridge then leaves the grid.

    Source: paper_notes/mixture.md.

    >>> of = summands(Sequence(1.0, 1.0))
    >>> at = sums(of, bias("incoherent", of, 0.0))
    >>> round(float(mixed_risk(at, 0.0, 1e6, 1e6)) / (1.27688 * 1e-4), 4)
    0.9961
    """
    alpha = np.asarray(share, float)
    v = mixed_variance(alpha, rows, synthetic)[..., None] * at.noise**2
    alpha = np.broadcast_to(alpha, v.shape[:-1])[..., None]
    risk = at.shrinkage - 2.0 * alpha * at.cross + alpha**2 * at.bias + v * at.spread
    return _least(risk)[0]


class BestMix(NamedTuple):
    """``share`` alpha of the least risk, and that ``risk``."""

    share: np.ndarray
    risk: np.ndarray


def true_best(at: Sums, rows: Any, synthetic: Any) -> BestMix:
    """The share that minimises the exact risk, by a grid of shares and a search around its best one."""
    n, many = np.broadcast_arrays(np.asarray(rows, float), np.asarray(synthetic, float))
    shares, risks = [], []
    for one, other in zip(n.ravel(), many.ravel(), strict=True):
        coarse = mixed_risk(at, SHARES, one, other)
        place = int(np.argmin(coarse))
        low, high = SHARES[max(place - 1, 0)], SHARES[min(place + 1, len(SHARES) - 1)]

        def risk(alpha: float, one: float = one, other: float = other) -> float:
            return float(mixed_risk(at, alpha, one, other))

        found: Any = minimize_scalar(
            risk, bounds=(low, high), method="bounded", options={"xatol": 1e-6}
        )
        shares.append(float(found.x))
        risks.append(min(float(found.fun), float(coarse[place])))
    return BestMix(np.reshape(shares, n.shape), np.reshape(risks, n.shape))


def leading_error(at: Sums, exponent: float, share: Any, rows: Any, synthetic: Any) -> np.ndarray:
    """True risk less the mixture law, to first order in the cross and the lost bias.

        R(v) - L - 2 alpha X(v) - alpha^2 Z(v)
             + alpha^2 (L/R(1/N))^(1 - 1/beta) (2 X(1/N) + Z(1/N)),        Z = B - Y,

    with R the risk without bias, L the law of its values, and each sum at the ridge that is best
    without bias (derived in paper_notes/mixture.md; arguments as in `mixed_risk`; ``exponent`` beta).

    Args:
        at: the sums of the model.
        exponent: beta.
        share: alpha in [0, 1].
        rows: n, above 0.
        synthetic: N, above 0.

    Do not trust it where it is not small beside what the synthetic rows alone lose above their floor.
    """
    alpha = np.asarray(share, float)
    v = mixed_variance(alpha, rows, synthetic)
    shape = v.shape
    raw, _, _ = _without_bias(at, np.broadcast_to(1.0 / np.asarray(rows, float), shape))
    alone, cross_alone, lost_alone = _without_bias(
        at, np.broadcast_to(1.0 / np.asarray(synthetic, float), shape)
    )
    risk, cross, lost = _without_bias(at, v)
    both = (1.0 - alpha) ** 2 * raw ** (1.0 / exponent) + alpha**2 * alone ** (1.0 / exponent)
    law = both**exponent
    passed_on = alpha**2 * (law / alone) ** (1.0 - 1.0 / exponent)
    first = -2.0 * alpha * cross - alpha**2 * lost
    return risk - law + first + passed_on * (2.0 * cross_alone + lost_alone)


def _without_bias(at: Sums, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least risk of unbiased rows of such a variance; X and Z at its ridge."""
    risk, where = _least(at.shrinkage + at.noise**2 * variance[..., None] * at.spread)
    places = np.arange(len(at.ridge))
    return risk, np.interp(where, places, at.cross), np.interp(where, places, at.energy - at.bias)
