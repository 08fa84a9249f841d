"""A transformer whose weights are written down: averaging, then in-context gradient steps.

The prompt is the vocabulary, each token once, then the start token, then the seeds. The stream is

    x = ( u | h | 1 | vocabulary | seed | start )         u, h in R^r, width 2 r + 4

and a layer has two heads. Head *mean* looks at the seeds alike and reads ``u``: their mean ``ubar``.
Head *model* scores the vocabulary by ``<h, u_j>`` and reads ``u``: softmax makes that exactly
``E_{P_h} u``. Layer 1 writes ``h = ubar``; each later layer writes

    h <- h + step (ubar - E_{P_h} u),

a gradient step on the log-likelihood of the seeds. Proof: paper_notes/transformers_built.md.
"""

from typing import NamedTuple

import numpy as np

from simulations.problems import InputError
from simulations.transformers.architecture import (
    OUTPUT,
    SEED,
    SEGMENTS,
    START,
    VOCABULARY,
    Layers,
    Weights,
)

# Scores of positions a head does not look at are lower by this much: they weigh exp(-1024) = 0. It
# costs the scores it is added to ten of their 52 bits.
REACH = 1024.0
MEAN, MODEL = range(2)


class Slots(NamedTuple):
    """Where the parts of the constructed stream are."""

    token: slice
    """u: the embedding of the token at the position."""
    latent: slice
    """h: the estimate of the latent."""
    one: int
    vocabulary: int
    seed: int
    start: int
    width: int


def slots(embedding_dim: int) -> Slots:
    """The parts of the stream for embeddings in R^r.

    Args:
        embedding_dim: r, at least 1.

    >>> slots(2).latent, slots(2).width
    (slice(2, 4, None), 8)
    """
    r = embedding_dim
    return Slots(slice(0, r), slice(r, 2 * r), 2 * r, 2 * r + 1, 2 * r + 2, 2 * r + 3, 2 * r + 4)


def constructed(
    embeddings: np.ndarray, layers: int, step: float = 1.0, reach: float = REACH
) -> Weights:
    """Weights that average the seeds' embeddings and then take ``layers - 1`` gradient steps.

    Args:
        embeddings: U, ``(d, r)``, finite.
        layers: L >= 1.
        step: > 0; ``step < 2 / lambda_max(Cov_{P_h} u)`` at the maximum-likelihood h for the steps to
            converge near it, ``step <= 2 / max |u_j|^2`` from anywhere.
        reach: how far other scores lie below those a head looks at; needs
            ``reach - 2 max |<h, u_j>|`` above 40, and in single precision no more than 64.

    Returns:
        weights in the precision of ``embeddings``, without positions, perceptron or gains.

    Raises:
        InputError: embeddings, layers, step or reach that cannot be used.

    Source: paper_notes/transformers_built.md, sections 2 and 3.

    >>> weights = constructed(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]), layers=3)
    >>> weights.layers.query.shape, weights.readout.shape
    ((3, 2, 3, 8), (3, 8))
    """
    _check(embeddings, layers, step, reach)
    d, r = embeddings.shape
    at = slots(r)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, embeddings.dtype)

    embedding = zeros(d + 1, at.width)
    embedding[:d, at.token] = embeddings
    segment = zeros(SEGMENTS, at.width)
    segment[:, at.one] = 1.0
    for kind, place in ((VOCABULARY, at.vocabulary), (SEED, at.seed), (START, at.start)):
        segment[kind, place] = 1.0
    # An output position is of none of the three: no head looks at it.
    assert not segment[OUTPUT, at.vocabulary :].any()

    query, key = zeros(layers, 2, r + 1, at.width), zeros(layers, 2, r + 1, at.width)
    value, output = zeros(layers, 2, r, at.width), zeros(layers, 2, at.width, r)
    unit = np.eye(r, dtype=embeddings.dtype)
    query[:, :, r, at.one] = reach
    key[:, MEAN, r, at.seed] = 1.0
    # Without a seed the head rests on the start token, whose u is 0.
    key[:, MEAN, r, at.start] = 0.5
    key[:, MODEL, r, at.vocabulary] = 1.0
    query[:, MODEL, :r, at.latent] = unit
    key[:, MODEL, :r, at.token] = unit
    value[:, :, :, at.token] = unit
    output[0, MEAN, at.latent] = unit
    output[1:, MEAN, at.latent] = step * unit
    output[1:, MODEL, at.latent] = -step * unit

    readout = zeros(d, at.width)
    readout[:, at.latent] = embeddings
    heads = Layers(
        query,
        key,
        value,
        output,
        attention_gain=zeros(layers, 0, at.width),
        hidden_in=zeros(layers, 0, at.width),
        hidden_bias=zeros(layers, 0),
        hidden_out=zeros(layers, at.width, 0),
        hidden_gain=zeros(layers, 0, at.width),
    )
    return Weights(
        embedding,
        segment,
        zeros(0, at.width),
        heads,
        readout_gain=zeros(0, at.width),
        readout=readout,
    )


def _check(embeddings: np.ndarray, layers: int, step: float, reach: float) -> None:
    if embeddings.ndim != 2 or not np.isfinite(embeddings).all():
        raise InputError(
            f"embeddings: have shape {embeddings.shape} or entries that are no numbers;"
            " give finite numbers (d, r)."
        )
    if layers < 1:
        raise InputError(f"layers: is {layers}; give a whole number of at least 1.")
    if not (np.isfinite(step) and step > 0.0):
        raise InputError(f"step: is {step}; give a number above 0.")
    if not (np.isfinite(reach) and reach > 0.0):
        raise InputError(f"reach: is {reach}; give a number above 0.")
