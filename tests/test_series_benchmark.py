"""The benchmark of the logistic series does the same work on both sides."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import series_law  # noqa: E402


def test_matrices_find_the_same_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_law, "DENSE", {64: 1000, 128: 1000})
    found = series_law.against_matrices(1)
    assert [row["grid"] for row in found] == [64, 128]
    for row in found:
        assert row["largest_difference"] < 1e-4
        assert row["times_as_fast"] == row["matrices_cpu_s"] / row["cpu_s"] > 0.0


def test_one_grid_serves_all_numbers_of_rows() -> None:
    found = series_law.against_rows(1.0, 2, 1, grid=256)
    assert [row["rows"] for row in found] == list(series_law.ROWS)
    assert {row["grid"] for row in found} == {256} and not any(row["failures"] for row in found)
    # With 10^12 rows 255 terms are too few, and the law of endless ones does not hold.
    assert abs(found[0]["over_law"] - 1.0) < 0.2 < abs(found[-1]["over_law"] - 1.0)


def test_the_record_holds_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(power: float, replicates: int, repeats: int) -> list[dict]:
        return [{"power": power, "cpu_s": seconds} for seconds in (2.0, power)]

    monkeypatch.setattr(series_law, "against_rows", timed)
    monkeypatch.setattr(series_law, "against_matrices", lambda repeats: [])
    assert series_law.measure()["time_ratio"] == {"1": 0.5, "2": 1.0}
