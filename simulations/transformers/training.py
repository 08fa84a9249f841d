"""Training in context: every position predicts the token after it, every sequence has a new latent.

The loss of position n is ``E log P - E log Q = KL(P || Q_n)`` plus the entropy of P, which no weights
change: one model is trained for every number of seeds 0..context. AdamW in single precision; data of
step t come from the key of t, so that a run that was stopped goes on to the same bits.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.transformers import checkpoints
from simulations.transformers.architecture import SEED, SEGMENTS, START, Layers, Weights
from simulations.transformers.batches import next_tokens
from simulations.transformers.latents import FOR_TRAINING, FOR_WEIGHTS, key_of, sequences
from simulations.transformers.plans import TrainingPlan


class State(NamedTuple):
    """A run after some steps: all that the next step needs besides the plan and the embeddings."""

    weights: Weights
    """With ``embedding`` empty: it is given, not learnt."""
    optimiser: Any
    losses: AnyArray
    """``(steps,)`` float32: the loss of every step so far, 0 for those to come."""


class Progress(NamedTuple):
    """What a training run tells while it goes on."""

    step: int
    steps: int
    loss: float
    """Mean over the steps since the last report."""
    seconds_left: float


class Trained(NamedTuple):
    """A trained model."""

    plan: TrainingPlan
    weights: Weights
    losses: np.ndarray
    """``(steps,)``: of every step, in nats per token."""


def initial(plan: TrainingPlan) -> Weights:
    """Random weights of a plan, ``embedding`` empty: heads and perceptrons of variance 1/fan-in, what
    they write scaled down by ``sqrt(2 L)``, readout and positions small, gains 1."""
    shape = plan.layers, plan.heads
    keys = iter(jax.random.split(key_of(plan.seed, FOR_WEIGHTS, 0), 8))

    def normal(scale: float, *of: int) -> Array:
        return scale * jax.random.normal(next(keys), of, jnp.float32)

    inward = plan.width**-0.5
    written = (2 * plan.layers) ** -0.5
    layers = Layers(
        # The factor 1/sqrt(key dim) of the scores is here.
        query=normal(inward * plan.head_dim**-0.5, *shape, plan.head_dim, plan.width),
        key=normal(inward, *shape, plan.head_dim, plan.width),
        value=normal(inward, *shape, plan.head_dim, plan.width),
        output=normal(
            written * (plan.heads * plan.head_dim) ** -0.5, *shape, plan.width, plan.head_dim
        ),
        attention_gain=jnp.ones((plan.layers, 1, plan.width), jnp.float32),
        hidden_in=normal(inward, plan.layers, plan.hidden, plan.width),
        hidden_bias=jnp.zeros((plan.layers, plan.hidden), jnp.float32),
        hidden_out=normal(
            written * max(plan.hidden, 1) ** -0.5, plan.layers, plan.width, plan.hidden
        ),
        hidden_gain=jnp.ones((plan.layers, 1 if plan.hidden else 0, plan.width), jnp.float32),
    )
    return Weights(
        embedding=jnp.zeros((0, plan.width), jnp.float32),
        segment=jnp.zeros((SEGMENTS, plan.width), jnp.float32).at[START, -1].set(1.0),
        position=normal(0.1, plan.positions, plan.width),
        layers=layers,
        readout_gain=jnp.ones((1, plan.width), jnp.float32),
        readout=jnp.zeros((plan.vocabulary, plan.width), jnp.float32),
    )


def with_embeddings(weights: Weights, embeddings: AnyArray) -> Weights:
    """The weights with U ``(d, r)`` as token embeddings, in the first r coordinates of the stream."""
    given = jnp.asarray(embeddings, jnp.float32)
    empty = jnp.zeros((given.shape[0] + 1, weights.segment.shape[1]), jnp.float32)
    return weights._replace(embedding=empty.at[:-1, : given.shape[1]].set(given))


def optimiser(plan: TrainingPlan) -> optax.GradientTransformation:
    """AdamW behind a bound on the gradient's length; linear warm-up, then a cosine to 0."""
    rate = optax.warmup_cosine_decay_schedule(
        0.0 if plan.warmup else plan.learning_rate, plan.learning_rate, plan.warmup, plan.steps
    )
    return optax.chain(
        optax.clip_by_global_norm(plan.clip),
        optax.adamw(rate, b1=0.9, b2=0.98, weight_decay=plan.weight_decay),
    )


def predictions(weights: Weights, tokens: Array) -> Array:
    """``log Q (N, T + 1, d)`` of a trained model after 0..T seeds of every sequence ``(N, T)``."""
    d = weights.readout.shape[0]
    start = jnp.full((tokens.shape[0], 1), d, tokens.dtype)
    line = jnp.concatenate([start, tokens], axis=1)
    segments = jnp.asarray([START] + [SEED] * tokens.shape[1])
    return next_tokens(weights, line, segments)


def batch_loss(weights: Weights, embeddings: Array, plan: TrainingPlan, step: Array) -> Array:
    """The mean loss of a step's batch, in nats per token; weights with their embeddings."""
    drawn = sequences(
        key_of(plan.seed, FOR_TRAINING, step),
        embeddings,
        plan.latent_norm,
        plan.batch,
        plan.positions,
    )
    log_q = predictions(weights, drawn.tokens[:, :-1])
    if plan.target == "law":
        return -jnp.einsum("nd,ntd->", jnp.exp(drawn.log_law), log_q) / drawn.tokens.size
    return -jnp.take_along_axis(log_q, drawn.tokens[..., None], axis=2).mean()


def first_state(plan: TrainingPlan) -> State:
    """The state before the first step."""
    weights = initial(plan)
    return State(weights, optimiser(plan).init(weights), jnp.zeros(plan.steps, jnp.float32))  # pyright: ignore


@cache
def step_of(plan: TrainingPlan) -> Callable[..., tuple[State, Array]]:
    """The compiled step of a plan."""
    rule = optimiser(plan)

    def advance(state: State, embeddings: Array, step: Array) -> tuple[State, Array]:
        def loss_of(weights: Weights) -> Array:
            return batch_loss(with_embeddings(weights, embeddings), embeddings, plan, step)

        loss, gradient = jax.value_and_grad(loss_of)(state.weights)
        change, moments = rule.update(gradient, state.optimiser, state.weights)
        losses = jnp.asarray(state.losses).at[step].set(loss)
        return State(optax.apply_updates(state.weights, change), moments, losses), loss  # pyright: ignore

    return quick_jit(advance)


def first_losses(plan: TrainingPlan, embeddings: np.ndarray, steps: int) -> np.ndarray:
    """The losses of the first steps of a plan, ``(steps,)``, in nats per token.

    >>> plan = TrainingPlan(vocabulary=4, embedding_dim=1, context=2, layers=1, batch=2, width=8)
    >>> bool(abs(first_losses(plan, np.ones((4, 1)), 1)[0] - np.log(4.0)) < 1e-6)
    True
    """
    given = jnp.asarray(embeddings, jnp.float32)
    state = quick_jit(lambda: first_state(plan), once=True)()
    advance = step_of(plan)  # pyright: ignore[reportArgumentType]
    for step in range(steps):
        state, _ = advance(state, given, jnp.asarray(step, jnp.int32))
    return np.asarray(state.losses)[:steps]


def train(
    plan: TrainingPlan,
    embeddings: np.ndarray,
    *,
    folder: Path | None = None,
    every: int = 100,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train a model, or go on with one that ``folder`` holds.

    Args:
        plan: world, architecture, optimiser, seed.
        embeddings: U, ``(d, r)``, used in single precision.
        folder: where the run is kept (``checkpoint.zip``); none: nowhere.
        every: steps between two reports, each with a checkpoint.
        progress: called with every report; what it raises ends the run, the checkpoint stays.

    Returns:
        the model after ``plan.steps`` steps: the same bits however often the run was stopped in between
        (on one machine and one version of JAX).

    Raises:
        InputError: embeddings of another shape, ``every`` below 1, a checkpoint of another run, or a loss
            that is no number; then the last checkpoint before it is left.

    Source: paper_notes/transformers_built.md, section 6.
    """
    if embeddings.shape != (plan.vocabulary, plan.embedding_dim):
        raise InputError(
            f"embeddings: have shape {embeddings.shape}; the plan asks for"
            f" ({plan.vocabulary}, {plan.embedding_dim})."
        )
    if every < 1:
        raise InputError(f"every: is {every}; give a whole number of steps, at least 1.")
    given = jnp.asarray(embeddings, jnp.float32)
    state = quick_jit(lambda: first_state(plan), once=True)()
    begun = 0
    if folder is not None:
        found = checkpoints.load(folder, checkpoints.about(plan, embeddings), state)
        state, begun = found if found is not None else (state, 0)
    # Frozen records can be hashed, which pyright does not know.
    advance = step_of(plan)  # pyright: ignore[reportArgumentType]
    since, clock = begun, time.monotonic()
    for step in range(begun, plan.steps):
        state, _ = advance(state, given, jnp.asarray(step, jnp.int32))
        done = step + 1
        if step == begun:
            # The first step is compiled: its time says nothing of what is left.
            jax.block_until_ready(state.losses)
            clock = time.monotonic()
        if done % every and done < plan.steps:
            continue
        loss = _mean_loss(plan, state, since, done, folder)
        if folder is not None:
            checkpoints.save(folder, checkpoints.about(plan, embeddings), state, done)
        if progress is not None:
            pace = (time.monotonic() - clock) / max(1, done - begun - 1)
            progress(Progress(done, plan.steps, loss, pace * (plan.steps - done)))
        since = done
    return Trained(plan, with_embeddings(state.weights, given), np.asarray(state.losses))


def _mean_loss(
    plan: TrainingPlan, state: State, since: int, done: int, folder: Path | None
) -> float:
    """The mean loss since the last report; raises where loss or weights are no numbers."""
    losses = np.asarray(state.losses)[since:done]
    good = np.isfinite(losses)
    weights_good = all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(state.weights))
    if good.all() and weights_good:
        return float(losses.mean())
    at = since + (int(np.argmin(good)) if not good.all() else done - since - 1)
    where = ""
    if folder is not None and since:
        where = f" and another folder ({folder} keeps the checkpoint of step {since})"
    raise InputError(
        f"training: the loss is no number after step {at} of {plan.steps}; begin again with a"
        f" learning_rate below {plan.learning_rate:g}{where}."
    )
