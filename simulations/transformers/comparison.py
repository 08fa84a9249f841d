"""A trained model beside its references, after chosen numbers of seeds and on the same sequences.

References read counts: the Bayes predictive (what training aims at), the constructed transformer after
each of its layers, and maximum likelihood (what its layers tend to). The oracle's divergence is 0.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError
from simulations.tokens import sphere
from simulations.tokens.references import maximum_likelihood
from simulations.tokens.world import divergence, log_law
from simulations.transformers.architecture import Weights, log_laws
from simulations.transformers.constructed import constructed
from simulations.transformers.counts import streams_from_counts
from simulations.transformers.latents import fresh_sequences
from simulations.transformers.training import predictions

TRAINED, BAYES, LIKELIHOOD = "trained", "bayes", "maximum likelihood"
# The constructed transformer compared with: at d = 64 no other step brings four layers closer.
LAYERS, STEP = 4, 0.6
# Spacing of the rule for Bayes over the width 1/sqrt(n) of a posterior: errors below 1e-4 of a divergence.
FINENESS = 1.2
_BLOCK = 64
# For so few sequences the program of a trained model need not be optimised.
FEW = 512


class Compared(NamedTuple):
    """Divergences ``KL(P || Q_n)`` of N sequences after S numbers of seeds."""

    sizes: tuple[int, ...]
    values: dict[str, np.ndarray]
    """``(N, S)`` in nats, by generator."""
    found: dict[str, np.ndarray]
    """``(N, S)``: whether the generator has a law there (a likelihood may have no maximum)."""


def layer_name(layers: int) -> str:
    """What a constructed transformer of so many layers is called in tables.

    >>> layer_name(1)
    'constructed, 1 layer'
    """
    return f"constructed, {layers} layer{'s' if layers > 1 else ''}"


def compared(
    weights: Weights | None,
    embeddings: np.ndarray,
    latent_norm: float,
    sizes: Sequence[int],
    *,
    rows: int,
    layers: int = LAYERS,
    step: float = STEP,
    likelihood: bool = True,
    seed: int = 0,
) -> Compared:
    """Divergences of a trained model and of its references over fresh latents, uniform on a sphere.

    Args:
        weights: trained; none: the references alone.
        embeddings: U, ``(d, r)``, r at most 5 or so.
        latent_norm: B > 0.
        sizes: numbers of seeds, in rising order.
        rows: N.
        layers: L of the constructed transformer; 0 for none.
        step: of its gradient steps.
        likelihood: whether to fit maximum likelihood.
        seed: root of the draws; no training has seen them.

    Returns:
        `Compared`; without seeds there is no likelihood.

    Raises:
        InputError: sizes that do not rise, or more dimensions than the rule for Bayes can take.

    Source: paper_notes/transformers_built.md, section 6.
    """
    ordered = tuple(int(n) for n in sizes)
    if (
        not ordered
        or ordered[0] < 0
        or any(a >= b for a, b in zip(ordered, ordered[1:], strict=False))
    ):
        raise InputError(f"sizes: are {ordered}; give rising numbers of seeds of at least 0.")
    table = jnp.asarray(embeddings, float)
    on = fresh_sequences(embeddings, latent_norm, rows, ordered[-1], seed)
    spacing = FINENESS / max(ordered[-1], 4) ** 0.5
    nodes = sphere.rule(table.shape[1], spacing)
    laws = jax.nn.log_softmax(latent_norm * jnp.asarray(nodes.nodes) @ table.T, axis=1)
    prior = jnp.log(jnp.asarray(nodes.weights))
    built = constructed(np.asarray(embeddings, float), layers, step) if layers else None
    program = _references(ordered, likelihood)
    read = None if weights is None else _trained(ordered, rows <= FEW)
    blocks: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i in range(0, rows, _BLOCK):
        tokens, log_p = on.tokens[i : i + _BLOCK], on.log_law[i : i + _BLOCK]
        told = program(tokens, log_p, table, laws, prior, built)
        if read is not None:
            told = {
                TRAINED: (read(weights, tokens, log_p), np.ones(told[BAYES][0].shape, bool)),
                **told,
            }
        for name, (value, found) in told.items():
            blocks.setdefault(name, []).append((np.asarray(value), np.asarray(found)))
    names = sorted(blocks, key=_place)
    values = {name: np.concatenate([part[0] for part in blocks[name]]) for name in names}
    found = {name: np.concatenate([part[1] for part in blocks[name]]) for name in names}
    return Compared(ordered, values, found)


def _place(name: str) -> tuple[int, str]:
    """Trained, Bayes, constructed by layers, likelihood."""
    order = (TRAINED, BAYES, "constructed", LIKELIHOOD)
    return next(k for k, start in enumerate(order) if name.startswith(start)), name


@cache
def _trained(sizes: tuple[int, ...], few: bool) -> Quick:
    def read(weights: Weights, tokens: Array, log_p: Array) -> Array:
        log_q = predictions(weights, tokens)[:, np.array(sizes)].astype(log_p.dtype)
        # Laws in single precision sum to 1 within 1e-7 only: that is taken out.
        return divergence(log_p[:, None], jax.nn.log_softmax(log_q, axis=-1))

    return quick_jit(read, once=few)


@cache
def _references(sizes: tuple[int, ...], likelihood: bool) -> Quick:
    """Divergences ``(N, S)`` of the references, and where they exist, by name."""
    return quick_jit(partial(_of_references, sizes, likelihood))


def _of_references(
    sizes: tuple[int, ...],
    likelihood: bool,
    tokens: Array,
    log_p: Array,
    table: Array,
    laws: Array,
    prior: Array,
    built: Weights | None,
) -> dict[str, tuple[Array, Array]]:
    rows, d = log_p.shape
    n = jnp.asarray(sizes, float)
    seen = jnp.asarray(np.arange(sizes[-1])[None] < np.array(sizes)[:, None], float)
    counts = jnp.einsum("st,ntd->nsd", seen, jax.nn.one_hot(tokens, d, dtype=float))
    flat = counts.reshape(rows * len(sizes), d)
    every = jnp.ones((rows, len(sizes)), bool)

    def of(log_q: Array) -> Array:
        return divergence(log_p[:, None], log_q.reshape(rows, len(sizes), d))

    told = {BAYES: (of(sphere.log_predictive(laws, prior, flat)), every)}
    if built is not None:
        streams = jax.vmap(partial(streams_from_counts, built))(flat)
        for layer in range(1, streams.shape[1]):
            told[layer_name(layer)] = (of(log_laws(built, streams[:, layer])), every)
    if likelihood:
        target = flat @ table / jnp.maximum(jnp.tile(n, rows), 1.0)[:, None]
        best = jax.vmap(partial(maximum_likelihood, table))(target)
        good = best.converged.reshape(rows, len(sizes)) & (n > 0.0)[None]
        told[LIKELIHOOD] = (of(jax.vmap(partial(log_law, table))(best.h)), good)
    return told
