"""What breaks averaging: embeddings that are not isotropic, ``u_j ~ N(m, Sigma)``, with endless tokens.

    E_{P_h} u = m + Sigma h,   KL(P_eta || P_h) = (1/2) (h - eta)' Sigma (h - eta)
    h_0 - eta = m + (Sigma - I) eta + noise,   h_l - eta = G (m + (Sigma - I) eta) + K noise
    G = (I - step Sigma)^l,   K = G + (I - G) Sigma^-1,   Cov noise = Sigma/n

The averaging layer keeps a divergence at every d and n; gradient steps remove it, if ``step <
2/lambda_max(Sigma)``, and slowly along small eigenvalues. Source: paper_notes/transformers.md, section 4.
"""

from typing import NamedTuple

import numpy as np

from simulations.problems import InputError


class Coherent(NamedTuple):
    """Parts of the mean divergence: ``kept``, which no seeds remove, and ``sampling``, of order 1/n."""

    kept: float
    sampling: float

    @property
    def total(self) -> float:
        """Their sum."""
        return self.kept + self.sampling


def divergence(
    eta: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    further: int = 0,
    step: float = 1.0,
    n: float = np.inf,
) -> Coherent:
    """Mean divergence of averaging and ``further`` gradient steps, exact at d = infinity.

    ``kept = (1/2) e'G'Sigma G e``, ``e = m + (Sigma - I) eta``; ``sampling = tr(Sigma K Sigma K')/(2n)``:
    it is ``tr(Sigma^2)/(2n)`` for averaging alone and ``r/(2n)`` after endless steps. A common shift m of
    all embeddings changes no law, yet misleads the averaging layer.

    Args:
        eta: latent, ``(r,)``.
        mean: m, ``(r,)``.
        covariance: Sigma, ``(r, r)``, positive definite.
        further: l >= 0.
        step: > 0.
        n: seeds, may be ``inf``.

    Raises:
        InputError: a singular covariance: latents are not identifiable; a step that diverges, where there
            are steps.

    >>> same = divergence(np.ones(2), np.zeros(2), np.eye(2), n=100)
    >>> same.kept, same.sampling
    (0.0, 0.01)
    >>> round(divergence(np.ones(1), np.zeros(1), np.array([[1.5]])).kept, 6)  # (1/2) 1.5 (1/2)^2
    0.1875
    """
    values = np.linalg.eigvalsh(covariance)
    if values[0] <= 1e-12 * values[-1]:
        raise InputError(
            "embeddings: their covariance is singular, so that latents are not identifiable; use a smaller"
            " embedding_dim."
        )
    if further and not 0.0 < step < 2.0 / values[-1]:
        raise InputError(
            f"step is {step:g}: it must be positive and below 2/lambda_max = {2.0 / values[-1]:g},"
            " or steps diverge."
        )
    one = np.eye(len(eta))
    g = np.linalg.matrix_power(one - step * covariance, further)
    k = g + np.linalg.solve(covariance, one - g)
    left = g @ (mean + (covariance - one) @ eta)
    kept = 0.5 * float(left @ covariance @ left)
    return Coherent(kept, float(np.trace(covariance @ k @ covariance @ k.T)) / (2.0 * n))
