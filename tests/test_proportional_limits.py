"""The proportional fixed point where it must meet something known otherwise."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from scaling.theory.proportional.clusters import Clusters, isotropic
from scaling.theory.proportional.existence import threshold
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.losses import LOSSES
from scaling.theory.proportional.status import NO_ESTIMATOR, SOLVED
from simulations.population import losses as population_losses
from simulations.population.gaussian import Atoms
from simulations.population.minimisers import minimise_mixture, ridge_matrix
from simulations.population.quadrature import gaussian_grid

LINE = isotropic([1 / 11, 10 / 11], [1, -1], [[1.2], [-1.2]])
THREE = Clusters(
    np.array([0.1, 0.5, 0.4]),
    np.array([2.0, 0.8, 1.0]),
    np.array([1.0, -1.0, 1.0]),
    np.array([[1.2, 0.0], [-1.2, 0.0], [1.5, 0.6]]),
    np.array([[[1.0, 0.3], [0.3, 0.5]], [[1.0, 0.0], [0.0, 1.0]], [[0.6, -0.2], [-0.2, 1.5]]]),
    np.array([1.0, 1.0, 0.5]),
)


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_few_features_leave_the_population_minimiser(ridge: float) -> None:
    """delta -> 0 at a rate of one: the distance falls tenfold with delta."""
    lifted = np.concatenate([THREE.mean, np.ones((3, 1))], axis=1)
    wide = np.zeros((3, 3, 3))
    wide[:, :2, :2] = THREE.covariance
    atoms = Atoms(lifted, wide, 0.5 * (1 + THREE.sign))
    weights = THREE.share * THREE.weight
    found = minimise_mixture(
        population_losses.LOGISTIC,
        jnp.array(weights),
        atoms,
        jnp.array(ridge_matrix(3, ridge, True)),
        gaussian_grid(4.0),
    )
    assert found.converged
    apart = []
    for aspect in (1e-4, 1e-5, 1e-6):
        here = fixed_point("logistic", THREE, aspect, ridge)
        assert here.status == SOLVED and here.norm == pytest.approx(0.0, abs=10 * aspect**0.5)
        point = np.append(here.projection, here.intercept)
        apart.append(np.abs(point - np.asarray(found.theta)).max())
    assert apart[2] < 1e-4 and apart[0] / apart[1] == pytest.approx(10.0, rel=0.02)
    assert apart[1] / apart[2] == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_a_large_ridge_leaves_the_difference_of_the_means(loss: str) -> None:
    """s goes along mu_1 - mu_0 and ``r/|s| = sqrt(d (1/n_1 + 1/n_0))/|mu_1 - mu_0|``."""
    rows = isotropic([0.1, 0.9], [1, -1], [[1.0, 0.3], [-0.5, 0.1]])
    found = fixed_point(loss, rows, 0.4, np.array([1e4, 1e6]))
    gap = np.array([1.5, 0.2])
    ratio = found.norm / np.linalg.norm(found.projection, axis=-1)
    expected = (0.4 * (1 / 0.1 + 1 / 0.9)) ** 0.5 / np.linalg.norm(gap)
    assert ratio[1] == pytest.approx(expected, rel=1e-5)
    assert found.projection[1, 1] / found.projection[1, 0] == pytest.approx(0.2 / 1.5, rel=1e-5)
    assert abs(ratio[1] - expected) < 0.1 * abs(ratio[0] - expected)


@pytest.mark.parametrize("aspect", [0.3, 2.0])
def test_the_squared_loss_has_marchenko_and_pasturs_step(aspect: float) -> None:
    """t = delta E 1/(2x + ridge) over the law of the eigenvalues of X'X/n."""
    ridge = 0.1
    low, high = (1 - aspect**0.5) ** 2, (1 + aspect**0.5) ** 2

    def density(x: float) -> float:
        return np.sqrt(max((high - x) * (x - low), 0.0)) / (2 * np.pi * aspect * x)

    mean = quad(lambda x: density(x) / (2 * x + ridge), low, high, epsabs=1e-12)[0]
    mean += max(1.0 - 1.0 / aspect, 0.0) / ridge
    rows = isotropic([0.3, 0.7], [1, -1], [[1.0], [-1.0]])
    found = fixed_point("squared", rows, aspect, ridge)
    assert found.step == pytest.approx(aspect * mean, rel=1e-8)


def test_separable_rows_meet_the_margin() -> None:
    """Hinge, small ridge: no row is left below margin 1: ``delta r^2 = sum p E(1 - a)_+^2``."""
    found = fixed_point("hinge", LINE, 0.5, np.array([1.0, 1e-3]))
    assert (found.status == SOLVED).all()
    q = np.hypot(found.projection[:, 0], found.norm)[:, None]
    m = 1.2 * found.projection + LINE.sign * found.intercept[:, None]
    z = (1 - m) / q
    met = q**2 * ((z**2 + 1) * ndtr(z) + z * np.exp(-0.5 * z**2) / (2 * np.pi) ** 0.5)
    left = 1.0 - (LINE.share * met).sum(axis=-1) / (0.5 * found.norm**2)
    assert abs(left[1]) < 1e-12 and abs(left[0]) > 0.1
    # Hardly regularised logistic regression turns to the same direction, though slowly.
    soft = fixed_point("logistic", LINE, 0.5, np.array([1e-1, 1e-2, 1e-3]))
    assert (soft.status == SOLVED).all()
    apart = np.abs(soft.projection[:, 0] / soft.norm - found.projection[1, 0] / found.norm[1])
    assert apart[0] > apart[1] > apart[2]


def test_scores_diverge_at_the_threshold() -> None:
    kappa = float(threshold(LINE).kappa)
    found = fixed_point("logistic", LINE, kappa * np.array([0.5, 0.9, 0.99, 1.0001]), 0.0)
    assert found.status.tolist() == [SOLVED] * 3 + [NO_ESTIMATOR]
    norms = found.norm[:3]
    assert norms[0] < norms[1] < norms[2] and np.isnan(found.norm[3])
    assert norms[2] / norms[1] > 3.0
    kinked = fixed_point("hinge", LINE, kappa * np.array([0.8, 1.0001]), 0.0)
    assert kinked.status.tolist() == [SOLVED, NO_ESTIMATOR]


@pytest.mark.parametrize("loss", LOSSES)
def test_without_means_there_is_no_projection(loss: str) -> None:
    rows = isotropic([0.4, 0.6], [1, -1], [[0.0], [0.0]])
    found = fixed_point(loss, rows, 0.7, 0.3)
    assert found.status == SOLVED and found.projection == pytest.approx([0.0], abs=1e-12)
    held = fixed_point(loss, LINE, 0.7, 0.3, intercept=False, offset=0.25)
    assert held.status == SOLVED and held.intercept == 0.25
