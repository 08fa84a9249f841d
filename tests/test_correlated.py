"""Fits of correlated points: their errors are those that repetitions show."""

import numpy as np
import pytest
from scipy.stats import chi2
from stochastic import FALSE_FAIL

from scaling.fitting.correlated import fit_correlated, reciprocal_line
from scaling.fitting.curves import curve
from scaling.fitting.fit import fit, fit_all
from scaling.fitting.uncertainty import covariance

X = 100.0 * 2.0 ** np.arange(6)
TRUTH = 0.3 + 40.0 / X
# Errors in proportion to what falls, 1 %, and as correlated as the cells of a nested sweep.
SIZE = 0.01 * 40.0 / X
NESTED = 0.9 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
NOISE = SIZE[:, None] * NESTED * SIZE[None, :]
REPETITIONS = 4000
RNG_SEED = 23


def curves() -> np.ndarray:
    rng = np.random.default_rng(RNG_SEED)
    return TRUTH + rng.standard_normal((REPETITIONS, 6)) @ np.linalg.cholesky(NOISE).T


@pytest.mark.parametrize("name", ["exponent", "amplitude", "floor"])
def test_errors_are_those_of_repetitions(name: str) -> None:
    """The variance of 4,000 fits over the stated one: chi-square, 1e-6 for the test.

    Detects a standard error that is 10 % off (in the noise of this curve the neglected second order
    is below 1 %). Twin: errors that ignore the correlation, off by a factor of 1.5 at least.
    """
    y = curves()
    found = fit_all("power_floor", X, y, SIZE)
    place = ["exponent", "amplitude", "floor"].index(name)
    spread = float(found.parameters[:, place].var(ddof=1))
    low, high = chi2.ppf([FALSE_FAIL / 2, 1 - FALSE_FAIL / 2], REPETITIONS - 1) / (REPETITIONS - 1)
    assert high < 1.15 and low > 0.85
    _, se = fit_correlated("power_floor", X, TRUTH, NOISE, SIZE)[name]
    assert 0.98 * low < spread / se**2 < 1.02 * high
    _, alone = fit_correlated("power_floor", X, TRUTH, np.diag(SIZE**2), SIZE)[name]
    assert not 0.6 < spread / alone**2 < 1.6


def test_uncorrelated_points_have_the_errors_of_the_delta_method() -> None:
    y = curves()[0]
    ours = fit_correlated("power_floor", X, y, np.diag(SIZE**2), SIZE).covariance
    theirs = covariance(fit("power_floor", curve(X, y, SIZE)))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_weights_need_only_be_right_up_to_a_factor() -> None:
    y = curves()[0]
    one, other = (fit_correlated("power_floor", X, y, NOISE, c * SIZE) for c in (1.0, 50.0))
    assert one["floor"] == pytest.approx(other["floor"], rel=1e-6)


def test_a_parameter_that_is_held_has_no_error() -> None:
    found = fit_correlated("power_floor", X, TRUTH, NOISE, SIZE, held={"exponent": 1.0})
    assert found["exponent"] == (1.0, 0.0)
    free = fit_correlated("reciprocal_floor", X, TRUTH, NOISE, SIZE)
    assert found["floor"] == pytest.approx(free["floor"], rel=1e-6)


def test_at_a_bound_there_is_no_error() -> None:
    """A curve that bends below a line in 1/x wants a negative floor, and may have none."""
    found = fit_correlated("reciprocal_floor", X, 40.0 / X - 0.01, NOISE, SIZE)
    assert found.fit.parameters["floor"] == 0.0 and np.isnan(found["floor"][1])
    line = reciprocal_line(X, 40.0 / X - 0.01, NOISE, SIZE)
    assert line.floor == pytest.approx(-0.01) and line.amplitude == pytest.approx(40.0)


def test_a_line_has_the_errors_of_the_law_with_a_floor() -> None:
    y = curves()[0]
    line = reciprocal_line(X, y, NOISE, SIZE)
    found = fit_correlated("reciprocal_floor", X, y, NOISE, SIZE)
    assert (line.floor, np.sqrt(line.covariance[0, 0])) == pytest.approx(found["floor"], rel=1e-8)


def test_a_parameter_searched_as_a_logarithm_has_the_error_of_its_value() -> None:
    """The odds of the law `mixture`: its internal error times its value."""
    grid = np.array(
        [(n, m, a) for n in (100.0, 900.0) for m in (50.0, 800.0) for a in (0.2, 0.5, 0.8)]
    )
    n, m, a = grid.T
    y = 0.01 * a**2 + 2 * ((1 - a) ** 2 / n + 3 * a**2 / m) ** 1.2
    size = 1e-3 * y
    held = {"floor": 0.0}
    found = fit_correlated("mixture", grid, y, np.diag(size**2), size, held)
    assert found["odds"][0] == pytest.approx(3.0, rel=1e-6)
    theirs = covariance(fit("mixture", curve(grid, y, size), held=held))
    place = found.fit.law.parameters.index("odds")
    assert found["odds"][1] == pytest.approx(3.0 * np.sqrt(theirs[place, place]), rel=1e-6)
    assert found["exponent"][1] == pytest.approx(np.sqrt(theirs[0, 0]), rel=1e-6)
