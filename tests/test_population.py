"""Exact population quantities against automatic differentiation, brute force and sampling."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import reference
from scipy.special import expit
from stochastic import Disagreement, assert_mean, sample_mean

from simulations.population import cubic
from simulations.population import gaussian as population
from simulations.population.gaussian import Atoms
from simulations.population.losses import LOGISTIC, LOSSES, Loss
from simulations.population.quadrature import gaussian_grid

ATOM = reference("atom")
GRID = gaussian_grid(2.0)
EPS = np.finfo(float).eps
# Quadrature to 1e-13 of numbers of order 1, and tens of roundings on top.
TOLERANCE = 1e-12


def _atom() -> tuple[Atoms, jax.Array, jax.Array]:
    mean, covariance = population.lift(np.array(ATOM["mean"]), np.array(ATOM["covariance"]), True)
    law = Atoms(jnp.asarray(mean), jnp.asarray(covariance), jnp.asarray(float(ATOM["label"])))
    return law, jnp.asarray(ATOM["theta"]), jnp.asarray(ATOM["B"])


def _third_moment(h, theta, matrix, law: Atoms, grid) -> jax.Array:
    """``E[h(u) x x'Bx]``."""
    return cubic.contracted(cubic.weighted(h, theta, law, grid), matrix)


def _quantities(loss: Loss, theta, law: Atoms, matrix, grid=GRID) -> dict[str, jax.Array]:
    def slope_times_score(u, y):
        return loss.second(u, y) * loss.first(u, y)

    error_gradient, error_hessian = population.error_derivatives(loss, theta, law)
    return {
        "risk": population.risk(loss, theta, law, grid),
        "gradient": population.gradient(loss, theta, law, grid),
        "hessian": population.hessian(loss, theta, law, grid),
        "second_moment": population.score_second_moment(loss, theta, law, grid),
        "third_f2": _third_moment(loss.third, theta, matrix, law, grid),
        "third_ff1": _third_moment(slope_times_score, theta, matrix, law, grid),
        "error": population.error(loss, theta, law),
        "error_gradient": error_gradient,
        "error_hessian": error_hessian,
    }


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_reference_numbers(name: str) -> None:
    law, theta, matrix = _atom()
    for quantity, value in _quantities(LOSSES[name], theta, law, matrix).items():
        expected = np.array(ATOM["values"][name][quantity])
        np.testing.assert_allclose(value, expected, rtol=0, atol=TOLERANCE, err_msg=quantity)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_moments_against_tensor_quadrature(name: str) -> None:
    """64 x 64 Gauss-Hermite nodes over the plane; v = 1.05, where that is good to 1e-10."""
    loss, (law, theta, matrix) = LOSSES[name], _atom()
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    z = np.array(list(itertools.product(nodes, nodes)))
    w = np.outer(weights, weights).ravel()
    root = np.linalg.cholesky(np.array(ATOM["covariance"]))
    x = np.column_stack([np.array(ATOM["mean"]) + z @ root.T, np.ones(len(z))])
    u = jnp.asarray(x @ np.asarray(theta))
    f, f1, f2 = (np.asarray(d(u, law.labels)) for d in (loss.first, loss.second, loss.third))
    form = np.einsum("ni,ij,nj->n", x, np.asarray(matrix), x)
    expected = {
        "risk": w @ np.asarray(loss.value(u, law.labels)),
        "gradient": (w * f) @ x,
        "hessian": (x * (w * f1)[:, None]).T @ x,
        "second_moment": (x * (w * f * f)[:, None]).T @ x,
        "third_f2": (w * f2 * form) @ x,
        "third_ff1": (w * f * f1 * form) @ x,
    }
    mine = _quantities(loss, theta, law, matrix)
    for quantity, value in expected.items():
        np.testing.assert_allclose(mine[quantity], value, rtol=0, atol=1e-9, err_msg=quantity)


def test_against_a_sample() -> None:
    """500,000 rows: detects 0.005 in risk, gradient and error (twin: a mean off by 0.05)."""
    law, theta, _ = _atom()
    rng = np.random.default_rng(20240601)
    x = rng.multivariate_normal(ATOM["mean"], ATOM["covariance"], size=500_000)
    x = np.column_stack([x, np.ones(len(x))])
    u = x @ np.asarray(theta)
    label = float(law.labels)
    values = np.column_stack(
        [np.logaddexp(0, u) - label * u, (expit(u) - label)[:, None] * x[:, :2], (u > 0) != label]
    )

    def exact(where: Atoms) -> np.ndarray:
        got = _quantities(LOGISTIC, theta, where, jnp.eye(3))
        return np.array([got["risk"], *got["gradient"][:2], got["error"]])

    mean, se = sample_mean(values)
    assert_mean(mean, se, exact(law), detects=0.005)
    with pytest.raises(Disagreement):
        moved = law._replace(means=law.means + jnp.array([0.0, 0.05, 0.0]))
        assert_mean(mean, se, exact(moved), detects=0.005)


def test_at_zero_spread_the_score_is_a_constant() -> None:
    """The usual Newton start: v = 0, a = the intercept."""
    law, _, matrix = _atom()
    mean, covariance = np.asarray(law.means), np.asarray(law.covariances)
    for intercept in (0.0, 0.7):
        theta = jnp.array([0.0, 0.0, intercept])
        a, y = jnp.asarray(intercept), law.labels
        moment = covariance + np.outer(mean, mean)
        got = {
            "gradient": population.gradient(LOGISTIC, theta, law, GRID),
            "hessian": population.hessian(LOGISTIC, theta, law, GRID),
            "third": _third_moment(LOGISTIC.third, theta, matrix, law, GRID),
        }
        form = np.trace(np.asarray(matrix) @ moment)
        cubic = mean * form + 2 * covariance @ np.asarray(matrix) @ mean
        np.testing.assert_allclose(got["gradient"], LOGISTIC.first(a, y) * mean, atol=TOLERANCE)
        np.testing.assert_allclose(got["hessian"], LOGISTIC.second(a, y) * moment, atol=TOLERANCE)
        np.testing.assert_allclose(got["third"], LOGISTIC.third(a, y) * cubic, atol=TOLERANCE)


@jax.jit
def _by_hand_and_by_machine(theta, law: Atoms, matrix, direction):
    grid = gaussian_grid(20.0)
    hand, machine = [], []
    for loss in LOSSES.values():

        def risk(t, loss=loss):
            return population.risk(loss, t, law, grid)

        def error(t, loss=loss):
            return population.error(loss, t, law)

        def bent(t, loss=loss):
            return direction @ population.hessian(loss, t, law, grid) @ direction

        hand += [
            population.gradient(loss, theta, law, grid),
            population.hessian(loss, theta, law, grid),
            *population.error_derivatives(loss, theta, law),
            _third_moment(loss.third, theta, jnp.outer(direction, direction), law, grid),
        ]
        machine += [
            jax.grad(risk)(theta),
            jax.hessian(risk)(theta),
            jax.grad(error)(theta),
            jax.hessian(error)(theta),
            jax.grad(bent)(theta),
        ]
    return hand, machine


entries = st.floats(-2.0, 2.0)


@settings(max_examples=60)
@given(
    st.lists(entries, min_size=4, max_size=4),
    st.lists(entries, min_size=9, max_size=9),
    st.lists(entries, min_size=3, max_size=3),
    st.lists(entries, min_size=3, max_size=3),
    st.floats(0.02, 6.0),
    st.integers(0, 1),
)
def test_derivatives_are_those_of_the_exact_risk(theta, root, mean, along, size, label) -> None:
    """Random laws in three dimensions, scores of standard deviation 0.002 to 20."""
    covariance = np.reshape(root, (3, 3)) @ np.reshape(root, (3, 3)).T + 0.1 * np.eye(3)
    theta = np.array(theta)
    length = np.linalg.norm(theta[:3])
    theta = theta * size / length if length > 1e-2 else np.array([size, 0.0, 0.0, 0.0])
    variance = theta[:3] @ covariance @ theta[:3]
    theta = theta * min(1.0, 20.0 / np.sqrt(variance))
    lifted = population.lift(np.array(mean), covariance, True)
    law = Atoms(jnp.asarray(lifted[0]), jnp.asarray(lifted[1]), jnp.asarray(float(label)))
    direction = jnp.asarray([*along, 1.0])
    hand, machine = _by_hand_and_by_machine(jnp.asarray(theta), law, jnp.eye(4), direction)
    # The automatic route divides by sd once per derivative; 0-1 errors do so in both routes.
    sd = np.sqrt(theta[:3] @ covariance @ theta[:3])
    scale = (1.0 + np.abs(theta).max() + np.abs(covariance).max() + np.abs(lifted[0]).max()) ** 4
    tolerance = 100 * EPS * scale * max(1.0, 1.0 / sd) ** 4
    for mine, other in zip(hand, machine, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=tolerance)
