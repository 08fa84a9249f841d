"""Weighted empirical risk minimisation on a given design, for any numbers of rows and features.

    minimise  sum_i w_i l(u_i, y_i) + ridge/2 |slope|^2,    u_i = slope.x_i + intercept

with labels 0/1 and the losses of a SWEEP.toml: squared ``(u - y)^2``, logistic ``log(1 + e^u) - y u`` and
hinge ``(1 - (2y-1) u)_+`` (`simulations.wide.hinge`). The intercept is not penalised.

These problems are few and large where those of `simulations.sampling` are many and small, so that
this is NumPy with calls of LAPACK: nothing is compiled, and shapes may change from call to call.
Give BLAS one thread (`simulations.threads`) where several problems are solved at a time.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from simulations.problems import InputError
from simulations.sampling.newton import FOUND, SEPARABLE, SINGULAR, STOPPED
from simulations.wide.conjugate import Metric
from simulations.wide.directions import Direction, Gradient, direction
from simulations.wide.fitted import Fitted, blank
from simulations.wide.hinge import hinge

# Newton's method is over when the square of the next step, in the metric of the Hessian, is this
# small beside the total weight: the step is taken, and what is left is of the order of its square.
SQUARED_STEP = 1e-18
MOST_STEPS = 60
# Multiplications in forming one matrix beyond which the logistic direction is found by iteration.
MOST_PRODUCTS = 2**24


def squared(
    rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, ridge: float, intercept: bool
) -> Fitted:
    """The minimiser for the squared loss: one linear system in the smaller space."""
    gradient = Gradient(-2.0 * (rows.T @ (weights * labels)), -2.0 * float(weights @ labels))
    found = direction(rows, 2.0 * weights, gradient, ridge, intercept)
    if found is None:
        return blank(rows.shape[1], intercept, SINGULAR, 0)
    return Fitted(_theta(found.slope, found.intercept, intercept), FOUND, 1, 0.0)


def logistic(
    rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, ridge: float, intercept: bool
) -> Fitted:
    """The minimiser for the logistic loss, by damped Newton steps from zero.

    Large problems take their steps from conjugate gradients in single precision, preconditioned by
    the factor of one Hessian; the gradient is in double precision, so that the minimiser is as exact.

    Args:
        rows: ``(n, d)``.
        labels: 0 or 1 ``(n,)``.
        weights: of the rows ``(n,)``.
        ridge: lambda.
        intercept: whether the rule has one.
    """
    number, dim = rows.shape
    sign = 2.0 * labels - 1.0
    inexact: Metric | None = None
    products = None
    if number * dim * min(number, dim) > MOST_PRODUCTS:
        inexact = Metric(rows, ridge, intercept)
    elif ridge > 0.0 and number < dim:
        products = rows @ rows.T
    slope, offset, scores = np.zeros(dim), 0.0, np.zeros(number)
    total, value, decrement = float(weights.sum()), np.inf, np.inf
    for step_number in range(MOST_STEPS):
        margins = sign * scores
        if ridge == 0.0 and (margins > 0.0).all():
            # This rule separates the sample: however far one goes along it, the loss falls.
            return blank(dim, intercept, SEPARABLE, step_number)
        wrong = expit(-margins)
        pull = -weights * sign * wrong
        gradient = Gradient(rows.T @ pull + ridge * slope, float(pull.sum()) if intercept else 0.0)
        curvature = weights * wrong * (1.0 - wrong)
        if inexact is None:
            step = direction(rows, curvature, gradient, ridge, intercept, products)
        else:
            # As coarse as the step before was long: Newton's method stays as fast as it is.
            step = inexact.direction(
                curvature, gradient, max(min(decrement / total, 1.0), 0.0) ** 0.5
            )
        if step is None:
            return blank(dim, intercept, SINGULAR if step_number == 0 else STOPPED, step_number)
        decrement = -float(gradient.slope @ step.slope + gradient.intercept * step.intercept)
        moved = rows @ step.slope + step.intercept
        if decrement <= SQUARED_STEP * total:
            theta = _theta(slope + step.slope, offset + step.intercept, intercept)
            return Fitted(theta, FOUND, step_number + 1, decrement / total)
        if step_number == 0:
            value = _logistic_value(margins, weights, ridge, slope)
        fraction, value = _search(
            sign, scores, moved, weights, ridge, slope, step, value, decrement
        )
        slope = slope + fraction * step.slope
        offset += fraction * step.intercept
        scores = scores + fraction * moved
    return blank(dim, intercept, STOPPED, MOST_STEPS)._replace(defect=decrement / total)


def _logistic_value(
    margins: np.ndarray, weights: np.ndarray, ridge: float, slope: np.ndarray
) -> float:
    return float(weights @ np.logaddexp(0.0, -margins)) + 0.5 * ridge * float(slope @ slope)


def _search(
    sign: np.ndarray,
    scores: np.ndarray,
    moved: np.ndarray,
    weights: np.ndarray,
    ridge: float,
    slope: np.ndarray,
    step: Direction,
    value: float,
    decrement: float,
) -> tuple[float, float]:
    """The largest of 1, 1/2, 1/4, .. of a step that lowers the objective enough, and its value there."""
    fraction = 1.0
    while True:
        margins = sign * (scores + fraction * moved)
        there = _logistic_value(margins, weights, ridge, slope + fraction * step.slope)
        # Near the minimum the fall is lost in rounding: there Newton's step is as good as it gets.
        slack = 1e-14 * abs(value)
        if there <= value - 0.1 * fraction * decrement + slack or fraction < 1e-8:
            return fraction, there
        fraction *= 0.5


def _theta(slope: np.ndarray, offset: float, intercept: bool) -> np.ndarray:
    return np.append(slope, offset) if intercept else slope


Solver = Callable[[np.ndarray, np.ndarray, np.ndarray, float, bool], Fitted]
SOLVERS: dict[str, Solver] = {"logistic": logistic, "squared": squared, "hinge": hinge}


def solve(
    loss: str,
    rows: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    ridge: float,
    intercept: bool = True,
) -> Fitted:
    """The rule that minimises ``sum_i w_i l(u_i, y_i) + ridge/2 |slope|^2``.

    Args:
        loss: ``"logistic"``, ``"squared"`` or ``"hinge"``.
        rows: the design x, ``(n, d)``, without a column of ones.
        labels: y, ``(n,)``, 0 or 1.
        weights: w, ``(n,)``, >= 0, usually with sum 1; rows of weight 0 do not count.
        ridge: lambda >= 0, and > 0 for the hinge loss, whose minimiser is not unique without.
        intercept: whether there is one.

    Returns:
        `Fitted`: ``theta`` is NaN unless ``status`` is ``FOUND``. Rows that do not span the features
        without a ridge are ``SINGULAR``; a sample that a hyperplane separates is ``SEPARABLE`` (no ridge,
        or rows of one label only, whose intercept runs away).

    Raises:
        InputError: a loss without a solver, or a hinge loss without a ridge.

    Do not trust a rule with a ridge far below the rounding of the Gram matrix (1e-12 of its largest
    eigenvalue) when there are fewer rows than features: the limit of no ridge is another problem.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0.0, 1.0], 50)
    >>> rows = rng.standard_normal((100, 3)) + 2.0 * labels[:, None]
    >>> found = solve("logistic", rows, labels, np.full(100, 0.01), 0.1)
    >>> found.status, found.theta.shape
    (0, (4,))
    """
    if loss not in SOLVERS:
        raise InputError(
            f"loss {loss!r} has no solver; choose one of {', '.join(sorted(SOLVERS))}."
        )
    if loss == "hinge" and not ridge > 0.0:
        raise InputError(
            "ridge is 0 with the hinge loss, whose rule is not unique; give one above 0."
        )
    kept = weights > 0.0
    if not kept.all():
        rows, labels, weights = rows[kept], labels[kept], weights[kept]
    dim = rows.shape[1]
    if ridge == 0.0 and len(rows) < dim + intercept:
        return blank(dim, intercept, SINGULAR, 0)
    if loss != "squared" and intercept and (labels == labels[0]).all():
        return blank(dim, intercept, SEPARABLE, 0)
    return SOLVERS[loss](rows, labels, weights, ridge, intercept)
