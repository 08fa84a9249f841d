"""The function behind the command: right answers with their warnings, on anybody's table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthlaw

ROWS = np.array([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200])
# Curves without noise come out to what the search's last step leaves of them.
EXACT = 1e-6


def table(floor: float = 0.2, exponent: float = 0.5, **columns: Any) -> dict[str, Any]:
    y = floor + 4.0 * ROWS**-exponent
    return {"rows": ROWS, "error": y, "se": 0.01 * y, **columns}


def fitted(given: Any, **options: Any) -> dict[str, Any]:
    options = {"x": "rows", "y": "error", "se": "se", "law": "power_floor", **options}
    (entry,) = synthlaw.fit(given, **options)["fits"]
    return entry


def codes(entry: dict[str, Any]) -> set[str]:
    return {each["code"] for each in entry["warnings"]}


def values(entry: dict[str, Any]) -> dict[str, float]:
    return {name: each["value"] for name, each in entry["parameters"].items()}


def test_a_path_a_frame_and_a_dictionary_say_the_same(tmp_path: Path) -> None:
    pd.DataFrame(table()).to_csv(tmp_path / "t.csv", index=False)
    text = (tmp_path / "t.csv").read_text()
    (tmp_path / "semicolons.csv").write_text("\ufeff" + text.replace(",", " ; ") + "\n;;\n\n")
    (tmp_path / "tabs.csv").write_text(text.replace(",", "\t"))
    whole = fitted(table(), at=[1e5])
    for given in (
        pd.DataFrame(table()),
        tmp_path / "t.csv",
        str(tmp_path / "semicolons.csv"),
        tmp_path / "tabs.csv",
    ):
        assert fitted(given, at="1e5") == whole
    truth = {"exponent": 0.5, "amplitude": 4.0, "floor": 0.2}
    assert values(whole) == pytest.approx(truth, rel=EXACT)
    assert (whole["status"], whole["warnings"]) == ("fitted", [])


def test_an_exact_floor_law_is_supported_and_a_log_log_line_is_not() -> None:
    sharp = table(se=1e-4 * ROWS**0.0)
    assert fitted(sharp, theory=0.5)["theory"]["outcome"] == "supported"
    assert fitted(sharp, theory=0.6)["theory"]["outcome"] == "contradicted"
    line = fitted(sharp, law="power", theory=0.5)
    assert line["theory"]["outcome"] == "contradicted" and "poor_fit" in codes(line)


def test_auto_recovers_the_law_and_says_what_it_tried() -> None:
    rng = np.random.default_rng(1)
    y = 0.2 + 4.0 * ROWS**-0.5
    noisy = table(error=y * (1 + 0.01 * rng.standard_normal(len(ROWS))))
    found = fitted(noisy, law="auto", at="1e5")
    assert (found["law"], found["status"]) == ("power_floor", "fitted")
    tried = {each["law"]: each for each in found["candidates"]}
    assert {"power", "power_floor", "broken"} <= set(tried)
    assert sum(each["weight"] for each in tried.values()) == pytest.approx(1.0)
    assert found["criteria"]["weight"] == tried["power_floor"]["weight"]


def test_auto_that_refuses_still_forecasts(tmp_path: Path) -> None:
    few = {"rows": ROWS[:5], "error": [0.302, 0.241, 0.203, 0.168, 0.149], "se": [0.005] * 5}
    found = fitted(few, law="auto", at="1e5", theory=0.5, out=tmp_path)
    assert (found["status"], found["law"], found["parameters"]) == ("unranked", "average", {})
    assert "unranked" in codes(found)
    (told,) = found["forecast"]
    each = [c["parameters"] for c in found["candidates"] if c["plausible"]]
    assert len(each) > 1 and told["low"] < told["value"] < told["high"]
    told = {name: found["theory"][name] for name in ("exponent", "outcome", "resolution")}
    assert told == {"exponent": 0.5, "outcome": "unresolved", "resolution": None}
    assert (tmp_path / "figures" / "fit_board.png").is_file()


def test_a_base_and_a_weight_count_rows() -> None:
    augment = np.array([0, 200, 800, 3200, 12800, 51200])
    y = 0.1 + 3.0 * (400 + 0.5 * augment) ** -0.5
    given = {"rows": augment, "error": y, "se": 0.01 * y}
    found = fitted(given, base=400.0, weight=0.5, at="1e5")
    assert values(found) == pytest.approx(
        {"exponent": 0.5, "amplitude": 3.0, "floor": 0.1}, rel=EXACT
    )
    (told,) = found["forecast"]
    assert told["x"] == 1e5
    assert told["value"] == pytest.approx(0.1 + 3.0 * (400 + 0.5e5) ** -0.5, rel=EXACT)
    # The wrong twin: without the base the same numbers are no power law.
    assert values(fitted(given | {"rows": augment + 1}))["exponent"] != pytest.approx(0.5, rel=0.05)


def test_laws_in_several_variables_take_their_columns_in_order() -> None:
    n, m = (each.ravel() for each in np.meshgrid([100, 400, 1600, 6400], [200, 800, 3200, 12800]))
    y = 0.1 + 3.0 * n**-0.5 + 1.5 * m**-0.5
    given = {"n": n, "m": m, "error": y, "se": 0.01 * y}
    found = fitted(given, x="n,m", law="two_term", at="1e4:2e4")
    truth = {"exponent": 0.5, "amplitude": 3.0, "amplitude_synthetic": 1.5, "floor": 0.1}
    assert values(found) == pytest.approx(truth, rel=EXACT)
    assert found["forecast"][0]["x"] == [1e4, 2e4]
    assert values(fitted(given, x=["m", "n"], law="two_term"))["amplitude"] == pytest.approx(1.5)
    alpha = np.tile([0.1, 0.3, 0.5, 0.9], 4)
    mixed = 0.05 + 0.3 * alpha**2 + 4.0 * ((1 - alpha) ** 2 / n + 2.0 * alpha**2 / m) ** 0.5
    given = {"n": n, "m": m, "alpha": alpha, "error": mixed, "se": 0.001 * mixed}
    found = fitted(given, x="n,m,alpha", law="mixture")
    truth = {"exponent": 0.5, "odds": 2.0, "amplitude": 4.0, "bias": 0.3, "floor": 0.05}
    assert values(found) == pytest.approx(truth, rel=1e-4)
    assert all(each["se"] > 0 for each in found["parameters"].values())
    with pytest.raises(
        ValueError, match="column 'alpha': 1.1 is no share; give shares from 0 to 1"
    ):
        fitted(given | {"alpha": alpha + 0.6}, x="n,m,alpha", law="mixture")


def test_a_held_floor_is_reported_without_width() -> None:
    found = fitted(table(), floor=0.2)
    assert found["parameters"]["floor"] == {"value": 0.2, "se": 0.0, "low": 0.2, "high": 0.2}
    free = fitted(table())["parameters"]["exponent"]
    assert found["parameters"]["exponent"]["high"] < free["high"]


@pytest.mark.parametrize("scale", ["value", "log"])
@pytest.mark.parametrize("known", [True, False])
def test_huber_is_not_moved_by_a_wrong_point(scale: str, known: bool) -> None:
    rng = np.random.default_rng(2)
    y = (0.2 + 4.0 * ROWS**-0.5) * (1 + 0.005 * rng.standard_normal(len(ROWS)))
    y[4] *= 1.5
    given = table(error=y) | ({} if known else {"se": [None] * len(y)})
    options = {"scale": scale, "se": "se" if known else None}
    found = fitted(given, loss="huber", **options)
    assert abs(values(found)["floor"] - 0.2) < 0.02
    assert ("no_standard_errors" in codes(found)) is not known
    assert found["parameters"]["exponent"]["se"] > 0
    # The wrong twin: squares follow the point.
    twin = fitted(given, **options)
    assert abs(values(twin)["floor"] - 0.2) > abs(values(found)["floor"] - 0.2)


def test_points_that_conflict_constant_and_growing_curves_get_answers_with_warnings() -> None:
    twice = {name: np.append(column, column[0]) for name, column in table().items()}
    twice["error"][-1] += 0.2
    found = fitted(twice)
    assert "conflicting_points" in codes(found) and found["points"] == 11
    constant = fitted(table(error=np.full(10, 0.3), se=np.full(10, 0.01)), at="1e5")
    assert "flat" in codes(constant) and constant["status"] == "unidentified"
    (told,) = constant["forecast"]
    assert told["low"] < 0.3 < told["high"]
    for options in ({}, {"se": None}):
        assert "flat" in codes(fitted(table(error=np.full(10, 0.3)), **options))
    growing = 0.1 + 0.001 * ROWS**0.5
    falling = fitted(table(error=growing))
    assert "growing" in codes(falling) and falling["status"] == "unidentified"
    allowed = fitted(table(error=growing), growing=True)
    assert values(allowed)["exponent"] == pytest.approx(-0.5, abs=1e-3)
    assert "growing" not in codes(allowed) and allowed["status"] == "fitted"


def test_empty_cells_are_left_out_and_said() -> None:
    error = list(table()["error"])
    error[3], error[5] = None, float("nan")
    result = synthlaw.fit(table(error=error), x="rows", y="error", law="power_floor")
    assert result["fits"][0]["points"] == 8
    assert result["notes"] == [
        "the table: 2 of 10 rows have no entry in column 'error' and were left out."
    ]
    with pytest.raises(ValueError, match=r"row 4, column 'error': \"n.d.\" is no number"):
        fitted(table(error=[*error[:3], "n.d.", *error[4:]]))


def test_the_tidy_table_of_a_run(tmp_path: Path) -> None:
    sweep = {
        "setting": {"kind": "imbalance", "dim": 3},
        "counts": {"majority": 400, "minority": 100},
        "synthetic": {
            "generators": [{"kind": "reweight"}, {"kind": "oracle"}],
            "ratios": [1.0],
            "augment": [0, 200, 400, 800, 1600, 3200],
            "augment_row_weight": 1.0,
        },
    }
    tidy = synthlaw.predict(sweep)
    tidy = tidy.assign(estimate=tidy["predicted"], se=0.01 * tidy["predicted"].abs())
    tidy.loc[tidy["augment"] == 400, ["estimate", "se"]] = np.nan
    tidy.to_csv(tmp_path / "table.csv", index=False)
    by = ("generator", "group", "metric")
    result = synthlaw.fit(
        tmp_path / "table.csv",
        x="augment",
        y="estimate",
        se="se",
        by=by,
        base=400.0,
        law="power_floor",
        out=tmp_path / "fit",
    )
    groups = {(each["by"]["group"], each["by"]["metric"]) for each in result["fits"]}
    assert len(result["fits"]) == len(groups) == 8
    assert all(each["by"]["generator"] == "oracle" for each in result["fits"])
    assert all(each["points"] == 5 for each in result["fits"])
    told = " ".join(result["notes"])
    assert "no entry in column 'estimate'" in told
    assert "8 of 16 values of --by generator,group,metric have one row" in told
    # Excess risk without a floor: that of 400 + N rows a group, up to the second order.
    (risk,) = [e for e in result["fits"] if e["by"] == dict(zip(by, ("oracle", "balanced", "excess_risk"), strict=True))]  # fmt: skip  # noqa: E501
    assert values(risk)["exponent"] == pytest.approx(1.0, abs=0.1)
    pictures = {path.name for path in (tmp_path / "fit" / "figures").glob("*.png")}
    assert {"fit_curve.png", "fit_exponents.png"} <= pictures


def test_many_curves_are_fitted_in_the_order_of_the_table_and_counted() -> None:
    parts = [pd.DataFrame(table(floor=0.1 * k)).assign(model=f"m{k}", seed=k) for k in (3, 1, 2)]
    seen: list[tuple[float, float]] = []
    result = synthlaw.fit(
        pd.concat(parts).sample(frac=1.0, random_state=0),
        x="rows",
        y="error",
        by=["model", "seed"],
        law="power_floor",
        advance=lambda done, total: seen.append((done, total)),
    )
    floors = {e["by"]["model"]: values(e)["floor"] for e in result["fits"]}
    assert floors == pytest.approx({"m3": 0.3, "m1": 0.1, "m2": 0.2}, rel=EXACT)
    assert {e["by"]["seed"] for e in result["fits"]} == {"1", "2", "3"}
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_every_result_is_plain_json() -> None:
    for law in ("power", "reciprocal_floor", "power_correction", "auto"):
        for curve in (table(), table(error=np.full(10, 0.3))):
            result = synthlaw.fit(curve, x="rows", y="error", law=law, at="1e5", theory=1.0)
            assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (3, {}, "the table is a int; give the path"),
        ({}, {}, "no rows"),
        ({"rows": [1, 2], "error": [1]}, {}, "differ in length"),
        (table(), {"at": object()}, "--at"),
        (table(), {"seed": -1}, "--seed is -1"),
        (table(), {"weight": "heavy"}, "--weight is 'heavy'"),
        (table(), {"x": ()}, "--x names no column"),
    ],
)
def test_a_library_call_raises_one_sentence(given: Any, options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        fitted(given, **{"se": None, **options})
    assert str(raised.value).rstrip()[-1] in ".?" and "\n" not in str(raised.value)
