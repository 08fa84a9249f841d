"""Curves along the ratio, the rows and the groups show what they must; every table is made up and small."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from figures import divergence, ratio_curve, style, synthetic_curve, token_risk
from figures import worst_group as worst
from figures.pictures import pictures
from figures.tidy import panels, running_column, where
from tests.drawn import bars, curve, half_widths, named_axes, words
from tests.teaching_tables import GROUPS, divergence_table, synthetic_table, tidy_table
from tests.teaching_tokens import token_risk_table


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
    assert colours == {style.PALETTE[0], style.PALETTE[2]}
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


def test_a_generator_without_a_number_has_no_entry_and_keeps_the_colours_of_the_others() -> None:
    table = tidy_table()
    first = table["generator"] == table["generator"].iloc[0]
    table.loc[first, ["predicted", "estimate", "se"]] = np.nan
    legends = [ratio_curve.draw(each).legends[0] for each in (tidy_table(), table)]
    looks = [
        {str(line.get_label()): line.get_color() for line in legend.get_lines()}
        for legend in legends
    ]
    assert looks[0].keys() - looks[1].keys() == {table["generator"].iloc[0]}
    assert looks[1].items() <= looks[0].items()


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


def test_divergences_that_no_ratio_changes_are_a_list_and_no_curve(tmp_path: Path) -> None:
    table = divergence_table()
    axes = divergence.draw(table).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["oracle", "transformer, 4 layers, step 1", "histogram"]
    # Two generators off the truth and two groups; the oracle's zeros are written.
    heights = [np.asarray(bar.lines[0].get_xdata(), float) for bar in bars(axes)]
    np.testing.assert_allclose(sorted(np.concatenate(heights)), [1.2e-3, 4.8e-3, 0.12, 0.48])
    assert [text.get_text() for text in axes.texts] == ["0", "0"]
    assert axes.get_xscale() == "log" and "nats" in axes.get_xlabel()
    with pytest.raises(ValueError, match="all are empty"):
        divergence.draw(table.assign(predicted=np.nan, estimate=np.nan))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "divergence"),
        # Another number of seeds makes another law: a curve along the seeds.
        ({"counts.a": 2000}, "ratio_curve"),
        # What a ratio changes stays a curve along the ratio.
        ({"ratio": 0.5, "predicted": 9.0}, "ratio_curve"),
    ],
)
def test_a_run_shows_divergences_where_they_vary(
    change: dict[str, float], expected: str, tmp_path: Path
) -> None:
    """The picture of a run's metric kl by what its table varies."""
    table = divergence_table().assign(setting="tokens", **{"counts.a": 1000})
    table = pd.concat([table, table.query("group == 'minority'").assign(group="balanced")])
    pd.concat([table, table.assign(**change)]).to_csv(tmp_path / "table.csv", index=False)
    found = {each.name: each for each in pictures(tmp_path)}
    name = "divergence" if expected == "divergence" else "ratio_curve_kl"
    assert found[name].figure == expected
    drawn = found[name].draw()
    if "counts.a" in change:
        assert drawn.axes[-1].get_xlabel() == "counts.a"


def test_a_generator_looks_the_same_in_all_pictures_of_a_run() -> None:
    """Also where a picture shows fewer of them, or names them otherwise."""
    risks = token_risk_table((30.0, 1000.0))
    sweep = tidy_table(("oracle", "transformer[1;1]", "reweight"))
    few = ratio_curve.draw(tidy_table(("transformer[1;1]", "oracle")))

    def look(figure: Figure, name: str) -> tuple[Any, Any]:
        (line,) = [each for each in figure.legends[0].get_lines() if each.get_label() == name]
        return line.get_color(), line.get_marker()

    for name in ("oracle", "transformer, 1 layer, step 1"):
        assert look(ratio_curve.draw(sweep), name) == look(few, name)
    seeds = token_risk.seeds(risks)
    assert look(seeds, "oracle") == look(few, "oracle")
    assert look(seeds, "1 layer") == look(few, "transformer, 1 layer, step 1")
