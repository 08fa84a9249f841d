"""The squared loss in closed form: one equation in one unknown, then linear equations.

With ``k_c = 2 w_c/(1 + 2 v_c t w_c)`` the fixed point of the loss ``(1 - y u)^2`` splits: t does not
depend on the means,

    t (sum p_c v_c k_c + ridge) = delta,

(s, b) solve weighted normal equations with the weights ``p_c k_c``, and ``r^2`` is a quotient. With one
cluster of weight 1 the equation for t is quadratic: that of Marchenko and Pastur. It starts the iteration
for every loss (paper_notes/proportional.md, section 3).
"""

import numpy as np

from scaling.theory.proportional.iteration import Problem

_LOWEST, _HIGHEST, _HALVINGS = -60.0, 60.0, 100


def squared_step(given: Problem) -> np.ndarray:
    """log t of a flat batch, ``(B,)``; the upper end of the search where there is none."""
    clusters, ridge = given.clusters, given.ridge[:, None]
    low, high = (np.full(len(given.aspect), each) for each in (_LOWEST, _HIGHEST))
    pull = 2.0 * clusters.variance * clusters.weight
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        t = np.exp(middle)[:, None]
        value = (clusters.share * (pull * t / (1.0 + pull * t) + ridge * t)).sum(axis=-1)
        below = value < given.aspect
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)


# Numbers out of reach end as a start that is not finite, and that as a status.
@np.errstate(all="ignore")
def squared_points(given: Problem, held: np.ndarray) -> np.ndarray:
    """``(s, b, log r, log t)`` of the squared loss, ``(B, k + 3)``; ``held (B,)``: the intercept where it
    is not fitted."""
    clusters = given.clusters
    log_t = squared_step(given)
    t = np.exp(log_t)[:, None]
    k = 2.0 * clusters.weight / (1.0 + 2.0 * clusters.variance * t * clusters.weight)
    mass = clusters.share * k
    span = clusters.mean.shape[-1]
    lifted = np.concatenate([clusters.mean, np.ones((*k.shape, 1))], axis=-1)
    matrix = np.einsum("bc,bci,bcj->bij", mass, lifted, lifted)
    matrix[:, :span, :span] += np.einsum("bc,bcij->bij", mass, clusters.covariance)
    matrix[:, :span, :span] += given.ridge[:, None, None] * np.eye(span)
    right = np.einsum("bc,bci->bi", mass * clusters.sign, lifted)
    fixed = given.free == 0.0
    right -= np.where(fixed[:, None], matrix[:, :, -1] * held[:, None], 0.0)
    matrix[fixed, -1, :] = matrix[fixed, :, -1] = 0.0
    matrix[fixed, -1, -1], right[fixed, -1] = 1.0, held[fixed]
    point = np.linalg.solve(matrix, right[..., None])[..., 0]
    s, b = point[:, :-1], point[:, -1]
    gap = np.einsum("bci,bi->bc", clusters.mean, s) + b[:, None] - clusters.sign
    within = np.einsum("bi,bcij,bj->bc", s, clusters.covariance, s)
    pulled = (clusters.share * clusters.variance * k**2 * (gap**2 + within)).sum(axis=-1)
    own = (clusters.share * (clusters.variance * k) ** 2).sum(axis=-1)
    square = t[:, 0] ** 2 * pulled / (given.aspect - t[:, 0] ** 2 * own)
    return np.column_stack([s, b, 0.5 * np.log(square), log_t])
