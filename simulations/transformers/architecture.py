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
    """The stream before the first layer, ``x_t = embedding[token_t] + segment[segment_t] (+ position[t])``.

    Args:
        weights: of d tokens.
        tokens: ``(T,)``, 0..d, d being the start token.
        segments: ``(T,)``, one of `VOCABULARY`, `START`, `SEED`, `OUTPUT`.

    Returns:
        ``(T, W)``, in the precision of the weights.

    Raises:
        InputError: more positions than the model has embeddings of.

    Source: paper_notes/transformers_built.md, section 1.

    >>> from simulations.transformers.constructed import constructed
    >>> embedded(constructed(np.eye(2), layers=1), jnp.array([2, 0]), jnp.array([START, SEED])).shape
    (2, 8)
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
    """How much every head of one layer looks where: ``softmax_s(<query x_t, key x_s> + log_weights_ts)``.

    Args:
        layer: one layer's weights, without the axis L.
        to: streams of the T positions that look, ``(T, W)``.
        of: streams of the S positions that are looked at, ``(S, W)``.
        log_weights: ``(T, S)``: 0, ``-inf`` for what is not seen, ``log c`` for a row that stands for c
            equal rows; a finite one in every row.

    Returns:
        ``(H, T, S)``, >= 0, of sum 1 over the last axis.

    Source: paper_notes/transformers_built.md, section 1.

    >>> from simulations.transformers.constructed import constructed
    >>> weights, line = constructed(np.eye(2), layers=1), jnp.array([2, 0, 1])
    >>> stream = embedded(weights, line, jnp.array([START, SEED, SEED]))
    >>> layer = jax.tree.map(lambda part: part[0], weights.layers)
    >>> looks(layer, stream[2:], stream, jnp.zeros((1, 3)))[0].round(6).tolist()  # seeds alike
    [[0.0, 0.5, 0.5]]
    """
    queries = jnp.einsum("hkw,tw->htk", layer.query, scaled(to, layer.attention_gain))
    keys = jnp.einsum("hkw,sw->hsk", layer.key, scaled(of, layer.attention_gain))
    scores = jnp.einsum("htk,hsk->hts", queries, keys) + log_weights[None]
    return jax.nn.softmax(scores, axis=-1)


def attend(layer: Layers, to: Array, of: Array, log_weights: Array) -> Array:
    """What the heads of one layer write: ``sum_heads output sum_s look_ts value x_s``.

    Args:
        layer, to, of, log_weights: as in `looks`; softmax weighs a row of ``log c`` like c equal keys.

    Returns:
        ``(T, W)``, to be added to ``to``.

    Source: paper_notes/transformers_built.md, sections 1 and 3.

    >>> from simulations.transformers.constructed import constructed, slots
    >>> weights, line = constructed(np.eye(2), layers=1), jnp.array([2, 0, 1])
    >>> stream = embedded(weights, line, jnp.array([START, SEED, SEED]))
    >>> layer = jax.tree.map(lambda part: part[0], weights.layers)
    >>> found = attend(layer, stream[2:], stream, jnp.zeros((1, 3)))
    >>> found[0, slots(2).latent].round(6).tolist()  # the seeds' mean embedding
    [0.5, 0.5]
    """
    values = jnp.einsum("hvw,sw->hsv", layer.value, scaled(of, layer.attention_gain))
    mixed = jnp.einsum("hts,hsv->htv", looks(layer, to, of, log_weights), values)
    return jnp.einsum("hwv,htv->tw", layer.output, mixed)


def perceptron(layer: Layers, stream: Array) -> Array:
    """What the perceptron of one layer writes: ``out gelu(in x_t + bias)``, gelu in its tanh form.

    Args:
        layer: one layer's weights, without the axis L, of M >= 1 hidden units.
        stream: ``(T, W)``.

    Returns:
        ``(T, W)``, to be added to the stream.

    Source: paper_notes/transformers_built.md, section 1.
    """
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
    """How much every head of every layer looks where, as `looks`.

    Args:
        weights: the transformer.
        stream: ``(L + 1, T, W)``, from `streams`; what layer l reads is its entry l.

    Returns:
        ``(L, H, T, T)``, from the third axis' position to the fourth's; 0 above the diagonal.

    Source: paper_notes/transformers_built.md, section 1.
    """
    seen = causal(weights, stream.shape[1])
    layers = jax.tree.map(jnp.asarray, weights.layers)
    return jax.vmap(lambda layer, x: looks(layer, x, x, seen))(layers, stream[:-1])


def log_laws(weights: Weights, stream: Array) -> Array:
    """The law of the next token, ``log softmax(readout x_t)``.

    Args:
        weights: the transformer; its readout is ``(d, W)``.
        stream: after the last layer, ``(T, W)``.

    Returns:
        ``log Q (T, d)``: natural logarithms; each row's exponentials have sum 1, up to the precision.

    Source: paper_notes/transformers_built.md, section 1.
    """
    return jax.nn.log_softmax(scaled(stream, weights.readout_gain) @ weights.readout.T, axis=-1)


def next_token(weights: Weights, tokens: Array, segments: Array) -> Array:
    """The law of the next token at every position of a prompt.

    Args:
        weights, tokens, segments: as in `streams`.

    Returns:
        ``log Q (T, d)``, natural logarithms; row t has read positions 0..t.

    Raises:
        InputError: as `embedded`.

    Source: paper_notes/transformers_built.md, section 1.

    >>> from simulations.transformers.constructed import constructed
    >>> weights = constructed(np.array([[1.0], [-1.0]]), layers=1)
    >>> found = next_token(weights, jnp.array([2, 0, 1]), jnp.array([START, SEED, SEED]))
    >>> jnp.exp(found)[2].round(6).tolist()  # after one seed of each, nothing is known
    [0.5, 0.5]
    """
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
    """Log weights of what a position may see: 0 up to itself, ``-inf`` for what comes after.

    Args:
        weights: only their precision counts.
        length: T >= 1.

    Returns:
        ``(T, T)``.

    >>> from simulations.transformers.constructed import constructed
    >>> causal(constructed(np.eye(2), layers=1), 2).tolist()
    [[0.0, -inf], [0.0, 0.0]]
    """
    return jnp.where(np.tri(length, dtype=bool), 0.0, -jnp.inf).astype(weights.embedding.dtype)


def scaled(stream: Array, gain: AnyArray) -> Array:
    """``gain x / sqrt(mean(x^2) + 1e-6)``: how a part with a gain reads its input.

    Args:
        stream: ``(..., W)``.
        gain: ``(1, W)``, or ``(0, W)`` for a part that reads the stream as it is.

    Returns:
        ``(..., W)``.

    >>> scaled(jnp.array([[3.0, 3.0]]), jnp.ones((1, 2))).round(4).tolist()
    [[1.0, 1.0]]
    """
    if not gain.shape[0]:
        return stream
    return stream * lax.rsqrt(jnp.mean(stream**2, axis=-1, keepdims=True) + _TINY) * gain
