"""The two directions behind every size: what imbalance and what the generator do to the gradient.

At ``theta_bal``, with group risks ``R_0``, ``R_1`` and the synthetic rows' risk ``R_syn``,

    g_phi = grad R_0 - grad R_1,    g_psi = grad R_syn - grad R_1,

and the training gradient with m synthetic minority rows is

    [ (1/2)(n_0 - n_1 - m) g_phi + m g_psi ] / (n_0 + n_1 + m) .
"""

from typing import Literal, NamedTuple

import numpy as np

from scaling.theory.size.curve import balanced_point
from scaling.theory.size.mixtures import Mixtures
from scaling.theory.size.problem import RAW_0, RAW_1, SYNTHETIC_1, SizeProblem

Metric = Literal["euclidean", "inverse_hessian"]
# Cosines beyond these are called aligned and orthogonal; lengths below ZERO times the gradients' are 0.
ALIGNED, ORTHOGONAL = 0.999, 0.001
ZERO = 1e-9


class Directions(NamedTuple):
    """``imbalance`` is g_phi and ``bias`` is g_psi, ``(p,)``; ``hessian`` and ``inverse (p, p)`` of the
    balanced risk; ``covariances (4, p, p)`` of the scores under the four laws; ``deltas``, rows ``delta_0``
    and ``delta_1``: synthetic less real gradient of each class ``(2, p)``; all at ``theta (p,)``."""

    theta: np.ndarray
    imbalance: np.ndarray
    bias: np.ndarray
    hessian: np.ndarray
    inverse: np.ndarray
    covariances: np.ndarray
    deltas: np.ndarray
    scale: float

    def product(self, left: np.ndarray, right: np.ndarray, metric: Metric) -> float:
        """``<left, right>`` in the Euclidean metric or in that of ``H^-1``."""
        return float(left @ (self.inverse @ right if metric == "inverse_hessian" else right))

    @property
    def symmetric(self) -> bool:
        """Whether g_phi is 0 to rounding: local symmetry."""
        return bool(np.abs(self.imbalance).max() <= ZERO * self.scale)

    @property
    def unbiased(self) -> bool:
        """Whether g_psi is 0 to rounding."""
        return bool(np.abs(self.bias).max() <= ZERO * self.scale)


def directions(problem: SizeProblem, balanced: Mixtures | None = None) -> Directions:
    """g_phi, g_psi and the matrices around them, exact.

    For the squared loss they depend on the laws through means and covariances alone, so that Gaussian
    laws of the same moments stand for any laws (not the covariances of the scores, which take fourth
    moments).

    Args:
        problem: raw and synthetic laws, counts and loss.
        balanced: the gradients and Hessians at the balanced point, where they are known already.

    Source: paper_notes/synthetic_size.md, section 1.

    >>> from scaling.theory.size.problem import gaussian_problem
    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> found = directions(golden)
    >>> (found.imbalance[0].round(6), found.bias[0].round(6), alignment(found).case)
    (np.float64(1.333333), np.float64(0.5), 'aligned')
    """
    at = balanced_point(problem) if balanced is None else balanced
    gradients, hessians, seconds = at.gradients[0], at.hessians[0], at.seconds[0]
    hessian = hessians[:2].mean(axis=0)
    return Directions(
        at.theta[0],
        gradients[RAW_0] - gradients[RAW_1],
        gradients[SYNTHETIC_1] - gradients[RAW_1],
        hessian,
        np.linalg.inv(hessian),
        seconds - gradients[:, :, None] * gradients[:, None, :],
        gradients[[3, 2]] - gradients[[RAW_0, RAW_1]],
        float(np.sqrt(np.trace(seconds[0] + seconds[1]))),
    )


class Alignment(NamedTuple):
    """Cosines of g_psi with g_phi in both metrics (NaN where one of them is 0), the case
    (``aligned``, ``orthogonal``, ``oblique``, ``symmetric``, ``unbiased``) and what it means."""

    euclidean: float
    inverse_hessian: float
    case: str
    status: str


MEANINGS = {
    "unbiased": "The generator has no first-order bias: balance exactly.",
    "symmetric": "Imbalance leaves no first-order error (g_phi = 0): more rows of the right law only"
    " lower the constant, and rows of a wrong one only add bias; no size removes it.",
    "aligned": "The bias acts along the imbalance: another size than full balancing cancels it.",
    "orthogonal": "The bias acts across the imbalance: no size removes it; full balancing is the best"
    " size for the floor of a small bias.",
    "oblique": "A part of the bias acts along the imbalance: another size removes that part only.",
}


def alignment(found: Directions) -> Alignment:
    """Which of the cases a generator's bias is, by the cosine in the metric of ``H^-1``.

    Args:
        found: what `directions` found of the problem.

    Source: paper_notes/synthetic_size.md, section 1.
    """
    case = "unbiased" if found.unbiased else "symmetric" if found.symmetric else ""
    if case:
        return Alignment(np.nan, np.nan, case, MEANINGS[case])

    def cosine(metric: Metric) -> float:
        lengths = [found.product(v, v, metric) for v in (found.imbalance, found.bias)]
        return found.product(found.imbalance, found.bias, metric) / float(np.sqrt(np.prod(lengths)))

    one, other = cosine("euclidean"), cosine("inverse_hessian")
    case = "oblique"
    if abs(other) >= ALIGNED:
        case = "aligned"
    elif abs(other) <= ORTHOGONAL:
        case = "orthogonal"
    return Alignment(one, other, case, MEANINGS[case])
