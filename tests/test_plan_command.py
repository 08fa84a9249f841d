"""``synthlaw plan`` from outside: what it leaves, and one sentence for whatever is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw
from synthlaw import cli
from tests import commands
from tests.commands import COMMAND, refused, refused_alike, tree


def made(n0: int = 150, n1: int = 30, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    y = np.repeat([0, 1], [n0, n1])
    table = pd.DataFrame(random.standard_normal((n0 + n1, 3)), columns=["a", "b", "c"])
    table["a"] += 1.2 * y
    table["sex"] = random.choice(["f", "m"], n0 + n1)
    table["y"] = y
    return table.sample(frac=1.0, random_state=1).reset_index(drop=True)


def write(folder: Path, name: str, table: Any) -> None:
    table.to_csv(folder / name, index=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    good = made()
    write(tmp_path, "good.csv", good)
    write(tmp_path, "one.csv", good.assign(y=1))
    write(tmp_path, "three.csv", good.assign(y=np.arange(180) % 3))
    write(tmp_path, "few.csv", pd.concat([good[good.y == 0], good[good.y == 1].head(4)]))
    write(tmp_path, "equal.csv", pd.concat([good[good.y == 0].head(30), good[good.y == 1]]))
    write(tmp_path, "unlabelled.csv", good.assign(y=""))
    write(tmp_path, "word.csv", good.assign(b=good.b.astype(str).where(good.index != 6, "abc")))
    write(tmp_path, "infinite.csv", good.assign(b=good.b.where(good.index != 3, np.inf)))
    write(tmp_path, "bare.csv", good[["y"]])
    write(tmp_path, "other.csv", good.rename(columns={"c": "d"}))
    write(tmp_path, "less.csv", good.drop(columns="c"))
    write(tmp_path, "alien.csv", good.assign(y=7))
    write(tmp_path, "majority.csv", good[good.y == 0])
    write(tmp_path, "texts.csv", good.assign(c="red"))
    write(tmp_path, "many.csv", good.assign(sex=np.arange(180) % 30))
    texts = {"empty.csv": "", "header.csv": "a,y\n", "ragged.csv": "a,y\n1,0\n2\n3,1\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary.csv").write_bytes(b"PK\x03\x04\x00\xff\xfe" * 9)
    (tmp_path / "twice.csv").write_text("a,a,y\n1,1,1\n")
    (tmp_path / "a_folder").mkdir()
    return tmp_path


def run(*arguments: str) -> int:
    return commands.run("plan", *arguments)


Y = ["--label", "y"]
BAD: list[tuple[list[str], list[str]]] = [
    (["nowhere.csv", *Y], ["nowhere.csv", "no such file"]),
    (["a_folder", *Y], ["a_folder is a folder", "name a CSV file"]),
    (["empty.csv", *Y], ["empty.csv is empty", "header line"]),
    (["header.csv", *Y], ["header.csv", "no rows"]),
    (["ragged.csv", *Y], ["ragged.csv", "differ in length", "mend"]),
    (["binary.csv", *Y], ["binary.csv", "CSV"]),
    (["twice.csv", *Y], ["two columns named 'a'", "its own name"]),
    (["good.csv", "--label", "sx"], ["no column 'sx' (--label)", "did you mean 'sex'?"]),
    (["good.csv", *Y, "--group", "sexe"], ["no column 'sexe' (--group)", "did you mean 'sex'?"]),
    (["good.csv", *Y, "--group", "y"], ["--label and --group", "leave out"]),
    (["good.csv"], ["--label", "--help"]),
    (["one.csv", *Y], ["holds '1' in every row", "two classes"]),
    (["three.csv", *Y], ["holds 3 values", "'0', '1', '2'", "two"]),
    (["good.csv", "--label", "a"], ["holds 180 values", "two"]),
    (["few.csv", *Y], ["class '1' has 4 row(s)", "needs 5"]),
    (["equal.csv", *Y], ["every class has 30 rows", "nothing to balance"]),
    (["unlabelled.csv", *Y], ["column 'y' (--label) is empty"]),
    (["word.csv", *Y], ["word.csv: row 7, column 'b'", '"abc" is no number', "leave it empty"]),
    (["infinite.csv", *Y], ["row 4, column 'b'", "infinity"]),
    (["bare.csv", *Y], ["no column to learn from"]),
    (["many.csv", *Y, "--group", "sex"], ["groups", "more than 20"]),
    (["good.csv", *Y, "--generator", "smot"], ["--generator 'smot'", "did you mean 'smote'?"]),
    (
        ["good.csv", *Y, "--generator", "smote", "--synthetic", "good.csv"],
        ["--generator and --synthetic", "keep one"],
    ),
    (["good.csv", *Y, "--heldout", "good.csv"], ["--heldout", "--synthetic"]),
    (
        ["good.csv", *Y, "--synthetic", "other.csv"],
        ["other.csv (--synthetic) has a column 'd'", "good.csv has not"],
    ),
    (["good.csv", *Y, "--synthetic", "less.csv"], ["less.csv (--synthetic) has no column 'c'"]),
    (
        ["good.csv", *Y, "--synthetic", "texts.csv"],
        ["texts.csv (--synthetic): column 'c' holds 'red'", "numbers"],
    ),
    (["good.csv", *Y, "--synthetic", "alien.csv"], ["row 1", "'7'", "does not have"]),
    (["good.csv", *Y, "--synthetic", "majority.csv"], ["no row", "'1'"]),
    (["good.csv", *Y, "--synthetic", "nowhere.csv"], ["nowhere.csv", "no such file"]),
    (
        ["good.csv", *Y, "--synthetic", "good.csv", "--heldout", "less.csv"],
        ["less.csv (--heldout) has no column 'c'"],
    ),
    (["good.csv", *Y, "--seed", "-1"], ["--seed is -1"]),
    (["good.csv", *Y, "--out", "good.csv"], ["good.csv is not a folder", "--out"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: " ".join(v[:1] + v[3:]))
def test_bad_input_is_one_sentence_and_leaves_nothing(folder, capsys, arguments, words) -> None:
    refused(folder, capsys, ["plan", *arguments], words)


@pytest.mark.parametrize("case", [0, 11, 17, 24])
def test_the_installed_command_says_the_same(folder: Path, capsys, case: int) -> None:
    refused_alike(folder, capsys, ["plan", *BAD[case][0]])


def holds_contract(plan: dict[str, Any]) -> None:
    """Raise unless ``plan`` has the shape that design.md promises of plan.json."""
    assert {
        "rows",
        "minority",
        "recommendation",
        "null_model",
        "symmetry_test",
        "generator",
    } <= set(plan)
    assert {"curve", "calibration", "memorisation", "warnings"} <= set(plan)
    advice = plan["recommendation"]
    assert {"rows", "low", "high", "help", "reason"} <= set(advice)
    assert isinstance(advice["help"], bool) and isinstance(advice["rows"], int)
    assert advice["low"] <= advice["rows"] <= advice["high"]
    assert advice["rows"] == (advice["best_rows"] if advice["help"] else 0)
    assert {"statistic", "df", "p"} <= set(plan["symmetry_test"])
    assert {"kind", "quality_score", "bias_share"} <= set(plan["generator"])
    for row in plan["curve"]:
        assert {"rows", "predicted", "low", "high"} <= set(row)
        assert 0.0 < row["low"] <= row["predicted"] <= row["high"]
    assert [row["rows"] for row in plan["curve"]] == sorted(row["rows"] for row in plan["curve"])
    assert {"before", "after", "correction"} <= set(plan["calibration"])
    assert all(set(each) == {"code", "text"} for each in plan["warnings"])


def test_the_installed_command_leaves_what_the_contract_says(folder: Path) -> None:
    arguments = ["good.csv", *Y, "--generator", "gaussian", "--out", "run", "--json"]
    done = subprocess.run(
        [COMMAND, "plan", *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert shown == json.loads((folder / "run" / "plan.json").read_text()) and shown["schema"] == 1
    holds_contract(shown)
    assert (shown["rows"], shown["minority"], shown["memorisation"]) == (180, 30, None)
    about = json.loads((folder / "run" / "plan.config.json").read_text())
    assert about["plan"]["table"] == "good.csv" and about["plan"]["generator"] == "gaussian"
    curve = pd.read_csv(folder / "run" / "tables" / "plan_curve.csv")
    assert len(curve) == len(shown["curve"])
    pictures = {path.name for path in (folder / "run" / "figures").iterdir()}
    assert pictures == {"plan_curve.png", "plan_curve.svg", "plan_curve.csv"}


def test_words_pictures_and_quiet(folder: Path, capsys) -> None:
    assert run("good.csv", *Y, "--generator", "duplicate", "--out", "run") == 0
    shown = capsys.readouterr().out
    for word in ("reweighted", "fully balanced", "log odds", "run/plan.json", "synthetic rows"):
        assert word in shown
    before = tree(folder / "run" / "figures")
    for path in (folder / "run" / "figures").iterdir():
        path.unlink()
    with pytest.raises(SystemExit):
        cli.main(["figure", "all", "--from", "run"])
    assert tree(folder / "run" / "figures") == before
    capsys.readouterr()
    assert run("good.csv", *Y, "--generator", "reweight", "--out", "run", "--quiet") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    plan = json.loads((folder / "run" / "plan.json").read_text())
    holds_contract(plan)
    assert not plan["recommendation"]["help"] and plan["recommendation"]["instead"] == "reweight"
    assert not list((folder / "run").glob(".plan.*"))


def test_every_kind_of_column_is_taken() -> None:
    """Text labels, text columns, empty cells, constant, empty and numbering columns, and words for
    nothing."""
    table = made()
    table["y"] = np.where(table.y == 1, "ill", "well")
    table["sex"] = table.sex.where(table.index % 9 != 0, "")
    table["b"] = table.b.astype(object).where(table.index % 7 != 0, "NA")
    table["constant"], table["empty"] = 3.0, np.nan
    table["row"] = np.arange(len(table))
    table["name"] = [f"person {k}" for k in range(len(table))]
    found = synthlaw.plan(table, label="y", generator="smote")
    holds_contract(found)
    assert found["classes"] == {"minority": "ill", "majority": "well"} and found["minority"] == 30
    told = {each["code"]: each["text"] for each in found["warnings"]}
    assert {"constant_column", "empty_column", "index_column", "text_column"} <= set(told)
    assert "'constant'" in told["constant_column"] and "'empty'" in told["empty_column"]
    assert "columns_as_numbers" in told
    # a, b, c and three levels of sex.
    assert found["estimator"]["columns"] == 6
    labels = table.assign(y=table.y.where(table.index != 0, ""))
    again = synthlaw.plan(labels, label="y", generator="duplicate")
    assert again["rows"] == 179 and again["warnings"][0]["code"] == "missing_labels"


def test_groups_are_pairs_of_label_and_attribute() -> None:
    found = synthlaw.plan(made(), label="y", group="sex", generator="duplicate")
    holds_contract(found)
    assert {each["name"] for each in found["groups"]} == {"0, f", "0, m", "1, f", "1, m"}
    assert max(each["lacks"] for each in found["groups"]) > 50
    assert found["estimator"]["columns"] == 3


def changed(table: Any, how: str) -> Any:
    if how == "rows":
        return table.sample(frac=1.0, random_state=5)
    if how == "columns":
        return table[list(table.columns)[::-1]]
    if how == "labels":
        return table.assign(y=np.where(table.y == 1, "aaa", "zzz"))
    return table.assign(a=table.a * 1000.0, b=0.01 * table.b + 7.0)


@pytest.mark.parametrize("how", ["rows", "columns", "labels", "scales"])
@pytest.mark.parametrize("generator", ["duplicate", "gaussian", "smote"])
def test_order_names_and_units_do_not_matter(how: str, generator: str) -> None:
    """Twin: another table's plan is another."""
    one = synthlaw.plan(made(), label="y", generator=generator)
    two = synthlaw.plan(changed(made(), how), label="y", generator=generator)
    assert one["recommendation"]["best_rows"] == two["recommendation"]["best_rows"]
    assert one["recommendation"]["help"] == two["recommendation"]["help"]
    for a, b in zip(one["curve"], two["curve"], strict=True):
        assert (a["rows"], a["predicted"]) == (b["rows"], pytest.approx(b["predicted"], rel=1e-6))
    other = synthlaw.plan(made(seed=9), label="y", generator=generator)
    assert other["curve"][0]["predicted"] != pytest.approx(one["curve"][0]["predicted"], rel=1e-3)


def test_a_large_table_is_planned_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the rows, said so: the number of rows is that of the whole table, and predictions lie near
    those of all rows, within three of their standard errors."""
    table = made(1500, 300)
    whole = synthlaw.plan(table, label="y", generator="duplicate")
    for name, rows in (("MOST_ROWS", 900), ("LARGEST_SAMPLE", 900)):
        monkeypatch.setattr(f"synthlaw.planning.plan.{name}", rows)
    half = synthlaw.plan(table, label="y", generator="duplicate")
    assert "sampled_rows" in {each["code"] for each in half["warnings"]}
    assert (half["rows"], half["minority"]) == (1800, 300)
    full = [next(r for r in each["curve"] if r["ratio"] == 1.0) for each in (whole, half)]
    assert full[0]["rows"] == full[1]["rows"] == 1200
    se = (full[1]["high"] - full[1]["low"]) / 4.0
    assert abs(full[0]["predicted"] - full[1]["predicted"]) < 3.0 * se
    assert full[1]["variance"] == pytest.approx(full[0]["variance"], rel=0.6)


def test_help_comes_without_numpy() -> None:
    code = (
        "import sys; from synthlaw import cli\n"
        "try: cli.main(['plan', '--help'])\n"
        "except SystemExit: print([m for m in ('jax', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]") and "Example:" in done.stdout
