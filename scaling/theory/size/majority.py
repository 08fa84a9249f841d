"""Correcting the generator's bias through the majority, where real rows are plenty.

``m = n_0 - n_1`` synthetic minority rows, and ``N_0`` synthetic *majority* rows from the same generator,
whose bias ``delta_0`` the many real majority rows reveal (idea: Lyu, Ma, Zhang and Zhang, arXiv 2510.26046;
the form below is derived in the note). With ``gamma`` the objective is

    (1/2n_0) { sum_0 l + sum_1 l + sum_syn1 l - gamma m ( mean_syn0 l - mean_0 l ) },

a weighted M-estimator with row weights ``1 + gamma m/n_0`` (raw 0), 1, 1, ``-gamma m/N_0`` (synthetic 0).
Floor of a small bias: ``(1/2)(m/2n_0)^2 |delta_1 - gamma delta_0|^2`` in the metric of ``H^-1``.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.size.curve import Terms, balanced_point, terms_of
from scaling.theory.size.directions import ZERO, Directions, directions
from scaling.theory.size.mixtures import Mixtures, Weights, size_weights
from scaling.theory.size.problem import RAW_0, SYNTHETIC_0, SYNTHETIC_1, SizeProblem
from simulations.problems import InputError

METRIC = "inverse_hessian"
HELPS = "The correction helps: the floor falls from {before:.4g} to {after:.4g}."
HURTS = (
    "The correction hurts: the floor grows from {before:.4g} to {after:.4g}; do without it, or use"
    " gamma = {best:.3g}."
)
NO_MINIMISER = (
    "The corrected objective has no minimiser near the uncorrected one (negative weights; its Hessian"
    " must be positive definite); use a smaller gamma, or more synthetic majority rows."
)
NOTHING = "The generator is unbiased for the majority: there is nothing to correct with."


def correction_weights(problem: SizeProblem, gamma: float, synthetic: float) -> Weights:
    """The weights of the four laws; ``synthetic`` is ``N_0``."""
    majority, minority = problem.counts
    m, whole = problem.missing, 2.0 * majority
    each = np.array([majority + gamma * m, minority, m, -gamma * m])
    rows = np.array([majority, minority, m, synthetic])
    squares = np.divide(each**2, rows, out=np.zeros(4), where=rows > 0.0)
    return Weights(each[None] / whole, squares[None] / whole**2)


class Correction(NamedTuple):
    """``gamma``; exact ``floor``, ``variance``, ``second_order`` of the corrected estimator (NaN where none
    exists), the floor ``before`` the correction and the small-bias floors of both; ``best_gamma``;
    ``theta (p,)``; the smallest eigenvalue of its training Hessian; ``found`` and ``status``."""

    gamma: float
    floor: float
    variance: float
    second_order: float
    before: float
    small_bias: float
    small_bias_before: float
    best_gamma: float
    theta: np.ndarray
    curvature: float
    found: bool
    status: str
    terms: Terms


def best_gamma(found: Directions) -> float:
    """``<delta_1, delta_0>/|delta_0|^2`` in the metric of ``H^-1``; 0 where delta_0 vanishes."""
    zero, one = found.deltas
    if np.abs(zero).max() <= ZERO * found.scale:
        return 0.0
    return found.product(one, zero, METRIC) / found.product(zero, zero, METRIC)


def small_bias_floor(problem: SizeProblem, found: Directions, gamma: float) -> float:
    """``(1/2) (m/2n_0)^2 |delta_1 - gamma delta_0|^2`` in the metric of ``H^-1``."""
    rest = found.deltas[1] - gamma * found.deltas[0]
    share = problem.missing / (2.0 * problem.counts[0])
    return 0.5 * share**2 * found.product(rest, rest, METRIC)


def correction(
    problem: SizeProblem,
    gamma: float = 1.0,
    synthetic: float | None = None,
    balanced: Mixtures | None = None,
) -> Correction:
    """The estimator corrected through the majority: exact floor, variance and second order.

    Args:
        problem: classes, generator (its law for class 0 is used as well), loss and raw counts, the
            majority first.
        gamma: strength, any real number; 0 is no correction.
        synthetic: ``N_0``, synthetic majority rows, > 0; as many as minority ones unless given.
        balanced: what `balanced_point` gave, to save its time.

    Returns:
        The record; ``found`` is false where no minimiser with a positive definite Hessian lies near the
        uncorrected one.

    Do not trust the small-bias floors for a visible bias (a shift of .5 across the classes: 4.6e-2 where
    the exact floor is 8.0e-2). In a finite sample the objective need not have a minimiser where the
    population's has one: failures must be counted.

    Raises:
        InputError: a majority that is none, or N_0 that is not positive.

    Source: paper_notes/synthetic_size.md, section 8.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> means = [[-1, 0], [1, 0], [1, 0.5], [-1, -0.5]]  # a shift that mirrors the classes
    >>> found = correction(gaussian_problem(means, (2000, 200)))
    >>> round(found.before, 4), found.floor, round(found.best_gamma, 9)
    (0.0116, 0.0, 1.0)
    """
    if not problem.missing > 0.0:
        raise InputError("counts: class 0 must have more rows than class 1 to correct through it.")
    synthetic = problem.missing if synthetic is None else float(synthetic)
    if not synthetic > 0.0:
        raise InputError(f"synthetic is {synthetic:g}; give a positive number of majority rows.")
    balanced = balanced_point(problem) if balanced is None else balanced
    known = directions(problem, balanced)
    plain = terms_of(problem, size_weights(problem, [problem.missing]), balanced)
    weights = correction_weights(problem, gamma, synthetic)
    terms = terms_of(problem, weights, balanced, starts=plain.solved.theta)
    hessian = np.einsum("q,qij->ij", weights.total[0], terms.solved.hessians[0]) + problem.penalty
    curvature = float(np.linalg.eigvalsh(hessian)[0]) if np.isfinite(hessian).all() else -np.inf
    found = bool(terms.found[0]) and curvature > 0.0
    before, after = float(plain.floor[0]), float(terms.floor[0])
    best = best_gamma(known)
    if not found:
        status = NO_MINIMISER
    elif np.abs(known.deltas[0]).max() <= ZERO * known.scale:
        status = NOTHING
    else:
        sentence = HELPS if after < before else HURTS
        status = sentence.format(before=before, after=after, best=best)
    nan = float("nan")
    return Correction(
        gamma,
        after if found else nan,
        float(terms.variance[0]) if found else nan,
        float(terms.second_order[0]) if found else nan,
        before,
        small_bias_floor(problem, known, gamma),
        small_bias_floor(problem, known, 0.0),
        best,
        terms.solved.theta[0],
        curvature,
        found,
        status,
        terms,
    )


def helps(found: Directions) -> bool:
    """Whether gamma = 1 lowers the small-bias floor: ``<delta_1, delta_0> > |delta_0|^2 / 2``."""
    zero, one = found.deltas
    return found.product(one, zero, METRIC) > 0.5 * found.product(zero, zero, METRIC)


def recentred(problem: SizeProblem) -> SizeProblem:
    """The problem with synthetic minority rows moved by ``-(E_syn0 x - E_0 x)``.

    The simplest correction through the majority: it removes a shift that both classes' synthetic rows
    have in common, doubles a mirrored one, and keeps the objective convex.

    Source: paper_notes/synthetic_size.md, section 8.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> common = gaussian_problem([[-1, 0], [1, 0], [1, 0.5], [-1, 0.5]], (2000, 200))
    >>> moved = recentred(common)
    >>> float(terms_of(moved, size_weights(moved, [1800]), balanced_point(moved)).floor[0])
    0.0
    """
    means = np.array(problem.atoms.means)
    offset = problem.mixing[SYNTHETIC_0] @ means - problem.mixing[RAW_0] @ means
    means[problem.mixing[SYNTHETIC_1] > 0.0] -= offset
    return problem._replace(atoms=problem.atoms._replace(means=means))
