"""Clusters of rows, and the order parameters that a rule trained on them converges to.

A rule is judged through few numbers when the dimension d and the n distinct rows grow together: its
projection s on the span of the clusters' means, the norm r of the rest, and its intercept b.
"""

from typing import NamedTuple

from simulations.arrays import AnyArray


class Clusters(NamedTuple):
    """C clusters of the training rows in a span of k dimensions (any leading axes: a batch).

    Rows of cluster c have a label, are Gaussian, have mean ``m_c`` and covariance ``S_c`` within the
    span, and variance ``v_c`` in every direction outside of it.

    share: ``(.., C)``, p_c >= 0, of the n distinct rows; they sum to 1, a share 0 is no cluster.
    weight: ``(.., C)``, w_c > 0, of a row in the loss ``(1/n) sum w l``.
    sign: ``(.., C)``, the label y as -1 or +1.
    mean: ``(.., C, k)``, m_c.
    covariance: ``(.., C, k, k)``, S_c, the identity for isotropic rows.
    variance: ``(.., C)``, v_c > 0, 1 for isotropic rows.
    """

    share: AnyArray
    weight: AnyArray
    sign: AnyArray
    mean: AnyArray
    covariance: AnyArray
    variance: AnyArray


class Solution(NamedTuple):
    """Order parameters of a rule (any leading axes: a batch), NaN wherever ``status`` is not 0.

    projection: ``(.., k)``, s.
    norm: ``(..)``, r >= 0, of the slope outside the span.
    intercept: ``(..)``, b; a score above 0 says label +1.
    step: ``(..)``, t of the proximal map, by which a row pulls its own score.
    residual: ``(..)``, largest relative defect of the fixed-point equations at the last iterate.
    iterations: ``(..)``.
    status: ``(..)``, 0 solved; other codes have a sentence in `fixed_point.REASONS`.
    """

    projection: AnyArray
    norm: AnyArray
    intercept: AnyArray
    step: AnyArray
    residual: AnyArray
    iterations: AnyArray
    status: AnyArray
