"""The proportional regime's replicates: the engine's draws, the same bits, exact risks."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from samples import units_of
from scipy import integrate
from scipy.stats import norm

from simulations.population.units import make_unit, unit_population
from simulations.problems import InputError
from simulations.runs.tasks import Task, compute, compute_parameters, prepare
from simulations.setup.configuration import read_sweep
from simulations.wide import layout
from simulations.wide.balanced import span, wide_population
from simulations.wide.measures import risks

GENERATORS: list[dict[str, Any]] = [
    {"kind": "oracle"},
    {"kind": "shift", "shift": [0.3, 0.2, 0.0, 0.1]},
    {"kind": "scale", "factor": 0.5},
    {"kind": "label_noise", "rate": 0.2},
    {"kind": "leak", "strength": 0.5},
    {"kind": "duplicate", "groups": ["1,-1", "-1,1"]},
    {"kind": "reweight"},
    {"kind": "gaussian", "covariance": "known"},
    {"kind": "gaussian", "covariance": "estimated"},
]
BASE: dict[str, Any] = {
    "setting": {"kind": "spurious", "dim": 4, "core": 2.0, "spurious": 1.0},
    "counts": {"1,1": 60, "1,-1": 20, "-1,1": 30, "-1,-1": 50},
    "synthetic": {
        "generators": GENERATORS,
        "ratios": [0, 0.5, 1],
        "augment": [0, 300],
        "augment_share": 0.3,
    },
    "estimator": {"kind": "logistic", "ridge": 0.05},
    "run": {"replicates": 20, "seed": 3},
}
LIMIT = {"theory": {"regime": "proportional"}}


def proportional(**parts: Any) -> dict[str, Any]:
    return {**BASE, **LIMIT, **parts}


@cache
def _tasks(kind: str) -> list[Task]:
    estimator = {"kind": kind} if kind == "mean_difference" else {"kind": kind, "ridge": 0.05}
    return [prepare(unit) for unit in units_of(proportional(estimator=estimator))]


def _same_bits(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


# Independent rows, mixtures, repeats and fitted rows: the engine has a program for each.
@pytest.mark.parametrize("place", [1, 4, 5, 8])
def test_the_engine_fits_the_same_rules(place: int) -> None:
    """Replicate by replicate: the same rows, the same weights, another solver."""
    engine = prepare(units_of(BASE)[place])
    mine = compute_parameters(_tasks("logistic")[place], 2, 4)
    theirs = compute_parameters(engine, 2, 4)
    # The engine's search ends within 1e-6 of the minimiser.
    np.testing.assert_allclose(mine.theta, theirs.theta, atol=4e-6)
    assert not np.allclose(mine.theta, compute_parameters(engine, 3, 4).theta, atol=1e-2)
    values = compute(_tasks("logistic")[place], 2, 4).values
    np.testing.assert_allclose(values, compute(engine, 2, 4).values, atol=4e-6)


@pytest.mark.parametrize("kind", ["squared", "mean_difference"])
def test_rules_in_closed_form_are_the_engines(kind: str) -> None:
    # With repeats the engine draws rows (sums of them elsewhere).
    task = _tasks(kind)[5]
    sweep = {**BASE, "estimator": task.unit.sweep.estimator.model_dump(mode="json")}
    theirs = compute(prepare(units_of(sweep)[5]), 0, 3)
    np.testing.assert_allclose(compute(task, 0, 3).values, theirs.values, rtol=1e-9)


@pytest.mark.parametrize("kind", ["logistic", "squared", "hinge", "mean_difference"])
@pytest.mark.parametrize("place", [3, 5, 8])
def test_cells_and_ranges_do_not_change_a_bit(kind: str, place: int) -> None:
    task = _tasks(kind)[place]
    everything = compute(task, 0, 5)
    some = compute(task, 1, 3, (4, 1))
    picked = type(everything)(*(part[1:4][:, [4, 1]] for part in everything))
    assert _same_bits(some, picked)
    assert not _same_bits(some, compute(task, 1, 3, (1, 4)))


@pytest.mark.parametrize("kind", ["hinge", "mean_difference"])
def test_adding_a_ratio_changes_no_bit(kind: str) -> None:
    old = _tasks(kind)[0]
    wider = {**BASE["synthetic"], "ratios": [2, *BASE["synthetic"]["ratios"]]}
    estimator = old.unit.sweep.estimator.model_dump(mode="json")
    new = prepare(units_of(proportional(synthetic=wider, estimator=estimator))[0])
    assert _same_bits(compute(new, 0, 3, (1, 2, 3)), compute(old, 0, 3, (0, 1, 2)))


@pytest.mark.parametrize("loss", ["logistic", "squared", "hinge"])
@pytest.mark.parametrize("mean, sd", [(0.7, 0.3), (-1.0, 2.0), (3.0, 40.0), (0.0, 1e-7)])
def test_risks_are_those_of_quadrature(loss: str, mean: float, sd: float) -> None:
    for label in (0.0, 1.0):
        sign = 2.0 * label - 1.0
        value = {
            "logistic": lambda u, sign=sign: np.logaddexp(0.0, -sign * u),
            "squared": lambda u, label=label: (u - label) ** 2,
            "hinge": lambda u, sign=sign: max(1.0 - sign * u, 0.0),
        }[loss]
        # A kink, and where the logistic loss bends.
        breaks = sorted(np.clip([(sign - mean) / sd, -mean / sd], -9.9, 9.9))
        expected, _ = integrate.quad(
            lambda z, value=value: norm.pdf(z) * value(mean + sd * z),
            *(-10, 10),
            points=breaks,
            limit=400,
        )
        found = risks(loss, np.array([mean]), np.array([sd]), np.array([label]))
        assert found[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("kind", ["logistic", "squared"])
def test_the_balanced_minimiser_is_that_of_the_whole_space(kind: str) -> None:
    sweep = {**BASE, "estimator": {"kind": kind, "ridge": 0.3}}
    whole = unit_population(units_of(sweep)[0])
    mine = wide_population(units_of({**sweep, **LIMIT})[0])
    np.testing.assert_allclose(mine.balanced_theta, whole.balanced_theta, atol=1e-9)
    np.testing.assert_allclose(mine.balanced_values, whole.balanced_values, atol=1e-12)


def test_no_rule_has_less_balanced_hinge_risk() -> None:
    unit = units_of(proportional(estimator={"kind": "hinge", "ridge": 1.0}))[0]
    found = wide_population(unit)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1):
        for moved in found.balanced_theta + size * rng.standard_normal((50, 5)):
            mean = unit.world.means @ moved[:4] + moved[4]
            sd = np.full(4, np.linalg.norm(moved[:4]))
            risk = risks("hinge", mean, sd, unit.world.labels.astype(float)).mean()
            assert risk > found.balanced_values[:4].mean()


def test_two_thousand_features_are_cheap_to_prepare() -> None:
    sweep = read_sweep(
        {
            "setting": {"kind": "imbalance", "dim": 2000, "separation": 2.0},
            "counts": {"majority": 30, "minority": 10},
            "synthetic": {"ratios": [1.0]},
            "estimator": {"kind": "logistic", "ridge": 0.1},
            **LIMIT,
        }
    )
    unit = make_unit(sweep, sweep.synthetic.generators[0])
    assert unit.components is None and unit.groups is None and unit.penalty is None
    task = prepare(unit)
    assert task.population.balanced_theta.shape == (2001,)
    np.testing.assert_allclose(task.population.balanced_theta[1:], 0.0, atol=1e-12)
    results = compute(task, 0, 2)
    assert results.values.shape == (2, 1, 4) and np.isfinite(results.values).all()


def test_a_span_has_the_rank_of_its_vectors() -> None:
    vectors = np.array([[1.0, 2.0, 0.0], [-2.0, -4.0, 0.0], [0.0, 0.0, 1e-20]])
    basis = span(vectors)
    assert basis.shape == (1, 3)
    np.testing.assert_allclose(vectors[0] @ basis.T @ basis, vectors[0], atol=1e-12)
    assert span(np.zeros((2, 3))).shape == (1, 3)


def test_a_sample_that_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_NUMBERS", 1000)
    with pytest.raises(InputError, match=r"^counts: one sample of generator 'oracle' has .*\.$"):
        prepare(units_of(proportional())[0])


REFUSED = [
    ({"setting": {"kind": "craft"}, "counts": {"majority": 90, "minority": 9}}, "setting.kind"),
    ({"estimator": {"kind": "lda"}}, "estimator.kind"),
    (
        {
            "setting": {
                "kind": "groups",
                "groups": [
                    {"name": "a", "label": 0, "mean": [0, 0, 0, 0]},
                    {
                        "name": "b",
                        "label": 1,
                        "mean": [1, 0, 0, 0],
                        "covariance": np.eye(4).tolist(),
                    },
                ],
            },
            "counts": {"a": 9, "b": 9},
            "synthetic": {"ratios": [0]},
        },
        "setting.groups.1.covariance",
    ),
    (
        {"synthetic": {"generators": [{"kind": "oracle"}, {"kind": "smote", "neighbours": 3}]}},
        "synthetic.generators.1.kind",
    ),
    (
        {"synthetic": {"generators": [{"kind": "smoothed", "bandwidth": 0.3}]}},
        "synthetic.generators.0.kind",
    ),
]


@pytest.mark.parametrize("parts, field", REFUSED)
def test_what_the_regime_does_not_cover_is_refused_in_one_sentence(
    parts: dict[str, Any], field: str
) -> None:
    if "craft" in str(parts):
        parts = {**parts, "synthetic": {"ratios": [0]}}
    with pytest.raises(InputError) as caught:
        read_sweep(proportional(**parts))
    text = str(caught.value)
    assert text.startswith(f"configuration: {field} is ") and text.endswith(".")
    assert 'set theory.regime = "fixed_dim"' in text and "\n" not in text
    # In the other regime it is no fault.
    read_sweep({**BASE, **parts, "theory": {"regime": "fixed_dim"}})
