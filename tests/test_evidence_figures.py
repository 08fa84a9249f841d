"""Pictures of the evidence of claims, and the board of all; every table is made up and small."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import figures
from figures import agreement, distance, ladder, slack, verdict_board
from figures.pictures import as_cells, pictures
from tests.drawn import bars, curve, half_widths, words
from tests.teaching_tables import CELLS, VERDICTS, ladder_table, made_up_claim


def test_ladder_extends_each_line_to_the_edge_and_marks_the_margin() -> None:
    figure = ladder.draw(ladder_table(), margin=0.02, intercept=1.01, intercept_se=0.003)
    axes = figure.axes[0]
    lines = [np.asarray(line.get_xydata()) for line in axes.lines if np.size(line.get_xdata()) == 4]
    np.testing.assert_allclose([line[0] for line in lines], [[0.0, 1.0], [0.0, 1.01]])
    assert "one" in words(figure) and "two" in words(figure) and "fitted line" in words(figure)
    first, second, intercept = bars(axes)
    np.testing.assert_allclose(half_widths(first, 1), 0.004)
    assert np.size(second.lines[0].get_xdata()) == 3
    np.testing.assert_allclose(np.asarray(intercept.lines[0].get_xydata()), [[0.0, 1.01]])
    np.testing.assert_allclose(half_widths(intercept, 1), 0.006)
    band = next(p for p in axes.patches if "margin" in str(p.get_label()))
    extent = band.get_path().get_extents(band.get_patch_transform())
    np.testing.assert_allclose([extent.y0, extent.y1], [0.98, 1.02])
    assert axes.get_xlim()[0] == 0.0 and axes.get_xlabel() == "1 / size" and axes.get_ylabel()
    one_size = ladder_table().query("size == 200").assign(inverse_size=0.0)
    ladder.draw(one_size, margin=0.02, intercept=1.0, intercept_se=0.01)
    unlabelled = ladder_table().query("series == 'one'").assign(series="")
    assert len(
        bars(ladder.draw(unlabelled, margin=0.02, intercept=None, intercept_se=None).axes[0])
    )


@pytest.mark.parametrize(
    ("power", "name"), [(1.0, "1 / size"), (2.0, "1 / size²"), (0.7, "a power of 1 / size")]
)
def test_a_ladder_names_its_power_of_the_size(power: float, name: str) -> None:
    table = ladder_table()
    table = table.assign(inverse_size=table["size"] ** -power)
    figure = ladder.draw(table, margin=0.02, intercept=None, intercept_se=None)
    assert figure.axes[0].get_xlabel() == name


def test_a_ladder_calls_its_size_by_its_name() -> None:
    table = ladder_table().assign(size_name="d", inverse_size=1.0 / ladder_table()["size"] ** 2)
    figure = ladder.draw(table, margin=0.02, intercept=1.0, intercept_se=0.003)
    axes = figure.axes[0]
    assert axes.get_xlabel() == "1 / d²" and "at 1/d → 0" in words(figure)
    assert [each.get_xlabel() for each in axes.child_axes] == ["d"]
    assert "size" not in words(figure)


def test_long_names_of_ladders_stay_in_the_picture() -> None:
    names = [f"r = {k}, B = 0.5, as many seeds as there are tokens" for k in range(4)]
    table = pd.concat([ladder_table().assign(series=name) for name in names])
    figure = ladder.draw(table, margin=0.02, intercept=1.0, intercept_se=0.003)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


def test_points_of_many_ladders_stand_apart_but_near_their_place() -> None:
    many = pd.concat([ladder_table().assign(series=f"{k}") for k in range(8)])
    many = many.drop_duplicates(["series", "size"]).assign(size_one="d = 25")
    figure = ladder.draw(many, margin=0.02, intercept=None, intercept_se=None)
    axes = figure.axes[0]
    places = np.array([np.asarray(each.lines[0].get_xdata(), float) for each in bars(axes)])
    exact = np.sort(1 / np.array([200.0, 400.0, 800.0]))
    assert places.shape == (8, 3) and (np.diff(places, axis=0) > 0).all()
    # Half the least distance of neighbouring sizes, to both sides together.
    assert np.abs(places - exact).max() < 0.25 * np.diff(exact).min()
    assert places.min() > 0 and places.max() < axes.get_xlim()[1]
    assert [each.get_xlabel() for each in axes.child_axes] == ["size (1: d = 25)"]


def test_ladder_shows_as_many_decimals_as_the_error_deserves() -> None:
    exact = ladder.draw(ladder_table(), margin=0.02, intercept=1.0, intercept_se=2.4e-6)
    assert "1.000000 ± 0.000002" in words(exact)
    rough = ladder.draw(ladder_table(), margin=0.02, intercept=1.0, intercept_se=0.024)
    assert "1.0000 ± 0.0240" in words(rough)


def test_series_of_one_size_are_a_list_and_no_ladder(tmp_path: Path) -> None:
    """A constant's tolerance is its margin of the prediction, an exponent's the margin itself."""
    (tmp_path / "tables").mkdir()
    claims = [made_up_claim("one", "constant"), made_up_claim("two", "exponent")]
    (tmp_path / "verdicts.json").write_text(json.dumps({"claims": claims}))
    table = ladder_table().query("size == 200").assign(inverse_size=0.0)
    table = table.assign(prediction=[2.0, 4.0], estimate=[2.01, 4.02], se=0.001)
    for name in ("one", "two"):
        table.to_csv(tmp_path / f"tables/{name}.csv", index=False)
    assert {path.stem for path in figures.render("agreement", tmp_path)} == {"one", "two"}
    # 1/4 of the tolerance each as constants; 1/2 and 1 as exponents.
    for kind, gaps in (("constant", [0.25, 0.25]), ("exponent", [0.5, 1.0])):
        cells = as_cells(table, kind, 0.02)
        np.testing.assert_allclose(agreement.differences(cells).value, gaps)


def test_the_board_measures_an_exponent_by_its_own_margin() -> None:
    """.02 of an exponent 1/2 are 4 % of the ratio."""
    board = verdict_board.draw(
        {"claims": [made_up_claim("one", "exponent", prediction=0.5, ratio=1.01)]}
    )
    axes = board.axes[0]
    bands = axes.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose([bands.x0, bands.x1], [0.96, 1.04])
    (bar,) = bars(axes)
    assert np.asarray(bar.lines[0].get_xdata()).tolist() == [1.01]


def test_the_board_calls_nothing_exact_that_is_noisy(tmp_path: Path) -> None:
    """A claim of kind exact shows the tolerance of its noisy cells, as far as its evidence is at hand."""
    (tmp_path / "tables").mkdir()
    claims = [made_up_claim(name, "exact", se=se) for name, se in (("one", 0.0), ("two", 1e-3))]
    claims.append(made_up_claim("three", "exact", se=1e-3))
    (tmp_path / "verdicts.json").write_text(json.dumps({"claims": claims}))
    table = CELLS.assign(tolerance=[0.01, 0.5])
    table.assign(measured_se=0.0).to_csv(tmp_path / "tables/one.csv", index=False)
    table.assign(measured_se=[1e-3, 0.0]).to_csv(tmp_path / "tables/two.csv", index=False)
    board = next(each for each in pictures(tmp_path) if each.name == "verdict_board").draw()
    kinds = [text.get_text().strip() for text in board.axes[0].texts]
    assert [each for each in kinds if each != "imbalance"] == [
        "exact",
        "within 0.01",
        "within its tolerance",
    ]


def test_long_titles_lose_whole_words() -> None:
    title = (
        "A title that has far more words than a board has room for, since it goes on and on and on"
    )
    board = verdict_board.draw({"claims": [made_up_claim("one", "constant", title=title)]})
    (label,) = [text.get_text() for text in board.axes[0].get_yticklabels()]
    first, last = label.split(" … ")
    assert title.startswith(first + " ") and title.endswith(" " + last) and len(label) <= 76


def test_slack_marks_the_bound_and_combines_both_errors() -> None:
    figure = slack.draw(CELLS)
    axes = figure.axes[0]
    np.testing.assert_allclose(curve(axes, "the bound")[:, 0], 1.0)
    points = bars(axes)[0]
    np.testing.assert_allclose(np.asarray(points.lines[0].get_xdata()), [0.9, 0.5])
    np.testing.assert_allclose(half_widths(points, 0), [0.02, 0.04])
    assert "ratio 0" in words(figure) and axes.get_xlabel() and axes.get_xscale() == "linear"
    both = slack.draw(CELLS.assign(bound_se=0.01)).axes[0]
    expected = 2 * np.hypot([0.01, 0.02], 0.01 * np.array([0.9, 0.5]))
    np.testing.assert_allclose(half_widths(bars(both)[0], 0), expected)
    tiny = slack.draw(CELLS.assign(measured=[0.9, 0.001])).axes[0]
    assert tiny.get_xscale() == "log"


@pytest.mark.parametrize(
    ("changes", "unit", "values"),
    [
        ({}, "standard errors", [-1.0, 1.0]),
        ({"tolerance": 0.1}, "tolerances", [-0.1, 0.2]),
        ({"measured_se": np.nan}, "share of expected", [-0.01 / 0.91, 0.02 / 0.48]),
        ({"measured_se": 0.0, "expected": 0.0}, "unit of the quantity", [0.9, 0.5]),
    ],
)
def test_agreement_chooses_its_unit(changes: dict, unit: str, values: list[float]) -> None:
    figure = agreement.draw(CELLS.assign(**changes))
    axes = figure.axes[0]
    assert unit in axes.get_xlabel() and "ratio 1" in words(figure)
    np.testing.assert_allclose(np.asarray(bars(axes)[0].lines[0].get_xdata()), values)
    np.testing.assert_allclose(curve(axes, "expected")[:, 0], 0.0)


def test_many_cells_are_numbered_instead_of_named() -> None:
    many = pd.concat([CELLS] * 60, ignore_index=True)
    figure = agreement.draw(many)
    assert "in the order of the table" in figure.axes[0].get_ylabel()
    assert figure.get_figheight() < 8


def test_distance_shows_the_margin() -> None:
    axes = distance.draw(CELLS, margin=0.05).axes[0]
    np.testing.assert_allclose(curve(axes, "margin 0.05")[:, 0], 0.05)
    np.testing.assert_allclose(np.asarray(bars(axes)[0].lines[0].get_xdata()), [0.01, 0.02])


def test_verdict_board_tells_outcomes_by_glyph_and_ratios_by_interval() -> None:
    figure = verdict_board.draw(VERDICTS)
    axes, marks = figure.axes
    glyphs = [text.get_text() for text in marks.texts]
    # claim, planted error; claim, planted error; ...
    assert glyphs == ["✔", "✘", "?", "✘", "✔", "✔", "✔", "–", "✘", "✘"]
    np.testing.assert_allclose(half_widths(bars(axes)[0], 0), 3.719016 * 0.004, rtol=1e-5)
    written = words(figure)
    assert "imbalance" in written and "control" in written and "1.5" in written
    assert all(f"Title of {claim['id']}" in written for claim in VERDICTS["claims"])
    with pytest.raises(ValueError, match="lists none"):
        verdict_board.draw({"claims": []})
