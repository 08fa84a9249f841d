"""The generator-quality score: what its bias costs over what sampling costs, at full balancing.

With ``m_b = n_0 - n_1`` synthetic minority rows and ``delta = grad R_syn - grad R_1`` at ``theta_bal``

    Q = [ m_b^2/(2 n_0) ] delta' H^-1 delta / tr(H^-1 S_aug),
    S_aug = (n_0 S_0 + n_1 S_1 + m_b S_syn)/(2 n_0),

is the small-bias floor over the variance. Its estimate from rows is `scaling.planning.bias.quality`.
"""

import numpy as np

from scaling.theory.size.directions import Directions
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_1, SizeProblem


def quality_score(problem: SizeProblem, found: Directions) -> float:
    """The population's score Q: 0 for the right law, above 1 where bias costs more than noise.

    Args:
        problem: raw and synthetic laws, and the counts that the noise is of.
        found: `directions` of this problem.

    Do not trust it for a visible bias (the floor is not quadratic), nor far from full balancing.

    Source: paper_notes/synthetic_size.md, section 7.

    >>> from scaling.theory.size.directions import directions
    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> large = golden.with_counts(2000, 100)
    >>> round(quality_score(large, directions(large)), 2)
    50.62
    """
    majority, minority = problem.counts
    missing = majority - minority
    rows = np.array([majority, minority, missing])
    covariances = found.covariances[[RAW_0, RAW_1, SYNTHETIC_1]]
    mixed = np.tensordot(rows, covariances, 1) / (2.0 * majority)
    square = found.product(found.bias, found.bias, "inverse_hessian")
    return missing**2 / (2.0 * majority) * square / float(np.sum(found.inverse * mixed))
