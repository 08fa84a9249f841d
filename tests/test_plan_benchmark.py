"""The benchmark of plans: arms, splits and the record that the notes speak of."""

import json

import numpy as np
import pytest

from benchmarks.plan import IMBALANCE, KINDS, RECORD, TABLES, load, one, split, summary


def test_a_split_is_imbalanced_and_judged_on_other_rows() -> None:
    pytest.importorskip("sklearn")
    x, y = load("digits_3_8")
    found = split(x, y, 3)
    assert round(np.sum(found.y == 0) / np.sum(found.y == 1)) == pytest.approx(IMBALANCE, abs=1)
    assert len(found.y) + len(found.y_test) == len(y)
    assert len(np.unique(np.concatenate([found.x, found.x_test]), axis=0)) == len(
        np.unique(x, axis=0)
    )


def test_one_split_and_its_summary() -> None:
    pytest.importorskip("sklearn")
    rows = [one("breast_cancer", "duplicate", seed, False) for seed in (0, 1)]
    # Duplicates drawn at random and weights differ by the draw alone.
    assert abs(rows[0]["full"] - rows[0]["reweight"]) < 0.2 * rows[0]["reweight"]
    found = summary(rows)
    assert found["grid_s"] is None and found["splits"] == 2
    both = [row["recommended"] - row["none"] for row in rows]
    assert found["recommended_minus_none"]["mean"] == pytest.approx(np.mean(both))


def test_the_record_holds_what_is_promised() -> None:
    """200 splits a table and generator: the recommended number is no worse than full balancing on average
    and never worse than no rows by more than a standard error."""
    record = json.loads(RECORD.read_text())["plan"]
    assert set(record) == {f"{name}/{kind}" for name in TABLES for kind in KINDS}
    for found in record.values():
        assert found["splits"] == 200
        assert found["recommended_minus_full"]["mean"] <= 0.0
        assert found["recommended_minus_none"]["mean"] <= found["recommended_minus_none"]["se"]
        assert found["plan_s"] < 0.5 * found["grid_s"]
