"""What a fit does to first and second order: control variates of its excess risks with exact means.

With w_c = n_c/n the weight of component c (n_c rows of one law), theta the minimiser of the mixture, and in
the score's derivatives f, f', f'' there: A = H^-1, s the sample's mean score, H^ its Hessian,

    delta_1 = -A s,     delta_2 = -A [(H^ - H) delta_1 + (1/2) T[delta_1, delta_1]],
    control_g = g_g'(delta_1 + delta_2) + (1/2) delta_1' H_g delta_1     (g_g, H_g of group g's risk),

whose mean ``g_g' bias + (1/2) tr(H_g A V A)`` is exact at every number of rows: rows are independent.
Source: paper_notes/transformers.md, section 9; paper_notes/excess_risk.md.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from simulations.tokens.groups import Groups


class Around(NamedTuple):
    """At the mixture's ``theta (p,)``: ``inverse (p, p)`` of its Hessian; ``slopes`` f', ``bends`` f'' of
    the mixture per row of the list, ``(N,)``; ``gradients (K + 1, p)``, ``hessians (K + 1, p, p)`` of the
    groups' risks and of the balanced one; ``means (K + 1,)`` of the controls."""

    theta: np.ndarray
    inverse: np.ndarray
    slopes: np.ndarray
    bends: np.ndarray
    gradients: np.ndarray
    hessians: np.ndarray
    means: np.ndarray


def around(groups: Groups, parts: np.ndarray, counts: np.ndarray, theta: np.ndarray) -> Around:
    """The expansion at a minimiser that is known.

    Args:
        groups: K groups over N rows.
        parts: laws of the components, raw rows of every group and then its synthetic rows, ``(2K, N)``.
        counts: rows of each, ``(2K,)``.
        theta: minimiser of the mixture, ``(p,)``.

    >>> groups = Groups(np.ones((1, 1)), np.zeros((2, 1)), np.arange(2.0), np.zeros(1))
    >>> at = around(groups, np.ones((4, 1)), np.array([30, 10, 0, 20]), np.zeros(1))
    >>> at.means.tolist()  # fixed counts leave an intercept no freedom
    [0.0, 0.0, 0.0]
    """
    x, total = groups.points, counts.sum()
    labels = np.concatenate([groups.labels, groups.labels])
    p = expit(x @ theta)
    slope = p * (1.0 - p)
    first = p[None] - labels[:, None]
    mixed = counts @ parts / total
    hessian = _forms(x, mixed * slope)
    inverse = np.linalg.inv(hessian)
    risks = groups.laws * first[: len(groups.laws)] @ x
    curved = np.stack([_forms(x, law * slope) for law in groups.laws])
    scores = parts * first @ x
    # V and E[(H^ - H) A s], component by component; x'Ax of every row.
    length = np.einsum("ni,ij,nj->n", x, inverse, x)
    spread, leant = np.zeros_like(hessian), np.zeros_like(theta)
    for law, f, g, n in zip(parts, first, scores, counts, strict=True):
        if n:
            spread += n / total**2 * (_forms(x, law * f**2) - np.outer(g, g))
            own = (law * slope * f * length) @ x - _forms(x, law * slope) @ inverse @ g
            leant += n / total**2 * own
    moved = inverse @ spread @ inverse
    bends = mixed * slope * (1.0 - 2.0 * p)
    bias = inverse @ (leant - 0.5 * (bends * np.einsum("ni,ij,nj->n", x, moved, x)) @ x)
    gradients = np.vstack([risks, risks.mean(axis=0)])
    hessians = np.concatenate([curved, curved.mean(axis=0)[None]])
    means = gradients @ bias + 0.5 * np.einsum("kij,ij->k", hessians, moved)
    return Around(theta, inverse, mixed * slope, bends, gradients, hessians, means)


def controls(groups: Groups, at: Around, ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    """The control variates of R samples less their means, ``(R, K + 1)``: groups, then balanced.

    Args:
        groups, at: the world and `around` of it.
        ones, zeros: shares of the sample's rows with label 1 and 0, per row of the list, ``(R, N)``.

    When not to trust it: never biased; of no use where samples are so small that fits are far from theta.
    """
    x = groups.points
    p = expit(x @ at.theta)
    both = ones + zeros
    first = -((both * p - ones) @ x) @ at.inverse
    along = first @ x.T
    seen = (both * p * (1.0 - p) - at.slopes) * along
    second = -((seen + 0.5 * at.bends * along**2) @ x) @ at.inverse
    quadratic = 0.5 * np.einsum("ri,kij,rj->rk", first, at.hessians, first, optimize=True)
    return (first + second) @ at.gradients.T + quadratic - at.means


def _forms(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``sum_j w_j x_j x_j'``."""
    return x.T @ (x * weights[:, None])
