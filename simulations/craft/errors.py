"""0-1 errors of linear rules on the simulated table, as smooth functions of the rule.

Given ``X1`` and ``X2``, what is random in ``(theta . x, S)`` is a sum of independent normals (X3, X4 to
X7, the score's noise) and of rounding errors. Taken to be jointly normal, a class's error is a normal
probability of two variables at each point of the plane ``(X1, X2)``,

    P(u > c, S > median) = Phi2(h, k; rho),

and the mean over the plane a trapezoid sum that converges geometrically. Rounding makes the true
error a step function of ``theta``, with steps smaller than what an estimator varies by; this is the
smooth function behind it (paper_notes/craft.md measures the difference).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.stats import norm
from scipy.special import ndtr

from simulations.arrays import AnyArray
from simulations.craft import law as craft
from simulations.craft.law import ROUNDING

# Step and reach of the trapezoid sum, in standard deviations of X1 and X2; points of the plane that
# are rarer than RAREST are left out.
STEP, REACH, RAREST = 0.25, 6.0, 1e-9
# Nodes of the Gauss-Legendre rule for Phi2, at a noise of at least SHARP and below.
NODES, NODES_SHARP, SHARP = 8, 32, 0.3


class Plane(NamedTuple):
    """``P`` points of the plane with their ``weight (P,)``.

    At each, x has mean ``centre (P, p)``, moves by ``slope (P, p)`` per unit of X3's normal, and has
    other normal parts of variances ``spread (P, p)``; the standardised score has mean ``score (P,)``, is
    positive with probability ``positive (P,)`` and has covariance ``shared (P, p)`` with x.
    ``sixth (J,)``: what X6 adds when it is a sign, (-1, 1), else 0.
    ``rule (2, G)``: nodes and weights on [0, 1].
    """

    centre: AnyArray
    slope: AnyArray
    spread: AnyArray
    score: AnyArray
    positive: AnyArray
    shared: AnyArray
    weight: AnyArray
    sixth: AnyArray
    rule: AnyArray


def plane(noise: float, sign: bool, intercept: bool) -> Plane:
    """The plane of a setting."""
    axis = np.arange(-REACH, REACH + STEP / 2.0, STEP)
    single = np.exp(-0.5 * axis**2) / np.exp(-0.5 * axis**2).sum()
    one, two = np.meshgrid(np.sqrt(1.0 + ROUNDING) * axis, axis * np.sqrt(1.0 + ROUNDING))
    weight = np.outer(single, single)
    one, two, weight = (part[weight > RAREST] for part in (one, two, weight))
    zero, unit = np.zeros_like(one), np.ones_like(one)
    third, third_sd = 0.5 * one + 0.3 * two, np.sqrt(0.25 + ROUNDING)
    # Products of tenths are rounded by less than a uniform error: X1 = 0 or a whole number needs none.
    i, j, _, mass = craft.lattice()
    lost = float(mass @ (craft.product(i, j) / 10.0 - i * j / 100.0) ** 2)
    normal = unit * (1.0 + ROUNDING)
    centre = [one, two, third, zero, 0.5 * third, zero, zero, two * third, one * two, unit]
    slope = [zero, zero, unit, zero, 0.5 * unit, zero, zero, two, zero, zero]
    sixth = zero if sign else normal
    products = lost * unit
    spread = [zero, zero, zero, one**2 + ROUNDING, normal, sixth, normal, products, products, zero]
    size = 10 if intercept else 9
    centre, slope, spread = (np.stack(part[:size], axis=1) for part in (centre, slope, spread))
    slope = third_sd * slope
    # The score as a function of x: .8 per unit of X3, .4 per unit of X9's rounding error.
    mean = craft.mean_score(10.0 * one, 10.0 * two, 10.0 * third, 10.0 * one * two)
    sd = np.sqrt((0.8 * third_sd) ** 2 + 0.16 * lost + noise**2)
    shared = 0.8 * third_sd * slope
    shared[:, 8] += 0.4 * lost
    nodes, weights = np.polynomial.legendre.leggauss(NODES if noise >= SHARP else NODES_SHARP)
    score = (mean - craft.median(noise)) / sd
    return Plane(
        centre,
        slope,
        spread,
        score,
        ndtr(score),
        shared / sd,
        weight / weight.sum(),
        np.array([-1.0, 1.0]) if sign else np.zeros(1),
        np.stack([0.5 * (nodes + 1.0), 0.5 * weights]),
    )


class _Seen(NamedTuple):
    """The plane along ``theta``: ``h``, ``rho`` and the standard deviation ``sd`` of u, each ``(P,)``."""

    h: Array
    rho: Array
    sd: Array


def _see(theta: Array, threshold: float, sixth: Array, here: Plane) -> _Seen:
    variance = (here.slope @ theta) ** 2 + here.spread @ theta**2
    sd = jnp.sqrt(variance)
    return _Seen(
        (here.centre @ theta + sixth * theta[5] - threshold) / sd, here.shared @ theta / sd, sd
    )


def _joint(h: Array, k: Array, rho: Array, rule: Array) -> Array:
    """``Phi2(h, k; rho) - Phi(h) Phi(k)``, the integral of the density over the correlation."""
    at = rho[:, None] * rule[0][None, :]
    rest = 1.0 / (1.0 - at**2)
    squares = (h**2 + k**2)[:, None] - 2.0 * (h * k)[:, None] * at
    density = (jnp.sqrt(rest) * jnp.exp(-0.5 * squares * rest)) @ rule[1]
    return rho * density / (2.0 * jnp.pi)


def errors(threshold: float, theta: Array, here: Plane) -> Array:
    """0-1 error of either label of the rule ``theta . x > threshold``, ``(2,)``; needs a slope."""

    def one(sixth: Array) -> Array:
        seen = _see(theta, threshold, sixth, here)
        joint = _joint(seen.h, here.score, seen.rho, here.rule)
        above = norm.cdf(seen.h)
        wrong = [above * (1.0 - here.positive), (1.0 - above) * here.positive]
        return (jnp.stack(wrong) - joint[None, :]) @ here.weight

    positive = here.weight @ here.positive
    return jax.vmap(one)(here.sixth).mean(axis=0) / jnp.stack([1.0 - positive, positive])


def gradients(threshold: float, theta: Array, here: Plane) -> Array:
    """Gradients of ``errors``, ``(2, p)``.

    ``dPhi2 = phi(h) Phi((k - rho h)/r) dh + phi2(h, k; rho) drho`` with ``r = sqrt(1 - rho^2)``.

    Args:
        threshold: of the label.
        theta: the rule ``(p,)``.
        here: points of the plane, and what x is given each.
    """
    k = here.score

    def one(sixth: Array) -> Array:
        seen = _see(theta, threshold, sixth, here)
        h, rho, sd = seen
        rest = jnp.sqrt(1.0 - rho**2)
        turned = (k - rho * h) / rest
        along = here.slope * (here.slope @ theta)[:, None] + here.spread * theta[None, :]
        centre = here.centre.at[:, 5].add(sixth)
        d_h = centre / sd[:, None] - (h / sd**2)[:, None] * along
        d_rho = here.shared / sd[:, None] - (rho / sd**2)[:, None] * along
        by_rho = here.weight * norm.pdf(h) * norm.pdf(turned) / rest
        by_h = here.weight * norm.pdf(h)
        joint = by_rho @ d_rho
        return jnp.stack(
            [(by_h * norm.cdf(-turned)) @ d_h - joint, -(by_h * norm.cdf(turned)) @ d_h - joint]
        )

    positive = here.weight @ here.positive
    shares = jnp.stack([1.0 - positive, positive])
    return jax.vmap(one)(here.sixth).mean(axis=0) / shares[:, None]


def hessians(threshold: float, theta: Array, here: Plane) -> Array:
    """Hessians of ``errors``, ``(2, p, p)``."""
    found = jax.jacfwd(lambda point: gradients(threshold, point, here))(theta)
    return 0.5 * (found + found.transpose(0, 2, 1))
