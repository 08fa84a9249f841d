"""Forecasts: closed forms, coverage, model error, warnings, faults, wrong twins."""

import numpy as np
import pytest
from scipy.stats import binom, norm
from stochastic import FALSE_FAIL

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.fitting.polish import Measure
from scaling.forecasting.forecast import (
    Mixture,
    average,
    forecast,
    forecast_warnings,
    observation,
    outlook,
)
from scaling.forecasting.model_error import cuts_of, distance, drift_of, walk

X = np.geomspace(10.0, 1000.0, 12)


def fitted(
    seed: int = 0, relative: float = 0.02, law: str = "power_floor", bend: float = 0.0
) -> Fit:
    """A curve of exponent 1/2 above a floor; ``bend``: what turns up beyond the law."""
    true = 0.2 + X**-0.5 + bend * np.log(X / 100.0).clip(0.0) ** 2
    se = relative * true
    return fit(law, curve(X, true + se * np.random.default_rng(seed).normal(size=12), se))


def test_quantiles_of_a_mixture() -> None:
    """One normal law by its closed form (to the 40 halvings of 18 standard deviations), and two of
    them by their distribution function."""
    one = Mixture(np.array([[2.0]]), np.array([[0.5]]), np.ones((1, 1)))
    assert one.quantile(0.975)[0] == pytest.approx(2.0 + 0.5 * norm.ppf(0.975), abs=1e-10)
    two = Mixture(np.array([[0.0], [3.0]]), np.array([[1.0], [0.1]]), np.array([[0.25], [0.75]]))
    at = two.quantile(0.3)[0]
    assert 0.25 * norm.cdf(at) + 0.75 * norm.cdf((at - 3.0) / 0.1) == pytest.approx(0.3, abs=1e-9)


def test_a_walk_is_carried_on_and_spreads() -> None:
    """By the formulas of a random walk: exactly seen, a step between two points is halved in mean and
    has a quarter of its variance; beyond, the variance grows with the distance. Twin: no walk."""
    line, seen = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0])
    mean, variance = walk(line, seen, np.zeros(3), 3.0, np.array([1.5, 6.0]))
    assert mean == pytest.approx([3.0, 5.0])
    assert variance == pytest.approx([9.0 * 0.25, 9.0 * 4.0])
    still, none = walk(line, seen, np.ones(3), 0.0, np.array([6.0]))
    assert still[0] == 0.0 and none[0] == 0.0


def test_distance_counts_from_the_nearer_end() -> None:
    data = np.array([[10.0, 1.0], [100.0, 5.0]])
    there = np.array([[50.0, 2.0], [1000.0, 2.0], [1.0, 5.0], [100.0, 50.0]])
    assert distance(there, data) == pytest.approx(np.log([1.0, 10.0, 10.0, 10.0]))


def test_refits_without_the_last_points_know_nothing_of_them() -> None:
    """Other last points, the same refits: what is held out must not leak (twin: an earlier point)."""
    first = fitted()
    y = first.curve.y.copy()
    y[-1] *= 2.0
    other = fit("power_floor", curve(X, y, first.curve.se))
    one, same = cuts_of(first), cuts_of(other)
    assert one.left == (1, 2, 3, 4, 5, 6)
    assert np.array_equal(one.values, same.values)
    y[0] *= 2.0
    assert not np.allclose(
        one.values, cuts_of(fit("power_floor", curve(X, y, first.curve.se))).values
    )


def test_a_law_that_misses_has_the_larger_error_of_its_own() -> None:
    """A line without a floor through a curve that has one, and a law that is right."""
    sizes = {}
    for law in ("power", "power_floor"):
        found = fitted(1, 0.005, law)
        drift = outlook(found).drift
        sizes[law] = float(drift.weight @ drift.size)
    assert sizes["power"] > 3.0 * sizes["power_floor"]


def covered(count: int, law: str, own_error: bool = True) -> int:
    """Of ``count`` curves, how many new observations at three times the last size are held."""
    hits, place = 0, np.array([[3000.0]])
    new = 0.2 + 3000.0**-0.5
    for seed in range(count):
        found = fitted(seed, 0.01, law)
        assert found.curve.se is not None
        came = new + found.curve.se[-3:].mean() * np.random.default_rng(10**6 + seed).normal()
        seen = observation(outlook(found, seed=seed), place, own_error)
        hits += seen.quantile(0.025)[0] <= came <= seen.quantile(0.975)[0]
    return int(hits)


def test_forecasts_cover_new_observations() -> None:
    """Under the right law at least as many of 200 as a coverage of 95 % gives but for a false-fail
    rate of 1e-6. Twin: the law without a floor, taken for true, covers next to nothing."""
    least = binom.ppf(FALSE_FAIL, 200, 0.95)
    assert covered(200, "power_floor") >= least
    assert covered(50, "power", own_error=False) < 25


def test_forecasts_grow_wider_with_the_distance_and_average_alike() -> None:
    found = fitted()
    near, far, farther = forecast(found, [1100.0, 3000.0, 9000.0])
    assert near.high - near.low < far.high - far.low < farther.high - farther.low
    assert near.low < near.value < near.high
    (alone,), (twice,) = forecast(found, [3000.0]), average([found, found], [3000.0])
    assert twice.value == pytest.approx(alone.value) and twice.low == pytest.approx(alone.low)
    (apart,) = average([found, fitted(law="power")], [3000.0])
    assert apart.low < alone.low


def test_logarithmic_forecasts_are_in_proportion() -> None:
    """A curve a thousand times as large has intervals a thousand times as wide."""
    y = (0.2 + X**-0.5) * np.exp(0.02 * np.random.default_rng(3).normal(size=12))
    small, large = (
        forecast(fit("power_floor", curve(X, k * y), measure=Measure(scale="log")), [5000.0])[0]
        for k in (1.0, 1000.0)
    )
    assert large[1:] == pytest.approx([1000.0 * number for number in small[1:]], rel=1e-5)
    assert small.high / small.value > 1.0 > small.low / small.value > 0.0


def test_a_law_in_two_variables_is_forecast() -> None:
    random = np.random.default_rng(4)
    x = np.exp(random.uniform(3.0, 9.0, (40, 2)))
    y = 0.5 + x[:, 0] ** -0.5 + 2.0 * x[:, 1] ** -0.4
    found = fit("two_exponent", curve(x, y * (1 + 0.005 * random.normal(size=40)), 0.005 * y))
    (told,) = forecast(found, [[20000.0, 20000.0]])
    assert told.x == (20000.0, 20000.0)
    assert told.low < 0.5 + 20000.0**-0.5 + 2.0 * 20000.0**-0.4 < told.high


def test_far_forecasts_are_warned_of() -> None:
    found = fitted()
    assert forecast_warnings(found, [10000.0]) == []
    (told,) = forecast_warnings(found, [10001.0, 40000.0])
    assert told.code == "far_forecast" and "a factor of 40" in told.text


@pytest.mark.parametrize("x", [[0.0], [np.nan], [-5.0]])
def test_places_that_are_no_sizes_are_refused(x: list[float]) -> None:
    with pytest.raises(ValueError, match="finite and positive"):
        forecast(fitted(), x)


def test_drift_of_a_curve_without_noise() -> None:
    """An exact curve leaves no residual to divide by; nothing is infinite."""
    found = fit("power_floor", curve(X, 0.2 + X**-0.5))
    drift = drift_of(found, outlook(found).refits)
    assert np.isfinite(drift.weight).all()
    (told,) = forecast(found, [5000.0])
    assert told.value == pytest.approx(0.2 + 5000.0**-0.5, abs=1e-6)
