"""Pictures of the proportional regime: the limit is a line, simulations are points with error bars."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D

import figures
from figures import proportional
from figures.faults import FigureError


def curve() -> pd.DataFrame:
    rows = []
    for panel, places in (("ratio", (0.0, 1.0)), ("d/n", (0.2, 0.5, 2.0))):
        for group, level in (("majority", 0.1), ("minority", 0.3)):
            for x in np.linspace(places[0], places[-1], 11):
                rows.append({"panel": panel, "x": x, "group": group, "predicted": level + 0.05 * x})
            for x in places:
                for dim in (50.0, 200.0):
                    point = {"panel": panel, "x": x, "group": group, "dim": dim}
                    estimate = {"predicted": level, "estimate": level, "se": 0.01}
                    rows.append({**point, **estimate, "replicates": 20, "failures": 0})
    return pd.DataFrame(rows)


def separable() -> pd.DataFrame:
    rows = [
        {"dim": dim, "kappa": kappa, "separable": hits, "count": 100, "failures": 0}
        for dim, shares in ((16, (30, 70)), (64, (5, 95)))
        for kappa, hits in zip((0.18, 0.23), shares, strict=True)
    ]
    return pd.DataFrame(rows).assign(threshold=0.2)


def test_every_group_has_a_line_and_points_of_every_dimension() -> None:
    figure = proportional.draw(curve())
    left, right = figure.axes
    assert left.get_ylabel() == "0-1 error (share)" and right.get_xscale() == "log"
    lines = [line for line in left.lines if len(_x(line)) == 11]
    assert len(lines) == 2
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"majority", "minority", "d = 50", "d = 200"} <= set(words)


def test_titles_say_what_the_table_names() -> None:
    named = curve().assign(loss="squared", separation=2.0, minority=0.25)
    named["ridge"] = np.where(named["panel"] == "ratio", 0.05, 0.002)
    titles = [axes.get_title() for axes in proportional.draw(named).axes]
    assert [title.splitlines()[0] for title in titles] == [
        "squared loss, ridge λ = 0.05",
        "squared loss, ridge λ = 0.002",
    ]
    assert all("separation 2, minority share 0.25" in title for title in titles)
    assert not any(axes.get_title() for axes in proportional.draw(curve()).axes)


def test_bars_of_shares_stay_between_0_and_1() -> None:
    """Wilson's ends solve (p̂ - p)² = 4 p (1 - p)/n; the bars are where the ends are."""
    hits, count = np.array([0.0, 3.0, 30.0]), np.array([30.0, 30.0, 30.0])
    for end in proportional.wilson(hits, count):
        np.testing.assert_allclose(
            (hits / count - end) ** 2, 4 * end * (1 - end) / count, atol=1e-15
        )
        assert (end > -1e-15).all() and (end < 1 + 1e-15).all()
    certain = separable().assign(separable=[0, 100, 0, 100])
    axes = proportional.existence(certain).axes[0]
    bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
    ends = np.array([s for each in bars for s in each.lines[2][0].get_segments()])[..., 1]
    assert ends.min() >= 0.0 and ends.max() <= 1.0 and (np.ptp(ends, axis=1) > 0.03).all()


def test_points_of_different_dimensions_stand_apart() -> None:
    left = proportional.draw(curve()).axes[0]
    first, second = _places(left)
    assert 0 < np.abs(first - second).max() < 0.05


def _x(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_xdata(), float)


def _places(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    marked = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    by = {line.get_marker(): _x(line) for line in marked[:4]}
    return by["o"], by["s"]


def test_the_transition_has_a_step_at_the_threshold_and_bars() -> None:
    axes = proportional.existence(separable()).axes[0]
    step = axes.lines[0]
    assert _x(step)[1] == _x(step)[2] == 0.2
    assert np.asarray(step.get_ydata()).tolist() == [0.0, 0.0, 1.0, 1.0]
    legend = axes.get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["limit: δ* = 0.2000", "d = 16", "d = 64"]


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(FigureError, match="kappa"):
        proportional.existence(separable().drop(columns="kappa"))


def test_a_run_folder_with_the_tables_has_the_pictures(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "verdicts.json").write_text('{"claims": []}')
    curve().to_csv(tmp_path / "tables" / "proportional_curve.csv", index=False)
    separable().to_csv(tmp_path / "tables" / "existence.csv", index=False)
    for name in ("proportional_curve", "existence"):
        assert name in figures.FIGURES
        made = figures.render(name, tmp_path)
        assert [path.name for path in made] == [f"{name}.png", f"{name}.svg"]
