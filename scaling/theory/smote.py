"""How much SMOTE shrinks: the share of the variance that its rows lack.

    deficit(n, k) = 1 - tr Cov(x) / tr S,     x = x_i + u (x_J - x_i) a SMOTE row by itself,

the average being over raw rows, seed, partner and gap. Exact for uniform rows on an interval and, as an
integral, for standard normal rows in every dimension; to leading order for uniform rows in a cube
(paper_notes/generators_smote.md).
"""

from functools import cache
from math import gamma, pi, prod

import numpy as np
from scipy.special import bdtr, beta, betainc, gammaln, ive
from scipy.stats import ncx2

from simulations.problems import InputError

# Nodes of the quadratures over the distance of a row from the centre, and from a wall.
RADIAL, DEPTHS = 120, 60


def check_sizes(n: int, k: int) -> None:
    """Raise ``InputError`` unless ``1 <= k <= n - 1``."""
    if not 1 <= k <= n - 1:
        raise InputError(f"k = {k} of n = {n} rows; give 1 to n - 1 neighbours.")


def all_partners(n: int) -> float:
    """tr Cov(x | raw rows) / tr S^ with ``k = n - 1``, S^ the sample covariance (divisor n - 1).

    Exact for whatever rows: ``(2n - 3)/(3n)``; with the divisor n it is ``(2n - 3)/(3(n - 1))``.

    >>> all_partners(3)
    0.3333333333333333
    """
    check_sizes(n, n - 1)
    return (2 * n - 3) / (3 * n)


def uniform_interval(n: int, k: int) -> float:
    """The deficit for ``n`` uniform rows on an interval, ``d = 1``; exact.

        7 (k+1)(k+2) / (6 n (n+1))  -  5 (k+1)(k+2)(k+3) / (6 n (n+1)(n+2))

    1/3 for ``k = n - 1``; at fixed ``k`` it falls as ``n^-2``.

    >>> round(uniform_interval(6, 5), 12), round(uniform_interval(100, 5), 7)
    (0.333333333333, 0.0045797)
    """
    check_sizes(n, k)
    first = 7.0 * (k + 1) * (k + 2) / (6.0 * n * (n + 1))
    return first - 5.0 * (k + 1) * (k + 2) * (k + 3) / (6.0 * n * (n + 1) * (n + 2))


def interval_steps(n: int, k: int) -> float:
    """``E|x_i - x_J|^2`` over the variance, for ``n`` uniform rows on an interval; exact.

        (k+1)(k+2) / (n (n+1))  +  (k+1)(k+2)(k+3) / (n (n+1)(n+2))

    A sixth of it would be the deficit if partners followed the law of the rows.

    >>> round(interval_steps(6, 5), 12)
    2.0
    """
    check_sizes(n, k)
    first = (k + 1) * (k + 2) / (n * (n + 1))
    return first * (1.0 + (k + 3) / (n + 2))


def ball(dim: int) -> float:
    """The volume of the unit ball.

    >>> round(ball(2), 6), round(ball(3), 6)
    (3.141593, 4.18879)
    """
    return pi ** (dim / 2) / gamma(dim / 2 + 1)


def mean_power(k: int, power: float) -> float:
    """``(1/k) sum_j E G_j^a``, ``G_j ~ Gamma(j)``: powers of the expected number of rows within reach
    of the j-th neighbour, averaged over the k neighbours.

    >>> round(mean_power(5, 1.0), 12), round(mean_power(5, 2.0), 12)
    (3.0, 14.0)
    """
    # gamma(k + 1 + a) / gamma(k), in factors that do not overflow.
    rising = prod((j + power) / j for j in range(1, k)) * gamma(1.0 + power)
    return rising * (k + power) / (k * (1.0 + power))


@cache
def wall(dim: int, nodes: int = DEPTHS) -> float:
    """How far neighbours lie inward of rows near a flat wall: ``integral over depth of E[inward step]``
    for uniform rows of density 1, in units of ``E G^(2/d)``.

    ``integral over t in (0, 1) of v^(-2/d) m (1 - t v'/(d v))``: ``v(t)`` is the volume of a unit ball
    cut at distance t from its centre, ``m(t)`` the mean inward coordinate on what is left of its sphere.

    Args:
        dim: d, at least 1.
        nodes: of the quadrature over depths.

    >>> round(wall(1), 9)
    0.375
    """
    z, w = np.polynomial.legendre.leggauss(nodes)
    # Nodes crowd towards t = 1, where powers of 1 - t^2 are not smooth.
    angle, weight = pi / 4 * (z + 1.0), pi / 4 * w
    t, step = np.sin(angle), np.cos(angle)
    volume = ball(dim) * (1.0 - 0.5 * betainc((dim + 1) / 2, 0.5, step**2))
    area = ball(dim - 1) * step ** (dim - 1) if dim > 1 else np.ones_like(t)
    if dim > 1:
        left = beta(0.5, (dim - 1) / 2) * (1.0 - 0.5 * betainc((dim - 1) / 2, 0.5, step**2))
        inward = step ** (dim - 1) / (dim - 1) / left
    else:
        inward = np.ones_like(t)
    inner = volume ** (-2.0 / dim) * inward * (1.0 - t * area / (dim * volume))
    return float((weight * step * inner).sum())


def uniform_cube(n: float, k: int, dim: int) -> float:
    """The deficit for uniform rows in a cube of ``dim`` dimensions, to leading order.

        12 g (wall_d - ball_d^(-2/d) / (3d)) n^(-2/d),     g = (1/k) sum_j E G_j^(2/d)

    The remainder is ``n^(-1/d)`` times smaller (edges of the cube): in ten dimensions that is nothing.

    >>> round(uniform_cube(1000.0, 5, 1) * 1e6, 9)
    49.0
    """
    power = 2.0 / dim
    inner = wall(dim) - ball(dim) ** -power / (3.0 * dim)
    return 12.0 * mean_power(k, power) * inner * n**-power


def gaussian(n: int, k: int, dim: int) -> float:
    """The deficit for rows of N(0, I) in ``dim`` dimensions; exact, by quadrature.

        ((n-1)/(k d)) E[ (rho r A(rho r) - r^2/3) P(Bin(n-2, p(rho, r)) <= k-1) ]

    ``rho = |x_i|``; ``r`` the distance of another row, ``r^2`` noncentral chi-square with distribution
    function ``p``; ``A = I_{d/2} / I_{d/2-1}``, by which that row lies closer to the centre; the last
    factor is the probability that fewer than k of the others are nearer.

    >>> round(gaussian(50, 49, 3), 9), round(gaussian(1600, 5, 2), 5)
    (0.333333333, 0.02168)
    """
    check_sizes(n, k)
    z, w = np.polynomial.legendre.leggauss(RADIAL)
    reach = 0.5 * (np.sqrt(dim) + 11.0)
    rho, weight = reach * (z + 1.0), reach * w
    # Trapezoids in log r: spectrally accurate once the step resolves the binomial's fall.
    step = min(0.05, 0.5 / (dim * np.sqrt(k)))
    nearest = min(1.0, (k / n) ** (1.0 / dim))
    r = np.exp(np.arange(np.log(nearest) - 40.0 / (dim + 2.0), np.log(rho[-1] + 9.0), step))
    x, y = rho[:, None], r[None, :]
    order = dim / 2.0 - 1.0
    scaled = ive(order, x * y)
    # Where the other row lies ten standard deviations off, nothing is lost.
    inward = np.divide(
        ive(order + 1.0, x * y), scaled, out=np.ones_like(scaled), where=scaled > 0.0
    )
    density = y * (y / x) ** order * np.exp(-0.5 * (x - y) ** 2) * scaled
    closer = (
        bdtr(k - 1, n - 2, np.clip(ncx2.cdf(y * y, dim, x * x), 0.0, 1.0)) if k < n - 1 else 1.0
    )
    inner = ((x * y * inward - y * y / 3.0) * closer * density * y).sum(axis=1) * step
    outer = np.exp(
        (dim - 1) * np.log(rho) - 0.5 * rho**2 - order * np.log(2.0) - gammaln(dim / 2.0)
    )
    return float((n - 1) / (k * dim) * (inner * outer * weight).sum())


def gaussian_leading(n: float, k: int, dim: int) -> float:
    """What `gaussian` tends to at fixed ``k``, to leading order.

        d = 1:   (pi^2 / 8) (k + 1) / n                          all of it made by the few outermost rows
        d = 2:   (k + 1) log(n)^2 / (4 n)
        d >= 3:  (2 pi / d) g (s^2 - 1/3) s^d (n ball_d)^(-2/d),  s^2 = d/(d - 2)

    Args:
        n: rows.
        k: neighbours.
        dim: d, at least 1.

    Do not trust it at sizes one can run: the relative remainder is of order ``1/log n`` for ``d <= 2`` and
    falls as a small power of n above; in five dimensions it exceeds a third below n = 650.

    >>> round(gaussian_leading(1000.0, 5, 1), 7)
    0.0074022
    """
    if dim == 1:
        return pi**2 / 8.0 * (k + 1) / n
    if dim == 2:
        return (k + 1) * float(np.log(n)) ** 2 / (4.0 * n)
    power, spread = 2.0 / dim, dim / (dim - 2.0)
    constant = 2.0 * pi / dim * mean_power(k, power) * (spread - 1.0 / 3.0) * spread ** (dim / 2)
    return constant * (n * ball(dim)) ** -power
