"""0-1 errors of a rule known by its order parameters."""

import numpy as np
from scipy.special import ndtr

from scaling.theory.proportional.clusters import Clusters, Solution


def group_errors(solution: Solution, groups: Clusters) -> np.ndarray:
    """``Phi(-y_g (m_g.s + b)/q_g)``, ``q_g^2 = s'S_g s + v_g r^2``, of every group.

    Args:
        solution: from `fixed_point.fixed_point`; leading axes are a batch.
        groups: G laws of the groups that the rule is judged on, as `Clusters` (share and weight are
            not looked at), without leading axes or with those of the solution.

    Returns:
        ``(.., G)``; NaN where the solve has no solution.

    Source: paper_notes/proportional.md, section 2.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> from scaling.theory.proportional.fixed_point import fixed_point
    >>> rows = isotropic([0.1, 0.9], [1, -1], [[1.0], [-1.0]])
    >>> errors = group_errors(fixed_point("squared", rows, 0.5, 0.1), rows)
    >>> bool(errors[0] > errors[1])
    True
    """
    s = np.asarray(solution.projection)
    along = np.einsum("...i,...gi->...g", s, np.asarray(groups.mean))
    within = np.einsum("...i,...gij,...j->...g", s, np.asarray(groups.covariance), s)
    r, b = np.asarray(solution.norm)[..., None], np.asarray(solution.intercept)[..., None]
    spread = np.sqrt(within + groups.variance * r**2)
    return ndtr(-groups.sign * (along + b) / spread)
