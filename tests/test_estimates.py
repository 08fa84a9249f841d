"""From replicates to moments, from moments to estimates, and from estimates to the tidy table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from stochastic import Disagreement, assert_mean

from simulations.runs import moments as streaming
from simulations.runs.estimates import (
    Estimates,
    coefficients,
    estimates,
    evidence_of,
    from_results,
    reasons,
)
from simulations.runs.moments import (
    Moments,
    accumulated,
    blocks,
    halves,
    join,
    measures,
    merge,
    moments,
    one_cell,
    one_sample,
)
from simulations.runs.table import worst_group
from simulations.sampling.newton import FOUND, SEPARABLE, STATUS, STOPPED
from simulations.sampling.replicate import Results

BASELINE = np.array([0.3, 0.5, 9.0, 9.0])
CONTROLS = 3


def _results(count: int = 150, cells: int = 2, seed: int = 1, scale: float = 1.0) -> Results:
    """Values that follow their controls with coefficients 1, 0.5 and 2 (but for noise)."""
    rng = np.random.default_rng(seed)
    controls = rng.standard_normal((count, cells, CONTROLS, 4))
    signal = np.einsum("rcjf,j->rcf", controls, [1.0, 0.5, 2.0])
    values = np.array([0.4, 0.6, 0.1, 0.2]) + signal + 0.1 * rng.standard_normal(signal.shape)
    return Results(values, scale * controls, np.zeros((count, cells), np.int8))


def _regression(results: Results, cell: int, f: int) -> tuple[float, float]:
    """Cross-fitted estimate and standard error of one functional, by least squares in plain sight."""
    y, c = results.values[:, cell, f], results.controls[:, cell, :, f]
    mean, variance = 0.0, 0.0
    for mine, other in ((0, 1), (1, 0)):
        design = np.column_stack([np.ones(len(y[other::2])), c[other::2]])
        beta = np.linalg.lstsq(design, y[other::2])[0][1:]
        rest = y[mine::2] - c[mine::2] @ beta
        share = len(rest) / len(y)
        mean += share * rest.mean()
        variance += share**2 * rest.var(ddof=1) / len(rest)
    return mean, variance**0.5


@pytest.mark.parametrize("count", [150, 151])
def test_means_and_standard_errors_by_hand(count: int) -> None:
    results = _results(count)
    got = from_results(results, BASELINE)
    plain = results.values[:, 1, 0] - 0.3
    assert got.estimate_raw[1, 0, 0] == pytest.approx(plain.mean(), rel=1e-12)
    assert got.se_raw[1, 0, 0] == pytest.approx(plain.std(ddof=1) / count**0.5, rel=1e-12)
    mean, se = _regression(results, 1, 0)
    assert got.estimate[1, 0, 0] == pytest.approx(mean - 0.3, rel=1e-10)
    assert got.se[1, 0, 0] == pytest.approx(se, rel=1e-10)
    # Errors are absolute; balanced is the mean over groups, replicate by replicate.
    assert got.estimate_raw[1, 1, 0] == pytest.approx(results.values[:, 1, 2].mean(), rel=1e-12)
    both = (results.values[:, 0, :2] - BASELINE[:2]).mean(axis=1)
    assert got.estimate_raw[0, 0, 2] == pytest.approx(both.mean(), rel=1e-12)
    assert got.se_raw[0, 0, 2] == pytest.approx(both.std(ddof=1) / count**0.5, rel=1e-12)
    assert (got.se < 0.2 * got.se_raw).all()


def test_few_replicates_take_the_controls_with_coefficient_one() -> None:
    """From 20 replicates per control in each half on, coefficients are estimated."""
    results = _results(119)
    got = from_results(results, BASELINE)
    rest = results.values[:, 1, 2] - results.controls[:, 1, :, 2].sum(axis=-1)
    assert got.estimate[1, 1, 0] == pytest.approx(rest.mean(), rel=1e-12)
    assert got.se[1, 1, 0] == pytest.approx(rest.std(ddof=1) / 119**0.5, rel=1e-12)
    enough = from_results(_results(120), BASELINE)
    assert enough.estimate[1, 1, 0] == pytest.approx(_regression(_results(120), 1, 2)[0], rel=1e-10)
    # Two replicates have a mean and a standard error.
    assert np.isfinite(from_results(_results(2), BASELINE).se).all()


def test_estimates_do_not_depend_on_the_scale_of_the_controls() -> None:
    """Coefficients make up for it, down to controls of the size 1e-9."""
    large, small = (from_results(_results(scale=s), BASELINE) for s in (1.0, 1e-9))
    np.testing.assert_allclose(small.estimate, large.estimate, rtol=1e-9)
    np.testing.assert_allclose(small.se, large.se, rtol=1e-9)


def test_a_control_that_is_rounding_counts_as_absent() -> None:
    """One whose gradient is zero in theory is noise of the last bits: the estimate must not depend on
    it. Were it 1e-3 of the measure, it would count."""
    results, rng = _results(200), np.random.default_rng(5)
    noise = rng.standard_normal(results.controls[:, :, :1].shape)
    want = from_results(results, BASELINE)
    for size, same in ((1e-15, True), (1e-3, False)):
        wider = np.concatenate([results.controls, size * noise], axis=2)
        got = from_results(results._replace(controls=wider), BASELINE)
        assert np.allclose(got.estimate, want.estimate, rtol=1e-12, atol=0.0) == same


def test_constant_and_collinear_controls_do_no_harm() -> None:
    """A control that is always 0 is left out; of two that are proportional the sum counts."""
    results = _results(200)
    more = [np.zeros_like(results.controls[:, :, :1]), 3.0 * results.controls[:, :, 1:2]]
    wider = results._replace(controls=np.concatenate([results.controls, *more], axis=2))
    got, want = from_results(wider, BASELINE), from_results(results, BASELINE)
    np.testing.assert_allclose(got.estimate, want.estimate, rtol=1e-9)
    np.testing.assert_allclose(got.se, want.se, rtol=1e-9)


def test_cross_fitting_is_unbiased_where_fitting_on_the_same_data_is_not() -> None:
    """8,000 estimates from 100 replicates with y = c^2 - 1, whose coefficient goes with the mean of
    c: their mean is 0. Detects 8.5 standard errors, 0.013 or a tenth of the spread of one
    estimate. The wrong twin, coefficients of the same data, is off by
    -E c^2 (c^2 - 1) / 100 = -0.02."""
    rng = np.random.default_rng(3)
    c = rng.standard_normal((100, 8000, 1, 2))
    results = Results(c[:, :, 0] ** 2 - 1, c, np.zeros((100, 8000), np.int8))
    both = moments(results, np.zeros(2))
    got = estimates(evidence_of(both)).estimate[:, 0, 0]
    se = got.std(ddof=1) / 8000**0.5
    assert_mean(got.mean(), se, 0.0, detects=8.5 * se)
    whole = one_sample(halves(both))
    beta = coefficients(whole)[0, :, 0, 0, 0]
    naive = whole.mean[0, :, 0, 0, 0] - beta * whole.mean[0, :, 0, 0, 1]
    with pytest.raises(Disagreement):
        assert_mean(naive.mean(), naive.std(ddof=1) / 8000**0.5, 0.0, detects=8.5 * se)


def test_a_cell_with_a_failure_falls_back_to_the_plain_mean() -> None:
    results = _results()
    results.status[3, 0] = SEPARABLE
    results.values[3, 0] = np.nan
    got, whole = from_results(results, BASELINE), from_results(_results(), BASELINE)
    assert got.failures.tolist() == [1, 0] and got.replicates.tolist() == [150, 150]
    assert (got.estimate[0] == got.estimate_raw[0]).all() and (got.se[0] == got.se_raw[0]).all()
    kept = np.delete(results.values[:, 0, 2], 3)
    assert got.estimate[0, 1, 0] == pytest.approx(kept.mean(), rel=1e-12)
    assert got.se[0, 1, 0] == pytest.approx(kept.std(ddof=1) / 149**0.5, rel=1e-12)
    assert (got.estimate[1] == whole.estimate[1]).all()


@pytest.mark.parametrize("found", [0, 1])
def test_fewer_than_two_fits_are_no_estimate(found: int) -> None:
    results = _results(count=6, cells=1)
    results.status[found:] = SEPARABLE
    results.values[found:] = np.nan
    got = from_results(results, BASELINE)
    assert np.isnan(got.estimate).all() and np.isnan(got.se_raw).all()
    assert got.failures[0] == 6 - found


def test_failures_are_counted_by_their_reason() -> None:
    results = _results(count=30)
    results.status[[3, 4], 0] = SEPARABLE
    results.status[5, 1] = STOPPED
    told = reasons(moments(results, BASELINE))
    assert told == {STATUS[SEPARABLE]: 2, STATUS[STOPPED]: 1}
    assert reasons(moments(_results(30), BASELINE)) == {}


def test_where_a_control_is_undefined_the_plain_mean_stands() -> None:
    results = _results(cells=1)
    results.controls[:, :, 1, 2:] = np.nan
    got = from_results(results, BASELINE)
    assert (got.estimate[0, 1] == got.estimate_raw[0, 1]).all()
    assert (got.estimate[0, 0] != got.estimate_raw[0, 0]).all()


def _cut(results: Results, at: list[int]) -> list[Results]:
    edges = [0, *at, len(results.status)]
    return [
        Results(*(part[a:b] for part in results)) for a, b in zip(edges, edges[1:], strict=False)
    ]


def _close(left: Moments, right: Moments, rtol: float) -> None:
    for mine, other in zip(left, right, strict=True):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("at", [1, 2, 75, 149])
def test_merged_moments_are_those_of_the_whole(at: int) -> None:
    """Also where a part has no replicate of one half, or none that was found."""
    results = _results()
    results.status[:2, 0] = SEPARABLE
    results.values[:2, 0] = np.nan
    first, second = _cut(results, [at])
    merged = merge(moments(first, BASELINE), moments(second, BASELINE, at))
    _close(merged, moments(results, BASELINE), 1e-10)
    # The wrong twin: a part that is taken to start at another parity.
    with pytest.raises(AssertionError):
        wrong = merge(moments(first, BASELINE), moments(second, BASELINE, at + 1))
        _close(wrong, moments(results, BASELINE), 1e-10)


@pytest.mark.parametrize("at", [[1], [50, 99, 100, 101], [100], [7 * k for k in range(1, 36)]])
def test_moments_round_alike_however_the_stream_is_cut(at: list[int]) -> None:
    results = _results(250)
    whole = accumulated(_cut(results, []), BASELINE, 0)
    for mine, other in zip(accumulated(_cut(results, at), BASELINE, 0), whole, strict=True):
        assert np.array_equal(mine, other)
    assert [len(part.status) for _, part in blocks(_cut(results, at), 30)] == [70, 100, 80]


def test_nothing_of_the_size_of_the_stream_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a block is joined at a time, of a stream of 30,000 replicates."""
    largest = []

    def watched(parts: list[Results], axis: int = 0) -> Results:
        largest.append(sum(len(part.status) for part in parts))
        return join(parts, axis)

    monkeypatch.setattr(streaming, "join", watched)
    part = _results(60, 1)
    both: Any = accumulated((part for _ in range(500)), BASELINE, 0)
    assert max(largest) == streaming.GRAIN and both.found.sum() == 30_000


def test_parts_are_joined_in_order() -> None:
    results = _results()
    halves = [Results(*(part[rows] for part in results)) for rows in (slice(20), slice(20, 150))]
    cells = [one_cell(join(halves), c) for c in range(2)]
    for part, other in zip(join(cells, axis=1), results, strict=True):
        assert np.array_equal(part, other)
    assert (results.status == FOUND).all()


def test_measures_append_the_balanced_mean() -> None:
    got = measures(np.array([[1.0, 2.0, 6.0, 0.1, 0.2, 0.6]]))
    np.testing.assert_allclose(got, [[[1.0, 2.0, 6.0, 3.0], [0.1, 0.2, 0.6, 0.3]]])


def _estimated(group_values: list[float], se: float) -> Estimates:
    row = np.array([[[*group_values, np.mean(group_values)]] * 2])
    noise = np.full_like(row, se)
    return Estimates(row, noise, row, noise, np.array([100]), np.array([0]))


def test_the_worst_group_is_the_one_with_the_largest_expectation() -> None:
    """The theory names it while the estimates do not object; clear estimates overrule it."""
    tie = np.array([[[0.3, 0.2999, 0.1, 0.2333]] * 2])
    close = _estimated([0.300, 0.301, 0.1], se=0.001)
    clear = _estimated([0.300, 0.340, 0.1], se=0.001)
    assert worst_group(close, tie).tolist() == [[0, 0]]
    assert worst_group(clear, tie).tolist() == [[1, 1]]
    assert worst_group(close, np.full_like(tie, np.nan)).tolist() == [[1, 1]]


def test_the_balanced_mean_is_never_the_worst_group() -> None:
    assert worst_group(_estimated([0.1, 0.1], 0.0), np.full((1, 2, 3), 0.1)).max() < 2
    assert pd.notna(worst_group(_estimated([np.nan, 0.1], 0.1), np.full((1, 2, 3), 0.1))).all()
