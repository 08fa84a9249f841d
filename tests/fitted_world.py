"""Two Gaussian groups in the plane whose fitted generators are tested, and automatic derivatives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simulations.population import gaussian as population
from simulations.population.gaussian import Atoms
from simulations.population.quadrature import gaussian_grid

KNOWN = {"kind": "gaussian", "covariance": "known"}
ESTIMATED = {"kind": "gaussian", "covariance": "estimated"}
SMOOTHED = {"kind": "smoothed", "bandwidth": 0.6}
MEANS = np.array([[-0.8, 0.3], [0.7, 0.1]])
COVARIANCES = np.array([[[1.0, 0.3], [0.3, 0.6]], [[0.8, -0.2], [-0.2, 1.3]]])
LABELS = np.array([0.0, 1.0])


def sweep(spec: dict[str, Any], counts: Any, **more: Any) -> dict[str, Any]:
    groups = [
        {"name": n, "label": y, "mean": m.tolist(), "covariance": c.tolist()}
        for n, y, m, c in zip("ab", (0, 1), MEANS, COVARIANCES, strict=True)
    ]
    return {
        "setting": {"kind": "groups", "groups": groups},
        "counts": dict(zip("ab", counts, strict=True)),
        "synthetic": {
            "generators": [spec],
            "ratios": [0.7],
            "augment": [40],
            "augment_row_weight": 0.5,
        },
        **more,
    }


def lifted(x: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([x, np.ones((*x.shape[:-1], size - x.shape[-1]))], axis=-1)


def mean_score(spec: dict[str, Any], loss: Any, theta: np.ndarray, cell: Any) -> np.ndarray:
    """The mean of the score of fitted Gaussian rows, by automatic differentiation."""
    total = np.zeros(len(theta))
    if spec["kind"] != "gaussian":
        return total
    grid = gaussian_grid(4.0)
    for g in range(2):
        if "ab"[g] not in spec.get("groups", "ab"):
            continue
        s, n = COVARIANCES[g], float(cell.raw[g])
        e = cell.row_weight[g] * cell.oversampled[g] + cell.augment_weight * cell.augment
        curve = mean_score_of(loss, theta, g, grid)
        by_mean = jax.jacfwd(jax.jacfwd(curve))(MEANS[g], s)
        lean = 0.5 * np.einsum("iab,ab->i", by_mean, s) / n
        if spec["covariance"] == "estimated":
            # The fitted covariance is unbiased: only its variance counts.
            second = jax.jacfwd(jax.jacfwd(curve, 1), 1)(MEANS[g], s)
            moments = np.einsum("ac,bd->abcd", s, s) + np.einsum("ad,bc->abcd", s, s)
            lean = lean + 0.5 * np.einsum("iabcd,abcd->i", second, moments) / n
        total += e * lean
    return total


def mean_score_of(loss: Any, theta: np.ndarray, g: int, grid: Any) -> Any:
    """``E f x`` as a function of the group's mean ``(2,)`` and covariance ``(2, 2)``."""

    def mean_score(mean: Any, covariance: Any) -> Any:
        extra = len(theta) - 2
        covariance = 0.5 * (covariance + covariance.T)
        law = Atoms(
            jnp.concatenate([mean, jnp.ones(extra)]),
            jnp.pad(covariance, ((0, extra), (0, extra))),
            LABELS[g],
        )
        return population.gradient(loss, jnp.asarray(theta), law, grid)

    return mean_score
