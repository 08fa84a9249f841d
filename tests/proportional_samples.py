"""Samples of clusters in d dimensions, the rules trained on them by NumPy, and their exact errors."""

import numpy as np
from scipy.special import expit, ndtr

from scaling.theory.proportional.clusters import Clusters


def draw(
    random: np.random.Generator, given: Clusters, counts: list[int], dim: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows ``(n, d)``, signs and weights; the span is the first k features."""
    k = given.mean.shape[-1]
    rows, signs, weights = [], [], []
    for c, count in enumerate(counts):
        x = np.sqrt(given.variance[c]) * random.standard_normal((count, dim))
        root = np.linalg.cholesky(given.covariance[c])
        x[:, :k] = given.mean[c] + random.standard_normal((count, k)) @ root.T
        rows.append(x)
        signs.append(np.full(count, given.sign[c]))
        weights.append(np.full(count, given.weight[c]))
    return np.concatenate(rows), np.concatenate(signs), np.concatenate(weights)


def trained(
    x: np.ndarray, sign: np.ndarray, weight: np.ndarray, ridge: float, loss: str
) -> np.ndarray:
    """The minimiser of ``(1/n) sum w l(y u) + (ridge/2)|slope|^2``, intercept last."""
    n = len(x)
    lifted = np.column_stack([x, np.ones(n)])
    penalty = np.full(lifted.shape[1], ridge)
    penalty[-1] = 0.0
    if loss == "squared":
        weighted = 2.0 * weight[:, None] / n * lifted
        return np.linalg.solve(weighted.T @ lifted + np.diag(penalty), weighted.T @ sign)
    theta = np.zeros(lifted.shape[1])
    for _ in range(50):
        p = expit(-sign * (lifted @ theta))
        gradient = -(weight * sign * p / n) @ lifted + penalty * theta
        hessian = (lifted * (weight * p * (1.0 - p) / n)[:, None]).T @ lifted + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        theta = theta - step
        if np.abs(step).max() < 1e-9:
            return theta
    raise RuntimeError("Newton's method did not converge")


def errors(theta: np.ndarray, groups: Clusters) -> np.ndarray:
    """Exact 0-1 errors of a rule on every group."""
    k = groups.mean.shape[-1]
    s, rest, b = theta[:k], theta[k:-1], theta[-1]
    square = np.einsum("i,gij,j->g", s, groups.covariance, s) + groups.variance * (rest @ rest)
    return ndtr(-groups.sign * (groups.mean @ s + b) / np.sqrt(square))


def sampled_errors(
    seed: int, given: Clusters, counts: list[int], dim: int, ridge: float, loss: str, many: int
) -> np.ndarray:
    """Errors on the clusters' own laws, ``(many, C)``."""
    random = np.random.default_rng(seed)
    return np.array(
        [
            errors(trained(*draw(random, given, counts, dim), ridge, loss), given)
            for _ in range(many)
        ]
    )
