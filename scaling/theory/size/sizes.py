"""Sizes by formula: Ma and Zhang's, the same in the metric of the inverse Hessian, the quadratic floor's.

With the training gradient ``G(m) = [ (1/2)(n_0 - n_1 - m) g_phi + m g_psi ] / (n_0 + n_1 + m)``

- ``m* = (n_0 - n_1)/(1 - 2 <g_psi, g_phi>/<g_phi, g_phi>)`` is the zero of ``<G, g_phi>``: Ma and Zhang
  (arXiv 2601.16120) in the Euclidean metric, ``m*_H`` in that of ``H^-1``;
- the floor of a small bias is ``(1/2) G' H^-1 G``, and its minimum over m is where G is orthogonal to
  ``n_0/(n_0 + n_1) g_phi - g_psi`` in that metric (a share of the sample enters linearly, m does not).
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.size.directions import Directions, Metric
from scaling.theory.size.problem import SizeProblem


class Size(NamedTuple):
    """``rows`` m, real (NaN where there is none); ``value``: what is minimised there (NaN for a formula
    that minimises nothing); ``found`` and ``status``, a sentence."""

    rows: float
    value: float
    found: bool
    status: str


SYMMETRIC = (
    "no size: the classes are locally symmetric (g_phi = 0), imbalance leaves no first-order error;"
    " judge the generator by its quality score."
)
NOT_POSITIVE = (
    "no size: the denominator is not positive, so that every synthetic row moves the gradient at least"
    " as far as it balances; minimise the exact curve, or do not use this generator."
)


def size(problem: SizeProblem, found: Directions, metric: Metric = "inverse_hessian") -> Size:
    """``m* = (n_0 - n_1)/(1 - 2 <g_psi, g_phi>/<g_phi, g_phi>)`` in either metric.

    Args:
        problem: the raw counts are taken from it.
        found: g_phi, g_psi and H of the problem.
        metric: ``"euclidean"`` is the size of Ma and Zhang, which depends on the units of the features;
            ``"inverse_hessian"`` does not.

    Returns:
        The size, or why there is none.

    Do not trust it for a large bias, nor the Euclidean one where features differ in scale: it can be
    worse than balancing (paper_notes/synthetic_size.md, section 3). Minimise the curve
    (`scaling.theory.size.optimum`) instead.

    Source: arXiv 2601.16120 as quoted in paper_notes/synthetic_size.md, section 2; its metric: derived
    there.

    >>> from scaling.theory.size.directions import directions
    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> round(size(golden, directions(golden)).rows, 6)
    76.0
    """
    if found.symmetric:
        return Size(np.nan, np.nan, False, SYMMETRIC)
    along = found.product(found.bias, found.imbalance, metric)
    denominator = 1.0 - 2.0 * along / found.product(found.imbalance, found.imbalance, metric)
    if denominator <= 0.0:
        return Size(np.nan, np.nan, False, NOT_POSITIVE)
    return Size(
        problem.missing / denominator,
        np.nan,
        True,
        "The gradient that training sees has no part along the imbalance.",
    )


def quadratic_size(problem: SizeProblem, found: Directions) -> Size:
    """The minimiser over ``m >= 0`` of the small-bias floor ``(1/2) G(m)' H^-1 G(m)``, and its value.

    With the share ``s = m/(n_0 + n_1 + m)``, ``G = a - s (a - b)``, ``a = (n_0-n_1)/(2(n_0+n_1)) g_phi``
    and ``b = g_psi - g_phi/2``: least at ``s = <a, a-b>/<a-b, a-b>``.

    Args:
        problem: raw and synthetic laws, counts and loss.
        found: `directions` of this problem.

    Do not trust it for a visible bias or imbalance: the floor is then not quadratic in G.

    Source: paper_notes/synthetic_size.md, section 3.

    >>> from scaling.theory.size.directions import directions
    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> round(quadratic_size(golden, directions(golden)).rows, 6)
    76.0
    """
    raw = sum(problem.counts)
    start = 0.5 * problem.missing / raw * found.imbalance
    way = problem.counts[0] / raw * found.imbalance - found.bias
    length = found.product(way, way, "inverse_hessian")
    share = found.product(start, way, "inverse_hessian") / length if length > 0.0 else 0.0

    def value(share: float) -> float:
        gradient = start - share * way
        return 0.5 * found.product(gradient, gradient, "inverse_hessian")

    if share <= 0.0:
        return Size(0.0, value(0.0), False, "at the boundary: no synthetic rows are best.")
    if share >= 1.0:
        return Size(np.nan, value(1.0), False, "no interior minimum: it falls for ever in m.")
    return Size(share / (1.0 - share) * raw, value(share), True, "The small-bias floor is least.")
