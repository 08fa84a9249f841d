"""Clusters of rows, and the order parameters that a rule trained on them converges to.

A rule is judged through few numbers when the dimension d and the n distinct rows grow together: its
projection s on the span of the clusters' means, the norm r of the rest, and its intercept b.
"""

from typing import NamedTuple

import numpy as np

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
    status: ``(..)``, 0 solved; other codes have a sentence in `status.REASONS`.
    """

    projection: AnyArray
    norm: AnyArray
    intercept: AnyArray
    step: AnyArray
    residual: AnyArray
    iterations: AnyArray
    status: AnyArray


def isotropic(share: AnyArray, sign: AnyArray, mean: AnyArray, weight: AnyArray = 1.0) -> Clusters:
    """Clusters with the identity as covariance: ``share (.., C)``, ``sign (.., C)``, ``mean (.., C, k)``.

    >>> isotropic([0.1, 0.9], [1, -1], [[1.5], [-1.5]]).covariance.shape
    (2, 1, 1)
    """
    share, mean = np.asarray(share, float), np.asarray(mean, float)
    ones = np.ones(np.broadcast_shapes(share.shape, mean.shape[:-1]))
    covariance = ones[..., None, None] * np.eye(mean.shape[-1])
    return Clusters(share, weight * ones, np.asarray(sign, float) * ones, mean, covariance, ones)
