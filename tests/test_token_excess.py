"""Simulated excess risks of tokens against their laws, and every link from divergence to risk.

Every stochastic test has a false-fail rate of 1e-6; `detects` is what it would have caught.
"""

import jax.numpy as jnp
import numpy as np
import pytest

from scaling.theory.tokens import chain, composition
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.problems import InputError
from simulations.tokens import classifier, end_to_end
from simulations.tokens.generators import laws as generated
from simulations.tokens.world import World, divergence, embeddings, latents, log_law, seed_counts
from tests.stochastic import Disagreement, assert_mean

COUNTS = composition.Counts(2000, 200, 1800)


class Case:
    """A table, its groups, a generator's law from other seeds, and the prediction for it."""

    table: AnyArray
    latents: AnyArray
    laws: AnyArray
    points: AnyArray
    best: AnyArray
    generator: AnyArray

    def __init__(self) -> None:
        world = World(64, 2)
        self.table, self.latents = embeddings(world, 3), latents(world)
        both = [log_law(jnp.asarray(self.table), jnp.asarray(each)) for each in self.latents]
        self.laws = np.exp(np.asarray(jnp.stack(both)))
        self.points = np.asarray(classifier.lift(jnp.asarray(self.table)))
        self.best = np.asarray(classifier.balanced_theta(self.table, jnp.asarray(self.latents)))
        seeds = jnp.asarray(seed_counts(self.laws[1], [200], 1, ["q"]), float)
        found, _ = generated("transformer", jnp.asarray(self.table), seeds, jnp.zeros(2))
        self.generator = np.exp(np.asarray(found[0]))
        self.found = self.predict(self.generator)

    def predict(self, law: AnyArray) -> composition.Prediction:
        return composition.prediction(self.points, self.laws, law, self.best, COUNTS)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_the_classifier_is_well_specified(case: Case) -> None:
    fitted = quick_jit(classifier.fit)(
        case.points, 0.5 * case.laws[1], 0.5 * case.laws[0], jnp.zeros(3)
    )
    assert bool(fitted.converged)
    np.testing.assert_allclose(fitted.theta, case.best, atol=1e-9)
    right = case.predict(case.laws[1])
    np.testing.assert_allclose(right.floor, 0.0, atol=1e-14)
    np.testing.assert_allclose(right.bias, 0.0, atol=1e-15)


def test_excess_is_a_difference_of_risks_and_errors_are_sums(case: Case) -> None:
    theta = case.best + np.array([0.3, -0.2, 0.1])
    excess = classifier.excess_risks(case.points, theta, case.best, case.laws)
    at, low = (classifier.group_risks(case.points, each, case.laws) for each in (theta, case.best))
    np.testing.assert_allclose(excess, at - low, atol=1e-14)
    score = case.points @ theta
    expected = [case.laws[0][score > 0].sum(), case.laws[1][score <= 0].sum()]
    np.testing.assert_allclose(classifier.group_errors(case.points, theta, case.laws), expected)


def test_separable_rows_have_no_minimiser() -> None:
    points = classifier.lift(jnp.array([[-1.0], [1.0], [2.0]]))
    ones, zeros = jnp.array([0.0, 0.3, 0.2]), jnp.array([0.5, 0.0, 0.0])
    assert not bool(quick_jit(classifier.fit)(points, ones, zeros, jnp.zeros(2)).converged)


def test_excess_of_a_fixed_law_is_floor_and_variance(case: Case) -> None:
    """Detects 5 % of the balanced excess risk; the law without its floor is 90 % off."""
    found = end_to_end.excess(
        case.table, case.latents, (2000, 200, 1800), case.generator, 1500, seed=1
    )
    mean, error, failures = found.summary()
    assert failures == 0
    predicted = case.found.predicted[2]
    assert_mean(mean[2], error[2], predicted, detects=0.08 * predicted)
    for wrong in (0.9 * predicted, 1.1 * predicted, case.found.variance[2]):
        with pytest.raises(Disagreement):
            assert_mean(mean[2], error[2], wrong, detects=0.08 * predicted)


def test_every_link_of_the_chain_holds(case: Case) -> None:
    found = chain.chain(case.points, case.laws, case.generator, COUNTS, case.found)
    assert all(link.holds for link in found.links)
    assert found.radius < found.supremum and 0.7 < found.leading < 1.3
    assert found.divergence == pytest.approx(
        float(divergence(np.log(case.laws[1]), np.log(case.generator))), rel=1e-10
    )
    # Nearer laws: the quadratic form becomes exact, the certified bound finite and still a bound.
    ratios = []
    for share in (0.3, 0.03):
        law = share * case.generator + (1.0 - share) * case.laws[1]
        near = chain.chain(case.points, case.laws, law, COUNTS, case.predict(law))
        assert all(link.holds for link in near.links)
        ratios.append(near)
    assert abs(ratios[1].leading - 1.0) < 0.2 * abs(ratios[0].leading - 1.0)
    assert np.isfinite(ratios[1].certified.floor)
    with pytest.raises(InputError, match="must balance"):
        chain.chain(case.points, case.laws, case.generator, composition.Counts(9, 2, 3), case.found)


def test_a_generator_learns_from_the_rows_it_joins(case: Case) -> None:
    """All names run; the law of a deeper transformer is nearer; failures are counted, not hidden."""
    shallow, deep, oracle = (
        end_to_end.excess(case.table, case.latents, (300, 60, 240), name, 40, depth=layers)
        for name, layers in (("transformer", 1), ("transformer", 4), ("oracle", 1))
    )
    assert np.median(deep.divergence) < np.median(shallow.divergence)
    np.testing.assert_allclose(oracle.divergence, 0.0, atol=1e-15)
    assert oracle.summary()[0][2] < shallow.summary()[0][2]
    with pytest.raises(InputError, match="did you mean 'oracle'"):
        end_to_end.excess(case.table, case.latents, (3, 3, 1), "oracl", 1)
