"""Replicates of the Bayes predictive: latents from the prior, seeds from their laws, exact divergences."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest
from simulations.series.keys import generator
from simulations.tokens import bayes
from simulations.tokens.world import World, divergence, embeddings, log_law, seed_counts

# Replicates of one call of a compiled program.
BATCH = 20


class Divergences(NamedTuple):
    """``value (R, N)``: KL of the law to the predictive; ``error (R, N)``: its standard error from draws
    of latents within a replicate, 0 by quadrature; ``effective (R, N)``: draws that count."""

    value: np.ndarray
    error: np.ndarray
    effective: np.ndarray


def _one(
    table: Array,
    eta: Array,
    targets: Array,
    sizes: Array,
    key: Array,
    norm: float,
    prior: str,
    draws: int,
) -> tuple[Array, Array, Array]:
    truth = log_law(table, eta)

    def of(target: Array, n: Array, key: Array) -> tuple[Array, Array, Array]:
        if not draws:
            found = bayes.quadrature(table, target, n, norm, prior)
            return divergence(truth, found.log_law), jnp.zeros(()), found.effective
        found = bayes.importance(table, target, n, norm, key, draws, prior)
        return *bayes.divergence_error(truth, table, found), found.effective

    return jax.vmap(of)(targets, sizes, jax.random.split(key, len(sizes)))


@cache
def _program(norm: float, prior: str, draws: int) -> Quick:
    one = partial(_one, norm=norm, prior=prior, draws=draws)
    return quick_jit(jax.vmap(one, in_axes=(0, 0, 0, None, 0)))


def latent(world: World, prior: str, seed: int, replicate: int) -> np.ndarray:
    """A latent ``(r,)`` from the prior: uniform on the sphere of radius B, or ``N(0, (B^2/r) I)``.

    >>> round(float(np.linalg.norm(latent(World(8, 3, 2.0), "sphere", 0, 0))), 12)
    2.0
    """
    random = generator(seed, ["tokens", "latent", prior, world.dim, replicate])
    z = random.standard_normal(world.dim)
    return world.norm * (z / np.linalg.norm(z) if prior == "sphere" else z / world.dim**0.5)


def divergences(
    world: World,
    sizes: list[int],
    replicates: int,
    seed: int = 0,
    *,
    prior: str = "sphere",
    draws: int = 0,
) -> Divergences:
    """Divergences of the predictive under the true prior, R replicates, N numbers of seeds.

    Args:
        world: d, r and B; its angle does not count.
        sizes: numbers of seeds, each >= 1.
        replicates: R >= 1, each with embeddings, a latent and seeds of its own.
        seed: root of all draws.
        prior: ``sphere`` or ``gaussian``.
        draws: of latents for importance sampling, even; 0: quadrature, for r at most 2.

    Returns:
        `Divergences`.

    Raises:
        InputError: no such prior; quadrature in more than two dimensions; a norm of 0.

    Source: paper_notes/transformers.md, section 6.

    >>> found = divergences(World(64, 2), [10, 1000], 4)
    >>> found.value.shape, bool((found.value[:, 1] < found.value[:, 0].max()).all())
    ((4, 2), True)
    """
    if prior not in bayes.PRIORS:
        raise InputError(f"prior {prior!r}: {nearest(prior, bayes.PRIORS, 'priors')}.")
    if not draws and world.dim > 2:
        raise InputError(
            f"embedding_dim is {world.dim}: quadrature takes 2; give draws of latents."
        )
    if world.norm <= 0.0 or replicates < 1:
        raise InputError("Bayes predictive: give a latent_norm above 0 and at least one replicate.")
    run = _program(float(world.norm), prior, draws)
    ordered = np.asarray(sizes, float)
    parts = []
    for start in range(0, replicates, BATCH):
        wanted = [min(r, replicates - 1) for r in range(start, start + BATCH)]
        tables = np.stack([embeddings(world, seed, r) for r in wanted])
        etas = np.stack([latent(world, prior, seed, r) for r in wanted])
        truths = np.asarray(jax.vmap(log_law)(jnp.asarray(tables), jnp.asarray(etas)))
        counts = np.stack(
            [
                seed_counts(np.exp(law), sizes, seed, ["bayes", prior, *world[:3], r])
                for law, r in zip(truths, wanted, strict=True)
            ]
        )
        targets = counts / ordered[None, :, None] @ tables
        keys = jax.vmap(lambda r: jax.random.fold_in(jax.random.key(seed), r))(np.array(wanted))
        found = run(tables, etas, targets, ordered, keys)
        parts.append([np.asarray(each)[: replicates - start] for each in found])
    return Divergences(*(np.concatenate(each) for each in zip(*parts, strict=True)))
