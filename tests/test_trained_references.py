"""A trained transformer's references: Bayes on the sphere, divergence tables, attention, and the claims."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import gamma as gamma_function
from scipy.special import iv, roots_legendre

from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.tokens import bayes, sphere
from simulations.tokens.world import World, divergence, embeddings, log_law, seed_counts
from simulations.transformers.architecture import SEED, START, VOCABULARY, next_token
from simulations.transformers.batches import next_tokens
from simulations.transformers.comparison import Compared, compared
from simulations.transformers.constructed import constructed
from simulations.transformers.latents import fresh_sequences
from synthlaw.claims.generation.tokens import built, trained
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.training.attention import attention_table
from synthlaw.training.shipped import teaching_model
from synthlaw.training.table import divergence_table
from synthlaw.verifying.verification import run_claim
from tests.transformer_reference import (
    bayes_on_the_circle,
    divergences,
    random_weights,
    whole_sequences,
)

DRAWS = 4096


@pytest.mark.parametrize("dim", [2, 3, 4, 5])
def test_the_rule_on_the_sphere_against_bessel_functions(dim: int) -> None:
    """``E exp(k x_1 - k)`` on the unit sphere is ``Gamma(r/2) (2/k)^(r/2-1) I_(r/2-1)(k) e^-k``: as sharp
    as a posterior of width 1/5 at k = 25. A rule of twice the spacing misses it."""
    direction = np.random.default_rng(0).standard_normal(dim)
    direction /= np.linalg.norm(direction)
    half = 0.5 * dim
    for k in (1.0, 25.0):
        wanted = gamma_function(half) * (2.0 / k) ** (half - 1.0) * iv(half - 1.0, k) * np.exp(-k)

        def found(spacing: float, k: float = k) -> float:
            rule = sphere.rule(dim, spacing)
            return float(rule.weights @ np.exp(k * (rule.nodes @ direction) - k))

        assert found(0.24) == pytest.approx(wanted, rel=1e-6)
    assert abs(found(0.9) / wanted - 1.0) > 1e-5
    assert sphere.rule(1, 0.1).nodes.tolist() == [[1.0], [-1.0]]


def test_a_rule_of_too_many_points_is_refused() -> None:
    with pytest.raises(InputError, match="use importance sampling"):
        sphere.rule(8, 0.1)


def case(dim: int, n: int) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Embeddings, true law, counts and mean seed embedding."""
    table = jnp.asarray(embeddings(World(32, dim, 1.0, 0.0), 3))
    eta = np.ones(dim) / dim**0.5
    truth = log_law(table, jnp.asarray(eta))
    counts = seed_counts(np.exp(np.asarray(truth)), [n], 1, ["above two", dim])[0]
    return table, truth, jnp.asarray(counts, float), jnp.asarray(counts @ np.asarray(table) / n)


def sampled(
    table: jax.Array, truth: jax.Array, target: jax.Array, n: jax.Array, norm: float, prior: str
) -> tuple[jax.Array, ...]:
    found = bayes.importance(table, target, n, norm, jax.random.key(0), DRAWS, prior)
    return *bayes.divergence_error(truth, table, found), found.effective


SAMPLED = {
    prior: quick_jit(lambda *a, prior=prior: sampled(*a, prior=prior)) for prior in bayes.PRIORS
}


@pytest.mark.parametrize("dim", [3, 4])
def test_importance_sampling_above_two_dimensions_against_a_product_rule(dim: int) -> None:
    """Within 6 of its own errors (false alarm 2e-9 each) of the exact predictive; a prior on a sphere
    half as large again is further off than that."""
    for n in (1, 30):
        table, truth, counts, target = case(dim, n)
        value, error, effective = SAMPLED["sphere"](table, truth, target, float(n), 1.0)
        rule = sphere.rule(dim, 0.15)

        def exact(norm: float, rule: sphere.Rule = rule, table=table, counts=counts) -> jax.Array:
            laws = jax.nn.log_softmax(norm * jnp.asarray(rule.nodes) @ table.T, axis=1)
            return sphere.log_predictive(laws, jnp.log(rule.weights), counts[None])[0]

        assert effective > 500.0
        assert abs(value - divergence(truth, exact(1.0))) < 6.0 * error
        assert abs(value - divergence(truth, exact(1.5))) > 6.0 * error


def test_importance_sampling_of_padded_embeddings_reduces_to_smaller_worlds() -> None:
    """Columns of zeros: under the Gaussian prior three coordinates are two with ``B^2`` 2/3 as large; on
    the sphere of R^3 one coordinate is uniform (Archimedes). Both have exact predictives."""
    table, truth, _, target = case(2, 4)
    flat = jnp.zeros((len(table), 1))
    padded, at = jnp.concatenate([table, flat], axis=1), jnp.append(target, 0.0)
    value, error, _ = SAMPLED["gaussian"](padded, truth, at, 4.0, 1.0)

    @quick_jit
    def on_plane(norm: float) -> jax.Array:
        found = bayes.quadrature(table, target, 4.0, norm, "gaussian")
        return divergence(truth, found.log_law)

    assert abs(value - on_plane((2.0 / 3.0) ** 0.5)) < 6.0 * error
    assert abs(value - on_plane(2.0)) > 6.0 * error

    line, truth, counts, target = case(1, 30)
    padded = jnp.concatenate([line, jnp.zeros((len(line), 2))], axis=1)
    at = jnp.concatenate([target, jnp.zeros(2)])
    value, error, _ = SAMPLED["sphere"](padded, truth, at, 30.0, 1.0)
    nodes, shares = roots_legendre(60)
    laws = jax.nn.log_softmax(jnp.asarray(nodes)[:, None] @ line.T, axis=1)

    def on_line(weights: np.ndarray) -> jax.Array:
        found = sphere.log_predictive(laws, jnp.log(weights), counts[None])[0]
        return divergence(truth, found)

    assert abs(value - on_line(shares)) < 6.0 * error
    # Of a circle's points the coordinate is not uniform.
    assert abs(value - on_line(shares / np.sqrt(1.0 - nodes**2))) > 6.0 * error


def test_batches_of_sequences_are_the_sequences() -> None:
    """The layout for speed against the plain functions: all parts, and none of them."""
    full = random_weights(2, d=7, width=6, layers=3, hidden=5, length=9)
    tokens = np.random.default_rng(0).integers(0, 7, (3, 9))
    tokens[:, 0] = 7
    bare = constructed(np.random.default_rng(1).standard_normal((4, 2)), 2, 0.5)
    lines = np.array([[0, 1, 2, 3, 4, 1, 1], [0, 1, 2, 3, 4, 3, 0]])
    cases = (
        (full, tokens, np.array([START] + 8 * [SEED])),
        (bare, lines, np.array(4 * [VOCABULARY] + [START] + 2 * [SEED])),
    )
    for weights, lines, segments in cases:
        found = quick_jit(next_tokens)(weights, jnp.asarray(lines), jnp.asarray(segments))
        one = quick_jit(next_token)
        wanted = [one(weights, jnp.asarray(each), jnp.asarray(segments)) for each in lines]
        np.testing.assert_allclose(found, np.stack(wanted), atol=1e-12)
        assert np.abs(np.asarray(found) - np.stack(wanted)[::-1]).max() > 1e-3


def test_references_after_chosen_seeds_are_those_of_whole_sequences() -> None:
    """Counts against sequences, and the rule over the sphere against one over the circle."""
    table = np.random.default_rng(1).standard_normal((8, 2))
    found = compared(None, table, 1.0, (0, 2, 12), rows=5, layers=3, step=0.5, seed=4)
    on = fresh_sequences(table, 1.0, 5, 12, seed=4)
    tokens = np.asarray(on.tokens)
    for name, log_q, error in (
        ("bayes", bayes_on_the_circle(table, 1.0, tokens), 2e-4),
        ("constructed, 3 layers", whole_sequences(constructed(table, 3, 0.5), tokens), 1e-9),
    ):
        wanted = divergences(np.asarray(on.log_law), log_q)[:, [0, 2, 12]]
        np.testing.assert_allclose(found.values[name], wanted, rtol=error)
    assert not found.found["maximum likelihood"][:, 0].any()
    shallow = found.values["constructed, 2 layers"]
    assert np.abs(shallow / found.values["constructed, 3 layers"] - 1.0)[:, 2].min() > 1e-4
    with pytest.raises(InputError, match="sizes: are"):
        compared(None, table, 1.0, (4, 2), rows=5)


def test_a_divergence_table_is_paired() -> None:
    """By hand: ratio of means and its error from the differences; failures are left out of both."""
    bayes_values = np.array([[1.0], [2.0], [3.0]])
    mine, good = 1.5 * bayes_values, np.ones((3, 1), bool)
    some = np.array([[True], [True], [False]])
    found = Compared(
        (4,),
        {
            "trained": mine,
            "bayes": bayes_values,
            "maximum likelihood": mine + [[0.0], [0.0], [9.0]],
        },
        {"trained": good, "bayes": good, "maximum likelihood": some},
    )
    table = divergence_table(found, 4).set_index("generator")
    own, likeliest = table.loc["trained"], table.loc["maximum likelihood"]
    assert own.kl == 3.0 and own.se == pytest.approx(1.5 / 3**0.5)
    assert (own.ratio_bayes, own.ratio_bayes_se) == (1.5, 0.0) and own.gap_bayes == 1.0
    assert own.gap_bayes_se == pytest.approx(0.5 / 3**0.5)
    assert likeliest.ratio_bayes == 1.5 and (likeliest.replicates, likeliest.failures) == (2, 1)
    assert likeliest.predicted == 0.5 and table.loc["bayes"].predicted == 0.375
    assert table.loc["oracle"].kl == 0.0 and np.isnan(own.ratio_constructed)


def test_attention_is_where_the_heads_look() -> None:
    model = teaching_model().trained
    table = attention_table(model.weights, evaluation_table(), 1.0)
    sums = table.groupby(["model", "layer", "head", "query"]).weight.sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-6)
    chosen = (table["head"] == "head mean") & (table["query"] == 5) & (table["layer"] == 1)
    mean = pd.DataFrame(table[chosen])
    seeds = pd.DataFrame(mean[mean["key"] > 0])
    np.testing.assert_allclose(seeds["weight"], 0.2, atol=1e-12)
    assert seeds["key"].tolist() == [1, 2, 3, 4, 5]
    assert mean["weight"].to_numpy()[mean["key"] <= 0].max() < 1e-100
    own = table[table.model == "trained"]
    assert own.key.min() == 0 and set(own["head"]) == {"head 1", "head 2"}


def evaluation_table() -> np.ndarray:
    return np.asarray(teaching_model().trained.weights.embedding)[:-1, :4].astype(float)


@pytest.mark.parametrize("room", [built, trained])
def test_claims_are_supported_and_their_twins_contradicted(room) -> None:  # noqa: ANN001
    lab = Lab(PRESETS["quick"], 11)
    for claim in room.CLAIMS:
        entry, evidence = run_claim(claim, lab)
        assert entry["outcome"] == "supported", entry
        assert entry["twin"]["outcome"] == "contradicted" and len(evidence) >= 3
        assert entry["resolution"] is None or entry["resolution"] <= 0.05
    if room is trained:
        assert set(lab.drawn) == {"trained_kl", "attention"}
