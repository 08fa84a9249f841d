"""Embeddings that are not isotropic: what averaging keeps, what steps remove, what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm, qmc

from scaling.theory.tokens import coherent
from simulations.problems import InputError
from simulations.tokens import steps
from simulations.tokens.world import divergence, log_law
from tests.stochastic import Disagreement, assert_mean, sample_mean

ETA, MEAN = np.array([0.5, -0.3]), np.array([0.4, 0.2])
SIGMA = np.array([[1.4, 0.4], [0.4, 0.8]])


def test_averaging_keeps_a_divergence_that_steps_remove() -> None:
    """2^16 tokens spread evenly (Sobol's points) stand for endless ones: the law within 2 %.

    The points' own covariance is right to about .1 %; a share of error in the largest eigenvalue, 1.6,
    moves the divergence after a step, (1 - .8 1.6)^2 of it, by nine times that share.
    """
    points = norm.ppf(qmc.Sobol(2, rng=0).random(2**16))
    table = jnp.asarray(points @ np.linalg.cholesky(SIGMA).T + MEAN[None])
    truth = log_law(table, jnp.asarray(ETA))
    target = steps.averaged(table, jnp.exp(truth))
    h, found = target, []
    for _ in range(4):
        found.append(float(divergence(truth, log_law(table, h))))
        h = steps.improved(table, target, h, 0.8)
    law = [coherent.divergence(ETA, MEAN, SIGMA, k, 0.8).kept for k in range(4)]
    np.testing.assert_allclose(found, law, rtol=0.02)
    assert found[0] > 0.2 and found[3] < 0.01
    assert abs(coherent.divergence(ETA, 0.0 * MEAN, SIGMA).kept / found[0] - 1.0) > 0.2


@pytest.mark.parametrize("further", [0, 1, 5])
def test_sampling_against_draws(further: int) -> None:
    """Endless tokens are a normal family: h_0 ~ N(m + Sigma eta, Sigma/n), the steps linear."""
    n, step = 50.0, 0.8
    random = np.random.default_rng(further)
    noise = random.standard_normal((40_000, 2)) @ np.linalg.cholesky(SIGMA / n).T
    first = (MEAN + SIGMA @ ETA)[None] + noise
    h = first
    for _ in range(further):
        h = h + step * (first - MEAN[None] - h @ SIGMA)
    values = 0.5 * np.einsum("ki,ij,kj->k", h - ETA[None], SIGMA, h - ETA[None])
    law = coherent.divergence(ETA, MEAN, SIGMA, further, step, n)
    mean, error = sample_mean(values)
    assert_mean(mean, error, law.total, detects=0.08 * law.total)
    with pytest.raises(Disagreement):
        assert_mean(mean, error, 1.1 * law.total, detects=0.08 * law.total)


def test_endless_steps_leave_the_variance_of_likelihood() -> None:
    found = coherent.divergence(ETA, MEAN, SIGMA, 400, 0.8, 100.0)
    assert found.kept < 1e-20 and found.sampling == pytest.approx(0.01, rel=1e-9)


def test_what_cannot_converge_is_refused() -> None:
    with pytest.raises(InputError, match="steps diverge"):
        coherent.divergence(ETA, MEAN, 3.0 * SIGMA, 1, 1.0)
    with pytest.raises(InputError, match="not identifiable"):
        coherent.divergence(ETA, MEAN, np.ones((2, 2)))
