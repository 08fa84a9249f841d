"""The numbers behind a plan, against hand computations, limits and relations that must hold exactly."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from scaling.planning import logistic
from scaling.planning.calibration import measures, prior_shift
from scaling.planning.curve import balanced, curve
from scaling.planning.paths import REWEIGHT, budgets_of, deficits, walk, weights
from scaling.planning.pools import from_generator, from_rows
from scaling.planning.symmetry import symmetry_test
from scaling.planning.table import apply, carried, folds_of, learn, make_table
from simulations.tables.generators import GENERATORS

RIDGE = 0.03
LABELS = np.array([0, 1])


def table(n0: int = 60, n1: int = 12, d: int = 3, seed: int = 0):
    random = np.random.default_rng(seed)
    group = np.repeat([0, 1], [n0, n1])
    values = random.standard_normal((n0 + n1, d)) * [1.0, 5.0, 0.1][:d]
    values[:, 0] += 1.5 * group
    return make_table(values, group, LABELS)


def paths_of(what, kind: str = "duplicate", folds: int = 4, budgets=None):
    budgets = budgets_of(what.counts) if budgets is None else np.asarray(budgets)
    fold = folds_of(what.group, folds, 0)
    ridges = np.full((folds + 1, len(budgets)), RIDGE)
    return walk(what, fold, from_generator(GENERATORS[kind], kind), budgets, ridges, 0), fold


def by_hand(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The minimiser by another method, from its definition."""

    def objective(theta: np.ndarray) -> float:
        loss = np.log1p(np.exp(-(2 * y - 1) * (x @ theta[:-1] + theta[-1])))
        return float(weight @ loss + 0.5 * RIDGE * theta[:-1] @ theta[:-1])

    start = np.zeros(x.shape[1] + 1)
    return minimize(objective, start, method="BFGS", options={"gtol": 1e-9}).x


def test_the_null_model_is_what_a_hand_computes() -> None:
    """Reweighting: held-out balanced loss of the folds' rules, less the jackknife's variance over F - 1."""
    what = table()
    paths, fold = paths_of(what, budgets=[0.0, REWEIGHT])
    loss, raw = np.zeros(len(fold)), []
    for k in range(4):
        seen = fold != k
        centre, scale = what.values[seen].mean(axis=0), what.values[seen].std(axis=0)
        x, y = (what.values[seen] - centre) / scale, what.y[seen]
        theta = by_hand(x, y, 1.0 / (2.0 * np.bincount(y)[y]))
        score = (what.values[~seen] - centre) / scale @ theta[:-1] + theta[-1]
        loss[~seen] = np.log1p(np.exp(-(2 * what.y[~seen] - 1) * score))
        slope = theta[:-1] / scale
        raw.append(np.append(slope, theta[-1] - slope @ centre))
    each = [loss[what.y == k] for k in (0, 1)]
    held_out = 0.5 * (each[0].mean() + each[1].mean())
    off = np.array(raw) - np.mean(raw, axis=0)
    centre, scale = what.values.mean(axis=0), what.values.std(axis=0)
    whole = by_hand((what.values - centre) / scale, what.y, 1.0 / (2.0 * what.counts[what.y]))
    x = np.column_stack([what.values, np.ones(len(fold))])
    theta = np.append(whole[:-1] / scale, whole[-1] - (whole[:-1] / scale) @ centre)
    share = expit(x @ theta)
    hessian = (x * (share * (1 - share) / (2.0 * what.counts[what.y]))[:, None]).T @ x
    seeds = 0.5 * np.trace(hessian @ (3 / 4 * off.T @ off))
    found = curve(paths, what)
    assert found.predicted[-1] == pytest.approx(held_out - seeds / 3, rel=1e-6)
    assert found.seeds[-1] == pytest.approx(seeds, rel=1e-5)
    variance = sum(part.var(ddof=1) / len(part) for part in each) / 4
    assert found.covariance[-1, -1] == pytest.approx(variance, rel=1e-5)


def test_the_fit_is_the_minimiser_whatever_the_chunks(monkeypatch) -> None:
    what = table()
    x = np.column_stack([what.values, np.ones(len(what.group))])
    weight = np.random.default_rng(1).dirichlet(np.ones(len(x)))
    found = logistic.fit(x, what.y, weight, RIDGE)
    _, gradient, _ = logistic.derivatives(x, what.y, weight, found.theta)
    gradient += logistic.penalty(RIDGE, 4) * found.theta
    # What is left of the objective is half the decrement.
    assert found.converged and gradient @ np.linalg.solve(found.hessian, gradient) < 1e-12
    assert np.allclose(found.theta, by_hand(what.values, what.y, weight), atol=1e-4)
    monkeypatch.setattr(logistic, "CHUNK", 7)
    assert np.allclose(logistic.fit(x, what.y, weight, RIDGE).theta, found.theta, atol=1e-6)


def test_a_separable_table_has_its_minimiser_at_the_weakest_ridge() -> None:
    x = np.column_stack([[-1.0, -2.0, 1.0, 2.0], np.ones(4)])
    y = np.array([0, 0, 1, 1])
    found = logistic.fit(x, y, np.full(4, 0.25), 1e-5)
    _, gradient, _ = logistic.derivatives(x, y, np.full(4, 0.25), found.theta)
    assert found.converged and found.theta[0] > 5.0
    assert gradient[0] == pytest.approx(-1e-5 * found.theta[0], rel=1e-2)


def test_full_balancing_by_duplicates_is_reweighting() -> None:
    """Expected duplicates at ratio 1 weigh each class 1/2: the same objective, hence the same rule."""
    what = table()
    paths, _ = paths_of(what, budgets=[0.0, 1.0, REWEIGHT])
    assert np.allclose(paths.whole[1], paths.whole[2], atol=1e-8)
    assert np.allclose(paths.score[:, 1], paths.score[:, 2], atol=1e-7)
    assert not np.allclose(paths.whole[0], paths.whole[2], atol=1e-2)


def test_weights_sum_to_one_and_share_the_budget() -> None:
    what = table()
    paths, _ = paths_of(what)
    for budget in paths.budgets:
        each = weights(paths.train.group, what.counts, paths.train.pool, float(budget))
        assert each.sum() == pytest.approx(1.0, abs=1e-12)
        total = len(what.group) + budget * 48
        share = 0.0 if budget == REWEIGHT else budget * 48 / total
        assert each[len(what.group) :].sum() == pytest.approx(share, abs=1e-12)
    assert deficits(what.counts).tolist() == [0, 48]
    assert (
        paths.budgets[0] == 0.0 and 1.0 in paths.budgets and (np.diff(paths.budgets[:-1]) > 0).all()
    )


def test_nothing_is_learnt_from_rows_held_out() -> None:
    """Whatever a held-out row holds, the rule of its fold is the same; the others' is not."""
    what = table()
    empty = what.values.copy()
    empty[::7, 1] = np.nan
    what = make_table(empty, what.group, what.labels)
    paths, fold = paths_of(what, "smote")
    changed = what.values.copy()
    out = np.flatnonzero(fold == 0)
    changed[out] = changed[out] * -3.0 + 100.0
    again, _ = paths_of(
        make_table(changed, what.group, what.labels)._replace(missing=what.missing), "smote"
    )
    # Rules are compared through their scores of rows that did not change.
    assert not np.array_equal(paths.score[fold == 1], again.score[fold == 1])
    seen = np.flatnonzero(fold != 0)
    one, two = (learn(v[seen], what.missing)[0] for v in (what.values, changed))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert np.allclose(
        carried(paths.theta[0], paths.train.scaler, one),
        carried(again.theta[0], again.train.scaler, one),
        rtol=1e-9, atol=1e-9,
    )  # fmt: skip


def test_scales_carry_over_and_new_rows_may_hold_anything() -> None:
    what = table()
    one, x = learn(what.values[:40], np.array([1]))
    two, z = learn(what.values, np.array([1]))
    theta = np.random.default_rng(2).standard_normal(x.shape[1])
    new = apply(one, what.values) @ theta
    assert np.allclose(z @ carried(theta, one, two), new, atol=1e-10)
    rows = np.array([[np.nan, np.nan, np.nan], [0.0, 1e9, 0.0]])
    assert np.isfinite(apply(two, rows)).all()


def test_a_level_no_training_row_has_counts_as_none() -> None:
    values = np.column_stack([np.arange(6.0), [0, 0, 0, 0, 0, 1.0]])
    scaler, x = learn(values[:5], np.array([], int))
    found = logistic.fit(x, np.array([0, 0, 1, 0, 1]), np.full(5, 0.2), RIDGE)
    assert found.theta[1] == 0.0 and apply(scaler, values[5:])[0, 1] == 1.0


def test_the_symmetry_test_is_the_formula_of_two_classes() -> None:
    """``g = 2 grad R_0``, ``A_0 = H_1 H^-1``, ``A_1 = -H_0 H^-1`` without ridge."""
    what = table(300, 80)
    x, y = np.column_stack([what.values, np.ones(380)]), what.y
    theta = logistic.fit(x, y, 1.0 / (2 * what.counts[y]), 0.0).theta
    score = x * (expit(x @ theta) - y)[:, None]
    own = [np.flatnonzero(y == k) for k in (0, 1)]
    hessians = np.stack(
        [logistic.derivatives(x[i], y[i], np.full(len(i), 1 / len(i)), theta)[2] for i in own]
    )
    found = symmetry_test(score, y, hessians, np.zeros(4), True)
    H = np.linalg.inv(hessians.mean(axis=0))
    S = [np.cov(score[i].T) / len(i) for i in own]
    A = hessians[1] @ H, -hessians[0] @ H
    g = 2.0 * score[own[0]].mean(axis=0)
    V = A[0] @ S[0] @ A[0].T + A[1] @ S[1] @ A[1].T
    assert found.all.df == 4 and found.slopes is not None and found.slopes.df == 3
    # grad R_0 + grad R_1 = 0 only as far as the fit has converged.
    assert found.all.statistic == pytest.approx(g @ np.linalg.solve(V, g), rel=1e-5)
    part = g[:3] @ np.linalg.solve(V[:3, :3], g[:3])
    assert found.slopes.statistic == pytest.approx(part, rel=1e-5)


def test_the_prior_correction_is_exact_for_gaussian_classes() -> None:
    """x | y ~ N(+-1, 1) as weighted nodes: log odds are linear with slope 2 whatever the shares, and the
    intercept moves by the correction alone; a correction of half of it is caught."""
    nodes = np.linspace(-9.0, 9.0, 1801)
    x = np.column_stack([np.tile(nodes, 2), np.ones(2 * len(nodes))])
    y = np.repeat([0, 1], len(nodes))
    density = np.concatenate([norm.pdf(nodes, -1.0), norm.pdf(nodes, 1.0)])
    rules = []
    for counts in ((1000, 50), (1000, 50 + 700)):
        weight = density * np.array(counts)[y]
        rules.append(logistic.fit(x, y, weight / weight.sum(), 0.0).theta)
    shift = prior_shift(np.array([1000, 50]), np.array([0, 700]), LABELS)
    assert rules[0][0] == pytest.approx(2.0, abs=1e-6)
    assert np.allclose(rules[1] - rules[0], [0.0, shift], atol=1e-6)
    assert abs(rules[1][1] - rules[0][1] - shift / 2) > 1.0


def test_measures_of_a_constant_and_of_a_shifted_score() -> None:
    random = np.random.default_rng(3)
    score = random.standard_normal(20_000) - 2.0
    y = (random.random(20_000) < expit(score)).astype(int)
    off = measures(score + 1.5, y)
    assert off.intercept == pytest.approx(measures(score, y).intercept - 1.5 * off.slope, abs=1e-4)
    assert off.in_the_large > 0.1 and off.log_loss > measures(score, y).log_loss
    assert measures(np.full(10, -1.0), y[:10]).brier == pytest.approx(
        ((expit(-1.0) - y[:10]) ** 2).mean()
    )


def test_copies_of_held_out_rows_are_not_trained_on() -> None:
    """A supplied row that repeats a row of fold 0 is in the pools of the other folds only."""
    what = table()
    fold = folds_of(what.group, 4, 0)
    original = int(np.flatnonzero((what.group == 1) & (fold == 0))[0])
    values = np.vstack([what.values[original], what.values[original] + 9.0])
    source = from_rows(values, np.array([1, 1]), np.array([original, -1]))
    for k, kept in ((0, 1), (1, 2)):
        rows = np.flatnonzero(fold != k)
        scaler, x = learn(what.values[rows], what.missing)
        wanted = np.array([0, 48])
        drawn, _ = source.draw(x[:, :-1], what.group[rows], wanted, 0, rows, scaler)
        assert len(drawn) == kept


def test_draws_of_duplicates_follow_theory() -> None:
    """theory: V has ``w^2 m (1 - 1/n) C`` from drawing, C the unbiased covariance of the scores."""
    what = table()
    paths, _ = paths_of(what, budgets=[0.0, 1.0, REWEIGHT])
    theta, x = paths.whole[1], paths.train.x
    share = expit(x @ theta)
    own = x[what.y == 1] * (share[what.y == 1] - 1.0)[:, None]
    noise = (1 / 120) ** 2 * 48 * (1 - 1 / 12) * np.cov(own.T)
    plain = 1.0 / (2 * what.counts[what.y])
    _, _, hessian = logistic.derivatives(x, what.y, plain, theta)
    inverse = np.linalg.inv(hessian + np.diag(logistic.penalty(RIDGE, 4)))
    expected = 0.5 * np.trace(hessian @ inverse @ noise @ inverse)
    assert curve(paths, what).draws[1] == pytest.approx(expected, rel=1e-9)


def test_balanced_weighs_groups_alike() -> None:
    losses = np.array([[1.0, 2.0], [3.0, 2.0], [7.0, 4.0], [9.0, 4.0], [8.0, 4.0]])
    mean, covariance = balanced(losses, np.array([0, 0, 1, 1, 1]), 2)
    assert mean.tolist() == [5.0, 3.0]
    assert covariance[0, 0] == pytest.approx((2 / 2 + 1 / 3) / 4) and covariance[1, 1] == 0.0
