"""Wald test of local symmetry: is imbalance the leading error of the raw rule?

Raw rows mix the groups' risks with shares ``n_g/n`` instead of ``1/K``; at the balanced optimum the raw
objective then has the gradient ``g = sum_g c_g grad R_g``, ``c_g = n_g/n - 1/K``. Local symmetry: ``g =
0``.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2


class Wald(NamedTuple):
    """``statistic`` ~ chi2 with ``df`` degrees of freedom under symmetry; ``p``: its upper tail."""

    statistic: float
    df: int
    p: float


class Symmetry(NamedTuple):
    """The test of all parameters, and that of the slopes alone (None without slopes)."""

    all: Wald
    slopes: Wald | None


def symmetry_test(
    scores: np.ndarray, group: np.ndarray, hessians: np.ndarray, ridge: np.ndarray, intercept: bool
) -> Symmetry:
    """``T = g'V^-1 g`` at the rule fitted to the balanced risk.

        V = sum_g A_g S_g A_g' / n_g,   A_g = c_g I - (1/K) (sum_h c_h H_h) H^-1,   H = mean H_g + ridge

    With two groups g is ``(n_0/n - 1/2)(grad R_0 - grad R_1)``, and T does not hang on that factor: without
    ridge this is ``g = 2 grad R_0``, ``A_0 = H_1 H^-1``, ``A_1 = -H_0 H^-1``.

    Args:
        scores: gradient of each row's loss at the fitted rule, ``(n, p)``.
        group: ``(n,)``, in 0..K-1, no group empty.
        hessians: Hessian of each group's risk there, ``(K, p, p)``.
        ridge: diagonal of the penalty, ``(p,)``.
        intercept: whether the last parameter is an intercept.

    Returns:
        both tests. With an intercept the first can never hold in the population: the intercept part of g is
        ``E_0 f - E_1 f > 0``; the test of the slopes says whether imbalance moves more than the intercept.

    Too many rejections below some hundred rows of the smallest group; with fewer rows in a group than
    parameters the test means nothing.

    >>> random = np.random.default_rng(0)
    >>> scores, group = random.standard_normal((400, 2)), np.repeat([0, 1], [300, 100])
    >>> found = symmetry_test(scores, group, np.stack([np.eye(2)] * 2), np.zeros(2), False)
    >>> found.all.df, found.all.p > 1e-4
    (2, True)
    """
    counts = np.bincount(group)
    groups, p = len(counts), scores.shape[1]
    share = counts / counts.sum() - 1.0 / groups
    H = hessians.mean(axis=0) + np.diag(ridge)
    bent = np.linalg.solve(H, np.einsum("k,kij->ij", share, hessians)).T / groups
    g, V = np.zeros(p), np.zeros((p, p))
    for k in range(groups):
        own = scores[group == k]
        A = share[k] * np.eye(p) - bent
        g += share[k] * own.mean(axis=0)
        moved = (own - own.mean(axis=0)) @ A.T
        V[...] += moved.T @ moved / (len(own) * (len(own) - 1.0))
    slopes = _wald(g[:-1], V[:-1, :-1]) if intercept and p > 1 else None
    return Symmetry(_wald(g, V), slopes)


def _wald(g: np.ndarray, V: np.ndarray) -> Wald:
    """``g'V^+ g`` on the range of V, whose dimension is the degrees of freedom."""
    scale = np.sqrt(np.maximum(np.diag(V), 1e-300))
    values, vectors = np.linalg.eigh(V / np.outer(scale, scale))
    kept = values > 1e-10 * max(values.max(), 0.0)
    along = vectors[:, kept].T @ (g / scale)
    statistic, df = float((along**2 / values[kept]).sum()), int(kept.sum())
    return Wald(statistic, df, float(chi2.sf(statistic, df)) if df else 1.0)
