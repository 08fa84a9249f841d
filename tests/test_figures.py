"""Whole folders of pictures: remade, named, refused; the same bytes every time."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import figures
from figures import ratio_curve, shares, slack, style
from figures.tidy import read_table
from tests.teaching_tables import (
    CELLS,
    VERDICTS,
    ladder_table,
    made_up_claim,
    synthetic_table,
    tidy_table,
)


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
