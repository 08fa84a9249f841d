"""Endless augmentation: closed forms against reference numbers, the expansion, and each other."""

from typing import Any

import numpy as np
import pytest
from references import agrees_with_digits
from scipy.integrate import quad
from scipy.stats import norm
from stochastic import Disagreement, assert_mean, sample_mean

import synthlaw
from scaling.theory.plugin_limits import (
    efron_efficiency,
    excess_risks,
    regrets,
    sech_moments,
)

REFERENCE = {
    "reweighted": "3.8159e-3",
    "known": "1.72843e-3",
    "pooled": "2.25811e-3",
    "separate": "3.38484e-3",
}
EFRON = {1.0: "0.99493", 2.0: "0.89920", 3.0: "0.64104", 4.0: "0.34299"}
A2 = {1.0: "0.656736", 2.0: "0.266088", 3.0: "0.084157", 4.0: "0.021655"}
CASES = [(5, 2.0, (200, 2000)), (1, 1.3, (500, 300)), (3, 3.5, (400, 400))]


@pytest.mark.parametrize("rule", sorted(REFERENCE))
def test_reference_numbers(rule: str) -> None:
    value = getattr(excess_risks(5, 2.0, (200, 2000)), rule)
    assert agrees_with_digits(value, REFERENCE[rule])


@pytest.mark.parametrize("distance", sorted(EFRON))
def test_efron(distance: float) -> None:
    assert agrees_with_digits(efron_efficiency(distance), EFRON[distance])
    assert agrees_with_digits(sech_moments(distance).a2, A2[distance])


@pytest.mark.parametrize("distance", [0.3, 2.0, 7.0])
def test_moments_by_another_quadrature(distance: float) -> None:
    found = sech_moments(distance)
    half = distance / 2.0

    def moment(weight: Any) -> float:
        value, _ = quad(
            lambda z: weight(z) * norm.pdf(z) / np.cosh(half * z), -12, 12, epsabs=1e-14
        )
        return np.exp(-(distance**2) / 8.0) * value

    expected = [
        moment(w) for w in (lambda z: 1.0, lambda z: z**2, lambda z: np.tanh(half * z) ** 2)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    # (D^2/4)(2 g - a0) = a2 - a0, from the second derivative of the hyperbolic secant.
    assert half**2 * (2.0 * found.g - found.a0) == pytest.approx(found.a2 - found.a0, abs=1e-12)


def _predicted(spec: dict[str, Any], case: tuple, kind: str = "logistic", **synthetic: Any) -> Any:
    """Variance of the balanced risk and of the balanced error, and the largest floor of a risk."""
    dim, distance, counts = case
    table = synthlaw.predict(
        {
            "setting": {"kind": "imbalance", "dim": dim, "separation": distance},
            "counts": dict(zip(("minority", "majority"), counts, strict=True)),
            "estimator": {"kind": kind},
            "synthetic": {"generators": [spec], **synthetic},
        }
    )
    rows = table[table.group == "balanced"].set_index("metric")
    assert abs(rows.floor["excess_risk"]) < 1e-12
    found = rows.variance + rows.second_order.fillna(0.0)
    return found["excess_risk"], found["error"]


def _endless(covariance: str, case: tuple) -> Any:
    """Endless rows: share and number of augmented rows as good as 1 and infinity."""
    spec = {"kind": "gaussian", "covariance": covariance}
    share = 1.0 - 1e-9
    return _predicted(spec, case, ratios=[1.0], augment=[10**12], augment_share=share)


@pytest.mark.parametrize("case", CASES)
def test_they_are_the_limits_of_the_expansion(case: tuple) -> None:
    """Of fitted Gaussians for known and separate covariances, of reweighting, and of the
    discriminant of raw rows for the pooled one: two routes that share no formula."""
    raw = {"ratios": [0.0]}
    found = {
        "reweighted": _predicted({"kind": "reweight"}, case),
        "known": _endless("known", case),
        "pooled": _predicted({"kind": "oracle"}, case, "lda", **raw),
        "separate": _endless("estimated", case),
    }
    risks, errors = excess_risks(*case), regrets(*case)
    for rule, (risk, error) in found.items():
        assert risk == pytest.approx(getattr(risks, rule), rel=3e-8), rule
        assert error == pytest.approx(getattr(errors, rule), rel=3e-8), rule
    shifted = excess_risks(case[0], case[1] * 1.001, case[2])
    assert shifted.separate != pytest.approx(found["separate"][0], rel=3e-8)


def test_forms_for_fixed_counts() -> None:
    """Ratios to logistic regression at equal counts, d = 5, D = 2; and they forget the counts."""
    risks, errors = excess_risks(5, 2.0, (100, 100)), regrets(5, 2.0, (100, 100))
    assert agrees_with_digits(errors.known / errors.reweighted, "0.4940")
    assert agrees_with_digits(errors.pooled / errors.reweighted, "0.8892")
    assert agrees_with_digits(risks.pooled / risks.reweighted, "0.8728")
    larger = excess_risks(5, 2.0, (100_000, 100_000))
    np.testing.assert_allclose(np.array(risks) / np.array(larger), 1000.0, rtol=1e-12)


@pytest.mark.parametrize("dim", [1, 5, 40])
@pytest.mark.parametrize("distance", [1.0, 2.5])
def test_efron_is_the_ratio_with_random_labels(dim: int, distance: float) -> None:
    """In every dimension; with fixed counts the ratio depends on the dimension."""
    random = regrets(dim, distance, (50, 50), random_labels=True)
    assert random.pooled / random.reweighted == pytest.approx(efron_efficiency(distance), rel=1e-12)
    fixed = regrets(dim, distance, (50, 50))
    assert fixed.pooled / fixed.reweighted != pytest.approx(efron_efficiency(distance), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_what_is_known_need_not_be_estimated(case: tuple) -> None:
    for rules in (excess_risks(*case), regrets(*case)):
        # In one dimension the scale of the slope does not move the boundary.
        assert rules.known <= rules.pooled < rules.separate
        assert rules.known < rules.reweighted


def test_separate_covariances_cost_as_much_as_the_pooled_one_but_for_the_intercept() -> None:
    """At equal counts the slopes cost the same; what is left is ``(s/64) D^4 g^2/a0``."""
    risks = excess_risks(4, 2.5, (300, 300))
    a0, _, g = sech_moments(2.5)
    expected = 2.0 / 300.0 / 64.0 * 2.5**4 * g**2 / a0
    assert risks.separate - risks.pooled == pytest.approx(expected, rel=1e-10)


def _regrets_drawn(rows: int, dim: int, distance: float, kind: str) -> np.ndarray:
    """Regrets of discriminants whose means and covariances NumPy draws, with exact errors; ``random``:
    pooled covariance, random labels, and the log odds of their counts in the intercept."""
    rng, replicates = np.random.default_rng(5), 20_000
    centre = np.zeros(dim)
    centre[0] = distance / 2.0
    counts = np.full((replicates, 2), rows)
    if kind == "random":
        counts[:, 1] = rng.binomial(2 * rows, 0.5, replicates)
        counts[:, 0] = 2 * rows - counts[:, 1]
    means = rng.standard_normal((replicates, 2, dim)) / np.sqrt(counts)[:, :, None]
    means = means + np.stack([-centre, centre])
    # A Wishart matrix from its Cholesky root.
    lower = np.zeros((replicates, dim, dim))
    for i in range(dim):
        lower[:, i, i] = np.sqrt(rng.chisquare(2 * rows - 2 - i, replicates))
        lower[:, i, :i] = rng.standard_normal((replicates, i))
    covariance = lower @ lower.transpose(0, 2, 1) / (2 * rows)
    if kind == "known":
        covariance = np.broadcast_to(np.eye(dim), covariance.shape)
    slope = np.linalg.solve(covariance, (means[:, 1] - means[:, 0])[..., None])[..., 0]
    threshold = (means.mean(1) * slope).sum(1) - np.log(counts[:, 1] / counts[:, 0])
    size = np.linalg.norm(slope, axis=1)
    high = norm.cdf((threshold - slope @ centre) / size)
    low = norm.cdf((-threshold - slope @ centre) / size)
    return (high + low) / 2.0 - norm.cdf(-distance / 2.0)


@pytest.mark.parametrize("kind", ["known", "pooled", "random"])
def test_regret_of_discriminants_that_are_drawn(kind: str) -> None:
    """d = 3, D = 2, 4,000 rows a group. Detects 7 %; remainder 1 %. Twin: the other rule's regret."""
    fixed, random = (regrets(3, 2.0, (4_000, 4_000), random_labels=r) for r in (False, True))
    value, other = {
        "known": (fixed.known, fixed.pooled),
        "pooled": (fixed.pooled, fixed.known),
        "random": (random.pooled, fixed.pooled),
    }[kind]
    mean, se = sample_mean(_regrets_drawn(4_000, 3, 2.0, kind))
    bounds = {"detects": 0.07 * value, "remainder": 0.01 * value}
    assert_mean(mean, se, value, **bounds)
    with pytest.raises(Disagreement):
        assert_mean(mean, se, other, **bounds)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sech_moments(0.0), "distance"),
        (lambda: excess_risks(0, 1.0, (1, 1)), "at least 1"),
        (lambda: regrets(1, 1.0, (1, 2), random_labels=True), "equal counts"),
    ],
)
def test_arguments_out_of_range(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
