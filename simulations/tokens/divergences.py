"""Replicates of generators: divergences of averaging, of gradient steps, of maximum likelihood.

One replicate draws embeddings and seeds; all numbers of seeds share the embeddings and nest their seeds,
all depths share both. Endless seeds (`ENDLESS`) put the group's own mean embedding in place of the
seeds': what is left is the generator's error at n = infinity.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from scipy.special import softmax

from simulations import cores, linear
from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError
from simulations.tokens import steps
from simulations.tokens.control import controls, means
from simulations.tokens.references import maximum_likelihood
from simulations.tokens.world import (
    World,
    divergence,
    embeddings,
    latents,
    log_law,
    moments,
    seed_counts,
)

# Draws embeddings ``(d, r)`` for a world, a seed and the number of a replicate.
Tables = Callable[[World, int, int], np.ndarray]
ENDLESS = 0
# Numbers that one array of a batch holds; batches keep their shape, so that one program serves all.
BATCH = 2**18


class Divergences(NamedTuple):
    """``layers (R, N, L)``: KL of the group's law to that of depth l (l = 0: averaging alone);
    ``likeliest (R, N)``: to that of maximum likelihood, NaN where there is none or it was not asked for;
    ``found (R, N)``: whether there is one; ``controls (R, N, 4)``: control variates of the first two
    layers, less their exact means; ``quadratic (R, N)``: that of the likelihood, ``e'C^-1 e/2`` less its
    exact mean ``r/(2n)`` (0 where it was not asked for)."""

    layers: np.ndarray
    likeliest: np.ndarray
    found: np.ndarray
    controls: np.ndarray
    quadratic: np.ndarray

    def failures(self) -> np.ndarray:
        """Replicates without a maximum of likelihood, ``(N,)``."""
        return (~self.found).sum(axis=0)


def by_depth(table: Array, target: Array, step: Array, depth: int) -> Array:
    """Latents ``(depth, r)`` after averaging and 0, 1, .. depth - 1 gradient steps."""

    def deeper(h: Array, _: None) -> tuple[Array, Array]:
        return steps.improved(table, target, h, step), h

    return lax.scan(deeper, target, None, length=depth)[1]


def _replicate(
    table: Array,
    targets: Array,
    eta: Array,
    step: Array,
    sizes: Array,
    depth: int,
    likeliest: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    """One replicate: mean seed embeddings ``targets (N, r)`` of one table ``(d, r)``."""
    truth = log_law(table, eta)

    def of_latent(h: Array) -> Array:
        return divergence(truth, log_law(table, h))

    latent = jax.vmap(lambda target: by_depth(table, target, step, depth))(targets)
    layers = jax.vmap(jax.vmap(of_latent))(latent)
    known = jax.vmap(lambda target, n: jnp.stack(controls(table, eta, target, n)))(targets, sizes)
    if not likeliest:
        missing = jnp.full(len(targets), jnp.nan)
        return layers, missing, jnp.zeros(len(targets), bool), known, jnp.zeros(len(targets))
    best = jax.vmap(lambda target: maximum_likelihood(table, target))(targets)
    value = jnp.where(best.converged, jax.vmap(of_latent)(best.h), jnp.nan)
    at = moments(table, jnp.exp(truth))
    missed = targets - at.mean[None]
    solved = missed @ linear.inverse(at.covariance)
    quadratic = 0.5 * (missed * solved).sum(axis=1) - 0.5 * len(eta) / sizes
    return layers, value, best.converged, known, quadratic


@cache
def _program(depth: int, likeliest: bool, once: bool) -> Quick:
    one = partial(_replicate, depth=depth, likeliest=likeliest)
    return quick_jit(jax.vmap(one, in_axes=(0, 0, None, None, None)), once=once)


def _draw(
    world: World, eta: np.ndarray, sizes: list[int], seed: int, replicate: int, tables: Tables
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings ``(d, r)`` and mean seed embeddings ``(N, r)`` of one replicate."""
    table = tables(world, seed, replicate)
    law = softmax(table @ eta)
    finite = [n for n in sizes if n != ENDLESS]
    name = [world.vocabulary, world.dim, eta.tolist(), replicate]
    shares = np.empty((len(sizes), world.vocabulary))
    if finite:
        counts = seed_counts(law, finite, seed, name)
        at = [k for k, n in enumerate(sizes) if n != ENDLESS]
        shares[at] = counts / np.asarray(finite, float)[:, None]
    shares[[k for k, n in enumerate(sizes) if n == ENDLESS]] = law
    return table, shares @ table


def divergences(
    world: World,
    sizes: list[int],
    depth: int,
    step: float,
    replicates: int,
    seed: int = 0,
    *,
    likeliest: bool = False,
    group: int = 0,
    first: int = 0,
    width: int = 0,
    tables: Tables = embeddings,
    once: bool = False,
) -> Divergences:
    """Divergences of replicates ``first .. first + R - 1``, every number of seeds and depth.

    Args:
        world: its vocabulary, dimension and latents.
        sizes: numbers of seeds n, each >= 1, or `ENDLESS`; any order, N of them.
        depth: L >= 1, layers of which the first averages and each other takes a gradient step.
        step: of these, > 0.
        replicates: R >= 1.
        seed: root of all draws; a replicate does not depend on R, on depth or on other sizes' presence
            (its seeds do depend on which smaller sizes there are).
        likeliest: whether maximum likelihood is fitted as well.
        group: 0 or 1, whose latent it is.
        first: number of the first replicate.
        width: coordinates of the program, at least r; those beyond r are 0 and change nothing, so that one
            compiled program serves several dimensions. Not with ``likeliest``. 0: r.
        tables: draws embeddings. Means of ``controls`` are those of the world's own.
        once: a program that compiles twice as fast and runs three times slower.

    Returns:
        `Divergences`, exact sums over tokens.

    Raises:
        InputError: a world, step, depth, width or number that cannot be.

    Source: paper_notes/transformers.md, sections 3 to 5.

    >>> found = divergences(World(64, 2), [100, ENDLESS], 2, 1.0, 3)
    >>> found.layers.shape, bool((found.layers >= 0.0).all())
    ((3, 2, 2), True)
    """
    if replicates < 1 or depth < 1:
        raise InputError(f"replicates {replicates} and layers {depth} must each be at least 1.")
    if not 0.0 < step < float("inf"):
        raise InputError(f"step is {step:g}; give a positive number (1 suits Gaussian embeddings).")
    if width and (width < world.dim or likeliest):
        raise InputError(
            f"width is {width}; give at least the embedding_dim, {world.dim}, and none with likelihood."
        )
    eta = latents(world)[group]
    zeros = (0, max(0, width - world.dim))
    run = _program(depth, likeliest, once)
    numbers = np.array([np.inf if n == ENDLESS else n for n in sizes], float)
    rows = max(
        1, BATCH // (world.vocabulary * len(sizes) * (depth if not likeliest else depth + 1))
    )
    rows = min(rows, -(-replicates // cores()))

    def batch(start: int) -> tuple[np.ndarray, ...]:
        wanted = range(start, min(start + rows, first + replicates))
        drawn = [_draw(world, eta, sizes, seed, r, tables) for r in wanted]
        drawn += [drawn[-1]] * (rows - len(drawn))
        both = [np.stack(each) for each in zip(*drawn, strict=True)]
        padded = [np.pad(each, ((0, 0), (0, 0), zeros)) for each in both] if width else both
        found = run(*padded, np.pad(eta, zeros), step, numbers)
        return tuple(np.asarray(part)[: len(wanted)] for part in found)

    starts = range(first, first + replicates, rows)
    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(batch, starts))
    layers, best, exists, known, quadratic = (
        np.concatenate(each) for each in zip(*parts, strict=True)
    )
    centre = np.array(means(world.dim, world.norm, world.vocabulary))
    return Divergences(layers, best, exists, known - centre[None, None, :], quadratic)


def grid(
    worlds: list[World],
    sizes: list[int],
    depth: int,
    step: float,
    replicates: int,
    seed: int = 0,
    *,
    likeliest: bool = False,
) -> Iterator[tuple[World, Divergences]]:
    """`divergences` of several worlds: one program a vocabulary, the same for any number of seeds."""
    for world in worlds:
        found = divergences(world, sizes, depth, step, replicates, seed, likeliest=likeliest)
        yield world, found
