"""Claims of one's own: a file of claims run by the installed command, and what it may get wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import synthlaw
from simulations.problems import InputError
from synthlaw.checks import template
from synthlaw.claims.own import read_claims

HEAD = """
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.record import Claim, Twin

def rows(gap):
    return lambda lab: exact_rows(["cell"], [gap], [0.0], 1.0)

def claim(id="own-gap", family="own", kind="exact", evidence=rows(0.5), twin=Twin("Off.", rows(2.0))):
    return Claim(id, family, kind, "Gap", "A gap.", "", "own", "n.md", (), evidence, twin)
"""


def _file(folder: Path, tail: str) -> Path:
    path = folder / "my claims.py"
    path.write_text(HEAD + tail, encoding="utf-8")
    return path


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "synthlaw"), "verify", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_printed_file_of_claims_runs_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(template("claim"), encoding="utf-8")
    found = synthlaw.verify(module=path)["claims"]
    assert [each["outcome"] for each in found] == ["supported", "supported"]
    assert [each["twin"]["outcome"] for each in found] == ["contradicted", "contradicted"]


def test_a_strangers_claims_get_the_same_page_verdicts_and_exit_status(tmp_path: Path) -> None:
    path = _file(tmp_path, 'CLAIMS = (claim(), claim("own-wrong", evidence=rows(3.0)))')
    good = _run(tmp_path, "--module", path.name, "--claim", "own-gap", "--out", "good")
    assert good.returncode == 0, good.stderr
    bad = _run(tmp_path, "--module", path.name, "--out", "bad")
    assert bad.returncode == 1
    (entry,) = json.loads((tmp_path / "good" / "verdicts.json").read_text())["claims"]
    assert entry["outcome"] == "supported" and entry["twin"]["outcome"] == "contradicted"
    # The command it names reproduces it, spaces in the file's name included.
    assert entry["reproduce"].endswith("--module 'my claims.py' --claim own-gap")
    assert "own-gap" in (tmp_path / "good" / "report.html").read_text()


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ("", "holds no tuple CLAIMS"),
        ("CLAIMS = ()", "holds no tuple CLAIMS"),
        ("CLAIMS = (1,)", r"CLAIMS\[0\] is of type int"),
        ("CLAIMS = (claim(), claim())", "two claims have the id 'own-gap'"),
        ('CLAIMS = (claim("Own Gap"),)', "the id of .* is 'Own Gap'; give lower-case"),
        ('CLAIMS = (claim("../gap"),)', "the id of .* is '../gap'; give lower-case"),
        ('CLAIMS = (claim(kind="exacd"),)', "'exacd'; did you mean 'exact'?"),
        ("CLAIMS = (claim(twin=None),)", "own-gap has no wrong twin"),
        ("CLAIMS = (clam(),)", r"line 10: NameError \(name 'clam' is not defined"),
        ("CLAIMS = (", "line 10: SyntaxError"),
        ("CLAIMS = [claim(evidence=lambda lab: 1 / 0)]", "the evidence of own-gap, line 10: Zero"),
        ("CLAIMS = [claim(evidence=lambda lab: 1)]", "own-gap: the evidence is no table with rows"),
        (
            "CLAIMS = [claim(kind='distribution')]",
            "own-gap: evidence of kind distribution has no column distance",
        ),
    ],
)
def test_a_fault_of_the_file_is_one_sentence(tmp_path: Path, tail: str, words: str) -> None:
    path = _file(tmp_path, tail)
    with pytest.raises(InputError, match=words) as caught:
        synthlaw.verify(module=path, out=tmp_path / "out")
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert not (tmp_path / "out").exists()


def test_from_outside_a_fault_exits_2_and_leaves_nothing(tmp_path: Path) -> None:
    for arguments, words in (
        (("--module", "none.py"), "none.py: there is no such file"),
        (("--module", _file(tmp_path, "CLAIMS = (claim(),)").name, "--claim", "x"), "--claim x"),
    ):
        done = _run(tmp_path, *arguments, "--out", "out")
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "my_numbers.py").write_text("GAP = 0.25\n")
    path = _file(tmp_path, "import my_numbers\nCLAIMS = (claim(evidence=rows(my_numbers.GAP)),)")
    (claim,) = read_claims(path)
    (entry,) = synthlaw.verify(module=path)["claims"]
    assert claim.id == "own-gap" and entry["estimate"] == 0.25
