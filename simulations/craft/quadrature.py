"""The simulated table's population as a table of weighted rows: a calibrated quadrature.

The rows are Sobol points of the seven normals behind X1..X7, rounded as the law rounds them, each with
the weights ``P(label | x)``. Their sums would be right to 1e-4. So the weights are *calibrated*: moved
as little as possible (in the chi-square distance) such that the table reproduces, exactly, expectations
under either label that are plain sums over the lattice: those of

    1, x, x x'    and    l, f x, f' x x'  at the best linear-logistic rule,    f x  at ANCHORS others

for the logistic loss. A risk near these rules is then exact up to its third derivative, which the
table has to 1e-4. At such rules X4 to X7 have coefficient 0 (their signs are symmetric), so that
given ``X1, X2, X3`` only their first two moments enter, which are known (paper_notes/craft.md).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtri

from simulations.craft import law as craft
from simulations.craft.law import ROUNDING

# Rows of a table; one evaluation of all risks takes .25 ms.
SIZE = 2**14
SOBOL_BITS = 30
# Shares of label 1 whose best rules are the other anchors, and the rule shrunk as by noise or a ridge.
# (With more anchors the weights begin to swing, down to negative ones.)
SHARES = (0.1, 0.25, 0.75, 0.9)
SHRUNK = (0.6,)
# Directions in which the table's rows hardly differ cannot be calibrated: relative eigenvalue.
LEAST_EIGENVALUE = 1e-10
STEPS = 40
# X1, X2, X3, X5 (by its mean X3/2), X8, X9 and the intercept: what has a mean given X1, X2, X3.
ACTIVE = np.array([0, 1, 2, 4, 7, 8, 9])
NOISE_FEATURES = np.array([3, 4, 5, 6])


class Weighted(NamedTuple):
    """Rows ``points (N, 10)``, the last feature 1, and ``weights (2, N)`` of either label, which sum
    to 1."""

    points: np.ndarray
    weights: np.ndarray


def sobol_rows(sign: bool, scrambling: int) -> np.ndarray:
    """``SIZE`` rows of the table, ``(SIZE, 10)``; ``scrambling`` numbers the digital shift."""
    from scipy.stats import qmc

    points = qmc.Sobol(7, scramble=False, bits=SOBOL_BITS).random(SIZE)
    whole = (points * 2**SOBOL_BITS).astype(np.int64)
    shift = np.random.default_rng(scrambling).integers(0, 2**SOBOL_BITS, 7)
    z = ndtri(((whole ^ shift) + 0.5) / 2**SOBOL_BITS).T
    one, two = np.rint(10.0 * z[0]), np.rint(10.0 * z[1])
    three = np.rint((5.0 * one + 3.0 * two) / 10.0 + 5.0 * z[2])
    tenths = [
        one,
        two,
        three,
        np.rint(z[3] * one),
        np.rint(10.0 * z[4] + 0.5 * three),
        10.0 * np.sign(z[5]) if sign else np.rint(10.0 * z[5]),
        np.rint(10.0 * z[6]),
        craft.product(two, three),
        craft.product(one, two),
        10.0 + 0.0 * one,
    ]
    return np.stack(tenths, axis=1) / 10.0


class Exact(NamedTuple):
    """The lattice: means of the active features ``mean (P, 7)``, variances ``spread (P, 4)`` of X4..X7
    given X1, X2, X3, and the probabilities ``mass (2, P)`` given either label."""

    mean: np.ndarray
    spread: np.ndarray
    mass: np.ndarray


def exact_law(noise: float, sign: bool) -> Exact:
    """The law of a setting on the lattice."""
    i, j, k, mass = craft.lattice()
    ninth = craft.product(i, j)
    one = np.ones_like(i)
    mean = np.stack([i, j, k, 0.5 * k, craft.product(j, k), ninth, 10.0 * one], axis=1) / 10.0
    normal = one * (1.0 + ROUNDING)
    # Nothing is rounded where X1 = 0; a sign has variance 1.
    fourth = (i / 10.0) ** 2 + np.where(i == 0.0, 0.0, ROUNDING)
    spread = np.stack([fourth, normal, one if sign else normal, normal], axis=1)
    positive = craft.label_probability(noise, craft.mean_score(i, j, k, ninth))
    both = np.stack([mass * (1.0 - positive), mass * positive])
    return Exact(mean, spread, both / both.sum(axis=1, keepdims=True))


def _second(law: Exact, h: np.ndarray) -> np.ndarray:
    """``E[h x x']`` given either label, ``(2, 10, 10)``, of a function ``h (P,)`` on the lattice."""
    total = np.zeros((2, 10, 10))
    for label, weights in enumerate(law.mass * h):
        total[label][np.ix_(ACTIVE, ACTIVE)] = law.mean.T @ (law.mean * weights[:, None])
        total[label][NOISE_FEATURES, NOISE_FEATURES] += weights @ law.spread
    return total


def _first(law: Exact, h: np.ndarray) -> np.ndarray:
    """``E[h x]`` given either label, ``(2, 10)``."""
    total = np.zeros((2, 10))
    total[:, ACTIVE] = (law.mass * h) @ law.mean
    return total


def _softplus(u: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, u)


def best_rule(table: Weighted, share: float, intercept: bool) -> np.ndarray:
    """Minimiser ``(10,)`` of ``(1 - share) R_0 + share R_1``; X4..X7 have coefficient 0."""
    used = ACTIVE[[0, 1, 2, 4, 5] + [6] * intercept]
    rows, weights = table.points[:, used], table.weights * np.array([[1.0 - share], [share]])
    rule = np.zeros(len(used))

    def gradient(at: np.ndarray) -> np.ndarray:
        p = expit(rows @ at)
        return (weights.sum(axis=0) * p - weights[1]) @ rows

    slope = gradient(rule)
    for _ in range(STEPS):
        p = expit(rows @ rule)
        hessian = rows.T @ (rows * (weights.sum(axis=0) * p * (1.0 - p))[:, None])
        step = -np.linalg.lstsq(hessian, slope, rcond=None)[0]
        fraction = 1.0
        while np.linalg.norm(gradient(rule + fraction * step)) > np.linalg.norm(slope):
            fraction *= 0.5
            if fraction < 1e-6:
                break
        rule = rule + fraction * step
        slope = gradient(rule)
        if np.abs(slope).max() < 1e-12:
            break
    whole = np.zeros(10)
    whole[used] = rule
    return whole


def _columns(rows: np.ndarray, centre: np.ndarray, anchors: list[np.ndarray]) -> np.ndarray:
    """The functions whose expectations are calibrated, at rows ``(N, 10)``."""
    upper = np.triu_indices(10)
    pairs = rows[:, upper[0]] * rows[:, upper[1]]
    u = rows @ centre
    p = expit(u)[:, None]
    columns = [pairs, p * rows, p * (1.0 - p) * pairs, _softplus(u)[:, None]]
    return np.concatenate([*columns, *(expit(rows @ at)[:, None] * rows for at in anchors)], axis=1)


def _targets(law: Exact, centre: np.ndarray, anchors: list[np.ndarray]) -> np.ndarray:
    """Their expectations given either label, ``(2, J)``."""
    upper = np.triu_indices(10)
    u = law.mean @ centre[ACTIVE]
    p = expit(u)
    return np.concatenate(
        [
            _second(law, np.ones_like(p))[:, *upper],
            _first(law, p),
            _second(law, p * (1.0 - p))[:, *upper],
            law.mass @ _softplus(u)[:, None],
            *(_first(law, expit(law.mean @ at[ACTIVE])) for at in anchors),
        ],
        axis=1,
    )


def _calibrated(weights: np.ndarray, columns: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``weights (1 + columns lambda)`` that meet the targets: least squares of the relative changes."""
    gram = (columns * weights[:, None]).T @ columns
    scale = 1.0 / np.sqrt(np.diag(gram))
    values, basis = np.linalg.eigh(gram * scale[:, None] * scale[None, :])
    kept = values > LEAST_EIGENVALUE * values[-1]
    basis = scale[:, None] * basis[:, kept]
    gap = targets - weights @ columns
    return weights * (1.0 + columns @ (basis @ ((basis.T @ gap) / values[kept])))


@cache
def weighted_rows(noise: float, sign: bool, intercept: bool, scrambling: int = 0) -> Weighted:
    """The population of a setting; with another ``scrambling``, another quadrature of it."""
    rows = sobol_rows(sign, scrambling)
    tenths = 10.0 * rows[:, [0, 1, 2, 8]].T
    positive = craft.label_probability(noise, craft.mean_score(*tenths))
    weights = np.stack([1.0 - positive, positive])
    plain = Weighted(rows, weights / weights.sum(axis=1, keepdims=True))
    centre = best_rule(plain, 0.5, intercept)
    anchors = [best_rule(plain, share, intercept) for share in SHARES]
    anchors += [size * centre for size in SHRUNK]
    law, columns = exact_law(noise, sign), _columns(rows, centre, anchors)
    targets = _targets(law, centre, anchors)
    calibrated = [_calibrated(plain.weights[y], columns, targets[y]) for y in (0, 1)]
    # What could not be calibrated leaves the sums of the weights 1e-7 from 1.
    return Weighted(rows, np.stack([part / part.sum() for part in calibrated]))
