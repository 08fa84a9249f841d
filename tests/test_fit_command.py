"""``synthlaw fit`` from outside: what it leaves, and one sentence for whatever is wrong.

Long because a third of it is the table of what is refused, with the words of each refusal.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import figures
import synthlaw
from synthlaw import cli, resultfolder
from tests import commands
from tests.commands import COMMAND, refused, refused_alike, tree

ROWS = np.array([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200])
FLOOR, EXPONENT = 0.2, 0.5
# Interval ends are compared with the truth at 4.9 standard errors and more: a curve with noise of one
# fixed seed, whose interval is asked to hold the truth once widened by 3.
WIDENED = 3.0


def made(seed: int = 0, floor: float = FLOOR, exponent: float = EXPONENT) -> pd.DataFrame:
    y = floor + 4.0 * ROWS**-exponent
    se = 0.01 * y
    noise = np.random.default_rng(seed).standard_normal(len(ROWS))
    return pd.DataFrame({"rows": ROWS, "error": y + se * noise, "se": se})


def lines(**changes: Any) -> str:
    """The made table as CSV with some cells changed: ``error_3="abc"`` is row 3 of column error."""
    table = made().astype(object)
    for place, value in changes.items():
        name, _, row = place.rpartition("_")
        table.loc[int(row) - 1, name] = value
    return table.to_csv(index=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made().to_csv("good.csv", index=False)
    several = [made(k, floor).assign(model=f"m{k}", size=k) for k, floor in enumerate((0.1, 0.3))]
    pd.concat(several).to_csv("models.csv", index=False)
    made().head(3).to_csv("three.csv", index=False)
    shorter = several[1].head(3)
    pd.concat([several[0], shorter]).to_csv("shorter.csv", index=False)
    texts = {
        "empty.csv": "",
        "header.csv": "rows,error\n",
        "headless.csv": "100,0.5\n200,0.4\n",
        "twice.csv": "rows,rows,error\n1,1,1\n",
        "ragged.csv": "rows,error\n100,0.5\n200\n",
        "quotes.csv": 'rows,error\n100,"0.5\n',
        "word.csv": lines(error_3="abc"),
        "comma.csv": lines(rows_4='1,600'),
        "nan.csv": lines(error_5="nan"),
        "infinite.csv": lines(rows_2="inf"),
        "zero.csv": lines(rows_1=0),
        "negative.csv": lines(rows_6=-3),
        "noerror.csv": lines(se_7=0),
        "minus.csv": lines(se_8=-0.1),
        "unmeasured.csv": made().assign(error="").to_csv(index=False),
        "below.csv": lines(error_2=-0.5),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary.csv").write_bytes(b"PK\x03\x04\x00\xff\xfe" * 9)
    (tmp_path / "latin.csv").write_bytes("größe,error\n1,2\n".encode("latin-1"))
    (tmp_path / "a_folder").mkdir()
    return tmp_path


def run(*arguments: str) -> int:
    return commands.run("fit", *arguments)


USUAL = ["--x", "rows", "--y", "error"]
# A file and options, words the sentence must hold.
BAD: list[tuple[list[str], list[str]]] = [
    (["nowhere.csv", *USUAL], ["nowhere.csv", "no such file"]),
    (["a_folder", *USUAL], ["a_folder is a folder", "name a CSV file"]),
    (["empty.csv", *USUAL], ["empty.csv is empty", "header line"]),
    (["header.csv", *USUAL], ["header.csv", "no rows"]),
    (["headless.csv", *USUAL], ["headless.csv", "header line"]),
    (["twice.csv", *USUAL], ["two columns named 'rows'", "its own name"]),
    (["ragged.csv", *USUAL], ["ragged.csv: line 3", "1 cell(s)", "has 2"]),
    (["quotes.csv", *USUAL], ["quotes.csv", "line 2"]),
    (["binary.csv", *USUAL], ["binary.csv", "CSV"]),
    (["latin.csv", *USUAL], ["latin.csv", "UTF-8"]),
    (["word.csv", *USUAL], ["word.csv: line 4, column 'error'", '"abc" is no number']),
    (["comma.csv", *USUAL], ["comma.csv: line 5, column 'rows'", '"1,600" is no number']),
    (["nan.csv", *USUAL], ["nan.csv: line 6, column 'error'", "nan", "leave the cell empty"]),
    (["infinite.csv", *USUAL], ["infinite.csv: line 3, column 'rows'", "inf"]),
    (["unmeasured.csv", *USUAL], ["unmeasured.csv", "10 of 10 rows", "'error'"]),
    (["good.csv", "--x", "row", "--y", "error"], ["no column 'row' (--x)", "did you mean 'rows'?"]),
    (["good.csv", "--x", "rows", "--y", "loss"], ["no column 'loss' (--y)", "'rows', 'error'"]),
    (["good.csv", *USUAL, "--se", "sd"], ["no column 'sd' (--se)", "columns here"]),
    (["good.csv", *USUAL, "--by", "model"], ["no column 'model' (--by)", "columns here"]),
    (["good.csv", *USUAL, "--by", "se"], ["every row a curve of its own", "--by se"]),
    (["good.csv", "--x", "rows", "--y", "rows"], ["'rows' stands for --x and --y", "once"]),
    (["good.csv", "--x", "rows,,se", "--y", "error"], ["--x", "without a name"]),
    (["good.csv", *USUAL, "--by", "se,se"], ["--by names column 'se' twice"]),
    (["zero.csv", *USUAL], ["zero.csv: line 2, column 'rows'", "0 is not above 0", "--base"]),
    (["negative.csv", *USUAL], ["negative.csv: line 7", "-3 is not above 0", "leave that row out"]),
    (
        ["noerror.csv", *USUAL, "--se", "se"],
        ["noerror.csv: line 8, column 'se'", "0 is no standard"],
    ),
    (
        ["minus.csv", *USUAL, "--se", "se"],
        ["minus.csv: line 9", "-0.1 is no standard", "leave out"],
    ),
    (["three.csv", *USUAL], ["three.csv: 3 point(s)", "--law auto needs 4"]),
    (
        ["three.csv", *USUAL, "--law", "power_floor"],
        ["3 point(s)", "power_floor needs 4", "simpler"],
    ),
    (["shorter.csv", *USUAL, "--by", "model"], ["model = m1: 3 point(s)", "leave that curve out"]),
    (["good.csv", *USUAL, "--law", "powr"], ["--law 'powr'", "did you mean 'power'?"]),
    (["good.csv", *USUAL, "--law", "two_term"], ["two_term", "2 column(s)", "(n,N)", "names 1"]),
    (
        ["good.csv", "--x", "rows,se", "--y", "error"],
        ["--law auto", "1 column(s)", "two_term (n,N)"],
    ),
    (["good.csv", *USUAL, "--weight", "0"], ["--weight is 0", "above 0"]),
    (["good.csv", *USUAL, "--weight", "nan"], ["--weight is nan", "finite"]),
    (["good.csv", *USUAL, "--base", "-5"], ["--base is -5", "at least 0"]),
    (["good.csv", *USUAL, "--base", "many"], ["--base", "valid number"]),
    (
        ["good.csv", "--x", "rows,se", "--y", "error", "--law", "two_term", "--base", "3"],
        ["--base", "one column of x"],
    ),
    (["good.csv", *USUAL, "--at", "soon"], ["--at has 'soon'", "no number"]),
    (["good.csv", *USUAL, "--at", "1e4,-5"], ["--at has -5", "above 0"]),
    (["good.csv", *USUAL, "--at", "1:2"], ["--at has '1:2'", "1 column(s)"]),
    (["good.csv", *USUAL, "--theory", "half"], ["--theory", "valid number"]),
    (["good.csv", *USUAL, "--theory", "0"], ["--theory is 0", "a > 0"]),
    (["good.csv", *USUAL, "--theory", "inf"], ["--theory is inf", "finite"]),
    (["good.csv", *USUAL, "--floor", "-1"], ["--floor is -1", "at least 0"]),
    (["good.csv", *USUAL, "--floor", "1", "--law", "power"], ["power has no floor", "power_floor"]),
    (["good.csv", *USUAL, "--loss", "hubr"], ["--loss 'hubr'", "did you mean 'huber'?"]),
    (["good.csv", *USUAL, "--loss", "huber"], ["--law auto", "name a law"]),
    (["good.csv", *USUAL, "--scale", "ln"], ["--scale 'ln'", "'value', 'log'"]),
    (
        ["below.csv", *USUAL, "--scale", "log", "--law", "power"],
        ["below.csv: line 3", "-0.5 has no logarithm", "--scale value"],
    ),
    (["good.csv", *USUAL, "--seed", "-1"], ["--seed is -1"]),
    (["good.csv", *USUAL, "--out", "good.csv"], ["good.csv is not a folder", "--out"]),
    (["good.csv", "--y", "error"], ["--x", "--help"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: " ".join(v[:1] + v[5:]))
def test_bad_input_is_one_sentence_and_leaves_nothing(folder, capsys, arguments, words) -> None:
    refused(folder, capsys, ["fit", *arguments], words)


def test_too_many_curves_are_refused(folder: Path, capsys) -> None:
    many = pd.concat([made().head(2).assign(model=k) for k in range(1001)])
    many.to_csv("many.csv", index=False)
    assert run("many.csv", *USUAL, "--by", "model") == 2
    assert "1001 curves, more than 1000" in capsys.readouterr().err


# The one sentence as the installed command says it, for one fault of each stage.
@pytest.mark.parametrize("case", [0, 10, 30, 38])
def test_the_installed_command_says_the_same(folder: Path, capsys, case: int) -> None:
    refused_alike(folder, capsys, ["fit", *BAD[case][0]])


NUMBERS = {"value", "se", "low", "high"}


def holds_contract(result: dict[str, Any], forecasts: int) -> None:
    """Raise unless ``result`` has the shape that design.md promises of fit.json."""
    assert result["schema"] == 1
    for entry in result["fits"]:
        assert {"by", "law", "status", "points", "parameters", "criteria", "warnings"} <= set(entry)
        assert all(isinstance(value, str) for value in entry["by"].values())
        assert isinstance(entry["law"], str) and isinstance(entry["points"], int)
        for each in entry["parameters"].values():
            assert set(each) == NUMBERS
            assert all(np.isfinite(each[name]) for name in NUMBERS)
            assert each["low"] <= each["value"] <= each["high"]
        assert all(set(each) == {"code", "text"} for each in entry["warnings"])
        assert len(entry["forecast"]) == forecasts
        for each in entry["forecast"]:
            assert set(each) == {"x", "value", "low", "high"}
            assert each["low"] <= each["value"] <= each["high"]
        if entry["theory"] is not None:
            assert {"exponent", "outcome", "resolution"} <= set(entry["theory"])
            assert entry["theory"]["outcome"] in ("supported", "contradicted", "unresolved")


def test_the_installed_command_leaves_what_the_contract_says(folder: Path) -> None:
    options = [*USUAL, "--se", "se", "--by", "model", "--theory", "0.5", "--at", "1e5,2e5"]
    arguments = ["models.csv", *options, "--law", "power_floor", "--out", "run", "--json"]
    done = subprocess.run(
        [COMMAND, "fit", *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert shown == json.loads((folder / "run" / "fit.json").read_text())
    holds_contract(shown, forecasts=2)
    assert [each["by"] for each in shown["fits"]] == [{"model": "m0"}, {"model": "m1"}]
    for entry, floor in zip(shown["fits"], (0.1, 0.3), strict=True):
        assert (entry["law"], entry["status"], entry["points"]) == ("power_floor", "fitted", 10)
        for name, truth in {"floor": floor, "exponent": EXPONENT, "amplitude": 4.0}.items():
            found = entry["parameters"][name]
            assert found["low"] - found["value"] < truth - found["value"] < found["high"] or (
                abs(truth - found["value"]) < WIDENED * found["se"]
            )
        assert [each["x"] for each in entry["forecast"]] == [1e5, 2e5]
        assert entry["theory"]["outcome"] in ("supported", "unresolved")
    about = json.loads((folder / "run" / "fit.config.json").read_text())
    assert about["fit"]["table"] == "models.csv" and about["fit"]["by"] == ["model"]
    assert about["versions"]["synthlaw"] == synthlaw.__version__
    names = ("curve", "residuals", "profile", "ridge", "exponents")
    pictures = {f"fit_{name}.{suffix}" for name in names for suffix in ("png", "svg", "csv")}
    assert {path.name for path in (folder / "run" / "figures").iterdir()} == pictures


def test_a_simulated_table_is_fitted_as_the_readme_says(folder: Path) -> None:
    """The README's commands on the authors' protocol, with few replicates: every curve has ten sizes and
    its balanced excess risk under the right law falls with an exponent that is bounded."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done

    (folder / "craft.toml").write_text(command("init", "--kind", "craft").stdout)
    command("--quiet", "simulate", "craft.toml", "--out", "craft", "--replicates", "60")
    options = "--x augment --y estimate --se se --law power_floor --by generator,group,metric"
    more = "--base 900 --weight 0.5 --out craft_fits"
    shown = json.loads(
        command("--json", "fit", "craft/table.csv", *options.split(), *more.split()).stdout
    )
    assert {each["points"] for each in shown["fits"]} == {10}
    balanced = {"generator": "oracle", "group": "balanced", "metric": "excess_risk"}
    (found,) = [each for each in shown["fits"] if each["by"] == balanced]
    exponent = found["parameters"]["exponent"]
    assert 0.5 < exponent["low"] < exponent["high"] < 4.0


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([400] * 5, [], "5 points at 1 different x"),
        ([400, 800] * 3, ["--law", "power_floor"], "6 points at 2 different x"),
        ([100, 200, 400, 800, 1600], ["--floor", "5"], "no value of 'error' lies above it"),
    ],
)
def test_points_that_cannot_tell_a_law_are_refused(
    folder: Path, capsys, rows: list[int], options: list[str], said: str
) -> None:
    """As many points as asked for, but at one or two sizes; a floor above all of them."""
    lines = [f"{n},{0.2 + n**-0.5 + 1e-3 * k:.4f}" for k, n in enumerate(rows)]
    (folder / "odd.csv").write_text("\n".join(["rows,error", *lines]))
    assert run("odd.csv", *USUAL, *options, "--out", "odd") == 2
    text = capsys.readouterr().err
    assert said in text and text.count("\n") == 1 and not (folder / "odd").exists()


def test_a_folder_remakes_its_pictures_and_the_next_fit_replaces_them(folder: Path, capsys) -> None:
    assert run("good.csv", *USUAL, "--se", "se", "--law", "power_floor", "--out", "run") == 0
    shown = capsys.readouterr().out
    assert "power_floor" in shown and "exponent" in shown and "run/fit.json" in shown
    before = tree(folder / "run" / "figures")
    for path in (folder / "run" / "figures").iterdir():
        path.unlink()
    with pytest.raises(SystemExit) as left:
        cli.main(["figure", "all", "--from", "run"])
    assert left.value.code == 0
    assert tree(folder / "run" / "figures") == before
    (folder / "run" / "tables" / "other.csv").write_text("of somebody else\n")
    assert run("good.csv", *USUAL, "--law", "reciprocal_floor", "--out", "run", "--quiet") == 0
    assert {path.stem for path in (folder / "run" / "figures").iterdir()} == {
        "fit_curve",
        "fit_residuals",
    }
    assert not (folder / "run" / "tables" / "fit_ridge.csv").exists()
    assert (folder / "run" / "tables" / "other.csv").exists()
    assert not list((folder / "run").glob(".fit.*"))


def test_a_fault_while_drawing_leaves_nothing(folder: Path, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(figures, "render", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        synthlaw.fit("good.csv", x="rows", y="error", law="power", out="run")
    assert not [path for path in (folder / "run").rglob("*") if path.is_file()]


def test_a_kill_while_files_move_leaves_no_result_that_speaks_of_others(
    folder: Path, monkeypatch
) -> None:
    synthlaw.fit("good.csv", x="rows", y="error", law="power", out="run")
    moved: list[object] = []
    replace = resultfolder.os.replace

    def killed(source: object, target: object) -> None:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(resultfolder, "move", killed)
    with pytest.raises(KeyboardInterrupt):
        synthlaw.fit("good.csv", x="rows", y="error", law="power_floor", out="run")
    assert not (folder / "run" / "fit.json").exists()
    monkeypatch.setattr(resultfolder, "move", replace)
    synthlaw.fit("good.csv", x="rows", y="error", law="power_floor", out="run")
    assert json.loads((folder / "run" / "fit.json").read_text())["fits"][0]["law"] == "power_floor"


def test_quiet_says_nothing_and_help_comes_without_jax(folder: Path, capsys) -> None:
    assert run("good.csv", *USUAL, "--law", "power", "--quiet") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    assert (folder / "results" / "fit" / "fit.json").is_file()
    code = (
        "import sys; from synthlaw import cli\n"
        "try: cli.main(['fit', '--help'])\n"
        "except SystemExit: print([m for m in ('jax', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]") and "Example:" in done.stdout
