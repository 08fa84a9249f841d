"""A cell in which more than 1 % of the fits fail is flagged wherever its estimate is shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from test_report import Page, claim, made_up

import synthlaw
from figures import agreement, distance, ladder, points, ratio_curve, slack, verdict_board
from figures import worst_group as worst
from figures.tidy import read_table
from simulations.runs.flags import FAILURE_LIMIT, FAILURES, MEANING, flags
from synthlaw.claims.evidence import compare, flagged
from synthlaw.simulating.screen import flag_sentence, simulation_rows
from synthlaw.verifying.report import report
from synthlaw.verifying.terminal import summary
from synthlaw.words import flag_sentence as claim_sentence
from tests.drawn import bars, words
from tests.teaching_tables import CELLS, RATIOS, ladder_table, made_up_claim, tidy_table


def is_open(container: Any) -> bool:
    return to_rgba(container.lines[0].get_markerfacecolor()) == to_rgba("white")


def open_places(axes: Axes) -> list[list[float]]:
    """Where the open points of a panel stand."""
    found = [np.asarray(bar.lines[0].get_xydata()) for bar in bars(axes) if is_open(bar)]
    return np.concatenate(found).tolist() if found else []


@pytest.mark.parametrize("replicates", [100, 700, 2900, 1_000_000])
def test_exactly_one_percent_is_not_flagged(replicates: int) -> None:
    limit = round(FAILURE_LIMIT * replicates)
    got = flags(np.array([0, limit, limit + 1, replicates]), np.full(4, replicates))
    assert got.tolist() == ["", "", FAILURES, FAILURES]


def test_figures_name_a_flag_as_the_simulation_does() -> None:
    """Figures import nothing from the simulations, so the words stand twice."""
    assert points.MEANING == MEANING


@pytest.fixture(scope="module")
def few_rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Twelve and six rows in five dimensions: most raw samples are separable, and none with 40
    times as many rows."""
    out = tmp_path_factory.mktemp("few")
    sweep = {
        "setting": {"kind": "imbalance", "dim": 5},
        "counts": {"majority": 12, "minority": 6},
        "synthetic": {"ratios": [0, 1]},
        "sweep": {"counts.minority": [6, 240], "counts.majority": [12, 480]},
    }
    return synthlaw.simulate(sweep, out, replicates=100), out


def test_the_table_flags_cells_by_their_failures(few_rows: tuple[Any, Path]) -> None:
    table, out = few_rows
    share = table["failures"] / table["replicates"]
    assert ((table["flag"] == FAILURES) == (share > FAILURE_LIMIT)).all()
    small = (table["counts.minority"] == 6) & (table["counts.majority"] == 12)
    large = (table["counts.minority"] == 240) & (table["counts.majority"] == 480)
    assert (share[small] > 0.1).all() and (table.loc[small, "flag"] == FAILURES).all()
    assert (table.loc[large, "flag"] == "").all()
    # The last column of the simulation, before the swept keys; empty in the file where empty here.
    columns = list(table.columns)
    assert columns[columns.index("failures") + 1] == "flag" and "." in columns[-1]
    written = read_table(out / "table.csv")["flag"]
    assert (written.fillna("") == table["flag"]).all()


def test_the_screen_flags_cells_and_says_what_it_means(
    few_rows: tuple[Any, Path],
) -> None:
    table, _ = few_rows
    columns, rows = simulation_rows(table)
    shown = [row[columns.index("flag")] for row in rows]
    assert set(shown) == {"", FAILURES} and len(shown) == 8
    sentence = flag_sentence(table)
    assert sentence.startswith(f"{shown.count(FAILURES)} of 8 cells flagged: {MEANING}")
    assert "estimator.ridge" in sentence
    assert flag_sentence(table.assign(flag="")) == ""


def test_curves_draw_flagged_estimates_open() -> None:
    table = tidy_table()
    chosen = (table["generator"] == "oracle") & (table["ratio"] == RATIOS[1])
    marked = table.assign(flag=np.where(chosen, FAILURES, ""))
    for draw in (ratio_curve.draw, worst.draw):
        plain, figure = draw(table), draw(marked)
        assert MEANING in words(figure) and MEANING not in words(plain)
        assert not any(open_places(axes) for axes in plain.axes)
        places = [place for axes in figure.axes for place in open_places(axes)]
        assert places and all(abs(x - RATIOS[1]) < 0.03 for x, _ in places)


def test_a_flagged_level_carries_an_open_point() -> None:
    table = tidy_table()
    marked = table.assign(flag=np.where(table["generator"] == "reweight", FAILURES, ""))
    level = table.query(
        "generator == 'reweight' and metric == 'excess_risk' and group == 'balanced'"
    )["estimate"].iloc[0]
    for rows, expected in ((marked, [level]), (table, [])):
        figure = ratio_curve.draw(rows)
        points = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
        heights = [float(np.asarray(line.get_ydata())[0]) for line in points]
        np.testing.assert_allclose(heights, expected)
        assert (MEANING in words(figure)) == bool(expected)


def _drawn(name: str, table: pd.DataFrame) -> Figure:
    if name == "ladder":
        return ladder.draw(table, margin=0.02, intercept=1.0, intercept_se=0.01)
    if name == "distance":
        return distance.draw(table, margin=0.05)
    return {"slack": slack, "agreement": agreement}[name].draw(table)


@pytest.mark.parametrize("name", ["ladder", "slack", "agreement", "distance"])
def test_evidence_is_drawn_open_where_flagged(name: str) -> None:
    table = ladder_table() if name == "ladder" else CELLS
    one = table.assign(flag=[FAILURES, *[""] * (len(table) - 1)])
    for rows, count in ((one, 1), (table.assign(flag=FAILURES), len(table)), (table, 0)):
        figure = _drawn(name, rows)
        assert len(open_places(figure.axes[0])) == count
        written = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        # Named once, however many series are flagged; and no series loses its name.
        assert written.count(MEANING) == (count > 0)
        assert len(written) - (count > 0) == len(_drawn(name, table).legends[0].get_texts())


def test_evidence_of_two_cells_is_flagged_when_either_is() -> None:
    """A sum of both would hide 1.5 % of one beside 0 % of the other."""
    numbers = {"estimate": [1.0, 1.0], "se": 0.1, "replicates": 1000}
    one = pd.DataFrame({**numbers, "failures": [15, 10], "flag": [FAILURES, ""]})
    other = pd.DataFrame({**numbers, "failures": [0, 10], "flag": ["", ""]})
    for first, second in ((one, other), (other, one)):
        both = compare(first, second, ["a", "b"])
        assert both["flag"].tolist() == [FAILURES, ""]
        assert flagged(both)["flag"].tolist() == [FAILURES, ""]
        assert flagged(both.drop(columns="flag"))["flag"].tolist() == ["", ""]


def test_the_report_flags_claims(tmp_path: Path) -> None:
    clean, marked = claim("first", flagged_rows=0), claim("second", flagged_rows=2)
    assert claim_sentence(clean) == "" and "in 2 rows" in claim_sentence(marked)
    page = Page(report(made_up(clean, marked), tmp_path))
    title = made_up(marked)["claims"][0]["title"]
    where = (
        f"1 claim rests on cells in which {MEANING} ✔ {title} ( second ): {claim_sentence(marked)}."
    )
    assert where in page.text
    assert f"Flagged: {claim_sentence(marked)}." in page.text
    assert summary(made_up(clean, marked)).endswith(f"{MEANING} in some cells: second")
    assert summary(made_up(clean)).endswith("contradicted")
    without = Page(report(made_up(clean), tmp_path))
    assert "Flagged" not in without.text and MEANING not in without.text


def test_the_board_marks_flagged_claims() -> None:
    claims = [made_up_claim("one", "constant"), made_up_claim("two", "constant")]
    plain = verdict_board.draw({"claims": claims})
    claims[1]["flagged_rows"] = 3
    figure = verdict_board.draw({"claims": claims})
    assert [is_open(bar) for bar in bars(figure.axes[0])] == [False, True]
    assert "Title of two †" in words(figure) and "Title of one †" not in words(figure)
    assert "†" not in words(plain) and MEANING in figure.get_suptitle()


def test_a_claim_counts_its_flagged_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthlaw.claims import registry
    from synthlaw.claims.lab import PRESETS, Lab
    from synthlaw.verifying import verification

    known = next(each for each in registry() if each.id == "imbalance-log-odds")
    for failed, expected in ((10, 0), (11, 1)):

        def evidence(lab: Lab, failed: int = failed) -> pd.DataFrame:
            table = known.evidence(lab)
            failures = [failed, *[0] * (len(table) - 1)]
            return table.assign(replicates=1000, failures=failures)

        entry, table = verification.run_claim(
            known._replace(evidence=evidence), Lab(PRESETS["quick"])
        )
        assert entry["flagged_rows"] == expected == (table["flag"] == FAILURES).sum()
        assert json.loads(json.dumps(entry))["flagged_rows"] == expected
