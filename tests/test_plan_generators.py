"""Generators on a table: one contract for all, their laws, and both ways to imbalanced-learn."""

from typing import Any

import numpy as np
import pytest
from stochastic import Disagreement, assert_mean, sample_mean

import synthlaw
from scaling.planning.pools import Source
from simulations.problems import InputError
from simulations.tables.generators import GENERATORS, bandwidth, covariance
from simulations.tables.neighbours import nearest
from synthlaw.interop import Resampler, sampler_source

ROWS = np.random.default_rng(0).standard_normal((30, 4)) @ np.diag([1.0, 2.0, 0.5, 1.0]) + 3.0


@pytest.mark.parametrize("kind", GENERATORS)
def test_contract(kind: str) -> None:
    generate = GENERATORS[kind]
    found = generate(ROWS, 50, 7)
    assert found.shape == (50, 4) and np.isfinite(found).all()
    assert np.array_equal(found, generate(ROWS, 50, 7))
    assert not np.array_equal(found, generate(ROWS, 50, 8))
    assert np.allclose(found[:20], generate(ROWS, 20, 7), rtol=1e-13, atol=1e-13)
    assert generate(ROWS, 0, 7).shape == (0, 4)
    for few in (1, 2, 3):
        assert np.isfinite(generate(ROWS[:few], 9, 7)).all()
    assert np.isfinite(generate(np.ones((8, 4)), 9, 7)).all()


@pytest.mark.parametrize("kind", GENERATORS)
def test_moments(kind: str) -> None:
    """Means: those of the rows. Variances: of the rows (duplicates, divisor n), of the shrunk
    estimate (gaussian), both with h^2 (smoothed). Detects 12 % of a standard deviation. Twin: shifted."""
    draws = (GENERATORS[kind](ROWS, 20_000, 1) - ROWS.mean(axis=0)) / ROWS.std(axis=0)
    mean, se = sample_mean(draws)
    if kind == "smote":
        # Partners are not spread evenly: only near the mean of the rows.
        assert np.abs(mean).max() < 0.3
        return
    assert_mean(mean, se, np.zeros(4), detects=0.12)
    with pytest.raises(Disagreement):
        assert_mean(mean + 0.1, se, np.zeros(4), detects=0.12)
    own, shrunk = ROWS.var(axis=0), np.diag(covariance(ROWS))
    h = bandwidth(30, 4)
    expected = {"duplicate": own, "gaussian": shrunk, "smoothed": own + h**2 * shrunk}[kind] / own
    spread, se = sample_mean(draws**2)
    assert_mean(spread, se, expected, detects=0.2)


def test_smote_lies_between_a_row_and_a_neighbour() -> None:
    """Every drawn row lies on a segment from a row to one of its five nearest."""
    place = nearest(ROWS, ROWS, 6)[0][:, 1:]
    for row in GENERATORS["smote"](ROWS, 40, 3):
        gaps = []
        for k, others in enumerate(place):
            along = ROWS[others] - ROWS[k]
            t = np.clip(((row - ROWS[k]) * along).sum(1) / (along**2).sum(1), 0, 1)
            gaps.append(np.abs(ROWS[k] + t[:, None] * along - row).max(axis=1).min())
        assert min(gaps) < 1e-9


@pytest.mark.parametrize("d", [3, 20])
def test_nearest_by_tree_and_by_looking(d: int) -> None:
    random = np.random.default_rng(1)
    index, rows = random.standard_normal((300, d)), random.standard_normal((40, d))
    rows[0] = index[7]
    rows[1] = index[8] + 1e-7
    place, distance = nearest(index, rows, 3)
    exact = np.sqrt(((rows[:, None] - index) ** 2).sum(axis=2))
    assert np.array_equal(place, np.argsort(exact, axis=1)[:, :3])
    assert np.allclose(distance, np.sort(exact, axis=1)[:, :3], rtol=1e-9, atol=1e-12)


def test_shrinking_keeps_variances_and_gives_the_diagonal_for_two_rows() -> None:
    assert np.allclose(np.diag(covariance(ROWS)), ROWS.var(axis=0, ddof=1))
    few = covariance(ROWS[:3])
    assert np.linalg.eigvalsh(few).min() > 0.0


def small() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    y = np.repeat(["no", "yes"], [90, 18])
    return random.standard_normal((108, 3)) + (y == "yes")[:, None], y


def test_resampler_works_in_a_pipeline_of_imbalanced_learn() -> None:
    sklearn = pytest.importorskip("sklearn")
    pytest.importorskip("imblearn")
    from imblearn.pipeline import Pipeline  # pyright: ignore[reportMissingImports]
    from sklearn.base import clone  # pyright: ignore[reportMissingImports]
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]
    from sklearn.model_selection import GridSearchCV  # pyright: ignore[reportMissingImports]

    assert sklearn.__version__
    x, y = small()
    copy: Any = clone(Resampler("gaussian", ratio=0.5))
    assert copy.get_params() == {"generator": "gaussian", "ratio": 0.5, "seed": 0}
    rows, labels = copy.fit_resample(x, y)
    assert np.array_equal(rows[:108], x) and labels.tolist().count("yes") == 18 + 36
    steps = Pipeline([("rows", Resampler("smote")), ("rule", LogisticRegression())])
    search = GridSearchCV(steps, {"rows__ratio": [0.0, 1.0]}, cv=3, scoring="balanced_accuracy")
    search.fit(x, y)
    assert search.best_params_["rows__ratio"] == 1.0
    plain = LogisticRegression().fit(*Resampler("smote").fit_resample(x, y))
    assert np.allclose(steps.fit(x, y).named_steps["rule"].coef_, plain.coef_)


def test_a_sampler_of_imbalanced_learn_is_a_generator() -> None:
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import RandomOverSampler  # pyright: ignore[reportMissingImports]
    from imblearn.under_sampling import RandomUnderSampler  # pyright: ignore[reportMissingImports]

    x, y = small()
    table = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}
    found = synthlaw.plan(table, label="y", generator=RandomOverSampler())
    assert found["generator"]["kind"] == "RandomOverSampler"
    ours = synthlaw.plan(table, label="y", generator="duplicate")
    # The same law, there by a finite pool.
    for one, two in zip(found["curve"][::20], ours["curve"][::20], strict=True):
        assert one["predicted"] == pytest.approx(two["predicted"], rel=0.1)
    with pytest.raises(InputError, match="changes or removes rows"):
        synthlaw.plan(table, label="y", generator=RandomUnderSampler())


def test_a_sampler_that_gives_up_is_one_sentence() -> None:
    class Stubborn:
        def fit_resample(self, x: object, y: object) -> None:
            raise ValueError("too few\nrows")

    source = sampler_source(Stubborn(), np.array([0, 1]))
    assert isinstance(source, Source) and not source.own
    with pytest.raises(InputError, match=r"Stubborn gives up .* \(too few\); change its settings"):
        source.draw(ROWS, np.repeat([0, 1], 15), np.array([0, 5]), 0, np.arange(30), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", [True, False])
def test_resampler_keeps_frames_and_refuses_unknown_names(frame: bool) -> None:
    import pandas as pd

    x, y = small()
    if frame:
        rows, labels = Resampler("duplicate").fit_resample(
            pd.DataFrame(x, columns=["a", "b", "c"]), pd.Series(y, name="y")
        )
        assert list(rows.columns) == ["a", "b", "c"] and labels.name == "y" and len(rows) == 180
    with pytest.raises(InputError, match="did you mean 'smote'"):
        Resampler("smot").fit_resample(x, y)
    with pytest.raises(InputError, match="did you mean 'ratio'"):
        Resampler().set_params(ratios=2.0)
