"""The token world: exact sums against autodiff and closed forms, references, rows of several tokens."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.tokens import bayes, steps
from simulations.tokens.generators import GENERATORS, generated
from simulations.tokens.references import exists, log_histogram, maximum_likelihood
from simulations.tokens.rows import features, product
from simulations.tokens.world import (
    World,
    divergence,
    embeddings,
    latents,
    log_law,
    moments,
    seed_counts,
)

WORLD = World(48, 3, 1.2, 1.0)
TABLE = jnp.asarray(embeddings(WORLD, 0))
ETA = jnp.asarray(latents(WORLD)[1])
TRUTH = log_law(TABLE, ETA)
LIKELIEST = quick_jit(maximum_likelihood)
WEIGHED = quick_jit(bayes._weighed)


def two_roads(prior: str, table: Any, truth: Any, target: Any, n: Any) -> tuple[Any, ...]:
    """The predictive by quadrature and by draws, and the divergence of the latter with its error."""
    exact = bayes.quadrature(table, target, n, 1.0, prior)
    drawn = bayes.importance(table, target, n, 1.0, jax.random.key(0), 4096, prior)
    return exact, drawn, *bayes.divergence_error(truth, table, drawn)


TWO_ROADS = {prior: quick_jit(partial(two_roads, prior)) for prior in bayes.PRIORS}


def log_partition(h: jax.Array) -> jax.Array:
    return jax.scipy.special.logsumexp(TABLE @ h)


def test_moments_are_derivatives_of_the_log_partition() -> None:
    at = moments(TABLE, jnp.exp(TRUTH))
    np.testing.assert_allclose(at.mean, jax.grad(log_partition)(ETA), atol=1e-14)
    np.testing.assert_allclose(at.covariance, jax.hessian(log_partition)(ETA), atol=1e-13)


def test_latents_have_the_norm_and_the_angle() -> None:
    first, second = latents(WORLD)
    np.testing.assert_allclose([first @ first, second @ second], 1.44, rtol=1e-14)
    np.testing.assert_allclose(first @ second, 1.44 * np.cos(1.0), rtol=1e-14)


def test_a_probability_too_small_for_its_number_still_has_a_divergence() -> None:
    log_p, log_q = jnp.log(jnp.array([0.5, 0.5])), jnp.array([0.0, -2000.0])
    np.testing.assert_allclose(divergence(log_p, log_q), 1000.0 - np.log(2.0), rtol=1e-12)
    assert divergence(log_p, jnp.array([0.0, -jnp.inf])) == jnp.inf


def test_divergence_within_the_family_is_bregman() -> None:
    h = jnp.array([0.3, -0.2, 0.5])
    expected = (
        log_partition(h) - log_partition(ETA) - (h - ETA) @ moments(TABLE, jnp.exp(TRUTH)).mean
    )
    np.testing.assert_allclose(divergence(TRUTH, log_law(TABLE, h)), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_small_divergences_keep_their_digits(size: float) -> None:
    shift = size * jnp.array([1.0, -2.0, 0.5])
    form = 0.5 * shift @ moments(TABLE, jnp.exp(TRUTH)).covariance @ shift
    found = divergence(TRUTH, log_law(TABLE, ETA + shift))
    assert abs(float(found / form) - 1.0) < 20.0 * size + 1e-6


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.01, 30.0))
def test_divergence_is_never_negative_and_turns_with_nothing(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    first, second = scale * random.standard_normal((2, 3))
    turn = jnp.asarray(np.linalg.qr(random.standard_normal((3, 3)))[0])
    value = divergence(log_law(TABLE, jnp.asarray(first)), log_law(TABLE, jnp.asarray(second)))
    turned = divergence(
        log_law(TABLE @ turn, jnp.asarray(first) @ turn),
        log_law(TABLE @ turn, jnp.asarray(second) @ turn),
    )
    assert float(value) >= 0.0
    np.testing.assert_allclose(turned, value, rtol=1e-9, atol=1e-13 * scale)


def test_seeds_nest_and_have_the_right_mean() -> None:
    law = np.exp(np.asarray(TRUTH))
    few, many = seed_counts(law, [100, 10**9], 0, ["a"])
    assert few.sum() == 100 and many.sum() == 10**9 and (few <= many).all()
    error = (many / 1e9 - law) / np.sqrt(law * (1 - law) / 1e9)
    assert np.abs(error).max() < 6.0
    assert (seed_counts(law, [100], 0, ["b"])[0] != few).any()


def test_endless_seeds_are_the_laws_mean() -> None:
    target = steps.averaged(TABLE, jnp.exp(TRUTH))
    np.testing.assert_allclose(target, moments(TABLE, jnp.exp(TRUTH)).mean, atol=1e-15)
    best = LIKELIEST(TABLE, target)
    assert bool(best.converged)
    np.testing.assert_allclose(best.h, ETA, atol=1e-11)
    h = target
    for _ in range(400):
        h = steps.improved(TABLE, target, h, 0.5)
    np.testing.assert_allclose(h, ETA, atol=1e-10)


def test_a_step_ascends_the_mean_log_likelihood() -> None:
    target, h = jnp.array([0.2, 0.4, -0.1]), jnp.array([0.5, -0.5, 0.2])
    slope = jax.grad(lambda at: at @ target - log_partition(at))(h)
    np.testing.assert_allclose(steps.improved(TABLE, target, h, 0.7), h + 0.7 * slope, atol=1e-14)


def test_likelihood_has_a_maximum_where_the_hull_says_so() -> None:
    law, said = np.exp(np.asarray(TRUTH)), []
    for n in (2, 4, 6, 10, 40):
        for seed in range(6):
            counts = seed_counts(law, [n], seed, ["hull", n])[0]
            target = counts @ np.asarray(TABLE) / n
            found = LIKELIEST(TABLE, jnp.asarray(target))
            said.append((exists(np.asarray(TABLE), target), bool(found.converged)))
            if said[-1][0]:
                mean = moments(TABLE, jax.nn.softmax(TABLE @ found.h)).mean
                np.testing.assert_allclose(mean, target, atol=1e-9)
            else:
                assert "give more seeds" in found.status()
    assert all(theory == newton for theory, newton in said)
    assert 3 < sum(theory for theory, _ in said) < 30


def test_seeds_on_an_oblique_edge_have_no_maximum() -> None:
    """No coordinate loses its variance on the way there, the direction across the edge does."""
    table = jnp.array([[1.3, 0.2], [0.1, 1.7], [-0.4, -0.5], [0.2, 0.1]])
    find = quick_jit(maximum_likelihood, once=True)
    for share in (0.3, 0.5):
        edge = share * table[0] + (1.0 - share) * table[1]
        assert not bool(find(table, edge).converged) and not exists(*map(np.asarray, (table, edge)))
        inside = 0.98 * edge + 0.02 * table.mean(axis=0)
        assert bool(find(table, inside).converged) and exists(*map(np.asarray, (table, inside)))


def test_histograms() -> None:
    counts = jnp.array([3.0, 0.0, 1.0])
    np.testing.assert_allclose(
        jnp.exp(log_histogram(counts, 0.5)), [3.5 / 5.5, 0.5 / 5.5, 1.5 / 5.5]
    )
    even = jnp.full(3, -jnp.log(3.0))
    assert np.isinf(divergence(even, log_histogram(counts)))
    expected = 0.75 * np.log(2.25) + 0.25 * np.log(0.75)
    np.testing.assert_allclose(divergence(log_histogram(counts), even), expected, rtol=1e-13)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_gives_laws(name: str) -> None:
    law = np.exp(np.asarray(TRUTH))
    counts = np.stack([seed_counts(law, [500], s, ["all"])[0] for s in range(3)])
    found, good = generated(name, np.asarray(TABLE), counts, np.asarray(ETA), depth=3)
    again, _ = generated(name, np.asarray(TABLE), counts, np.asarray(ETA), depth=3)
    assert found.shape == (3, 48) and good.all()
    np.testing.assert_allclose(jnp.exp(found).sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(found, again)


def test_divergence_adds_and_log_odds_add_over_positions() -> None:
    small = jnp.asarray(embeddings(World(12, 2), 1))
    h = jnp.array([[0.5, 0.1], [-0.3, 0.4], [0.2, 0.9], [1.0, 0.0]])
    p, q = (
        [log_law(small, h[0]), log_law(small, h[1])],
        [log_law(small, h[2]), log_law(small, h[3])],
    )
    whole = divergence(product(p), product(q))
    np.testing.assert_allclose(whole, divergence(p[0], q[0]) + divergence(p[1], q[1]), rtol=1e-12)
    odds = features([np.asarray(small)] * 2)[:, :4] @ jnp.concatenate([h[2] - h[0], h[3] - h[1]])
    constant = product(q) - product(p) - odds
    np.testing.assert_allclose(constant, constant[0], atol=1e-12)


@pytest.mark.parametrize("prior", bayes.PRIORS)
@pytest.mark.parametrize("n", [1, 30, 10**6])
def test_predictives_by_two_roads(prior: str, n: int) -> None:
    table = jnp.asarray(embeddings(World(32, 2), 2))
    truth = log_law(table, jnp.array([0.6, 0.8]))
    counts = jnp.asarray(seed_counts(np.exp(np.asarray(truth)), [n], 0, ["bayes"])[0], float)
    target = steps.averaged(table, counts)
    exact, drawn, value, error = TWO_ROADS[prior](table, truth, target, float(n))
    assert float(drawn.effective) > 500.0
    assert abs(float(value - divergence(truth, exact.log_law))) < 6.0 * float(error)
    # Brute force: a fine lattice over the whole of the prior, where it is fine enough.
    if n < 1000:
        if prior == "sphere":
            angle = jnp.linspace(0.0, 2.0 * jnp.pi, 2001)[:-1]
            nodes, log_w = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=1), jnp.zeros(2000)
        else:
            line = jnp.linspace(-6.0, 6.0, 161)
            nodes = jnp.stack(jnp.meshgrid(line, line), axis=-1).reshape(-1, 2)
            log_w = -(nodes**2).sum(axis=1)
        brute = WEIGHED(table, target, float(n), nodes, log_w)
        np.testing.assert_allclose(exact.log_law, brute.log_law, atol=1e-9)


@pytest.mark.parametrize(
    ("world", "words"),
    [
        (World(1, 1), "vocabulary is 1"),
        (World(8, 8), "embedding_dim is 8"),
        (World(8, 2, -1.0), "latent_norm is -1"),
        (World(8, 2, 1.0, 4.0), "latent_angle is 4"),
        (World(8, 1, 1.0, 1.0), "in one dimension"),
    ],
)
def test_worlds_that_cannot_be(world: World, words: str) -> None:
    with pytest.raises(InputError, match=words):
        latents(world)


def test_rows_that_cannot_be_listed() -> None:
    with pytest.raises(InputError, match="at most 4194304"):
        features([np.asarray(TABLE)] * 5)
    with pytest.raises(InputError, match="number of seeds is 0"):
        seed_counts(np.ones(2) / 2, [0], 0, [])
