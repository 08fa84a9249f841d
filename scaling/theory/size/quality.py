"""The generator-quality score: what its bias costs over what sampling costs, at full balancing.

With ``m_b = n_0 - n_1`` synthetic minority rows and ``delta = grad R_syn - grad R_1`` at ``theta_bal``

    Q = [ m_b^2/(2 n_0) ] delta' H^-1 delta / tr(H^-1 S_aug),
    S_aug = (n_0 S_0 + n_1 S_1 + m_b S_syn)/(2 n_0),

is the small-bias floor over the variance. From samples, ``delta' H^-1 delta`` is estimated from two deltas
of disjoint rows: the square of one delta is too large by ``tr(H^-1 Cov delta)`` in the mean.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from scaling.theory.size.directions import Directions
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_1, SizeProblem
from simulations.population.losses import Loss
from simulations.problems import InputError

# Up to here the note calls a generator realistic: its bias costs less than ten times the noise.
REALISTIC = 10.0


def quality_score(problem: SizeProblem, found: Directions) -> float:
    """The population's score Q: 0 for the right law, above 1 where bias costs more than noise.

    Do not trust it for a visible bias (the floor is not quadratic), nor far from full balancing.

    Source: paper_notes/synthetic_size.md, section 7.

    >>> from scaling.theory.size.directions import directions
    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> large = golden.with_counts(2000, 100)
    >>> round(quality_score(large, directions(large)), 2)
    50.62
    """
    return _score(
        problem.counts,
        found.product(found.bias, found.bias, "inverse_hessian"),
        found.inverse,
        found.covariances[[RAW_0, RAW_1, SYNTHETIC_1]],
    )


def _score(
    counts: tuple[float, float], square: float, inverse: np.ndarray, covariances: np.ndarray
) -> float:
    majority, minority = counts
    missing = majority - minority
    rows = np.array([majority, minority, missing])
    mixed = np.tensordot(rows, covariances, 1) / (2.0 * majority)
    return missing**2 / (2.0 * majority) * square / float(np.sum(inverse * mixed))


class Quality(NamedTuple):
    """``score``: cross-fitted, unbiased to leading order, may be negative; ``se``: its standard error;
    ``plug_in``: from one delta, and ``upward``: the part of it that is noise; ``status``."""

    score: float
    se: float
    plug_in: float
    upward: float
    status: str


class ScoreRows(NamedTuple):
    """Rows of one law seen by one rule: ``scores (n, p)`` (``f(u) x``) and ``hessian (p, p)``."""

    scores: np.ndarray
    hessian: np.ndarray


def score_rows(loss: Loss, theta: np.ndarray, rows: np.ndarray, label: float) -> ScoreRows:
    """Scores of ``rows (n, p)`` (with their 1 where there is an intercept) at ``theta (p,)``."""
    u = jnp.asarray(rows @ theta)
    y = jnp.full_like(u, label)
    curvature, slope = np.asarray(loss.second(u, y)), np.asarray(loss.first(u, y))
    return ScoreRows(slope[:, None] * rows, (rows * curvature[:, None]).T @ rows / len(rows))


def _sure(scores: np.ndarray) -> np.ndarray:
    """Covariance of the mean of the scores."""
    return np.cov(scores, rowvar=False).reshape(scores.shape[1], -1) / len(scores)


def cross_fitted_quality(
    loss: Loss,
    theta: np.ndarray,
    majority: np.ndarray,
    minority: tuple[np.ndarray, np.ndarray],
    synthetic: tuple[np.ndarray, np.ndarray],
) -> Quality:
    """Estimate the score from rows: ``delta_a`` and ``delta_b`` from disjoint folds.

    Args:
        loss: logistic or squared.
        theta: the balanced rule ``(p,)``, fitted to raw rows with equal class weights.
        majority: rows of class 0, ``(n_0, p)``.
        minority: real rows of class 1 in two folds, ``(n_a, p)`` and ``(n_b, p)``, at least 2 each.
        synthetic: synthetic rows of class 1 in two folds; a fitted generator's rows of a fold must not
            have been fitted to the real rows of that fold.

    Returns:
        The score, its standard error (delta method), and what one plug-in delta would have said.

    Do not trust the standard error for folds of fewer than about ten rows per parameter.

    Raises:
        InputError: fewer than two rows in a fold, or a Hessian that is not positive definite.

    Source: paper_notes/synthetic_size.md, section 7.
    """
    if min(len(part) for part in (majority, *minority, *synthetic)) < 2:
        raise InputError(
            "folds: every fold needs at least two rows; give more rows or fewer folds."
        )
    other = score_rows(loss, theta, majority, 0.0)
    real = [score_rows(loss, theta, rows, 1.0) for rows in minority]
    made = [score_rows(loss, theta, rows, 1.0) for rows in synthetic]
    whole = score_rows(loss, theta, np.concatenate(minority), 1.0)
    hessian = 0.5 * (other.hessian + whole.hessian)
    if not np.linalg.eigvalsh(hessian)[0] > 0.0:
        raise InputError(
            "rows: the balanced Hessian is singular; drop constant or repeated columns."
        )
    inverse = np.linalg.inv(hessian)
    deltas = [
        s.scores.mean(axis=0) - r.scores.mean(axis=0) for s, r in zip(made, real, strict=True)
    ]
    noise = [_sure(s.scores) + _sure(r.scores) for s, r in zip(made, real, strict=True)]
    one, two = deltas
    square = float(one @ inverse @ two)
    turned = [inverse @ n @ inverse for n in noise]
    variance = two @ turned[0] @ two + one @ turned[1] @ one - np.sum(turned[0] * noise[1])
    variance = max(float(variance), float(np.sum(turned[0] * noise[1])))
    syn = np.concatenate([m.scores for m in made])
    mean = syn.mean(axis=0) - whole.scores.mean(axis=0)
    counts = (float(len(majority)), float(len(whole.scores)))
    covariances = np.stack([np.cov(p, rowvar=False).reshape(len(theta), -1)
                            for p in (other.scores, whole.scores, syn)])  # fmt: skip
    unit = _score(counts, 1.0, inverse, covariances)
    upward = unit * float(np.sum(inverse * (_sure(syn) + _sure(whole.scores))))
    score = unit * square
    if score > REALISTIC:
        status = "The bias costs more than ten times the noise: use few of these rows, or none."
    elif score > 1.0:
        status = "The bias costs more than the noise: full balancing is too much, or too little."
    else:
        status = "The bias costs no more than the noise."
    return Quality(score, unit * variance**0.5, unit * float(mean @ inverse @ mean), upward, status)
