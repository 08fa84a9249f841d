"""The estimator against other solvers on the same rows, and its statuses against the truth."""

from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from samples import Rows, rows_of, units_of
from scipy.optimize import linprog, minimize
from scipy.special import expit

import synthlaw
from simulations.runs.engine import Chunk, run_chunks
from simulations.runs.estimates import from_results
from simulations.runs.tasks import Task, compute_parameters, prepare
from simulations.sampling import newton
from simulations.sampling.newton import FOUND, LAWLESS, SEPARABLE, SINGULAR, STATUS

REPLICATES = 40


@cache
def _task(kind: str, dim: int, majority: int, minority: int, generator: str, ridge: float) -> Task:
    sweep = {
        "setting": {"kind": "imbalance", "dim": dim},
        "counts": {"majority": majority, "minority": minority},
        "synthetic": {"generators": [{"kind": generator}], "ratios": [0, 0.5, 1, 2]},
        "estimator": {"kind": kind, "ridge": ridge},
    }
    return prepare(units_of(sweep)[0])


@cache
def _fits(*case: Any) -> Any:
    return compute_parameters(_task(*case), 0, REPLICATES)


def _by_scipy(rows: Rows, cell: int, ridge: float) -> np.ndarray:
    """Weighted logistic regression by a trust-region Newton method of another library."""
    x, y, w = rows.x, rows.y, rows.weight[:, cell]
    penalty = ridge * np.diag([*np.ones(x.shape[1] - 1), 0.0])

    def objective(t: np.ndarray) -> float:
        return float(w @ (np.logaddexp(0.0, x @ t) - y * (x @ t)) + 0.5 * t @ penalty @ t)

    def slope(t: np.ndarray) -> np.ndarray:
        return (w * (expit(x @ t) - y)) @ x + penalty @ t

    def bend(t: np.ndarray) -> np.ndarray:
        p = expit(x @ t)
        return (x * (w * p * (1 - p))[:, None]).T @ x + penalty

    found = minimize(objective, np.zeros(x.shape[1]), jac=slope, hess=bend, method="trust-exact")
    theta = found.x
    for _ in range(3):  # to rounding: the library stops at a gradient of 1e-8
        theta = theta - np.linalg.solve(bend(theta), slope(theta))
    return theta


@pytest.mark.parametrize("ridge", [0.0, 0.05])
@pytest.mark.parametrize("generator", ["oracle", "duplicate"])
def test_logistic_regression_as_by_another_library(generator: str, ridge: float) -> None:
    case = ("logistic", 5, 200, 30, generator, ridge)
    fits = _fits(*case)
    assert (fits.status == FOUND).all()
    for replicate in range(5):
        rows = rows_of(_task(*case).unit, replicate)
        for cell in range(4):
            # The last step is below 2e-5 and shortens what is left several times.
            expected = _by_scipy(rows, cell, ridge)
            np.testing.assert_allclose(fits.theta[replicate, cell], expected, atol=2e-5)
    assert np.abs(_by_scipy(rows, 3, ridge) - _by_scipy(rows, 0, ridge)).max() > 0.1


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_squared_loss_as_in_closed_form(ridge: float) -> None:
    case = ("squared", 5, 200, 30, "duplicate", ridge)
    fits = _fits(*case)
    for replicate in range(5):
        rows = rows_of(_task(*case).unit, replicate)
        for cell in range(4):
            w = rows.weight[:, cell]
            matrix = 2 * (rows.x * w[:, None]).T @ rows.x + ridge * np.diag([*np.ones(5), 0.0])
            expected = np.linalg.solve(matrix, 2 * (w * rows.y) @ rows.x)
            np.testing.assert_allclose(fits.theta[replicate, cell], expected, atol=1e-12)


def _margin(rows: Rows, cell: int) -> float:
    """The largest margin of a hyperplane with coefficients in [-1, 1]; 0 if none separates."""
    kept = rows.weight[:, cell] > 0
    signed = rows.x[kept] * (2 * rows.y[kept] - 1)[:, None]
    size = signed.shape[1]
    found = linprog(
        [*np.zeros(size), -1.0],
        A_ub=np.column_stack([-signed, np.ones(len(signed))]),
        b_ub=np.zeros(len(signed)),
        bounds=[(-1, 1)] * size + [(None, 1)],
    )
    return -found.fun


def test_a_fit_exists_exactly_where_no_hyperplane_separates() -> None:
    case = ("logistic", 5, 20, 6, "oracle", 0.0)
    fits = _fits(*case)
    separable = np.zeros(fits.status.shape, bool)
    for replicate in range(REPLICATES):
        rows = rows_of(_task(*case).unit, replicate)
        separable[replicate] = [_margin(rows, cell) > 1e-9 for cell in range(4)]
    assert 0.1 < separable.mean() < 0.6
    assert ((fits.status == FOUND) == ~separable).all()
    assert (fits.status[separable] == SEPARABLE).mean() > 0.9
    assert np.isnan(fits.theta[separable]).all() and np.isfinite(fits.theta[~separable]).all()


def test_separable_samples_are_seen_where_groups_hardly_overlap() -> None:
    """The population Hessian is tiny there, so that runaway steps look short in its metric."""
    setting = {"kind": "imbalance", "dim": 2, "separation": 11.0}
    sweep = {
        "setting": setting,
        "counts": {"majority": 200, "minority": 50},
        "synthetic": {"ratios": [0]},
    }
    task = prepare(units_of(sweep)[0])
    status = compute_parameters(task, 0, 20).status[:, 0]
    separable = [_margin(rows_of(task.unit, replicate), 0) > 1e-9 for replicate in range(20)]
    assert all(separable)
    assert (status != FOUND).all()


def test_separable_samples_are_counted_and_left_out() -> None:
    task = _task("logistic", 5, 20, 6, "oracle", 0.0)
    results = next(run_chunks(task, [Chunk(0, REPLICATES)]))[1]
    found = results.status == FOUND
    estimated = from_results(results, np.asarray(task.population.balanced_values))
    assert (estimated.failures == (~found).sum(axis=0)).all() and estimated.failures[0] > 0
    assert (estimated.replicates == REPLICATES).all()
    failed = estimated.failures > 0
    np.testing.assert_array_equal(estimated.estimate[failed], estimated.estimate_raw[failed])
    errors = results.values[found[:, 0], 0, 2:]
    np.testing.assert_allclose(estimated.estimate_raw[0, 1, :2], errors.mean(axis=0), rtol=1e-12)


def test_too_few_rows_have_no_unique_least_squares_fit() -> None:
    """Five rows cannot span six features, however often they are repeated."""
    fits = _fits("squared", 5, 4, 1, "duplicate", 0.0)
    assert (fits.status == SINGULAR).all() and np.isnan(fits.theta).all()
    new_rows = _fits("squared", 5, 4, 1, "oracle", 0.0)
    assert (new_rows.status[:, 0] == SINGULAR).all() and (new_rows.status[:, 2] == FOUND).all()


def test_too_few_rows_separate() -> None:
    statuses = _fits("logistic", 5, 4, 1, "duplicate", 0.0).status
    assert set(np.unique(statuses)) <= {SEPARABLE, SINGULAR}


def test_a_ridge_makes_every_problem_solvable() -> None:
    assert (_fits("logistic", 5, 20, 6, "oracle", 0.1).status == FOUND).all()
    assert (_fits("squared", 5, 4, 1, "duplicate", 0.1).status == FOUND).all()


def test_every_failure_names_its_remedy() -> None:
    for status, sentence in STATUS.items():
        remedy = "add rows" if status == LAWLESS else "add rows or set estimator.ridge > 0"
        assert status == FOUND or remedy in " ".join(sentence.split())


def test_large_and_small_dimensions_sum_the_same_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    rows, weights = rng.standard_normal((7, 50)), rng.random((3, 50))
    expected = np.einsum("pi,ci,qi->cpq", rows, weights, rows)
    for largest in (24, 6):
        monkeypatch.setattr(newton, "LARGEST_PRODUCT", largest)
        got = newton._outer_sums(jnp.asarray(rows), jnp.asarray(weights))
        # Hessians are summed in single precision.
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-6)


def test_failures_reach_the_table() -> None:
    sweep = {
        "setting": {"kind": "imbalance", "dim": 5},
        "counts": {"majority": 20, "minority": 6},
        "synthetic": {"ratios": [0, 0.5, 1, 2]},
    }
    table: Any = synthlaw.simulate(sweep, replicates=REPLICATES)
    raw: Any = table[table["ratio"] == 0]
    assert (raw["failures"] > 0).all() and (raw["estimate"] == raw["estimate_raw"]).all()
    assert (table["replicates"] == REPLICATES).all()
