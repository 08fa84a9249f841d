"""Plug-in rules: the expansion is Taylor's, and the rule does not depend on where moments are centred."""

from typing import Any

import jax
import numpy as np
import pytest

from simulations.population.gaussian import Atoms
from simulations.population.plugins import PLUGINS, plugged, plugin, population_theta

DIM = 3


def _law() -> tuple[Any, Atoms]:
    """Four atoms, two for each label, with covariances of their own, and their weights."""
    rng = np.random.default_rng(8)
    roots = rng.normal(size=(4, DIM, DIM)) + 2.0 * np.eye(DIM)
    covariances = np.zeros((4, DIM + 1, DIM + 1))
    covariances[:, :-1, :-1] = roots @ roots.transpose(0, 2, 1)
    means = np.concatenate([rng.normal(size=(4, DIM)), np.ones((4, 1))], axis=1)
    return np.array([0.4, 0.1, 0.3, 0.2]), Atoms(means, covariances, np.array([0.0, 0, 1, 1]))


def _moments(weights: np.ndarray, atoms: Atoms, centre: np.ndarray) -> Any:
    """Exact moments of the mixture about ``centre (2, d)``."""
    labels = atoms.labels.astype(int)
    lifted = np.concatenate([centre, np.zeros((2, 1))], axis=1)
    offset = atoms.means - lifted[labels]
    each = atoms.covariances + offset[:, :, None] * offset[:, None, :]
    return np.stack([np.einsum("l,lij->ij", weights * (labels == label), each) for label in (0, 1)])


@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_at_the_population_the_rule_is_the_populations(kind: str) -> None:
    weights, atoms = _law()
    at = plugin(PLUGINS[kind], weights, atoms)
    found = plugged(PLUGINS[kind], at, _moments(weights, atoms, np.asarray(at.centre)))
    np.testing.assert_allclose(found.theta, population_theta(at), rtol=1e-12)
    np.testing.assert_allclose(found.first, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.second, 0.0, atol=1e-12)


@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_first_and_second_are_taylors_terms(kind: str) -> None:
    """Along random directions of the moments, shares of the labels included."""
    weights, atoms = _law()
    pooled = PLUGINS[kind]
    at = plugin(pooled, weights, atoms)
    centre = _moments(weights, atoms, np.asarray(at.centre))
    rng = np.random.default_rng(9)
    for _ in range(3):
        way = rng.normal(size=centre.shape)
        way = way + way.transpose(0, 2, 1)
        way[1, -1, -1] = -way[0, -1, -1]  # the shares of the two labels sum to 1

        def theta(t: float, way: np.ndarray = way) -> jax.Array:
            return plugged(pooled, at, centre + t * way).theta

        slope, bend = jax.jit(lambda t: (jax.jacfwd(theta)(t), jax.jacfwd(jax.jacfwd(theta))(t)))(
            0.0
        )
        found = plugged(pooled, at, centre + way)
        np.testing.assert_allclose(found.first, slope, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.second, 0.5 * bend, rtol=1e-8, atol=1e-8)
        assert np.abs(bend).max() > 1e-3


def test_the_covariance_is_pooled_over_both_classes_by_weight() -> None:
    """One class with covariance 1, the other 4, shares 3/4 and 1/4: the slope is D / 1.75."""
    means = np.array([[0.0, 1.0], [1.0, 1.0]])
    covariances = np.array([np.diag([1.0, 0.0]), np.diag([4.0, 0.0])])
    atoms = Atoms(means, covariances, np.array([0.0, 1.0]))
    shares: Any = np.array([0.75, 0.25])
    theta = population_theta(plugin(True, shares, atoms))
    np.testing.assert_allclose(theta, [1 / 1.75, -0.5 / 1.75], rtol=1e-14)
    theta = population_theta(plugin(False, shares, atoms))
    np.testing.assert_allclose(theta, [1.0, -0.5], rtol=1e-14)
