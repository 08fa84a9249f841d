"""The smoothed bootstrap and the fitted Gaussian: exact moments, padding, and when there is no fit."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from simulations.compilation import quick_jit
from simulations.fitted.gaussian import fit_gaussian, fitted_mean, gaussian_rows
from simulations.fitted.smoothed import smoothed
from tests.stochastic import Disagreement, assert_mean, sample_mean

RNG = np.random.default_rng(21)
ROWS = RNG.standard_normal((40, 3)) @ np.array([[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [1.0, 1.0, 0.3]])
fit: Any = quick_jit(fit_gaussian)


def test_the_fit_has_the_moments_of_the_rows() -> None:
    found = fit(jnp.asarray(ROWS), 40)
    assert bool(found.found)
    assert np.allclose(found.mean, ROWS.mean(axis=0), rtol=0, atol=1e-14)
    covariance = np.cov(ROWS.T, ddof=0)
    assert np.allclose(found.root @ found.root.T, covariance, rtol=1e-12)
    assert np.array_equal(found.root, np.tril(found.root))
    # The unbiased divisor is another covariance: 1/40 larger.
    assert not np.allclose(found.root @ found.root.T, np.cov(ROWS.T), rtol=1e-2)


@pytest.mark.parametrize("garbage", [0.0, 1e9, np.nan])
def test_padding_changes_no_fit(garbage: float) -> None:
    padded = jnp.asarray(np.concatenate([ROWS, np.full((24, 3), garbage)]))
    for one, other in zip(fit(padded, 40), fit(jnp.asarray(ROWS), 40), strict=True):
        assert np.allclose(one, other, rtol=1e-12)
    assert np.allclose(fitted_mean(padded, 40), ROWS.mean(axis=0), rtol=1e-12)


def test_rows_that_do_not_span_all_dimensions_have_no_fit() -> None:
    rows = jnp.asarray(ROWS)
    assert [bool(fit(rows, n).found) for n in (1, 2, 3, 4)] == [False, False, False, True]
    assert np.array_equal(fit(rows, 3).root, np.zeros((3, 3)))
    flat = np.column_stack([ROWS[:, :2], np.zeros(40)])
    assert not bool(fit(jnp.asarray(flat), 40).found)


def test_rows_of_both_generators_have_the_moments_stated() -> None:
    """200,000 rows; detects 4 % of a variance.

    The wrong twins: the bandwidth unsquared, a root 5 % too small.
    """
    m = 200_000
    z, seed = RNG.standard_normal((m, 3)), RNG.integers(40, size=m)
    root = np.linalg.cholesky(np.diag([1.0, 2.0, 3.0]))
    covariance = np.cov(ROWS.T, ddof=0)

    def check(rows: Any, expected: np.ndarray) -> None:
        centred = np.asarray(rows) - ROWS.mean(axis=0)
        products = np.einsum("ma,mb->mab", centred, centred)
        mean, se = sample_mean(products)
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert_mean(mean, se, expected, detects=0.04 * size)

    smooth = smoothed(jnp.asarray(ROWS), jnp.asarray(seed), jnp.asarray(z), 0.6, jnp.asarray(root))
    check(smooth, covariance + 0.36 * root @ root.T)
    found = fit(jnp.asarray(ROWS), 40)
    check(gaussian_rows(found.mean, found.root, jnp.asarray(z)), covariance)
    with pytest.raises(Disagreement):
        check(smooth, covariance + 0.6 * root @ root.T)
    with pytest.raises(Disagreement):
        check(gaussian_rows(found.mean, 0.95 * found.root, jnp.asarray(z)), covariance)
