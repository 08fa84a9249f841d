"""Claims of the family size, and their pictures."""

import numpy as np
import pandas as pd
import pytest

import figures
from figures import alignment, size_curve, wald_calibration
from synthlaw.claims import registry
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.size import metric, wald
from synthlaw.claims.size.golden import problem_of
from synthlaw.verifying.verification import run_claim

EXACT = ["size-golden", "size-cases", "size-no-symmetry", "size-quality", "size-correction-cases"]


def test_the_family_is_registered() -> None:
    ours = [claim for claim in registry() if claim.family == "size"]
    assert len(ours) >= 12 and {claim.note for claim in ours} == {"synthetic_size.md"}
    assert {claim.kind for claim in ours} == {"exact", "constant", "inequality", "distribution"}


@pytest.mark.parametrize("name", [*EXACT, "size-optimum", "size-metric", "size-validation"])
def test_a_claim_stands_and_its_twin_falls(name: str) -> None:
    """A fresh seed; those that take long run in `synthlaw verify`."""
    claim = next(claim for claim in registry() if claim.id == name)
    entry, _ = run_claim(claim, Lab(PRESETS["quick"], seed=91))
    assert entry["outcome"] == "supported" and entry["twin"]["outcome"] == "contradicted"
    assert entry["failures"] == 0


def test_the_sizes_of_the_experiment_are_those_of_the_theory() -> None:
    problem = problem_of(Lab(PRESETS["quick"]), sweep=metric.ANISOTROPIC)
    sizes = metric.sizes_of(problem)
    assert sizes["m* (inverse Hessian)"] / problem.missing == pytest.approx(
        metric.HESSIAN, abs=1e-6
    )
    assert sizes["m* (Euclidean)"] / problem.missing == pytest.approx(metric.EUCLIDEAN, abs=1e-6)


def curve_table() -> pd.DataFrame:
    rows = np.array([0.9, 1.0, 1.1])
    line = pd.DataFrame({"what": "theory", "name": "", "rows": rows, "predicted": rows**2 * 1e-4})
    points = line.assign(what="simulated", estimate=line["predicted"] * 1.02, se=1e-6)
    sizes = pd.DataFrame(
        {"what": "size", "name": ["one", "two"], "rows": [0.95, 1.05], "predicted": [9e-5, 1.1e-4]}
    )
    return pd.concat([line, points, sizes], ignore_index=True)


def test_the_curve_shows_theory_points_and_every_size() -> None:
    figure = size_curve.draw(curve_table())
    axes = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"theory", "one: 0.95", "two: 1.05"} <= set(labels) and len(labels) == 4
    theory = next(line for line in axes.lines if line.get_label() == "theory")
    assert np.asarray(theory.get_xdata()) == pytest.approx([0.9, 1.0, 1.1])
    assert axes.get_xlabel() and axes.get_ylim()[0] == 0.0
    with pytest.raises(figures.FigureError, match="needs the columns"):
        size_curve.draw(curve_table().drop(columns="what"))


def test_the_alignment_diagram_has_a_path_and_marks_per_case() -> None:
    what = ["path", "path", "raw", "balanced", "best"]
    table = pd.concat(
        pd.DataFrame({"case": case, "what": what, "along": [1.0, 0, 1, 0.5, 0.2], "across": height})
        for case, height in (("aligned", 0.0), ("oblique", 0.3))
    )
    figure = alignment.draw(table)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["aligned", "oblique", *alignment.MARKS.values()]
    assert figure.axes[0].get_aspect() == 1.0


def test_the_calibration_picture_has_binomial_intervals() -> None:
    """Clopper and Pearson's interval of 5 in 100 is [.0164, .1128] (tables)."""
    half = wald_calibration._interval(np.array([5.0, 0.0]), np.array([100.0, 100.0]))
    assert 0.05 - half[0, 0] == pytest.approx(0.0164, abs=1e-4)
    assert 0.05 + half[1, 0] == pytest.approx(0.1128, abs=1e-4)
    assert half[0, 1] == 0.0
    rows = [
        wald._rate("p-values", n, level, 0.0, np.arange(200) < 200 * level, level)
        for n in (50, 500)
        for level in (0.1, 1.0)
    ]
    rows += [wald._rate("power", 250, 0.05, b, np.zeros(0, bool), 0.1 + b) for b in (0.0, 0.2)]
    rows.append(wald._rate("power", 250, 0.05, 0.1, np.arange(50) < 10, 0.2))
    figure = wald_calibration.draw(pd.DataFrame(rows))
    left, right = figure.axes
    assert left.get_xscale() == "log" and right.get_title() == "power"
    legend = left.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()][1:] == ["n₁ = 50", "n₁ = 500"]


def test_the_pictures_have_names() -> None:
    assert {"size_curve", "alignment", "wald_calibration"} <= set(figures.FIGURES)
