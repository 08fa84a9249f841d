"""How much SMOTE shrinks: formulas against other formulas, limits and measured values.

Monte-Carlo comparisons share a false-fail rate of 1e-6 and find 3 % of a deficit, which is less than
any of the wrong twins is off by.
"""

from math import pi

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma

from scaling.theory import smote
from scaling.theory.smote_measured import near_of, shrinkage, trace_ratio
from simulations.problems import InputError
from tests.stochastic import Disagreement, assert_mean

# law, rows, dimensions, neighbours, replicates: from three neighbours to all but one.
CELLS = (
    ("uniform", 12, 1, 3, 30_000),
    ("uniform", 30, 1, 20, 8_000),
    ("gaussian", 30, 1, 5, 16_000),
    ("gaussian", 60, 2, 5, 8_000),
    ("gaussian", 40, 5, 20, 2_000),
)


def exact(law: str, n: int, dim: int, k: int) -> float:
    return smote.uniform_interval(n, k) if law == "uniform" else smote.gaussian(n, k, dim)


def test_measured_deficits_are_the_exact_ones() -> None:
    found = [shrinkage(*cell, seed=1) for cell in CELLS]
    measured, se = np.array([f.deficit for f in found]), np.array([f.se for f in found])
    expected = np.array([exact(*cell[:4]) for cell in CELLS])
    assert_mean(measured, se, expected, detects=0.04 * expected)
    more = np.array([exact(law, n, dim, k + 1) for law, n, dim, k, _ in CELLS])
    steps = np.array([smote.interval_steps(n, k) / 6.0 for _, n, _, k, _ in CELLS[:2]])
    with pytest.raises(Disagreement):
        assert_mean(measured, se, more, detects=0.04 * more)
    with pytest.raises(Disagreement):
        assert_mean(measured[:2], se[:2], steps, detects=0.2 * steps)


@pytest.mark.parametrize("n", [2, 3, 10, 77])
def test_with_all_partners_a_third_is_lost(n: int) -> None:
    for found in (
        smote.uniform_interval(n, n - 1),
        *(smote.gaussian(n, n - 1, d) for d in (1, 2, 7)),
    ):
        assert found == pytest.approx(1.0 / 3.0, rel=1e-10)
    assert smote.interval_steps(n, n - 1) == pytest.approx(2.0, rel=1e-12)
    if n == 77:
        rows = np.random.default_rng(2).standard_cauchy((n, 3))
        near = near_of(rows[None], n - 1)[0]
        assert trace_ratio(rows, near) == pytest.approx(smote.all_partners(n), rel=1e-12)
        fewer = trace_ratio(rows, near[:, :-1])
        assert fewer != pytest.approx(smote.all_partners(n), rel=1e-6)


def interval_by_quadrature(n: int, k: int) -> float:
    """The interval's deficit as an integral over positions: nothing of the closed form's algebra."""
    from scipy.stats import binom

    def inner(x: float) -> float:
        def both(r: float) -> float:
            covered = min(x + r, 1.0) - max(x - r, 0.0)
            nearest = (n - 1) / k * float(binom.cdf(k - 1, n - 2, covered))
            found = 0.0
            for y in (x - r, x + r):
                if 0.0 <= y <= 1.0:
                    found += 0.5 * ((x - 0.5) ** 2 - (y - 0.5) ** 2) + r * r / 6.0
            return 12.0 * nearest * found

        points = sorted({x, 1.0 - x})
        return quad(both, 0.0, 1.0, points=points, limit=200, epsabs=1e-10)[0]

    return 2.0 * quad(inner, 0.0, 0.5, epsabs=1e-9)[0]


@pytest.mark.parametrize(("n", "k"), [(4, 2), (9, 3)])
def test_the_closed_form_is_the_integral(n: int, k: int) -> None:
    assert smote.uniform_interval(n, k) == pytest.approx(interval_by_quadrature(n, k), rel=1e-6)


def test_leading_orders_are_limits() -> None:
    assert smote.uniform_cube(1e9, 5, 1) == pytest.approx(
        smote.uniform_interval(10**9, 5), rel=1e-7
    )
    ratios = {
        dim: [smote.gaussian(n, 5, dim) / smote.gaussian_leading(n, 5, dim) for n in (10**5, 10**9)]
        for dim in (1, 3, 5)
    }
    for near, far in ratios.values():
        assert near < far < 1.0 and far > 0.92
    # A ratio that goes to another constant would not: 1 - ratio falls by the power that is left out.
    gap = [1.0 - smote.gaussian(n, 5, 5) / smote.gaussian_leading(n, 5, 5) for n in (10**6, 10**9)]
    assert gap[1] == pytest.approx(gap[0] * 10**-0.73, rel=0.2)


def test_the_exponent_of_two_dimensional_normal_rows_is_not_one() -> None:
    """Between 100 and 1,600 rows it looks like 0.62: a logarithm, not a law."""
    few, many = smote.gaussian(100, 5, 2), smote.gaussian(1600, 5, 2)
    assert np.log(few / many) / np.log(16.0) == pytest.approx(0.6176, abs=1e-3)
    far = smote.gaussian(10**8, 5, 2) / smote.gaussian(16 * 10**8, 5, 2)
    assert 0.8 < np.log(far) / np.log(16.0) < 1.0


def test_reference_numbers() -> None:
    """Trace ratios and shrinkages at d = 2 that were found by simulation before the formula was."""
    found = [1.0 - smote.gaussian(1600, k, 2) for k in (400, 800, 1599)]
    assert np.allclose(found, [0.748, 0.672, 0.669], atol=0.004)
    shrunk = [smote.gaussian(n, 5, 2) for n in (100, 400, 1600)]
    assert np.allclose(shrunk, [0.136, 0.057, 0.023], rtol=0.13)


def test_a_cube_in_two_dimensions() -> None:
    """Leading order against measured values where corners have become few."""
    found = shrinkage("uniform", 1600, 2, 5, 48, seed=3)
    leading = smote.uniform_cube(1600, 5, 2)
    # What is left out is of relative order n^(-1/2).
    assert_mean(found.deficit, found.se, leading, detects=0.3 * leading, remainder=0.025 * leading)


def test_wall_and_powers() -> None:
    assert smote.wall(1) == pytest.approx(3.0 / 8.0, rel=1e-12)
    assert smote.wall(2) == pytest.approx(1.0 / (2.0 * pi), rel=1e-12)
    assert smote.wall(5) == pytest.approx(smote.wall(5, 200), rel=1e-12)
    for k, power in ((1, 2.0), (5, 0.4), (7, 1.0)):
        direct = np.mean([gamma(j + power) / gamma(j) for j in range(1, k + 1)])
        assert smote.mean_power(k, power) == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize(("n", "k"), [(5, 5), (5, 0), (1, 1)])
def test_sizes_that_cannot_be_are_refused(n: int, k: int) -> None:
    for function in (smote.uniform_interval, smote.interval_steps):
        with pytest.raises(InputError, match="neighbours"):
            function(n, k)
    with pytest.raises(InputError):
        smote.gaussian(n, k, 2)
