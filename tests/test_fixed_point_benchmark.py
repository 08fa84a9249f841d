"""The damped NumPy iteration of the benchmark finds the same points as the program."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import fixed_point as benchmark  # noqa: E402
from scaling.theory.proportional.fixed_point import fixed_point  # noqa: E402


def test_the_damped_iteration_agrees() -> None:
    curve = [benchmark.right_law(1.0), benchmark.repeated(1.0)]
    clusters, aspects = benchmark.stacked(curve)
    found = fixed_point("logistic", clusters, aspects, benchmark.RIDGE)
    assert not found.status.any()
    for i, rows in enumerate(curve):
        s, r, b, count = benchmark.damped(rows, benchmark.RIDGE, 1e-9)
        assert count > 20
        expected = [found.projection[i, 0], found.norm[i], found.intercept[i]]
        assert [s, r, b] == pytest.approx(expected, abs=2e-8)
    with pytest.raises(RuntimeError, match="did not converge"):
        benchmark.damped(curve[0], benchmark.RIDGE, most=3)


def test_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ratios, one repeat: solves are counted, and both ways lie close."""
    monkeypatch.setattr(benchmark, "RATIOS", np.array([0.0, 0.02]))
    loop = benchmark.numpy_loop(benchmark.RATIOS)
    monkeypatch.setattr(benchmark, "numpy_loop", lambda: loop)
    found = benchmark.measure(1)
    assert set(found["synthlaw"]["first_solve_s"]) == {"logistic", "squared", "hinge"}
    assert found["synthlaw"]["duplicates"]["unsolved"] == 0
    assert max(found["apart"].values()) < 1e-8
    assert set(found["times_as_fast"]) == {"right_law", "duplicates"}
