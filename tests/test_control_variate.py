"""The control variates have exactly their stated means at every sample size, however small."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from samples import units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.runs.tasks import Task, prepare, recipe_of
from simulations.sampling.controls import control_variates
from simulations.sampling.newton import Fit, derivatives
from simulations.sampling.prepared import prepared
from simulations.sampling.replicate import Static
from simulations.sampling.sample import draw_sample, empty_sample, view

REPLICATES = 20_000
PAIR = {"setting": {"kind": "imbalance", "dim": 2}, "counts": {"majority": 24, "minority": 8}}
FOUR = {
    "setting": {"kind": "spurious", "dim": 2},
    "counts": {"1,1": 24, "1,-1": 8, "-1,1": 6, "-1,-1": 20},
}
EXTRA = {"ratios": [0, 1], "augment": [0, 10], "augment_row_weight": 0.5}
SQUARED = {"kind": "squared", "ridge": 0.1}
CASES: dict[str, dict[str, Any]] = {
    "oracle": {**PAIR, "synthetic": {"generators": [{"kind": "oracle"}], **EXTRA}},
    "shift": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "shift", "shift": [0.4, 0.5]}], **EXTRA},
    },
    "label_noise": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "label_noise", "rate": 0.2}], **EXTRA},
    },
    "duplicate": {**PAIR, "synthetic": {"generators": [{"kind": "duplicate"}], **EXTRA}},
    "reweight": {**PAIR, "synthetic": {"generators": [{"kind": "reweight"}], "ratios": [0]}},
    "leak": {
        **FOUR,
        "synthetic": {"generators": [{"kind": "leak", "strength": 0.4}], **EXTRA},
    },
    "squared": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "duplicate"}], **EXTRA},
        "estimator": SQUARED,
    },
    "known": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "gaussian", "covariance": "known"}], **EXTRA},
    },
    "estimated": {**PAIR, "synthetic": {"generators": [{"kind": "gaussian"}], **EXTRA}},
    "estimated_squared": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "gaussian", "groups": ["minority"]}], **EXTRA},
        "estimator": SQUARED,
    },
    "smoothed": {
        **PAIR,
        "synthetic": {"generators": [{"kind": "smoothed", "bandwidth": 0.5}], **EXTRA},
    },
}
# Rows fitted to others: the first two controls have known means.
FITTED = ("known", "estimated", "estimated_squared", "smoothed")
INDEPENDENT = sorted(set(CASES) - set(FITTED))
PIECES = ("linear", "square", "bend", "cube")


@partial(jax.jit, static_argnames=("static", "count", "coupled"))
def _program(recipe: Any, *, static: Static, count: int, coupled: bool) -> Any:
    """Controls need no fit, only the sample's score and Hessian: they exist on separable data."""
    segments, control = recipe.segments, jax.tree.map(lambda part: part[0], recipe.control)
    intercept = static.intercept

    def one(empty: Any, replicate: Any) -> Any:
        drawn = draw_sample(segments, recipe.key, replicate, empty, intercept=intercept)
        sample, scores = prepared(segments, recipe.control, drawn, recipe.penalty, static)
        seen = view(segments, sample, jnp.int32(0), intercept=intercept, room=static.room.raw)
        start = control.expansions.minimiser.theta
        score, hessian = derivatives(static.loss, seen, recipe.penalty, start, jnp.asarray(True))
        if coupled and scores is not None:
            score = scores[0]
        fitted = Fit(start, score, hessian, jnp.zeros(len(start), jnp.int8))
        return sample, control_variates(control, recipe.atoms, recipe.groups, fitted)

    empty = empty_sample(segments, recipe.key, intercept=intercept, stream=False)
    return lax.scan(one, empty, jnp.arange(count, dtype=jnp.uint32))[1]


@cache
def _task(name: str) -> Task:
    return prepare(units_of(CASES[name])[0])


@cache
def _controls(name: str, coupled: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Controls less their stated means ``(R, C, 4, F)``, and these means ``(C, 4, F)``."""
    task = _task(name)
    recipe, order = recipe_of(task, tuple(range(len(task.unit.cells))))
    estimator = task.unit.sweep.estimator
    static = Static(task.unit.loss, 1, estimator.intercept, task.room)
    controls = _program(recipe, static=static, count=REPLICATES, coupled=coupled)
    first = [int(np.flatnonzero(order == c)[0]) for c in range(len(task.unit.cells))]
    return np.asarray(controls)[:, first], np.asarray(recipe.control.mean)[0, first]


@pytest.mark.parametrize(
    ("name", "piece"),
    [(name, piece) for name in INDEPENDENT for piece in PIECES]
    + [(name, piece) for name in FITTED for piece in PIECES[:2]],
)
def test_every_control_has_mean_zero(name: str, piece: str) -> None:
    """Each functional in each cell; detects a tenth of one standard deviation."""
    values = _controls(name)[0][:, :, PIECES.index(piece)]
    mean, se = sample_mean(values)
    # Where a control vanishes identically (a zero gradient) there is only rounding.
    spread = values.std(axis=0) + 1e-12
    assert_mean(mean, se + 1e-15, 0.0, detects=0.1 * spread)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * spread, se + 1e-15, 0.0, detects=0.1 * spread)


@pytest.mark.parametrize("name", FITTED)
def test_of_fitted_rows_only_known_means_are_used(name: str) -> None:
    """The first cell has raw rows only, and the first three there; the others two."""
    controls, stated = _controls(name)
    known = np.all(np.isfinite(stated), axis=2)
    assert known[0].tolist() == [True, True, True, False]
    assert (known[1:] == [True, True, False, False]).all()
    assert (np.abs(controls).max(axis=(0, 3))[~known] == 0.0).all()
    assert (controls[:, :, :2].std(axis=0) > 0.0).any()


@pytest.mark.parametrize("name", FITTED)
def test_raw_cells_of_fitted_generators_keep_the_third_control(name: str) -> None:
    """Its stated mean, against 20,000 samples; detects a tenth of one standard deviation."""
    values = _controls(name)[0][:, 0, 2]
    mean, se = sample_mean(values)
    spread = values.std(axis=0) + 1e-12
    assert_mean(mean, se + 1e-15, 0.0, detects=0.1 * spread)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * spread, se + 1e-15, 0.0, detects=0.1 * spread)


@pytest.mark.parametrize("name", FITTED)
def test_the_variance_of_fitted_rows_is_the_stated_one(name: str) -> None:
    """The second control's mean is half the trace of the risks' Hessians with A V A, for 24 rows
    against 8; detects a tenth of it."""
    controls, stated = _controls(name)
    mean, se = sample_mean(controls[:, :, 1, :2].mean(axis=2))
    variance = stated[:, 1, :2].mean(axis=1)
    assert_mean(mean, se, 0.0, detects=0.1 * variance)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * variance, se, 0.0, detects=0.1 * variance)


@pytest.mark.parametrize("name", ["known", "estimated", "estimated_squared"])
def test_a_fitted_gaussian_needs_the_coupled_score(name: str) -> None:
    """The score of the fitted rows themselves has neither mean nor variance as stated."""
    values = _controls(name, coupled=False)[0][:, :, :2]
    mean, se = sample_mean(values)
    with pytest.raises(Disagreement):
        assert_mean(mean, se + 1e-15, 0.0, detects=0.1 * values.std(axis=0) + 1e-12)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_balanced_risk_has_its_stated_mean(name: str) -> None:
    """Variance and second order together, 24 rows against 8; detects a tenth of them (the twin
    leaves it out)."""
    controls, stated = _controls(name)
    groups = stated.shape[2] // 2
    mean, se = sample_mean(controls[:, :, 1:3, :groups].sum(axis=2).mean(axis=2))
    balanced = stated[:, 1:3, :groups].sum(axis=1).mean(axis=1)
    assert (balanced > 0.0).all()
    assert_mean(mean, se, 0.0, detects=0.1 * balanced)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * balanced, se, 0.0, detects=0.1 * balanced)


@pytest.mark.parametrize("name", ["shift", "duplicate", "leak"])
def test_the_cubic_mean_is_not_negligible(name: str) -> None:
    """Left out, or with squared weights for new rows in place of repeated ones, it would be seen."""
    controls, stated = _controls(name)
    groups = stated.shape[2] // 2
    mean, se = sample_mean(controls[:, :, 3, :groups].mean(axis=2))
    balanced = stated[:, 3, :groups].mean(axis=1)
    caught = np.abs(balanced) > 10.0 * se
    assert caught.any()
    with pytest.raises(Disagreement):
        assert_mean((mean + balanced)[caught], se[caught], 0.0, detects=10.0 * se[caught])


def test_duplicates_taken_for_new_rows_would_be_caught() -> None:
    """The planted error of a whole family: the wrong squared weights."""
    controls, stated = _controls("duplicate")
    as_new = _controls("oracle")[1]
    gap = (stated - as_new)[:, 1:3, :2].sum(axis=1).mean(axis=1)
    mean, se = sample_mean(controls[:, :, 1:3, :2].sum(axis=2).mean(axis=2))
    balanced = stated[:, 1:3, :2].sum(axis=1).mean(axis=1)
    with pytest.raises(Disagreement):
        assert_mean(mean + gap, se, 0.0, detects=0.1 * balanced)
