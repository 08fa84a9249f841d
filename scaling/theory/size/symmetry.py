"""Wald's test of local symmetry: is imbalance the leading error at all?

Local symmetry means ``g_phi = grad R_0 - grad R_1 = 0`` at ``theta_bal``. With the balanced rule
``theta^`` of the sample (class means weigh the same) ``grad R^_0 + grad R^_1 = 0`` there, and

    g = 2 grad R^_0(theta^),    T = g' V^-1 g -> chi2_p,    V = A_0 S_0 A_0'/n_0 + A_1 S_1 A_1'/n_1,
    A_0 = H_1 H^-1,  A_1 = -H_0 H^-1,  H = (H_0 + H_1)/2,

S_y the covariance of the scores of class y. Away from symmetry T is noncentral, ``g_phi' V^-1 g_phi``.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from scipy.stats import chi2, ncx2

from simulations import linear
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population.losses import LOSSES, Loss
from simulations.problems import InputError, nearest

MOST_STEPS = 50
# A Newton step this short, relative to 1 + |theta|, has converged: on separable data steps stay long.
SHORT_STEP = 1e-8
# Smallest over largest eigenvalue, in units of the diagonal, below which a matrix counts as singular.
LEAST_RATIO = 1e-10
# From so many minority rows per parameter the chi-square law holds to a few percent (the note, section 5).
ENOUGH_ROWS = 50
FOUND, NO_RULE, SINGULAR = range(3)
STATUS = {
    FOUND: "ok",
    NO_RULE: "no test: the balanced rule was not found, the classes are separable (or nearly); add a"
    " ridge or drop features.",
    SINGULAR: "no test: a matrix is singular to rounding; drop constant, repeated or combined columns.",
}
SMALL = "The minority has fewer than {0} rows per parameter: the test rejects too often there."


class WaldParts(NamedTuple):
    """Per sample: ``statistic (..)``, ``asymmetry (.., p)`` (the estimate of g_phi), its ``covariance``
    V ``(.., p, p)``, ``theta (.., p)`` and ``status (..)``, a key of ``STATUS``."""

    statistic: AnyArray
    asymmetry: AnyArray
    covariance: AnyArray
    theta: AnyArray
    status: AnyArray


def wald_parts(
    theta: Array, gradients: Array, hessians: Array, seconds: Array, counts: Array
) -> WaldParts:
    """T from the moments of one sample at its balanced rule.

    Args:
        theta: ``(p,)``.
        gradients: mean scores of both classes, ``(2, p)``.
        hessians: mean Hessians, ``(2, p, p)``.
        seconds: means of ``f^2 x x'``, ``(2, p, p)``; covariances have the divisor ``n_y - 1``.
        counts: ``(2,)``.
    """
    covariances = seconds - gradients[:, :, None] * gradients[:, None, :]
    covariances = covariances / (counts - 1.0)[:, None, None]
    inverse = linear.inverse(0.5 * (hessians[0] + hessians[1]))
    first, second = hessians[1] @ inverse, hessians[0] @ inverse
    covariance = first @ covariances[0] @ first.T + second @ covariances[1] @ second.T
    asymmetry = gradients[0] - gradients[1]
    statistic = asymmetry @ linear.solve(covariance, asymmetry)
    status = jnp.where(jnp.isfinite(statistic), FOUND, SINGULAR)
    return WaldParts(statistic, asymmetry, covariance, theta, status)


@quick_jit
def _batched(
    theta: Array, gradients: Array, hessians: Array, seconds: Array, counts: Array
) -> WaldParts:
    return jax.vmap(wald_parts, in_axes=(0, 0, 0, 0, None))(
        theta, gradients, hessians, seconds, counts
    )


def wald_batch(
    theta: np.ndarray,
    gradients: np.ndarray,
    hessians: np.ndarray,
    seconds: np.ndarray,
    counts: np.ndarray,
) -> WaldParts:
    """`wald_parts` of many samples, a leading axis on all but ``counts``."""
    found = _batched(theta, gradients, hessians, seconds, np.asarray(counts, float))
    return WaldParts(*(np.asarray(part) for part in found))


def wald_rows(loss: Loss, rows_0: Array, rows_1: Array) -> WaldParts:
    """T of one sample from its rows ``(n_0, p)``, ``(n_1, p)``; may be vmapped over samples.

    Newton's method on the balanced risk from 0, steps halved while the gradient does not shrink.

    Args:
        loss: of the rule.
        rows_0: of class 0, with the constant feature.
        rows_1: of class 1.
    """
    classes = ((rows_0, 0.0), (rows_1, 1.0))

    def moments(theta: Array, rows: Array, label: float) -> tuple[Array, Array]:
        u = rows @ theta
        y = jnp.full_like(u, label)
        gradient = loss.first(u, y) @ rows / len(rows)
        return gradient, (rows * loss.second(u, y)[:, None]).T @ rows / len(rows)

    def both(theta: Array) -> tuple[Array, Array]:
        each = [moments(theta, *of) for of in classes]
        return jnp.stack([e[0] for e in each]), jnp.stack([e[1] for e in each])

    def unfinished(state: tuple[Any, ...]) -> Array:
        theta, step, _, fraction, count = state
        long = jnp.abs(step).max() > SHORT_STEP * (1.0 + jnp.abs(theta).max())
        return (long | (count == 0)) & (count < MOST_STEPS) & (fraction > 1e-6)

    def advance(state: tuple[Any, ...]) -> tuple[Any, ...]:
        theta, step, size, fraction, count = state
        trial = theta + fraction * step
        gradients, hessians = both(trial)
        gradient = 0.5 * gradients.sum(axis=0)
        new_size = jnp.linalg.norm(gradient)
        better = (new_size < size) | (count == 0)
        newton = -linear.solve(0.5 * hessians.sum(axis=0), gradient)
        return (
            jnp.where(better, trial, theta),
            jnp.where(better, newton, step),
            jnp.where(better, new_size, size),
            jnp.where(better, 1.0, 0.5 * fraction),
            count + 1,
        )

    start = jnp.zeros(rows_0.shape[1])
    first = (start, start, jnp.asarray(jnp.inf), jnp.asarray(1.0), 0)
    theta, step, size, _, count = lax.while_loop(unfinished, advance, first)
    gradients, hessians = both(theta)
    # Steps end at rounding as well: what is left of the gradient then is.
    small = size < 1e-12 * jnp.sqrt(jnp.trace(hessians.sum(axis=0)) + 1e-300)
    short = jnp.abs(step).max() <= SHORT_STEP * (1.0 + jnp.abs(theta).max())
    settled = (short | (small & (count < MOST_STEPS))) & jnp.isfinite(theta).all()

    def second(rows: Array, label: float) -> Array:
        u = rows @ theta
        scores = loss.first(u, jnp.full_like(u, label))[:, None] * rows
        return scores.T @ scores / len(rows)

    seconds = jnp.stack([second(*of) for of in classes])
    counts = jnp.array([len(rows_0), len(rows_1)], jnp.float64)
    found = wald_parts(theta, gradients, hessians, seconds, counts)
    flat = _flat(0.5 * hessians.sum(axis=0)) | _flat(found.covariance)
    status = jnp.where(flat, SINGULAR, found.status)
    # Of separable classes the Hessian vanishes on the way, but constant columns are singular at 0 already.
    singular = _flat(sum(rows.T @ rows / len(rows) for rows, _ in classes))
    status = jnp.where(settled, status, jnp.where(singular, SINGULAR, NO_RULE))
    return found._replace(status=jnp.where(singular, SINGULAR, status))


def _flat(matrix: Array | float) -> Array:
    """Whether a symmetric matrix, scaled to unit diagonal, is singular to rounding or worse."""
    matrix = jnp.asarray(matrix)
    diagonal = jnp.diagonal(matrix)
    scale = jnp.sqrt(jnp.where(diagonal > 0.0, diagonal, 1.0))
    values = jnp.linalg.eigvalsh(
        jnp.where(jnp.isfinite(matrix), matrix, 0.0) / (scale[:, None] * scale[None, :])
    )
    return ~(values[0] > LEAST_RATIO * values[-1]) | ~(diagonal > 0.0).all()


@partial(quick_jit, static_argnames="loss")
def _one(loss: Loss, rows_0: Array, rows_1: Array) -> WaldParts:
    return wald_rows(loss, rows_0, rows_1)


class SymmetryTest(NamedTuple):
    """``statistic`` T, ``df`` and ``p`` (NaN where there is no test), the estimate ``asymmetry`` of g_phi
    ``(p,)`` and a ``status``: ``ok``, or what to know or do."""

    statistic: float
    df: int
    p: float
    asymmetry: np.ndarray
    status: str


def symmetry_test(
    majority: np.ndarray, minority: np.ndarray, loss: str = "logistic", intercept: bool = True
) -> SymmetryTest:
    """Test whether imbalance leaves a first-order error in the rule of these two classes.

    Args:
        majority: rows of class 0, ``(n_0, d)``, finite numbers.
        minority: rows of class 1, ``(n_1, d)``.
        loss: ``"logistic"`` or ``"squared"`` (labels 0 and 1).
        intercept: whether the rule has one; then symmetry is impossible and T grows with the sample
            (paper_notes/synthetic_size.md, section 5): read the size of ``asymmetry``, not p.

    Returns:
        The test; ``p`` is the chi-square tail, too small where the minority has fewer than about fifty
        rows per parameter.

    Raises:
        InputError: an unknown loss, rows of different length, fewer than two rows, or no numbers.

    Source: test by Ma and Zhang (arXiv 2601.16120) as quoted in paper_notes/synthetic_size.md, section 5.

    >>> rows = np.random.default_rng(0).standard_normal((2, 400, 2)) + np.array([1.0, 0.0])
    >>> symmetric = symmetry_test(-rows[0], rows[1], intercept=False)
    >>> symmetric.df, symmetric.p > 0.001, symmetric.status
    (2, True, 'ok')
    >>> symmetry_test(-rows[0], rows[1]).p < 1e-6
    True
    """
    if loss not in LOSSES:
        raise InputError(f"loss is {loss!r}; {nearest(loss, LOSSES, 'losses')}")
    both = [np.asarray(rows, dtype=float) for rows in (majority, minority)]
    if any(rows.ndim != 2 or len(rows) < 2 for rows in both) or len({r.shape[1] for r in both}) > 1:
        raise InputError("rows: give two tables of at least two rows each, with the same columns.")
    if not all(np.isfinite(rows).all() for rows in both):
        raise InputError("rows: a value is missing or infinite; fill or drop it first.")
    if intercept:
        both = [np.concatenate([rows, np.ones((len(rows), 1))], axis=1) for rows in both]
    found = _one(LOSSES[loss], *both)
    asymmetry, status = np.asarray(found.asymmetry), int(found.status)
    df = len(asymmetry)
    if status != FOUND:
        return SymmetryTest(np.nan, df, np.nan, np.full(df, np.nan), STATUS[status])
    statistic = float(found.statistic)
    text = SMALL.format(ENOUGH_ROWS) if len(both[1]) < ENOUGH_ROWS * df else STATUS[FOUND]
    return SymmetryTest(statistic, df, float(chi2.sf(statistic, df)), asymmetry, text)


def wald_power(noncentrality: float | np.ndarray, df: int, level: float = 0.05) -> np.ndarray:
    """``P(chi2_df(noncentrality) > chi2 quantile)``: the power at large samples.

    >>> round(float(wald_power(0.0, 5)), 12)
    0.05
    """
    # SciPy's noncentral law has no limit at 0.
    return ncx2.sf(chi2.isf(level, df), df, np.maximum(noncentrality, 1e-12))
