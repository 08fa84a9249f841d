"""Rows of generators fitted to raw rows, against what they are said to be, given these raw rows."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from samples import Rows, rows_of, units_of
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.expansion import expansion
from simulations.population.units import unit_population
from simulations.problems import InputError
from simulations.sampling.rooms import room

COUNTS = {"majority": 900, "minority": 60}
MEAN = np.array([1.0, 0.0, 0.0])
REPLICATES = 40
BANDWIDTH, NEIGHBOURS = 0.5, 3
SPECS: dict[str, dict[str, Any]] = {
    "oracle": {"kind": "oracle"},
    "known": {"kind": "gaussian", "covariance": "known"},
    "estimated": {"kind": "gaussian"},
    "smoothed": {"kind": "smoothed", "bandwidth": BANDWIDTH},
    "smote": {"kind": "smote", "neighbours": NEIGHBOURS},
}
FITTED = sorted(set(SPECS) - {"oracle"})


def _sweep(name: str, **counts: int) -> dict[str, Any]:
    return {
        "setting": {"kind": "imbalance", "dim": 3},
        "counts": {**COUNTS, **counts},
        "synthetic": {"generators": [SPECS[name]], "ratios": [0.5, 1]},
    }


@cache
def _rows(name: str, replicate: int) -> Rows:
    return rows_of(units_of(_sweep(name))[0], replicate)


def _raw(rows: Rows) -> np.ndarray:
    return rows.x[rows.segment == 1][: COUNTS["minority"], :3]


def _pool(rows: Rows) -> np.ndarray:
    return rows.x[(rows.segment == 3) & (rows.weight[:, 1] > 0), :3]


def _near(raw: np.ndarray) -> np.ndarray:
    """The nearest others of every row, by comparing all pairs."""
    distance = ((raw[:, None] - raw[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1)[:, :NEIGHBOURS]


def _moments(name: str, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and second moment of a synthetic row given the raw rows."""
    mean, square = raw.mean(axis=0), raw.T @ raw / len(raw)
    if name == "known":
        return mean, np.eye(3) + np.outer(mean, mean)
    if name == "smoothed":
        return mean, square + BANDWIDTH**2 * np.eye(3)
    if name == "smote":
        # x + u (y - x): E u^2 = E (1 - u)^2 = 1/3, E u (1 - u) = 1/6.
        pairs = [(x, y) for x, near in zip(raw, _near(raw), strict=True) for y in raw[near]]
        squares = [
            (np.outer(x, x) + np.outer(y, y)) / 3 + (np.outer(x, y) + np.outer(y, x)) / 6
            for x, y in pairs
        ]
        return np.mean([(x + y) / 2 for x, y in pairs], axis=0), np.mean(squares, axis=0)
    # The sample covariance, divisor n - 1.
    return mean, np.cov(raw.T) + np.outer(mean, mean)


def _gaps(name: str, law: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean over all rows of what they are beyond a law's moments given their own raw rows."""
    upper = np.triu_indices(3)
    gaps = []
    for replicate in range(REPLICATES):
        rows = _rows(name, replicate)
        x = _pool(rows) - MEAN
        mean, square = _moments(law, _raw(rows) - MEAN)
        products = x[:, :, None] * x[:, None, :]
        gaps.append(np.concatenate([x - mean, (products - square)[:, *upper]], axis=1))
    return sample_mean(np.concatenate(gaps))


@pytest.mark.parametrize(
    ("name", "twin"),
    [(n, "smoothed" if n != "smoothed" else "known") for n in FITTED],
)
def test_moments_given_the_raw_rows(name: str, twin: str) -> None:
    """33,600 rows, independent given theirs, nine moments; detects an eighth (twin: another law)."""
    mean, se = _gaps(name, name)
    assert_mean(mean, se, 0.0, detects=0.12)
    with pytest.raises(Disagreement):
        assert_mean(*_gaps(name, twin), 0.0, detects=0.12)


@pytest.mark.parametrize("name", ["known", "estimated"])
def test_a_fitted_row_is_the_right_laws_row_moved(name: str) -> None:
    """``mean^ + L^ L^-1 (x - mean)`` with the right law's x: the two generators are paired."""
    rows, right = _rows(name, 0), _rows("oracle", 0)
    raw = _raw(rows)
    root = np.linalg.cholesky(np.cov(raw.T)) if name == "estimated" else np.eye(3)
    expected = raw.mean(axis=0) + (_pool(right) - MEAN) @ root.T
    np.testing.assert_allclose(_pool(rows), expected, rtol=1e-10, atol=1e-10)


def test_a_smoothed_row_is_a_raw_row_moved() -> None:
    rows, right = _rows("smoothed", 0), _rows("oracle", 0)
    centre = _pool(rows) - BANDWIDTH * (_pool(right) - MEAN)
    gap = np.abs(centre[:, None] - _raw(rows)[None]).max(axis=2).min(axis=1)
    assert gap.max() < 1e-9


def test_a_smote_row_lies_between_neighbours() -> None:
    rows = _rows("smote", 0)
    raw = _raw(rows)
    near = _near(raw)
    start, way = np.repeat(raw, NEIGHBOURS, axis=0), (raw[near] - raw[:, None]).reshape(-1, 3)
    for row in _pool(rows)[:100]:
        along = ((row - start) * way).sum(axis=1) / (way**2).sum(axis=1)
        off = np.abs(row - start - along[:, None] * way).max(axis=1)
        assert ((off < 1e-9) & (along > -1e-9) & (along < 1 + 1e-9)).any()


@pytest.mark.parametrize("name", FITTED)
def test_only_the_rows_of_a_group_make_its_rows(name: str) -> None:
    """The other group's raw rows leave the pool as it is (their number enters the key)."""
    unit = units_of(_sweep(name))[0]
    moved = unit._replace(
        world=unit.world._replace(means=unit.world.means + [[5.0, 0, 0], [0, 0, 0]])
    )
    assert (_pool(rows_of(moved, 0)) == _pool(_rows(name, 0))).all()


@pytest.mark.parametrize(
    ("name", "counts", "said"),
    [
        ("estimated", {"minority": 3}, "group 'minority' has 3 raw rows in 3 dimensions"),
        ("smote", {"minority": 3}, "a row of group 'minority' has 2 others"),
    ],
)
def test_too_few_rows_to_fit_to(name: str, counts: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        units_of(_sweep(name, **counts))
    assert units_of(_sweep(name, **{group: n + 1 for group, n in counts.items()}))


def test_only_cells_with_rows_of_smote_lack_a_prediction() -> None:
    sweep = _sweep("smote")
    sweep["synthetic"]["ratios"] = [0, 1]
    population = unit_population(units_of(sweep)[0])
    raw = unit_population(units_of({**sweep, "synthetic": {"ratios": [0]}})[0])
    found = expansion(population)
    assert np.isnan(found.predicted[1]).all()
    np.testing.assert_allclose(found.predicted[0], expansion(raw).predicted[0], rtol=1e-12)


@pytest.mark.parametrize("counts", [{"minority": 50_000}, {"minority": 200_000}])
def test_a_search_that_is_too_large_is_refused(counts: dict[str, int]) -> None:
    sweep = _sweep("smote", majority=300_000, **counts)
    sweep["synthetic"]["generators"] = [{"kind": "smote", "neighbours": 500}]
    with pytest.raises(InputError, match="looks for 500 neighbours"):
        room(units_of(sweep)[0])
