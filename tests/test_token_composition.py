"""Tokens end to end: exact controls, K groups, the spurious token, the chain and what seeds are worth.

Every stochastic test has a false-fail rate of 1e-6; `detects` is what it would have caught.
"""

import jax.numpy as jnp
import numpy as np
import pytest

from scaling.theory.tokens import chain, composition, seeds
from simulations.problems import InputError
from simulations.tokens import end_to_end, generators, groups, influence, rows
from simulations.tokens.fitting import minimisers
from simulations.tokens.world import World, embeddings, latents, log_law, seed_counts
from synthlaw.claims.generation.tokens import chain as chain_claims
from synthlaw.claims.generation.tokens import risk as risk_claims
from synthlaw.claims.generation.tokens import seeds as seed_claims
from synthlaw.claims.judges import judge
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.record import Claim
from tests.stochastic import Disagreement, assert_mean, sample_mean

WORLD, PAIRS = World(64, 2), World(12, 2)
TABLE, LATENTS = embeddings(WORLD, 2), latents(WORLD)
TWO = groups.imbalance(TABLE, LATENTS)
CORES, ATTRIBUTES = latents(PAIRS), latents(PAIRS)[::-1]
FOUR = groups.spurious(embeddings(PAIRS, 2), CORES, ATTRIBUTES)
UNEVEN = composition.GroupCounts(
    FOUR.labels, np.array([400, 60, 60, 400]), np.array([0, 340, 340, 0])
)


def predicted(
    world: groups.Groups, made: np.ndarray, counts: composition.GroupCounts
) -> composition.Prediction:
    return composition.prediction(world.points, world.laws, made, world.best, counts)


def bent(world: groups.Groups, tilt: float) -> np.ndarray:
    """The groups' laws, tilted along the first feature."""
    made = world.laws * np.exp(tilt * world.points[:, 0])
    return made / made.sum(axis=1, keepdims=True)


def test_groups_are_the_laws_and_features_of_the_token_world() -> None:
    both = [log_law(jnp.asarray(TABLE), jnp.asarray(each)) for each in LATENTS]
    np.testing.assert_allclose(TWO.laws, np.exp(np.stack(both)), rtol=1e-12)
    np.testing.assert_allclose(TWO.points @ TWO.best, both[1] - both[0], atol=1e-13)
    table = jnp.asarray(embeddings(PAIRS, 2))
    listed = [[*u, *v, 1.0] for u in np.asarray(table) for v in np.asarray(table)]
    np.testing.assert_array_equal(FOUR.points, listed)
    assert FOUR.labels.tolist() == [1.0, 1.0, 0.0, 0.0]
    core, other = (log_law(table, jnp.asarray(each)) for each in (CORES[1], ATTRIBUTES[0]))
    expected = np.exp(core[:, None] + other[None, :]).ravel()
    np.testing.assert_allclose(FOUR.laws[1], expected, rtol=1e-12)
    balanced = minimisers(
        FOUR.points, FOUR.laws[None, :2].mean(axis=1) / 2, FOUR.laws[None, 2:].mean(axis=1) / 2,
        np.zeros(5),
    )  # fmt: skip
    np.testing.assert_allclose(balanced.theta[0], FOUR.best, atol=1e-9)
    with pytest.raises(InputError, match="rows of 2 tokens"):
        groups.spurious(np.zeros((3000, 1)), np.zeros((2, 1)), np.zeros((2, 1)))


def test_excess_risks_are_differences_of_risks_and_divergences_of_pairs_add() -> None:
    """The risks by their own sums; a difference of 1e-12 to four digits, by its quadratic form."""
    theta = FOUR.best + np.array([0.2, -0.1, 0.3, 0.0, 0.1])
    ours = groups.excess_risks(FOUR, theta[None])[0]

    def risks(at: np.ndarray) -> np.ndarray:
        sides = 1.0 - 2.0 * FOUR.labels
        loss = np.logaddexp(0.0, sides[:, None] * (FOUR.points @ at)[None])
        return (FOUR.laws * loss).sum(axis=1)

    np.testing.assert_allclose(ours[:4], risks(theta) - risks(FOUR.best), atol=1e-14)
    assert ours[4] == pytest.approx(ours[:4].mean(), rel=1e-14)
    small = 1e-6 * np.ones(5)
    p = 1.0 / (1.0 + np.exp(-FOUR.points @ FOUR.best))
    hessian = (FOUR.points.T * (FOUR.laws.mean(axis=0) * p * (1.0 - p))) @ FOUR.points
    near = groups.excess_risks(FOUR, (FOUR.best + small)[None])[0, 4]
    assert near == pytest.approx(0.5 * small @ hessian @ small, rel=1e-4)
    core, attribute = bent(TWO, 0.3)[0], bent(TWO, -0.2)[1]
    joint, own = (
        np.exp(rows.product([np.log(each) for each in both]))
        for both in ((core, attribute), TWO.laws)
    )
    apart = [p @ np.log(p / q) for p, q in ((TWO.laws[0], core), (TWO.laws[1], attribute))]
    assert own @ np.log(own / joint) == pytest.approx(sum(apart), rel=1e-12)


def test_controls_have_the_predicted_mean_by_two_routes() -> None:
    """The controls' exact means are the composition's variance and second order, by other code."""
    for world, counts in ((TWO, composition.Counts(300, 40, 200).groups), (FOUR, UNEVEN)):
        made = bent(world, 0.2)
        found = predicted(world, made, counts)
        parts = np.concatenate([world.laws, made])
        numbers = np.concatenate([counts.raw, counts.synthetic])
        at = influence.around(world, parts, numbers, found.theta)
        np.testing.assert_allclose(at.means, found.variance + found.second_order, rtol=1e-8)


def test_controls_take_the_noise_and_no_bias() -> None:
    """At 40 minority rows: the controls' mean is 0 (detects 20 % of the terms above the floor), what they
    leave agrees with the plain mean and with the prediction to 2 %. Without the second order it fails."""
    counts = composition.Counts(300, 40, 260).groups
    made = bent(TWO, 0.2)
    law = predicted(TWO, made, counts)
    found = end_to_end.simulate(TWO, counts.raw, counts.synthetic, made[None], 2500, seed=3)
    mean, error = sample_mean(found.controls)
    above = (law.variance + law.second_order)[2]
    assert_mean(mean[2], error[2], 0.0, detects=0.5 * above)
    controlled, se, failures = found.summary()
    plain, plain_se, _ = found.summary(controlled=False)
    assert failures == 0 and (se < 0.2 * plain_se).all()
    for g in range(3):
        scale = abs(law.predicted[g])
        assert_mean(
            controlled[g], se[g], law.predicted[g], detects=0.03 * scale, remainder=0.015 * scale
        )
        assert_mean(plain[g], plain_se[g], law.predicted[g], detects=1.0, remainder=0.01 * scale)
        with pytest.raises(Disagreement):
            wrong = law.predicted[g] - law.floor[g]
            assert_mean(controlled[g], se[g], wrong, detects=scale, remainder=0.015 * scale)


def test_the_spurious_token_end_to_end() -> None:
    """All four groups and balanced, detects 5 % of each; the raw rows' risks are not these."""
    made = bent(FOUR, 0.15)
    law = predicted(FOUR, made, UNEVEN)
    found = end_to_end.simulate(FOUR, UNEVEN.raw, UNEVEN.synthetic, made[None], 400, seed=1)
    mean, error, failures = found.summary()
    scale = np.abs(law.predicted)
    assert failures == 0 and law.worst == int(np.argmax(mean[:-1]))
    assert_mean(mean, error, law.predicted, detects=0.08 * scale, remainder=0.02 * scale)
    raw = predicted(FOUR, made, UNEVEN._replace(synthetic=np.zeros(4, int)))
    assert raw.predicted[-1] > 3.0 * law.predicted[-1]
    with pytest.raises(Disagreement):
        assert_mean(mean, error, raw.predicted, detects=0.08 * scale, remainder=0.02 * scale)


def test_four_groups_that_are_two_are_two() -> None:
    """Groups cut in halves of one law: same risks, same floor, same chain."""
    counts = composition.Counts(400, 100, 300)
    law = bent(TWO, 0.2)
    two = composition.prediction(TWO.points, TWO.laws, law[1], TWO.best, counts)
    halves = composition.GroupCounts(
        np.array([0.0, 0.0, 1.0, 1.0]), np.array([200, 200, 50, 50]), np.array([0, 0, 150, 150])
    )
    double, made = np.repeat(TWO.laws, 2, axis=0), np.repeat(law, 2, axis=0)
    four = composition.prediction(TWO.points, double, made, TWO.best, halves)
    np.testing.assert_allclose(four.predicted[[0, 2, 4]], two.predicted, rtol=1e-10)
    one = chain.chain(TWO.points, TWO.laws, law[1], counts, two)
    other = chain.chain(TWO.points, double, made, halves, four)
    for a, b in zip(one.links, other.links, strict=True):
        assert (a.value, a.bound) == pytest.approx((b.value, b.bound), rel=1e-9)


def test_the_attribute_goes_at_balance_and_bias_brings_back_no_more_than_certified() -> None:
    np.testing.assert_allclose(predicted(FOUR, FOUR.laws, UNEVEN).theta, FOUR.best, atol=1e-12)
    raw = predicted(FOUR, FOUR.laws, UNEVEN._replace(synthetic=np.zeros(4, int)))
    assert np.linalg.norm(raw.theta[2:4]) > 0.3
    for tilt in (0.01, 0.1):
        made = bent(FOUR, tilt) * np.exp(tilt * FOUR.points[:, 2])
        made = made / made.sum(axis=1, keepdims=True)
        law = predicted(FOUR, made, UNEVEN)
        found = chain.chain(FOUR.points, FOUR.laws, made, UNEVEN, law)
        assert all(link.holds for link in found.links)
        bound = found.certified.coefficients(slice(2, 4))
        assert np.isfinite(bound)
        assert 0.0 < np.linalg.norm(law.theta[2:4]) < bound
    with pytest.raises(InputError, match="no synthetic rows"):
        even = composition.GroupCounts(FOUR.labels, np.full(4, 9), np.zeros(4, int))
        chain.chain(FOUR.points, FOUR.laws, FOUR.laws, even, law)
    with pytest.raises(InputError, match="one raw row"):
        predicted(FOUR, FOUR.laws, UNEVEN._replace(raw=np.array([1, 0, 1, 1])))


def test_laws_of_seeds_apart_from_the_rows() -> None:
    """A law of its own for every replicate: the mean is the prediction's over them, detects 3 %. Twin: the
    prediction at the group's own law."""
    counts = composition.Counts(2000, 200, 1800).groups
    drawn = np.array([seed_counts(TWO.laws[1], [200], 0, ["other", r])[0] for r in range(60)])
    log_q, exists = generators.generated("transformer", TABLE, drawn, LATENTS[1])
    assert exists.all()
    made = np.stack([np.broadcast_to(TWO.laws[0], log_q.shape), np.exp(log_q)], axis=1)
    found = end_to_end.simulate(TWO, counts.raw, counts.synthetic, made, 1)
    assert found.found.all() and (found.controls != 0.0).all()
    each = np.array([predicted(TWO, q, counts).predicted[2] for q in made])
    left = (found.excess - found.controls)[:, 2]
    assert_mean(*sample_mean(left - each), 0.0, detects=0.03 * np.mean(each))
    with pytest.raises(Disagreement):
        wrong = predicted(TWO, TWO.laws, counts).predicted[2]
        assert_mean(*sample_mean(left - wrong), 0.0, detects=np.mean(each))
    with pytest.raises(InputError, match="at least 1 raw"):
        end_to_end.simulate(TWO, np.array([5, 0]), counts.synthetic, made, 1)


def test_a_law_of_seeds_is_a_second_order_expansion() -> None:
    """Differences against the risk itself at a displaced mean; the cost against simulated seeds, 3 %; the
    generator of many layers wastes no more of a seed than weighting it up."""
    law = seeds.seed_law(TABLE, LATENTS, 3)
    assert law.cost < law.reweighting
    p = TWO.laws[1]
    move = np.array([3e-3, -2e-3])
    inverse = np.linalg.inv(law.covariance)
    tilted = p * (1.0 + (TABLE - law.mean) @ inverse @ move)
    log_q, _ = generators.generated("transformer", TABLE, tilted[None], LATENTS[1], 3)
    value = seeds.endless(TWO, np.exp(log_q))[0]
    series = law.floor + law.gradient @ move + 0.5 * move @ law.hessian @ move
    assert value == pytest.approx(series, abs=float(2e-3 * (series - law.floor)))
    n = 3000
    counts = np.array([seed_counts(p, [n], 5, ["t", r])[0] for r in range(200)], float)
    log_q, _ = generators.generated("transformer", TABLE, counts, LATENTS[1], 3)
    left = n * (seeds.endless(TWO, np.exp(log_q)) - law.control(counts @ TABLE / n, n) - law.floor)
    assert_mean(*sample_mean(left), law.cost, detects=0.03 * law.cost)
    with pytest.raises(Disagreement):
        assert_mean(*sample_mean(left), 1.1 * law.cost, detects=0.03 * law.cost)
    weighted = seeds.weighted_up(TWO)
    left = n * (seeds.endless(TWO, counts / n) - weighted.control(counts))
    assert_mean(*sample_mean(left), weighted.cost, detects=0.1 * weighted.cost)
    with pytest.raises(InputError, match="at least 1 layer"):
        seeds.seed_law(TABLE, LATENTS, 0)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab(PRESETS["quick"], seed=7)


@pytest.mark.parametrize(
    "claim",
    [c for topic in (risk_claims, chain_claims, seed_claims) for c in topic.CLAIMS],
    ids=lambda c: c.id,
)
def test_claims_hold_at_another_seed_and_twins_do_not(claim: Claim, lab: Lab) -> None:
    margin = claim.margin or lab.preset.margin
    evidence = claim.evidence(lab)
    found = judge(claim.kind, evidence, margin).verdict
    assert found.outcome == "supported"
    assert found.resolution is None or found.resolution <= 0.05
    assert all(each.check(evidence) for each in claim.assumptions)
    assert judge(claim.kind, claim.twin.evidence(lab), margin).verdict.outcome == "contradicted"


def test_a_table_without_a_crossing_is_passed_over() -> None:
    """At seed 4 one layer costs more per seed than reweighting: there is no crossing to look at."""
    world = World(64, 2)
    none = seeds.seed_law(embeddings(world, 4), latents(world), 1)
    assert none.cost > none.reweighting and none.crossing == 0.0
    # Endless depth has no floor, whatever rounding leaves of it.
    assert seeds.seed_law(embeddings(world, 0), latents(world), 60).crossing == np.inf
    lab = Lab(PRESETS["quick"], seed=4)
    assert min(seed_claims.law(lab, k).crossing for k in seed_claims.DEPTHS) >= seed_claims.FEWEST
