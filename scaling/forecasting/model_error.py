"""How wrong a law is beyond its data: held-out extrapolation.

No empirical law is exact. What it misses is taken for a random walk in ``log x``,

    y(x) = law(x) + W(log x) + noise,      variance of W over a distance D  =  tau^2 D,

so that the error grows with the distance from the data, and what the law misses at the last points
is carried on. ``tau`` is judged by forecasts of points held out: the law is fitted again without the
last ones, one cut after another, and every ``tau`` is weighted by how probable it makes what came,
sampling errors included. A law that forecasts within its noise gets ``tau`` near 0.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from scaling.fitting.batches import problems_of, solve
from scaling.fitting.fit import Fit, weights
from scaling.fitting.laws import reported, value
from scaling.forecasting.bootstrap import Bootstrap

# At most so many cuts, at least so many points kept.
CUTS, FEWEST = 6, 4
# Sizes of tau tried beside 0, in units of that which would make the curve without any law: from
# what nobody would see to three times as much, since one curve tells that unit to such a factor.
SIZES = np.geomspace(0.01, 3.0, 12)


class Drift(NamedTuple):
    """The law's own error: each ``size (T,)`` = tau of the random walk with its ``weight (T,)``; it
    is known from what the law ``missed (n,)`` at the points, with their ``noise (n,)``, along the
    ``line (n,)`` of log x (None for laws in several variables: then nothing is carried)."""

    size: np.ndarray
    weight: np.ndarray
    missed: np.ndarray
    noise: np.ndarray
    line: np.ndarray | None
    data: np.ndarray

    def at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance ``(T, m)`` of the law's error at ``x (m, V)``, for each size."""
        # A law in several variables has no one line for its error to walk along.
        if self.line is None:
            grown = self.size[:, None] ** 2 * distance(x, self.data)
            return np.zeros_like(grown), grown
        there = np.log(x[:, 0])
        found = [walk(self.line, self.missed, self.noise, size, there) for size in self.size]
        means, variances = zip(*found, strict=True)
        return np.array(means), np.array(variances)


class Cuts(NamedTuple):
    """Refits without the last points: how many were ``left`` out of each, and the law of each refit
    at all points, ``values (C, n)``, from the smallest to the largest size."""

    left: tuple[int, ...]
    values: np.ndarray


def on_scale(fit: Fit, values: np.ndarray) -> np.ndarray:
    """Values, or their logarithms where the fit is one of logarithms."""
    return np.log(np.maximum(values, 1e-300)) if fit.measure.scale == "log" else values


def noise_of(fit: Fit) -> np.ndarray:
    """Standard error of every point ``(n,)`` on the scale of the residuals."""
    data = fit.curve
    if data.se is not None:
        return data.se / data.y if fit.measure.scale == "log" else data.se
    values = on_scale(fit, data.y)
    missed = values - on_scale(fit, fit.at(data.x))
    # Not below rounding: a curve without any noise is fitted exactly.
    least = 1e-12 * max(float(np.abs(values).max()), 1e-300)
    found = np.sqrt((missed**2).sum() / max(fit.freedom, 1))
    return np.full(len(data.y), max(found, least))


def order_of(x: np.ndarray) -> np.ndarray:
    """The points ``x (n, V)`` from small to large: by the product of their variables."""
    return np.argsort(np.log(np.maximum(x, 1e-300)).sum(axis=1), kind="stable")


def distance(x: np.ndarray, data: np.ndarray) -> np.ndarray:
    """How far ``x (m, V)`` lies outside the points ``data (n, V)``: the largest distance of any
    variable's logarithm from the range of the data, ``(m,)``; 0 inside.

    >>> data = np.array([[1.0], [10.0]])
    >>> distance(np.array([[5.0], [100.0]]), data).round(3).tolist()
    [0.0, 2.303]
    """
    logs, known = np.log(np.maximum(x, 1e-300)), np.log(np.maximum(data, 1e-300))
    outside = np.maximum(logs - known.max(axis=0), known.min(axis=0) - logs)
    return np.maximum(outside, 0.0).max(axis=1)


def cuts_of(fit: Fit, most: int = CUTS) -> Cuts:
    """Fit a law again without its last points, as often as enough of them are left."""
    data = fit.curve
    order, points = order_of(data.x), len(data.y)
    needed = max(FEWEST, len(fit.law.parameters) - len(fit.held) + 1)
    step = max(1, points // 20)
    left = tuple(step * k for k in range(1, most + 1) if points - step * k >= needed)
    if not left:
        return Cuts((), np.empty((0, points)))
    kept = np.ones((len(left), points))
    for row, out in enumerate(left):
        kept[row, order[-out:]] = 0.0
    y = np.repeat(data.y[None], len(left), axis=0)
    w = weights(fit.measure, data.y, data.se)
    problems = problems_of(fit.law, data.x, y, w * kept, fit.growing, fit.held)
    found = solve(fit.law, fit.measure, problems)
    values = value(fit.law, reported(fit.law, found.parameters), data.x[order])
    return Cuts(left, values)


def _ceiling(fit: Fit, order: np.ndarray) -> float:
    """The size of a random walk that would make the upper half of the curve without any law."""
    half = order[len(order) // 2 :]
    logs = np.log(np.maximum(fit.curve.x[half], 1e-300)).sum(axis=1)
    rise = np.ptp(on_scale(fit, fit.curve.y[half]))
    return float(max(rise, noise_of(fit)[half].max()) / np.sqrt(max(np.ptp(logs), 1e-3)))


def walk(
    line: np.ndarray, missed: np.ndarray, noise: np.ndarray, size: float, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance ``(m,)`` of a random walk of ``size`` at points ``at (m,)``, given what it was
    at the points of the ``line (n,)``, plus noise.

    It starts from 0 one mean step before the first point, in both directions.

    Args:
        line: places of the points, ascending.
        missed: what the law missed there ``(n,)``.
        noise: variance of each ``(n,)``.
        size: standard deviation that one unit of the line adds.
        at: places asked for.

    >>> line, seen = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    >>> mean, variance = walk(line, seen, np.zeros(2), 2.0, np.array([2.0, 1.5, 5.0]))
    >>> mean.tolist(), variance.tolist()
    ([3.0, 2.0, 3.0], [0.0, 1.0, 12.0])
    """
    start = line[0] - max(float(np.diff(line).mean()), 1e-9)
    known, asked = line - start, at - start
    own = size**2 * np.abs(asked)
    if size == 0.0:
        return np.zeros(len(at)), own

    def together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return size**2 * np.maximum(np.minimum(a[:, None], b[None, :]), 0.0)

    cross = together(asked, known)
    gain = np.linalg.solve(together(known, known) + np.diag(noise**2), cross.T).T
    return gain @ missed, np.maximum(own - (gain * cross).sum(axis=1), 0.0)


def drift_of(fit: Fit, refits: Bootstrap, cuts: Cuts | None = None) -> Drift:
    """The law's own error. ``refits`` tell what sampling explains of a forecast's error at a given
    distance: the spread of the refitted laws as far beyond all data (a refit without the last points
    is less certain than that; the difference is counted as the law's error, on the safe side)."""
    data = fit.curve
    order, found = order_of(data.x), cuts_of(fit) if cuts is None else cuts
    x, y, noise = data.x[order], on_scale(fit, data.y[order]), noise_of(fit)[order]
    line = np.log(x[:, 0]) if x.shape[1] == 1 else None
    sizes = np.concatenate([[0.0], SIZES * _ceiling(fit, order)])
    scores = np.zeros(len(sizes))
    for out, law in zip(found.left, on_scale(fit, found.values), strict=True):
        far = distance(x[-out:], x[:-out])
        there = x[-out:] if line is None else x[-1] * np.exp(far)[:, None]
        low, high = np.percentile(on_scale(fit, refits.at(there)), [15.87, 84.13], axis=0)
        explained = noise[-out:] ** 2 + ((high - low) / 2.0) ** 2
        short = None if line is None else line[:-out]
        part = Drift(sizes, scores, (y - law)[:-out], noise[:-out], short, x[:-out])
        mean, variance = part.at(x[-out:])
        # The points of one cut err together: they count as one.
        scores = scores + norm.logpdf((y - law)[-out:], mean, np.sqrt(explained + variance)).mean(1)
    weight = np.exp(scores - scores.max())
    missed = y - on_scale(fit, fit.at(x))
    return Drift(sizes, weight / weight.sum(), missed, noise, line, x)
