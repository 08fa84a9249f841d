"""Predictions against the reference tables and against an independent program, digit by digit."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from references import agrees_with_digits, reference
from samples import units_of

import synthlaw
from simulations.population.units import unit_population

CASES = reference("predictions")["cases"]
TABLES = reference("tables")
TERMS = ("floor", "variance", "second_order")
# Where a term is exactly zero both programs return rounding.
ZERO = 1e-12
IMBALANCE = {"setting": {"kind": "imbalance", "dim": 5}}
SPURIOUS = {
    "setting": {"kind": "spurious", "dim": 5, "core": 2.0, "spurious": 3.0},
    "counts": {"1,1": 1000, "1,-1": 100, "-1,1": 100, "-1,-1": 1000},
    "synthetic": {"ratios": [0, 0.25, 0.5, 1]},
}


def terms_of(table: Any, metric: str, group: str) -> Any:
    """The one row of this metric and group."""
    rows = table[(table["metric"] == metric) & (table["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_independent_program_predicts_the_same(name: str) -> None:
    case = CASES[name]
    table = synthlaw.predict(case["sweep"])
    for metric, groups in case["terms"].items():
        for group, expected in groups.items():
            row = terms_of(table, metric, group)
            got = [row[term] for term in TERMS]
            # Two programs, quadrature good to 1e-13 in both, terms up to 1e-5 times their parts.
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=ZERO, err_msg=group)
            assert row["predicted"] == pytest.approx(sum(expected), rel=1e-9)


@pytest.mark.parametrize("name", sorted(name for name in CASES if "theta_mix" in CASES[name]))
def test_an_independent_program_finds_the_same_minimisers(name: str) -> None:
    case = CASES[name]
    unit = units_of(case["sweep"])[0]
    population = unit_population(unit)
    np.testing.assert_allclose(population.theta[0], case["theta_mix"], atol=1e-9)
    np.testing.assert_allclose(population.balanced_theta, case["theta_bal"], atol=1e-9)
    balanced = np.asarray(population.balanced_values)[: len(unit.world.names)].mean()
    assert balanced == pytest.approx(case["risk_bal"], abs=1e-12)


def _imbalance(row: dict[str, Any]) -> dict[str, Any]:
    size = row.get("size", 1)
    return {
        **IMBALANCE,
        "counts": {"majority": 2000 * size, "minority": 200 * size},
        "synthetic": {"generators": [row["generator"]], "ratios": [row.get("ratio", 0)]},
    }


@pytest.mark.parametrize("row", TABLES["imbalance"])
def test_the_imbalance_tables_to_all_digits(row: dict[str, Any]) -> None:
    unit = units_of(_imbalance(row))[0]
    assert int(unit.cells[0].oversampled.sum()) == row["rows"]
    got = terms_of(synthlaw.predict(_imbalance(row)), "excess_risk", "balanced")
    for term in (*TERMS, "predicted"):
        if term in row:
            assert agrees_with_digits(got[term], row[term]), (term, got[term])


@cache
def _spurious_table() -> Any:
    return synthlaw.predict(SPURIOUS)


@pytest.mark.parametrize("place", range(len(TABLES["spurious"])))
def test_the_spurious_table_to_all_digits(place: int) -> None:
    row = TABLES["spurious"][place]
    table = _spurious_table()
    here = table[table["ratio"] == row["ratio"]]
    got = terms_of(here, "excess_risk", "balanced")
    slopes = np.asarray(unit_population(units_of(SPURIOUS)[0]).theta)[place]
    values = {
        "core": slopes[0],
        "spurious": slopes[1],
        "conflicting": terms_of(here, "error", "1,-1")["floor"],
        "aligned": terms_of(here, "error", "-1,-1")["floor"],
        **{term: got[term] for term in TERMS},
    }
    for name, value in values.items():
        if row[name] == "0":
            assert abs(value) < 1e-10, name
        else:
            assert agrees_with_digits(value, row[name]), (name, value)
    assert terms_of(here, "error", "-1,1")["floor"] == pytest.approx(values["conflicting"])


def test_a_formula_off_by_one_part_in_a_thousand_would_fail() -> None:
    got = terms_of(synthlaw.predict(_imbalance(TABLES["imbalance"][1])), "excess_risk", "balanced")
    for term in TERMS:
        assert not agrees_with_digits(1.001 * got[term], TABLES["imbalance"][1][term])
