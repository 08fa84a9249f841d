"""The token world: d tokens with Gaussian embeddings, groups with latents, exact laws.

    u_j ~ N(0, I_r),   |eta_g| = B,   P_eta(j) = exp(<eta, u_j> - A(eta)),   A = log sum_k exp<eta, u_k> .

Every expectation under a law is a finite sum over tokens. Seeds enter as multinomial counts, so that a
billion of them cost what ten thousand do.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.arrays import AnyArray
from simulations.problems import InputError
from simulations.series.keys import generator

LARGEST_VOCABULARY = 2**20
# Below this size of a logarithm its rest exp(t) - 1 - t is taken from its series.
SMALL = 1e-3


class World(NamedTuple):
    """``vocabulary`` d, ``dim`` r of embeddings and latents, ``norm`` B of latents, ``angle`` between the
    two groups' latents, in radians."""

    vocabulary: int
    dim: int
    norm: float = 1.0
    angle: float = float(np.pi) / 2.0


class Moments(NamedTuple):
    """Of a law over tokens: ``mean (r,)`` and ``covariance (r, r)`` of the embedding."""

    mean: AnyArray
    covariance: AnyArray


def check(world: World) -> None:
    """Raise ``InputError`` for a world that cannot be."""
    d, r, norm, angle = world
    if not 2 <= d <= LARGEST_VOCABULARY:
        raise InputError(f"vocabulary is {d}; give 2 to {LARGEST_VOCABULARY} tokens.")
    if not 1 <= r < d:
        raise InputError(
            f"embedding_dim is {r}; give at least 1 and less than the vocabulary, {d}."
        )
    if not 0.0 <= norm <= 20.0:
        raise InputError(f"latent_norm is {norm:g}; give a number between 0 and 20.")
    if not 0.0 <= angle <= np.pi:
        raise InputError(f"latent_angle is {angle:g}; give radians between 0 and pi.")
    if r == 1 and angle not in (0.0, np.pi):
        raise InputError(f"latent_angle is {angle:g} in one dimension; give 0 or pi there.")


def latents(world: World) -> np.ndarray:
    """``eta_0, eta_1``, ``(2, r)``: ``B e_1`` and ``B (cos a e_1 + sin a e_2)``.

    Embeddings are isotropic: only norm and angle of latents matter, so that these stand for all.

    Args:
        world: vocabulary, dimension r, norm B and angle a.

    Raises:
        InputError: see `check`.

    >>> latents(World(8, 3, 2.0, np.pi / 2)).round(12).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """
    check(world)
    found = np.zeros((2, world.dim))
    found[0, 0] = world.norm
    found[1, 0] = world.norm * np.cos(world.angle)
    if world.dim > 1:
        found[1, 1] = world.norm * np.sin(world.angle)
    return found


def embeddings(world: World, seed: int, replicate: int = 0) -> np.ndarray:
    """``U``, ``(d, r)``, rows ``N(0, I_r)``; those of a smaller vocabulary are the first rows.

    Args:
        world: d and r count; latents do not.
        seed, replicate: root of all draws, and which draw.

    >>> small, large = (embeddings(World(d, 3), 0) for d in (8, 16))
    >>> bool((small == large[:8]).all())
    True
    """
    check(world)
    random = generator(seed, ["tokens", "embeddings", world.dim, replicate])
    return random.standard_normal((world.vocabulary, world.dim))


def log_law(table: Array, eta: Array) -> Array:
    """``log P_eta (d,)``; the largest logit is taken off first.

    Args:
        table: embeddings U ``(d, r)``.
        eta: the latent ``(r,)``.

    >>> float(jnp.exp(log_law(jnp.eye(3), jnp.array([800.0, 0.0, 0.0])))[0])
    1.0
    """
    return jax.nn.log_softmax(table @ eta)


def moments(table: AnyArray, law: AnyArray) -> Moments:
    """``E u = sum_j p_j u_j`` and ``Cov u``: gradient and Hessian of A at the law's latent.

    Arrays of NumPy give NumPy's, those of JAX JAX's.

    Args:
        table: ``U``, ``(d, r)``, or any features of what is listed.
        law: probabilities p, ``(d,)``, of sum 1.

    Returns:
        `Moments`, in the embedding's units and their squares.

    Source: paper_notes/transformers.md, section 1.

    >>> found = moments(np.array([[1.0], [-1.0]]), np.array([0.75, 0.25]))
    >>> found.mean.tolist(), found.covariance.tolist()
    ([0.5], [[0.75]])
    """
    mean = law @ table
    centred = table - mean[None]
    return Moments(mean, centred.T @ (centred * law[:, None]))


def divergence(log_p: Array, log_q: Array) -> Array:
    """``KL(P || Q) = sum_j p_j log(p_j/q_j)`` of laws given by their logarithms, over the last axis.

    Computed as ``sum p (e^t - 1 - t)``, ``t = log(q/p)``, equal because both laws sum to 1: no term is
    negative, and two laws that differ by 1e-8 still have a divergence right to six digits.

    Args:
        log_p, log_q: ``(..., d)``, ``-inf`` for tokens without probability.

    Returns:
        ``(...)``, >= 0; infinite where Q misses a token that P has.

    Source: paper_notes/transformers.md, section 1.

    >>> p = jnp.log(jnp.array([0.5, 0.5]))
    >>> float(divergence(p, jnp.log(jnp.array([0.25, 0.75]))).round(6))
    0.143841
    >>> float(divergence(p, jnp.array([0.0, -jnp.inf])))
    inf
    """
    p, q = jnp.exp(log_p), jnp.exp(log_q)
    # By the logarithms: a probability below 1e-308 is 0 in floating point, its divergence is finite.
    both = jnp.isfinite(log_p) & jnp.isfinite(log_q)
    t = jnp.where(both, log_q - log_p, 0.0)
    near = jnp.abs(t) < SMALL
    series = p * t**2 * (0.5 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t / 120.0)))
    rest = jnp.where(near, series, q - p - p * t)
    alone = jnp.where(jnp.isfinite(log_p), jnp.inf, q)
    return jnp.where(both, rest, alone).sum(axis=-1)


def seed_counts(law: np.ndarray, sizes: list[int], seed: int, name: list[Any]) -> np.ndarray:
    """Counts of n seed tokens for every n of ``sizes``: ``(N, d)`` whole numbers.

    More seeds are fewer seeds and further ones: the piece from one size to the next is multinomial, with
    a key of its own. The cost does not depend on n.

    Args:
        law: probabilities ``(d,)``.
        sizes: numbers of seeds, each at least 1, in any order.
        seed, name: root of the draws, and what is drawn (group, replicate, ..).

    Raises:
        InputError: a size below 1.

    >>> few, many = seed_counts(np.array([0.2, 0.8]), [10, 10**9], 0, ["minority"])
    >>> int(few.sum()), int(many.sum()), bool((few <= many).all())
    (10, 1000000000, True)
    """
    if min(sizes) < 1:
        raise InputError(f"a number of seeds is {min(sizes)}; give at least 1.")
    share = np.asarray(law, float)
    share = share / share.sum()
    found: dict[int, np.ndarray] = {}
    total, first = np.zeros(len(share), np.int64), 0
    for last in sorted(set(sizes)):
        random = generator(seed, ["tokens", "seeds", *name, first, last])
        total = total + random.multinomial(last - first, share)
        found[last], first = total, last
    return np.stack([found[size] for size in sizes])
