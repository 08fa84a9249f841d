"""The constructed transformer fed with counts: n seeds at the cost of d.

Equal tokens have equal keys and values where no head reads what a layer writes; then softmax over n
seeds is softmax over the d tokens with ``log c_j`` added to the scores, and n enters as a number.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.transformers.architecture import (
    OUTPUT,
    SEED,
    Layers,
    Weights,
    attend,
    embedded,
    log_laws,
)
from simulations.transformers.prompts import prompt


def reads_inputs_only(weights: Weights) -> bool:
    """Whether keys and values depend on token and segment alone, so that counts say all.

    Read off the weights: no gains, perceptrons or positions, and no coordinate of the stream that a
    head writes is read by a key or a value.

    >>> from simulations.transformers.constructed import constructed
    >>> reads_inputs_only(constructed(np.eye(3), layers=2))
    True
    """
    layers = weights.layers
    parts = (layers.attention_gain, layers.hidden_in, weights.position, weights.readout_gain)
    if any(np.size(part) for part in parts):
        return False
    written = np.any(np.asarray(layers.output) != 0.0, axis=(0, 1, 3))
    read = np.any(np.asarray(layers.key) != 0.0, axis=(0, 1, 2))
    read |= np.any(np.asarray(layers.value) != 0.0, axis=(0, 1, 2))
    return not bool(np.any(written & read))


def streams_from_counts(weights: Weights, counts: Array) -> Array:
    """The stream ``(L + 1, W)`` of the position after the seeds, before and after each layer.

    Args:
        weights: whose heads `reads_inputs_only`, as constructed ones do.
        counts: ``(d,)``, how often each token is a seed, >= 0, as floats (exact up to 2^53 seeds).

    Source: paper_notes/transformers_built.md, section 3.
    Equal, to rounding, to `architecture.streams` at an output position of the prompt with these seeds.
    """
    d = weights.readout.shape[0]
    tokens, segments = prompt(np.arange(d), d, lists=True)
    of = embedded(weights, jnp.asarray(tokens), jnp.asarray(segments))
    at_seeds = jnp.asarray(segments == SEED)
    log_counts = jnp.log(jnp.concatenate([jnp.ones(d + 1, of.dtype), counts.astype(of.dtype)]))
    log_weights = jnp.where(at_seeds, log_counts, 0.0)[None]
    first = embedded(weights, jnp.asarray([d]), jnp.asarray([OUTPUT]))

    def through(stream: Array, layer: Layers) -> tuple[Array, Array]:
        stream = stream + attend(layer, stream, of, log_weights)
        return stream, stream

    _, later = lax.scan(through, first, jax.tree.map(jnp.asarray, weights.layers))
    return jnp.concatenate([first[None], later])[:, 0]


def next_token_from_counts(weights: Weights, counts: Array) -> Array:
    """``log Q (d,)`` of the next token after seeds with these counts; see `streams_from_counts`.

    >>> from simulations.transformers.constructed import constructed
    >>> weights = constructed(np.array([[1.0], [-1.0], [0.0]]), layers=1)
    >>> log_law = next_token_from_counts(weights, jnp.array([3e9, 3e9, 0.0]))
    >>> jnp.exp(log_law).round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    return log_laws(weights, streams_from_counts(weights, counts)[-1:])[0]
