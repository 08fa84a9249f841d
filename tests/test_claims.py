"""The registry of claims, and the way from claims to verdicts."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthlaw
from scaling.verdict.equivalence import ALPHA
from simulations.problems import InputError
from synthlaw.claims import listing, registry
from synthlaw.claims.evidence import exact_rows, planted
from synthlaw.claims.experiments import FEWEST
from synthlaw.claims.judges import JUDGES
from synthlaw.claims.lab import PRESETS, Lab
from synthlaw.claims.record import FAMILIES, Claim, Twin
from synthlaw.verifying import soaking, verification

NOTES = Path(__file__).parents[1] / "paper_notes"
KEYS = {
    *("id", "family", "kind", "statement", "source", "note", "assumptions", "outcome"),
    *("prediction", "estimate", "se", "ratio", "ratio_se", "margin", "alpha", "resolution"),
    *("twin", "seconds", "replicates", "failures", "figure", "reproduce"),
}
CHEAP = ["imbalance-log-odds", "imbalance-augment-share"]


def test_the_registry_is_complete_and_consistent() -> None:
    claims = registry()
    assert len({claim.id for claim in claims}) == len(claims) >= 14
    assert {claim.family for claim in claims} == set(FAMILIES)
    assert sum(claim.family == "scaling" for claim in claims) >= 6
    assert sum(claim.family in ("size", "generation") for claim in claims) >= 10
    for claim in claims:
        assert claim.family in FAMILIES, claim.id
        assert claim.kind in JUDGES, claim.id
        assert (NOTES / claim.note).is_file(), claim.id
        assert claim.assumptions and claim.twin.statement and claim.source, claim.id
        assert claim.id.startswith(claim.family), claim.id


def test_a_note_names_every_statement_it_derives() -> None:
    """Each note is read by its claims' figures and reports: it must not be empty."""
    for name in {claim.note for claim in registry()}:
        assert len((NOTES / name).read_text("utf-8").split()) > 200, name


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """One exact and one simulated claim, verified end to end."""
    out = tmp_path_factory.mktemp("verify")
    return synthlaw.verify(claims=CHEAP, out=out), out


def test_verdicts_hold_what_the_contract_says(verified: tuple[dict[str, Any], Path]) -> None:
    verdicts, out = verified
    assert json.loads((out / "verdicts.json").read_text("utf-8")) == verdicts
    assert {"schema", "preset", "seed", "versions", "claims"} <= set(verdicts)
    assert [entry["id"] for entry in verdicts["claims"]] == CHEAP
    for entry in verdicts["claims"]:
        assert KEYS <= set(entry)
        assert set(entry["assumptions"][0]) == {"text", "holds"}
        assert all(item["holds"] for item in entry["assumptions"])
        assert entry["outcome"] == "supported"
        assert set(entry["twin"]) == {"statement", "outcome"}
        assert entry["twin"]["outcome"] == "contradicted"
        assert entry["alpha"] == ALPHA and entry["failures"] == 0
    exact, constant = verdicts["claims"]
    assert exact["resolution"] is None and exact["replicates"] == 0
    assert 0.02 < constant["resolution"] <= 0.05 and constant["replicates"] >= 3 * FEWEST
    assert abs(constant["ratio"] - 1) < 0.02 and 0 < constant["ratio_se"] < 0.01
    assert constant["prediction"] > 0 and constant["se"] > 0


def test_a_verification_leaves_report_tables_and_figures(
    verified: tuple[dict[str, Any], Path],
) -> None:
    verdicts, out = verified
    assert (out / "report.html").stat().st_size > 1000
    about = json.loads((out / "verify.config.json").read_text())
    assert about["verify"]["preset"] == "quick" and about["verify"]["claims"] == list(CHEAP)
    assert about["versions"] == verdicts["versions"]
    for entry in verdicts["claims"]:
        assert (out / "tables" / f"{entry['id']}.csv").is_file()
        assert (out / entry["figure"]).is_file()
        assert entry["id"] in entry["reproduce"]


def test_a_fresh_seed_gives_other_numbers_and_the_same_one_the_same() -> None:
    claims = [claim for claim in registry() if claim.id == CHEAP[1]]
    ratios = []
    for seed in (5, 5, 6):
        verdicts, _ = verification.run(Lab(PRESETS["quick"], seed), claims)
        ratios.append(verdicts["claims"][0]["ratio"])
    assert ratios[0] == ratios[1] != ratios[2]


def test_planted_errors_scale_the_prediction_alone() -> None:
    rows = pd.DataFrame({"prediction": [2.0], "estimate": [2.2], "ratio": [1.1], "ratio_se": [0.1]})
    wrong = planted(lambda lab: rows)(Lab(PRESETS["full"]))
    assert wrong["prediction"].iloc[0] == pytest.approx(2.1)
    assert wrong["estimate"].iloc[0] == 2.2
    assert wrong["ratio"].iloc[0] == pytest.approx(1.1 / 1.05)
    assert wrong["ratio_se"].iloc[0] == pytest.approx(0.1 / 1.05)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"claims": ["imbalance-log-odd"]}, "imbalance-log-odds"),
        ({"families": ["imbalanced"]}, "imbalance"),
        ({"preset": "quik"}, "quick"),
    ],
)
def test_misspelt_names_are_met_with_the_nearest_one(arguments: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        synthlaw.verify(**arguments)


def _made_up(
    id: str, gap: float, twin_gap: float, family: str = "imbalance", noise: float = 1e-3
) -> Claim:
    def off_by(distance: float) -> Any:
        return lambda lab: exact_rows(["cell"], [distance], [0.0], 1.0, se=[noise])

    model = registry()[0]
    return model._replace(
        id=id,
        family=family,
        kind="exact",
        evidence=off_by(gap),
        twin=Twin("The planted error.", off_by(twin_gap)),
        assumptions=(),
    )


@pytest.mark.parametrize(
    ("family", "gap", "twin_gap", "outcome"),
    [
        ("imbalance", 0.5, 2.0, "supported"),
        ("imbalance", 0.5, 0.5, "supported"),
        ("imbalance", 2.0, 2.0, "contradicted"),
        ("control", 0.5, 2.0, "supported"),
        ("control", 0.5, 0.5, "contradicted"),
        ("control", 2.0, 2.0, "contradicted"),
    ],
)
def test_a_control_stands_only_if_its_planted_error_was_caught(
    family: str, gap: float, twin_gap: float, outcome: str
) -> None:
    claim = _made_up("made-up", gap, twin_gap, family)
    entry, _ = verification.run_claim(claim, Lab(PRESETS["quick"]))
    assert entry["outcome"] == outcome
    assert entry["twin"]["outcome"] == ("contradicted" if twin_gap > 1 else "supported")


def test_a_soak_counts_contradictions_and_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = [
        _made_up("good", 0.5, 2.0),
        _made_up("wrong", 2.0, 2.0),
        _made_up("blind", 0.5, 0.5),
        _made_up("without noise", 2.0, 0.5, noise=0.0),
    ]
    monkeypatch.setattr(soaking, "chosen_claims", lambda *names: claims)
    result = soaking.soak(3)
    assert (result["runs"], result["claims_judged"]) == (3, 9)
    assert (result["contradicted"], result["escaped"], result["unresolved"]) == (3, 3, 0)
    assert result["contradicted_p"] < 1e-9 and result["escaped_p"] < 1e-3
    assert {case["id"] for case in result["cases"]} == {"wrong", "blind"}
    monkeypatch.setattr(soaking, "chosen_claims", lambda *names: claims[:1])
    assert soaking.soak(3)["contradicted_p"] == soaking.soak(3)["escaped_p"] == 1.0


def test_the_lists_of_claims_are_up_to_date() -> None:
    """After a change: ``python -m synthlaw.claims.listing``."""
    claims, text = registry(), listing.README.read_text("utf-8")
    assert listing.PAGE.read_text("utf-8") == listing.page(claims)
    assert text == listing.readme(text, claims)
    assert listing.readme(text, claims[1:]) != text != listing.page(claims[1:])
