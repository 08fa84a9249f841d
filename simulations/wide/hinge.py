"""The hinge loss with a ridge: a linear support vector machine of weighted rows, exact.

    minimise  P = sum_i w_i (z_i)_+ + ridge/2 |slope|^2,    z_i = 1 - (2 y_i - 1)(slope.x_i + intercept)

Its dual is over the share ``c_i`` in [0, 1] of its weight with which a row pulls:

    maximise  D = sum_i w_i c_i - |sum_i w_i (2 y_i - 1) c_i x_i|^2 / (2 ridge)
    where     sum_i w_i (2 y_i - 1) c_i = 0  (with an intercept).

Augmented Lagrangian: with shares ``a`` known roughly, the kink is smoothed to ``c = clip(a + s z, 0, 1)``
and the smooth problem solved by Newton steps with an exact search along each; then ``a = c`` and ``s``
grows. Only rows on the kink have curvature, few more than there are features at the end, so that
the late steps are cheap. Once the rows on the kink are the right ones a pass takes one step and divides
the error by ``1 + s m``, m the least curvature of D there: a few passes reach rounding. ``P - D`` of the
final rule bounds ``ridge/2 |slope - best|^2``: a proof, whatever went before.
"""

import numpy as np

from simulations.sampling.newton import FOUND, STOPPED
from simulations.wide.conjugate import Metric
from simulations.wide.directions import Direction, Gradient, direction
from simulations.wide.fitted import Fitted, blank

# The duality gap a rule may have, relative to the objective at zero.
GAP = 1e-12
# First slope of the shares in z, its growth from pass to pass, and after a pass of a single step.
FIRST, GROWTH, LEAP = 0.5, 3.0, 100.0
MOST_PASSES, MOST_STEPS = 24, 40
# Multiplications in forming a matrix beyond which a direction is found by iteration, as long as the
# shares are not so steep that the matrix is badly conditioned.
LARGE, SHARP = 2**24, 30.0
# A pass ends where a step promises so little beside the objective, over the squared slope of the
# shares; below rounding (of the objective at zero) there is nothing to gain.
PROMISE, ROUNDING = 1e-7, 1e-22


def hinge(
    rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, ridge: float, intercept: bool
) -> Fitted:
    """The minimiser for the hinge loss; ``ridge`` > 0.

    Without rows on the kink (all classified badly, or all well) an interval of intercepts is as good; one
    of them is returned.

    Args:
        rows: ``(n, d)``.
        labels: 0 or 1 ``(n,)``.
        weights: of the rows ``(n,)``.
        ridge: lambda.
        intercept: whether the rule has one.
    """
    number, dim = rows.shape
    sign = 2.0 * labels - 1.0
    total = float(weights.sum())
    theta, margins = Direction(np.zeros(dim), 0.0), np.ones(number)
    shares, slope, steps, gap = np.full(number, 0.5), FIRST, 0, np.inf
    value = total
    for _ in range(MOST_PASSES):
        theta, margins, taken = _smooth(
            rows,
            sign,
            weights,
            ridge,
            intercept,
            shares,
            slope,
            theta,
            margins,
            max(ROUNDING * total, PROMISE * value / slope**2),
        )
        steps += taken
        shares = np.clip(shares + slope * margins, 0.0, 1.0)
        value, dual = _both(rows, sign, weights, ridge, intercept, shares, theta, margins)
        gap = (value - dual) / total
        if gap <= GAP:
            found = np.append(theta.slope, theta.intercept) if intercept else theta.slope
            return Fitted(found, FOUND, steps, gap)
        slope *= GROWTH if taken > 1 else LEAP
    return blank(dim, intercept, STOPPED, steps)._replace(defect=gap)


def _smooth(
    rows: np.ndarray,
    sign: np.ndarray,
    weights: np.ndarray,
    ridge: float,
    intercept: bool,
    shares: np.ndarray,
    slope: float,
    theta: Direction,
    margins: np.ndarray,
    enough: float,
) -> tuple[Direction, np.ndarray, int]:
    """Minimise the smoothed objective from ``theta``, where the rows' z are ``margins``, until a step
    promises less than ``enough``: the rule, its z and the steps it took."""
    for taken in range(MOST_STEPS):
        raw = shares + slope * margins
        pull = weights * sign * np.clip(raw, 0.0, 1.0)
        gradient = Gradient(
            ridge * theta.slope - rows.T @ pull, -float(pull.sum()) if intercept else 0.0
        )
        bent = (raw > 0.0) & (raw < 1.0)
        curvature = slope * weights[bent]
        large = int(bent.sum()) * rows.shape[1] * min(int(bent.sum()), rows.shape[1]) > LARGE
        if not bent.any():
            # Only the ridge bends here; the intercept may go as far as a row meets its kink.
            push = -gradient.intercept / (slope * float(weights.sum()))
            step = Direction(-gradient.slope / ridge, push)
        elif large and slope < SHARP:
            step = Metric(rows[bent], ridge, intercept).direction(curvature, gradient)
        else:
            step = direction(rows[bent], curvature, gradient, ridge, intercept)
        if step is None:
            return theta, margins, taken
        moved = sign * (rows @ step.slope + step.intercept)
        fraction = _along(weights, ridge, shares, slope, theta, margins, step, moved)
        theta = Direction(
            theta.slope + fraction * step.slope, theta.intercept + fraction * step.intercept
        )
        margins = margins - fraction * moved
        promise = -float(gradient.slope @ step.slope) - gradient.intercept * step.intercept
        if promise <= enough:
            return theta, margins, taken + 1
        # With the same rows on the kink, and the others on their sides, the step was exact.
        after = shares + slope * margins
        same = ((after > 0.0) & (after < 1.0) == bent) & ((after >= 1.0) == (raw >= 1.0))
        if same.all() and abs(fraction - 1.0) < 1e-9:
            return theta, margins, taken + 1
    return theta, margins, MOST_STEPS


def _along(
    weights: np.ndarray,
    ridge: float,
    shares: np.ndarray,
    slope: float,
    theta: Direction,
    margins: np.ndarray,
    step: Direction,
    moved: np.ndarray,
) -> float:
    """How far along a step the smoothed objective is least: the zero of its increasing derivative."""
    start, bend = ridge * float(theta.slope @ step.slope), ridge * float(step.slope @ step.slope)
    heavy = weights * moved

    def derivative(fraction: float) -> tuple[float, float]:
        raw = shares + slope * (margins - fraction * moved)
        rising = slope * float((heavy * moved)[(raw > 0.0) & (raw < 1.0)].sum())
        return start + fraction * bend - float(heavy @ np.clip(raw, 0.0, 1.0)), bend + rising

    low, high, fraction = 0.0, np.inf, 1.0
    first, _ = derivative(0.0)
    for _ in range(60):
        value, curvature = derivative(fraction)
        if abs(value) <= 1e-12 * abs(first):
            break
        low, high = (fraction, high) if value < 0.0 else (low, fraction)
        guess = fraction - value / curvature if curvature > 0.0 else np.inf
        if not low < guess < high:
            guess = 2.0 * fraction if high == np.inf else 0.5 * (low + high)
        fraction = guess
    return fraction


def _both(
    rows: np.ndarray,
    sign: np.ndarray,
    weights: np.ndarray,
    ridge: float,
    intercept: bool,
    shares: np.ndarray,
    theta: Direction,
    margins: np.ndarray,
) -> tuple[float, float]:
    """``P`` and ``D``, after the shares of the label that pulls more are scaled down to balance."""
    pull = weights * shares
    if intercept:
        up, down = float(pull[sign > 0.0].sum()), float(pull[sign < 0.0].sum())
        heavier = up if up > down else down
        if heavier > 0.0:
            pull = np.where((sign > 0.0) == (up > down), pull * (min(up, down) / heavier), pull)
    joint = rows.T @ (sign * pull)
    dual = float(pull.sum()) - float(joint @ joint) / (2.0 * ridge)
    primal = float(weights @ np.maximum(margins, 0.0)) + 0.5 * ridge * float(
        theta.slope @ theta.slope
    )
    return primal, dual
