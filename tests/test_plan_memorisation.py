"""Copies and broken relations: planted ones are counted exactly, and rows of the same law raise none."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw
from scaling.planning.copies import equal_rows, marks, nearest, repeated
from scaling.planning.relations import LEVEL, broken, chance

DATA = Path(__file__).parents[2] / "shared" / "data" / "opal"


def world(n: int, seed: int) -> pd.DataFrame:
    """Rows with relations: ``total = a + b``, ``area = round(a b, 1)``, whole counts, code tells kind."""
    random = np.random.default_rng(seed)
    a, b = random.normal(5.0, 1.0, n).round(1), random.normal(3.0, 1.0, n).round(1)
    count = random.integers(0, 9, n)
    kind = random.choice(["x", "y", "z"], n)
    y = (random.random(n) < 1 / (1 + np.exp(-(a - 6.5)))).astype(int)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "total": (a + b).round(1),
            "area": (a * b).round(1),
            "count": count,
            "kind": kind,
            "code": pd.Series(kind).map({"x": 1, "y": 2, "z": 3}),
            "noise": random.standard_normal(n),
            "y": y,
        }
    )


def plan(table: Any, rows: Any, **more: Any) -> dict[str, Any]:
    return synthlaw.plan(table, label="y", synthetic=rows, **more)


def test_planted_copies_are_counted() -> None:
    real, test, rows = world(300, 1), world(50, 2), world(120, 3)
    copied = real.iloc[:11]
    near = real.iloc[20:27].assign(noise=lambda t: t.noise + 1e-3)
    planted = pd.concat([rows, copied, near, test.iloc[:5], rows.iloc[:4]])
    found = plan(real, planted, heldout=test)["memorisation"]
    assert found["exact_train"] == 11 and found["exact_heldout"] == 5
    assert found["duplicates"] == 4 and found["near_train"] == 7
    assert found["broken_relations"] == []


def test_rows_of_the_same_law_raise_no_warning_of_copies_or_relations() -> None:
    result = plan(world(300, 1), world(150, 4), heldout=world(50, 5))
    assert (result["memorisation"]["exact_train"], result["memorisation"]["exact_heldout"]) == (
        0,
        0,
    )
    codes = {each["code"] for each in result["warnings"]}
    assert not codes & {"copies", "heldout_copies", "near_copies", "broken_relations"}


def test_copies_are_told_and_the_order_of_rows_does_not_matter() -> None:
    real = world(300, 1)
    planted = pd.concat([world(60, 3), real[real.y == 1].iloc[:20]])
    one = plan(real, planted)
    assert {"copies"} <= {each["code"] for each in one["warnings"]}
    two = plan(real.sample(frac=1.0, random_state=0), planted)
    first, second = (dict(each["memorisation"]) for each in (one, two))
    assert first.pop("near_threshold") == pytest.approx(second.pop("near_threshold"), rel=1e-9)
    assert first == second
    for a, b in zip(one["curve"][::10], two["curve"][::10], strict=True):
        assert a["predicted"] == pytest.approx(b["predicted"], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "relation", "count"),
    [
        ({"total": lambda t: t.total + 1.0}, "total = a + b", 20),
        ({"area": lambda t: t.area + 0.3}, "area = a * b", 20),
        ({"count": lambda t: t["count"] + 0.5}, "count is a whole number", 20),
        ({"count": lambda t: t["count"] + 20}, "count <= 8", 20),
        ({"code": lambda t: t.code % 3 + 1}, "kind tells code", 20),
        ({"kind": lambda t: "w"}, "kind is one of 3 levels", 20),
    ],
)
def test_a_broken_relation_is_named(change: Any, relation: str, count: int) -> None:
    rows = world(60, 6)
    rows = pd.concat([rows.iloc[:40], rows.iloc[40:].assign(**change)])
    found = plan(world(300, 1), rows)["memorisation"]["broken_relations"]
    told = {each["relation"]: each["rows"] for each in found}
    assert told[relation] == count


def test_a_constant_and_a_unit_are_relations() -> None:
    random = np.random.default_rng(0)
    metres = random.normal(1.7, 0.1, 100).round(2)
    real = np.column_stack([metres, (100.0 * metres).round(), np.full(100, 4.0)])
    rows = real[:30].copy()
    rows[:9, 1] += 7.0
    rows[:8, 2] = 5.0
    found = {
        each.relation: int(each.rows.sum()) for each in broken(["m", "cm", "k"], real, rows, {})
    }
    assert found == {"cm = 100 * m": 9, "k = 4": 8}


def test_false_alarms_keep_their_level() -> None:
    """Integer columns of one law: relations among 40 real rows are broken by 40 new ones with a chance
    below 1e-3 a table. 200 tables: more than 5 alarms come with a chance of 1e-6 at most."""
    random, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        rows = random.poisson(2.0, (80, 3)).astype(float)
        alarms += bool(broken(["a", "b", "c"], rows[:40], rows[40:], {}))
    assert alarms <= 5
    assert chance(40, 40, 10) > LEVEL / 100 > chance(40, 40, 20)


def test_marks_tell_rows_apart() -> None:
    random = np.random.default_rng(2)
    cells = random.integers(0, 30, (20_000, 3)).astype(float)
    found = marks([*cells.T], [1.0, 1.0, 1.0])
    assert len(np.unique(found)) == len(np.unique(cells, axis=0))
    assert repeated(found) == 20_000 - len(np.unique(cells, axis=0))
    empty = np.array([0.0, np.nan])
    assert len(np.unique(marks([empty], [1.0]))) == 2
    assert equal_rows(found[:5], found[:0]).tolist() == [-1] * 5


def test_a_large_table_is_searched_on_a_sample_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr("scaling.planning.copies.MOST_TREE", 200)
    monkeypatch.setattr("scaling.planning.copies.MOST_ROWS", 50)
    real, rows = world(300, 1), world(90, 3)
    result = plan(real, pd.concat([rows, real.iloc[:10]]))
    found = result["memorisation"]
    # Exact copies are looked for among all rows all the same.
    assert found["exact_train"] == 10 and found["searched"] == {"rows": 50, "table_rows": 200}
    assert "sampled" in {each["code"] for each in result["warnings"]}


def test_near_means_nearer_than_real_rows_are() -> None:
    random = np.random.default_rng(3)
    real = random.standard_normal((500, 15))
    rows = np.concatenate([real[:40] + 1e-4, random.standard_normal((60, 15))])
    found = nearest(real, rows, 0)
    assert found.near[:40].all() and not found.near[40:].any()
    assert np.array_equal(found.place[:40], np.arange(40)) and found.chance < 0.05


LABELS = {"openmlDiabetes": "class", "gender": "gender", "craft": "Target"}
# Columns that say which row it is, not what it holds.
NAMES = {"seed", "order", "y", "a", "group", "is_minority", "in_prompt", "used"}


@pytest.mark.published
@pytest.mark.skipif(not DATA.is_dir(), reason="the published data are not here")
@pytest.mark.parametrize(
    ("dataset", "task", "seed"),
    [
        ("openmlDiabetes", "imbalanced", 1),
        ("openmlDiabetes", "imbalanced", 42),
        ("openmlDiabetes", "natural", 6),
        ("openmlDiabetes", "spurious", 2),
        ("openmlDiabetes", "spurious", 8),
        ("gender", "imbalanced", 8),
        ("craft", "imbalanced", 42),
    ],
)
def test_the_published_counts_of_copies_come_out(dataset: str, task: str, seed: int) -> None:
    """GPT-4's rows: matches with the raw set and the test set, repeated rows, as published."""
    counts: Any = pd.read_csv(DATA / "contamination.csv")
    of = (counts.dataset == dataset) & (counts.task == task) & (counts.seed == seed)
    (row,) = counts[of].to_dict("records")
    folder = DATA / dataset
    train, test = (pd.read_csv(folder / name) for name in (f"train_{task}.csv", "test.csv"))
    rows = pd.read_csv(folder / f"gpt4_{task}_seed{seed}.csv")
    # Labels are balanced where an attribute travels with them: its pairs with the label are not.
    group = "a" if task == "spurious" else None
    columns = [name for name in train.columns if name not in NAMES or name == group]
    result = synthlaw.plan(
        train[train.seed == seed][columns],
        label=LABELS[dataset],
        group=group,
        synthetic=rows[columns],
        heldout=test[test.seed == seed][columns],
    )
    found = result["memorisation"]
    assert found["exact_train"] == row["in_raw"] and found["exact_heldout"] == row["in_test"]
    assert found["duplicates"] == row["n_gen"] - row["n_unique"]
    codes = {each["code"] for each in result["warnings"]}
    # The values of gender are so coarse that real rows repeat each other as often.
    assert ({"copies", "heldout_copies"} & codes == set()) == (dataset != "openmlDiabetes")
