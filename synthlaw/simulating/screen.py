"""The columns of a tidy table that fit a screen: the balanced excess risk, cell by cell, or, where the
theory speaks of errors only, the balanced error."""

from typing import Any

import pandas as pd

from simulations.population.units import KL, METRICS
from simulations.runs.flags import FAILURES, MEANING
from simulations.runs.table import IDENTITY, SIMULATION, THEORY
from synthlaw.simulating.predictions import CAUTION, METRIC, UNPREDICTED
from synthlaw.words import number

_FIXED = (*IDENTITY, *THEORY, *SIMULATION)
# Divergences that are told in one line.
MOST_LISTED = 8
TITLES = {"excess_risk": "Balanced excess risk", "error": "Balanced error"}


def title(table: pd.DataFrame) -> str:
    """What the rows of a table on the screen are."""
    return TITLES[_metric(table)]


def _metric(table: pd.DataFrame) -> str:
    return table.attrs.get(METRIC, METRICS[0])


def prediction_rows(table: pd.DataFrame) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of what is predicted; an error is predicted as a whole."""
    parts = ["floor", "variance", "second_order"] if _metric(table) == METRICS[0] else []
    return _chosen(table, ["ratio", "augment", *parts, "predicted"])


def simulation_rows(table: pd.DataFrame) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of what is predicted and simulated.

    ``variance_cut`` is ``(se_raw / se)^2``: how many times more replicates the plain mean would
    have needed for the same standard error.

    Args:
        table: what ``simulate`` returned.
    """
    cut = (table["se_raw"] / table["se"].where(table["se"] > 0.0)) ** 2
    columns = ["ratio", "augment", "predicted", "estimate", "se", "estimate_raw", "se_raw"]
    return _chosen(
        table.assign(variance_cut=cut), [*columns, "variance_cut", "replicates", "failures", "flag"]
    )


def flag_sentence(table: pd.DataFrame) -> str:
    """How many cells of a simulated table are flagged, what it means and what helps; "" if none."""
    cells = table[(table["metric"] == "excess_risk") & (table["group"] == "balanced")]
    flagged = list(cells["flag"]).count(FAILURES)
    if not flagged:
        return ""
    return (
        f"{flagged} of {len(cells)} cells flagged: {MEANING}, so the estimate there speaks only of "
        "samples whose minimiser exists; add rows or set estimator.ridge > 0."
    )


def notes(table: pd.DataFrame) -> list[str]:
    """What must be told beside a simulated table, a sentence each."""
    failed = [
        f"{count} fits (replicates times cells) failed: {reason}."
        for reason, count in table.attrs.get("failures", {}).items()
    ]
    flagged = filter(None, (flag_sentence(table), table.attrs.get("unreached", "")))
    return [*failed, *flagged, *theory_notes(table)]


def theory_notes(table: pd.DataFrame) -> list[str]:
    """How many cells have no prediction, a sentence for each reason, and where to doubt the others."""
    missing = [
        f"{count} {'cell has' if count == 1 else 'cells have'} no prediction: {reason}."
        for reason, count in table.attrs.get(UNPREDICTED, {}).items()
    ]
    return [*missing, *filter(None, [table.attrs.get(CAUTION, ""), divergence_sentence(table)])]


def divergence_sentence(table: pd.DataFrame) -> str:
    """The divergences of the generators' laws, estimated or else predicted; "" where there are none, or
    where one line does not hold them."""
    rows: Any = table[(table["metric"] == KL) & (table["group"] == "worst")]
    known = rows["estimate"] if "estimate" in rows else rows["predicted"]
    swept = _swept(table)
    rows = rows.assign(value=known)[known.notna()].drop_duplicates([*swept, "generator", "value"])
    if not 0 < len(rows) <= MOST_LISTED:
        return ""
    told: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        point = ", ".join(f"{name} = {number(row[name])}" for name in swept)
        told.setdefault(point, []).append(f"{row['generator']} {number(row['value'])}")
    at = [f"{point and f'at {point}: '}{', '.join(each)}" for point, each in told.items()]
    return f"KL of the group's law to its generator's, largest over groups: {'; '.join(at)}."


def _swept(table: pd.DataFrame) -> list[str]:
    """The columns of swept keys."""
    return [str(c) for c in table.columns if c not in _FIXED and c != "variance_cut"]


def _chosen(table: pd.DataFrame, columns: list[str]) -> tuple[list[str], list[list[Any]]]:
    balanced = (table["metric"] == _metric(table)) & (table["group"] == "balanced")
    shown = ["generator", *_swept(table), *columns]
    return shown, table.loc[balanced, shown].astype(object).to_numpy().tolist()
