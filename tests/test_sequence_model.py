"""The sequence model: sums without truncation, constants, minimax rules, simulated losses."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import polygamma, zeta

from scaling.theory.nonparametric import pinsker
from scaling.theory.nonparametric import sequence as law
from scaling.theory.nonparametric.limits import slope_limit
from simulations.problems import InputError
from simulations.series import sums
from simulations.series.sequence import Sequence, linear_losses, losses, risk, tuned_ridge
from simulations.series.sums import ridge_sum
from tests.stochastic import Disagreement, assert_mean, sample_mean

RIDGES = [10.0**e for e in (-14, -9, -4, -1, 1)]


def trigamma(ridge: float) -> float:
    """``sum_k 1/(k + 1/lambda)^2``, by its asymptotic series where the function's own digits end."""
    return float(polygamma(1, 1.0 + 1.0 / ridge))


@pytest.mark.parametrize("ridge", RIDGES)
def test_sums_with_a_closed_form(ridge: float) -> None:
    """s = 1/2: a trigamma function; s = 1: hyperbolic functions. Neither is truncated anywhere."""
    assert ridge_sum(0.0, 2, 0, ridge, 0.5) == pytest.approx(trigamma(ridge) / ridge**2, rel=1e-11)
    assert ridge_sum(2.0, 0, 2, ridge, 0.5) == pytest.approx(trigamma(ridge), rel=1e-11)
    a = np.pi / ridge**0.5
    assert ridge_sum(0.0, 1, 0, ridge, 1.0) == pytest.approx(
        0.5 * (a / np.tanh(a) - 1.0), rel=1e-11
    )
    # The derivative of the last sum in log lambda is minus the sum of b (1 - b).
    slope = 0.25 * (a / np.tanh(a) - (a / np.sinh(a)) ** 2) if a < 300 else 0.25 * a
    assert ridge_sum(0.0, 1, 1, ridge, 1.0) == pytest.approx(slope, rel=1e-11)


def test_without_its_end_correction_a_sum_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = trigamma(1e-3) / 1e-6
    monkeypatch.setattr(sums, "GREGORY", np.zeros(7))
    assert abs(ridge_sum(0.0, 2, 0, 1e-3, 0.5) / right - 1.0) > 1e-5


@pytest.mark.parametrize("power", [0.7, 2.0, 4.0])
def test_sums_against_many_terms(power: float) -> None:
    k = np.arange(1.0, 4e5)
    kept = 1.0 / (1.0 + 1e-5 * k ** (2.0 * power))
    terms = k**-3.4 * kept * (1.0 - kept) ** 2
    assert ridge_sum(3.4, 1, 2, 1e-5, power) == pytest.approx(terms[::-1].sum(), rel=1e-11)


def test_risks_of_the_reference() -> None:
    """p = s = 1: exact over formula at n = 1e2 .. 1e8, found by an independent program."""
    model = Sequence(1.0, 1.0)
    sizes = [10.0**e for e in range(2, 9)]
    found = [risk(model, n, tuned_ridge(model, n)).total / law.best_risk(model, n) for n in sizes]
    expected = [0.9134, 0.9604, 0.9817, 0.9915, 0.9961, 0.9982, 0.9992]
    np.testing.assert_allclose(found, expected, atol=6e-5)
    assert law.best_risk(model, 1e3) == pytest.approx(1.27688 * 1e-2, rel=4e-6)
    assert law.variance_constant(1.0) == pytest.approx(np.pi / 4, rel=1e-14)


@pytest.mark.parametrize("power", [0.5, 0.8, 1.0, 2.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_constants_are_their_integrals(power: float, factor: float) -> None:
    p = factor * power

    def integral(f: object) -> float:
        # In log u both ends fall exponentially.
        return quad(lambda t: f(np.exp(t)) * np.exp(t), -60.0, 60.0, limit=400, epsabs=0.0)[0]  # pyright: ignore[reportCallIssue]

    variance = integral(lambda u: (1.0 + u ** (2.0 * power)) ** -2)
    bias = integral(lambda u: u ** (4 * power - 2 * p - 1) * (1.0 + u ** (2.0 * power)) ** -2)
    assert law.variance_constant(power) == pytest.approx(variance, rel=1e-7)
    assert law.bias_constant(p, power) == pytest.approx(bias, rel=1e-7)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_leading_order_is_the_limit(power: float, factor: float) -> None:
    """Below, at and beyond saturation, noise and amplitude not 1."""
    model = Sequence(factor * power, power, noise=2.0, amplitude=3.0)
    gaps = []
    for n in (1e9, 1e12):
        gaps.append(risk(model, n, tuned_ridge(model, n)).total / law.best_risk(model, n) - 1.0)
    assert abs(gaps[1]) < 0.65 * abs(gaps[0]) + 1e-9 and abs(gaps[1]) < 0.025
    if factor != 2.0:
        shrunk = 1e-3 ** law.correction_exponent(model.smoothness, power)
        assert gaps[1] == pytest.approx(gaps[0] * shrunk, rel=0.4, abs=1e-9)
    # A wrong constant has no such limit.
    other = law.best_risk(model._replace(noise=2.1), 1e12)
    assert abs(risk(model, 1e12, tuned_ridge(model, 1e12)).total / other - 1.0) > 0.03


def test_at_twice_the_power_there_is_a_logarithm() -> None:
    """Without it the risk leaves every power law: the ratio to n^(-4/5) grows."""
    model = Sequence(2.0, 1.0)
    values = [risk(model, n, tuned_ridge(model, n)).total * n**0.8 for n in (1e6, 1e9, 1e12)]
    assert values[1] / values[0] > 1.05 and values[2] / values[1] > 1.04
    with pytest.raises(InputError, match="logarithm"):
        law.correction_exponent(2.0, 1.0)
    with pytest.raises(InputError, match="too few rows"):
        law.best_risk(model, 0.5)


def test_the_tuned_lambda_is_the_minimum() -> None:
    for model in (Sequence(0.5, 0.5), Sequence(1.0, 2.0, noise=0.3), Sequence(7.0, 1.0)):
        best = tuned_ridge(model, 1e5)
        around = [risk(model, 1e5, best * np.exp(x)).total for x in (-1e-3, 0.0, 1e-3)]
        assert around[1] < min(around[0], around[2])
        # Symmetric to third order about the minimum.
        assert abs(around[2] - around[0]) < 0.01 * (around[0] + around[2] - 2.0 * around[1])


def test_the_best_linear_rule_of_a_target_is_a_ridge() -> None:
    model = Sequence(1.0, 1.5)
    v = 1e-8
    exact = v * ridge_sum(0.0, 1, 0, v, 1.5)
    assert exact == pytest.approx(risk(model, 1e8, v).total, rel=1e-10)
    assert exact / law.best_linear(model, 1e8) == pytest.approx(1.0, abs=2e-3)
    tuned = law.best_risk(Sequence(1.0, 1.0), 1e8)
    assert tuned / law.best_linear(model, 1e8) == pytest.approx(1.0560, abs=1e-4)


def worst_risk(kept: np.ndarray, smoothness: float, radius: float, variance: float) -> float:
    """The largest risk of a linear rule over the ellipsoid; coefficients beyond it are not estimated."""
    k = np.arange(1.0, len(kept) + 2.0)
    lost = np.append((1.0 - kept) ** 2, 1.0) * k ** (-2.0 * smoothness)
    return variance * float((kept**2).sum()) + radius * float(lost.max())


@pytest.mark.parametrize("smoothness", [0.5, 1.0, 2.0])
def test_no_linear_rule_does_better_than_the_minimax_one(smoothness: float) -> None:
    radius, variance = 2.0, 0.02
    found = pinsker.minimax_linear(smoothness, radius, variance)
    theta, kept = pinsker.least_favourable(smoothness, found, variance)
    rule = np.append(kept, np.zeros(30 - len(kept)))
    assert worst_risk(rule, smoothness, radius, variance) == pytest.approx(found.risk, rel=1e-12)
    at_worst = (theta**2 * (1 - kept) ** 2).sum() + variance * (kept**2).sum()
    assert at_worst == pytest.approx(found.risk, rel=1e-12)
    k = np.arange(1.0, len(theta) + 1.0)
    assert (k ** (2 * smoothness) * theta**2).sum() == pytest.approx(radius, rel=1e-12)
    for seed in range(3):
        other = np.clip(rule + 0.1 * np.random.default_rng(seed).standard_normal(30), 0.0, 1.0)
        better = minimize(
            lambda b: worst_risk(b, smoothness, radius, variance), other, method="Powell"
        )
        assert better.fun > found.risk * (1.0 - 1e-9)


@pytest.mark.parametrize("smoothness", [0.5, 1.0, 2.0])
def test_pinskers_constant_is_the_limit(smoothness: float) -> None:
    gaps = []
    for variance in (1e-7, 1e-10):
        exact = pinsker.minimax_linear(smoothness, 1.0, variance).risk
        gaps.append(exact / pinsker.pinsker_risk(smoothness, 1.0, variance) - 1.0)
    # The sum over k lacks half a term of about v^(-1/(2 beta + 1)).
    shrunk = 1e-3 ** (1.0 / (2.0 * smoothness + 1.0))
    assert abs(gaps[1]) < 6e-3 and gaps[1] == pytest.approx(gaps[0] * shrunk, rel=0.4, abs=1e-6)
    assert pinsker.ridge_minimax_constant(smoothness) > 1.05 * pinsker.pinsker_constant(smoothness)


def test_the_best_ridge_over_the_ellipsoid() -> None:
    """Its constant is the least of the worst-case risk over lambda, by brute force."""
    v = 1e-9

    def worst(ridge: float) -> float:
        k = np.arange(1.0, 1e5)
        lost = (ridge * k**2 / (1.0 + ridge * k**2)) ** 2 / k**2
        return float(lost.max()) + v * ridge_sum(0.0, 2, 0, ridge, 1.0)

    best = pinsker.ridge_minimax_ridge(1.0, 1.0, v)
    values = [worst(best * factor) for factor in (0.95, 1.0, 1.05)]
    assert values[1] < min(values[0], values[2])
    assert values[1] == pytest.approx(pinsker.ridge_minimax_constant(1.0) * v ** (2 / 3), rel=2e-3)


@pytest.mark.parametrize("model", [Sequence(1.0, 1.0), Sequence(3.0, 1.0), Sequence(0.5, 0.5, 2.0)])
def test_simulated_losses_have_the_exact_mean(model: Sequence) -> None:
    """Detects 3 % at a false-fail rate of 1e-6; the twin's variance is 8 % larger."""
    n, ridge = 1e4, 1e-3
    mean, se = sample_mean(losses(model, n, ridge, 4000, seed=11))
    exact = risk(model, n, ridge)
    assert_mean(mean, se, exact.total, detects=0.03 * exact.total)
    wrong = exact.bias + 1.08 * exact.variance
    with pytest.raises(Disagreement):
        assert_mean(mean, se, wrong, detects=0.03 * exact.total)


def test_draws_follow_seed_and_name() -> None:
    theta, kept = np.ones(5), np.full(5, 0.5)
    one = linear_losses(theta, kept, 1.0, 6, 3, ["a"])
    assert (one == linear_losses(theta, kept, 1.0, 6, 3, ["a"])).all()
    assert not (one == linear_losses(theta, kept, 1.0, 6, 4, ["a"])).any()
    assert not (one == linear_losses(theta, kept, 1.0, 6, 3, ["b"])).any()


def test_limits_of_slopes() -> None:
    """Exact curves: the limit is right to .001, and three times closer than the last slope."""
    for p, s in ((1.0, 1.0), (2.0, 2.0), (3.0, 1.0)):
        model = Sequence(p, s)
        x = 10.0 ** np.arange(3, 9)
        y = np.array([risk(model, n, tuned_ridge(model, n)).total for n in x])
        found = slope_limit(x, y, 1e-9 * y, law.correction_exponent(p, s))
        expected = law.exponent(p, s)
        assert abs(found.value - expected) < 1e-3 and abs(found.value - expected) < 3 * found.error
        assert abs(found.value - expected) < 0.3 * (expected - found.slopes.value[-1])
        wrong = abs(found.value - expected - 0.1) - 0.02
        assert wrong > 4 * found.error


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: risk(Sequence(0.0, 1.0), 10.0, 1.0), "smoothness"),
        (lambda: risk(Sequence(1.0, 0.2), 10.0, 1.0), "power"),
        (lambda: risk(Sequence(1.0, 1.0), 0.0, 1.0), "n is 0"),
        (lambda: risk(Sequence(1.0, 1.0), 10.0, 0.0), "ridge"),
        (lambda: ridge_sum(0.5, 0, 2, 1.0, 1.0), "no limit"),
        (lambda: law.variance_constant(0.25), "power"),
        (lambda: law.bias_constant(2.0, 1.0), "p < 2s"),
        (lambda: pinsker.minimax_linear(1.0, -1.0, 1.0), "radius"),
        (lambda: pinsker.minimax_linear(0.5, 1.0, 1e-20), "variance"),
        (lambda: linear_losses(np.ones(1), np.ones(1), 1.0, 0, 0, []), "replicates"),
    ],
)
def test_bad_input_is_said_in_one_sentence(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # pyright: ignore[reportCallIssue]


def test_a_plain_zeta_sum() -> None:
    assert ridge_sum(1.5, 0, 0, 1.0, 1.0) == pytest.approx(float(zeta(1.5)), rel=1e-12)
