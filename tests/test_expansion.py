"""Relations that predictions must keep, whatever their values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from samples import units_of
from scipy.integrate import quad
from scipy.stats import norm, ortho_group

import synthlaw
from simulations.population.gaussian import group_risks
from simulations.population.minimisers import mixture_gradient
from simulations.population.units import unit_population

TERMS = ["floor", "variance", "second_order"]
COVARIANCES = (
    np.diag([1.0, 0.5, 2.0, 1.0, 0.7]),
    np.eye(5) + 0.3 * (np.eye(5, k=1) + np.eye(5, k=-1)),
)
MEANS = np.array([[-1.0, 0.2, 0.0, 0.0, 0.3], [0.8, 0.0, -0.4, 0.1, 0.0]])
SHIFT = np.array([0.2, -0.1, 0.3, 0.0, 0.1])
COUNTS = {"a": 1200, "b": 200}
# Relative agreement of two routes through the same double-precision formulas.
CLOSE = 1e-9


def _sweep(
    means: np.ndarray = MEANS,
    covariances: Any = COVARIANCES,
    labels: tuple[int, int] = (0, 1),
    shift: np.ndarray = SHIFT,
    size: int = 1,
    **synthetic: Any,
) -> dict[str, Any]:
    """Two groups with unequal covariances, and a shifted generator, in five dimensions."""
    groups = [
        {"name": n, "label": y, "mean": m.tolist(), "covariance": c.tolist()}
        for n, y, m, c in zip("ab", labels, means, covariances, strict=True)
    ]
    generators = [{"kind": "shift", "shift": shift.tolist()}]
    return {
        "setting": {"kind": "groups", "groups": groups},
        "counts": {name: size * n for name, n in COUNTS.items()},
        "synthetic": {"generators": generators, "ratios": [0, 0.5, 1, 2], **synthetic},
    }


def _same(one: Any, other: Any, columns: list[str] = TERMS) -> None:
    a, b = one[columns].to_numpy(), other[columns].to_numpy()
    np.testing.assert_allclose(a, b, rtol=CLOSE, atol=1e-14)


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return synthlaw.predict(_sweep())


def test_rotating_the_world_changes_nothing(plain: Any) -> None:
    turn = ortho_group.rvs(5, random_state=np.random.default_rng(5))
    turned = _sweep(MEANS @ turn.T, [turn @ c @ turn.T for c in COVARIANCES], shift=turn @ SHIFT)
    _same(plain, synthlaw.predict(turned))


def test_rescaling_the_features_changes_nothing(plain: Any) -> None:
    """Without ridge the estimator is equivariant: slopes absorb the units of the features."""
    units = np.array([2.0, 0.5, 1.0, 3.0, 0.2])
    scaled = _sweep(
        MEANS * units, [c * np.outer(units, units) for c in COVARIANCES], shift=SHIFT * units
    )
    _same(plain, synthlaw.predict(scaled))
    with pytest.raises(AssertionError):
        scaled["estimator"] = {"ridge": 0.1}
        _same(plain, synthlaw.predict(scaled))


def test_swapping_the_labels_changes_nothing(plain: Any) -> None:
    _same(plain, synthlaw.predict(_sweep(labels=(1, 0))))


def test_four_times_the_rows_quarter_the_variance(plain: Any) -> None:
    larger = synthlaw.predict(_sweep(size=4))
    _same(plain, larger, ["floor"])
    _same(
        plain[["variance", "second_order"]],
        4.0 * larger[["variance", "second_order"]],
        ["variance", "second_order"],
    )


def test_a_weight_per_row_is_a_share() -> None:
    weight, extra = 0.5, 300
    by_weight = synthlaw.predict(_sweep(ratios=[1], augment=[extra], augment_row_weight=weight))
    share = weight * 2 * extra / (2 * COUNTS["a"] + weight * 2 * extra)
    by_share = synthlaw.predict(_sweep(ratios=[1], augment=[extra], augment_share=share))
    assert by_weight["augment_share"].iloc[0] == pytest.approx(share, rel=1e-14)
    _same(by_weight, by_share)


def test_rows_come_in_the_order_asked_for(plain: Any) -> None:
    order = [2, 0, 1, 0.5]
    shuffled = synthlaw.predict(_sweep(ratios=order))
    assert list(shuffled["ratio"].unique()) == order
    keys = ["ratio", "metric", "group"]
    _same(plain.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True))


def test_balanced_is_the_mean_and_worst_the_largest_group(plain: Any) -> None:
    wide = plain.pivot_table(index=["ratio", "metric"], columns="group", values="predicted")
    assert wide["balanced"].to_numpy() == pytest.approx(wide[["a", "b"]].mean(axis=1).to_numpy())
    assert (wide["worst"] == wide[["a", "b"]].max(axis=1)).all()


def test_mixture_minimisers_are_stationary_and_lowest() -> None:
    unit = units_of(_sweep())[0]
    population = unit_population(unit)
    rng = np.random.default_rng(11)
    parts = unit.components
    for cell, weights in enumerate(parts.total_weight @ parts.mixing):
        theta = population.theta[cell]
        slope = mixture_gradient(unit.loss, theta, weights, parts.atoms, population.grid)
        assert np.abs(slope).max() < 1e-10

        def risk(at: Any, weights: np.ndarray = weights) -> float:
            risks = group_risks(unit.loss, at, parts.atoms, population.grid)
            return float(weights @ np.asarray(risks))

        for step in 1e-3 * rng.standard_normal((4, len(theta))):
            assert risk(theta + step) > risk(theta)


def _balanced_by_right_law(dim: int, separation: float, n: int) -> tuple[Any, float]:
    """The predicted row, and its variance in closed form: ``(s/8)(d + 1 - a0)``, ``s = 2/n``."""
    table = synthlaw.predict(
        {
            "setting": {"kind": "imbalance", "dim": dim, "separation": separation},
            "counts": {"majority": n, "minority": n // 10},
            "synthetic": {"ratios": [1]},
        }
    )
    row = table[(table["metric"] == "excess_risk") & (table["group"] == "balanced")].iloc[0]
    tilt = quad(lambda z: norm.pdf(z) / np.cosh(separation * z / 2), -10, 10, epsabs=1e-12)[0]
    a0 = np.exp(-(separation**2) / 8) * tilt
    return row, (2 / n / 8) * (dim + 1 - a0)


@pytest.mark.parametrize("dim", [1, 5, 200])
def test_noise_dimensions_add_a_known_variance(dim: int) -> None:
    """``a0 = 4 E p(1-p)`` does not depend on the dimension: each one of noise adds s/8."""
    row, variance = _balanced_by_right_law(dim, 2.0, 400 * dim)
    assert row["variance"] == pytest.approx(variance, rel=1e-9)
    assert abs(row["floor"]) < 1e-12
    assert abs(row["second_order"]) < 1e-12


@pytest.mark.parametrize("separation", [4.0, 8.0, 10.0])
def test_far_apart_groups_are_still_predicted(separation: float) -> None:
    """The curvature falls as exp(-D^2/8): 4e-6 of the usual at 10, which costs as many digits."""
    row, variance = _balanced_by_right_law(2, separation, 1000)
    assert row["variance"] == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("separation", [14.0, 40.0, 600.0])
def test_groups_too_far_apart_are_refused(separation: float) -> None:
    """Flat to rounding: there is no minimiser that double precision could find."""
    setting = {"kind": "imbalance", "dim": 2, "separation": separation}
    with pytest.raises(ValueError, match="hardly overlap.*closer or widen"):
        synthlaw.predict({"setting": setting, "counts": {"majority": 1000, "minority": 100}})


def test_a_generator_without_effect_is_the_oracle() -> None:
    base = {
        "setting": {"kind": "imbalance", "dim": 5},
        "counts": {"majority": 2000, "minority": 200},
    }

    def predicted(**generator: Any) -> pd.DataFrame:
        synthetic = {"generators": [generator], "ratios": [0, 0.5, 1, 2]}
        return synthlaw.predict({**base, "synthetic": synthetic})

    right = predicted(kind="oracle")
    _same(right, predicted(kind="shift", shift=[0.0] * 5))
    _same(right, predicted(kind="scale", factor=1.0))
    _same(right, predicted(kind="label_noise", rate=0.0))
    # Synthetic rows of the majority do not exist here, so that a wrong law for them is no matter.
    _same(right, predicted(kind="shift", shift=[0.5] * 5, groups=["majority"]))
    with pytest.raises(AssertionError):
        _same(right, predicted(kind="shift", shift=[0.5] * 5))


@pytest.mark.parametrize(("minority", "warned"), [(124, True), (125, False)])
def test_few_rows_per_feature_bring_a_caution(minority: int, warned: bool) -> None:
    sweep = {
        "setting": {"kind": "imbalance", "dim": 5},
        "counts": {"majority": 400, "minority": minority},
        "synthetic": {"ratios": [1.0]},
    }
    caution = synthlaw.predict(sweep).attrs["caution"]
    assert bool(caution) is warned
    assert not warned or "as few as 124 raw rows for 5 features" in caution
