"""The expansion of fitted generators against quadrature on a plane grid.

The projections of rows are taken there by least squares and by integrating noise out, so that the
check shares no formula with the code.
"""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fitted_world import (
    COVARIANCES,
    KNOWN,
    LABELS,
    MEANS,
    SMOOTHED,
    lifted,
    mean_score,
    mean_score_of,
    sweep,
)
from samples import units_of

from simulations.population.coupling import Coupling, coupled
from simulations.population.losses import LOGISTIC, LOSSES
from simulations.population.quadrature import gaussian_grid
from simulations.population.units import unit_population


class _Group(NamedTuple):
    """Quadrature nodes of one group: ``x (Q, p)`` lifted, ``xi (Q, 2)`` centred, ``weight (Q,)``, the
    label, and what a row gives: ``score (Q, p)``, ``hessian (Q, p, p)``."""

    x: np.ndarray
    xi: np.ndarray
    weight: np.ndarray
    label: float
    score: np.ndarray
    hessian: np.ndarray


def _row(loss: Any, theta: np.ndarray, x: np.ndarray, label: float) -> tuple[np.ndarray, ...]:
    u = x @ theta
    y = np.full_like(u, label)
    f, slope = np.asarray(loss.first(u, y)), np.asarray(loss.second(u, y))
    return f[..., None] * x, slope[..., None, None] * x[..., :, None] * x[..., None, :]


def _plane() -> tuple[np.ndarray, np.ndarray]:
    # Half the nodes of the toolkit's grid: good to 1e-12 for scores of standard deviation 1.
    grid = gaussian_grid(2.0)
    nodes, weights = grid.nodes[::2], grid.weights[::2] / grid.weights[::2].sum()
    z = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    return z, np.outer(weights, weights).ravel()


def _group(loss: Any, theta: np.ndarray, g: int, widened: float = 0.0) -> _Group:
    z, weight = _plane()
    root = np.linalg.cholesky((1.0 + widened**2) * COVARIANCES[g])
    xi = z @ root.T
    x = lifted(MEANS[g] + xi, len(theta))
    return _Group(x, xi, weight, LABELS[g], *_row(loss, theta, x, LABELS[g]))


def _centred(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values - np.tensordot(weight, values, 1)


def _projections(group: _Group, g: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """First and second Hermite projections of score and Hessian, by least squares on the nodes: no
    derivative is taken."""
    whitened = group.xi @ np.linalg.inv(np.linalg.cholesky(COVARIANCES[g])).T
    one, two = whitened[:, 0], whitened[:, 1]
    linear = [one, two]
    squares = [(one**2 - 1.0) / np.sqrt(2.0), (two**2 - 1.0) / np.sqrt(2.0), one * two]

    def onto(basis: list[np.ndarray], values: np.ndarray) -> np.ndarray:
        return sum(
            np.multiply.outer(b, np.tensordot(group.weight * b, values, 1)) for b in basis
        ) + np.zeros_like(values)

    return (
        [onto(linear, group.score), onto(squares, group.score)],
        [onto(linear, group.hessian), onto(squares, group.hessian)],
    )


def _cross(weight: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("q,q...,qj->...j", weight, _centred(weight, one), _centred(weight, other))


class _Parts(NamedTuple):
    """Of one group: its covariance of the sample score, and the mean of (Hessian deviation) x (score),
    ``(p, p, p)``."""

    covariance: np.ndarray
    product: np.ndarray


def _expected(spec: dict[str, Any], loss: Any, theta: np.ndarray, g: int, cell: Any) -> _Parts:
    """From the definitions, with every weight worked out again."""
    n, m, big_n = cell.raw[g], cell.oversampled[g], cell.augment
    w, w_a = cell.row_weight[g], cell.augment_weight
    e, q = w * m + w_a * big_n, w**2 * m + w_a**2 * big_n
    at = _group(loss, theta, g)
    acts = "ab"[g] in spec.get("groups", "ab")

    def both(values: Any, weight: np.ndarray) -> _Parts:
        (s1, h1), (s2, h2) = values
        return _Parts(_cross(weight, s1, s2), _cross(weight, h1, s2))

    raw = both([(at.score, at.hessian)] * 2, at.weight)
    own = raw
    extra = np.zeros_like(raw.covariance), np.zeros_like(raw.product)
    if acts and spec["kind"] == "gaussian":
        scores, hessians = _projections(at, g)
        keep = 2 if spec["covariance"] == "estimated" else 1
        for s, h in list(zip(scores, hessians, strict=True))[:keep]:
            part = both([(s, h)] * 2, at.weight)
            extra = tuple((2 * w * e + e**2 / n) * b + a for a, b in zip(extra, part, strict=True))
    if acts and spec["kind"] == "smoothed":
        band = spec["bandwidth"]
        wide = _group(loss, theta, g, band)
        own = both([(wide.score, wide.hessian)] * 2, wide.weight)
        smooth = _smooth(loss, theta, g, at, band)
        plain = (at.score, at.hessian)
        one, other = both([plain, smooth], at.weight), both([smooth, plain], at.weight)
        double = both([smooth, smooth], at.weight)
        extra = tuple(
            w * e * (a + b) + (e**2 - q) / n * c for a, b, c in zip(one, other, double, strict=True)
        )
    return _Parts(*(n * w**2 * a + q * b + c for a, b, c in zip(raw, own, extra, strict=True)))


def _smooth(
    loss: Any, theta: np.ndarray, g: int, at: _Group, band: float
) -> tuple[np.ndarray, np.ndarray]:
    """Score and Hessian of a row with noise added, given the row, by quadrature of the noise."""
    z, weight = _plane()
    noise = band * z @ np.linalg.cholesky(COVARIANCES[g]).T
    noise = np.concatenate([noise, np.zeros((len(z), len(theta) - 2))], axis=1)
    scores, hessians = [], []
    for x in at.x:
        s, h = _row(loss, theta, x + noise, at.label)
        scores.append(weight @ s)
        hessians.append(np.tensordot(weight, h, 1))
    return np.array(scores), np.array(hessians)


@cache
def _population(kind: str, covariance: str, loss: str, intercept: bool) -> Any:
    spec = {"gaussian": {**KNOWN, "covariance": covariance}, "smoothed": SMOOTHED}[kind]
    if covariance == "known":
        spec = {**spec, "groups": ["b"]}
    estimator = {"kind": loss, "intercept": intercept, "ridge": 0.05}
    unit = units_of(sweep(spec, (300, 80), estimator=estimator))[0]
    return spec, unit, unit_population(unit)


@pytest.mark.parametrize(("loss", "intercept"), [("logistic", True), ("squared", False)])
@pytest.mark.parametrize(
    ("kind", "covariance"),
    [("gaussian", "known"), ("gaussian", "estimated"), ("smoothed", "")],
)
def test_the_expansion_against_quadrature(
    kind: str, covariance: str, loss: str, intercept: bool
) -> None:
    """V and the second-order mean, from projections of rows on a plane grid; both pools, ridge."""
    spec, unit, found = _population(kind, covariance, loss, intercept)
    at, cell, chosen = found.expansions, unit.cells[0], LOSSES[loss]
    theta = found.theta[0]
    parts = [_expected(spec, chosen, theta, g, cell) for g in range(2)]
    covariance_of_score = sum(p.covariance for p in parts)
    np.testing.assert_allclose(at.score_covariance[0], covariance_of_score, rtol=1e-8, atol=1e-12)

    a = np.linalg.inv(at.hessian[0])
    product = np.einsum("ijk,jk->i", sum(p.product for p in parts), a)
    spread = a @ covariance_of_score @ a
    bend = np.zeros(len(theta))
    for g in range(2):
        total = cell.row_weight[g] * cell.raw[g]
        extra = cell.row_weight[g] * cell.oversampled[g] + cell.augment_weight * cell.augment
        wide = spec.get("bandwidth", 0.0)
        for weight, law in (
            (total, _group(chosen, theta, g)),
            (extra, _group(chosen, theta, g, wide)),
        ):
            u = law.x @ theta
            third = np.asarray(chosen.third(u, np.full_like(u, law.label)))
            bend += weight * ((law.weight * third * ((law.x @ spread) * law.x).sum(1)) @ law.x)
    bias = a @ (product - 0.5 * bend - mean_score(spec, chosen, theta, cell))
    np.testing.assert_allclose(at.bias[0], bias, rtol=1e-7, atol=1e-10)


def test_the_coupling_is_the_derivative_of_the_mean_score() -> None:
    """J, kappa and c: the slope of the mean score in the fitted mean and covariance."""
    _, _, found = _population("gaussian", "estimated", "logistic", True)
    at, theta = found.coupling, found.theta[0]
    d = 0.1 * np.array([[1.0, 0.4], [0.4, -0.7]])
    step = np.array([0.3, -0.2])
    for g in range(2):
        curve = mean_score_of(LOGISTIC, theta, g, gaussian_grid(4.0))
        _, slope = jax.jvp(curve, (MEANS[g], COVARIANCES[g]), (step, d))
        means, products = np.zeros((2, 2)), np.zeros((2, 2, 2))
        means[g], products[g] = step, d
        one = Coupling(*(part[0] for part in at))
        np.testing.assert_allclose(
            coupled(one, jnp.asarray(means), jnp.asarray(products)),
            one.weight[g] * slope,
            rtol=1e-9,
        )
