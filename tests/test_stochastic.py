"""The comparison that the stochastic tests rest on, itself tested."""

import numpy as np
import pytest
from references import agrees_with_digits
from scipy.stats import norm
from stochastic import FALSE_FAIL, Disagreement, TooNoisy, assert_mean, critical, sample_mean


@pytest.mark.parametrize("comparisons", [1, 20])
def test_the_false_fail_rate_is_shared_among_comparisons(comparisons: int) -> None:
    rate = comparisons * 2 * norm.sf(critical(comparisons))
    assert rate == pytest.approx(FALSE_FAIL, rel=1e-9)


def test_a_mean_within_reach_passes_and_one_beyond_fails() -> None:
    z = critical(1)
    assert_mean(1.0 + 0.99 * z, 1.0, 1.0, detects=9.0)
    with pytest.raises(Disagreement):
        assert_mean(1.0 + 1.01 * z, 1.0, 1.0, detects=9.0)
    assert_mean(1.0 + 1.01 * z, 1.0, 1.0, remainder=0.1, detects=9.0)


def test_too_little_effort_is_no_agreement() -> None:
    with pytest.raises(TooNoisy):
        assert_mean(1.0, 1.0, 1.0, detects=7.0)
    with pytest.raises(TooNoisy):
        assert_mean(np.nan, 1.0, 1.0, detects=9.0)


def test_the_claimed_discrepancy_is_detected_as_often_as_declared() -> None:
    """Exact: a true discrepancy of z + 3.09 standard errors fails with probability 99.9 %."""
    z, detects = critical(1), critical(1) + norm.ppf(0.999)
    assert norm.sf(z - detects) == pytest.approx(0.999, abs=1e-9)


def test_sample_mean_is_the_textbook_one() -> None:
    mean, se = sample_mean(np.array([[1.0], [2.0], [4.0]]))
    assert mean == pytest.approx([7 / 3])
    assert se == pytest.approx([np.sqrt(7 / 3 / 3)])


@pytest.mark.parametrize(
    ("value", "printed", "agrees"),
    [(0.64994, "6.499e-1", True), (0.65006, "6.500e-1", False), (2.0, "2", True)],
)
def test_printed_digits_are_compared_to_half_a_unit(
    value: float, printed: str, agrees: bool
) -> None:
    assert agrees_with_digits(value, printed) is agrees
