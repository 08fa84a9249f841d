"""One decoder-only transformer: embeddings, causal softmax attention, residual stream, readout.

    x_t      = embedding[token_t] + segment[segment_t] (+ position[t])
    x       += sum_heads output softmax_{s <= t}( <query x_t, key x_s> ) value x_s
    x       += out gelu(in x + bias)                                    (where there is a perceptron)
    law_t    = softmax(readout x_t)

The same functions serve the weights of `constructed.py` and those of `training.py`. Parts that a
model does not have are arrays of size 0: positions, perceptron, gains. A part with a gain reads its
input through it, divided by the root of its mean square. The usual factor 1/sqrt(key dim) is in the
query weights. Note: paper_notes/transformers_built.md.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.problems import InputError

# What a position is there for: a segment embedding tells the layers.
VOCABULARY, START, SEED, OUTPUT = range(4)
SEGMENTS = 4
_TINY = 1e-6


class Layers(NamedTuple):
    """Weights of L layers, the layer along the first axis; W the width, H heads, M hidden units."""

    query: AnyArray
    """``(L, H, k, W)``."""
    key: AnyArray
    """``(L, H, k, W)``."""
    value: AnyArray
    """``(L, H, v, W)``."""
    output: AnyArray
    """``(L, H, W, v)``: what a head writes into the stream."""
    attention_gain: AnyArray
    """``(L, 0 or 1, W)``."""
    hidden_in: AnyArray
    """``(L, M, W)``."""
    hidden_bias: AnyArray
    """``(L, M)``."""
    hidden_out: AnyArray
    """``(L, W, M)``."""
    hidden_gain: AnyArray
    """``(L, 0 or 1, W)``."""


class Weights(NamedTuple):
    """A transformer over d tokens; the token numbered d is the start token."""

    embedding: AnyArray
    """``(d + 1, W)``."""
    segment: AnyArray
    """``(4, W)``: of a vocabulary position, the start, a seed, an output."""
    position: AnyArray
    """``(0, W)`` for none, or as many rows as there are positions at most."""
    layers: Layers
    readout_gain: AnyArray
    """``(0 or 1, W)``."""
    readout: AnyArray
    """``(d, W)``."""


def embedded(weights: Weights, tokens: Array, segments: Array) -> Array:
    """The stream ``(T, W)`` before the first layer.

    Args:
        weights: of d tokens.
        tokens: ``(T,)``, 0..d, d being the start token.
        segments: ``(T,)``, one of `VOCABULARY`, `START`, `SEED`, `OUTPUT`.

    Raises:
        InputError: more positions than the model has embeddings of.
    """
    known = weights.position.shape[0]
    if 0 < known < len(tokens):
        raise InputError(
            f"prompt: has {len(tokens)} positions, of which the model knows {known}; give fewer seeds."
        )
    stream = jnp.asarray(weights.embedding)[tokens] + jnp.asarray(weights.segment)[segments]
    if known:
        stream = stream + jnp.asarray(weights.position)[: len(tokens)]
    return stream


def looks(layer: Layers, to: Array, of: Array, log_weights: Array) -> Array:
    """How much every head of one layer looks at ``of (S, W)`` from ``to (T, W)``: ``(H, T, S)``, rows
    that sum to 1; arguments as in `attend`."""
    queries = jnp.einsum("hkw,tw->htk", layer.query, scaled(to, layer.attention_gain))
    keys = jnp.einsum("hkw,sw->hsk", layer.key, scaled(of, layer.attention_gain))
    scores = jnp.einsum("htk,hsk->hts", queries, keys) + log_weights[None]
    return jax.nn.softmax(scores, axis=-1)


def attend(layer: Layers, to: Array, of: Array, log_weights: Array) -> Array:
    """What the heads of one layer write into the streams ``to (T, W)`` when they read ``of (S, W)``.

    ``log_weights (T, S)`` joins the scores: ``-inf`` for what is not seen, ``log c`` for a row that
    stands for c equal rows (softmax weighs c equal keys c times).
    """
    values = jnp.einsum("hvw,sw->hsv", layer.value, scaled(of, layer.attention_gain))
    mixed = jnp.einsum("hts,hsv->htv", looks(layer, to, of, log_weights), values)
    return jnp.einsum("hwv,htv->tw", layer.output, mixed)


def perceptron(layer: Layers, stream: Array) -> Array:
    """What the perceptron of one layer writes into the streams ``(T, W)``."""
    inward = scaled(stream, layer.hidden_gain) @ layer.hidden_in.T
    return jax.nn.gelu(inward + layer.hidden_bias[None]) @ layer.hidden_out.T


def streams(weights: Weights, tokens: Array, segments: Array) -> Array:
    """The residual stream ``(L + 1, T, W)`` before the layers and after each of them.

    Args:
        weights: the transformer.
        tokens: ``(T,)``, 0..d.
        segments: ``(T,)``, 0..3.

    Returns:
        streams in the precision of the weights. Time and memory grow with ``T^2``.

    Source: paper_notes/transformers_built.md, section 1.
    """
    seen = causal(weights, len(tokens))

    def through(stream: Array, layer: Layers) -> tuple[Array, Array]:
        stream = stream + attend(layer, stream, stream, seen)
        if layer.hidden_bias.shape[0]:
            stream = stream + perceptron(layer, stream)
        return stream, stream

    first = embedded(weights, tokens, segments)
    _, later = lax.scan(through, first, jax.tree.map(jnp.asarray, weights.layers))
    return jnp.concatenate([first[None], later])


def attention(weights: Weights, stream: Array) -> Array:
    """How much every head of every layer looks where: ``(L, H, T, T)``, 0 above the diagonal.

    Args:
        weights: the transformer.
        stream: ``(L + 1, T, W)``, from `streams`; what layer l reads is its entry l.
    """
    seen = causal(weights, stream.shape[1])
    layers = jax.tree.map(jnp.asarray, weights.layers)
    return jax.vmap(lambda layer, x: looks(layer, x, x, seen))(layers, stream[:-1])


def log_laws(weights: Weights, stream: Array) -> Array:
    """``log Q (T, d)`` of the next token, read from streams ``(T, W)``."""
    return jax.nn.log_softmax(scaled(stream, weights.readout_gain) @ weights.readout.T, axis=-1)


def next_token(weights: Weights, tokens: Array, segments: Array) -> Array:
    """``log Q (T, d)`` of the next token at every position of a prompt; see `streams`."""
    return log_laws(weights, streams(weights, tokens, segments)[-1])


def parameters(weights: Weights) -> int:
    """How many numbers the weights are.

    >>> from simulations.transformers.constructed import constructed
    >>> weights = constructed(np.eye(3), layers=1)
    >>> parameters(weights) == 4 * 10 + 4 * 10 + 2 * (4 + 4 + 3 + 3) * 10 + 3 * 10
    True
    """
    return sum(int(np.size(leaf)) for leaf in jax.tree.leaves(weights))


def causal(weights: Weights, length: int) -> Array:
    """``(T, T)``: 0 for what a position sees, ``-inf`` for what comes after it."""
    return jnp.where(np.tri(length, dtype=bool), 0.0, -jnp.inf).astype(weights.embedding.dtype)


def scaled(stream: Array, gain: AnyArray) -> Array:
    """The stream over the root of its mean square, times a gain; the stream itself without one."""
    if not gain.shape[0]:
        return stream
    return stream * lax.rsqrt(jnp.mean(stream**2, axis=-1, keepdims=True) + _TINY) * gain
