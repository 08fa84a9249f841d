"""Wald's test of local symmetry: exact population, one sample in NumPy, its law and its refusals."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2, kstest, norm
from size_problems import problem
from stochastic import FALSE_FAIL, Disagreement, assert_mean, sample_mean

from scaling.theory.size.null_family import (
    SYMMETRIC_B,
    population_asymmetry,
    uniform_family,
    wald_samples,
)
from scaling.theory.size.symmetry import symmetry_test, wald_power, wald_rows
from scaling.theory.size.symmetry_power import population_symmetry
from simulations import draws
from simulations.population.losses import LOGISTIC
from simulations.problems import InputError
from simulations.statistics.uniform_classes import BLOCK, class_key, room_for

DIM = 5
ROOM = room_for(uniform_family(0.0, 250).counts)


def numpy_statistic(rows: list[np.ndarray], labels: tuple[float, float]) -> float:
    """Squared loss, no intercept, as the definition says."""
    squares = [x.T @ x / len(x) for x in rows]
    target = sum(y * x.mean(axis=0) for x, y in zip(rows, labels, strict=True))
    theta = np.linalg.solve(squares[0] + squares[1], target)
    scores = [2 * (x @ theta - y)[:, None] * x for x, y in zip(rows, labels, strict=True)]
    hessians = [2 * s for s in squares]
    inverse = np.linalg.inv((hessians[0] + hessians[1]) / 2)
    a0, a1 = hessians[1] @ inverse, -hessians[0] @ inverse
    v = sum(
        a @ np.cov(s, rowvar=False) @ a.T / len(s) for a, s in zip((a0, a1), scores, strict=True)
    )
    g = 2 * scores[0].mean(axis=0)
    return float(g @ np.linalg.solve(v, g))


def redrawn(b: float, minority: int, replicate: int, seed: int) -> list[np.ndarray]:
    """The rows of one sample of the family, from its keys."""
    classes = uniform_family(b, minority, DIM)
    key = draws.replicate_key(jnp.asarray(class_key(seed, classes)), jnp.uint32(replicate))
    rows = []
    for group, count in enumerate(classes.counts):
        own = draws.derived_key(key, group, draws.FREE_PURPOSE)
        blocks = -(-int(count) // BLOCK)
        noise = [
            np.asarray(draws.short_uniforms(own, jnp.int32(i), DIM, BLOCK)) for i in range(blocks)
        ]
        whole = np.concatenate(noise, axis=1)[:, :count].T.astype(float)
        rows.append(classes.means[group] + classes.scales[group] * whole)
    return rows


def test_short_uniforms_have_the_moments_of_their_lattice() -> None:
    """All 2^16 values: mean 0, variance 1, fourth moment 9/5, to single precision."""
    cells = np.arange(2**16)
    values = (cells + 0.5) * (2 * 3**0.5 / 2**16) - 3**0.5
    assert values.mean() == pytest.approx(0, abs=1e-12)
    assert (values**2).mean() == pytest.approx(1 - 2.0**-32, abs=1e-12)
    key = jnp.array([5, 6], jnp.uint32)
    drawn = np.asarray(draws.short_uniforms(key, jnp.int32(3), 4, 4096)).ravel()
    near = np.rint((drawn + 3**0.5) * 2**16 / (2 * 3**0.5) - 0.5).astype(int)
    assert np.abs(values[near] - drawn).max() < 5e-7
    assert near.min() >= 0 and near.max() < 2**16
    for power, moment, spread in ((1, 0.0, 1.0), (2, 1.0, 0.8), (4, 1.8, 81 / 9 - 1.8**2)):
        se = (spread / len(drawn)) ** 0.5
        assert_mean((drawn**power).mean(), se, moment, detects=0.25)


def test_samples_are_the_definition_in_numpy() -> None:
    """Single-precision rows and products: 1e-4 of the statistic."""
    found = wald_samples(uniform_family(0.3, 120), 3, seed=8, first=5, room=ROOM)
    expected = [numpy_statistic(redrawn(0.3, 120, 5 + k, 8), (-1.0, 1.0)) for k in range(3)]
    assert found.statistic == pytest.approx(expected, rel=1e-4)
    assert (found.status == 0).all()


def test_a_sample_depends_on_its_number_alone() -> None:
    classes = uniform_family(SYMMETRIC_B, 60)
    whole = wald_samples(classes, 300, seed=2, room=ROOM)
    parts = [
        wald_samples(classes, n, seed=2, first=k, room=ROOM) for k, n in ((0, 130), (130, 170))
    ]
    assert (np.concatenate([p.statistic for p in parts]) == whole.statistic).all()
    assert wald_samples(classes, 5, seed=3, room=ROOM).statistic[0] != whole.statistic[0]
    # A larger sample begins with the smaller one.
    small, large = redrawn(0.2, 60, 4, 2), redrawn(0.2, 120, 4, 2)
    assert (large[1][:60] == small[1]).all()


@pytest.mark.parametrize("b", [SYMMETRIC_B, 0.05, 1.0, 2.0])
def test_the_population_has_the_closed_form(b: float) -> None:
    found = population_asymmetry(uniform_family(b, 100))
    assert found.g_phi[0] == pytest.approx(4 * (5 * b - (1 + b**2)) / (6 + b**2), abs=1e-12)
    assert found.g_phi[1:] == pytest.approx(np.zeros(4), abs=1e-13)
    assert found.theta[0] == pytest.approx((1 + b) / (6 + b**2))
    if b == SYMMETRIC_B:
        assert found.noncentrality < 1e-20
        assert float(wald_power(found.noncentrality, DIM)) == pytest.approx(0.05, abs=1e-9)


def test_the_covariance_of_the_asymmetry() -> None:
    """Mean squares of 20,000 simulated asymmetries over V, less the mean; at n_1 = 250 V is off by
    O(1/n), 3 %. Twin: V for normal noise (no fourth cumulant)."""
    classes = uniform_family(0.6, 250, 3)
    count = 20_000
    found = wald_samples(classes, count, seed=12, room=ROOM)
    exact = population_asymmetry(classes)
    squares = (found.asymmetry - found.asymmetry.mean(axis=0)) ** 2
    ratio = squares / np.diag(exact.covariance)
    se = ratio.std(axis=0) / count**0.5
    check = partial(assert_mean, ratio.mean(axis=0), se, detects=0.12, remainder=0.03)
    check(np.ones(3))
    first = exact.covariance[0, 0]
    spread = classes.scales[:, 0] ** 2
    hessians = [2 * (s + m**2) for s, m in zip(spread, classes.means[:, 0], strict=True)]
    inverse = 2 / sum(hessians)
    cumulant = [4 * 1.2 * (s * exact.theta[0]) ** 2 for s in spread]
    turns = hessians[1] * inverse, hessians[0] * inverse
    normal = first + sum(
        t**2 * c / n for t, c, n in zip(turns, cumulant, classes.counts, strict=True)
    )
    with pytest.raises(Disagreement):
        check(np.array([normal / first, 1.0, 1.0]))


@pytest.fixture(scope="module")
def null() -> dict[int, np.ndarray]:
    """10,000 statistics under symmetry, at 50 and 250 minority rows."""
    return {
        n: wald_samples(uniform_family(SYMMETRIC_B, n), 10_000, seed=31, room=ROOM).statistic
        for n in (50, 250)
    }


def radius(count: int) -> float:
    """Massart's radius at the false-fail rate."""
    return float(np.sqrt(np.log(2 / FALSE_FAIL) / (2 * count)))


def test_the_statistic_is_chi_square_from_250_minority_rows_on(null: dict[int, np.ndarray]) -> None:
    """A distance of .03 is allowed at n_1 = 250; it detects .09. Twins: a degree of freedom too many, and
    50 rows, at which the true distance is .13."""
    reach = 0.03 + radius(10_000)
    assert reach + radius(10_000) < 0.09
    assert kstest(null[250], chi2(DIM).cdf).statistic < reach
    assert kstest(null[250], chi2(DIM + 1).cdf).statistic > reach
    assert kstest(null[50], chi2(DIM).cdf).statistic > reach


def test_the_level_at_small_samples(null: dict[int, np.ndarray]) -> None:
    """Rejections at 5 %: .159 at 50 and .071 at 250 minority rows (the note, section 5)."""
    rates = [(null[n] > chi2.isf(0.05, DIM)).mean() for n in (50, 250)]
    assert_mean(rates, [0.0037, 0.0026], [0.157, 0.0705], detects=0.04, remainder=0.004)


def test_the_power_of_both_signs_together() -> None:
    """d = 2, n_1 = 250, b off by .16: noncentral power to .02 (O(1/n)); one sign alone is off by .05 or
    less; twin: the power of twice the noncentrality."""
    rates, expected, twice = [], [], []
    for sign in (-1, 1):
        classes = uniform_family(SYMMETRIC_B + sign * 0.16, 250, 2)
        found = wald_samples(classes, 10_000, seed=17, room=ROOM).statistic
        rates.append((found > chi2.isf(0.05, 2)).mean())
        noncentrality = population_asymmetry(classes).noncentrality
        expected.append(wald_power(noncentrality, 2))
        twice.append(wald_power(2 * noncentrality, 2))
    se = np.sqrt(np.mean(rates) * (1 - np.mean(rates)) / 20_000)
    check = partial(assert_mean, np.mean(rates), se, detects=0.06, remainder=0.02)
    check(np.mean(expected))
    with pytest.raises(Disagreement):
        check(np.mean(twice))
    assert norm.isf(FALSE_FAIL) * se < 0.02


def sample(shift: float, count: tuple[int, int] = (3000, 400)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = [rng.standard_normal((n, 3)) for n in count]
    rows[0][:, 0] -= 1.0
    rows[1][:, 0] += 1.0 + shift
    return rows[0], rows[1]


def test_one_table_in_numpy() -> None:
    """Labels 0 and 1, squared loss, with and without intercept."""
    rows = sample(0.3)
    found = symmetry_test(*rows, loss="squared", intercept=False)
    assert found.statistic == pytest.approx(numpy_statistic(list(rows), (0.0, 1.0)), rel=1e-9)
    lifted = [np.c_[x, np.ones(len(x))] for x in rows]
    found = symmetry_test(*rows, loss="squared")
    assert found.statistic == pytest.approx(numpy_statistic(lifted, (0.0, 1.0)), rel=1e-9)
    assert found.df == 4 and found.p == pytest.approx(chi2.sf(found.statistic, 4))


def test_logistic_tables() -> None:
    """Mirror-image classes are symmetric without an intercept; in any units."""
    rows = sample(0.0)
    even = symmetry_test(*rows, intercept=False)
    assert even.status == "ok" and even.p > 1e-6
    moved = symmetry_test(*sample(1.0), intercept=False)
    assert moved.p < 1e-6
    turn = np.array([[1e3, 0.0, 0.0], [5.0, 1e-3, 0.0], [0.0, 2.0, 1.0]])
    same = symmetry_test(rows[0] @ turn, rows[1] @ turn, intercept=False)
    assert same.statistic == pytest.approx(even.statistic, rel=1e-6)
    # With an intercept symmetry is impossible: its entry is a_0 = .45.
    with_intercept = symmetry_test(*rows)
    assert with_intercept.p < 1e-12 and 0.3 < with_intercept.asymmetry[-1] < 0.6


def test_the_row_test_may_be_vmapped() -> None:
    tables = [sample(0.1 * k, (200, 50)) for k in range(3)]
    both = [np.stack(part) for part in zip(*tables, strict=True)]
    found = jax.jit(jax.vmap(lambda a, b: wald_rows(LOGISTIC, a, b)))(*both)
    each = [symmetry_test(*table, intercept=False).statistic for table in tables]
    assert np.asarray(found.statistic) == pytest.approx(each, rel=1e-8)


def test_the_population_foretells_the_statistic() -> None:
    """Logistic, unequal covariances: over 600 samples the mean of T is df + noncentrality, up to 10 % (V
    belongs to small departures; O(1/n)); detects 40 %. Twin: no departure."""
    spread = np.diag([1.3, 0.8])
    given = problem(
        ([-0.8, 0.0], 1), ([0.9, 0.1], spread), ([1, 0], 1), (2000.0, 400.0), "logistic"
    )
    expected = population_symmetry(given)
    assert expected.df == 2 and 0.1 < expected.power < 0.999
    rng = np.random.default_rng(9)
    zero = rng.standard_normal((600, 2000, 2)) + [-0.8, 0.0]
    one = rng.standard_normal((600, 400, 2)) * np.sqrt([1.3, 0.8]) + [0.9, 0.1]
    found = jax.jit(jax.vmap(lambda a, b: wald_rows(LOGISTIC, a, b)))(zero, one)
    mean, se = sample_mean(np.asarray(found.statistic))
    whole = 2 + expected.noncentrality
    check = partial(assert_mean, mean, se, detects=0.4 * whole, remainder=0.1 * whole)
    check(whole)
    with pytest.raises(Disagreement):
        check(2.0)


def test_tables_without_a_test_say_so() -> None:
    rows = sample(0.0)
    far = symmetry_test(rows[0], rows[1] + 30.0)
    assert "separable" in far.status and np.isnan(far.p) and np.isnan(far.asymmetry).all()
    told_apart = [np.c_[x, np.full(len(x), float(k))] for k, x in enumerate(rows)]
    assert "separable" in symmetry_test(*told_apart).status
    constant = [np.c_[x, np.ones(len(x))] for x in rows]
    assert "singular" in symmetry_test(*constant).status
    twice = [np.c_[x, x[:, :1]] for x in rows]
    assert "singular" in symmetry_test(*twice, loss="squared").status
    assert "fewer than 50" in symmetry_test(rows[0], rows[1][:30]).status


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": "logit"}, "logistic"),
        ({"minority": np.zeros((5, 2))}, "same columns"),
        ({"minority": np.zeros((1, 3))}, "at least two rows"),
        ({"minority": np.full((5, 3), np.nan)}, "missing or infinite"),
    ],
)
def test_tables_that_are_none_are_refused(change: dict, words: str) -> None:
    majority, minority = sample(0.0)
    given: dict[str, Any] = {"majority": majority, "minority": minority}
    given.update(change)
    with pytest.raises(InputError, match=words):
        symmetry_test(**given)
