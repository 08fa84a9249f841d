"""Simulated errors against the proportional limit, and what the limit must not depend on."""

from functools import cache

import numpy as np
import pytest
from samples import units_of
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.proportional import units
from scaling.theory.proportional.mean_difference import (
    mean_difference_errors,
    minority_mean,
)
from scaling.theory.proportional.units import FITTED, clusters_of, predicted_errors
from simulations.population.units import Unit
from simulations.runs.tasks import compute, prepare

DIM, REPLICATES = 50, 100
OFF = [0.0] * (DIM - 2)
SHIFT = {"kind": "shift", "shift": [0.3, 0.6, *OFF]}
# The bias forgotten, in a span of as many dimensions.
RIGHT = {"kind": "shift", "shift": [0.0, 1e-3, *OFF]}
# What the limit neglects at 50 features, and an error that must be seen.
REMAINDER, DETECTS = 0.004, 0.045


@cache
def _units(kind: str) -> list[Unit]:
    estimator = {"kind": kind} if kind == "mean_difference" else {"kind": kind, "ridge": 0.05}
    return units_of(
        {
            "setting": {"kind": "imbalance", "dim": DIM, "separation": 2.4},
            "counts": {"majority": 250, "minority": 60},
            "synthetic": {
                "generators": [
                    SHIFT,
                    RIGHT,
                    {"kind": "duplicate"},
                    {"kind": "gaussian"},
                    {"kind": "label_noise", "rate": 0.2},
                    {"kind": "scale", "factor": 2.0},
                    {"kind": "reweight"},
                ],
                "ratios": [0.0, 1.0],
                "augment": [0, 60],
                "augment_share": 0.3,
            },
            "estimator": estimator,
            "theory": {"regime": "proportional"},
        }
    )


def _agree(kind: str, place: int, prediction: np.ndarray, cells: tuple[int, ...]) -> None:
    """The simulated errors of some cells of a unit are those predicted."""
    results = compute(prepare(_units(kind)[place]), 0, REPLICATES, cells)
    assert (results.status == 0).all()
    mean, se = sample_mean(results.values[:, :, 2:])
    assert_mean(mean, se, prediction[list(cells)], detects=DETECTS, remainder=REMAINDER)


@pytest.mark.parametrize("kind", ["logistic", "squared", "hinge"])
def test_biased_rows_move_the_errors_as_the_limit_says(kind: str) -> None:
    found = predicted_errors(_units(kind)[0])
    assert found.reason == [""] * 4
    cells = (1, 3) if kind == "hinge" else (0, 1, 2, 3)
    _agree(kind, 0, found.errors, cells)
    with pytest.raises(Disagreement):
        _agree(kind, 0, predicted_errors(_units(kind)[1]).errors, cells)


@pytest.mark.parametrize("place", [2, 4, 5, 6])
def test_any_generator_with_squared_loss(place: int) -> None:
    unit = _units("squared")[place]
    cells = tuple(range(len(unit.cells)))
    _agree("squared", place, predicted_errors(unit).errors, cells)
    if len(cells) > 1:
        with pytest.raises(Disagreement):
            _agree("squared", place, predicted_errors(_units("squared")[1]).errors, cells)


@pytest.mark.parametrize("place", range(7))
def test_mean_difference_in_closed_form(place: int) -> None:
    unit = _units("mean_difference")[place]
    cells = tuple(range(len(unit.cells)))
    _agree("mean_difference", place, predicted_errors(unit).errors, cells)
    if place in (0, 2, 3):
        with pytest.raises(Disagreement):
            _agree(
                "mean_difference",
                place,
                predicted_errors(_units("mean_difference")[1]).errors,
                cells,
            )


def test_reference_numbers_of_the_mean_difference() -> None:
    """Of shifted rows by the note's numbers, of repeated and fitted ones by the two-class formulas."""
    unit = units_of(
        {
            "setting": {"kind": "imbalance", "dim": 100, "separation": 3.0},
            "counts": {"majority": 500, "minority": 25},
            "synthetic": {
                "generators": [
                    {"kind": "shift", "shift": [0.6, *[0.0] * 99]},
                    {"kind": "duplicate"},
                    {"kind": "gaussian", "covariance": "known"},
                ],
                "ratios": [0.0, 1.0],
            },
            "estimator": {"kind": "mean_difference"},
            "theory": {"regime": "proportional"},
        }
    )
    shifted, repeated, fitted = (predicted_errors(each).errors for each in unit)
    np.testing.assert_allclose(shifted, [[0.03907, 0.23711], [0.03941, 0.11578]], atol=6e-6)
    plain = minority_mean("reweight", 25, 0), minority_mean("duplicate", 25, 475)
    rows = minority_mean("fitted", 25, 475)
    for found, law in ((repeated[0], plain[0]), (repeated[1], plain[1]), (fitted[1], rows)):
        limit = mean_difference_errors(100, 1.5, law, 1 / 500)
        np.testing.assert_allclose(found, [limit.majority, limit.minority], rtol=1e-6)


def _turned(turn: np.ndarray) -> Unit:
    means = np.array([[1.2, 0.3], [-1.0, 0.5], [-0.8, -0.9]]) @ turn[:2]
    names = ("a", "b", "c")
    return units_of(
        {
            "setting": {
                "kind": "groups",
                "groups": [
                    {"name": name, "label": i % 2, "mean": mean.tolist(), "covariance": 1.0 + i}
                    for i, (name, mean) in enumerate(zip(names, means, strict=True))
                ],
            },
            "counts": {"a": 30, "b": 90, "c": 50},
            "synthetic": {"generators": [{"kind": "leak", "strength": 0.4}], "ratios": [0, 1.5]},
            "estimator": {"kind": "squared", "ridge": 0.1},
            "theory": {"regime": "proportional"},
        }
    )[0]


def test_a_turned_world_has_the_same_limit() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(5).standard_normal((6, 6)))
    plain, turned = predicted_errors(_turned(np.eye(6))), predicted_errors(_turned(turn))
    np.testing.assert_allclose(turned.errors, plain.errors, atol=1e-8)
    assert len(set(plain.errors.ravel().round(4))) == plain.errors.size


def test_clusters_hold_every_row_once() -> None:
    raw = 250 + 60
    for place, distinct in ((0, raw + 190 + 2 * 60), (2, raw), (6, raw)):
        unit = _units("logistic")[place]
        cell = len(unit.cells) - 1
        clusters, aspect, basis = clusters_of(unit, cell)
        assert clusters.share.sum() == pytest.approx(1.0, abs=1e-12)
        # The weights of the objective have sum 1.
        assert clusters.share @ clusters.weight == pytest.approx(1.0, abs=1e-8)
        assert aspect == pytest.approx(DIM / distinct)
        np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-12)


def test_fewer_kinds_of_repeats_give_the_same_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gauss's rule for the law of the weights in the place of all multiplicities, for the squared loss."""
    unit = _units("squared")[2]
    few = predicted_errors(unit).errors
    assert len(clusters_of(unit, 3)[0].share) < 48
    monkeypatch.setattr(units, "MOST_SPLIT", 10**6)
    assert len(clusters_of(unit, 3)[0].share) > 150
    np.testing.assert_allclose(few, predicted_errors(unit).errors, atol=1e-9)
    monkeypatch.setattr(units, "MOST_SPLIT", 2)
    monkeypatch.setattr(units, "LEAST_SPLIT", 1)
    assert np.abs(few - predicted_errors(unit).errors).max() > 1e-4


@pytest.mark.parametrize("share", [0.5, 0.9999])
def test_few_kinds_serve_many_groups_and_any_share(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight groups repeated, most of whose raw rows weigh next to nothing."""
    turn = [2.0 * np.pi * g / 8 for g in range(8)]
    unit = units_of(
        {
            "setting": {
                "kind": "groups",
                "groups": [
                    {"name": f"g{g}", "label": g % 2, "mean": [np.cos(a), np.sin(a), *[0.0] * 58]}
                    for g, a in enumerate(turn)
                ],
            },
            "counts": {f"g{g}": n for g, n in enumerate((300, 20, 60, 15, 40, 100, 10, 7))},
            "synthetic": {
                "generators": [{"kind": "duplicate"}],
                "ratios": [1.0],
                "augment": [20],
                "augment_share": share,
            },
            "estimator": {"kind": "squared", "ridge": 0.05},
            "theory": {"regime": "proportional"},
        }
    )[0]
    few = predicted_errors(unit)
    assert few.reason == [""]
    assert (clusters_of(unit, 0)[0].weight > 0.0).all()
    monkeypatch.setattr(units, "MOST_SPLIT", 10**6)
    np.testing.assert_allclose(few.errors, predicted_errors(unit).errors, atol=1e-7)


def test_rows_of_a_fitted_gaussian_have_no_limit_under_a_loss() -> None:
    found = predicted_errors(_units("squared")[3])
    assert found.reason == ["", FITTED, FITTED, FITTED]
    assert np.isnan(found.errors[1:]).all() and np.isfinite(found.errors[0]).all()


def test_a_rule_that_does_not_exist_has_no_prediction_and_says_why() -> None:
    unit = units_of(
        {
            "setting": {"kind": "imbalance", "dim": 60, "separation": 2.4},
            "counts": {"majority": 30, "minority": 10},
            "synthetic": {"ratios": [0.0]},
            "estimator": {"kind": "squared"},
            "theory": {"regime": "proportional"},
        }
    )[0]
    found = predicted_errors(unit)
    assert np.isnan(found.errors).all()
    assert found.reason[0].startswith("no estimator exists") and "ridge" in found.reason[0]


def test_an_intercept_that_no_row_of_a_sample_holds_has_no_prediction() -> None:
    """Balanced rows and a large ridge: all margins of a sample stay below the kink of the hinge loss."""
    errors = []
    for ridge in (1.0, 5.0):
        unit = units_of(
            {
                "setting": {"kind": "imbalance", "dim": 60, "separation": 2.0},
                "counts": {"majority": 60, "minority": 60},
                "synthetic": {"ratios": [0.0]},
                "estimator": {"kind": "hinge", "ridge": ridge},
                "theory": {"regime": "proportional"},
            }
        )[0]
        found = predicted_errors(unit)
        errors.append(found.errors)
        assert found.reason[0].startswith("hardly a row reaches the kink") == (ridge == 5.0)
    assert np.isfinite(errors[0]).all() and np.isnan(errors[1]).all()
