"""Constructed transformers: the weights compute averages and gradient steps, layer by layer.

Long because every test is about one set of weights, which is built once.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from scaling.theory.tokens.depth import step_size
from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.tokens import steps
from simulations.transformers import architecture
from simulations.transformers import counts as by_counts
from simulations.transformers.architecture import (
    OUTPUT,
    Weights,
    embedded,
)
from simulations.transformers.constructed import (
    MEAN,
    MODEL,
    constructed,
    slots,
)
from simulations.transformers.counts import (
    reads_inputs_only,
)
from simulations.transformers.generation import generated
from simulations.transformers.prompts import prompt, reading
from tests.stochastic import Disagreement, assert_mean
from tests.transformer_reference import forward, random_weights

streams = quick_jit(architecture.streams)
next_token = quick_jit(architecture.next_token)
attention = quick_jit(architecture.attention)
streams_from_counts = quick_jit(by_counts.streams_from_counts)
next_token_from_counts = quick_jit(by_counts.next_token_from_counts)
improved = quick_jit(steps.improved)

D, R, LAYERS, STEP, N = 12, 3, 5, 0.7, 9
# Scores stand beside 1024 (half a unit in the last place: 1.1e-13), go through L - 1 steps, each of
# which multiplies an error of h by at most |I - step Cov| < 3 here, and are read by r + 1 sums.
TOLERANCE = 1e-10
EMBEDDINGS = np.random.default_rng(3).standard_normal((D, R))
SEEDS = np.random.default_rng(4).integers(0, D, N)


def latents(weights: Weights, seeds: np.ndarray = SEEDS) -> np.ndarray:
    """h after every layer at every number of seeds 1..n: ``(L, n, r)``, read from the stream."""
    tokens, segments = prompt(seeds, D, lists=True)
    found = streams(weights, jnp.asarray(tokens), jnp.asarray(segments))
    return np.asarray(found[1:, reading(D, lists=True) + 1 :, slots(R).latent])


@cache
def by_the_formula(layers: int = LAYERS, step: float = STEP) -> np.ndarray:
    """The same from the formulas of the token world."""
    found = np.zeros((layers, N, R))
    for n in range(1, N + 1):
        counts = jnp.asarray(np.bincount(SEEDS[:n], minlength=D), float)
        target = h = steps.averaged(jnp.asarray(EMBEDDINGS), counts)
        found[0, n - 1] = h
        for layer in range(1, layers):
            h = improved(jnp.asarray(EMBEDDINGS), target, h, step)
            found[layer, n - 1] = h
    return found


def difference(weights: Weights) -> np.ndarray:
    """Largest deviation of every layer ``(L,)``."""
    return np.abs(latents(weights) - by_the_formula()).max(axis=(1, 2))


def test_every_layer_computes_what_the_formula_says() -> None:
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    assert (difference(weights) < TOLERANCE).all()
    tokens, segments = map(jnp.asarray, prompt(SEEDS, D, lists=True))
    read = np.exp(np.asarray(next_token(weights, tokens, segments)))[-N:]
    for law, h in zip(read, by_the_formula()[-1], strict=True):
        wanted = steps.law(jnp.asarray(EMBEDDINGS), jnp.asarray(h))
        assert np.abs(law - np.asarray(wanted)).max() < TOLERANCE


def test_another_writing_of_the_architecture_agrees() -> None:
    """And without the residual stream the same weights do not do it: the stream carries h."""
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    tokens, segments = prompt(SEEDS, D, lists=True)
    formula = by_the_formula()
    kept = forward(weights, tokens, segments)[0][1:, -N:, slots(R).latent]
    assert np.abs(kept - formula).max() < TOLERANCE
    forgotten = forward(weights, tokens, segments, residual=False)[0][1:, -N:, slots(R).latent]
    assert np.abs(forgotten[0] - formula[0]).max() < TOLERANCE
    assert (np.abs(forgotten[1:] - formula[1:]).max(axis=(1, 2)) > 0.1).all()


def without(head: int) -> Weights:
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    output = weights.layers.output.copy()
    output[1:, head] = 0.0
    return weights._replace(layers=weights.layers._replace(output=output))


@pytest.mark.parametrize(
    "wrong",
    [
        constructed(EMBEDDINGS, LAYERS, 1.05 * STEP),
        without(MEAN),
        without(MODEL),
        constructed(EMBEDDINGS, LAYERS, STEP, reach=4.0),
        constructed(EMBEDDINGS + 0.01, LAYERS, STEP),
    ],
    ids=["step", "no mean head", "no model head", "heads that look everywhere", "embeddings"],
)
def test_other_weights_do_not(wrong: Weights) -> None:
    """At every layer after the first: a mistake of 5 % in the step is 10^7 tolerances."""
    assert (difference(wrong)[1:] > 1e-3).all()


def test_the_weights_say_what_is_read_and_written() -> None:
    at, weights = slots(R), constructed(EMBEDDINGS, LAYERS, STEP)
    tokens, segments = prompt(SEEDS, D, lists=True)
    found = np.asarray(streams(weights, jnp.asarray(tokens), jnp.asarray(segments)))
    elsewhere = np.delete(found, range(*at.latent.indices(at.width)), axis=2)
    assert (elsewhere == elsewhere[:1]).all()
    assert (found[0, :, at.latent] == 0.0).all()
    assert (found[0, :D, at.token] == EMBEDDINGS).all()
    assert (weights.readout[:, at.latent] == EMBEDDINGS).all()
    assert np.count_nonzero(weights.readout) == D * R


def test_heads_look_where_they_should() -> None:
    """Head mean: 1/n on each seed. Head model: the law P_h itself, over the vocabulary."""
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    tokens, segments = prompt(SEEDS, D, lists=True)
    found = streams(weights, jnp.asarray(tokens), jnp.asarray(segments))
    pattern = np.asarray(attention(weights, found))
    assert pattern.shape == (LAYERS, 2, D + 1 + N, D + 1 + N)
    assert (np.triu(pattern, 1) == 0.0).all() and np.abs(pattern.sum(axis=3) - 1.0).max() < 1e-14
    for layer in range(1, LAYERS):
        for n in range(1, N + 1):
            mean, model = pattern[layer, :, D + n]
            seen = slice(D + 1, D + 1 + n)
            assert np.abs(mean[seen] - 1.0 / n).max() < 1e-15
            assert np.delete(mean, seen).max() < 1e-220
            law = softmax(EMBEDDINGS @ by_the_formula()[layer - 1, n - 1])
            assert np.abs(model[:D] - law).max() < TOLERANCE and model[D:].max() < 1e-220


def test_later_seeds_change_nothing_before_them() -> None:
    weights = constructed(EMBEDDINGS, 3, STEP)
    other = SEEDS.copy()
    other[5:] = (other[5:] + 1) % D
    first, second = latents(weights), latents(weights, other)
    assert (first[:, :5] == second[:, :5]).all() and (first[:, 5:] != second[:, 5:]).any(
        axis=2
    ).all()


def test_without_a_seed_the_mean_is_zero() -> None:
    """The mean head rests on the start token: layer 1 is uniform, later layers step towards target 0."""
    weights = constructed(EMBEDDINGS, 2, STEP)
    found = streams(weights, *map(jnp.asarray, prompt(SEEDS, D, lists=True)))
    at_start = np.asarray(found[:, D, slots(R).latent])
    assert np.abs(at_start[1]).max() < 1e-200
    assert np.abs(at_start[2] + STEP * EMBEDDINGS.mean(axis=0)).max() < TOLERANCE


def test_counts_are_the_sequence() -> None:
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    counts = jnp.asarray(np.bincount(SEEDS, minlength=D), float)
    found = streams_from_counts(weights, counts)
    assert (
        np.abs(np.asarray(found[1:, slots(R).latent]) - latents(weights)[:, -1]).max() < TOLERANCE
    )
    # A place for an output reads the same.
    tokens, segments = map(jnp.asarray, prompt(SEEDS, D, lists=True, outputs=1))
    whole = streams(weights, tokens, segments)[:, -1]
    assert np.abs(np.asarray(whole - found)).max() < TOLERANCE
    assert (np.asarray(embedded(weights, tokens, segments))[-1] == np.asarray(found[0])).all()
    # One seed fewer is seen.
    fewer = np.asarray(streams_from_counts(weights, counts.at[SEEDS[0]].add(-1.0)))
    assert (np.abs(fewer - np.asarray(found))[1:].max(axis=1) > 1e-3).all()


def test_a_billion_seeds_cost_what_nine_do() -> None:
    """10^9 seeds, counts not in proportion to anything: the formula of the token world again."""
    weights = constructed(EMBEDDINGS, LAYERS, STEP)
    counts = np.random.default_rng(5).multinomial(10**9, softmax(EMBEDDINGS[:, 0])).astype(float)
    target = h = steps.averaged(jnp.asarray(EMBEDDINGS), jnp.asarray(counts))
    for _ in range(1, LAYERS):
        h = improved(jnp.asarray(EMBEDDINGS), target, h, STEP)
    found = np.exp(np.asarray(next_token_from_counts(weights, jnp.asarray(counts))))
    wanted = np.asarray(steps.law(jnp.asarray(EMBEDDINGS), h))
    assert np.abs(found - wanted).max() < TOLERANCE


def test_it_is_known_where_counts_do_not_say_all() -> None:
    weights = constructed(EMBEDDINGS, 2)
    assert reads_inputs_only(weights)
    value = weights.layers.value.copy()
    value[1, MEAN, 0, slots(R).latent.start] = 1e-9
    reading_h = weights._replace(layers=weights.layers._replace(value=value))
    for wrong in (reading_h, random_weights(0, D, 8, 2, 4, 20)):
        assert not reads_inputs_only(wrong)


def test_generated_tokens_are_independent_draws() -> None:
    """Token by token, each appended to the prompt, equals one draw a key from the one law Q. Appended as
    seeds they are not."""
    weights, key, rows = constructed(EMBEDDINGS, 3, STEP), jax.random.key(11), 40
    one_by_one = generated(weights, SEEDS, rows, key, lists=True)
    counts = jnp.asarray(np.bincount(SEEDS, minlength=D), float)
    log_law = next_token_from_counts(weights, counts)
    at_once = [jax.random.categorical(jax.random.fold_in(key, i), log_law) for i in range(rows)]
    assert np.asarray(one_by_one).tolist() == [int(token) for token in at_once]
    fed_back = generated(weights, SEEDS, rows, key, lists=True, fed_back=True)
    assert int(fed_back[0]) == int(at_once[0])
    assert np.asarray(fed_back).tolist() != np.asarray(one_by_one).tolist()


def spread_of_frequencies(fed_back: bool, runs: int = 2000, rows: int = 12) -> np.ndarray:
    """Squared deviations ``(runs, r)`` of the generated mean embedding from that of the law Q, over
    their value for independent draws."""
    weights = constructed(EMBEDDINGS, 1)
    counts = jnp.asarray(np.bincount(SEEDS, minlength=D), float)
    law = np.exp(np.asarray(next_token_from_counts(weights, counts)))
    keys = jax.random.split(jax.random.key(12), runs)
    many = quick_jit(
        jax.vmap(lambda key: generated(weights, SEEDS, rows, key, lists=True, fed_back=fed_back))
    )
    mean = EMBEDDINGS[np.asarray(many(keys))].mean(axis=1) - law @ EMBEDDINGS
    return mean**2 / ((law @ EMBEDDINGS**2 - (law @ EMBEDDINGS) ** 2) / rows)


def test_feeding_back_spreads_the_generated_rows() -> None:
    """Independent given the seeds: the variance of a mean of m is Var/m. The twin averages what it has
    generated: its law wanders off, and the mean of its rows with it."""
    apart, together = spread_of_frequencies(False), spread_of_frequencies(True)
    assert_mean(apart.mean(0), apart.std(0, ddof=1) / len(apart) ** 0.5, 1.0, detects=0.35)
    with pytest.raises(Disagreement):
        assert_mean(
            together.mean(0), together.std(0, ddof=1) / len(together) ** 0.5, 1.0, detects=2.0
        )


def likeliest(target: np.ndarray) -> np.ndarray:
    """The maximum of the likelihood by Newton's method."""
    h = np.zeros(R)
    for _ in range(50):
        law = softmax(EMBEDDINGS @ h)
        centred = EMBEDDINGS - law @ EMBEDDINGS
        h = h + 0.5 * np.linalg.solve((centred.T * law) @ centred, target - law @ EMBEDDINGS)
    assert np.abs(target - softmax(EMBEDDINGS @ h) @ EMBEDDINGS).max() < 1e-12
    return h


@pytest.mark.parametrize(("share", "contracts"), [(0.98, True), (1.02, False)])
def test_the_step_that_is_too_long(share: float, contracts: bool) -> None:
    """Near the maximum an error along the leading direction is multiplied by ``1 - step lambda``."""
    target = 0.4 * EMBEDDINGS[0] + 0.6 * EMBEDDINGS.mean(axis=0)
    at = likeliest(target)
    limit = step_size(EMBEDDINGS, at).local
    law = softmax(EMBEDDINGS @ at)
    centred = EMBEDDINGS - law @ EMBEDDINGS
    values, vectors = np.linalg.eigh((centred.T * law) @ centred)
    assert abs(limit - 2.0 / values[-1]) < 1e-12
    begin = at + 1e-6 * vectors[:, -1]
    after = improved(
        jnp.asarray(EMBEDDINGS), jnp.asarray(target), jnp.asarray(begin), share * limit
    )
    factor = float((np.asarray(after) - at) @ vectors[:, -1]) / 1e-6
    # The rest of the expansion is of the size of the error itself, 1e-6 of a third moment.
    assert abs(factor - (1.0 - 2.0 * share)) < 1e-4
    assert (abs(factor) < 1.0) == contracts


def likelihoods(step: float, layers: int = 12) -> np.ndarray:
    """Mean log-likelihood of nine equal seeds after every layer: the maximum is at infinity."""
    h = latents(constructed(EMBEDDINGS, layers, step), np.full(N, int(FARTHEST)))[:, -1]
    return h @ EMBEDDINGS[FARTHEST] - logsumexp(h @ EMBEDDINGS.T, axis=1)


FARTHEST = int((EMBEDDINGS**2).sum(axis=1).argmax())


def test_a_safe_step_never_lowers_the_likelihood() -> None:
    """Up to the limit that holds everywhere; a long one does lower it on some seeds."""
    safe = step_size(EMBEDDINGS, np.zeros(EMBEDDINGS.shape[1])).everywhere
    for share in (0.5, 0.99):
        assert (np.diff(likelihoods(share * safe)) > 0.0).all()
    target = EMBEDDINGS[:2].mean(axis=0)
    long = latents(constructed(EMBEDDINGS, 12, 10.0 * safe), np.array([0, 1] * 4))
    values = long[:, -1] @ target - logsumexp(long[:, -1] @ EMBEDDINGS.T, axis=1)
    assert (np.diff(values) < -1e-3).any()


@pytest.mark.parametrize(
    ("embeddings", "layers", "step", "says"),
    [
        (EMBEDDINGS[0], 2, 1.0, "shape"),
        (np.where(EMBEDDINGS > 1.0, np.nan, EMBEDDINGS), 2, 1.0, "no numbers"),
        (EMBEDDINGS, 0, 1.0, "layers: is 0"),
        (EMBEDDINGS, 2, 0.0, "step: is 0.0"),
        (EMBEDDINGS, 2, np.inf, "step: is inf"),
    ],
)
def test_what_cannot_be_built_is_said(
    embeddings: np.ndarray, layers: int, step: float, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        constructed(embeddings, layers, step)


def test_a_reach_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="reach: is 0"):
        constructed(EMBEDDINGS, 2, reach=0.0)


def test_single_precision_with_a_shorter_reach() -> None:
    """Beside 64 a score is rounded to 2^-18: each of four steps adds that much of a seed's embedding."""
    weights = constructed(EMBEDDINGS.astype(np.float32), LAYERS, STEP, reach=64.0)
    found = latents(weights)
    assert found.dtype == np.float32
    size = np.abs(EMBEDDINGS).max()
    assert np.abs(found - by_the_formula()).max() < 4 * 3 * 2.0**-18 * size * LAYERS


def test_outputs_are_of_no_segment_a_head_looks_at() -> None:
    at = slots(R)
    assert not constructed(EMBEDDINGS, 1).segment[OUTPUT, at.vocabulary :].any()
