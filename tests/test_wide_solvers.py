"""Solvers for designs of any shape: against closed forms, scipy and the conditions of optimality."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from simulations.problems import InputError
from simulations.sampling.newton import FOUND, SEPARABLE, SINGULAR
from simulations.wide import solvers
from simulations.wide.conjugate import Metric
from simulations.wide.directions import Gradient, by_features, by_rows
from simulations.wide.solvers import solve

SHAPES = ((90, 12), (30, 45), (25, 25))


def problem(rows: int, dim: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A design with overlapping labels, a tenth of its rows repeated, and uneven weights."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < 0.3).astype(float)
    labels[:2] = 0.0, 1.0
    design = rng.standard_normal((rows, dim))
    design[:, 0] += 2.0 * labels
    repeated = rows // 10
    design[-repeated:], labels[-repeated:] = design[:repeated], labels[:repeated]
    return design, labels, rng.uniform(0.5, 2.0, rows) / rows


def objective(loss: str, theta: np.ndarray, case: tuple, ridge: float, intercept: bool) -> float:
    rows, labels, weights = case
    slope, offset = (theta[:-1], theta[-1]) if intercept else (theta, 0.0)
    scores = rows @ slope + offset
    margins = (2.0 * labels - 1.0) * scores
    values = {
        "logistic": np.logaddexp(0.0, -margins),
        "squared": (scores - labels) ** 2,
        "hinge": np.maximum(1.0 - margins, 0.0),
    }[loss]
    return float(weights @ values + 0.5 * ridge * slope @ slope)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("intercept", [True, False])
def test_squared_loss_solves_the_normal_equations(shape: tuple[int, int], intercept: bool) -> None:
    case = problem(*shape)
    rows, labels, weights = case
    lifted = np.column_stack([rows, np.ones(len(rows))]) if intercept else rows
    penalty = 0.05 * np.eye(lifted.shape[1])
    if intercept:
        penalty[-1, -1] = 0.0
    matrix = 2.0 * lifted.T @ (weights[:, None] * lifted) + penalty
    expected = np.linalg.solve(matrix, 2.0 * lifted.T @ (weights * labels))
    found = solve("squared", *case, 0.05, intercept)
    np.testing.assert_allclose(found.theta, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("intercept", [True, False])
def test_logistic_loss_has_no_gradient_and_scipy_agrees(
    shape: tuple[int, int], intercept: bool
) -> None:
    case = problem(*shape)
    rows, labels, weights = case
    found = solve("logistic", *case, 0.02, intercept)
    slope, offset = found.theta[: shape[1]], found.theta[shape[1] :].sum()
    pull = weights * (expit(rows @ slope + offset) - labels)
    assert np.abs(rows.T @ pull + 0.02 * slope).max() < 1e-12
    assert not intercept or abs(pull.sum()) < 1e-12

    def value(theta: np.ndarray) -> float:
        return objective("logistic", theta, case, 0.02, intercept)

    other = optimize.minimize(value, 0.0 * found.theta, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(found.theta, other.x, atol=2e-4)
    # A minimum, and a strict one: any other rule is worse, by the ridge at least.
    moved = found.theta + 1e-3 * np.random.default_rng(0).standard_normal(found.theta.shape)
    assert value(moved) > value(found.theta)


@pytest.mark.parametrize("shape", [(24, 4), (14, 30)])
@pytest.mark.parametrize("intercept", [True, False])
def test_hinge_loss_agrees_with_a_quadratic_program(
    shape: tuple[int, int], intercept: bool
) -> None:
    case = problem(*shape)
    rows, labels, weights = case
    ridge, sign = 0.05, 2.0 * labels - 1.0
    turned = rows * (sign * weights)[:, None]

    def dual(shares: np.ndarray) -> tuple[float, np.ndarray]:
        joint = turned.T @ shares
        slope = turned @ joint / ridge - weights
        return float(joint @ joint / (2.0 * ridge) - weights @ shares), slope

    balance = [{"type": "eq", "fun": lambda c: (sign * weights) @ c}] if intercept else []
    start = np.full(len(rows), 0.5)
    bounds, options = [(0.0, 1.0)] * len(rows), {"ftol": 1e-14, "maxiter": 1000}
    best = optimize.minimize(
        dual, start, jac=True, bounds=bounds, constraints=balance, method="SLSQP", options=options
    )
    found = solve("hinge", *case, ridge, intercept)
    np.testing.assert_allclose(found.theta[: shape[1]], turned.T @ best.x / ridge, atol=2e-5)
    assert objective("hinge", found.theta, case, ridge, intercept) == pytest.approx(
        -best.fun, abs=1e-9
    )


def test_hinge_loss_proves_its_optimum_on_many_problems() -> None:
    # Of every shape and of ridges from harmless to nearly none.
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shape = int(rng.integers(12, 150)), int(rng.integers(1, 120))
        ridge = 10.0 ** rng.uniform(-6.0, 1.5)
        case = problem(*shape, seed)
        found = solve("hinge", *case, ridge, bool(seed % 2))
        assert (found.status, found.defect < 1e-12) == (FOUND, True), (seed, shape, ridge, found)
        best = objective("hinge", found.theta, case, ridge, bool(seed % 2))
        for moved in found.theta + 1e-3 * rng.standard_normal((5, len(found.theta))):
            # The tolerance is that of the proof, and not of the objective's size.
            assert objective("hinge", moved, case, ridge, bool(seed % 2)) >= best - 2e-12


@pytest.mark.parametrize("loss", ["logistic", "squared", "hinge"])
def test_a_weight_is_a_number_of_rows(loss: str) -> None:
    rows, labels, _ = problem(40, 6)
    times = np.random.default_rng(2).integers(0, 4, 40)
    weighted = solve(loss, rows, labels, times / times.sum(), 0.1)
    each = np.repeat(np.arange(40), times)
    repeated = solve(loss, rows[each], labels[each], np.full(len(each), 1 / len(each)), 0.1)
    np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("loss", ["logistic", "squared", "hinge"])
def test_a_rotation_turns_the_slope(loss: str) -> None:
    rows, labels, weights = problem(60, 20)
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((20, 20)))
    plain = solve(loss, rows, labels, weights, 0.03).theta
    turned = solve(loss, rows @ turn.T, labels, weights, 0.03).theta
    np.testing.assert_allclose(turned[:-1], turn @ plain[:-1], atol=1e-7)
    assert turned[-1] == pytest.approx(plain[-1], abs=1e-7)


def test_single_precision_directions_reach_the_same_minimiser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = problem(200, 40)
    exact = solve("logistic", *case, 1e-3)
    monkeypatch.setattr(solvers, "MOST_PRODUCTS", 0)
    iterated = solve("logistic", *case, 1e-3)
    # It did take the other way.
    assert iterated.status == FOUND and not np.array_equal(iterated.theta, exact.theta)
    np.testing.assert_allclose(iterated.theta, exact.theta, rtol=1e-8, atol=1e-9)
    free = solve("logistic", *case, 0.0)
    monkeypatch.undo()
    np.testing.assert_allclose(free.theta, solve("logistic", *case, 0.0).theta, rtol=1e-6)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_two_spaces_and_the_iteration_give_one_direction(intercept: bool) -> None:
    rng = np.random.default_rng(4)
    rows, curvature = rng.standard_normal((30, 20)), rng.uniform(0.01, 1.0, 30)
    gradient = Gradient(rng.standard_normal(20), 0.3 if intercept else 0.0)
    first = by_features(rows, curvature, gradient, 0.2, intercept)
    second = by_rows(rows, curvature, gradient, 0.2, intercept)
    third = Metric(rows, 0.2, intercept).direction(curvature, gradient)
    assert first is not None and second is not None and third is not None
    np.testing.assert_allclose(second.slope, first.slope, rtol=1e-9)
    assert second.intercept == pytest.approx(first.intercept, rel=1e-9)
    np.testing.assert_allclose(third.slope, first.slope, atol=2e-3 * np.abs(first.slope).max())


def test_what_has_no_rule_says_so() -> None:
    rows, labels, weights = problem(40, 60)
    assert solve("squared", rows, labels, weights, 0.0).status == SINGULAR
    assert solve("logistic", rows, labels, weights, 0.0).status == SINGULAR
    apart = rows[:, :5] + 20.0 * labels[:, None]
    for threshold in (solvers.MOST_PRODUCTS, 0):
        solvers_most, solvers.MOST_PRODUCTS = solvers.MOST_PRODUCTS, threshold
        try:
            separable = solve("logistic", apart, labels, weights, 0.0)
        finally:
            solvers.MOST_PRODUCTS = solvers_most
        assert separable.status == SEPARABLE and np.isnan(separable.theta).all()
    assert solve("logistic", apart, labels, weights, 1e-3).status == FOUND
    alone = solve("hinge", apart, np.ones(40), weights, 1e-3)
    assert alone.status == SEPARABLE
    # Without an intercept one label has a rule.
    assert solve("hinge", apart, np.ones(40), weights, 1e-3, False).status == FOUND
    with pytest.raises(InputError, match=r"^ridge is 0 with the hinge loss.*\.$"):
        solve("hinge", rows, labels, weights, 0.0)
    with pytest.raises(InputError, match=r"^loss 'huber' has no solver; choose one of.*\.$"):
        solve("huber", rows, labels, weights, 0.0)
