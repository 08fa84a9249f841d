"""Sequences to train on: a fresh latent for each, uniform on a sphere, and tokens from its law."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import quick_jit
from simulations.tokens.world import World, embeddings
from simulations.transformers.plans import TrainingPlan

IMPLEMENTATION = "threefry2x32"
# Purposes of keys: each draws of its own.
FOR_WEIGHTS, FOR_TRAINING, FOR_EVALUATION = range(3)


class Sequences(NamedTuple):
    """Independent sequences of tokens, each with the law its tokens come from."""

    tokens: Array
    """``(N, T)`` int32."""
    log_law: Array
    """``log P_eta (N, d)``."""


def key_of(seed: int, purpose: int, number: Array | int) -> Array:
    """The key of the ``number``-th batch of one purpose."""
    key = jax.random.key(seed, impl=IMPLEMENTATION)
    return jax.random.fold_in(jax.random.fold_in(key, purpose), number)


def token_table(plan: TrainingPlan) -> np.ndarray:
    """``U (d, r)`` of a plan's world: the token world's embeddings under the plan's seed.

    >>> token_table(TrainingPlan(vocabulary=8, embedding_dim=2)).shape
    (8, 2)
    """
    world = World(plan.vocabulary, plan.embedding_dim, plan.latent_norm, angle=0.0)
    return embeddings(world, plan.seed)


def sphere(key: Array, rows: int, dim: int, radius: float, dtype: jnp.dtype) -> Array:
    """Points ``(rows, dim)`` uniform on the sphere of a radius B.

    >>> points = sphere(key_of(0, 0, 0), 3, 2, 2.0, jnp.dtype("float32"))
    >>> jnp.linalg.norm(points, axis=1).round(5).tolist()
    [2.0, 2.0, 2.0]
    """
    normals = jax.random.normal(key, (rows, dim), dtype)
    return radius * normals / jnp.linalg.norm(normals, axis=1, keepdims=True)


def sequences(key: Array, embeddings: Array, radius: float, rows: int, length: int) -> Sequences:
    """Fresh sequences: ``eta`` uniform on ``|eta| = B``, tokens independent from ``P_eta``.

    Args:
        key: of ``jax.random``.
        embeddings: U, ``(d, r)``; their precision is that of the laws.
        radius: B > 0.
        rows: N.
        length: T, tokens of each.

    Tokens are inverses of the distribution function at uniforms: one number a token.
    """
    for_latents, for_tokens = jax.random.split(key)
    latents = sphere(for_latents, rows, embeddings.shape[1], radius, embeddings.dtype)
    log_law = jax.nn.log_softmax(latents @ embeddings.T, axis=1)
    cumulative = jnp.cumsum(jnp.exp(log_law), axis=1)
    uniforms = jax.random.uniform(for_tokens, (rows, length), embeddings.dtype)
    # The last sum is 1 up to rounding: a uniform above it is the last token.
    found = jax.vmap(jnp.searchsorted)(cumulative[:, :-1], uniforms)
    return Sequences(found.astype(jnp.int32), log_law)


def fresh_sequences(
    embeddings: np.ndarray, latent_norm: float, rows: int, length: int, seed: int
) -> Sequences:
    """N sequences of T tokens that no training has seen (another purpose of the key).

    Args:
        embeddings: U, ``(d, r)``, in double precision.
        latent_norm: B > 0.
        rows: N >= 1.
        length: T >= 1.
        seed: root of the draws.

    >>> fresh_sequences(np.eye(3), 1.0, 2, 5, seed=0).tokens.shape
    (2, 5)
    """
    key = key_of(seed, FOR_EVALUATION, 0)
    program = quick_jit(sequences, once=True, static_argnums=(3, 4))
    return program(key, jnp.asarray(embeddings, float), latent_norm, rows, length)
