"""The mixture law, the exact risk of a mixed ridge fit, and how far apart they are."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from stochastic import Disagreement, assert_mean

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.theory import mixture as law_of
from scaling.theory import mixture_sequence as seq
from scaling.theory.mixture import Sources, best_mix, best_share, mixture_excess, predict_mixture
from scaling.theory.mixture_measured import Mix, mean_risk, sequence_risk
from simulations.problems import InputError
from simulations.series.sequence import Sequence, risk

SEED = 5


def test_the_law_is_exact_for_a_mean_and_not_with_another_exponent() -> None:
    """Nine mixtures; twin: exponent 2/3. Detects 3 % of the risk."""
    shift, scale, dim = np.full(30, 0.1), 1.5, 30
    mixes = [Mix(10, many, a) for many in (10, 25, 60) for a in (0.2, 0.5, 0.8)]
    found = [mean_risk(mix, shift, scale, 8000, SEED) for mix in mixes]

    def expected(beta: float) -> np.ndarray:
        return np.array([
            mixture_excess(m.share, Sources(dim / m.rows, scale**2 * dim / m.synthetic, 0.3), beta)
            for m in mixes
        ])  # fmt: skip

    values, errors = np.array([f.value for f in found]), np.array([f.se for f in found])
    assert_mean(values, errors, expected(1.0), detects=0.04 * expected(1.0))
    with pytest.raises(Disagreement):
        assert_mean(values, errors, expected(2 / 3), detects=0.04 * expected(1.0))


def test_sums_without_bias_are_the_exact_risk_of_the_sequence_model() -> None:
    """By nodes of an integral here, by Hurwitz-type sums there: 1e-6. Twin: another smoothness."""
    model, ridge = Sequence(1.5, 1.0, noise=0.7, amplitude=2.0), np.array([1e-5, 1e-3, 0.1])
    of = seq.summands(model)
    at = seq.sums(of, seq.bias("incoherent", of, 0.0), ridge)
    exact = [risk(model, 50.0, lam) for lam in ridge]
    assert at.shrinkage == pytest.approx([each.bias for each in exact], rel=1e-6)
    assert at.noise**2 / 50.0 * at.spread == pytest.approx([e.variance for e in exact], rel=1e-6)
    other = [risk(model._replace(smoothness=1.45), 50.0, lam).bias for lam in ridge]
    assert at.shrinkage != pytest.approx(other, rel=1e-3)


def test_any_linear_fit_adds_up_with_a_cross_term() -> None:
    """``E = (1-a)^2 R + a^2 S + 2 a (1-a) <m_raw, m_syn>`` at a fixed ridge, to rounding."""
    of = seq.summands(Sequence(1.0, 1.0))
    for kind in ("stretching", "shrinking"):
        at = seq.sums(of, seq.bias(kind, of, 0.05))
        n, many, a = 100.0, 700.0, 0.37
        raw = at.shrinkage + at.spread / n
        made = at.shrinkage - 2 * at.cross + at.bias + at.spread / many
        both = at.shrinkage - 2 * a * at.cross + a**2 * at.bias
        both = both + seq.mixed_variance(a, n, many) * at.spread
        # Mean errors: (h - 1) theta, and that plus h b.
        meeting = at.shrinkage - at.cross
        assert both == pytest.approx(
            (1 - a) ** 2 * raw + a**2 * made + 2 * a * (1 - a) * meeting, rel=1e-12
        )


@pytest.mark.parametrize("kind", ["incoherent", "stretching", "rough"])
def test_the_sums_are_the_risk_of_drawn_fits(kind: str) -> None:
    """Three shares; twin: the cross term (or, of random signs, the bias) left out. Detects 4 %."""
    of = seq.finite(seq.summands(Sequence(1.0, 1.0)), 60)
    wrong, ridge = seq.bias(kind, of, 0.05), 0.02
    at = seq.sums(of, wrong, ridge * np.array([0.5, 1.0, 2.0]))
    values, errors, right, twin = [], [], [], []
    for share in (0.3, 0.6, 0.9):
        mix = Mix(80, 200, share)
        found = sequence_risk(of, wrong, ridge, mix, 12_000, SEED)
        base = float((at.shrinkage + seq.mixed_variance(share, 80, 200) * at.spread)[1])
        values.append(found.value)
        errors.append(found.se)
        right.append(base - 2 * share * at.cross[1] + share**2 * at.bias[1])
        twin.append(base + share**2 * at.bias[1] * (kind == "stretching"))
    detects = 0.04 * np.array(right)
    assert_mean(values, errors, right, detects=detects)
    with pytest.raises(Disagreement):
        assert_mean(values, errors, twin, detects=detects)


def test_sums_over_all_coefficients_are_those_of_a_long_list() -> None:
    """One million coefficients one by one, against nodes of an integral beyond 400: the tail
    beyond a million is 1e-12 of the target and below 1e-6 of V at these ridges."""
    of = seq.summands(Sequence(1.0, 1.0))
    k = np.arange(1.0, 1e6 + 1)
    ridge = np.array([1e-4, 1e-2, 1.0])
    at = seq.sums(of, seq.bias("shrinking", of, 0.1), ridge)
    theta = k**-1.5
    b = -theta * np.sqrt(0.1 / 1.2020569031595942)
    for place, each in enumerate(ridge):
        h = 1 / (1 + each * k**2)
        sums = [((1 - h) ** 2 * theta**2).sum(), (h * (1 - h) * theta * b).sum(), (h * b) @ (h * b)]
        found = [at.shrinkage[place], at.cross[place], at.bias[place]]
        assert found == pytest.approx(sums, rel=1e-7)
        assert at.spread[place] == pytest.approx((h**2).sum(), rel=1e-6)


@pytest.mark.parametrize("smoothness", [0.5, 1.0, 2.0])
def test_the_tuned_risk_is_the_minimum_and_has_the_constant(smoothness: float) -> None:
    """Against a search over the ridge; and the limit ``(1 + 1/2s)(C_s/n)^(2s/(2s+1))``."""
    s, of = smoothness, seq.summands(Sequence(smoothness, smoothness))
    at = seq.sums(of, seq.bias("stretching", of, 0.05))
    alpha, n, many = 0.4, 300.0, 900.0
    v = float(seq.mixed_variance(alpha, n, many))

    def risk(log: float) -> float:
        one = seq.sums(of, seq.bias("stretching", of, 0.05), np.exp(log) * np.array([0.9, 1, 1.1]))
        parts = one.shrinkage - 2 * alpha * one.cross + alpha**2 * one.bias + v * one.spread
        return float(parts[1])

    found = minimize_scalar(risk, bounds=(-12, 3), method="bounded", options={"xatol": 1e-9})
    # bounded search ends at a point, whose risk is the minimum to second order
    least = float(getattr(found, "fun"))  # noqa: B009
    assert float(seq.mixed_risk(at, alpha, n, many)) == pytest.approx(least, rel=1e-5)
    c = 1.0 if s == 0.5 else (1 - 1 / (2 * s)) * (np.pi / (2 * s)) / np.sin(np.pi / (2 * s))
    clean = seq.sums(of, seq.bias("incoherent", of, 0.0))
    sizes = np.array([1e4, 1e5, 1e6])
    limit = (1 + 1 / (2 * s)) * (c / sizes) ** (2 * s / (2 * s + 1))
    gap = 1 - seq.mixed_risk(clean, 0.0, sizes, 1.0) / limit
    # The sum starts at k = 1, the integral at 0: half a term, of relative order lambda^(1/2s).
    assert (0 < gap).all() and gap[0] < 0.08
    assert gap[1:] / gap[:-1] == pytest.approx(10 ** (-1 / (2 * s + 1)), abs=0.03)


def test_the_best_share_has_its_closed_forms() -> None:
    """Without a floor for every exponent; with one at exponent 1; else a zero of the derivative."""
    for beta in (0.3, 0.5, 2 / 3, 1.0):
        share, _ = best_mix(Sources(0.02, 0.05, 0.0), beta)
        w, u = 0.02 ** (1 / beta), 0.05 ** (1 / beta)
        assert float(share) == pytest.approx(w / (w + u), abs=1e-7)
    share, least = best_mix(Sources(0.02, 0.05, np.array([0.0, 0.03, 1.0])), 1.0)
    cost = 0.05 + np.array([0.0, 0.03, 1.0])
    assert share == pytest.approx(0.02 / (0.02 + cost), abs=1e-7)
    assert least == pytest.approx(0.02 * cost / (0.02 + cost), rel=1e-9)
    of, beta, step = Sources(0.02, 0.01, 0.04), 0.6, 1e-5
    share = float(best_mix(of, beta)[0])
    ends = mixture_excess(np.array([share - step, share, share + step]), of, beta)
    assert ends[1] < ends[0] and ends[1] < ends[2] and 0.0 < share < 1.0


def fitted(noise: float = 0.0) -> law_of.MixtureLaw:
    n = np.geomspace(100, 30_000, 9)
    rng = np.random.default_rng(SEED)
    raw, made = 2 * n**-0.6, 0.02 + 3 * n**-0.6
    raw, made = (y * (1 + noise * rng.standard_normal(9)) for y in (raw, made))
    return law_of.mixture_law(
        fit("power", curve(n, raw, 0.01 * raw)), fit("power_floor", curve(n, made, 0.01 * made))
    )


def test_a_law_of_two_curves_says_what_its_formula_says() -> None:
    law = fitted()
    assert law.exponent == pytest.approx(0.6, rel=1e-6) and not law.warnings
    n, many, alpha = np.array([500.0, 2000.0])[:, None], 4000.0, np.array([0.0, 0.3, 1.0])
    both = alpha**2 * 3 ** (1 / 0.6) / many + (1 - alpha) ** 2 * 2 ** (1 / 0.6) / n
    assert predict_mixture(law, n, many, alpha) == pytest.approx(alpha**2 * 0.02 + both**0.6)
    found = best_share(law, n[:, 0], many)
    grid = np.linspace(0, 1, 2001)
    risks = predict_mixture(law, n, many, grid)
    assert found.share == pytest.approx(grid[risks.argmin(axis=1)], abs=1e-3)
    assert found.least == pytest.approx(risks.min(axis=1), rel=1e-6)
    alone = np.minimum(risks[:, 0], risks[:, -1])
    assert found.gain == pytest.approx(1 - found.least / alone) and (found.gain > 0).all()


def test_standard_errors_are_the_scatter_of_noisy_curves() -> None:
    """200 pairs of curves: the variance over the stated one is within 50 %, five standard errors
    of it; the twin is the error of the raw curve alone."""
    law = fitted()
    n = np.geomspace(100, 30_000, 9)
    at = (1000.0, 3000.0, 0.5)
    rng, values = np.random.default_rng(SEED), []
    for _ in range(200):
        raw, made = (
            y * (1 + 0.01 * rng.standard_normal(9)) for y in (2 * n**-0.6, 0.02 + 3 * n**-0.6)
        )
        made_law = law_of.mixture_law(
            fit("power", curve(n, raw, 0.01 * raw)), fit("power_floor", curve(n, made, 0.01 * made))
        )
        values.append(float(predict_mixture(made_law, *at)))
    ratio = np.var(values, ddof=1) / float(law_of.mixture_se(law, *at)) ** 2
    assert 0.5 < ratio < 1.5
    blind = law._replace(synthetic=law.synthetic._replace(held={"exponent": 0.6, "floor": 0.02}))
    assert np.var(values, ddof=1) / float(law_of.mixture_se(blind, *at)) ** 2 > 1.5


def test_a_floor_of_the_raw_curve_is_taken_off_both() -> None:
    n = np.geomspace(100, 30_000, 9)
    law = law_of.mixture_law(
        fit("power_floor", curve(n, 0.3 + 2 * n**-0.6)),
        fit("power_floor", curve(n, 0.32 + 3 * n**-0.6)),
    )
    assert law.reference == pytest.approx(0.3) and law.floor == pytest.approx(0.02, rel=1e-4)
    assert predict_mixture(law, 800, 900, 0.4) == pytest.approx(
        0.3 + predict_mixture(fitted(), 800, 900, 0.4), rel=1e-6
    )


def test_doubt_is_told_and_nonsense_refused() -> None:
    n = np.geomspace(100, 30_000, 9)
    raw, made = 2 * n**-0.6, 0.02 + n**-0.4
    one = fit("power", curve(n, raw, 0.01 * raw))
    other = fit("power_floor", curve(n, made, 0.01 * made))
    (told,) = law_of.mixture_law(one, other).warnings
    assert told.startswith("The curves have exponents 0.6 and 0.4")
    below = law_of.mixture_law(fit("power_floor", curve(n, 0.1 + made)), other)
    assert below.floor == 0.0 and "end below" in below.warnings[-1]
    three = fit("power_correction", curve(n, raw))
    with pytest.raises(InputError, match="the raw curve has the law power_correction; fit power"):
        law_of.mixture_law(three, other)
    with pytest.raises(InputError, match="exponent is 0"):
        law_of.mixture_law(one, other, exponent=0.0)
    with pytest.raises(InputError, match="between 0 and 1"):
        predict_mixture(fitted(), 100, 100, 1.2)
    with pytest.raises(InputError, match="positive numbers"):
        best_share(fitted(), 0, 100)
    for wrong in (Sequence(1.0, 0.2), Sequence(0.0, 1.0), Sequence(1.0, 1.0, noise=-1.0)):
        with pytest.raises(InputError, match="sequence model: .* give a positive number"):
            seq.summands(wrong)
    with pytest.raises(InputError, match="no bias 'odd'"):
        seq.bias("odd", seq.summands(Sequence(1.0, 1.0)), 1.0)
    with pytest.raises(InputError, match="1 to 400"):
        seq.finite(seq.summands(Sequence(1.0, 1.0)), 2000)


def test_the_true_best_share_is_least_on_a_fine_grid() -> None:
    of = seq.summands(Sequence(1.0, 1.0))
    at = seq.sums(of, seq.bias("stretching", of, 0.01))
    many = np.array([100.0, 3000.0, 1e5])
    found = seq.true_best(at, 1000.0, many)
    risks = seq.mixed_risk(at, np.linspace(0, 1, 4001), 1000.0, many[:, None])
    assert found.risk == pytest.approx(risks.min(axis=1), rel=1e-6)
    assert found.share == pytest.approx(risks.argmin(axis=1) / 4000, abs=2e-3)


@pytest.mark.parametrize("kind", ["shrinking", "stretching"])
def test_the_leading_error_is_of_first_order(kind: str) -> None:
    """What it leaves falls faster than the law's error as the bias does: by 1/10 in the bias, the
    share left falls to less than a third. Twin: without the cross term nothing is explained."""
    of, n, beta = seq.summands(Sequence(0.5, 0.5)), 1e4, 0.5
    shares, many = np.linspace(0.05, 0.95, 19), n * np.geomspace(0.3, 30, 5)[:, None]
    left = []
    for energy in (3e-3, 3e-5):
        at = seq.sums(of, seq.bias(kind, of, energy))
        raw = seq.mixed_risk(at, 0.0, n, 1.0)
        above = seq.mixed_risk(at, 1.0, 1.0, many) - at.floor
        law = mixture_excess(shares, Sources(raw, above, at.floor), beta)
        error = seq.mixed_risk(at, shares, n, many) - law
        told = seq.leading_error(at, beta, shares, n, many)
        clean = at._replace(cross=0 * at.cross)
        blind = seq.leading_error(clean, beta, shares, n, many)
        scale = np.abs(error).max()
        left.append(np.abs(error - told).max() / scale)
        assert np.abs(error - blind).max() > 0.5 * scale
    assert left[0] < 0.25 and left[1] < left[0] / 3
