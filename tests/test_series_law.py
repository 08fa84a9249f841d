"""The law of logistic series: closed forms, limits, and the rows of a biased generator."""

import numpy as np
import pytest

from scaling.theory.nonparametric import series as law
from simulations.problems import InputError
from simulations.series import cosines
from simulations.series.classes import Target, balanced_curvature, classes
from simulations.series.population import population
from simulations.series.training import augmented, cell, raw, real, reweighted

TWO = classes(Target(64, 1.0, amplitude=0.8))
WRONG = classes(Target(64, 1.0, amplitude=0.8, shift=0.4))
RAW = raw(TWO, (3000, 400), 2e-3, 1.0)


def test_the_law_of_balanced_rows_is_the_closed_form() -> None:
    for power in (1.0, 2.0):
        two = classes(Target(512, power, amplitude=1.3))
        noise = (balanced_curvature(two) ** (0.5 / power)).mean() / 1e6
        c = {1.0: np.pi / 4, 2.0: 0.75 * np.pi / 4 / np.sin(np.pi / 4)}[power]
        rate = 2 * power / (2 * power + 1)
        expected = 0.5 * (1 + 0.5 / power) * 1.3 ** (2 - 2 * rate) * (c * noise) ** rate
        found = law.balanced_law(two, 10**6, power)
        assert found.least == pytest.approx(expected, rel=1e-9)
        around = [found.risk(found.ridge * factor) for factor in (0.99, 1.0, 1.01)]
        assert around[1] < min(around[0], around[2]) and around[1] == found.least


@pytest.mark.parametrize("signs", ["alike", "spread"])
def test_the_law_of_unequal_classes(signs: str) -> None:
    """Noise is that of the log-odds whatever the weights; one endless class leaves the other's law."""
    two = classes(Target(1024, 1.0, signs=signs))
    for make in (raw, reweighted):
        each = make(two, (7000, 300), 1e-4, 1.0)
        share = [sum(p.weight for p in each.parts if p.label == y) for y in (0, 1)]
        zero, one = share[0] * two.density[0], share[1] * two.density[1]
        curvature = zero * one / (zero + one)
        tau = 1 / (300 * two.density[1]) + 1 / (7000 * two.density[0])
        b = np.pi / 4 * (balanced_curvature(two) * tau * curvature**0.5).mean()
        assert law.series_law(two, each.parts, 1.0).variance == pytest.approx(b, rel=1e-12)
    limits = []
    for many in (10**7, 10**9):
        parts = raw(two, (many, 1000), 1.0, 1.0).parts
        limits.append(
            law.series_law(two, parts, 1.0).least / law.minority_limit(two, 1000, 1.0) - 1
        )
    assert limits[1] == pytest.approx(0.01 * limits[0], rel=0.2) and abs(limits[1]) < 1e-4
    ratio = law.minority_limit(two, 10, 1.0) / law.minority_limit(two, 80, 1.0)
    assert ratio == pytest.approx(4.0, rel=1e-12)


def test_the_floor_of_a_biased_generator_is_the_limit_of_the_penalised_one() -> None:
    each = augmented(TWO, (300, 100), WRONG, 1000, 1e-9, 1.0)
    exact = law.limit_floor(TWO, each.parts)
    assert population(TWO, each).floor == pytest.approx(exact, rel=1e-4) and exact > 1e-3
    # The right law has none, and an uncorrected imbalance one.
    assert law.limit_floor(TWO, RAW.parts) == pytest.approx(0.0, abs=1e-15)
    assert law.limit_floor(TWO, RAW.parts, corrected=False) > 0.1
    mixed = cell([real(TWO, 0, 10, 0.3), real(TWO, 1, 10, 0.7)], 1.0, 1.0)
    assert law.limit_floor(TWO, mixed.parts) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("shift", [0.1, 0.3, -0.3])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_biased_law_moves_linearly_in_lambda(power: float, shift: float) -> None:
    """The penalised floor less the floor, over lambda: exact at small lambda against drift + a/2."""
    target = Target(8192, power, signs="spread")
    two, made = classes(target), classes(target._replace(shift=shift))
    parts = [real(made, label, 1000, 0.5) for label in (0, 1)]
    found = law.series_law(two, tuple(parts), power)
    ridge = 1e-6
    exact = (population(two, cell(parts, ridge, power)).floor - found.floor) / ridge
    assert exact == pytest.approx(found.drift + 0.5 * found.bias, abs=2e-3)
    # Neither the drift nor the bend of the cost may be left out.
    plain = law.series_law(made, tuple(parts), power)
    assert plain.drift == 0.0 == plain.floor and plain.bias == pytest.approx(0.5 / power, rel=1e-9)
    assert abs(exact - found.drift - 0.5 * plain.bias) > 0.03 * abs(shift)
    assert abs(exact - 0.5 * found.bias) > 0.05


def test_the_pull_of_a_bias_is_a_hyperbolic_sine() -> None:
    """``g/W = 2 (c/c~) sinh((u~ - u)/2)``, c^2 = p_1 p_0: smooth where the bias is, however rough f."""
    target = Target(512, 1.0, signs="spread")
    two, made = classes(target), classes(target._replace(shift=0.3))
    share = made.density[1] / made.density.sum(axis=0)
    gradient = 0.5 * (two.density.sum(axis=0) * share - two.density[1])
    pull = gradient / balanced_curvature(made)
    ratio = np.sqrt(two.density.prod(axis=0) / made.density.prod(axis=0))
    sine = 2.0 * ratio * np.sinh(0.5 * (made.log_odds - two.log_odds))
    np.testing.assert_allclose(pull, sine, atol=1e-12)
    # Its coefficients fall faster than any power; those of f as k^-3/2.
    assert np.abs(cosines.coefficients(pull)[16:]).max() < 1e-12
    assert abs(cosines.coefficients(two.log_odds)[300]) > 1e-4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: law.balanced_law(classes(Target(64, 2.0)), 10, 1.0), "saturates"),
        (lambda: law.minority_limit(TWO, 10, 2.0), "p = s"),
        (lambda: law.inverse_constant(0.5), "above 1/2"),
    ],
)
def test_laws_that_do_not_exist_are_refused(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # pyright: ignore[reportCallIssue]
