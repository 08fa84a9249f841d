"""Verdict statistics: boundaries, formulas by hand, and error rates by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2, kstest, norm
from stochastic import FALSE_FAIL

from scaling.verdict.equivalence import ALPHA, below, critical_value, equivalence
from scaling.verdict.ladder import ladder

Z = critical_value(ALPHA)
SIZES = np.array([100.0, 200.0, 400.0, 800.0])
NOISE = np.array([0.004, 0.003, 0.002, 0.002])


@given(st.floats(0.5, 1.5), st.floats(0.0, 0.2), st.floats(0.005, 0.1))
def test_outcomes_follow_the_interval(ratio: float, se: float, margin: float) -> None:
    low, high = ratio - Z * se, ratio + Z * se
    verdict = equivalence(ratio, se, margin)
    inside = 1 - margin <= low and high <= 1 + margin
    apart = high < 1 - margin or low > 1 + margin
    assert (verdict.outcome == "supported") == inside
    assert (verdict.outcome == "contradicted") == apart
    assert verdict.resolution == pytest.approx(margin + (Z + norm.isf(0.01)) * se, rel=1e-12)


@pytest.mark.parametrize("side", [-1, 1])
def test_outcomes_change_at_the_edges_of_the_band(side: int) -> None:
    margin, se, tiny = 0.02, 0.002, 1e-9
    for gap, outcome in (
        (margin - Z * se - tiny, "supported"),
        (margin - Z * se + tiny, "unresolved"),
        (margin + Z * se - tiny, "unresolved"),
        (margin + Z * se + tiny, "contradicted"),
    ):
        assert equivalence(1 + side * gap, se, margin).outcome == outcome


def test_without_noise_there_is_nothing_unresolved() -> None:
    assert equivalence(1.02, 0.0, 0.02).outcome == "supported"
    assert equivalence(1.020001, 0.0, 0.02).outcome == "contradicted"


@pytest.mark.parametrize("se", [float("nan"), float("inf")])
def test_no_standard_error_no_verdict(se: float) -> None:
    assert equivalence(1.0, se, 0.02).outcome == "unresolved"
    assert equivalence(2.0, se, 0.02).outcome == "unresolved"
    assert below(2.0, se).outcome == "unresolved"


def test_no_number_no_verdict() -> None:
    assert equivalence(float("nan"), 0.001, 0.02).outcome == "unresolved"
    assert below(float("nan"), 0.001).outcome == "unresolved"


@pytest.mark.parametrize("alpha", [0.0, 0.5, -1.0, float("nan")])
def test_levels_that_mean_nothing_are_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        equivalence(1.0, 0.1, 0.02, alpha)


@pytest.mark.parametrize("margin", [0.0, -0.02, float("nan")])
def test_margins_that_mean_nothing_are_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        equivalence(1.0, 0.1, margin)


def test_below_changes_at_the_bound() -> None:
    se, tiny = 0.01, 1e-9
    assert below(1 - Z * se - tiny, se).outcome == "supported"
    assert below(1 - Z * se + tiny, se).outcome == "unresolved"
    assert below(1 + Z * se - tiny, se).outcome == "unresolved"
    assert below(1 + Z * se + tiny, se).outcome == "contradicted"
    assert below(1.0, 0.0).outcome == "supported"


def _rate(truth: float, outcome: str, alpha: float = 0.05) -> tuple[int, int]:
    """How many of 2,000 verdicts on a true ratio come out like this."""
    ratios = truth + 0.005 * np.random.default_rng(31).standard_normal(2000)
    verdicts = [equivalence(r, 0.005, 0.02, alpha).outcome for r in ratios]
    return verdicts.count(outcome), len(verdicts)


def _compatible(count: int, total: int, rate: float) -> bool:
    """Two-sided binomial at 1e-6; with 2,000 trials it detects 5 % taken for 9 %."""
    tails = binom.sf(count - 1, total, rate), binom.cdf(count, total, rate)
    return float(min(tails)) > FALSE_FAIL / 2


@pytest.mark.parametrize("outcome", ["contradicted", "supported"])
def test_error_rates_at_the_edge_of_the_band_are_alpha(outcome: str) -> None:
    count, total = _rate(1.02, outcome)
    assert _compatible(count, total, 0.05)
    assert not _compatible(count, total, 0.12)


def test_a_right_prediction_is_not_contradicted() -> None:
    assert _rate(1.0, "contradicted")[0] == 0


def test_an_error_of_the_size_of_the_resolution_is_caught() -> None:
    resolution = equivalence(1.0, 0.005, 0.02, 0.05).resolution or 0.0
    assert _compatible(*_rate(1.0 + resolution, "contradicted"), 0.99)
    assert not _compatible(*_rate(1.0 + 0.7 * resolution, "contradicted"), 0.99)


def test_the_ladder_is_weighted_least_squares_by_hand() -> None:
    x, w = 1 / SIZES, NOISE**-2.0
    y = np.array([1.05, 1.02, 1.013, 1.006])
    mx, my = (w @ x) / w.sum(), (w @ y) / w.sum()
    sxx = w @ (x - mx) ** 2
    slope = (w @ ((x - mx) * (y - my))) / sxx
    line = ladder(x, y, NOISE)
    assert line.slope == pytest.approx(slope, rel=1e-9)
    assert line.intercept == pytest.approx(my - slope * mx, rel=1e-12)
    assert line.slope_se == pytest.approx(sxx**-0.5, rel=1e-9)
    assert line.intercept_se == pytest.approx((1 / w.sum() + mx**2 / sxx) ** 0.5, rel=1e-9)
    assert line.fitted == pytest.approx(line.intercept + line.slope * x, rel=1e-12)


def test_the_ladder_ignores_order_and_scales_with_noise() -> None:
    x, y = 1 / SIZES, 1 + 3 / SIZES + np.array([1, -1, 1, -1]) * NOISE
    line, back = ladder(x, y, NOISE), ladder(x[::-1], y[::-1], NOISE[::-1])
    assert line.intercept == pytest.approx(back.intercept, rel=1e-12)
    wide = ladder(x, y, 2 * NOISE)
    assert wide.intercept == pytest.approx(line.intercept, rel=1e-12)
    assert wide.intercept_se == pytest.approx(2 * line.intercept_se, rel=1e-9)


def test_one_size_is_taken_as_it_stands() -> None:
    line = ladder(np.array([0.01]), np.array([1.03]), np.array([0.002]))
    assert (line.intercept, line.intercept_se, line.straightness) == (1.03, 0.002, 1.0)


def test_a_quadratic_ladder_finds_the_constant_that_a_line_misses() -> None:
    y = 0.98 + 3 / SIZES - 200 / SIZES**2
    assert ladder(1 / SIZES, y, NOISE, degree=2).intercept == pytest.approx(0.98, rel=1e-9)
    assert abs(ladder(1 / SIZES, y, NOISE).intercept - 0.98) > 1e-3
    wider = ladder(1 / SIZES, y, NOISE, degree=2).intercept_se
    assert wider > ladder(1 / SIZES, y, NOISE).intercept_se


def test_ladders_that_cannot_be_fitted_are_refused() -> None:
    with pytest.raises(ValueError, match="degree"):
        ladder(1 / SIZES, np.ones(4), NOISE, degree=4)
    with pytest.raises(ValueError, match="as many"):
        ladder(1 / SIZES, np.ones(3), NOISE)
    with pytest.raises(ValueError, match="positive"):
        ladder(1 / SIZES, np.ones(4), np.array([0.1, 0.0, 0.1, 0.1]))


def test_ladder_intervals_are_calibrated_and_bends_are_seen() -> None:
    """2,000 ladders: intercepts have unit variance and p-values are uniform, each at 5e-7.

    Detects standard errors 15 % off (twin: 20 %), and a bend of ten standard errors every time.
    """
    rng = np.random.default_rng(8)
    x = 1 / SIZES
    lines = [ladder(x, 0.99 + 5 * x + NOISE * rng.standard_normal(4), NOISE) for _ in range(2000)]
    z = np.array([(line.intercept - 0.99) / line.intercept_se for line in lines])
    p = np.array([line.straightness for line in lines])
    band = chi2.ppf([FALSE_FAIL / 4, 1 - FALSE_FAIL / 4], len(z))
    assert band[0] < (z**2).sum() < band[1]
    assert kstest(p, "uniform").pvalue > FALSE_FAIL / 2
    assert not band[0] < ((z / 0.8) ** 2).sum() < band[1]
    bent = 0.99 + 5 * x + np.array([0.04, 0, 0, 0.02]) + NOISE * rng.standard_normal(4)
    assert ladder(x, bent, NOISE).straightness < 1e-4
