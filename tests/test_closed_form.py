"""Rules in closed form: drawn as sums they have the law of rows, and the cost does not depend on n."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from samples import Rows, rows_of, units_of
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.expansion import expansion
from simulations.runs.tasks import Task, compute, compute_parameters, prepare
from simulations.sampling.newton import FOUND, SINGULAR
from simulations.statistics import closed_form

KINDS = ("squared", "lda", "mean_difference")
REPLICATES = 10_000
EXTRA = {"ratios": [0.5], "augment": [40], "augment_share": 0.3}


def _sweep(kind: str, generator: dict[str, Any], counts: tuple[int, int], **synthetic: Any) -> Any:
    dim = len(generator.get("shift", [0, 0, 0]))
    return {
        "setting": {"kind": "imbalance", "dim": dim},
        "counts": {"majority": counts[0], "minority": counts[1]},
        "synthetic": {"generators": [generator], **synthetic},
        "estimator": {"kind": kind, "ridge": 0.1 if kind == "squared" else 0.0},
    }


@cache
def _task(kind: str, name: str, majority: int, minority: int) -> Task:
    generator: dict[str, Any] = {"kind": name}
    generator |= {"shift": {"shift": [0.3, 0.1, 0.0]}, "label_noise": {"rate": 0.2}}.get(name, {})
    synthetic = EXTRA if name != "reweight" else {}
    return prepare(units_of(_sweep(kind, generator, (majority, minority), **synthetic))[0])


def _rule(kind: str, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The rules of many samples, written down anew: rows ``x (R, N, d)``, ``y`` and ``w (N,)``."""
    if kind == "squared":
        lifted = np.concatenate([x, np.ones((*x.shape[:2], 1))], axis=2)
        weighted = lifted * w[:, None]
        gram = np.einsum("rni,rnj->rij", weighted, lifted)
        # (u - y)^2 + ridge/2 |slope|^2
        gram = gram + 0.05 * np.diag([*np.ones(x.shape[2]), 0.0])
        return np.linalg.solve(gram, np.einsum("rni,n->ri", weighted, y)[..., None])[..., 0]
    means = [np.average(x[:, y == label], axis=1, weights=w[y == label]) for label in (0, 1)]
    slope = means[1] - means[0]
    if kind == "lda":
        centred = x - np.where(y[:, None] > 0.5, means[1][:, None], means[0][:, None])
        within = np.einsum("rni,n,rnj->rij", centred, w, centred)
        slope = np.linalg.solve(within, slope[..., None])[..., 0]
    intercept = -0.5 * ((means[0] + means[1]) * slope).sum(axis=1)
    return np.concatenate([slope, intercept[:, None]], axis=1)


def _by_rows(kind: str, share: float) -> np.ndarray:
    """Rules of samples drawn by NumPy: 300/60 raw rows, 120 oversampled, 40 augmented in each class,
    synthetic ones shifted."""
    rng = np.random.default_rng(2024)
    sizes, labels, shifted = (300, 60, 120, 40, 40), (0, 1, 1, 0, 1), (0, 0, 1, 1, 1)
    weights = np.repeat([(1 - share) / 480] * 3 + [share / 80] * 2, sizes)
    y = np.repeat(labels, sizes).astype(float)
    means = np.outer(2.0 * y - 1.0, [1.0, 0.0, 0.0])
    means = means + np.outer(np.repeat(shifted, sizes), [0.3, 0.1, 0.0])
    parts = [
        _rule(kind, means + rng.standard_normal((500, len(y), 3)), y, weights)
        for _ in range(REPLICATES // 500)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("kind", KINDS)
def test_sums_have_the_law_of_rows(kind: str) -> None:
    """Means and covariances of the fitted rule, 14 comparisons; detects 0.2 of a standard deviation
    and of a variance (twin: the augmented rows weigh a share of 0.2, not 0.3)."""
    task = _task(kind, "shift", 300, 60)
    assert closed_form.by_sums(task.unit)
    sums = compute_parameters(task, 0, REPLICATES).theta[:, 0]

    middle, spread = sums.mean(axis=0), sums.std(axis=0)
    upper = np.triu_indices(sums.shape[1])

    def compare(rows: np.ndarray) -> None:

        def features(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            z = (theta - middle) / spread
            return sample_mean(np.hstack([z, (z[:, :, None] * z[:, None, :])[:, *upper]]))

        (one, one_se), (other, other_se) = features(sums), features(rows)
        assert_mean(one - other, np.hypot(one_se, other_se), 0.0, detects=0.2)

    compare(_by_rows(kind, 0.3))
    with pytest.raises(Disagreement):
        compare(_by_rows(kind, 0.2))


def _from_rows(kind: str, rows: Rows, cell: int) -> np.ndarray:
    used = rows.weight[:, cell] > 0.0
    x, y, w = rows.x[used, :-1], rows.y[used], rows.weight[used, cell]
    return _rule(kind, x[None], y, w)[0]


@pytest.mark.parametrize("name", ["duplicate", "label_noise"])
@pytest.mark.parametrize("kind", ["lda", "mean_difference"])
def test_mixtures_and_repeats_use_the_rows(kind: str, name: str) -> None:
    """The very rows of the sample, to rounding: condition numbers here are below 100."""
    task = _task(kind, name, 120, 30)
    assert not closed_form.by_sums(task.unit)
    fits = compute_parameters(task, 0, 3)
    for replicate in range(3):
        expected = _from_rows(kind, rows_of(task.unit, replicate), 0)
        np.testing.assert_allclose(fits.theta[replicate, 0], expected, rtol=1e-11, atol=1e-11)
    assert np.abs(fits.theta[0, 0] - fits.theta[1, 0]).max() > 1e-3


CONTROLLED = [("lda", "shift"), ("lda", "label_noise"), ("lda", "duplicate")]
CONTROLLED += [("mean_difference", "label_noise"), ("squared", "shift"), ("lda", "reweight")]


@pytest.mark.parametrize(("kind", "name"), CONTROLLED)
def test_control_variates_have_mean_zero(kind: str, name: str) -> None:
    """Exactly, also at 24 rows against 8: spread and bias are exact moments of the statistics.

    Detects a fifth of a standard deviation of each control variate, and a tenth of the largest
    mean that is subtracted for the balanced risk (twin: left in).
    """
    task = _task(kind, name, 24, 8)
    controls = compute(task, 0, 30_000).controls[:, 0]
    kept = controls.std(axis=0) > 1e-13
    mean, se = sample_mean(controls)
    assert_mean(mean[kept], se[kept], 0.0, detects=0.2 * controls.std(axis=0)[kept])
    expected = expansion(task.population)
    stated = (expected.variance + expected.second_order)[0, :2].mean()
    whole = controls[:, 1:3, :2].sum(axis=1).mean(axis=1)
    mean, se = sample_mean(whole)
    assert_mean(mean, se, 0.0, detects=0.1 * abs(stated))
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1 * abs(stated), se, 0.0, detects=0.1 * abs(stated))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_the_same_whatever_is_beside_it(kind: str) -> None:
    """Bit by bit: in other company, in another order, and with other chunks."""
    few = {"ratios": [0, 1], "augment": [0, 7], "augment_share": 0.2}
    many = {**few, "ratios": [0, 0.3, 0.7, 1, 1.5, 2, 40]}
    one, more = (
        prepare(units_of(_sweep(kind, {"kind": "oracle"}, (900, 40), **cells))[0])
        for cells in (few, many)
    )
    alone, beside = compute(one, 0, 5), compute(more, 2, 3, (10, 0, 7, 3))
    for part, other in zip(alone, beside, strict=True):
        assert np.array_equal(part[2:, [0, 1, 2, 3]], other[:, [1, 3, 2, 0]][:, [0, 1, 2, 3]])
    assert not np.array_equal(alone.values[2:, 0], beside.values[:, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_million_rows(kind: str) -> None:
    """Balanced excess risk at 1e12 rows: estimate over prediction is 1 within 1e-3, which is what
    double precision leaves of 1e-12 beside a risk of order 1 (twin: a constant 1 % off)."""
    sweep = _sweep(kind, {"kind": "oracle"}, (10**12, 10**11), ratios=[1.0, 1e6])
    sweep["estimator"]["ridge"] = 0.0
    task = prepare(units_of(sweep)[0])
    results = compute(task, 0, 400)
    assert (results.status == FOUND).all()
    excess = results.values[:, 0, :2] - task.population.balanced_values[:2]
    controlled = (excess - results.controls[:, 0, :, :2].sum(axis=1)).mean(axis=1)
    predicted = expansion(task.population).predicted[0, :2].mean()
    mean, se = sample_mean(controlled / predicted)
    assert_mean(mean, se, 1.0, detects=2e-3, remainder=1e-3)
    with pytest.raises(Disagreement):
        assert_mean(1.01 * mean, se, 1.0, detects=2e-3, remainder=1e-3)


def test_too_few_rows_are_a_status() -> None:
    """LDA needs d + 2 distinct rows; repeats are not distinct, new rows are."""
    few = {"ratios": [1.0]}

    def status(kind: str, name: str) -> int:
        task = prepare(units_of(_sweep(kind, {"kind": name}, (3, 1), **few))[0])
        results = compute(task, 0, 4)
        exists = results.status == FOUND
        assert np.array_equal(np.isfinite(results.values).all(axis=2), exists)
        return int(results.status.max())

    assert status("lda", "duplicate") == SINGULAR
    assert status("lda", "oracle") == FOUND
    assert status("mean_difference", "duplicate") == FOUND
