"""One contract for every generator: rows, weights, labels, laws, prefixes and pairing."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from samples import Rows, rows_of, units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.population.units import Unit
from simulations.setup.generators import FITTED, KINDS, RESAMPLERS, REWEIGHT

NAMES = ["1,1", "1,-1", "-1,1", "-1,-1"]
COUNTS = np.array([300, 40, 60, 250])
RATIOS = [0, 0.5, 1, 2]
EXTRA = 30
PARAMETERS: dict[str, dict[str, Any]] = {
    "reweight": {},
    "oracle": {},
    "shift": {"shift": [0.3, -0.5]},
    "scale": {"factor": 2.0},
    "label_noise": {"rate": 0.2},
    "leak": {"strength": 0.4},
    "duplicate": {},
    "gaussian": {"covariance": "estimated"},
    "smoothed": {"bandwidth": 0.5},
    "smote": {"neighbours": 3},
}
# Those of independent rows; tests/test_fitted_rows.py looks at rows that are fitted to others.
WRITERS = [kind for kind in PARAMETERS if kind not in (*RESAMPLERS, *FITTED, REWEIGHT)]


@cache
def _unit(kind: str, augment: int = 0, groups: tuple[str, ...] = ()) -> Unit:
    generator = {"kind": kind, **PARAMETERS[kind]}
    if groups:
        generator["groups"] = list(groups)
    return units_of(
        {
            "setting": {"kind": "spurious", "dim": 2},
            "counts": dict(zip(NAMES, COUNTS.tolist(), strict=True)),
            "synthetic": {
                "generators": [generator],
                "ratios": RATIOS,
                "augment": [augment],
                "augment_row_weight": 0.5,
            },
        }
    )[0]


@cache
def _rows(kind: str, augment: int = 0, replicate: int = 0, groups: tuple[str, ...] = ()) -> Rows:
    return rows_of(_unit(kind, augment, groups), replicate)


def test_every_kind_is_under_contract() -> None:
    assert set(PARAMETERS) == set(KINDS)


@pytest.mark.parametrize("augment", [0, EXTRA])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_exactly_m_rows_and_unit_weight(kind: str, augment: int) -> None:
    rows = _rows(kind, augment)
    np.testing.assert_allclose(rows.weight.sum(axis=0), 1.0, rtol=1e-12)
    for c, cell in enumerate(_unit(kind, augment).cells):
        expected = np.floor((cell.ratio or 0) * (COUNTS.max() - COUNTS) + 0.5)
        assert cell.oversampled.tolist() == expected.tolist()
        for g, n in enumerate(COUNTS):
            raw = rows.weight[rows.segment == g, c]
            assert (raw > 0).sum() == n
            m, w, w_a = int(cell.oversampled[g]), cell.row_weight[g], cell.augment_weight
            if kind in RESAMPLERS:
                assert not (rows.segment >= 4).any()
                total = w * (n + m) + w_a * cell.augment
                assert raw.sum() == pytest.approx(total, rel=1e-12)
                if not augment:
                    times = raw[raw > 0] / w
                    np.testing.assert_allclose(times, np.round(times), atol=1e-9)
            else:
                assert raw[raw > 0] == pytest.approx(w)
                for segment, count, weight in ((4 + g, m, w), (8 + g, cell.augment, w_a)):
                    pool = rows.weight[rows.segment == segment, c]
                    assert (pool > 0).sum() == count
                    assert pool[pool > 0] == pytest.approx(weight)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_key_draws_the_same_rows(kind: str) -> None:
    again = rows_of(_unit(kind), 0)
    for part, other in zip(_rows(kind), again, strict=True):
        assert (part == other).all()
    assert (_rows(kind, replicate=1).x != again.x).any()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {REWEIGHT}))
def test_a_higher_ratio_keeps_the_rows_of_a_lower_one(kind: str) -> None:
    times = _rows(kind).weight / _rows(kind).weight.max(axis=0, where=_first_raw(kind), initial=0)
    assert (np.diff(times, axis=1) > -1e-9).all()


def _first_raw(kind: str) -> np.ndarray:
    """Marks a majority raw row: it is never repeated, so that its weight is that of one row."""
    mask = np.zeros(_rows(kind).weight.shape, bool)
    mask[0] = True
    return mask


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {REWEIGHT}))
def test_a_budget_of_zero_is_the_raw_sample(kind: str) -> None:
    rows, raw = _rows(kind), _rows("oracle")
    mine, theirs = rows.weight[:, 0] > 0, raw.weight[:, 0] > 0
    assert (rows.x[mine] == raw.x[theirs]).all()
    assert (rows.weight[mine, 0] == raw.weight[theirs, 0]).all()
    assert (rows.y[mine] == raw.y[theirs]).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_raw_rows_bear_the_label_of_their_group(kind: str) -> None:
    rows = _rows(kind)
    for g in range(4):
        assert (rows.y[rows.segment == g] == float(g < 2)).all()


def _law(kind: str, g: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, second moment and share of label 1 of a synthetic row of group g, by hand."""
    means = np.array([[1.0, 1.5], [1.0, -1.5], [-1.0, 1.5], [-1.0, -1.5]])
    label = float(g < 2)
    mean, spread, between = means[g], np.eye(2), np.zeros((2, 2))
    if kind == "shift":
        mean = mean + [0.3, -0.5]
    if kind == "scale":
        spread = 2.0 * spread
    if kind == "label_noise":
        label = 0.8 * label + 0.2 * (1 - label)
    if kind == "leak":
        partner = g ^ 1
        p = 0.4 * COUNTS[partner] / (COUNTS[g] + COUNTS[partner])
        gap = means[partner] - means[g]
        mean, between = mean + p * gap, p * (1 - p) * np.outer(gap, gap)
    return mean, spread + between + np.outer(mean, mean), label


def _moments(kind: str, g: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample means of x, x x' and y over the oversampling pools of group g in 60 replicates."""
    pools = [_rows(kind, replicate=r) for r in range(60)]
    x = np.concatenate([rows.x[rows.segment == 4 + g, :2] for rows in pools])
    y = np.concatenate([rows.y[rows.segment == 4 + g] for rows in pools])
    return sample_mean(np.column_stack([x, x**2, x[:, 0] * x[:, 1], y]))


def _stacked(law: tuple[np.ndarray, np.ndarray, float]) -> np.ndarray:
    mean, second, label = law
    return np.array([*mean, second[0, 0], second[1, 1], second[0, 1], label])


@pytest.mark.parametrize("kind", WRITERS)
def test_rows_follow_the_stated_law(kind: str) -> None:
    """30,720 rows, 6 moments a group; detects 0.3 (twin: another generator's law)."""
    for g in (1, 2):
        mean, se = _moments(kind, g)
        se = np.maximum(se, 1e-12)
        assert_mean(mean, se, _stacked(_law(kind, g)), detects=0.3)
        twin = "leak" if kind != "leak" else "oracle"
        with pytest.raises(Disagreement):
            assert_mean(mean, se, _stacked(_law(twin, g)), detects=0.3)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {REWEIGHT, "duplicate"}))
def test_elsewhere_synthetic_rows_follow_the_right_law(kind: str) -> None:
    """Acting on one group only, the pool of every other group is the oracle's, bit for bit."""
    rows, right = _rows(kind, groups=("1,-1",)), _rows("oracle")
    other = rows.segment != 5
    assert (rows.x[other] == right.x[other]).all()
    assert (rows.y[other] == right.y[other]).all()
    own = (_rows(kind).x[rows.segment == 5], _rows(kind).y[rows.segment == 5])
    assert (rows.x[~other] == own[0]).all() and (rows.y[~other] == own[1]).all()


def test_duplicates_of_one_group_only() -> None:
    rows = _rows("duplicate", groups=("1,-1",))
    assert (rows.weight[rows.segment == 6, 2] > 0).sum() == COUNTS.max() - COUNTS[2]
    assert not (rows.segment == 5).any()
    raw = rows.weight[rows.segment == 1, 2]
    assert raw.sum() == pytest.approx(0.25, rel=1e-12)


def test_generators_are_paired() -> None:
    """The normals behind a pool do not depend on the generator."""
    right, shifted, scaled = _rows("oracle"), _rows("shift"), _rows("scale")
    pool = right.segment == 5
    centre = np.array([1.0, -1.5])
    gap = shifted.x[pool, :2] - right.x[pool, :2]
    np.testing.assert_allclose(gap, np.tile([0.3, -0.5], (pool.sum(), 1)), rtol=1e-12)
    wide = centre + np.sqrt(2.0) * (right.x[pool, :2] - centre)
    np.testing.assert_allclose(scaled.x[pool, :2], wide, rtol=1e-12, atol=1e-12)
