"""The benchmark of the symmetry tests counts what it says."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import symmetry  # noqa: E402
from scaling.theory.size.null_family import uniform_family, wald_samples  # noqa: E402


def test_the_loop_tests_the_same_hypothesis() -> None:
    """Mean statistics of 300 samples of loop and program, b = .5, agree within five standard errors."""
    random = np.random.default_rng(5)
    theirs = np.array([symmetry.one_test(random, 0.5, 60) for _ in range(300)])
    ours = wald_samples(uniform_family(0.5, 60), 300, seed=6).statistic
    se = float(np.hypot(theirs.std(), ours.std()) / 300**0.5)
    assert abs(theirs.mean() - ours.mean()) < 5 * se
    moved = wald_samples(uniform_family(0.8, 60), 300, seed=6).statistic
    assert abs(theirs.mean() - moved.mean()) > 5 * se


def test_all_tests_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small numbers; the shares rejected are those of all samples."""
    monkeypatch.setattr(symmetry, "MINORITY", (20, 30))
    monkeypatch.setattr(symmetry, "TESTS", 40)
    monkeypatch.setattr(symmetry, "PIECE", 20)
    found = symmetry.ours()
    assert found["tests"] == 2 * len(symmetry.B) * 40 and len(found["rejected"]) == 8
    assert found["rejected"]["30, b 1.0000"] == 1.0


def test_the_record_extrapolates_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symmetry, "in_own_process", lambda: {"cold": {"cpu_s": 8.0}})
    monkeypatch.setattr(symmetry, "loop_seconds", lambda count: {"50": 1e-3, "500": 3e-3})
    found = symmetry.measure(10)
    assert found["tests"] == 60_000
    loop = found["numpy_loop"]["extrapolated_s"]
    assert loop == pytest.approx(4e-3 * 4 * 5000 / 2)
    assert found["times_as_fast"] == pytest.approx(loop / 4.0)
