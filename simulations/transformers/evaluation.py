"""Exact divergences of generators by number of seeds, over fresh latents, all on the same sequences."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import quick_jit
from simulations.tokens import bayes
from simulations.tokens.world import divergence
from simulations.transformers.architecture import Weights, next_token
from simulations.transformers.latents import Sequences, key_of, sequences
from simulations.transformers.prompts import prompt, reading
from simulations.transformers.training import predictions

FOR_EVALUATION, FOR_BAYES = 2, 3
_BLOCK = 64
_HARDLY = 1e-6
Predictor = Callable[[Array], Array]
"""From tokens ``(N, T)`` to ``log Q (N, T + 1, d)`` after 0..T of them."""


class Divergences(NamedTuple):
    """``KL(P || Q_n)`` in nats after n = 0..T seeds, of N latents."""

    values: np.ndarray
    """``(N, T + 1)``."""

    @property
    def mean(self) -> np.ndarray:
        """``(T + 1,)``."""
        return self.values.mean(axis=0)

    @property
    def se(self) -> np.ndarray:
        """Standard error of `mean`, ``(T + 1,)``."""
        return self.values.std(axis=0, ddof=1) / np.sqrt(len(self.values))


class Ratio(NamedTuple):
    """A ratio of means and its standard error, by number of seeds."""

    value: np.ndarray
    se: np.ndarray


def trained_predictor(weights: Weights) -> Predictor:
    """What trained weights predict, in their precision."""
    program = quick_jit(predictions)
    return lambda tokens: program(weights, tokens)


def constructed_predictor(weights: Weights) -> Predictor:
    """What constructed weights predict: the vocabulary before the start token, then the seeds."""
    d = weights.readout.shape[0]
    first = reading(d, lists=True)

    def one(seeds: Array) -> Array:
        tokens, segments = prompt(np.zeros(len(seeds), int), d, lists=True)
        line = jnp.asarray(tokens).at[first + 1 :].set(seeds)
        return next_token(weights, line, jnp.asarray(segments))[first:]

    return quick_jit(jax.vmap(one))


def bayes_predictor(embeddings: np.ndarray, latent_norm: float, draws: int = 2048) -> Predictor:
    """The Bayes predictive under latents uniform on the sphere: what training aims at.

    By quadrature for r <= 2. Above, by importance sampling from ``draws`` latents after every seed,
    which inflates its divergence by a share of about 1/effective number (`simulations.tokens.bayes`).

    Args:
        embeddings: U, ``(d, r)``.
        latent_norm: B.
        draws: even; for r > 2 only.
    """
    table = jnp.asarray(embeddings, float)

    def after(row: Array, n: Array, target: Array) -> Array:
        if table.shape[1] <= 2:
            return bayes.quadrature(table, target, n, latent_norm).log_law
        key = jax.random.fold_in(key_of(0, FOR_BAYES, row), n.astype(jnp.int32))
        # The proposal is made at a posterior's mode, which there is not without seeds.
        seeds = jnp.maximum(n, _HARDLY)
        return bayes.importance(table, target, seeds, latent_norm, key, draws).log_law

    def one(row: Array, seeds: Array) -> Array:
        n = jnp.arange(len(seeds) + 1.0)
        sums = jnp.cumsum(table[seeds], axis=0)
        # Without seeds the target has no weight; it must only point somewhere.
        targets = jnp.concatenate([table[:1], sums / n[1:, None]])
        return jax.vmap(lambda at, target: after(row, at, target))(n, targets)

    program = quick_jit(jax.vmap(one))
    return lambda tokens: program(jnp.arange(len(tokens)), tokens)


def fresh_sequences(
    embeddings: np.ndarray, latent_norm: float, rows: int, length: int, seed: int
) -> Sequences:
    """N sequences of T tokens that no training has seen (another purpose of the key).

    Args:
        embeddings: U, ``(d, r)``, in double precision.
        latent_norm: B.
        rows: N.
        length: T.
        seed: root of the draws.
    """
    key = key_of(seed, FOR_EVALUATION, 0)
    program = quick_jit(sequences, once=True, static_argnums=(3, 4))
    return program(key, jnp.asarray(embeddings, float), latent_norm, rows, length)


def divergences(predictors: Mapping[str, Predictor], on: Sequences) -> dict[str, Divergences]:
    """``KL(P || Q_n)``, an exact sum over tokens in double precision, for every predictor.

    Args:
        predictors: by name.
        on: sequences, from `fresh_sequences`; all predictors read the same, so that their differences
            are paired.

    Laws in single precision carry errors of 1e-7 in their logarithms: a divergence below 1e-12 of such
    a law is rounding. Source: paper_notes/transformers_built.md, section 6.
    """
    program = quick_jit(_divergence)
    found: dict[str, Divergences] = {}
    for name, predict in predictors.items():
        blocks = range(0, len(on.tokens), _BLOCK)
        parts = [
            program(on.log_law[i : i + _BLOCK], predict(on.tokens[i : i + _BLOCK])) for i in blocks
        ]
        found[name] = Divergences(np.concatenate([np.asarray(part) for part in parts]))
    return found


def ratio(one: Divergences, other: Divergences) -> Ratio:
    """``mean(one)/mean(other)`` by number of seeds, with the standard error of a ratio of paired means:
    that of the mean of ``one - ratio other``, over ``mean(other)``; its bias is of order 1/N.

    >>> same = Divergences(np.array([[1.0], [3.0]]))
    >>> ratio(same, same)
    Ratio(value=array([1.]), se=array([0.]))
    """
    value = one.mean / other.mean
    rest = one.values - value[None] * other.values
    return Ratio(value, rest.std(axis=0, ddof=1) / np.sqrt(len(rest)) / other.mean)


def _divergence(log_p: Array, log_q: Array) -> Array:
    """``(N, T + 1)``."""
    # Laws in single precision sum to 1 within 1e-7 only: that is taken out, in double precision.
    q = jax.nn.log_softmax(log_q.astype(log_p.dtype), axis=-1)
    return divergence(log_p[:, None, :], q)
