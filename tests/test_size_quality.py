"""The quality score of laws, and a size tuned on a validation sample."""

from functools import partial

import numpy as np
import pytest
from size_problems import golden, problem, reference
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.size.curve import size_curve
from scaling.theory.size.directions import directions
from scaling.theory.size.quality import quality_score
from scaling.theory.size.validation import chosen_by_validation, validation_cost
from simulations.population.losses import SQUARED
from simulations.problems import InputError


def test_the_score_is_floor_over_variance() -> None:
    """Both routes agree to first order in the bias: the gap falls with it."""
    gaps = []
    for small in (1e-2, 1e-3):
        given = reference((small, small, 0.0, 0.0, 0.0))
        terms = size_curve(given, [given.missing])
        score = quality_score(given, directions(given))
        gaps.append(abs(terms.floor[0] / terms.variance[0] / score - 1))
    assert gaps[1] < 0.2 * gaps[0] < 0.02


def test_the_score_grows_with_the_sample_and_with_the_bias_squared() -> None:
    one, two = reference((1e-3, 0, 0, 0, 0)), reference((2e-3, 0, 0, 0, 0))
    score = quality_score(one, directions(one))
    assert quality_score(two, directions(two)) == pytest.approx(4 * score, rel=1e-2)
    larger = one.with_counts(6000, 600)
    assert quality_score(larger, directions(larger)) == pytest.approx(3 * score, rel=1e-9)
    assert quality_score(reference((0.0,) * 5), directions(reference((0.0,) * 5))) == 0.0


def test_what_validation_costs() -> None:
    """Rules of exact mixtures at a fine grid of sizes, chosen by 4,000 validation samples: the cost over
    t'S_v t/(2E'') is 1 to 8 % (the parabola, O(1/v)). Twin: half as much noise."""
    given = golden((40_000.0, 2000.0))
    grid = np.linspace(2.5, 6.0, 113) * given.missing
    terms = size_curve(given, grid)
    excess = terms.floor
    rng, count, v = np.random.default_rng(6), 4000, 2500
    noise = [rng.standard_normal((500, v, 2)) for _ in range(2)]
    costs = []
    theta = np.broadcast_to(terms.solved.theta, (500, *terms.solved.theta.shape))
    for _ in range(count // 500):
        picked = chosen_by_validation(SQUARED, theta, noise[0], noise[1] + [1.0, 0.0])
        costs.append(excess[picked])
        noise = [rng.standard_normal((500, v, 2)) for _ in range(2)]
    expected = validation_cost(given, (v, v), "floor")
    assert expected.size == pytest.approx(4 * given.missing) and expected.least == 0.0
    mean, se = sample_mean(np.concatenate(costs) / expected.cost)
    check = partial(assert_mean, mean, se, detects=0.3, remainder=0.08)
    check(1.0)
    with pytest.raises(Disagreement):
        check(0.5)
    assert validation_cost(given, (10 * v, 10 * v), "floor").cost == pytest.approx(
        expected.cost / 10, rel=1e-9
    )


def test_validation_by_moments_is_validation_by_rows() -> None:
    rng = np.random.default_rng(1)
    theta, rows = rng.standard_normal((6, 5, 3)), rng.standard_normal((2, 6, 40, 3))
    plain = SQUARED._replace(name="by rows")
    assert (
        chosen_by_validation(SQUARED, theta, *rows) == chosen_by_validation(plain, theta, *rows)
    ).all()


def test_validation_without_an_optimum() -> None:
    symmetric = problem(([-1, 0], 1), ([1, 0], 1), ([1, 0.3], 1), (200.0, 20.0), "logistic")
    found = validation_cost(symmetric, (50, 50), "floor")
    assert np.isnan(found.cost) and "boundary" in found.status
    with pytest.raises(InputError, match="positive"):
        validation_cost(golden(), (0, 10))
