"""Logistic series: exact parts against matrices, samples against the theory, and what must not pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from scaling.theory.nonparametric import series as law
from simulations.problems import InputError
from simulations.series import control as control_module
from simulations.series import cosines, experiment, newton
from simulations.series.classes import Target, balanced_curvature, classes, excess_risk
from simulations.series.control import control
from simulations.series.experiment import (
    draw_counts,
    estimates,
    prepare,
    replicate_values,
    simulate,
)
from simulations.series.population import population
from simulations.series.training import augmented, oversampled, raw, reweighted
from tests import series_dense as dense
from tests.stochastic import Disagreement, assert_mean, sample_mean

GRID = 64
TWO = classes(Target(GRID, 1.0, amplitude=0.8))
WRONG = classes(Target(GRID, 1.0, amplitude=0.8, shift=0.4))


def cells() -> dict:
    """One of every kind."""
    return {
        "raw": raw(TWO, (3000, 400), 2e-3, 1.0),
        "reweighted": reweighted(TWO, (3000, 400), 2e-3, 1.0),
        "oversampled": oversampled(TWO, (3000, 400), 0.5, 2e-3, 1.0),
        "augmented": augmented(TWO, (300, 100), WRONG, 1000, 2e-3, 1.0),
        "power 2": raw(TWO, (500, 500), 1e-4, 2.0),
    }


@pytest.mark.parametrize("grid", [8, 9, 64])
def test_cosines_are_orthonormal_on_the_grid(grid: int) -> None:
    phi = dense.basis(grid)
    np.testing.assert_allclose(phi @ phi.T / grid, np.eye(grid), atol=1e-13)
    theta = np.random.default_rng(0).standard_normal((3, grid))
    np.testing.assert_allclose(cosines.values(theta), theta @ phi, atol=1e-12)
    np.testing.assert_allclose(cosines.coefficients(cosines.values(theta)), theta, atol=1e-13)
    np.testing.assert_allclose(cosines.diagonal(theta[0]), theta[0] @ phi**2, atol=1e-12)


@given(
    smoothness=st.floats(0.6, 3.0),
    amplitude=st.floats(-2.0, 2.0),
    signs=st.sampled_from(["alike", "spread"]),
)
def test_excess_risk_is_a_difference_of_risks(
    smoothness: float, amplitude: float, signs: str
) -> None:
    two = classes(Target(32, smoothness, amplitude, signs))
    np.testing.assert_allclose(two.density.mean(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.diff(np.log(two.density), axis=0)[0], two.log_odds, atol=1e-11)
    # p_1 p_0 is a constant: W is 1/cosh of half the log-odds up to a factor.
    product = two.density.prod(axis=0)
    np.testing.assert_allclose(product, product[0], rtol=1e-11)

    def risk(u: np.ndarray) -> float:
        zero, one = two.density
        return float((0.5 * (one * np.logaddexp(0, -u) + zero * np.logaddexp(0, u))).mean())

    u = two.log_odds + np.random.default_rng(1).standard_normal(32)
    assert excess_risk(two, u) == pytest.approx(risk(u) - risk(two.log_odds), abs=1e-13)
    assert excess_risk(two, u) > 0.0 == excess_risk(two, two.log_odds)


def test_a_small_excess_loses_no_digits() -> None:
    error = 1e-7 * np.cos(np.arange(GRID))
    expected = 0.5 * (balanced_curvature(TWO) * error**2).mean()
    assert excess_risk(TWO, TWO.log_odds + error) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_newton_is_the_dense_newton(power: float) -> None:
    """Random counts, half the points without a row; starts far away."""
    random = np.random.default_rng(int(10 * power))
    ones = random.poisson(0.5, GRID) / 40.0
    zeros = random.poisson(0.4, GRID) / 40.0
    penalty = 1e-3 * cosines.penalty(GRID, power)
    expected = dense.newton(ones, zeros, penalty)
    for start in (np.zeros(GRID), np.full(GRID, 8.0)):
        found = newton.minimise(ones, zeros, penalty, start, 1e-24)
        assert bool(found.converged)
        np.testing.assert_allclose(found.score, expected, atol=1e-9)
    two = newton.minimise(
        np.stack([ones, zeros]), np.stack([zeros, ones]), penalty, np.zeros(GRID), 1e-24
    )
    np.testing.assert_allclose(two.score, np.stack([expected, -expected]), atol=1e-9)


def test_what_has_not_converged_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a number: the mean is over fits that were found, the control variate is not used."""
    ready = prepare(TWO, cells()["raw"])
    good = replicate_values(TWO, [ready], 20, seed=1)
    assert good.found.all() and estimates(good)[0].failures == 0
    values = good._replace(found=np.arange(20)[:, None] > 2)
    partly = estimates(values)[0]
    assert partly.failures == 3 and partly.replicates == 20
    assert partly.value == partly.raw == good.excess[3:, 0].mean()
    monkeypatch.setattr(newton, "STEPS", 1)
    monkeypatch.setattr(experiment, "PRECISION", 1e-30)
    none = estimates(replicate_values(TWO, [ready], 3, seed=1))[0]
    assert none.failures == 3 and np.isnan(none.value) and np.isnan(none.se)
    with pytest.raises(InputError, match="raise lambda"):
        population(TWO, cells()["augmented"])


@pytest.mark.parametrize("name", cells())
def test_the_population_is_that_of_the_matrices(name: str) -> None:
    each = cells()[name]
    found = population(TWO, each)
    np.testing.assert_allclose(found.score, dense.training_score(each), atol=2e-6)
    assert found.floor == pytest.approx(
        float(excess_risk(TWO, found.score - each.offset)), rel=1e-12
    )
    judged = expit(found.score - each.offset)
    gradient = 0.5 * (TWO.density.sum(axis=0) * judged - TWO.density[1])
    steer = cosines.values(dense.inverse(each, found) @ cosines.coefficients(gradient))
    np.testing.assert_allclose(found.steer, steer, atol=1e-9)
    # The floor's derivative in a shift of the log-odds is the mean gradient.
    step = 1e-5
    ahead, back = (excess_risk(TWO, found.score - each.offset + sign * step) for sign in (1, -1))
    assert (ahead - back) / (2 * step) == pytest.approx(gradient.mean(), abs=1e-9)


def test_the_local_filter_is_the_matrix_where_the_curvature_changes_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Off by .2 % of the variance at lambda = 1e-2, less below; one filter for all x is off by .9 %."""
    two = classes(Target(256, 2.0, amplitude=2.0))

    def gap(ridge: float) -> float:
        each = raw(two, (500, 500), ridge, 2.0)
        found = population(two, each)
        return control(each, found).variance / dense.variance(each, found) - 1.0

    assert abs(gap(1e-2)) < 5e-3
    assert max(abs(gap(1e-4)), abs(gap(1e-6))) < 5e-4
    one = lambda w: (np.array([w.mean()]), np.ones((1, len(w))))  # noqa: E731
    monkeypatch.setattr(control_module, "hats", one)
    assert abs(gap(1e-6)) > 5e-3
    monkeypatch.undo()
    # With a constant curvature it is the matrix.
    flat = classes(Target(64, 2.0, amplitude=0.0))
    each = raw(flat, (500, 500), 1e-3, 2.0)
    found = population(flat, each)
    assert control(each, found).variance == pytest.approx(dense.variance(each, found), rel=1e-11)


@pytest.mark.parametrize("name", cells())
def test_the_control_variate_has_its_mean(name: str) -> None:
    """At every number of rows; detects 12 % of the variance, 21 % where a bias adds noise."""
    each = cells()[name]
    ready = prepare(TWO, each)
    values = replicate_values(TWO, [ready], 6000, seed=5)
    mean, se = sample_mean(values.control[:, 0])
    variance = ready.control.variance
    seen = (0.21 if name == "augmented" else 0.12) * variance
    assert_mean(mean, se, 0.0, detects=seen)
    with pytest.raises(Disagreement):
        assert_mean(mean, se, 0.25 * variance, detects=seen)


@pytest.mark.parametrize("name", cells())
def test_simulated_risks_are_those_predicted(name: str) -> None:
    """Without the control variate; what is left out is of the next order. The twin lacks the variance."""
    each = cells()[name]
    ready = prepare(TWO, each)
    found = estimates(replicate_values(TWO, [ready], 3000, seed=6))[0]
    variance = ready.control.variance
    close, seen = 0.12 * variance, (0.45 if name == "augmented" else 0.35) * variance
    assert_mean(found.raw, found.raw_se, ready.predicted, detects=seen, remainder=close)
    assert_mean(
        found.value, found.se, found.raw, detects=0.5 * variance, remainder=6 * found.raw_se
    )
    with pytest.raises(Disagreement):
        floor = ready.population.floor
        assert_mean(found.raw, found.raw_se, floor, detects=seen, remainder=close)


def test_the_control_variate_pays() -> None:
    two = classes(Target(1024, 1.0))
    ridge = law.balanced_law(two, 10**5, 1.0).ridge
    found = simulate(two, [raw(two, (50_000, 50_000), ridge, 1.0)], 100, seed=2)[0]
    assert (found.raw_se / found.se) ** 2 > 50.0


def test_counts_are_prefixes_and_follow_their_names() -> None:
    small, large = (oversampled(TWO, (3000, 400), ratio, 1e-3, 1.0) for ratio in (0.25, 1.0))
    drawn = draw_counts([small, large], 3, 0)
    pool = small.parts[2].stream
    few, many = drawn[pool, small.parts[2].rows], drawn[pool, large.parts[2].rows]
    assert few.sum() == 650 and many.sum() == 2600 and (few <= many).all()
    alone = draw_counts([small], 3, 0)
    assert all((alone[key] == drawn[key]).all() for key in alone)
    raw_rows = drawn[small.parts[0].stream, 3000]
    assert (raw_rows == drawn[large.parts[0].stream, 3000]).all()
    for seed, replicate in ((4, 0), (3, 1)):
        other = draw_counts([small], seed, replicate)
        assert (other[pool, small.parts[2].rows] != few).any()
    # Counts have the right law: chi-square over 64 points, many replicates.
    totals = sum(draw_counts([small], 9, r)[small.parts[0].stream, 3000] for r in range(100))
    expected = 300_000 * TWO.density[0] / GRID
    statistic = float(((totals - expected) ** 2 / expected).sum())
    # 63 degrees of freedom: beyond 140 with probability 1e-7, below 20 with 1e-8.
    assert 20.0 < statistic < 140.0
    wrong = 300_000 * WRONG.density[0] / GRID
    assert float(((totals - wrong) ** 2 / wrong).sum()) > 140.0


def test_values_do_not_depend_on_how_they_are_batched(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = [prepare(TWO, each) for each in (cells()["raw"], cells()["oversampled"])]
    whole = replicate_values(TWO, ready, 7, seed=1)
    later = replicate_values(TWO, ready, 3, seed=1, first=4)
    np.testing.assert_allclose(later.excess, whole.excess[4:], rtol=1e-6)
    monkeypatch.setattr(experiment, "BATCH", 1)
    single = replicate_values(TWO, ready, 7, seed=1)
    np.testing.assert_allclose(single.excess, whole.excess, rtol=1e-6)
    np.testing.assert_allclose(single.control, whole.control, rtol=1e-9)


def test_a_trillion_rows_are_counted_exactly() -> None:
    each = raw(TWO, (10**12, 10**3), 1e-6, 1.0)
    drawn = draw_counts([each], 0, 0)
    assert [drawn[part.stream, part.rows].sum() for part in each.parts] == [10**12, 10**3]
    found = simulate(TWO, [each], 5)[0]
    assert found.failures == 0 and 0.0 < found.raw < 0.1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: classes(Target(4, 1.0)), "grid"),
        (lambda: classes(Target(64, 0.0)), "smoothness"),
        (lambda: classes(Target(64, 1.0, amplitude=11.0)), "amplitude"),
        (lambda: classes(Target(64, 1.0, signs="alyke")), "alike"),
        (lambda: classes(Target(64, 1.0, terms=64)), "terms"),
        (lambda: raw(TWO, (10, 0), 1.0, 1.0), "no rows"),
        (lambda: raw(TWO, (10, 10), 0.0, 1.0), "ridge"),
        (lambda: raw(TWO, (10, 10**16), 1.0, 1.0), "give fewer"),
        (lambda: simulate(TWO, [cells()["raw"]], 0), "replicates"),
    ],
)
def test_bad_input_is_said_in_one_sentence(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # pyright: ignore[reportCallIssue]
