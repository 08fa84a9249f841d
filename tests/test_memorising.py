"""Spurious correlation with more parameters than rows: rows, controls, errors, fixed point, picture.

Long because rows, rules, fixed point and picture are of one world with one laboratory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from scipy.special import ndtr
from stochastic import Disagreement, assert_mean, sample_mean

import figures
from figures import mixture_map, overparameterised
from figures.faults import FigureError
from figures.tidy import numbers, where
from scaling.theory.proportional import random_features
from scaling.theory.proportional.errors import group_errors as limit_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.spurious import clusters, predicted, reference
from simulations.memorising import features, replicates, rows, world
from simulations.memorising.replicates import Cell, controlled_mean, with_noise
from simulations.memorising.rows import Reference
from simulations.memorising.world import World
from simulations.problems import InputError
from simulations.wide.solvers import solve
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.proportional import spurious
from synthlaw.claims.scaling import two_sources
from synthlaw.claims.scaling.two_sources_picture import pictured
from synthlaw.verifying.verification import run_claim

SEED = 8
WORLD = World(0.8, 1.0, 0.3, 6.0, 3e-3)
NEAR = Reference(1.5, 0.6, 1.4)


def test_exact_errors_are_shares_of_misjudged_rows() -> None:
    """40,000 rows a group; twin: without the noise features' part of the spread. Detects .02."""
    rng, dim = np.random.default_rng(SEED), 5
    theta = np.array([1.0, 0.7, *rng.standard_normal(dim), 0.2])
    counts = np.full(4, 40_000)
    drawn = rows.draw(WORLD, counts, dim, NEAR, rng)
    wrong = ((drawn.features @ theta[:-1] + theta[-1] > 0) != (drawn.labels > 0.5)).reshape(4, -1)
    shares, errors = sample_mean(wrong.T.astype(float))
    assert_mean(shares, errors, world.group_errors(WORLD, theta, dim), detects=0.025)
    bare = world.group_errors(WORLD._replace(noise=0.0), theta, dim)
    with pytest.raises(Disagreement):
        assert_mean(shares, errors, bare, detects=0.025)


def test_rotated_rows_give_the_rules_of_all_features() -> None:
    """Same law: 200 fits on 90 noise features against 200 on their 40 coordinates. Detects .03 of an
    error near .25; twin: coordinates without the chi-square diagonal."""
    counts, dim = np.full(4, 10), 90
    weights = world.row_weights(counts)

    def fitted(reduced: bool, whole: bool = True) -> np.ndarray:
        rng, found = np.random.default_rng(SEED + reduced), []
        for _ in range(400):
            drawn = rows.draw(WORLD, counts, dim if reduced else 40, NEAR, rng)
            x = drawn.features
            if not reduced:
                noise = (WORLD.noise / dim) ** 0.5 * rng.standard_normal((40, dim))
                x = np.column_stack([x[:, :2], noise])
            elif not whole:
                x = np.column_stack([x[:, :2], np.tril(x[:, 2:], -1)])
            rule = solve("logistic", x, drawn.labels, weights, WORLD.ridge).theta
            found.append(world.group_errors(WORLD, rule, dim).mean())
        return np.array(found)

    full, full_se = sample_mean(fitted(False)[:, None])
    for whole in (True, False):
        other, other_se = sample_mean(fitted(True, whole)[:, None])
        se = np.hypot(full_se, other_se)
        if whole:
            assert_mean(other, se, full, detects=0.05)
        else:
            with pytest.raises(Disagreement):
                assert_mean(other, se, full, detects=0.05)


@pytest.mark.parametrize("dim", [15, 200])
def test_controls_have_mean_zero(dim: int) -> None:
    """3,000 samples, 18 controls in units of their spread; detects .25 of it. Twin: means off by that."""
    counts, rng = np.array([12, 5, 5, 12]), np.random.default_rng(SEED)
    found = np.array([rows.draw(WORLD, counts, dim, NEAR, rng).controls for _ in range(3000)])
    assert found.shape[1] == replicates.CONTROLS
    scale = found.std(axis=0)
    mean, se = sample_mean(found / scale)
    assert_mean(mean, se, 0.0, detects=0.25)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.25, se, 0.0, detects=0.25)


def test_control_variates_move_no_mean_and_make_it_sharper() -> None:
    cell, near = (
        Cell(200, 400, "reweighting"),
        reference(predicted(WORLD, [Cell(200, 400, "reweighting")]), 0),
    )
    plain = with_noise(WORLD, cell, 80, SEED)
    sharp = with_noise(WORLD, cell, 160, SEED, near)
    assert plain.failures == sharp.failures == 0 and sharp.replicates == 160
    assert_mean(
        plain.worst.value - sharp.worst.value,
        np.hypot(plain.worst.se, sharp.worst.se),
        0.0,
        detects=0.08,
    )
    # 160 replicates alone would give 0.71 of the standard error of 80.
    assert sharp.worst.se < 0.5 * plain.worst.se
    few = np.arange(4.0)
    assert controlled_mean(few, few[:, None]).value == few.mean()


def test_random_features_are_what_they_say() -> None:
    of, rng = WORLD._replace(core=4.0, spurious=0.5), np.random.default_rng(SEED)
    x = features.inputs(of, np.array([4000, 0, 0, 4000]), 3, rng)
    assert x[:4000].mean(axis=0) == pytest.approx(np.ones(6), abs=0.2)
    assert x[4000:].mean(axis=0) == pytest.approx(-np.ones(6), abs=0.2)
    assert x[:4000].var(axis=0) == pytest.approx([4.0] * 3 + [0.5] * 3, rel=0.15)
    through = features.projections(3, 50, rng)
    assert through.shape == (50, 6)
    seen = features.rectified(x, through)
    assert (seen >= 0).all() and seen[7, 3] == max(0.0, float(through[3] @ x[7]))


def test_the_two_schemes_and_bad_input() -> None:
    assert world.group_counts(WORLD, 100, "reweighting").tolist() == [40, 10, 10, 40]
    counts = world.group_counts(WORLD, 100, "subsampling")
    assert counts.tolist() == [10] * 4 and world.row_weights(counts) == pytest.approx(1 / 40)
    weights = world.row_weights(np.array([40, 10, 10, 40]))
    assert weights.sum() == pytest.approx(1) and weights[:40].sum() == pytest.approx(0.25)
    with pytest.raises(InputError, match="no scheme 'both'; choose reweighting or subsampling"):
        world.group_counts(WORLD, 100, "both")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="leave a group empty"):
        world.group_counts(WORLD, 4, "reweighting")
    broken = predicted(WORLD._replace(ridge=-1.0), [Cell(100, 50, "reweighting")])
    assert np.isnan(broken.worst).all()
    with pytest.raises(InputError, match="no rule at cell 0: the input describes no training"):
        reference(broken, 0)


def test_the_fixed_point_is_what_samples_converge_to() -> None:
    """At n = 300 to 2 %; twins: equal weights, and a prediction without the rows' own variances."""
    of = WORLD._replace(aligned=0.7)
    cells = [Cell(300, 300, "reweighting"), Cell(300, 300, "subsampling")]
    theory = predicted(of, cells)
    found = [with_noise(of, cell, 160, SEED, reference(theory, k)) for k, cell in enumerate(cells)]
    values, errors = np.array([(f.worst.value, f.worst.se) for f in found]).T
    assert_mean(
        values, errors, theory.worst, detects=0.08 * theory.worst, remainder=0.02 * theory.worst
    )
    own = clusters(of, cells[0])
    for wrong in (
        own._replace(weight=np.ones(4)),
        own._replace(covariance=np.broadcast_to(np.eye(2), (4, 2, 2))),
    ):
        worst = limit_errors(fixed_point("logistic", wrong, 1.0, of.ridge), own)[1]
        with pytest.raises(Disagreement):
            assert_mean(values[0], errors[0], worst, detects=0.08 * worst, remainder=0.02 * worst)


def test_with_many_more_features_each_row_has_its_own_memory() -> None:
    """Note, section 3: ``v t -> noise/(n lambda)``; subsampling reaches the best core rule; reweighting
    comes ever closer to equal weights as the ridge falls."""
    gaps = []
    for ridge in (1e-2, 1e-3, 1e-4):
        of = WORLD._replace(ridge=ridge)
        cells = [Cell(400, 4_000_000, s) for s in world.SCHEMES]
        found = predicted(of, cells)
        step = found.solution.step * of.noise / 4_000_000
        trained = np.array([400, 160])
        assert step == pytest.approx(of.noise / (trained * ridge), rel=1e-3)
        assert found.worst[1] == pytest.approx(ndtr(-1.0 / of.core**0.5), abs=1e-5)
        plain = clusters(of, cells[0])._replace(weight=np.ones(4))
        equal = limit_errors(fixed_point("logistic", plain, 1e4, ridge), plain)[1]
        gaps.append(equal - found.worst[0])
    assert gaps[0] > gaps[1] > gaps[2] > 0


def test_moments_of_rectified_normals() -> None:
    """Against 400,000 rows, correlated projections; detects .02. Twin: the series cut after one term."""
    rng = np.random.default_rng(SEED)
    through = features.projections(2, 4, rng)
    mean, variance = np.array([0.6, -0.4, 0.2, 1.0]), np.array([1.5, 0.5, 1.0, 0.7])
    law = random_features.rectified_law(through, mean, variance)
    x = mean + variance**0.5 * rng.standard_normal((400_000, 4))
    seen = features.rectified(x, through)
    first, first_se = sample_mean(seen)
    assert_mean(first, first_se, law.mean, detects=0.02)
    products = np.einsum("ni,nj->nij", seen - law.mean, seen - law.mean)
    second, second_se = sample_mean(products)
    assert_mean(second, second_se, law.covariance, detects=0.03)
    h = through @ mean / np.sqrt((through**2) @ variance)
    linear = (through * variance) @ through.T * np.outer(ndtr(h), ndtr(h))
    with pytest.raises(Disagreement):
        assert_mean(second, second_se, linear, detects=0.03)


def test_random_features_do_as_gaussian_rows_with_their_moments() -> None:
    """300 rows, 60 features, both schemes; detects 16 %. Twin: a spurious feature as noisy as the core."""
    of, cell = World(0.9, 20.0, 1.0, 1.0, 3e-3), Cell(300, 60, "reweighting")
    for at in (cell, cell._replace(scheme="subsampling")):
        told = random_features.predicted_features(of, 20, at, 16, SEED)
        found = replicates.with_random_features(of, 20, at, 150, SEED)
        assert told.failures == found.failures == 0
        se = np.hypot(found.worst.se, told.worst_se)
        room = {"detects": 0.16 * told.worst, "remainder": 0.02 * told.worst}
        assert_mean(found.worst.value, se, told.worst, **room)
    flat = World(0.9, 20.0, 20.0, 1.0, 3e-3)
    wrong = random_features.predicted_features(flat, 20, cell, 4, SEED).worst
    found = replicates.with_random_features(of, 20, cell, 60, SEED)
    with pytest.raises(Disagreement):
        assert_mean(found.worst.value, found.worst.se, wrong, detects=0.3 * wrong)


def test_a_solve_that_fails_gives_no_number() -> None:
    of, cell = World(0.9, 20.0, 1.0, 1.0, -1.0), Cell(300, 30, "reweighting")
    with np.errstate(all="ignore"):
        told = random_features.predicted_features(
            of._replace(ridge=1e-30), 20, cell._replace(parameters=900), 2, 1
        )
    assert told.failures == 2 and np.isnan(told.worst)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab(PRESETS["quick"], seed=3)


@pytest.mark.parametrize(
    "claim", [*spurious.CLAIMS, *two_sources.CLAIMS], ids=lambda claim: claim.id
)
def test_a_claim_stands_and_its_twin_falls(lab: Lab, claim: spurious.Claim) -> None:
    """A fresh seed; planned to be supported with probability 0.9 or more, never contradicted."""
    entry, _ = run_claim(claim, lab)
    assert entry["outcome"] != "contradicted" and entry["twin"]["outcome"] == "contradicted"
    assert entry["family"] == entry["id"].split("-")[0] and entry["failures"] == 0
    assert (Path(__file__).parents[1] / entry["note"]).is_file()
    if entry["kind"] == "constant":
        assert entry["resolution"] < 0.05
    else:
        assert entry["outcome"] == "supported"


def test_the_picture_of_the_reversal() -> None:
    columns = list(overparameterised.COLUMNS)
    measured = [
        [model, scheme, x, 0.3, 0.01, 0.1, 0.01, np.nan, np.nan]
        for model in ("noise", "features")
        for scheme in world.SCHEMES
        for x in (0.1, 1.0, 10.0)
    ]
    lines = [
        ["noise", scheme, x, *[np.nan] * 4, 0.3, 0.1]
        for scheme in world.SCHEMES
        for x in (0.1, 10.0)
    ]
    table = pd.DataFrame([*measured, *lines], columns=columns)
    figure = overparameterised.draw(table)
    noise, other = figure.axes
    assert [axes.get_title() for axes in (noise, other)] == list(overparameterised.TITLES.values())
    for axes in (noise, other):
        bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
        assert [len(np.asarray(each.lines[0].get_xdata())) for each in bars] == [3] * 4
    drawn = [line for line in noise.lines if list(np.asarray(line.get_xdata())) == [0.1, 10.0]]
    assert len(drawn) == 4 and not any(
        list(np.asarray(line.get_xdata())) == [0.1, 10.0] for line in other.lines
    )
    # One row of theory is a short line; a scheme whose average is its worst group is drawn once.
    single = pd.DataFrame(
        [["features", "reweighting", 1.0, *[np.nan] * 4, 0.3, 0.1]], columns=columns
    )
    alike = table["scheme"] == "subsampling"
    more = pd.concat([table.assign(average=table["average"].mask(alike, table["worst"])), single])
    figure = overparameterised.draw(more.assign(rows=400))
    noise, other = figure.axes
    assert [axes.get_title().endswith(", n = 400 raw rows") for axes in (noise, other)] == [
        True,
        True,
    ]
    marks = [
        line for line in other.lines if line.get_marker() == "_" and line.get_markersize() > 10
    ]
    heights = [np.asarray(line.get_ydata(), float).tolist() for line in marks]
    assert heights == [[0.3], [0.1]]
    bars = [each for each in other.containers if isinstance(each, ErrorbarContainer)]
    assert len(bars) == 3
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "subsampling (average = worst group)" in words and "worst group, limit n → ∞" in words
    with pytest.raises(FigureError, match="worst_theory"):
        overparameterised.draw(table.drop(columns="worst_theory"))


def test_the_map_of_mixtures(lab: Lab, tmp_path: Path) -> None:
    table = pictured(lab)
    assert set(table.columns) >= set(mixture_map.COLUMNS)
    # Alone, each source is what its curve says; the law's shares are near the best ones.
    assert (np.abs(np.log(table["true"] / table["law"])) < 0.2).all()
    assert (np.abs(table["best"] - table["chosen"]) < 0.1).all()
    small = where(table, table["share"].isin([0.0, 0.5, 1.0]))
    figure = mixture_map.draw(small)
    upper, lower = figure.axes[0], figure.axes[3]
    assert upper.get_title() == mixture_map.TITLES["incoherent"]
    field = np.asarray(lower.collections[0].get_array())
    assert field.shape == (3, len(np.unique(numbers(small, "synthetic"))))
    assert field[0] == pytest.approx(1.0)
    with pytest.raises(FigureError, match="chosen"):
        mixture_map.draw(small.drop(columns="chosen"))
    (tmp_path / "tables").mkdir()
    (tmp_path / "verdicts.json").write_text('{"claims": []}')
    small.to_csv(tmp_path / "tables" / "mixture_law.csv", index=False)
    made = figures.render("mixture_law", tmp_path)
    assert [path.name for path in made] == ["mixture_law.png", "mixture_law.svg"]
