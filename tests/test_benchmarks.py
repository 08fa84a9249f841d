"""The benchmark's accounts add up, and its picture shows what the record holds."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import figures  # noqa: E402
from benchmarks import __main__ as program  # noqa: E402
from benchmarks import accounting, floors, gallery, ours, series  # noqa: E402
from benchmarks.problem import Problem, problem_of, sweep  # noqa: E402
from figures import benchmark  # noqa: E402

TARGETS = (0.03, 0.01, 0.003)
PRECISION = ("cold_s", "warm_s", *(f"{family}_{way}_s" for family in accounting.FAMILIES
             for way in ("whole_curve", "per_cell")))  # fmt: skip


def made_up_record() -> dict[str, Any]:
    """A record with every part; all numbers differ."""
    precision = [
        {"target": target, **{name: (k + 1) / target for k, name in enumerate(PRECISION)}}
        for target in TARGETS
    ]
    costs = ("synthlaw_s", "numpy_s", "scikit_learn_s")
    parts: dict[str, Any] = {"precision": {"rows": precision}}
    for name in ("rows", "dim", "cells"):
        parts[name] = {
            "rows": [
                {name: 10 * x, **{cost: x * (k + 1.0) for k, cost in enumerate(costs)}}
                for x in (1, 2, 4)
            ]
        }
    parts["workers"] = {"rows": [{"workers": k, "synthlaw_ms": 4.0 / k} for k in (1, 2)]}
    parts["statistics"] = {"rows": [{"rows": 10.0**k, "synthlaw_ms": 0.3} for k in (3, 12)]}
    parts["breakdown"] = dict(zip(benchmark.STAGES, (1.0, 2.0, 3.0, 4.0, 0.5), strict=True))
    parts["breakdown"]["replicates"] = 2000
    parts["floor"] = dict(zip(benchmark.LEAST, (5.0, 0.6, 0.7, 0.8, 0.9), strict=True))
    return {"schema": 1, "parts": parts}


def lines(figure: Any, panel: int, name: str) -> np.ndarray:
    found = [line for line in figure.axes[panel].lines if line.get_gid() == name]
    assert len(found) == 1
    return np.asarray(found[0].get_xydata())


def test_the_picture_shows_every_part() -> None:
    record = made_up_record()
    figure = benchmark.draw(record)
    drawn = [axes for axes in figure.axes if axes.axison]
    assert len(drawn) == 8
    assert all(axes.get_xlabel() and axes.get_title() for axes in drawn)
    names = ("synthlaw", "synthlaw_warm", "numpy", "numpy_per_cell",
             "scikit_learn", "scikit_learn_per_cell")  # fmt: skip
    columns = ("cold_s", "warm_s", "numpy_whole_curve_s", "numpy_per_cell_s",
               "scikit_learn_whole_curve_s", "scikit_learn_per_cell_s")  # fmt: skip
    for name, column in zip(names, columns, strict=True):
        expected = [
            [100 * row["target"], row[column]] for row in record["parts"]["precision"]["rows"]
        ]
        np.testing.assert_allclose(lines(figure, 0, name), expected)
    np.testing.assert_allclose(lines(figure, 1, "numpy"), [[10, 2], [20, 4], [40, 8]])
    # Twice as fast on two cores.
    np.testing.assert_allclose(lines(figure, 4, "synthlaw"), [[1, 1], [2, 2]])
    found: Any = figure.axes[8].get_legend()
    legend = [text.get_text() for text in found.get_texts()]
    assert len(legend) == len(names) and "best NumPy loop" in legend


def test_a_part_that_was_refused_has_no_panel() -> None:
    record = made_up_record()
    record["parts"]["statistics"] = {"skipped": "counts: too many rows."}
    titles = [axes.get_title() for axes in benchmark.draw(record).axes if axes.axison]
    assert len(titles) == 7 and "squared loss, rows never drawn" not in titles
    with pytest.raises(figures.FigureError, match=r"no table to draw; run python -m benchmarks"):
        benchmark.draw({"parts": {"large": {"seconds": 1.0}}})


def test_the_picture_is_remade_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "engine.json").write_text(json.dumps(made_up_record()))
    written = figures.render("benchmark", tmp_path)
    assert [path.name for path in written] == ["engine.png", "engine.svg"]
    (tmp_path / "engine.json").write_text("[]")
    with pytest.raises(ValueError, match="lists no parts; run python -m benchmarks again"):
        figures.render("all", tmp_path)


def simulated(relative: float, plain: float) -> pd.DataFrame:
    """A table of 100 replicates of two ratios; the second one is twice as noisy."""
    rows = [
        {"generator": generator, "metric": metric, "group": group, "estimate": -2.0,
         "se": 2.0 * relative * k, "se_raw": 2.0 * plain * k, "replicates": 100}
        for generator in ("oracle", "shift[0.3]")
        for k in (1.0, 2.0)
        for metric in ("excess_risk", "error")
        for group in ("balanced", "worst")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_replicates_for_a_target_come_from_the_standard_errors() -> None:
    table = simulated(0.01, 0.1)
    plain = ours.replicates_for(table, "se_raw")
    assert list(plain) == ["oracle", "shift"]
    # 100 replicates gave 10 % and 20 %: 100 times as many give 1 % and 2 %.
    np.testing.assert_allclose(plain["shift"] / 0.01**2, [10_000, 40_000])
    np.testing.assert_allclose(ours.replicates_for(table, "se")["oracle"] / 0.01**2, [100, 400])
    assert ours.variance_cut(table)["oracle"] == pytest.approx({"median": 100.0, "least": 100.0})


def timed(monkeypatch: pytest.MonkeyPatch) -> Problem:
    """Three ratios, each of which takes one millisecond per replicate."""

    def costs(family: str, problem: Problem, cells: np.ndarray, *_: Any) -> dict[str, Any]:
        return {"ms": float(len(cells)), "fit_ms": {"one": 1.0}, "best": "one"}

    monkeypatch.setattr(accounting, "costs", costs)
    return Problem(2, 2.0, 0.0, (20, 10), False, np.array([0, 5, 10]), np.zeros((3, 3)))


def test_both_accountings_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs of 10, 30 and 20: the whole curve runs 30 times three cells; cell by cell 10 times
    three, 10 times two and 10 times one. The twin is the account that forgets to stop."""
    problem = timed(monkeypatch)
    needed = np.array([10.0, 30.0, 20.0])
    whole = accounting.whole_curve("numpy", problem, needed, 1)["seconds"]
    assert whole == pytest.approx(1e-3 * 30 * 3 / accounting.CORES)
    single = accounting.per_cell("numpy", problem, needed, 1)
    assert single == pytest.approx(1e-3 * (10 * 3 + 10 * 2 + 10 * 1) / accounting.CORES)
    assert single != pytest.approx(whole)
    sweeps = accounting.whole_sweep({"a": (problem, needed), "b": (problem, needed)}, 0.1, 1)
    assert sweeps["numpy_ms"] == pytest.approx(2 * 3 / accounting.CORES)
    assert sweeps["scikit_learn_s"] == pytest.approx(2 * whole / 0.1**2)


def test_disagreeing_competitors_stop_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problem_of(sweep(dim=2, times=0.2, cells=2))
    exact = {"one": lambda sample: sample.starts, "two": lambda sample: sample.starts + 1e-7}
    monkeypatch.setattr(accounting.competitors, "designs", lambda family, problem: exact)
    assert accounting.check_agreement(found) == pytest.approx(1e-7)
    wrong = {**exact, "three": lambda sample: sample.starts + 1e-5}
    monkeypatch.setattr(accounting.competitors, "designs", lambda family, problem: wrong)
    with pytest.raises(RuntimeError, match="differ by"):
        accounting.check_agreement(found)


def test_the_least_cost_counts_draws_and_products() -> None:
    """One raw sample of 30 rows and one pool of 10, two features; duplicates draw nothing."""
    sizes, starts = np.array([0, 10]), np.zeros((2, 3))
    fresh = Problem(2, 2.0, 0.0, (20, 10), False, sizes, starts)
    again = fresh._replace(duplicate=True)
    assert floors.normals([fresh, again]) == 2 * (30 + 10)
    # Scores and gradients 4 p, half a Hessian p (p + 1), with p = 3, per row and step.
    assert floors.flops([fresh]) == (30 + 40) * floors.STEPS * (12 + 12)
    assert floors.flops([again]) == (30 + 30) * floors.STEPS * (12 + 12)


def test_parts_measured_apart_make_one_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "engine.json"
    path.write_text(json.dumps({"parts": {"large": {"old": 1}, "rows": {"old": 1}}}))
    monkeypatch.setattr(program, "PARTS", {"rows": lambda effort: {"short": effort.short},
                                           "large": lambda effort: {}})  # fmt: skip
    found = program.measure(["rows"], True, path)
    assert found["parts"] == {"rows": {"quick": True, "short": True}, "large": {"old": 1}}
    assert found["versions"]["jax"] and found["cores"] >= 1


def test_a_process_is_timed_and_its_failure_told() -> None:
    code = "import os; print(len(os.sched_getaffinity(0)))"
    seconds, peak, said = ours.timed_process([sys.executable, "-c", code], cores=1)
    assert said.strip() == "1" and 0.0 < seconds < 60.0 and peak > 1.0
    with pytest.raises(RuntimeError, match="failed: no luck"):
        ours.timed_process([sys.executable, "-c", "raise SystemExit('no luck')"])


def test_refusals_are_recorded_and_faults_are_not_hidden() -> None:
    from simulations.problems import InputError

    def refuse() -> dict[str, Any]:
        raise InputError("counts: too many rows.")

    assert ours.if_accepted(refuse) == {"skipped": "counts: too many rows."}
    with pytest.raises(ZeroDivisionError):
        ours.if_accepted(lambda: {"x": 1 / 0})
    assert set(series.OPTIONAL) <= set(series.PARTS)


def test_the_gallery_is_small_and_all_of_it_is_shown() -> None:
    readme = (gallery.GALLERY.parents[2] / "README.md").read_text("utf-8")
    for name in gallery.PICTURES:
        path = gallery.GALLERY / f"{name}.png"
        assert path.stat().st_size < 60_000 and f"benchmarks/recorded/gallery/{name}.png" in readme
    assert {path.stem for path in gallery.GALLERY.iterdir()} == set(gallery.PICTURES)
