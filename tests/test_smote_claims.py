"""The claims on SMOTE and their picture."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer

import figures
from figures import smote_law
from figures.faults import FigureError
from synthlaw.claims.generation import smote
from synthlaw.claims.judges import judge
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.record import Claim


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab(PRESETS["quick"], seed=2)


@pytest.mark.parametrize("claim", smote.CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_holds_and_its_twin_does_not(lab: Lab, claim: Claim) -> None:
    """Another seed than the report's; planned to be decided with probability 0.99 or more."""
    margin = claim.margin or lab.preset.margin
    evidence = claim.evidence(lab)
    assert judge(claim.kind, evidence, margin).verdict.outcome in ("supported", "unresolved")
    assert judge(claim.kind, claim.twin.evidence(lab), margin).verdict.outcome == "contradicted"
    assert claim.family == "generation" == claim.id.split("-")[0]
    if claim.kind == "constant":
        assert np.max(evidence["ratio_se"].to_numpy()) < 0.004


def table() -> pd.DataFrame:
    rows = [
        [law, dim, n, 0.9 / n**0.5 if n < 500 else np.nan, 0.01 / n**0.5, 1.0 / n**0.5, leading]
        for law, leading in (("gaussian", np.nan), ("uniform", 0.05))
        for dim in (1, 2)
        for n in (100, 400, 1600)
    ]
    return pd.DataFrame(rows, columns=list(smote_law.COLUMNS))


def test_the_picture_shows_points_where_measured_and_lines_where_known() -> None:
    figure = smote_law.draw(table())
    left, right = figure.axes
    assert [axes.get_title() for axes in (left, right)] == list(smote_law.TITLES.values())
    for axes in (left, right):
        bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
        assert [len(np.asarray(each.lines[0].get_xdata())) for each in bars] == [2, 2]
        low, high = axes.get_ylim()
        assert low < 1.0 / 40.0 and high == 1.0
    lines = [len(np.asarray(line.get_xdata())) for line in right.lines]
    assert lines.count(3) == 4
    with pytest.raises(FigureError, match="leading"):
        smote_law.draw(table().drop(columns="leading"))


def test_a_run_folder_with_the_table_has_the_picture(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "verdicts.json").write_text('{"claims": []}')
    table().to_csv(tmp_path / "tables" / "smote_law.csv", index=False)
    made = figures.render("smote_law", tmp_path)
    assert [path.name for path in made] == ["smote_law.png", "smote_law.svg"]
