"""The proportional fixed point: reference numbers, statuses, batches, symmetries, samples.

Long because one solver is asked for everything it can be given, and its tests share compiled programs.
"""

import numpy as np
import pytest
from proportional_samples import sampled_errors
from references import agrees_with_digits
from scipy.optimize import linprog
from scipy.special import ndtr
from stochastic import Disagreement, assert_mean, sample_mean

from scaling.theory.proportional.clusters import Clusters, Solution, isotropic
from scaling.theory.proportional.collapse import collapsed
from scaling.theory.proportional.conventions import from_engine, to_engine
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point, history
from scaling.theory.proportional.losses import LOSSES
from scaling.theory.proportional.multiplicities import duplicated, multiplicities, reweighted
from scaling.theory.proportional.ridge import AT_UPPER, INSIDE, best_ridge
from scaling.theory.proportional.status import (
    COLLAPSED,
    FREE,
    INFEASIBLE,
    NO_ESTIMATOR,
    REASONS,
    SOLVED,
    UNCONVERGED,
)
from simulations.problems import InputError

ROWS = isotropic(np.array([60, 600, 540]) / 1200, [1, -1, 1], [[1.2, 0], [-1.2, 0], [1.5, 0.6]])
PAIR = isotropic([60 / 660, 600 / 660], [1, -1], [[1.2, 0], [-1.2, 0]])
LINE = isotropic([60 / 660, 600 / 660], [1, -1], [[1.2], [-1.2]])
# Clusters of different covariances within the span, variances outside of it, and weights.
MIXED = Clusters(
    np.array([1.0, 6.0, 4.0]) / 11.0,
    np.array([2.0, 0.8, 1.0]),
    np.array([1.0, -1.0, 1.0]),
    np.array([[1.2, 0.0], [-1.2, 0.0], [1.5, 0.6]]),
    np.array([[[1.0, 0.3], [0.3, 0.5]], [[1.0, 0.0], [0.0, 1.0]], [[0.6, -0.2], [-0.2, 1.5]]]),
    np.array([1.0, 1.0, 0.5]),
)


def same(found: Solution, other: Solution, tolerance: float = 1e-9) -> bool:
    """Order parameters alike and solved."""
    pairs = zip(found[:4], other[:4], strict=True)
    close = all(np.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in pairs)
    return close and not np.any(found.status) and not np.any(other.status)


@pytest.mark.parametrize(
    ("loss", "printed"),
    [
        ("logistic", (".19189", ".11776")),
        ("squared", (".19216", ".11684")),
        ("hinge", (".20628", ".13226")),
    ],
)
def test_the_reference_solve(loss: str, printed: tuple[str, str]) -> None:
    found = fixed_point(loss, ROWS, 200 / 1200, 0.01)
    assert found.status == SOLVED and found.residual < 1e-12
    for value, digits in zip(group_errors(found, PAIR), printed, strict=True):
        assert agrees_with_digits(value, digits)
    if loss == "logistic":
        for value, digits in zip(found.projection, ("2.46246", "0.47484"), strict=True):
            assert agrees_with_digits(value, digits)
        assert agrees_with_digits(float(found.intercept), "-0.45290")
        assert agrees_with_digits(float(found.norm), "1.40119")


def test_repeated_and_reweighted_rows() -> None:
    """Of the duplicates a damped iteration gives the same digits (test_fixed_point_benchmark)."""
    twice = duplicated(LINE, [60, 600], [540, 0])
    assert twice.share.sum() == pytest.approx(1.0, abs=1e-12)
    assert twice.share @ twice.weight == pytest.approx(1.0, abs=1e-10)
    heavier = reweighted(LINE, [60, 600], [540, 0])
    for rows, printed in ((twice, (".45449", ".06330")), (heavier, (".45164", ".06415"))):
        errors = group_errors(fixed_point("logistic", rows, 200 / 660, 0.01), LINE)
        for value, digits in zip(errors, printed, strict=True):
            assert agrees_with_digits(value, digits)
    values, chances = multiplicities(60, 540)
    mean, square = values @ chances, values**2 @ chances
    assert mean == pytest.approx(10.0, rel=1e-10)
    assert square - mean**2 == pytest.approx(9.0 * (1 - 1 / 60), rel=1e-8)
    # A tail cut at 19 without its mass is seen.
    short = values[values <= 19] @ chances[values <= 19] / chances[values <= 19].sum()
    assert short != pytest.approx(10.0, rel=1e-4)
    with pytest.raises(InputError, match="one number for each cluster"):
        duplicated(LINE, [60], [540])


@pytest.mark.parametrize("loss", LOSSES)
def test_symmetries(loss: str) -> None:
    """Order, splitting, mirroring, turning, units and empty directions change nothing."""
    found = fixed_point(loss, MIXED, 0.2, 0.05)
    order = np.array([2, 0, 1])
    assert same(found, fixed_point(loss, Clusters(*(x[order] for x in MIXED)), 0.2, 0.05))
    split = Clusters(*(x[[0, 0, 1, 2]] for x in MIXED))
    shares = split.share * np.array([0.3, 0.7, 1.0, 1.0])
    assert same(found, fixed_point(loss, split._replace(share=shares), 0.2, 0.05))
    mirrored = fixed_point(loss, MIXED._replace(sign=-MIXED.sign, mean=-MIXED.mean), 0.2, 0.05)
    assert same(found, mirrored._replace(intercept=-mirrored.intercept))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = MIXED._replace(mean=MIXED.mean @ turn.T, covariance=turn @ MIXED.covariance @ turn.T)
    there = fixed_point(loss, turned, 0.2, 0.05)
    assert same(found, there._replace(projection=there.projection @ turn))
    units = MIXED._replace(
        mean=3 * MIXED.mean, covariance=9 * MIXED.covariance, variance=9 * MIXED.variance
    )
    scaled = fixed_point(loss, units, 0.2, 9 * 0.05)
    back = scaled._replace(
        projection=3 * scaled.projection, norm=3 * scaled.norm, step=9 * scaled.step
    )
    assert same(found, back)
    # Weights and ridge times c: the same minimiser, and 1/c of the step.
    heavier = fixed_point(loss, MIXED._replace(weight=2 * MIXED.weight), 0.2, 2 * 0.05)
    assert same(found, heavier._replace(step=2 * heavier.step))
    # A direction that is like all others and has no mean holds nothing.
    wide = isotropic(PAIR.share, PAIR.sign, np.pad(PAIR.mean, ((0, 0), (0, 1))))
    plain, more = (fixed_point(loss, rows, 0.3, 0.05) for rows in (LINE, wide))
    assert plain.norm == pytest.approx(more.norm, rel=1e-9)
    assert more.projection[1:] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_a_batch_is_its_problems() -> None:
    aspects, ridges = np.array([0.1, 0.4, 2.0])[:, None], np.array([0.1, 1.0])
    for loss in LOSSES:
        found = fixed_point(loss, MIXED, aspects, ridges)
        assert found.status.shape == (3, 2) and found.projection.shape == (3, 2, 2)
        for i, j in np.ndindex(3, 2):
            single = fixed_point(loss, MIXED, aspects[i, 0], ridges[j])
            assert same(Solution(*(x[i, j] for x in found)), single)


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_extreme_problems_are_solved(loss: str) -> None:
    """Imbalance to 1:1000, weights over six decades, delta .01 to 20, ridge 1e-6 to 10."""
    random = np.random.default_rng(7)
    many = 24
    p, heavy = 10 ** random.uniform(-3, -0.3, many), 10 ** random.uniform(-3, 3, many)
    shares = np.stack([p, 1 - p], axis=-1)
    weights = np.stack([heavy, np.ones(many)], axis=-1)
    weights /= (weights * shares).sum(axis=-1, keepdims=True)
    place = random.uniform(0, 3, many)
    rows = isotropic(shares, [1, -1], np.stack([place, -place], axis=-1)[..., None], weights)
    aspect, ridge = 10 ** random.uniform(-2, 1.3, many), 10 ** random.uniform(-6, 1, many)
    found = fixed_point(loss, rows, aspect, ridge)
    assert (found.status == SOLVED).all() and (found.residual < 1e-9).all()


def test_the_hinge_loss_on_raw_and_balanced_rows() -> None:
    aspect = np.array([0.05, 0.3, 1.0, 10.0])[:, None]
    ridge = np.array([1e-5, 1e-3, 0.1, 2.0])
    heavier = reweighted(LINE, [60, 600], [540, 0])
    found = fixed_point("hinge", heavier, aspect, ridge)
    assert (found.status == SOLVED).all()
    raw = fixed_point("hinge", LINE, 1.0, ridge)
    assert (raw.status == SOLVED).all()


def test_an_intercept_that_no_row_holds() -> None:
    """All margins below the kink: the loss is linear, and any intercept of an interval as good."""
    rows = isotropic([0.5, 0.5], [1, -1], [[1.0], [-1.0]])
    found = fixed_point("hinge", rows, 0.5, np.array([1.0, 5.0, 100.0]))
    assert found.status.tolist() == [SOLVED, SOLVED, FREE]
    assert np.isnan(found.intercept[2]) and abs(found.intercept[:2]).max() < 1e-9
    held = fixed_point("hinge", rows, 0.5, 100.0, intercept=False)
    assert held.status == SOLVED
    # All pull with their whole weight: the mean difference.
    limit = ndtr(-1.0 / np.sqrt(1.0 + 0.5))
    assert group_errors(held, rows)[0] == pytest.approx(limit, rel=1e-6)


def test_a_constant_hinge_score() -> None:
    """The certificate agrees with linear programs: does any slope lower the loss of slope 0, 2 n_1/n?"""
    random, dim = np.random.default_rng(3), 30
    for share, place, n, expected in ((0.05, 0.2, 600, True), (0.1, 1.5, 300, False)):
        rows = isotropic([share, 1 - share], [1, -1], [[place], [-place]])
        assert collapsed(rows, dim / n) == expected
        found = fixed_point("hinge", rows, dim / n, np.array([1e-3, 1.0]))
        assert (found.status == (COLLAPSED if expected else SOLVED)).all()
        assert np.isnan(found.norm).all() == expected
        light = round(share * n)
        sign = np.where(np.arange(n) < light, 1.0, -1.0)
        x = random.standard_normal((n, dim))
        x[:, 0] += place * sign
        margins = np.column_stack([x, np.ones(n)]) * sign[:, None]
        constraints = np.hstack([-margins, -np.eye(n)])
        cost = np.concatenate([np.zeros(dim + 1), np.full(n, 1 / n)])
        bounds = [(None, None)] * (dim + 1) + [(0, None)] * n
        least = linprog(cost, constraints, -np.ones(n), bounds=bounds).fun
        assert (least > 2 * light / n - 1e-9) == expected


def test_what_has_no_number() -> None:
    none = fixed_point("logistic", LINE, 0.3, np.array([0.0, 1e-3]))
    assert none.status.tolist() == [NO_ESTIMATOR, SOLVED]
    assert fixed_point("logistic", LINE, 0.05, 0.0).status == SOLVED
    assert fixed_point("squared", LINE, 1.5, 0.0).status == NO_ESTIMATOR
    assert fixed_point("squared", LINE, 0.5, 0.0).status == SOLVED
    one = np.ones(2)
    bad = [
        (LINE._replace(share=0.5 * LINE.share), 0.3, 0.1),
        (LINE._replace(weight=np.array([1.0, -1.0])), 0.3, 0.1),
        (LINE._replace(variance=0 * one), 0.3, 0.1),
        (LINE._replace(sign=one), 0.3, 0.1),
        (LINE._replace(sign=0.5 * one), 0.3, 0.1),
        (LINE._replace(mean=np.full((2, 1), np.nan)), 0.3, 0.1),
        (LINE._replace(covariance=-LINE.covariance), 0.3, 0.1),
        (LINE, 0.0, 0.1),
        (LINE, np.inf, 0.1),
        (LINE, 0.3, -0.1),
        (LINE, 0.3, np.nan),
    ]
    for rows, aspect, ridge in bad:
        found = fixed_point("squared", rows, aspect, ridge)
        assert found.status == INFEASIBLE
        assert np.isnan(found.projection).all() and np.isnan(found.norm)
        assert np.isnan(group_errors(found, LINE)).all()
    assert all(text.count(".") <= 1 or "`" in text for text in REASONS.values())
    with pytest.raises(InputError, match="did you mean 'logistic'"):
        fixed_point("logistc", LINE, 0.3, 0.1)
    with pytest.raises(InputError, match="same sizes"):
        fixed_point("squared", LINE, np.ones(3), np.ones(2))
    for nothing in (np.zeros(0), np.zeros((2, 0))):
        with pytest.raises(InputError, match="no axis the size 0"):
            fixed_point("squared", LINE, nothing, 0.1)
    with pytest.raises(InputError, match="no axis the size 0"):
        fixed_point("squared", isotropic([0.5, 0.5], [1, -1], np.zeros((2, 0))), 0.3, 0.1)


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_that_leave_a_direction_free(loss: str) -> None:
    """Without a ridge their rule is not unique; one such problem does not spoil a batch."""
    mean = np.array([[1.0, 0.0], [-1.0, 0.0]])
    flat = isotropic([0.5, 0.5], [1, -1], mean)
    flat = flat._replace(covariance=np.tile(np.diag([1.0, 0.0]), (2, 1, 1)))
    found = fixed_point(loss, flat, 0.1, np.array([0.0, 0.1]))
    assert found.status.tolist() == [NO_ESTIMATOR, SOLVED]
    assert np.isnan(found.norm[0]) and np.isfinite(found.norm[1])
    # In other units the direction is small, not free.
    small = flat._replace(covariance=np.tile(np.diag([1.0, 1e-20]), (2, 1, 1)))
    assert fixed_point(loss, small, 0.1, 0.0).status == SOLVED
    # Without an intercept means that lie off 0 hold the direction, with one they do not.
    off = flat._replace(mean=mean + [0.0, 0.5])
    assert fixed_point(loss, off, 0.1, 0.0).status == NO_ESTIMATOR
    assert fixed_point(loss, off, 0.1, 0.0, intercept=False).status == SOLVED


@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_numbers_out_of_reach_have_a_status_and_no_warning(loss: str) -> None:
    for weight, near in ((1e300, 1e9), (1e-300, 1e-9)):
        found, limit = (
            fixed_point(loss, LINE._replace(weight=np.array([each, 1.0])), 0.3, 0.1)
            for each in (weight, near)
        )
        if found.status == SOLVED:
            assert float(found.norm) == pytest.approx(float(limit.norm), rel=1e-6)
        else:
            assert found.status == UNCONVERGED and np.isnan(found.norm)


def test_an_iteration_cut_short_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from scaling.theory.proportional import fixed_point as module

    real = module._run

    def short(name: str, rung: int, batch: module.Batch) -> module.Iterate:
        last = real(name, rung, batch)
        return last._replace(residual=np.full_like(last.residual, 1e-6))

    monkeypatch.setattr(module, "_run", short)
    found = fixed_point("squared", LINE, 0.3, 0.1)
    assert found.status == UNCONVERGED
    assert np.isnan([found.norm, found.intercept, found.step, *found.projection]).all()


def test_history_ends_at_the_solution() -> None:
    for loss in LOSSES:
        records = history(loss, MIXED, 0.2, 0.05)
        last, found = records[-1], fixed_point(loss, MIXED, 0.2, 0.05)
        assert last.converged and last.projection == pytest.approx(found.projection, rel=1e-9)
        assert [r.iteration for r in records] == list(range(1, len(records) + 1))
        assert all(a.residual >= b.residual for a, b in zip(records, records[1:], strict=False))
    assert not history("logistic", MIXED, 0.2, 0.05)[0].converged
    with pytest.raises(InputError, match="one problem"):
        history("squared", MIXED, np.array([0.1, 0.2]), 0.05)  # pyright: ignore[reportArgumentType]


def test_damped_iterations_lead_to_the_same_point() -> None:
    from scaling.theory.proportional import fixed_point as module
    from scaling.theory.proportional.batches import flattened, make_batch, widened

    _, flat, aspect, ridge = flattened(MIXED, np.array([0.2, 1.0]), np.array([0.01, 0.1]))
    batch = make_batch(widened(flat), aspect, ridge, True, 0.0)
    for loss in ("hinge", "squared"):
        slow = module._settled(loss, 0, batch)
        fast = module._run(loss, 0, batch._replace(start=slow))
        assert (fast.residual < 1e-9).all() and (fast.iteration <= 3).all()
        assert slow == pytest.approx(fast.point, rel=1e-6, abs=1e-9)


def test_the_best_ridge() -> None:
    even = isotropic([0.5, 0.5], [1, -1], [[1.2], [-1.2]])
    for functional in ("balanced", "worst"):
        best = best_ridge("hinge", even, 0.5, even, functional, (1e-3, 1e3))
        around = fixed_point("hinge", even, 0.5, best.ridge * np.array([0.7, 1.4]))
        # A larger ridge may leave the intercept free, and has then no number.
        assert around.status[0] == SOLVED
        assert np.nanmin(group_errors(around, even).mean(axis=-1)) >= best.value - 1e-12
        assert best.status in (INSIDE, AT_UPPER)
    # Balanced isotropic classes: the optimum is the mean-difference direction, at an infinite ridge.
    assert best_ridge("squared", even, 0.5, even).status == AT_UPPER
    inside = best_ridge("hinge", LINE, 0.3, LINE, "worst")
    assert inside.status == INSIDE
    brute = fixed_point("hinge", LINE, 0.3, np.geomspace(1e-4, 1.0, 41))
    assert inside.value <= group_errors(brute, LINE).max(axis=-1).min() + 1e-12
    with pytest.raises(InputError, match="'balanced', 'worst'"):
        best_ridge("squared", even, 0.5, even, "median")
    with pytest.raises(InputError, match="a smallest and a larger"):
        best_ridge("squared", even, 0.5, even, bounds=(1.0, 0.1))


def test_conventions_of_the_engine() -> None:
    """Squared loss with labels 0/1, with and without intercept, against its own normal equations."""
    means = np.array([[1.2], [-0.8]])
    rows = isotropic([0.3, 0.7], [1, -1], means)
    for intercept in (True, False):
        given = from_engine("squared", 0.1, intercept)
        found = fixed_point(
            given.loss, rows, 1e-9, given.ridge, intercept=intercept, offset=given.offset
        )
        rule = to_engine("squared", found)
        lifted = np.column_stack([means, np.ones(2)])[:, : 1 + intercept]
        spread = np.diag([1.0, 0.0])[: 1 + intercept, : 1 + intercept]
        moment = 2 * (np.einsum("c,ci,cj->ij", rows.share, lifted, lifted) + spread)
        penalty = np.diag([0.1, 0.0])[: 1 + intercept, : 1 + intercept]
        theta = np.linalg.solve(moment + penalty, 2 * 0.3 * lifted[0])
        assert rule.threshold == 0.5
        assert rule.projection[0] == pytest.approx(theta[0], rel=1e-6)
        assert rule.intercept == pytest.approx(theta[1] if intercept else 0.0, abs=1e-6)
    same_rule = to_engine("logistic", fixed_point("logistic", rows, 0.2, 0.1))
    assert same_rule.threshold == 0.0


@pytest.mark.parametrize(("loss", "dim", "many"), [("squared", 40, 600), ("logistic", 40, 400)])
def test_samples_agree(loss: str, dim: int, many: int) -> None:
    """Three clusters with covariances of their own; d counts all features.

    The remainder is what finite d leaves: .04/d, measured at d = 25, 50, 100 on 4,000 to 1,000 samples
    (paper_notes/proportional.md, section 7). False-fail 1e-6; detects .013, half of what forgetting the
    third cluster's variance outside the span moves its error by: the wrong twin.
    """
    counts = [dim // 2, 3 * dim, 2 * dim]
    given = MIXED._replace(share=np.array(counts) / sum(counts))
    estimate, se = sample_mean(sampled_errors(3, given, counts, dim, 0.05, loss, many))
    aspect = dim / sum(counts)
    expected = group_errors(fixed_point(loss, given, aspect, 0.05), given)
    assert_mean(estimate, se, expected, detects=0.013, remainder=0.05 / dim)
    forgetful = fixed_point(loss, given._replace(variance=np.ones(3)), aspect, 0.05)
    with pytest.raises(Disagreement):
        wrong = group_errors(forgetful, given._replace(variance=np.ones(3)))
        assert_mean(estimate, se, wrong, detects=0.013, remainder=0.05 / dim)
