"""Samples of the estimator corrected through the majority, beside its exact population."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from scaling.theory.size.curve import balanced_point
from scaling.theory.size.majority import Correction, correction, correction_weights
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_0, SYNTHETIC_1, SizeProblem
from simulations import cores, draws
from simulations.problems import InputError
from simulations.sampling.newton import FOUND
from simulations.sampling.signed import SignedStreams, blocks_of, signed_fits

PIECE = 64


class CorrectedSamples(NamedTuple):
    """``excess (R,)``, balanced excess risks of the replicates whose rule exists, and the same less their
    control variate, ``controlled (R,)``; ``failures`` of ``replicates``; the ``population``."""

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
    counts[[RAW_0, RAW_1, SYNTHETIC_1, SYNTHETIC_0]] = (
        majority,
        minority,
        majority - minority,
        synthetic,
    )
    weights = correction_weights(problem, gamma, synthetic).total[0] / counts
    return SignedStreams(
        means[:, :dim],
        np.linalg.cholesky(covariances[:, :dim, :dim]),
        problem.atoms.labels[atoms],
        counts,
        weights,
    )


def corrected_samples(
    problem: SizeProblem,
    gamma: float,
    synthetic: int,
    replicates: int,
    seed: int = 0,
    room: int | None = None,
) -> CorrectedSamples:
    """Simulate the corrected estimator and its exact excess risk.

    The control variate ``g_b'd + (1/2) d'H_bal d``, ``d = -A (sample score at theta_mix)``, has the mean
    ``(1/2) tr(H_bal M)`` exactly where every replicate has a rule; it takes away most of the noise.

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
    streams = _streams(problem, gamma, synthetic)
    solved = population.terms.solved
    setting = {
        "kind": "corrected",
        "means": np.asarray(problem.atoms.means).tolist(),
        "covariances": np.asarray(problem.atoms.covariances).tolist(),
        "synthetic": int(synthetic),
    }
    key = draws.sample_key(seed, setting, streams.counts)
    blocks = blocks_of(streams.counts) if room is None else room

    def piece(first: int) -> tuple[np.ndarray, ...]:
        found = signed_fits(
            problem.loss, streams, population.theta, problem.groups, solved.grid, key,
            first, min(PIECE, replicates - first), blocks,
        )  # fmt: skip
        return found.risks.mean(axis=1), found.score, found.status

    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(piece, range(0, replicates, PIECE)))
    risks, scores, status = (np.concatenate(all_) for all_ in zip(*parts, strict=True))
    exists = status == FOUND
    moved = -scores[exists] @ solved.inverse[0].T
    gradient = solved.gradients[0, :2].mean(axis=0)
    hessian = solved.hessians[0, :2].mean(axis=0)
    control = moved @ gradient + 0.5 * np.einsum("ri,ij,rj->r", moved, hessian, moved)
    excess = risks[exists] - balanced.risk[0]
    failures = int(np.count_nonzero(~exists))
    return CorrectedSamples(
        excess, excess - control + population.variance, replicates, failures, population
    )
