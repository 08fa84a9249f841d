"""From replicates to estimates, and from estimates to the tidy table."""

import numpy as np
import pandas as pd
import pytest

from simulations.estimates import Estimates, estimates, join, measures, one_cell
from simulations.newton import FOUND, SEPARABLE
from simulations.replicate import Results
from simulations.table import worst_group

BASELINE = np.array([0.3, 0.5, 9.0, 9.0])


def _results(count: int = 50, cells: int = 2) -> Results:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((count, cells, 4))
    values = np.array([0.4, 0.6, 0.1, 0.2]) + noise + 0.1 * rng.standard_normal(noise.shape)
    return Results(values, noise, np.zeros((count, cells), np.int8))


def test_means_and_standard_errors_by_hand() -> None:
    results = _results()
    got = estimates(results, BASELINE)
    plain = results.values[:, 1, 0] - 0.3
    assert got.estimate_raw[1, 0, 0] == pytest.approx(plain.mean(), rel=1e-12)
    assert got.se_raw[1, 0, 0] == pytest.approx(plain.std(ddof=1) / 50**0.5, rel=1e-12)
    controlled = plain - results.controls[:, 1, 0]
    assert got.estimate[1, 0, 0] == pytest.approx(controlled.mean(), rel=1e-12)
    assert got.se[1, 0, 0] == pytest.approx(controlled.std(ddof=1) / 50**0.5, rel=1e-12)
    # Errors are absolute; balanced is the mean over groups, replicate by replicate.
    assert got.estimate_raw[1, 1, 0] == pytest.approx(results.values[:, 1, 2].mean(), rel=1e-12)
    both = (results.values[:, 0, :2] - BASELINE[:2]).mean(axis=1)
    assert got.estimate_raw[0, 0, 2] == pytest.approx(both.mean(), rel=1e-12)
    assert got.se_raw[0, 0, 2] == pytest.approx(both.std(ddof=1) / 50**0.5, rel=1e-12)


def test_a_cell_with_a_failure_falls_back_to_the_plain_mean() -> None:
    results = _results()
    results.status[3, 0] = SEPARABLE
    results.values[3, 0] = np.nan
    got, whole = estimates(results, BASELINE), estimates(_results(), BASELINE)
    assert got.failures.tolist() == [1, 0] and got.replicates.tolist() == [50, 50]
    assert (got.estimate[0] == got.estimate_raw[0]).all() and (got.se[0] == got.se_raw[0]).all()
    kept = np.delete(results.values[:, 0, 2], 3)
    assert got.estimate[0, 1, 0] == pytest.approx(kept.mean(), rel=1e-12)
    assert (got.estimate[1] == whole.estimate[1]).all()


@pytest.mark.parametrize("found", [0, 1])
def test_fewer_than_two_fits_are_no_estimate(found: int) -> None:
    results = _results(count=6, cells=1)
    results.status[found:] = SEPARABLE
    results.values[found:] = np.nan
    got = estimates(results, BASELINE)
    assert np.isnan(got.estimate).all() and np.isnan(got.se_raw).all()
    assert got.failures[0] == 6 - found


def test_where_the_control_is_undefined_the_plain_mean_stands() -> None:
    results = _results(cells=1)
    results.controls[:, :, 2:] = np.nan
    got = estimates(results, BASELINE)
    assert (got.estimate[0, 1] == got.estimate_raw[0, 1]).all()
    assert (got.estimate[0, 0] != got.estimate_raw[0, 0]).all()


def test_parts_are_joined_in_order() -> None:
    results = _results()
    halves = [Results(*(part[rows] for part in results)) for rows in (slice(20), slice(20, 50))]
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
