"""Proximal moments against dense sums over their definition; thresholds of existence; mean difference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references import agrees_with_digits
from scipy.integrate import quad
from scipy.optimize import brentq, minimize
from scipy.special import expit
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.proportional import logistic
from scaling.theory.proportional.clusters import Clusters, isotropic
from scaling.theory.proportional.existence import threshold
from scaling.theory.proportional.losses import hinge_moments, squared_moments
from scaling.theory.proportional.mean_difference import (
    exact_errors,
    mean_difference_errors,
    minority_mean,
)
from simulations.compilation import quick_jit
from simulations.problems import InputError

# (w, t, m, q)
ROWS = [(1.0, 3.0, 1.0, 3.0), (0.5, 30.0, -2.0, 1.0), (20.0, 40.0, 3.0, 2.5), (1.0, 0.01, 2.0, 0.3)]
WIDE_ROWS = [*ROWS[:1], (1.0, 10.0, 5.0, 10.0), (10.0, 1000.0, 50.0, 20.0), (1.0, 5.0, -40.0, 20.0)]
EXTREME = [(1.0, 5.0, 200.0, 50.0), (1.0, 300.0, -600.0, 100.0), (50.0, 1e4, 5.0, 100.0)]


def dense(pull: np.ndarray, slope: np.ndarray, mass: np.ndarray) -> np.ndarray:
    return np.array([pull @ mass, pull**2 @ mass, slope @ mass])


def grid(m: float, q: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    z = np.linspace(-14.0, 14.0, points)
    mass = np.exp(-0.5 * z**2)
    return m + q * z, mass / mass.sum()


def logistic_truth(w: float, t: float, m: float, q: float) -> np.ndarray:
    a, mass = grid(m, q, 20_001)
    low, high = a.copy(), a + t * w
    # Bisection of u = a + t w/(1 + e^u), which only grows.
    for _ in range(64):
        middle = 0.5 * (low + high)
        below = middle - a - t * w * expit(-middle) < 0.0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    p = expit(-low)
    bend = w * p * (1 - p)
    return dense(-w * p, bend / (1 + t * bend), mass)


@pytest.mark.parametrize(
    ("rule", "rows"),
    [(logistic.narrow, ROWS), (logistic.wide, WIDE_ROWS), (logistic.widest, WIDE_ROWS + EXTREME)],
)
def test_logistic_moments(rule, rows: list[tuple]) -> None:  # noqa: ANN001
    """Relative error 1e-10 (step: 2e-11, tails 2e-12; bisection's own sum 1e-12)."""
    found = quick_jit(rule)(*(np.array(x) for x in zip(*rows, strict=True)))
    assert (found.coarse <= 1.0).all()
    expected = np.array([logistic_truth(*row) for row in rows]).T
    assert np.array(found[:3]) == pytest.approx(expected, rel=1e-10)


def test_coarse_quadrature_is_noticed() -> None:
    rows = [(1.0, 10.0, 5.0, 10.0), (1.0, 0.1, 30.0, 3.0)]
    found = quick_jit(logistic.narrow)(*(np.array(x) for x in zip(*rows, strict=True)))
    assert (found.coarse > 1.0).all()
    wrong = np.abs(np.array(found[:3]).T / [logistic_truth(*row) for row in rows] - 1.0)
    assert (wrong.max(axis=1) > 1e-9).all()
    assert float(quick_jit(logistic.wide)(*map(np.array, EXTREME[0])).coarse) > 1.0


def test_hinge_and_squared_moments() -> None:
    """Against adaptive quadrature between the kinks; bands from 1e-6 to 1e3 sd wide."""
    rows = [
        (1.0, width, m, 1.0) for width in (1e-6, 0.1, 3.99, 4.01, 1e3) for m in (-3.0, 0.9, 5.0)
    ]
    rows += [(0.3, 2.0, 1.0, 0.01), (5.0, 0.2, -1.0, 30.0)]
    found = quick_jit(hinge_moments)(*(np.array(x) for x in zip(*rows, strict=True)))
    for i, (w, t, m, q) in enumerate(rows):
        upper, lower = (1 - m) / q, (1 - t * w - m) / q

        def phi(z: float) -> float:
            return np.exp(-0.5 * z**2) / (2 * np.pi) ** 0.5

        def between(k: int, w=w, upper=upper, lower=lower, phi=phi) -> float:  # noqa: ANN001
            x, mass = np.polynomial.legendre.leggauss(60)
            edges = np.clip([lower, upper], -12.0, 12.0)
            cuts = np.linspace(edges[0], edges[1], 13)
            total = 0.0
            for a, b in zip(cuts[:-1], cuts[1:], strict=True):
                z = 0.5 * (a + b) + 0.5 * (b - a) * x
                share = (upper - z) / (upper - lower)
                total += 0.5 * (b - a) * float(mass @ (share**k * phi(z)))
            return total

        whole = quad(phi, -np.inf, lower, epsabs=1e-16)[0]
        expected = [-w * (between(1) + whole), w**2 * (between(2) + whole), between(0) / t]
        got = [float(x[i]) for x in found[:3]]
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-15)
    w, t, m, q = 0.7, 3.0, -0.4, 1.3
    a, mass = grid(m, q, 2001)
    k = 2 * w / (1 + 2 * t * w)
    there = squared_moments(*map(jnp.array, (w, t, m, q)))
    assert np.array(there[:3]) == pytest.approx(dense(k * (a - 1), 0 * a + k, mass), rel=1e-12)


@pytest.mark.parametrize("rule", [logistic.narrow, logistic.wide, hinge_moments, squared_moments])
def test_derivatives_of_moments(rule) -> None:  # noqa: ANN001
    """Forward differentiation against central differences: error h^2 + rounding/h = 1e-8."""
    at, moves = jnp.array([1.0, 3.0, 0.4, 2.0]), 1e-4 * jnp.eye(4)[1:]

    def stacked(x: jax.Array) -> jax.Array:
        return jnp.stack(rule(*x)[:3])

    def both(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        ends = jax.vmap(stacked)(jnp.concatenate([x[None] + moves, x[None] - moves]))
        return jax.jacfwd(stacked)(x)[:, 1:], (ends[:3] - ends[3:]).T / 2e-4

    slopes, differences = quick_jit(both)(at)
    assert np.array(slopes) == pytest.approx(np.array(differences), abs=2e-8)


TABLE = {
    0.1: (".25556", ".14410", ".07118", ".02700"),
    0.5: (".5", ".27027", ".12991", ".04826"),
}


def test_the_table_of_existence() -> None:
    for share, printed in TABLE.items():
        for distance, digits in zip((0.0, 1.0, 1.5, 2.0), printed, strict=True):
            rows = isotropic([share, 1 - share], [1, -1], [[distance], [-distance]])
            found = threshold(rows)
            assert found.status == 0 and agrees_with_digits(float(found.kappa), digits)
            heavier = threshold(rows._replace(weight=np.array([9.0, 0.1])))
            assert heavier.kappa == found.kappa
    one = threshold(rows._replace(sign=np.ones(2)))
    assert one.status == 2 and np.isnan(one.kappa)


def test_existence_with_covariances_of_their_own() -> None:
    """Against a derivative-free minimum of the definition, its means by quadrature."""
    rows = Clusters(
        np.array([0.3, 0.7]),
        np.ones(2),
        np.array([1.0, -1.0]),
        np.array([[0.5, 0.2], [-0.4, 0.0]]),
        np.array([[[1.0, 0.3], [0.3, 0.5]], [[2.0, 0.0], [0.0, 1.0]]]),
        np.array([0.5, 1.7]),
    )
    z = np.linspace(-10, 10, 4001)
    mass = np.exp(-0.5 * z**2)
    mass /= mass.sum()

    def value(point: np.ndarray) -> float:
        s, b = point[:2], point[2]
        sd = np.sqrt(np.einsum("i,cij,j->c", s, rows.covariance, s) + rows.variance)
        short = sd[:, None] * z - (rows.sign * (rows.mean @ s + b))[:, None]
        return float((rows.share / rows.variance) @ (np.maximum(short, 0.0) ** 2 @ mass))

    brute: float = minimize(
        value, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    ).fun
    assert threshold(rows).kappa == pytest.approx(brute, rel=1e-6)
    # Splitting clusters and units change nothing.
    split = Clusters(*(x[[0, 0, 1]] for x in rows))
    split = split._replace(share=np.array([0.1, 0.2, 0.7]))
    assert threshold(split).kappa == pytest.approx(float(threshold(rows).kappa), rel=1e-9)


def test_separability_of_samples() -> None:
    """Shares of separable samples on both sides of the threshold, found by linear programming."""
    from scipy.optimize import linprog

    random, kappa, dim = np.random.default_rng(5), 0.14410, 40

    def separable(n: int) -> bool:
        sign = np.where(np.arange(n) < round(0.1 * n), 1.0, -1.0)
        x = random.standard_normal((n, dim))
        x[:, 0] += sign
        lifted = np.column_stack([x, np.ones(n)]) * sign[:, None]
        found = linprog(np.zeros(dim + 1), -lifted, -np.ones(n), bounds=(None, None))
        return found.status == 0

    many = 20
    above = sum(separable(round(dim / (1.6 * kappa))) for _ in range(many))
    below = sum(separable(round(dim / (0.6 * kappa))) for _ in range(many))
    # Within one part in 1e6 of certain at these distances: about 5 and 4 widths of the change.
    assert above >= many - 2 and below <= 2


def test_mean_difference_numbers() -> None:
    raw = minority_mean("reweight", 25, 0)
    limit, exact = (
        mean_difference_errors(100, 1.5, raw, 1 / 500),
        exact_errors(100, 1.5, raw, 0.002),
    )
    for value, digits in zip(
        (*limit, *exact), (".23711", ".03907", ".23700", ".03995"), strict=True
    ):
        assert agrees_with_digits(value, digits)
    moved = minority_mean("known", 25, 475, 1.0, (0.6, 0.0))
    for value, digits in zip(
        mean_difference_errors(100, 1.5, moved, 1 / 500), (".11578", ".03941"), strict=True
    ):
        assert agrees_with_digits(value, digits)
    assert minority_mean("right_law", 25, 475).inverse == 1 / 500
    assert minority_mean("known", 25, 475).inverse == pytest.approx(1 / 500, rel=1e-15)
    assert minority_mean("reweight", 25, 475) == raw
    with pytest.raises(InputError, match="the kinds here are"):
        minority_mean("smote", 25, 1)


def test_the_limit_is_approached_like_one_over_d() -> None:
    """At fixed d/n and R the exact errors differ from the limit by O(1/d)."""
    apart = []
    for dim in (200, 800, 3200):
        law = minority_mean("fitted", dim // 4, dim)
        exact = np.array(exact_errors(dim, 1.5, law, 1 / (5 * dim)))
        apart.append(exact - np.array(mean_difference_errors(dim, 1.5, law, 1 / (5 * dim))))
    assert apart[0] / apart[1] == pytest.approx(4.0, rel=0.05)
    assert apart[1] / apart[2] == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize("kind", ["right_law", "duplicate", "reweight", "fitted", "known"])
def test_the_variance_of_the_training_mean(kind: str) -> None:
    """i_1 from samples of scalars: false-fail 1e-6, detects 3 %; twin: the raw rows' 1/n, or n + m."""
    random, n, m, many = np.random.default_rng(11), 10, 25, 200_000
    scale, shift = 2.0, 0.4
    raw = random.standard_normal((many, n))
    if kind == "right_law":
        total = raw.sum(axis=1) + random.standard_normal((many, m)).sum(axis=1)
    elif kind == "duplicate":
        total = ((1 + random.multinomial(m, np.full(n, 1 / n), many)) * raw).sum(axis=1)
    elif kind == "reweight":
        total = raw.sum(axis=1) * (n + m) / n
    elif kind == "fitted":
        total = raw.sum(axis=1) + m * raw.mean(axis=1) + np.sqrt(m) * random.standard_normal(many)
    else:
        total = raw.sum(axis=1) + m * shift + np.sqrt(scale * m) * random.standard_normal(many)
    law = minority_mean(kind, n, m, scale, (shift, 0.0))
    square = ((total / (n + m) - law.shift[0]) ** 2)[:, None]
    mean, se = sample_mean(square)
    assert_mean(mean, se, law.inverse, detects=0.03 * law.inverse)
    wrong = 1 / (n + m) if kind in ("reweight", "duplicate", "fitted") else 1 / n
    with pytest.raises(Disagreement):
        assert_mean(mean, se, wrong, detects=0.03 * law.inverse)


def test_exact_errors_of_samples() -> None:
    """Rules at d = 5 with a shifted, narrow generator: false-fail 1e-6, detects .01; twin: no shift."""
    random, dim, many = np.random.default_rng(2), 5, 40_000
    law = minority_mean("known", 4, 12, 0.5, (0.5, 0.7))
    mu = np.zeros(dim)
    mu[0] = 1.0
    c1 = mu + np.sqrt(law.inverse) * random.standard_normal((many, dim))
    c1[:, :2] += law.shift
    c0 = -mu + 0.25**0.5 * random.standard_normal((many, dim))
    slope, centre = c1 - c0, 0.5 * (c1 + c0)
    scale = np.linalg.norm(slope, axis=1)
    from scipy.special import ndtr

    errors = np.stack(
        [ndtr(-s * ((s * mu - centre) * slope).sum(axis=1) / scale) for s in (1.0, -1.0)], axis=1
    )
    mean, se = sample_mean(errors)
    assert_mean(mean, se, exact_errors(dim, 1.0, law, 0.25), detects=0.01)
    with pytest.raises(Disagreement):
        assert_mean(
            mean, se, exact_errors(dim, 1.0, law._replace(shift=(0.0, 0.0)), 0.25), detects=0.01
        )


def test_the_proximal_map_is_the_minimiser() -> None:
    for a, c in ((-3.0, 6.0), (0.5, 100.0), (-40.0, 3.0), (12.0, 0.1), (-5000.0, 1e4)):
        root = brentq(lambda u, a=a, c=c: u - a - c * expit(-u), a - 1, a + c + 1, xtol=1e-14)
        assert float(logistic.proximal(jnp.array(a), jnp.array(c))) == pytest.approx(
            root, abs=1e-11
        )
