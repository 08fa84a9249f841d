"""Cells: rows and weights of one point of a sweep, and the weights' exact second moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.population.cells import (
    describe_counts,
    effective_share,
    group_weights,
    make_cell,
    oversampled_rows,
    reweighted_cell,
)

some_counts = st.lists(st.integers(1, 10**6), min_size=2, max_size=5).map(np.array)


@given(some_counts, st.floats(0.0, 10.0))
def test_oversampled_rows_are_rounded_half_up(counts: np.ndarray, ratio: float) -> None:
    rows = oversampled_rows(counts, ratio)
    exact = ratio * (counts.max() - counts)
    assert (rows >= 0).all()
    assert (np.abs(rows - exact) <= 0.5 + 1e-9 * exact).all()
    assert rows[counts.argmax()] == 0


def test_balance_is_full_and_halves_round_up() -> None:
    assert oversampled_rows(np.array([7, 2]), 1.0).tolist() == [0, 5]
    assert oversampled_rows(np.array([7, 2]), 0.5).tolist() == [0, 3]
    assert oversampled_rows(np.array([7, 2]), 0.0).tolist() == [0, 0]


@given(some_counts, st.floats(0.0, 5.0), st.integers(0, 1000), st.floats(0.01, 0.99))
def test_weights_sum_to_one(counts: np.ndarray, ratio: float, augment: int, share: float) -> None:
    cell = make_cell(counts, ratio, augment, augment_share=share)
    own = (cell.row_weight * (cell.raw + cell.oversampled)).sum()
    extra = cell.augment_weight * augment * len(counts)
    assert own + extra == pytest.approx(1.0, rel=1e-12)
    assert extra == pytest.approx(share if augment else 0.0, rel=1e-12)


@given(some_counts, st.integers(1, 1000), st.floats(0.01, 5.0))
def test_a_row_weight_is_relative_to_raw_rows(
    counts: np.ndarray, augment: int, weight: float
) -> None:
    cell = make_cell(counts, 1.0, augment, augment_row_weight=weight)
    assert cell.augment_weight == pytest.approx(weight * cell.row_weight[0], rel=1e-9)


def test_no_augmented_rows_no_share() -> None:
    assert effective_share(0.7, None, rows=10, groups=2, augment=0) == 0.0


@given(some_counts)
def test_reweighting_gives_every_group_the_same_weight(counts: np.ndarray) -> None:
    cell = reweighted_cell(counts)
    assert cell.row_weight * counts == pytest.approx(np.full(len(counts), 1 / len(counts)))
    assert cell.oversampled.sum() == 0 and cell.ratio is None


def test_components_weigh_one_in_all() -> None:
    for kind in ("oracle", "duplicate", "reweight"):
        unit = units_of(
            {
                "setting": {"kind": "imbalance", "dim": 2},
                "counts": {"majority": 100, "minority": 30},
                "synthetic": {
                    "generators": [{"kind": kind}],
                    "ratios": [0, 1],
                    "augment": [0, 20],
                    "augment_share": 0.3,
                },
            }
        )[0]
        assert unit.components.total_weight.sum(axis=1) == pytest.approx(np.ones(len(unit.cells)))
        assert unit.components.mixing.sum(axis=1) == pytest.approx(np.ones(4))


def _power_sums(n: int, m: int, extra: int, w: float, w_a: float, power: int) -> np.ndarray:
    """Sum over raw rows of powers of random weights, in 100,000 draws of the multiplicities."""
    rng = np.random.default_rng(77)
    even = np.full(n, 1 / n)
    weights = w * (1 + rng.multinomial(m, even, size=100_000))
    return ((weights + w_a * rng.multinomial(extra, even, size=100_000)) ** power).sum(axis=1)


def test_weights_of_duplicates_are_exact() -> None:
    """Expected sums of squared and cubed weights; detects 0.5 and 1 % (twins: all multiplicities
    taken as even)."""
    n, m, extra = 10, 90, 30
    cell = make_cell(np.array([100, 10]), 1.0, extra, augment_row_weight=0.5)
    (total, squared, cubed), rest = group_weights(cell, 1, resampled=True)
    w, w_a = float(cell.row_weight[1]), cell.augment_weight
    assert rest == (0.0, 0.0, 0.0)
    assert total == pytest.approx(w * (n + m) + w_a * extra, rel=1e-14)
    for power, expected, detects in ((2, squared, 0.005), (3, cubed, 0.01)):
        mean, se = sample_mean(_power_sums(n, m, extra, w, w_a, power))
        assert_mean(mean, se, expected, detects=detects * expected)
        with pytest.raises(Disagreement):
            assert_mean(mean, se, total**power / n ** (power - 1), detects=detects * expected)


def test_squared_weight_in_closed_form() -> None:
    """100 seeds, 900 duplicates of weight 1, 300 augmented ones of weight 1/2."""
    cell = make_cell(np.array([1000, 100]), 1.0, 300, augment_row_weight=0.5)
    (_, squared, _), _ = group_weights(cell, 1, resampled=True)
    assert squared / cell.row_weight[1] ** 2 == pytest.approx(14190.25, rel=1e-12)


def test_counts_are_described_compactly() -> None:
    text = describe_counts(("1,1", "a b"), np.array([3, 10**7]))
    assert text == '{"1,1":3,"a b":10000000}'
