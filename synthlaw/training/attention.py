"""Where a trained and a constructed transformer look, on one and the same context."""

import jax.numpy as jnp
import numpy as np
import pandas as pd

from simulations.compilation import quick_jit
from simulations.transformers.architecture import SEED, START, Weights, attention, streams
from simulations.transformers.comparison import STEP
from simulations.transformers.constructed import constructed
from simulations.transformers.latents import fresh_sequences
from simulations.transformers.prompts import prompt, reading

CONTEXT, BUILT_LAYERS = 12, 2
VOCABULARY_LABEL, START_LABEL = "vocabulary", "start"


def attention_table(weights: Weights, embeddings: np.ndarray, latent_norm: float) -> pd.DataFrame:
    """How much each head of each layer looks from every position at every one before it.

    Args:
        weights: trained.
        embeddings: U, ``(d, r)``.
        latent_norm: B of the latent that the context comes from.

    Returns:
        ``model, layer, head, query, key, query_label, key_label, weight``; ``query`` and ``key`` count
        from the start token (0), vocabulary positions before it are negative. Labels are ``start``,
        ``vocabulary`` or the number of the token.
    """
    length = min(CONTEXT, weights.position.shape[0] - 1)
    seeds = np.asarray(fresh_sequences(embeddings, latent_norm, 1, length, 0).tokens[0])
    d = len(embeddings)
    line = np.concatenate([[d], seeds])
    trained = _looked(weights, line, np.array([START] + [SEED] * length))
    layers, heads = trained.shape[:2]
    numbered = [f"head {number + 1}" for number in range(heads)]
    built = constructed(np.asarray(embeddings, float), max(layers, BUILT_LAYERS), STEP)
    found = _looked(built, *prompt(seeds, d, lists=True))
    tables = [
        _rows("constructed", ["head mean", "head model"], found, seeds, reading(d, lists=True)),
        _rows("trained", numbered, trained, seeds, 0),
    ]
    return pd.concat(tables, ignore_index=True)


def _looked(weights: Weights, tokens: np.ndarray, segments: np.ndarray) -> np.ndarray:
    def look(weights: Weights, tokens: jnp.ndarray, segments: jnp.ndarray) -> jnp.ndarray:
        return attention(weights, streams(weights, tokens, segments))

    return np.asarray(
        quick_jit(look, once=True)(weights, jnp.asarray(tokens), jnp.asarray(segments))
    )


def _rows(
    model: str, heads: list[str], looks: np.ndarray, seeds: np.ndarray, first: int
) -> pd.DataFrame:
    """The rows of one model; positions before ``first`` hold the vocabulary."""
    layers, _, length, _ = looks.shape
    labels = [VOCABULARY_LABEL] * first + [START_LABEL] + [str(token) for token in seeds]
    layer, head, query, key = (
        each.ravel()
        for each in np.meshgrid(
            np.arange(layers), np.arange(len(heads)), np.arange(first, length), np.arange(length),
            indexing="ij",
        )
    )  # fmt: skip
    seen = key <= query
    layer, head, query, key = (each[seen] for each in (layer, head, query, key))
    return pd.DataFrame(
        {
            "model": model,
            "layer": layer + 1,
            "head": np.array(heads)[head],
            "query": query - first,
            "key": key - first,
            "query_label": np.array(labels)[query],
            "key_label": np.array(labels)[key],
            "weight": looks[layer, head, query, key].astype(float),
        }
    )
