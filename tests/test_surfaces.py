"""Deviance along the exponent and over floor and exponent: what defines them, and a wrong twin."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.fitting.intervals import intervals
from scaling.fitting.polish import Measure
from scaling.fitting.robust import robust_fit, with_noise
from scaling.fitting.surfaces import has_valley, profile, threshold, valley

ROWS = np.geomspace(100, 20_000, 12)
SE = 0.01 * (0.2 + 3.0 * ROWS**-0.5)
Y = 0.2 + 3.0 * ROWS**-0.5 + SE * np.random.default_rng(3).standard_normal(12)
FIT = fit("power_floor", curve(ROWS, Y, SE))
FOUND = intervals(FIT)
# Nelder and Mead's tolerance of the chi-square, against deviances of order 1.
CLOSE = 1e-5


def chi_square(exponent: float, amplitude: float, floor: float) -> float:
    return float((((Y - floor - amplitude * ROWS**-exponent) / SE) ** 2).sum())


def test_a_profile_is_the_best_of_all_fits_with_that_exponent() -> None:
    along = profile(FIT, FOUND)
    assert along.deviance.min() == pytest.approx(0.0, abs=1e-9)
    assert along.values[along.deviance.argmin()] == FIT.parameters["exponent"]
    start = [FIT.parameters["amplitude"], FIT.parameters["floor"]]
    for exponent, deviance in list(zip(along.values, along.deviance, strict=True))[::8]:
        other = minimize(
            lambda p, a=exponent: chi_square(a, p[0] * start[0], p[1] * start[1]),
            [1.0, 1.0],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
        )
        assert deviance == pytest.approx(other.fun - 2.0 * FIT.loss, abs=CLOSE)


def test_the_threshold_is_crossed_at_the_ends_of_the_interval() -> None:
    along = profile(FIT, FOUND, points=81)
    low, high, _ = FOUND["exponent"]
    gap = along.deviance - along.threshold
    for end in (low, high):
        crossing = brentq(
            lambda a: np.interp(a, along.values, gap), end - 0.01, end + 0.01
        )  # the profile is drawn with straight pieces
        assert crossing == pytest.approx(end, abs=2e-4)
    # The wrong twin: the threshold of two parameters is crossed elsewhere.
    wide = along.deviance - threshold(FIT, parameters=2)
    inside = along.values[wide < 0.0]
    assert inside.max() - inside.min() > 1.1 * (high - low)


def test_a_valley_is_the_profile_of_both_and_its_least_is_the_profile_of_one() -> None:
    over = valley(FIT, FOUND)
    for i, j in ((3, 5), (20, 22), (40, 11)):
        floor, exponent = over.floors[i], over.exponents[j]
        basis = ROWS**-exponent / SE
        target = (Y - floor) / SE
        amplitude = max(0.0, float(basis @ target / (basis @ basis)))
        expected = chi_square(exponent, amplitude, floor) - 2.0 * FIT.loss
        assert over.deviance[i, j] == pytest.approx(expected, rel=1e-9)
    along = profile(FIT, FOUND)
    least = over.deviance.min(axis=0)
    inside = (over.exponents > along.values[0]) & (over.exponents < along.values[-1])
    known = np.interp(over.exponents, along.values, along.deviance)
    # The grid of floors misses the bottom of the valley by half a step at most.
    assert (least[inside] >= known[inside] - 0.05).all()
    assert over.thresholds[0] < over.thresholds[1]
    # The joint region lies within what is looked at, or ends where a floor does.
    edge = np.concatenate([over.deviance[-1], over.deviance[:, 0], over.deviance[:, -1]])
    assert (edge > over.thresholds[1]).all()


def test_without_standard_errors_deviances_are_in_the_estimated_noise() -> None:
    same = fit("power_floor", curve(ROWS, Y))
    known = fit("power_floor", curve(ROWS, Y, np.full(12, np.sqrt(same.variance))))
    ends = intervals(same)
    first, second = profile(same, ends), profile(known, ends)
    np.testing.assert_allclose(first.deviance, second.deviance, atol=1e-6)
    assert first.threshold > second.threshold


def test_what_has_no_valley_and_what_has_no_profile() -> None:
    assert has_valley(FIT)
    assert not has_valley(fit("power", curve(ROWS, Y, SE)))
    assert not has_valley(fit("power_floor", curve(ROWS, Y, SE), held={"floor": 0.2}))
    robust = fit("power_floor", curve(ROWS, Y, SE), measure=Measure(loss="huber"))
    assert not has_valley(robust)
    with pytest.raises(ValueError, match="no likelihood"):
        profile(robust, FOUND)


@pytest.mark.parametrize("law", ["power_correction", "broken"])
def test_more_searched_parameters_keep_the_least_at_the_estimate(law: str) -> None:
    found = fit(law, curve(ROWS, Y, SE))
    along = profile(found, intervals(found), points=9)
    assert along.deviance.min() == pytest.approx(0.0, abs=1e-6)


def test_the_noise_of_a_curve_is_read_off_typical_residuals() -> None:
    rng = np.random.default_rng(4)
    sizes = np.geomspace(10, 10_000, 200)
    y = 0.2 + sizes**-0.5 + 0.01 * rng.standard_normal(200)
    clean = with_noise(fit("power_floor", curve(sizes, y)))
    # The median of 200: a relative standard error of 1.17/sqrt(200) = .083; 4.9 of them.
    assert clean.se is not None and clean.se[0] == pytest.approx(0.01, rel=0.41)
    y[::10] += 0.5
    robust = robust_fit("power_floor", curve(sizes, y), Measure(loss="huber"))
    assert robust.curve.se is not None and robust.curve.se[0] < 0.016
    assert abs(robust.parameters["floor"] - 0.2) < 0.01
    # The wrong twin: squares take the wrong points for noise, and follow them.
    squares = fit("power_floor", curve(sizes, y))
    assert np.sqrt(squares.variance) > 0.1 and abs(squares.parameters["floor"] - 0.2) > 0.02
    relative = with_noise(fit("power_floor", curve(sizes, y), measure=Measure(scale="log")))
    assert relative.se is not None and np.ptp(relative.se / y) < 1e-12
