"""Replicates of the Bayes predictive: latents from the prior, seeds from their laws, exact divergences."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import softmax

from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest
from simulations.series.keys import generator
from simulations.tokens import bayes
from simulations.tokens.world import World, divergence, embeddings, log_law, moments, seed_counts

# Replicates of one call of a compiled program.
BATCH = 20


class Divergences(NamedTuple):
    """``value (R, N)``: KL of the law to the predictive; ``error (R, N)``: its standard error from draws
    of latents within a replicate, 0 by quadrature; ``effective (R, N)``: draws that count; ``control
    (R, N)``: a control variate of mean exactly 0 under the Gaussian prior (0 under the other)."""

    value: np.ndarray
    error: np.ndarray
    effective: np.ndarray
    control: np.ndarray


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


def control(
    table: np.ndarray,
    law: np.ndarray,
    eta: np.ndarray,
    targets: np.ndarray,
    sizes: np.ndarray,
    norm: float,
) -> np.ndarray:
    """What the divergence at endless tokens owes to the draw of the seeds and of the latent's length.

        [ (1-vn)^2 (|eta|^2 - B^2) - 2 (1-vn) vn <eta, e> + (vn)^2 (e'C^-1 e - r/n) ] / (2 (1+v))

    with the posterior variance ``v = 1/(n + r/B^2)`` of endless tokens and what the seeds miss the law's
    mean embedding by, ``e = ubar - mu``. Given U and eta, e has mean 0 and covariance C/n at any d, and
    ``E|eta|^2 = B^2``: the mean is exactly 0.

    Args:
        table, law, eta: ``U (d, r)``, P ``(d,)``, the latent ``(r,)``.
        targets, sizes: mean seed embeddings ``(N, r)`` and numbers of seeds ``(N,)``.
        norm: B.

    Returns:
        ``(N,)``.

    >>> two, half = np.array([[1.0], [-1.0]]), np.array([0.5, 0.5])
    >>> found = [control(two, half, np.ones(1), np.full((1, 1), u), np.ones(1), 1.0) for u in (1.0, -1.0)]
    >>> abs(float(sum(found)[0])) < 1e-15
    True
    """
    at = moments(table, law)
    missed = targets - at.mean[None]
    inverse = np.linalg.inv(at.covariance)
    v = 1.0 / (sizes + len(eta) / norm**2)
    shrink = v * sizes
    length = (1.0 - shrink) ** 2 * (eta @ eta - norm**2)
    cross = 2.0 * (1.0 - shrink) * shrink * (missed @ eta)
    spread = ((missed @ inverse) * missed).sum(axis=1) - len(eta) / sizes
    return (length - cross + shrink**2 * spread) / (2.0 * (1.0 + v))


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
        laws = softmax((tables @ etas[:, :, None])[:, :, 0], axis=1)
        counts = np.stack(
            [
                seed_counts(law, sizes, seed, ["bayes", prior, *world[:3], r])
                for law, r in zip(laws, wanted, strict=True)
            ]
        )
        targets = counts / ordered[None, :, None] @ tables
        keys = jax.vmap(lambda r: jax.random.fold_in(jax.random.key(seed), r))(np.array(wanted))
        found = run(tables, etas, targets, ordered, keys)
        known = np.zeros((len(wanted), len(sizes)))
        if prior == "gaussian":
            cases = zip(tables, laws, etas, targets, strict=True)
            known = np.stack([control(*case, ordered, world.norm) for case in cases])
        parts.append([np.asarray(each)[: replicates - start] for each in (*found, known)])
    return Divergences(*(np.concatenate(each) for each in zip(*parts, strict=True)))
