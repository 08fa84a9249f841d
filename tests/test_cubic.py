"""Cubic forms against automatic differentiation, exact cubic means against tensor quadrature."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import units_of
from scipy.special import expit

from simulations.population import cubic, functionals, sandwich, third_order
from simulations.population import gaussian as population
from simulations.population.cubic import Cubic
from simulations.population.gaussian import Atoms
from simulations.population.losses import LOSSES
from simulations.population.quadrature import gaussian_grid
from simulations.population.units import unit_population

TOLERANCE = 1e-12


def _law(root: Any, mean: Any, label: int) -> Atoms:
    """A law in two features and the constant one."""
    matrix = np.array(root).reshape(2, 2)
    means, covariances = population.lift(
        np.array(mean, float), matrix @ matrix.T + 0.1 * np.eye(2), True
    )
    return Atoms(jnp.asarray(means), jnp.asarray(covariances), jnp.asarray(float(label)))


@jax.jit
def _by_hand_and_by_machine(theta: Any, law: Atoms) -> Any:
    grid = gaussian_grid(20.0)
    hand, machine = [], []
    for loss in LOSSES.values():
        forms = (
            cubic.risk_form(loss, theta, law, grid),
            cubic.error_form(loss, theta, law),
        )
        functions = (
            lambda t, loss=loss: population.risk(loss, t, law, grid),
            lambda t, loss=loss: population.error(loss, t, law),
        )
        hand += [cubic.tensor(form) for form in forms]
        machine += [jax.jacfwd(jax.hessian(function))(theta) for function in functions]
    return hand, machine


entries = st.floats(-2.0, 2.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(entries, min_size=4, max_size=4),
    st.lists(entries, min_size=2, max_size=2),
    st.lists(entries, min_size=3, max_size=3),
    st.floats(0.1, 4.0),
    st.integers(0, 1),
)
def test_forms_are_third_derivatives(root, mean, along, size, label) -> None:
    theta = np.array(along)
    slope = np.linalg.norm(theta[:2])
    if slope < 0.1:
        theta[:2] = [0.6, 0.8]
        slope = 1.0
    theta = size * theta / slope
    hand, machine = _by_hand_and_by_machine(jnp.asarray(theta), _law(root, mean, label))
    for mine, other in zip(hand, machine, strict=True):
        # Derivatives by machine divide by powers of the score's spread, at least 0.03 here.
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-8 * (1 + np.abs(other).max()))


def test_contractions_are_those_of_the_tensor() -> None:
    rng = np.random.default_rng(3)
    root, theta = rng.standard_normal((2, 2)), jnp.asarray(rng.standard_normal(3))
    form = cubic.risk_form(LOSSES["logistic"], theta, _law(root, [0.3, -1.0], 1), gaussian_grid(4))
    whole, d = np.asarray(cubic.tensor(form)), jnp.asarray(rng.standard_normal(3))
    half = rng.standard_normal((3, 3))
    matrix = jnp.asarray(half + half.T)
    np.testing.assert_allclose(whole, whole.transpose(1, 2, 0), atol=TOLERANCE)
    np.testing.assert_allclose(whole, whole.transpose(0, 2, 1), atol=TOLERANCE)
    np.testing.assert_allclose(cubic.along(form, d), whole @ d, atol=TOLERANCE)
    np.testing.assert_allclose(cubic.cube(form, d), np.einsum("ijk,i,j,k", whole, d, d, d))
    expected = np.einsum("ijk,jk->i", whole, np.asarray(matrix))
    np.testing.assert_allclose(cubic.contracted(form, matrix), expected, atol=TOLERANCE)


SWEEPS = {
    "label_noise": ("imbalance", {"kind": "label_noise", "rate": 0.2}, {}),
    "duplicate": ("imbalance", {"kind": "duplicate"}, {}),
    "leak": ("spurious", {"kind": "leak", "strength": 0.4}, {}),
    "squared": ("imbalance", {"kind": "shift", "shift": [0.4, 0.5]}, {"kind": "squared"}),
}


def _unit(name: str) -> Any:
    setting, generator, estimator = SWEEPS[name]
    names = {"imbalance": ["majority", "minority"], "spurious": ["1,1", "1,-1", "-1,1", "-1,-1"]}
    counts = dict(zip(names[setting], (24, 8, 6, 20), strict=False))
    return units_of(
        {
            "setting": {"kind": setting, "dim": 2},
            "counts": counts,
            "synthetic": {
                "generators": [generator],
                "ratios": [0.5],
                "augment": [10],
                "augment_row_weight": 0.5,
            },
            "estimator": {"kind": "logistic", "ridge": 0.05, **estimator},
        }
    )[0]


def _nodes(atoms: Atoms, which: int) -> tuple[np.ndarray, np.ndarray]:
    """A tensor rule for one atom: rows ``(n, 3)`` and weights."""
    z, w = np.polynomial.hermite_e.hermegauss(48)
    grid = np.stack([part.ravel() for part in np.meshgrid(z, z)])
    weight = np.outer(w, w).ravel() / (2 * np.pi)
    mean, covariance = np.asarray(atoms.means[which]), np.asarray(atoms.covariances[which])
    x = mean[:2] + (np.linalg.cholesky(covariance[:2, :2]) @ grid).T
    return np.column_stack([x, np.ones(len(x))]), weight


def _by_quadrature(unit: Any) -> np.ndarray:
    """``E[d'H_F d2 + T_F[d,d,d]/6]``, from the definition, row by row of every component."""
    exact = unit_population(unit)
    at = jax.tree.map(lambda part: np.asarray(part)[0], exact.expansions)
    measured = jax.tree.map(lambda part: np.asarray(part)[0], exact.measured)
    parts, a, theta = unit.components, at.inverse, at.minimiser.theta
    third = _total(sandwich.forms(at, parts.atoms))
    forms = functionals.forms(measured, unit.groups)
    result = np.zeros(len(measured.values))
    for q, cubed in enumerate(parts.cubed_weight[0]):
        rules = [_nodes(parts.atoms, k) for k in range(len(parts.atoms.labels))]
        x = np.concatenate([rows for rows, _ in rules])
        weight = np.concatenate([p * w for p, (_, w) in zip(parts.mixing[q], rules, strict=True)])
        y = np.repeat(np.asarray(parts.atoms.labels), [len(w) for _, w in rules])
        u = x @ theta
        if unit.loss.name == "logistic":
            first, second = expit(u) - y, expit(u) * expit(-u)
        else:
            first, second = 2 * (u - y), np.full_like(u, 2.0)
        score = first[:, None] * x
        score = score - weight @ score
        hessian = second[:, None, None] * x[:, :, None] * x[:, None, :]
        hessian = hessian - np.tensordot(weight, hessian, 1)
        d = -score @ a
        d2 = -(np.einsum("nij,nj->ni", hessian, d) + 0.5 * np.einsum("ijk,nj,nk->ni", third, d, d))
        for f in range(len(result)):
            form = np.asarray(cubic.tensor(Cubic(*(part[f] for part in forms))))
            value = np.einsum("ni,ij,nj->n", d, measured.hessians[f], d2 @ a)
            value = value + np.einsum("ijk,ni,nj,nk->n", form, d, d, d, optimize=True) / 6
            result[f] += cubed * (weight @ value)
    return result


def _total(forms: Cubic) -> np.ndarray:
    return np.asarray(jax.vmap(cubic.tensor)(forms).sum(axis=0))


@pytest.mark.parametrize("name", sorted(SWEEPS))
def test_cubic_means_against_tensor_quadrature(name: str) -> None:
    """The third cumulants of single rows, times the sums of cubed weights."""
    unit = _unit(name)
    stated = np.asarray(unit_population(unit).cubic_mean)[0]
    size = np.abs(stated).max()
    assert size > 1e-5
    np.testing.assert_allclose(stated, _by_quadrature(unit), rtol=1e-7, atol=1e-8 * size)


def test_large_problems_go_without() -> None:
    """Beyond ``LARGEST_TENSOR`` features the mean is left at zero, and so is the control."""
    sweep = {
        "setting": {"kind": "imbalance", "dim": third_order.LARGEST_TENSOR},
        "counts": {"majority": 2000, "minority": 500},
        "synthetic": {"ratios": [1]},
    }
    assert (np.asarray(unit_population(units_of(sweep)[0]).cubic_mean) == 0.0).all()
