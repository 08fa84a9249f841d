"""The architecture in plain NumPy, one position and one head at a time, and laws to hold it against."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import log_softmax, softmax

from simulations.compilation import quick_jit
from simulations.transformers.architecture import Layers, Weights, next_token
from simulations.transformers.prompts import prompt


def gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form that ``jax.nn.gelu`` computes."""
    return 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def scaled(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return x if not len(gain) else x / np.sqrt(np.mean(x**2) + 1e-6) * gain[0]


def forward(
    weights: Weights, tokens: np.ndarray, segments: np.ndarray, residual: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Streams ``(L + 1, T, W)`` and log laws ``(T, d)``; ``residual`` false forgets the stream."""
    x = weights.embedding[tokens] + weights.segment[segments]
    if len(weights.position):
        x = x + weights.position[: len(tokens)]
    found = [x]
    for i in range(len(weights.layers.query)):
        layer = Layers(*(part[i] for part in weights.layers))
        inside = np.stack([scaled(row, layer.attention_gain) for row in x])
        new = x.copy() if residual else np.zeros_like(x)
        for t in range(len(x)):
            for q, k, v, o in zip(layer.query, layer.key, layer.value, layer.output, strict=True):
                scores = [(q @ inside[t]) @ (k @ inside[s]) for s in range(t + 1)]
                new[t] += o @ (v @ (softmax(scores) @ inside[: t + 1]))
        if layer.hidden_bias.size:
            for t in range(len(new)):
                inner = layer.hidden_in @ scaled(new[t], layer.hidden_gain) + layer.hidden_bias
                new[t] = new[t] + layer.hidden_out @ gelu(inner)
        x = new
        found.append(x)
    logits = np.stack([weights.readout @ scaled(row, weights.readout_gain) for row in x])
    return np.stack(found), log_softmax(logits, axis=1)


def random_weights(seed: int, d: int, width: int, layers: int, hidden: int, length: int) -> Weights:
    """Weights with every optional part, none of them at a special value."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return 0.5 * rng.standard_normal(shape)

    parts = Layers(
        normal(layers, 2, 3, width),
        normal(layers, 2, 3, width),
        normal(layers, 2, 4, width),
        normal(layers, 2, width, 4),
        normal(layers, 1, width),
        normal(layers, hidden, width),
        normal(layers, hidden),
        normal(layers, width, hidden),
        normal(layers, 1, width),
    )
    return Weights(
        normal(d + 1, width),
        normal(4, width),
        normal(length, width),
        parts,
        normal(1, width),
        normal(d, width),
    )


def bayes_on_the_circle(embeddings: np.ndarray, radius: float, tokens: np.ndarray) -> np.ndarray:
    """``log Q (N, T + 1, d)`` of the Bayes predictive after 0..T tokens, r = 2: the trapezoid rule over
    the angle of the latent, whose error falls faster than any power of the number of nodes."""
    angle = 2.0 * np.pi * np.arange(512) / 512
    nodes = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    log_laws = log_softmax(nodes @ embeddings.T, axis=1)
    of_tokens = np.moveaxis(log_laws[:, tokens], 0, -1)
    zero = np.zeros((len(tokens), 1, len(nodes)))
    likelihood = np.concatenate([zero, np.cumsum(of_tokens, axis=1)], axis=1)
    return np.log(softmax(likelihood, axis=2) @ np.exp(log_laws))


def whole_sequences(weights: Weights, tokens: np.ndarray) -> np.ndarray:
    """``log Q (N, T + 1, d)`` of constructed weights after 0..T tokens: the prompt itself, no counts."""
    d = weights.readout.shape[0]

    def one(seeds: jax.Array) -> jax.Array:
        line, segments = prompt(np.zeros(len(seeds), int), d, lists=True)
        read = jnp.asarray(line).at[d + 1 :].set(seeds)
        return next_token(weights, read, jnp.asarray(segments))[d:]

    return np.asarray(quick_jit(jax.vmap(one))(jnp.asarray(tokens)))


def divergences(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """``sum_j p_j (log p_j - log q_j)``, ``(N, T + 1)``, term by term."""
    p = np.asarray(log_p)[:, None, :]
    return (np.exp(p) * (p - log_q)).sum(axis=2)
