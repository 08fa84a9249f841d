"""Samples of the estimator corrected through the majority, beside its exact population."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from scaling.theory.size.curve import balanced_point
from scaling.theory.size.majority import Correction, correction, correction_weights
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_0, SYNTHETIC_1, SizeProblem
from simulations import cores, draws
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population import cubic, functionals, sandwich
from simulations.population.functionals import Functionals
from simulations.population.gaussian import Atoms
from simulations.population.losses import Loss
from simulations.population.minimisers import Minimiser
from simulations.population.quadrature import Grid
from simulations.population.sandwich import Components
from simulations.population.third_order import cubic_mean, third_order
from simulations.problems import InputError
from simulations.sampling.newton import FOUND
from simulations.sampling.signed import SignedFits, SignedStreams, blocks_of, signed_fits

PIECE = 32


class _Controls(NamedTuple):
    """At theta_mix: H, A and T of the training mixture; gradient, Hessian and third derivative of the
    balanced risk; the sum of the exact means of the four control variates."""

    hessian: AnyArray
    inverse: AnyArray
    third: AnyArray
    gradient: AnyArray
    curvature: AnyArray
    bend: AnyArray
    mean: AnyArray


@partial(quick_jit, once=True, static_argnames="loss")
def _controls(
    loss: Loss, parts: Components, theta: Array, penalty: Array, groups: Atoms, grid: Grid
) -> _Controls:
    least = Minimiser(theta, jnp.zeros(()), jnp.isfinite(theta).all())
    at = sandwich.expanded_at(least, loss, parts, penalty, grid)
    measured = functionals.functionals(loss, theta, groups, grid)
    count = len(groups.labels)
    means = cubic_mean(third_order(loss, parts, at, grid), measured, groups)[:count].mean()
    # The risks come first: their mean is the balanced risk.
    risks = Functionals(*(part[:count] for part in measured))
    gradient, curvature = risks.gradients.mean(axis=0), risks.hessians.mean(axis=0)
    forms = functionals.forms(measured, groups)
    return _Controls(
        at.hessian,
        at.inverse,
        jax.vmap(cubic.tensor)(sandwich.forms(at, parts.atoms)).sum(axis=0),
        gradient,
        curvature,
        jax.vmap(cubic.tensor)(forms)[:count].mean(axis=0),
        0.5 * jnp.sum(curvature * at.spread) + gradient @ at.bias + means,
    )


class CorrectedSamples(NamedTuple):
    """``excess (R,)``, balanced excess risks of the replicates whose rule exists, and the same less their
    control variates, ``controlled (R,)``; ``failures`` of ``replicates``; the ``population``."""

    excess: np.ndarray
    controlled: np.ndarray
    replicates: int
    failures: int
    population: Correction


def _streams(problem: SizeProblem, gamma: float, synthetic: int) -> SignedStreams:
    """The four laws as streams; a mixture has no stream."""
    if not ((problem.mixing == 0.0) | (problem.mixing == 1.0)).all():
        raise InputError("generator: its rows are mixtures of laws; samples take one law a class.")
    atoms = np.argmax(problem.mixing, axis=1)
    dim = problem.atoms.means.shape[1] - problem.intercept
    means, covariances = problem.atoms.means[atoms], problem.atoms.covariances[atoms]
    majority, minority = (int(n) for n in problem.counts)
    counts = np.zeros(4, np.int32)
    counts[[RAW_0, RAW_1, SYNTHETIC_1]] = majority, minority, majority - minority
    counts[SYNTHETIC_0] = synthetic
    weights = correction_weights(problem, gamma, synthetic).total[0] / counts
    return SignedStreams(
        means[:, :dim],
        np.linalg.cholesky(covariances[:, :dim, :dim]),
        problem.atoms.labels[atoms],
        counts,
        weights,
    )


def _controlled(found: SignedFits, at: _Controls) -> np.ndarray:
    """The four control variates less their exact means, summed, ``(R,)``:
    ``g'd + d'H d/2 + g'd2 + d'H d2 + T[d, d, d]/6`` with ``d = -A score`` and
    ``d2 = -A ((sample Hessian - H) d + T_mix[d, d]/2)``."""
    d = -found.score @ at.inverse
    bent = found.hessian - at.hessian + 0.5 * np.einsum("ijk,rk->rij", at.third, d)
    d2 = -np.einsum("ij,rjk,rk->ri", at.inverse, bent, d)
    curved = d @ at.curvature
    cubes = np.einsum("ijk,ri,rj,rk->r", at.bend, d, d, d) / 6.0
    first = (d + d2) @ at.gradient + np.einsum("ri,ri->r", curved, 0.5 * d + d2)
    return first + cubes - at.mean


def corrected_samples(
    problem: SizeProblem,
    gamma: float,
    synthetic: int,
    replicates: int,
    seed: int = 0,
    room: int | None = None,
) -> CorrectedSamples:
    """Simulate the corrected estimator and its exact excess risk.

    The control variates are those of `simulations.sampling.replicate`; their means are exact for weights of
    either sign as well, as long as every replicate has a rule.

    Args:
        problem: no ridge; whole numbers of raw rows; each synthetic law a single Gaussian.
        gamma: strength of the correction.
        synthetic: ``N_0``, synthetic majority rows.
        replicates: how many.
        seed: root of all random numbers.
        room: blocks of memory (`signed.blocks_of`), to share a program among sizes.

    Raises:
        InputError: where the population has no minimiser already, or a law is a mixture.

    Source: paper_notes/synthetic_size.md, section 8.
    """
    balanced = balanced_point(problem)
    population = correction(problem, gamma, synthetic, balanced)
    if not population.found:
        raise InputError(f"correction: {population.status}")
    if problem.penalty.any():
        raise InputError(
            "estimator.ridge: corrected samples are fitted without a ridge; set it to 0."
        )
    streams = _streams(problem, gamma, synthetic)
    grid = population.terms.solved.grid
    setting = {
        "kind": "corrected",
        "means": np.asarray(problem.atoms.means).tolist(),
        "covariances": np.asarray(problem.atoms.covariances).tolist(),
    }
    key = draws.sample_key(seed, setting, streams.counts)
    blocks = blocks_of(streams.counts) if room is None else room

    def piece(first: int) -> SignedFits:
        count = min(PIECE, replicates - first)
        return signed_fits(
            problem.loss, streams, population.theta, problem.groups, grid, key, first, count, blocks
        )

    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(piece, range(0, replicates, PIECE)))
    whole = SignedFits(*(np.concatenate(all_) for all_ in zip(*parts, strict=True)))
    exists = whole.status == FOUND
    found = SignedFits(*(part[exists] for part in whole))
    weights = correction_weights(problem, gamma, synthetic)
    laws = Components(
        problem.atoms,
        problem.mixing,
        weights.total[0],
        weights.squared[0],
        streams.weights**3 * streams.counts,
    )
    at = _controls(problem.loss, laws, population.theta, problem.penalty, problem.groups, grid)
    excess = found.risks.mean(axis=1) - balanced.risk[0]
    controls = _controlled(found, jax.tree.map(np.asarray, at))
    failures = int(np.count_nonzero(~exists))
    return CorrectedSamples(excess, excess - controls, replicates, failures, population)
