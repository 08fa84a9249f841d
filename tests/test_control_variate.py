"""The control variate has exactly its stated mean at every sample size, however small."""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from samples import units_of
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.newton import Fit, derivatives
from simulations.replicate import control_variate, linear_estimate
from simulations.sample import draw_sample, empty_sample
from simulations.tasks import Task, prepare

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
}


class Controls(NamedTuple):
    """``control (R, C, F)`` less its stated mean, and its linear part ``g'd (R, C, F)``, whose mean
    is zero because the score's is; the stated ``mean (C, F)``."""

    control: np.ndarray
    linear: np.ndarray
    mean: np.ndarray


@partial(jax.jit, static_argnames=("static", "count"))
def _program(recipe: Any, *, static: Any, count: int) -> Any:
    """Controls need no fit, only the sample's score and Hessian: they exist on separable data."""

    room = empty_sample(recipe.layout, intercept=static.intercept, repeats=static.repeats)

    def one(room: Any, replicate: Any) -> Any:
        sample = draw_sample(recipe.layout, recipe.key, replicate, room, intercept=static.intercept)
        start = recipe.control.expansions.minimiser.theta
        score, hessian = derivatives(static.loss, recipe.layout, sample, recipe.penalty, start)
        status = jnp.zeros(start.shape[0], jnp.int8)
        fit = Fit(start, score, hessian, status)
        d = linear_estimate(recipe.control, fit)
        linear = jnp.einsum("cfi,ci->cf", recipe.control.measured.gradients, d)
        return sample, (control_variate(recipe.control, fit), linear)

    return lax.scan(one, room, jnp.arange(count, dtype=jnp.uint32))[1]


@cache
def _task(name: str) -> Task:
    return prepare(units_of(CASES[name])[0])


@cache
def _controls(name: str) -> Controls:
    task = _task(name)
    control, linear = _program(task.recipe, static=task.static, count=REPLICATES)
    mean = np.asarray(task.recipe.control.mean)
    return Controls(np.asarray(control), np.asarray(linear), mean)


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_functional_has_its_stated_mean(name: str) -> None:
    """Each group's risk and error in each cell; detects 40 % of its largest mean."""
    control, linear, stated = _controls(name)
    mean, se = sample_mean(control - linear)
    assert_mean(mean, se, 0.0, detects=0.4 * np.abs(stated).max(axis=0))


@pytest.mark.parametrize("name", sorted(CASES))
def test_balanced_risk_has_its_stated_mean(name: str) -> None:
    """Mean and second order together, 24 rows against 8; detects a tenth (the twin leaves it out)."""
    control, linear, stated = _controls(name)
    groups = stated.shape[1] // 2
    mean, se = sample_mean((control - linear)[:, :, :groups].mean(axis=2))
    balanced = stated[:, :groups].mean(axis=1)
    assert (balanced > 0.0).all()
    assert_mean(mean, se, 0.0, detects=0.1 * balanced)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * balanced, se, 0.0, detects=0.1 * balanced)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_linear_part_has_mean_zero(name: str) -> None:
    """The score at the mixture minimiser; detects a tenth of one standard deviation."""
    linear = _controls(name).linear
    mean, se = sample_mean(linear)
    spread = linear.std(axis=0) + 1e-12
    assert_mean(mean, se + 1e-15, 0.0, detects=0.1 * spread)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * spread, se + 1e-15, 0.0, detects=0.1 * spread)


def test_duplicates_taken_for_new_rows_would_be_caught() -> None:
    """The planted error of a whole family: the wrong squared weights."""
    control, linear, stated = _controls("duplicate")
    as_new = np.asarray(_task("oracle").recipe.control.mean)
    gap = (stated - as_new)[:, :2].mean(axis=1)
    mean, se = sample_mean((control - linear)[:, :, :2].mean(axis=2))
    with pytest.raises(Disagreement):
        assert_mean(mean + gap, se, 0.0, detects=0.1 * stated[:, :2].mean(axis=1))
