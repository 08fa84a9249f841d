"""The one-dimensional rule, against adaptive integration over its whole range."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from simulations.population.quadrature import gaussian_grid

# Rounding: up to 2305 nodes of weight below 1 add numbers of size 1 or less.
TOLERANCE = 1e-13


def _slope(u: np.ndarray) -> np.ndarray:
    return expit(u) * expit(-u)


def _exact(h, a: float, sd: float, power: int) -> float:
    """``E[h(a + sd z) z^power]`` in pieces around the place where h varies."""
    centre = -a / sd
    width = 40.0 / sd
    ends = [-12.0, *np.clip([centre - width, centre, centre + width], -12.0, 12.0), 12.0]
    pieces = [
        quad(
            lambda z: h(a + sd * z) * z**power * norm.pdf(z), low, high, epsabs=2e-14, epsrel=1e-12
        )[0]
        for low, high in zip(ends[:-1], ends[1:], strict=True)
        if high > low
    ]
    return sum(pieces)


@pytest.mark.parametrize("sd", [0.3, 2.0, 3.9, 8.0, 15.9, 20.0])
@pytest.mark.parametrize("a", [0.0, 1.3, -6.0])
def test_moments_of_a_logistic_score(a: float, sd: float) -> None:
    grid = gaussian_grid(sd)
    nodes, weights = np.asarray(grid.nodes), np.asarray(grid.weights)
    for h in (_slope, expit):
        for power in range(4):
            mine = weights @ (h(a + sd * nodes) * nodes**power)
            assert mine == pytest.approx(_exact(h, a, sd, power), abs=TOLERANCE)


def test_a_grid_too_coarse_or_gauss_hermite_would_fail() -> None:
    a, sd = 1.3, 20.0
    exact = _exact(_slope, a, sd, 0)
    coarse = gaussian_grid(2.0)
    mine = np.asarray(coarse.weights) @ _slope(a + sd * np.asarray(coarse.nodes))
    assert abs(mine - exact) > 1e-9
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    assert abs(weights @ _slope(a + sd * nodes) / weights.sum() - exact) > 1e-4


def test_gaussian_moments_are_exact() -> None:
    grid = gaussian_grid()
    for power, moment in ((0, 1.0), (2, 1.0), (4, 3.0), (6, 15.0), (8, 105.0)):
        assert float(grid.weights @ grid.nodes**power) == pytest.approx(moment, rel=1e-12)
    assert float(grid.weights @ grid.nodes**3) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("sd", [-1.0, float("nan"), float("inf")])
def test_a_spread_that_is_none_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="largest_sd"):
        gaussian_grid(sd)
