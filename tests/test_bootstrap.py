"""Bootstraps: against the delta method and closed forms, coverage, seeds, faults, wrong twins."""

import numpy as np
import pytest
from scipy.stats import binom
from stochastic import FALSE_FAIL, Disagreement, assert_mean

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.fitting.laws import LAWS, value
from scaling.fitting.polish import Measure
from scaling.fitting.uncertainty import covariance
from scaling.forecasting.bootstrap import Bootstrap, cases, clusters, parametric

X = np.geomspace(10.0, 1000.0, 12)
TRUE = 0.2 + X**-0.5


def fitted(relative: float = 0.01, seed: int = 0, known: bool = True) -> Fit:
    se = relative * TRUE
    y = TRUE + se * np.random.default_rng(seed).normal(size=len(X))
    return fit("power_floor", curve(X, y, se if known else None))


def check_errors(found: Bootstrap, expected: np.ndarray, detects: float) -> None:
    """Standard deviations of the refits against standard errors that theory gives.

    False-fail 1e-6; the standard error of a standard deviation is s / sqrt(2 B) for normal draws.
    """
    spread = found.estimates.std(axis=0, ddof=1)
    se = spread / np.sqrt(2.0 * len(found.estimates))
    assert_mean(spread / expected, se / expected, 1.0, detects=detects, remainder=0.02)


def test_parametric_errors_are_those_of_the_delta_method_where_noise_is_small() -> None:
    """At a noise of 0.1 % the law is linear in its parameters to about a percent (the remainder)."""
    found = fitted(0.001)
    expected = np.sqrt(np.diag(covariance(found)))
    check_errors(parametric(found, 4000, seed=3), expected, 0.12)
    with pytest.raises(Disagreement):
        check_errors(parametric(found, 4000, seed=3), 1.2 * expected, 0.12)


def test_clusters_know_that_points_are_correlated() -> None:
    """Replicates that move as a whole move the floor alone: its standard error is that of a mean,
    which points taken for independent would put far lower."""
    random = np.random.default_rng(5)
    values = TRUE + 0.02 * random.normal(size=(200, 1))
    found = fit("power_floor", curve(X, values.mean(axis=0)), held={"exponent": 0.5})
    refits = clusters(found, values, 4000, seed=1)
    floor = refits.parameters[:, 2]
    expected = values.std(axis=0).mean() / np.sqrt(200)
    se = floor.std() / np.sqrt(2.0 * len(floor))
    assert_mean(floor.std() / expected, se / expected, 1.0, detects=0.1)
    # Each point resampled by itself: the wrong twin.
    alone = np.take_along_axis(values, random.integers(200, size=values.shape), axis=0)
    apart = clusters(found, alone, 4000, seed=1).parameters[:, 2]
    with pytest.raises(Disagreement):
        assert_mean(apart.std() / expected, se / expected, 1.0, detects=0.1)


def coverage(known: bool, width: float = 1.0) -> int:
    """Of 400 curves, how many parametric intervals of the exponent hold the true one."""
    hits = 0
    for seed in range(400):
        low, high, _ = parametric(fitted(0.02, seed, known), 199, seed=seed).intervals()["exponent"]
        middle, half = 0.5 * (low + high), 0.5 * width * (high - low)
        hits += middle - half < 0.5 < middle + half
    return hits


@pytest.mark.parametrize("known", [True, False])
def test_parametric_intervals_cover(known: bool) -> None:
    """Of 400 intervals at least as many as a coverage of 95 % gives but for a false-fail rate of 1e-6
    (358); intervals three fifths as wide (coverage 76 %) are caught."""
    least = binom.ppf(FALSE_FAIL, 400, 0.95)
    assert least <= coverage(known)
    assert coverage(known, 0.6) < least


def test_the_same_seed_the_same_refits() -> None:
    found = fitted()
    one, same, other = (parametric(found, 50, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.estimates, same.estimates)
    assert not np.array_equal(one.estimates, other.estimates)


def test_cases_of_a_robust_loss() -> None:
    """Huber's loss has no likelihood: cases are drawn, and outliers do not carry the law away."""
    x = np.geomspace(10.0, 1000.0, 40)
    y = value(LAWS["power_floor"], [0.5, 1.0, 0.2], x[:, None])
    y = y * np.exp(0.01 * np.random.default_rng(1).normal(size=40))
    y[::13] *= 1.5
    found = fit("power_floor", curve(x, y), measure=Measure("huber", "log", 0.01))
    refits = cases(found, 400, seed=2)
    low, high, unbounded = refits.intervals()["exponent"]
    assert low < 0.5 < high and high - low < 0.2 and not unbounded
    assert refits.unsettled < 0.02
    with pytest.raises(ValueError, match="bootstrap of cases"):
        parametric(found, 10)


def test_what_is_held_stays() -> None:
    y = fitted().curve.y
    found = fit("power_floor", curve(X, y, 0.01 * TRUE), held={"floor": 0.2})
    refits = parametric(found, 20)
    assert (refits.parameters[:, 2] == 0.2).all()
    assert refits.intervals()["floor"].unbounded is False


def test_an_exponent_on_its_limit_is_unbounded() -> None:
    y = 0.5 + 0.05 * np.random.default_rng(2).normal(size=12)
    found = fit("power_floor", curve(X, y, np.full(12, 0.05)))
    assert parametric(found, 200).intervals()["exponent"].unbounded


def test_faults() -> None:
    found = fitted()
    with pytest.raises(ValueError, match="at least 2"):
        parametric(found, 1)
    with pytest.raises(ValueError, match="replicates, 12"):
        clusters(found, np.ones((5, 3)))
