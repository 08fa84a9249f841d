"""Generators by name: from a group's seeds, as counts, to the law of its synthetic tokens.

A law is made of the seeds in one of two ways:

    by their mean h_0 = sum_j (c_j/n) u_j alone     `BY_MEAN`:    transformer, likeliest
    by the shares c_j/n of the tokens               `BY_SHARES`:  duplicate, histogram

or of nothing (``oracle``: the group's own law). Claims and sweeps alike take these. ``found`` is false
where a law does not exist (maximum likelihood of seeds on the hull's edge, steps that diverge).
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest
from simulations.tokens import steps
from simulations.tokens.fitting import BATCH
from simulations.tokens.references import log_histogram, maximum_likelihood
from simulations.tokens.world import log_law


class Knobs(NamedTuple):
    """What generators may be set to: ``layers`` L >= 1 and ``step`` > 0 of a transformer, ``smoothing``
    s > 0, added to every token's count, of a histogram."""

    layers: AnyArray = 1
    step: AnyArray = 1.0
    smoothing: AnyArray = 1.0


Law = tuple[Array, Array]


def deepened(table: Array, target: Array, layers: int | Array, step: float | Array) -> Array:
    """The latent after one averaging layer and ``layers - 1`` gradient steps, ``(r,)``.

    As a loop: one program serves all depths.

    Args:
        table: ``U``, ``(d, r)``.
        target: mean seed embedding h_0, ``(r,)``.
        layers: L >= 1.
        step: > 0.

    >>> np.asarray(deepened(jnp.eye(2), jnp.array([1.0, 0.0]), 2, 1.0)).round(4).tolist()
    [1.2689, -0.2689]
    """
    return lax.fori_loop(1, layers, lambda _, h: steps.improved(table, target, h, step), target)


def transformer(table: Array, target: Array, knobs: Knobs) -> Law:
    """The law of `steps`: one averaging layer and ``layers - 1`` gradient steps.

    >>> law, _ = transformer(jnp.array([[1.0], [-1.0]]), jnp.array([0.5]), Knobs())
    >>> bool(abs(law[0] - law[1] - 1.0) < 1e-12)  # logits +-0.5
    True
    """
    found = log_law(table, deepened(table, target, knobs.layers, knobs.step))
    return found, jnp.isfinite(found).all()


def likeliest(table: Array, target: Array, knobs: Knobs) -> Law:
    """The law of largest likelihood, ``E_Q u = target``.

    >>> law, found = likeliest(jnp.array([[1.0], [-1.0]]), jnp.array([0.5]), Knobs())
    >>> jnp.exp(law).round(6).tolist(), bool(found)
    ([0.75, 0.25], True)
    """
    found = maximum_likelihood(table, target)
    return log_law(table, found.h), found.converged


def duplicate(counts: Array, knobs: Knobs) -> Law:
    """The shares of the seeds, ``c_j/n``: rows that repeat theirs.

    >>> jnp.exp(duplicate(jnp.array([3.0, 1.0]), Knobs())[0]).round(6).tolist()
    [0.75, 0.25]
    """
    return log_histogram(counts), jnp.asarray(True)


def histogram(counts: Array, knobs: Knobs) -> Law:
    """The smoothed shares, ``(c_j + s)/(n + s d)``.

    >>> jnp.exp(histogram(jnp.array([2.0, 0.0]), Knobs())[0]).round(6).tolist()
    [0.75, 0.25]
    """
    return log_histogram(counts, knobs.smoothing), jnp.asarray(True)


BY_MEAN: dict[str, Callable[[Array, Array, Knobs], Law]] = {
    "transformer": transformer,
    "likeliest": likeliest,
}
BY_SHARES: dict[str, Callable[[Array, Knobs], Law]] = {
    "duplicate": duplicate,
    "histogram": histogram,
}
GENERATORS = (*BY_MEAN, *BY_SHARES, "oracle")


def law_of(name: str, table: Array, counts: Array, eta: Array, knobs: Knobs) -> Law:
    """``log Q (d,)`` and ``found`` of one group: see `generated`."""
    if name in BY_MEAN:
        return BY_MEAN[name](table, steps.averaged(table, counts), knobs)
    if name in BY_SHARES:
        return BY_SHARES[name](counts, knobs)
    return log_law(table, eta), jnp.asarray(True)


@cache
def _program(name: str) -> Quick:
    each = jax.vmap(partial(law_of, name), in_axes=(None, 0, None, None))
    return quick_jit(each, once=True)


def generated(
    name: str,
    table: np.ndarray,
    counts: np.ndarray,
    eta: np.ndarray,
    depth: int = 1,
    step: float = 1.0,
    smoothing: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The laws that a generator makes of R sets of seeds.

    Args:
        name: one of `GENERATORS`.
        table: ``U``, ``(d, r)``.
        counts: seeds per token, ``(R, d)``, each row not all 0; probabilities stand for endless seeds.
        eta: the group's latent, ``(r,)``, which the oracle knows and no other reads.
        depth, step, smoothing: `Knobs`, of those that have them.

    Returns:
        ``log Q (R, d)``, and which exist, ``(R,)``.

    Raises:
        InputError: no such generator.

    Source: paper_notes/transformers.md, sections 3 to 5.

    >>> law, exists = generated("histogram", np.eye(2), np.array([[2.0, 0.0]]), np.zeros(2))
    >>> np.exp(law).round(4).tolist(), exists.tolist()
    ([[0.75, 0.25]], [True])
    """
    if name not in GENERATORS:
        raise InputError(f"generator {name!r}: {nearest(name, GENERATORS, 'generators')}.")
    knobs = Knobs(np.int32(depth), float(step), float(smoothing))
    parts = []
    for first in range(0, len(counts), BATCH):
        piece = counts[first : first + BATCH]
        filled = np.broadcast_to(piece[:1], (BATCH, len(table))).astype(float)
        filled[: len(piece)] = piece
        found = _program(name)(np.asarray(table), filled, np.asarray(eta), knobs)
        parts.append([np.asarray(each)[: len(piece)] for each in found])
    log_q, exists = (np.concatenate(each) for each in zip(*parts, strict=True))
    return log_q, exists
