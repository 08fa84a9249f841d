"""Training in context: the run, its data, its checkpoints, and what a short run has learnt.

Long because its tests share short runs, each of which takes seconds to train.
"""

import io
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import logsumexp, softmax

from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.tokens import bayes
from simulations.transformers import checkpoints, latents, training
from simulations.transformers.architecture import (
    SEED,
    START,
    Weights,
    next_token,
    parameters,
    streams,
)
from simulations.transformers.comparison import BAYES, TRAINED, compared, layer_name
from simulations.transformers.generation import generated
from simulations.transformers.latents import fresh_sequences
from simulations.transformers.plans import TrainingPlan
from tests.stochastic import Disagreement, assert_mean
from tests.transformer_reference import bayes_on_the_circle, divergences, forward, random_weights

SMALL = TrainingPlan(
    vocabulary=8,
    embedding_dim=2,
    context=12,
    layers=1,
    heads=2,
    head_dim=4,
    width=16,
    hidden=16,
    batch=32,
    steps=400,
    warmup=20,
    learning_rate=1e-2,
)
TINY = SMALL.model_copy(update={"context": 4, "hidden": 8, "batch": 4, "steps": 12, "warmup": 2})
EMBEDDINGS = np.random.default_rng(1).standard_normal((8, 2))


class Killed(Exception):  # noqa: N818
    """What a test raises in the middle of a run."""


def killed_at(step: int) -> Any:
    def report(progress: training.Progress) -> None:
        if progress.step >= step:
            raise Killed

    return report


def bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def test_the_architecture_is_what_it_says() -> None:
    """Against plain NumPy, with every optional part: positions, perceptrons, gains."""
    weights = random_weights(2, d=7, width=6, layers=3, hidden=5, length=9)
    tokens = np.array([7, 0, 3, 3, 6, 1, 2, 0, 5])
    segments = np.array([START] + 8 * [SEED])
    found = quick_jit(streams)(weights, jnp.asarray(tokens), jnp.asarray(segments))
    law = quick_jit(next_token)(weights, jnp.asarray(tokens), jnp.asarray(segments))
    stream, log_law = forward(weights, tokens, segments)
    assert np.abs(np.asarray(found) - stream).max() < 1e-12
    assert np.abs(np.asarray(law) - log_law).max() < 1e-12
    for name in ("attention_gain", "hidden_bias", "hidden_gain", "hidden_out"):
        part = getattr(weights.layers, name)
        other = weights._replace(layers=weights.layers._replace(**{name: part * 1.01}))
        assert np.abs(forward(other, tokens, segments)[1] - log_law).max() > 1e-6


def test_a_new_model_is_uniform() -> None:
    """The readout begins at 0: the first loss is ``log d``, whatever the tokens."""

    def first() -> tuple[Weights, jax.Array]:
        weights = training.with_embeddings(training.initial(TINY), EMBEDDINGS)
        given = jnp.asarray(EMBEDDINGS, jnp.float32)
        return weights, training.batch_loss(weights, given, TINY, jnp.asarray(0))

    weights, loss = quick_jit(first, once=True)()
    assert abs(float(loss) - np.log(8)) < 1e-6
    assert {leaf.dtype for leaf in jax.tree.leaves(weights)} == {np.dtype("float32")}
    assert (np.asarray(weights.embedding)[:8, :2] == EMBEDDINGS.astype(np.float32)).all()
    assert not np.asarray(weights.embedding)[8].any()
    assert parameters(weights) > 1000


@pytest.mark.parametrize("target", ["token", "law"])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path, target: str) -> None:
    plan = TINY.model_copy(update={"target": target})
    whole = training.train(plan, EMBEDDINGS, every=5)
    for step in (5, 10):
        with pytest.raises(Killed):
            training.train(plan, EMBEDDINGS, folder=tmp_path, every=5, progress=killed_at(step))
    resumed = training.train(plan, EMBEDDINGS, folder=tmp_path, every=5)
    assert bits(resumed.weights) == bits(whole.weights)
    assert bits(resumed.losses) == bits(whole.losses) and (whole.losses > 0.0).all()
    # A finished run is read back, without a step.
    again = training.train(plan, EMBEDDINGS, folder=tmp_path, progress=killed_at(0))
    assert bits(again.weights) == bits(whole.weights)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.FILE]


@pytest.mark.parametrize("lost", ["optimiser.1.0.mu", "optimiser.1.0.count"])
def test_a_run_that_lost_its_moments_does_not(tmp_path: Path, lost: str) -> None:
    """The twin: a checkpoint whose arrays of one kind are 0."""
    whole = training.train(TINY, EMBEDDINGS, every=5)
    with pytest.raises(Killed):
        training.train(TINY, EMBEDDINGS, folder=tmp_path, every=5, progress=killed_at(5))

    def emptied(name: str, content: bytes) -> bytes:
        if not name.startswith(lost):
            return content
        array = np.lib.format.read_array(io.BytesIO(content))
        return as_npy(np.zeros_like(array))

    assert rewrite(tmp_path / checkpoints.FILE, emptied) > 0
    resumed = training.train(TINY, EMBEDDINGS, folder=tmp_path, every=5)
    assert bits(resumed.weights) != bits(whole.weights)


def as_npy(array: np.ndarray, pickled: bool = False) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, allow_pickle=pickled)
    return content.getvalue()


def rewrite(path: Path, change: Any) -> int:
    """Change the members of a checkpoint; how many changed."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    changed = {name: change(name, content) for name, content in kept.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in changed.items():
            archive.writestr(name, content)
    return sum(changed[name] != kept[name] for name in kept)


def checkpoint_of_five_steps(folder: Path) -> Path:
    with pytest.raises(Killed):
        training.train(TINY, EMBEDDINGS, folder=folder, every=5, progress=killed_at(5))
    return folder / checkpoints.FILE


def test_a_checkpoint_says_where_it_comes_from(tmp_path: Path) -> None:
    with zipfile.ZipFile(checkpoint_of_five_steps(tmp_path)) as archive:
        kept = json.loads(archive.read("provenance.json"))
        others = [name for name in archive.namelist() if name != "provenance.json"]
        arrays = [
            np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in others
        ]
    assert kept["step"] == 5 and kept["plan"] == TINY.model_dump() and kept["plan"]["seed"] == 0
    assert set(kept["versions"]) == {"jax", "jaxlib", "numpy", "optax"}
    assert all(name.endswith(".npy") for name in others) and len(arrays) > 10


def test_checkpoints_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = checkpoint_of_five_steps(tmp_path)
    good = path.read_bytes()

    def refused(says: str, plan: TrainingPlan = TINY, embeddings: np.ndarray = EMBEDDINGS) -> None:
        kept = path.read_bytes()
        with pytest.raises(InputError, match=says) as found:
            training.train(plan, embeddings, folder=tmp_path)
        text = str(found.value)
        assert str(path) in text and text.count(". ") == 0 and text.endswith(".")
        assert path.read_bytes() == kept

    refused("another run .*seed 0, not 1", TINY.model_copy(update={"seed": 1}))
    refused("another run .*embeddings differ", embeddings=EMBEDDINGS + 1.0)
    refused("another run .*hidden 8, not 9", TINY.model_copy(update={"hidden": 9}))
    path.write_bytes(good[: len(good) // 2])
    refused("damaged")
    path.write_bytes(good)
    pickled = as_npy(np.array([{}], dtype=object), pickled=True)
    rewrite(path, lambda name, content: pickled if name == "losses.npy" else content)
    refused("damaged")


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    """A rate of 1e30 throws the weights out of range; what was kept before stays and is finite."""
    plan = TINY.model_copy(update={"learning_rate": 1e30, "warmup": 0, "clip": 1e30})
    kept: list[bytes] = []
    path = tmp_path / checkpoints.FILE
    with pytest.raises(InputError, match="loss is no number after step .* below 1e.30") as found:
        training.train(
            plan,
            EMBEDDINGS,
            folder=tmp_path,
            every=1,
            progress=lambda _: kept.append(path.read_bytes()),
        )
    assert str(found.value).count(". ") == 0 and "keeps the checkpoint of step" in str(found.value)
    assert kept and path.read_bytes() == kept[-1]
    with zipfile.ZipFile(path) as archive:
        arrays = [
            np.lib.format.read_array(io.BytesIO(archive.read(name)))
            for name in archive.namelist()
            if name.startswith("weights")
        ]
    assert arrays and all(np.isfinite(array).all() for array in arrays)


def test_reports_every_zero_steps_are_refused() -> None:
    with pytest.raises(InputError, match="every: is 0"):
        training.train(TINY, EMBEDDINGS, every=0)


def test_embeddings_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(8, 2\); the plan asks for \(9, 2\)"):
        training.train(TINY.model_copy(update={"vocabulary": 9}), EMBEDDINGS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": 1}, "holds the embeddings, so give 2 or more"),
        ({"warmup": 12}, "is 12 of 12 steps; give fewer"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"leraning_rate": 1.0}, "did you mean 'learning_rate'"),
    ],
)
def test_plans_that_cannot_be_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        TrainingPlan(**{**TINY.model_dump(), **change})


def test_a_report_says_loss_and_time_left() -> None:
    told: list[training.Progress] = []
    model = training.train(TINY, EMBEDDINGS, every=5, progress=told.append)
    assert [each.step for each in told] == [5, 10, 12]
    assert told[-1].seconds_left == 0.0 and told[0].seconds_left > 0.0
    parts = (model.losses[:5], model.losses[5:10], model.losses[10:])
    assert [each.loss for each in told] == [float(part.mean()) for part in parts]


def test_sequences_come_from_their_laws() -> None:
    """Latents of norm B in every direction alike; tokens with the frequencies of the law."""
    rows, length = 4000, 25
    key = latents.key_of(5, 0, 0)
    on = latents.sequences(key, jnp.asarray(EMBEDDINGS), 1.5, rows, length)
    again = latents.sequences(key, jnp.asarray(EMBEDDINGS), 1.5, rows, length)
    other = latents.sequences(latents.key_of(5, 0, 1), jnp.asarray(EMBEDDINGS), 1.5, rows, length)
    assert (on.tokens == again.tokens).all() and not (on.tokens == other.tokens).all()
    points = latents.sphere(key, rows, 3, 1.5, jnp.dtype(float))
    assert np.abs(np.linalg.norm(points, axis=1) - 1.5).max() < 1e-12
    moments = np.stack([points[:, 0], points[:, 0] ** 2, points[:, 0] * points[:, 1]], axis=1)
    assert_mean(moments.mean(0), moments.std(0) / rows**0.5, [0.0, 0.75, 0.0], detects=0.15)
    law = np.exp(np.asarray(on.log_law))
    counts = np.stack([np.bincount(line, minlength=8) for line in np.asarray(on.tokens)])

    def agree(laws: np.ndarray, detects: float) -> None:
        """Deviations of frequencies have mean 0 also when weighed by the law: it is the row's own."""
        gap = (counts / length - laws) * laws
        assert_mean(gap.mean(0), gap.std(axis=0, ddof=1) / rows**0.5, 0.0, detects=detects)

    agree(law, 0.005)
    with pytest.raises(Disagreement):
        agree(np.roll(law, 1, axis=0), 0.02)


def test_the_mean_over_the_next_token_is_the_loss_against_the_law() -> None:
    """``target = "law"`` averages the next token out: the same mean loss."""
    weights = training.with_embeddings(short_run().weights, EMBEDDINGS)
    given = jnp.asarray(EMBEDDINGS, jnp.float32)
    plan = SMALL.model_copy(update={"batch": 64})

    def gap_of(step: jax.Array) -> jax.Array:
        by_token = training.batch_loss(weights, given, plan, step)
        by_law = training.batch_loss(
            weights, given, plan.model_copy(update={"target": "law"}), step
        )
        return by_token - by_law

    gap = np.asarray(quick_jit(lambda: jax.lax.map(gap_of, jnp.arange(40)))(), float)
    assert_mean(gap.mean(), gap.std(ddof=1) / len(gap) ** 0.5, 0.0, detects=0.05)
    with pytest.raises(Disagreement):
        assert_mean(gap.mean() + 0.05, gap.std(ddof=1) / len(gap) ** 0.5, 0.0, detects=0.05)


@cache
def short_run() -> training.Trained:
    return training.train(SMALL, EMBEDDINGS)


@cache
def measured() -> dict[str, np.ndarray]:
    """Divergences ``(N, 13)`` after 0..12 seeds, on the same sequences."""
    sizes = range(SMALL.context + 1)
    found = compared(
        short_run().weights,
        EMBEDDINGS,
        SMALL.latent_norm,
        sizes,
        rows=1024,
        layers=3,
        step=0.5,
        seed=9,
    )
    on = fresh_sequences(EMBEDDINGS, SMALL.latent_norm, 1024, SMALL.context, seed=9)
    # A new model, by the test above.
    uniform = divergences(np.asarray(on.log_law), np.full((1024, len(sizes), 8), -np.log(8.0)))
    return {**found.values, "uniform": uniform}


def test_a_short_run_learns_to_read_its_context() -> None:
    """After a few seconds: near Bayes at every number of seeds; a new model is three times as far."""
    found = measured()

    def near(model: str) -> bool:
        ratio = found[model].mean(axis=0) / found[BAYES].mean(axis=0)
        rest = found[model] - ratio * found[BAYES]
        se = rest.std(axis=0, ddof=1) / len(rest) ** 0.5 / found[BAYES].mean(axis=0)
        return bool((ratio + 5.0 * se < 1.35).all())

    assert near(TRAINED) and not near("uniform")
    assert (found["uniform"].mean(axis=0) / found[BAYES].mean(axis=0))[-1] > 3.0


def test_nothing_beats_bayes_on_its_own_prior() -> None:
    """The Bayes predictive minimises the mean divergence at every n; who has read two more tokens
    beats it. One-sided, 26 comparisons at 1e-6 in all: z = 5.4."""
    found = measured()

    def nowhere_better(than: np.ndarray) -> None:
        gap = than - found[BAYES]
        se = gap.std(axis=0, ddof=1) / len(gap) ** 0.5
        if (gap.mean(axis=0) < -5.5 * se).any():
            raise Disagreement("better than Bayes")

    for name in (TRAINED, layer_name(3)):
        nowhere_better(found[name])
    bayes = found[BAYES]
    two_more = np.concatenate([bayes[:, 2:], bayes[:, -2:]], axis=1)
    with pytest.raises(Disagreement):
        nowhere_better(two_more)


def test_bayes_by_two_quadratures() -> None:
    """The product rule on the sphere against the trapezoid rule over the whole circle."""
    found = compared(None, EMBEDDINGS, 1.0, range(13), rows=5, layers=0, likelihood=False, seed=4)
    on = fresh_sequences(EMBEDDINGS, 1.0, 5, 12, seed=4)
    log_p, tokens = np.asarray(on.log_law), np.asarray(on.tokens)
    wanted = divergences(log_p, bayes_on_the_circle(EMBEDDINGS, 1.0, tokens))
    assert np.abs(found.values[BAYES] / wanted - 1.0).max() < 1e-4
    longer = divergences(log_p, bayes_on_the_circle(EMBEDDINGS, 1.01, tokens))
    assert np.abs(found.values[BAYES] / longer - 1.0).max() > 1e-3


def test_bayes_by_importance_sampling() -> None:
    """r = 3, against 20,000 points of the prior; 1 to 4 seeds. The sampler's own divergence is of
    order 1/effective number, below 0.005 here; a norm of 2 in place of 1 is seen."""
    table = np.random.default_rng(6).standard_normal((8, 3))
    seeds = np.random.default_rng(8).integers(8, size=(4, 4))
    points = np.random.default_rng(7).standard_normal((20_000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)

    def brute(tokens: np.ndarray, norm: float) -> np.ndarray:
        log_laws = norm * points @ table.T
        log_laws -= logsumexp(log_laws, axis=1, keepdims=True)
        return np.log(softmax(log_laws[:, tokens].sum(axis=1)) @ np.exp(log_laws))

    def sampled(target: jax.Array, n: jax.Array) -> jax.Array:
        key = jax.random.key(5)
        return bayes.importance(jnp.asarray(table), target, n, 1.0, key, 2048).log_law

    cases = [line[:n] for line in seeds for n in (1, 2, 4)]
    targets = jnp.asarray(np.stack([table[case].mean(axis=0) for case in cases]))
    sizes = jnp.asarray([float(len(case)) for case in cases])
    found = np.asarray(quick_jit(jax.vmap(sampled))(targets, sizes))
    for norm, near in ((1.0, True), (2.0, False)):
        wanted = np.stack([brute(case, norm) for case in cases])
        apart = (np.exp(wanted) * (wanted - found)).sum(axis=1)
        assert (apart < 0.005).all() == near


def test_a_trained_model_generates_in_one_stream() -> None:
    """The first generated token follows the law after the seeds, each later one a longer context."""
    weights, key = short_run().weights, jax.random.key(3)
    seeds = np.array([1, 1, 5])
    rows = np.asarray(generated(weights, seeds, 4, key, lists=False, fed_back=True))
    line = jnp.asarray(np.concatenate([seeds, rows])[None])
    log_laws = quick_jit(training.predictions)(weights, line)[0]
    wanted = [
        int(jax.random.categorical(jax.random.fold_in(key, i), log_laws[3 + i])) for i in range(4)
    ]
    assert rows.tolist() == wanted
    with pytest.raises(InputError, match="know no output positions"):
        generated(weights, seeds, 4, key, lists=False)
    with pytest.raises(InputError, match="has 14 positions, of which the model knows 13"):
        generated(weights, seeds, 10, key, lists=False, fed_back=True)
