"""Pictures show what they must; every table here is made up and small."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

import figures
from figures import (
    agreement,
    distance,
    ladder,
    ratio_curve,
    shares,
    slack,
    style,
    synthetic_curve,
    verdict_board,
)
from figures import worst_group as worst
from figures.pictures import as_cells, pictures
from figures.tidy import panels, read_table, running_column, where

RATIOS = (0.0, 0.5, 1.0, 2.0)
GROUPS = ("a,1", "a,2", "b,1", "b,2")


def tidy_table(generators: tuple[str, ...] = ("oracle", "duplicate", "reweight")) -> pd.DataFrame:
    """A made-up tidy table: parabolas in the ratio, estimates 1 % above the prediction."""
    rows = []
    for g, generator in enumerate(generators):
        for ratio in [np.nan] if generator == "reweight" else RATIOS:
            height = 0.02 + 0.3 * (1.0 - (0.9 if np.isnan(ratio) else ratio)) ** 2 + 0.02 * g
            values = {name: height * (1 + 0.3 * k) for k, name in enumerate(GROUPS)}
            values |= {"balanced": height * 1.45, "worst": height * 1.9}
            rows += [
                {
                    "setting": "groups",
                    "generator": generator,
                    "estimator": "logistic",
                    "counts": '{"a,1":100}',
                    "ratio": ratio,
                    "augment": 0,
                    "augment_share": 0.0,
                    "metric": metric,
                    "group": group,
                    "predicted": value,
                    "estimate": 1.01 * value,
                    "se": 0.004 * value,
                }
                for metric in ("excess_risk", "error")
                for group, value in values.items()
            ]
    return pd.DataFrame(rows)


def ladder_table() -> pd.DataFrame:
    size = np.array([200.0, 400.0, 800.0])
    parts = [
        pd.DataFrame(
            {
                "series": name,
                "size": size,
                "inverse_size": 1 / size,
                "ratio": level + 6 / size,
                "ratio_se": 0.002,
                "fit": level + 6 / size,
            }
        )
        for name, level in (("one", 1.0), ("two", 1.01))
    ]
    return pd.concat(parts, ignore_index=True)


CELLS = pd.DataFrame(
    {
        "cell": ["ratio 0", "ratio 1"],
        "measured": [0.9, 0.5],
        "measured_se": [0.01, 0.02],
        "bound": [1.0, 1.0],
        "expected": [0.91, 0.48],
        "distance": [0.01, 0.02],
        "radius": [0.02, 0.01],
    }
)


def made_up_claim(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "family": "imbalance",
        "kind": kind,
        "title": f"Title of {name}",
        "outcome": "supported",
        "prediction": 2.0,
        "ratio": 1.003,
        "ratio_se": 0.004,
        "margin": 0.02,
        "alpha": 1e-4,
        "twin": {"statement": "wrong", "outcome": "contradicted"},
    } | changes


VERDICTS = {
    "claims": [
        made_up_claim("one", "constant"),
        made_up_claim("two", "inequality", outcome="unresolved", ratio=0.8),
        made_up_claim("three", "constant", family="control", outcome="contradicted", ratio=1.5),
        made_up_claim("four", "exact", twin={"statement": "w", "outcome": "supported"}),
        made_up_claim("five", "distribution", ratio=None, ratio_se=None, twin=None),
    ]
}


def bars(axes: Axes) -> list[ErrorbarContainer]:
    return [each for each in axes.containers if isinstance(each, ErrorbarContainer)]


def half_widths(container: ErrorbarContainer, which: int) -> np.ndarray:
    """Half lengths of the error bars of a container along x (0) or y (1)."""
    segments = container.lines[2][0].get_segments()
    return np.array([(s[1, which] - s[0, which]) / 2 for s in segments])


def curve(axes: Axes, label: str) -> np.ndarray:
    return next(np.asarray(e.get_xydata()) for e in axes.lines if e.get_label() == label)


def words(figure: Figure) -> str:
    """Everything written in a figure."""
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
        found += [text.get_text() for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join(found)


def named_axes(figure: Figure) -> bool:
    """Every panel has a name on its x axis, and the leftmost on y."""
    x = all(
        axes.get_xlabel() or axes.get_shared_x_axes().joined(axes, figure.axes[-1])
        for axes in figure.axes
    )
    return x and bool(figure.axes[0].get_ylabel() or figure.axes[0].get_yticklabels())


def test_ratio_curve_draws_theory_as_lines_and_simulation_as_points() -> None:
    table = tidy_table()
    figure = ratio_curve.draw(table)
    upper, lower = figure.axes
    for name in ("oracle", "duplicate"):
        rows = table.query("generator == @name and metric == 'excess_risk' and group == 'balanced'")
        expected = rows[["ratio", "predicted"]].to_numpy()
        np.testing.assert_allclose(curve(upper, name), expected)
    assert len(bars(upper)) == 2
    points = np.asarray(bars(upper)[0].lines[0].get_xydata())
    oracle = table.query(
        "generator == 'oracle' and metric == 'excess_risk' and group == 'balanced'"
    )
    np.testing.assert_allclose(points, oracle[["ratio", "estimate"]].to_numpy())
    np.testing.assert_allclose(half_widths(bars(upper)[0], 1), 2 * oracle["se"].to_numpy())
    # The lower panel: 1 % above, bars of 0.8 %.
    np.testing.assert_allclose(np.asarray(bars(lower)[0].lines[0].get_ydata()), 1.0)
    np.testing.assert_allclose(half_widths(bars(lower)[0], 1), 0.8)
    colours = {bar.lines[0].get_color() for bar in bars(upper)}
    assert colours == set(style.PALETTE[:2])
    assert named_axes(figure)
    written = words(figure)
    assert all(name in written for name in ("oracle", "duplicate", "reweight", "theory", "±2"))
    assert "balanced excess risk (loss)" in written and "ρ" in written


def test_reweighting_is_a_dashed_level_not_a_point() -> None:
    table = tidy_table()
    level = float(
        table.query("generator == 'reweight' and group == 'balanced'")["predicted"].iloc[0]
    )
    upper = ratio_curve.draw(table).axes[0]
    levels = [line for line in upper.lines if np.allclose(np.asarray(line.get_ydata()), level)]
    assert len(levels) == 1 and levels[0].get_linestyle() == "--"
    assert "reweight" in [text.get_text() for text in upper.texts]


def test_ratio_curve_takes_a_log_axis_only_when_the_range_asks_for_it() -> None:
    table = tidy_table(("oracle",))
    assert ratio_curve.draw(table).axes[0].get_yscale() == "linear"
    wide = table.assign(predicted=table["predicted"] ** 3, estimate=table["estimate"] ** 3)
    assert ratio_curve.draw(wide).axes[0].get_yscale() == "log"
    negative = wide.assign(estimate=-wide["estimate"])
    assert ratio_curve.draw(negative).axes[0].get_yscale() == "linear"


def test_ratio_curve_lives_with_missing_theory_or_missing_simulation() -> None:
    table = tidy_table(("oracle",))
    only_points = ratio_curve.draw(table.assign(predicted=np.nan)).axes[0]
    assert len(bars(only_points)) == 1 and "oracle" not in [
        line.get_label() for line in only_points.lines
    ]
    # Without theory there is nothing to differ from.
    alone = ratio_curve.draw(table.assign(predicted=np.nan))
    assert len(alone.axes) == 1 and len(ratio_curve.draw(table).axes) == 2
    assert named_axes(alone) and "difference" not in words(alone)
    figure = ratio_curve.draw(table.assign(estimate=np.nan, se=np.nan))
    assert not bars(figure.axes[0]) and "simulation" not in words(figure)


def test_ratio_curve_names_what_it_lacks() -> None:
    with pytest.raises(ValueError, match="it holds excess_risk/a,1"):
        ratio_curve.draw(tidy_table(), metric="kl")
    with pytest.raises(ValueError, match="missing here: estimate, se"):
        ratio_curve.draw(tidy_table().drop(columns=["estimate", "se"]))


def test_swept_keys_split_a_table_into_panels() -> None:
    one = tidy_table()
    swept = [
        one.assign(**{"counts.a": n, "counts": f'{{"a":{n}}}', "setting.dim": dim})
        for n in (100, 200)
        for dim in (5, 10)
    ]
    table = pd.concat(swept, ignore_index=True)
    found = panels(table, "ratio")
    assert [panel.title for panel in found] == [
        f"counts.a = {n}\nsetting.dim = {dim}" for n in (100, 200) for dim in (5, 10)
    ]
    assert all(len(p.constants) == 12 and len(p.curves) == 2 * 4 * 12 for p in found)
    figure = ratio_curve.draw(table)
    assert len(figure.axes) == 8 and "setting.dim = 10" in words(figure)
    at_one = where(table, table["ratio"] == 1.0)
    assert running_column(at_one) == "counts.a"


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


def test_a_generator_without_a_number_has_no_entry_and_keeps_the_colours_of_the_others() -> None:
    table = tidy_table()
    first = table["generator"] == table["generator"].iloc[0]
    table.loc[first, ["predicted", "estimate", "se"]] = np.nan
    legends = [ratio_curve.draw(each).legends[0] for each in (tidy_table(), table)]
    looks = [
        {
            text.get_text(): line.get_color()
            for text, line in zip(e.texts, e.get_lines(), strict=True)
        }
        for e in legends
    ]
    assert looks[0].keys() - looks[1].keys() == {table["generator"].iloc[0]}
    assert looks[1].items() <= looks[0].items()


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


def synthetic_table() -> pd.DataFrame:
    """Two series of four N, the last one beyond what was simulated."""
    augment = np.array([100.0, 200.0, 400.0, 4000.0])
    parts = [
        pd.DataFrame(
            {
                "series": name,
                "augment": augment,
                "predicted": floor + 1 / augment,
                "floor": floor,
                "power_law": 0.1 * augment**-0.4,
                "estimate": np.where(augment < 1000, 1.01 * (floor + 1 / augment), np.nan),
                "se": np.where(augment < 1000, 1e-4, np.nan),
            }
        )
        for name, floor in (("right", 1e-3), ("shifted", 1e-2))
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_curve_in_n_shows_theory_its_floor_and_the_straight_line() -> None:
    figure = synthetic_curve.draw(synthetic_table())
    axes = figure.axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    lines = [np.asarray(line.get_xydata()) for line in axes.lines if np.size(line.get_xdata()) == 4]
    heights = [line[-1, 1] for line in lines]
    np.testing.assert_allclose(
        heights, [1.25e-3, 1e-3, 0.1 * 4000**-0.4, 1.025e-2, 1e-2, 0.1 * 4000**-0.4]
    )
    first, second = bars(axes)
    assert np.size(first.lines[0].get_xdata()) == np.size(second.lines[0].get_xdata()) == 3
    np.testing.assert_allclose(half_widths(first, 1), 2e-4)
    text = words(figure)
    assert "shifted" in text and "floor" in text and "power law" in text
    with pytest.raises(ValueError, match="power_law"):
        synthetic_curve.draw(synthetic_table().drop(columns="power_law"))


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


def test_worst_group_is_emphasised() -> None:
    table = tidy_table()
    figure = worst.draw(table)
    assert [axes.get_title() for axes in figure.axes] == ["oracle", "duplicate"]
    axes = figure.axes[0]
    assert len(bars(axes)) == 4
    rows = table.query("generator == 'oracle' and metric == 'error' and group == 'worst'")
    np.testing.assert_allclose(curve(axes, "worst"), rows[["ratio", "predicted"]].to_numpy())
    widths = {str(line.get_label()): line.get_linewidth() for line in axes.lines}
    assert widths["worst"] > 2 * max(widths[name] for name in GROUPS)
    assert all(f"group {name}" in words(figure) for name in GROUPS)
    with pytest.raises(ValueError, match="rows with a ratio"):
        worst.draw(where(table, table["ratio"].isna()))


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


def test_names_with_dollars_and_markup_are_drawn_as_they_are(tmp_path: Path) -> None:
    table = tidy_table(("oracle",)).replace({"oracle": r"$\frac{$ <b>"})
    written = style.save(ratio_curve.draw(table), tmp_path / "odd")
    assert all(path.stat().st_size > 5000 for path in written)


def test_pictures_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        style.save(slack.draw(CELLS), tmp_path / name)
    for suffix in ("png", "svg"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one.png",
        "one.svg",
        "two.png",
        "two.svg",
    ]


def test_style_leaves_no_trace() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    slack.draw(CELLS)
    assert dict(matplotlib.rcParams) == before


def verify_run(directory: Path) -> Path:
    (directory / "tables").mkdir(parents=True)
    (directory / "verdicts.json").write_text(json.dumps(VERDICTS))
    for name in ("one", "three"):
        ladder_table().to_csv(directory / f"tables/{name}.csv", index=False)
    for name in ("two", "four", "five"):
        CELLS.to_csv(directory / f"tables/{name}.csv", index=False)
    sizes = [tidy_table().assign(size=size) for size in (1, 2)]
    pd.concat(sizes).to_csv(directory / "tables/spurious_curve.csv", index=False)
    synthetic_table().to_csv(directory / "tables/scaling_curve.csv", index=False)
    return directory


def test_render_remakes_a_verify_run(tmp_path: Path) -> None:
    run = verify_run(tmp_path / "run")
    written = figures.render("all", run)
    claims = [claim["id"] for claim in VERDICTS["claims"]]
    names = ["verdict_board", *claims, "spurious_curve", "spurious_groups", "scaling_curve"]
    assert written == [run / "figures" / f"{n}.{s}" for n in names for s in ("png", "svg")]
    pd.testing.assert_frame_equal(
        read_table(run / "figures" / "two.csv"), read_table(run / "tables" / "two.csv")
    )
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in written if path.suffix == ".png")
    assert all(b"<svg" in path.read_bytes() for path in written if path.suffix == ".svg")
    assert [path.stem for path in figures.render("one", run)] == ["one", "one"]
    by_kind = {"ladder": {"one", "three"}, "slack": {"two"}, "agreement": {"four"},
               "distance": {"five"}, "worst_group": {"spurious_groups"},
               "synthetic_curve": {"scaling_curve"}}  # fmt: skip
    for kind, expected in by_kind.items():
        assert kind in figures.FIGURES
        assert {path.stem for path in figures.render(kind, run)} == expected


def test_render_remakes_a_simulate_run(tmp_path: Path) -> None:
    tidy_table().to_csv(tmp_path / "table.csv", index=False)
    written = {path.name for path in figures.render("all", tmp_path)}
    names = ("ratio_curve_excess_risk", "ratio_curve_error", "worst_group")
    assert written == {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")}


def test_render_refuses_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds neither verdicts\.json nor table\.csv"):
        figures.render("all", tmp_path)
    run = verify_run(tmp_path / "run")
    with pytest.raises(ValueError, match="has no figure 'ladders'; did you mean 'ladder'?"):
        figures.render("ladders", run)
    with pytest.raises(ValueError, match="has no figure 'nought'; it has all, verdict_board"):
        figures.render("nought", run)
    (run / "verdicts.json").write_text("{broken")
    with pytest.raises(ValueError, match="cannot be read"):
        figures.render("all", run)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="missing here: generator"):
        figures.render("all", tmp_path)
    assert not (run / "figures").exists() and not (tmp_path / "figures").exists()


def test_claim_ids_cannot_leave_the_folder(tmp_path: Path) -> None:
    run = verify_run(tmp_path / "run")
    outside = {"claims": [made_up_claim("../tables/one", "constant")]}
    (run / "verdicts.json").write_text(json.dumps(outside))
    with pytest.raises(ValueError, match="has no figure"):
        figures.render("ladder", run)


def test_names_stay_text_when_read_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    frame = pd.DataFrame(
        {"generator": ["NA", "1"], "group": ["01", "None"], "ratio": [0.5, np.nan]}
    )
    frame.to_csv(path, index=False)
    back = read_table(path)
    assert back["generator"].tolist() == ["NA", "1"] and back["group"].tolist() == ["01", "None"]
    assert np.isnan(back["ratio"].iloc[1])


def test_processes_share_the_drawing_and_a_fault_of_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes whoever draws; a share whose process fails is drawn here, or its fault comes up."""
    alone, shared = (verify_run(tmp_path / name) for name in ("alone", "shared"))
    paths = figures.render("all", alone)
    monkeypatch.setattr(shares, "FEW", 1)
    found = figures.render("all", shared, workers=2)
    assert [path.relative_to(shared) for path in found] == [p.relative_to(alone) for p in paths]
    for one, other in zip(paths, found, strict=True):
        assert one.read_bytes() == other.read_bytes()
    monkeypatch.setattr(shares.sys, "executable", "false")
    (shared / "figures" / paths[2].name).unlink()
    assert (
        figures.render("all", shared, workers=2) == found
        and (shared / "figures" / paths[2].name).is_file()
    )
