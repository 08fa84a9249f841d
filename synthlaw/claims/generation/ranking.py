"""Generation, the negative control on ranking: the AUROC of a well-specified score.

For Gaussian groups a linear score of slope theta ranks a row of label 1 above one of label 0 with
probability ``Phi(theta'(mu_1 - mu_0) / sqrt(theta'(S_0 + S_1) theta))``; the intercept does not enter.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array

from simulations.population.units import Unit, unit_population
from synthlaw.claims import experiments
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import FIXED_COUNTS, GAUSSIAN, Twin, always

SIZES, REPLICATES = (2, 4, 8), (1800, 200, 1400)
# The floor of the twin is many times its variance.
TWIN_REPLICATES = (60, 60, 60)
# Means apart along two axes, and of different spread along one of them: the raw mixture's
# minimiser then turns with the shares of the groups.
UNEQUAL: dict[str, Any] = {
    "kind": "groups",
    "groups": [
        {"name": "majority", "label": 0, "mean": [-1, -0.5, 0, 0, 0], "covariance": 1.0},
        {
            "name": "minority",
            "label": 1,
            "mean": [1, 0.5, 0, 0, 0],
            "covariance": np.diag([1.0, 6.0, 1.0, 1.0, 1.0]).tolist(),
        },
    ],
}


def ranking(means: Array, covariances: Array, theta: Array) -> Array:
    """The AUROC of the slope in ``theta (p,)``; ``means (2, d)`` and ``covariances (2, d, d)`` of the
    groups of label 0 and 1."""
    slope = theta[: means.shape[1]]
    spread = slope @ covariances.sum(axis=0) @ slope
    return jax.scipy.stats.norm.cdf(slope @ (means[1] - means[0]) / jnp.sqrt(spread))


@partial(jax.jit, static_argnums=0)
def _batched(derivative: Any, means: Array, covariances: Array, thetas: Array) -> Array:
    return jax.vmap(lambda theta: derivative(means, covariances, theta))(thetas)


GRADIENT, HESSIAN = jax.grad(ranking, argnums=2), jax.hessian(ranking, argnums=2)


def _deficits(
    lab: Lab, setting: dict[str, Any], size: int, replicates: int
) -> list[dict[str, Any]]:
    """Of raw and of balanced rows: how far the AUROC stays below the balanced minimiser's,
    against the variance term alone."""
    sweep = {
        "setting": setting,
        "counts": experiments.FITTED_COUNTS,
        "synthetic": {"ratios": [0, 1]},
    }
    return _of_unit(lab, lab.units(sweep, size)[0], size, replicates * lab.preset.effort)


def _of_unit(lab: Lab, unit: Unit, size: int, replicates: int) -> list[dict[str, Any]]:
    population = unit_population(unit)
    laws = unit.world.means, unit.world.covariances

    def each(derivative: Any, thetas: np.ndarray) -> np.ndarray:
        flat = _batched(derivative, *laws, thetas.reshape(-1, thetas.shape[-1]))
        return np.asarray(flat).reshape(*thetas.shape[:-1], *flat.shape[1:])

    best = float(each(ranking, population.balanced_theta[None])[0])
    gradient, hessian = each(GRADIENT, population.theta), each(HESSIAN, population.theta)
    variance = 0.5 * np.einsum("cij,cij->c", hessian, population.expansions.spread)
    theta, linear, found = lab.fitted(unit, replicates)
    # Of degree one and two, with means that are exactly 0 and the variance.
    known = np.einsum("ci,rci->rc", gradient, linear)
    known = known + 0.5 * np.einsum("cij,rci,rcj->rc", hessian, linear, linear) - variance
    deficit = np.where(found, best - each(ranking, theta) + known, np.nan)
    return [
        fitted_row(
            f"ratio {cell.ratio:g}",
            size,
            -variance[c],
            (
                float(np.nanmean(deficit[:, c])),
                float(np.nanstd(deficit[:, c], ddof=1) / np.sqrt(found[:, c].sum())),
            ),
            replicates,
            int((~found[:, c]).sum()),
        )
        for c, cell in enumerate(unit.cells)
    ]


def _ladder(lab: Lab, setting: dict[str, Any], replicates: tuple[int, ...]) -> pd.DataFrame:
    steps = zip(SIZES, replicates, strict=True)
    return pd.DataFrame([row for step in steps for row in _deficits(lab, setting, *step)])


def well_specified(lab: Lab) -> pd.DataFrame:
    """Groups of one covariance: the logistic score is the log-likelihood ratio."""
    return lab.recall("ranking", lambda: _ladder(lab, experiments.REFERENCE, REPLICATES))


def misspecified(lab: Lab) -> pd.DataFrame:
    """Groups of different covariance."""
    return lab.recall("ranking, unequal", lambda: _ladder(lab, UNEQUAL, TWIN_REPLICATES))


CLAIMS = (
    constant_claim(
        "generation-ranking",
        "Augmentation cannot improve the ranking of a well-specified score",
        (
            "With groups of one covariance imbalance moves the intercept only: the AUROC stays below"
            " its best by variance alone, for raw and for balanced rows."
        ),
        r"A(\theta_{bal}) - E A(\hat\theta) = -\tfrac12\mathrm{tr}(\nabla^2 A\, M) + O(n^{-2})",
        well_specified,
        source="negative control after arXiv 2606.26053; constants derived here",
        note="generators.md",
        assumptions=(GAUSSIAN, FIXED_COUNTS, always("The two groups have the same covariance.")),
        twin=Twin("So it does where the groups' covariances differ.", misspecified),
    ),
)
