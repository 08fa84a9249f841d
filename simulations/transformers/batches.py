"""The transformer on N sequences of one shape: what `architecture.next_token` says, laid out for speed.

Training runs little else. All projections of a layer are one matrix product over the positions of all
sequences, and layers follow each other without a loop: half the time of the plain functions under
``vmap``, gradient included. Equality with them is tested.
"""

import jax
import jax.numpy as jnp
from jax import Array

from simulations.transformers.architecture import Layers, Weights, causal, embedded, scaled


def next_tokens(weights: Weights, tokens: Array, segments: Array) -> Array:
    """``log Q (N, T, d)`` of the next token at every position of N prompts.

    Args:
        weights: with or without positions, perceptrons and gains.
        tokens: ``(N, T)``, 0..d.
        segments: ``(T,)``, the same for all prompts.

    Raises:
        InputError: more positions than the model has embeddings of.

    Source: paper_notes/transformers_built.md, section 1.
    """
    rows, length = tokens.shape
    mask = causal(weights, length)
    stream = jax.vmap(lambda line: embedded(weights, line, segments))(tokens)
    stream = stream.reshape(rows * length, -1)
    for number in range(weights.layers.query.shape[0]):
        layer = jax.tree.map(lambda leaf, at=number: jnp.asarray(leaf)[at], weights.layers)
        stream = stream + _attended(layer, stream, mask, rows)
        if layer.hidden_bias.shape[0]:
            inward = scaled(stream, layer.hidden_gain) @ layer.hidden_in.T
            stream = stream + jax.nn.gelu(inward + layer.hidden_bias[None]) @ layer.hidden_out.T
    logits = scaled(stream, weights.readout_gain) @ weights.readout.T
    return jax.nn.log_softmax(logits, axis=-1).reshape(rows, length, -1)


def _attended(layer: Layers, stream: Array, mask: Array, rows: int) -> Array:
    """What the heads of one layer write into the streams ``(N T, W)``."""
    seen = scaled(stream, layer.attention_gain)

    def projected(part: Array) -> Array:
        heads, size, width = part.shape
        flat = seen @ part.reshape(heads * size, width).T
        return flat.reshape(rows, -1, heads, size).transpose(0, 2, 1, 3)

    queries, keys, values = (projected(part) for part in (layer.query, layer.key, layer.value))
    scores = jnp.einsum("nhtk,nhsk->nhts", queries, keys) + mask[None, None]
    mixed = jnp.einsum("nhts,nhsv->nhtv", jax.nn.softmax(scores, axis=-1), values)
    heads, width, size = layer.output.shape
    back = layer.output.transpose(0, 2, 1).reshape(heads * size, width)
    return mixed.transpose(0, 2, 1, 3).reshape(stream.shape[0], heads * size) @ back
