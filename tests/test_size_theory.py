"""Sizes, their metric, the exact optimum and the cases of a bias: closed forms and relations."""

from typing import Any

import numpy as np
import pytest
from references import agrees_with_digits
from scipy.optimize import minimize_scalar
from size_problems import anisotropic, golden, problem, reference, squared_floor

import synthlaw
from scaling.theory.size.best_ratio import best_ratio, predicted_at
from scaling.theory.size.curve import balanced_point, floor_slopes, size_curve
from scaling.theory.size.directions import alignment, directions
from scaling.theory.size.optimum import optimal_size
from scaling.theory.size.problem import SizeProblem, size_problem
from scaling.theory.size.sizes import quadratic_size, size
from simulations.population.units import Unit, make_unit
from simulations.problems import InputError
from simulations.setup.configuration import read_sweep

SHIFT = (0.3, 0.0, 0.0, 0.0, 0.0)


def test_the_golden_case() -> None:
    for imbalance in (2.0, 20.0, 1000.0):
        given = golden((imbalance, 1.0))
        found = directions(given)
        assert found.theta == pytest.approx([1 / 3, 0.0], abs=1e-13)
        assert found.imbalance == pytest.approx([4 / 3, 0.0], abs=1e-12)
        assert found.bias == pytest.approx([0.5, 0.0], abs=1e-12)
        for metric in ("euclidean", "inverse_hessian"):
            assert size(given, found, metric).rows == pytest.approx(4 * (imbalance - 1), rel=1e-11)
        best = optimal_size(given, "floor")
        assert best.found and best.rows == pytest.approx(4 * (imbalance - 1), rel=1e-9)
        assert best.value == 0.0 and alignment(found).case == "aligned"
    floors = size_curve(golden(), [0.0, 19.0, 76.0]).floor
    assert agrees_with_digits(floors[0], "0.1243113")
    assert agrees_with_digits(floors[1], "0.0161695")
    assert floors[2] == 0.0


def test_the_anisotropic_case() -> None:
    """The Euclidean size is worse than balancing; the inverse Hessian's is close to the exact one."""
    given = anisotropic()
    found = directions(given)
    rows = [size(given, found, "euclidean").rows, 19.0, size(given, found).rows]
    rows += [optimal_size(given, "floor").rows]
    for value, printed in zip(rows, ("19.024", "19.000", "18.309", "18.305"), strict=True):
        assert agrees_with_digits(value, printed)
    floors = size_curve(given, rows).floor
    for value, printed in zip(floors, ("4.54e-5", "4.39e-5", "2.13e-5", "2.13e-5"), strict=True):
        assert agrees_with_digits(value, printed)
    assert floors[3] < floors[2] < floors[1] < floors[0]
    brute: Any = minimize_scalar(
        lambda m: squared_floor(given, m),
        bounds=(10, 30),
        method="bounded",
        options={"xatol": 1e-7},
    )
    assert rows[3] == pytest.approx(float(brute.x), abs=1e-5)


@pytest.mark.parametrize("given", [golden(), anisotropic(), golden((300.0, 20.0), 0.2)])
def test_floors_are_those_of_the_normal_equations(given: SizeProblem) -> None:
    rows = np.array([0.0, 0.3, 1.0, 2.5]) * given.missing
    expected = [squared_floor(given, m) for m in rows]
    assert size_curve(given, rows).floor == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_the_curve_is_the_prediction_at_whole_numbers() -> None:
    sweep = {
        "setting": {"kind": "imbalance", "dim": 5, "separation": 2.0},
        "counts": {"majority": 2000, "minority": 200},
        "synthetic": {
            "generators": [{"kind": "shift", "shift": list(SHIFT), "groups": ["minority"]}],
            "ratios": [0, 0.5, 1, 2],
        },
    }
    table = synthlaw.predict(sweep).query("metric == 'excess_risk' and group == 'balanced'")
    terms = size_curve(reference(SHIFT), [0, 900, 1800, 3600])
    for name in ("floor", "variance", "second_order"):
        assert getattr(terms, name) == pytest.approx(table[name].to_numpy(), rel=1e-9), name
    config = read_sweep(sweep)
    unit = make_unit(config, config.synthetic.generators[0])
    again = size_curve(size_problem(unit), [0, 900, 1800, 3600])
    assert again.total == pytest.approx(terms.total, rel=1e-12)


@pytest.mark.parametrize("given", [reference(SHIFT), anisotropic()])
def test_the_slope_of_the_floor_is_its_derivative(given: SizeProblem) -> None:
    """Central differences with step h: error h^2/6 of the third derivative, here below 1e-7."""
    rows = np.array([0.4, 1.0, 1.7]) * given.missing
    step = 1e-4 * given.missing
    ends = size_curve(given, np.concatenate([rows - step, rows + step])).floor
    slopes = floor_slopes(given, rows, size_curve(given, rows))
    assert slopes == pytest.approx((ends[3:] - ends[:3]) / (2 * step), rel=2e-6)
    assert slopes != pytest.approx(2 * (ends[3:] - ends[:3]) / (2 * step), rel=0.1)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_change_of_units_moves_the_euclidean_size_alone(loss: str) -> None:
    turn = np.array([[2.0, 0.3], [-0.1, 0.5]])
    laws: list[tuple] = [
        ([-0.5, 0.2], [[1.0, 0.2], [0.2, 1.5]]),
        ([0.7, -0.1], [[0.8, 0.0], [0.0, 1.0]]),
        ([0.8, 0.1], [[0.9, 0.1], [0.1, 1.0]]),
    ]
    moved = [(turn @ np.array(m), turn @ np.array(c) @ turn.T) for m, c in laws]
    one, other = (problem(of[0], of[1], of[2], (900.0, 60.0), loss, True) for of in (laws, moved))
    here, there = directions(one), directions(other)
    assert size(one, here).rows == pytest.approx(size(other, there).rows, rel=1e-9)
    assert quadratic_size(one, here).rows == pytest.approx(quadratic_size(other, there).rows)
    assert optimal_size(one).rows == pytest.approx(optimal_size(other).rows, rel=1e-6)
    assert alignment(here).inverse_hessian == pytest.approx(alignment(there).inverse_hessian)
    euclidean = [size(p, d, "euclidean").rows for p, d in ((one, here), (other, there))]
    assert abs(euclidean[0] / euclidean[1] - 1) > 0.01
    assert abs(alignment(here).euclidean - alignment(there).euclidean) > 0.01


def test_the_quadratic_size_minimises_the_small_bias_floor() -> None:
    given = reference(SHIFT)
    found = directions(given)

    def small(m: float) -> float:
        gradient = 0.5 * (given.missing - m) * found.imbalance + m * found.bias
        gradient = gradient / (sum(given.counts) + m)
        return 0.5 * found.product(gradient, gradient, "inverse_hessian")

    best = quadratic_size(given, found)
    brute: Any = minimize_scalar(
        small, bounds=(0, 10_000), method="bounded", options={"xatol": 1e-6}
    )
    assert best.rows == pytest.approx(float(brute.x), abs=1e-2)
    assert best.value == pytest.approx(float(brute.fun), rel=1e-9)
    assert small(size(given, found).rows) > 1.0001 * best.value


def test_formulas_agree_as_the_bias_goes_to_zero() -> None:
    """All sizes tend to m_b, their distances from the exact one like the bias squared or faster."""
    gaps = []
    for small in (1e-2, 1e-3):
        given = reference((small, small, 0.0, 0.0, 0.0))
        exact = optimal_size(given, "floor").rows
        gaps.append(abs(quadratic_size(given, directions(given)).rows - exact) / given.missing)
    assert gaps[1] < 0.02 * gaps[0] < 1e-3


def test_the_total_has_its_least_value_at_the_optimum() -> None:
    given = golden((2000.0, 100.0))
    best = optimal_size(given)
    assert best.found and best.rows == pytest.approx(7671.295, abs=1e-2)
    beside = size_curve(given, [best.rows - 30, best.rows, best.rows + 30]).total
    assert beside[1] == pytest.approx(best.value, rel=1e-12)
    assert beside[1] < min(beside[0], beside[2])


def test_a_size_that_does_not_exist_says_why() -> None:
    symmetric = problem(([-1, 0], 1), ([1, 0], 1), ([1, 0.3], 1), (200.0, 20.0), "logistic")
    found = directions(symmetric)
    assert found.symmetric and alignment(found).case == "symmetric"
    nothing = size(symmetric, found)
    assert not nothing.found and "locally symmetric" in nothing.status and np.isnan(nothing.rows)
    # A few rows lower the variance; for the floor none is best.
    assert 0.0 < optimal_size(symmetric).rows < 0.2 * symmetric.missing
    floor = optimal_size(symmetric, "floor")
    assert floor.rows == 0.0 and "boundary" in floor.status
    # Rows like those of the majority: each makes the imbalance worse.
    worse = golden((20.0, 1.0), shift=-1.5)
    refused = size(worse, directions(worse))
    assert not refused.found and "denominator" in refused.status
    # Rows close to the majority's: the more of them the less the real ones count.
    endless = optimal_size(golden((20.0, 1.0), shift=-0.65), "floor")
    assert not endless.found and "no interior minimiser" in endless.status
    right = golden((20.0, 1.0), shift=0.0)
    assert alignment(directions(right)).case == "unbiased"


def test_orthogonal_bias_is_removed_by_no_size() -> None:
    given = reference((0.0, 0.05, 0.0, 0.0, 0.0))
    found = directions(given)
    assert alignment(found).case == "orthogonal"
    assert size(given, found).rows == pytest.approx(given.missing, rel=1e-12)
    full = size_curve(given, [given.missing]).floor[0]
    assert 0.97 < optimal_size(given, "floor").value / full < 1.0
    oblique = reference((0.05, 0.05, 0.0, 0.0, 0.0))
    assert alignment(directions(oblique)).case == "oblique"


@pytest.mark.parametrize("separation", [0.5, 2.0, 4.0])
def test_with_an_intercept_symmetry_is_impossible(separation: float) -> None:
    """The squared loss: 2(1 - q/4/(1 + q/4)) with q the squared distance; logistic: positive."""
    mean = np.array([separation / 2, 0.0])
    laws = (-mean, 1), (mean, 1), (mean, 1)
    squared = directions(problem(*laws, (20.0, 1.0), "squared", True))
    q = separation**2
    assert squared.imbalance[-1] == pytest.approx(2 / (1 + q / 4), rel=1e-12)
    logistic = directions(problem(*laws, (20.0, 1.0), "logistic", True))
    assert logistic.imbalance[-1] > 0.05
    without = directions(problem(*laws, (20.0, 1.0), "logistic", False))
    assert without.symmetric


def test_the_reference_intercept_part() -> None:
    assert agrees_with_digits(directions(reference((0.0,) * 5)).imbalance[-1], "0.4496")


def test_problems_that_are_none_are_refused() -> None:
    def unit(**changes: object) -> object:
        sweep = {
            "setting": {"kind": "imbalance", "dim": 2},
            "counts": {"majority": 200, "minority": 20},
            **changes,
        }
        config = read_sweep(sweep)
        return make_unit(config, config.synthetic.generators[0])

    spurious = {"kind": "spurious", "dim": 2}
    counts = {"1,1": 50, "1,-1": 5, "-1,1": 5, "-1,-1": 50}
    for wrong, words in (
        (unit(setting=spurious, counts=counts), "two Gaussian groups"),
        (unit(synthetic={"generators": [{"kind": "duplicate"}]}), "known law"),
        (unit(synthetic={"generators": [{"kind": "reweight"}]}), "known law"),
        (unit(synthetic={"generators": [{"kind": "gaussian"}]}), "known law"),
        (unit(estimator={"kind": "lda"}), "estimator.kind"),
    ):
        with pytest.raises(InputError, match=words):
            size_problem(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="not negative"):
        size_curve(golden(), [-1.0])


def test_counts_enter_through_weights_alone() -> None:
    """The point at theta_bal serves all counts; scaling all rows scales the variance."""
    given = reference(SHIFT)
    balanced = balanced_point(given)
    one = size_curve(given, [900.0], balanced)
    ten = size_curve(given.with_counts(20_000, 2000), [9000.0], balanced)
    assert ten.floor == pytest.approx(one.floor, rel=1e-12)
    assert ten.variance == pytest.approx(one.variance / 10, rel=1e-12)
    assert ten.second_order == pytest.approx(one.second_order / 10, rel=1e-12)


def any_unit(generator: dict, counts: tuple[int, int] = (2000, 200)) -> Unit:
    sweep = {
        "setting": {"kind": "imbalance", "dim": 5, "separation": 2.0},
        "counts": {"majority": counts[0], "minority": counts[1]},
        "synthetic": {"generators": [generator], "ratios": [0]},
    }
    config = read_sweep(sweep)
    return make_unit(config, config.synthetic.generators[0])


def test_the_search_over_whole_rows_finds_the_same_optimum() -> None:
    unit = any_unit({"kind": "shift", "shift": list(SHIFT), "groups": ["minority"]})
    found, exact = best_ratio(unit), optimal_size(size_problem(unit))
    assert found.found and abs(found.rows[1] - exact.rows) <= 2
    assert 0.0 <= found.value - exact.value < 1e-6 * exact.value
    assert [found.raw, found.balanced] == pytest.approx(
        size_curve(size_problem(unit), [0, 1800]).total, rel=1e-9
    )


@pytest.mark.parametrize("kind", ["gaussian", "duplicate"])
def test_the_best_ratio_of_rows_that_depend_on_the_raw_ones(kind: str) -> None:
    """No floor at balance; the optimum beats it, and its neighbours, by variance alone."""
    unit = any_unit({"kind": kind})
    found = best_ratio(unit)
    assert found.found and 0.8 < found.ratio < 1.2
    beside = predicted_at(unit, np.array([found.ratio - 0.02, found.ratio, found.ratio + 0.02]))
    assert beside[1] == pytest.approx(found.value, rel=1e-12)
    assert beside[1] < min(beside[0], beside[2]) and found.value <= found.balanced < found.raw


def test_ratios_that_cannot_be_chosen_are_refused() -> None:
    for unit, words in (
        (any_unit({"kind": "reweight"}), "no ratio"),
        (any_unit({"kind": "smote"}), "no expansion"),
        (any_unit({"kind": "oracle"}, (200, 200)), "adds none"),
    ):
        with pytest.raises(InputError, match=words):
            best_ratio(unit)
