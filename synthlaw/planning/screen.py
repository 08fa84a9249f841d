"""A plan in the terminal: the losses side by side, and what is to be said in words."""

import math
from typing import Any

from rich.table import Table

from synthlaw.words import warning_line


def summary(plan: dict[str, Any]) -> Table:
    """Predicted balanced loss without rows, reweighted, fully balanced, and at the best number."""
    table = Table(title="Predicted balanced loss of the next sample", title_justify="left")
    for name in ("training rows", "synthetic rows", "predicted", "95 % interval"):
        table.add_column(
            name, overflow="fold", justify="left" if name == "training rows" else "right"
        )
    null, best = plan["null_model"], plan["recommendation"]["best_rows"]
    for name, row in (
        ("as they are", _at(plan, 0)),
        ("reweighted", {**null, "rows": 0}),
        ("fully balanced", _full(plan)),
        ("best number", _at(plan, best)),
    ):
        if row is not None:
            interval = f"{row['low']:.4g} to {row['high']:.4g}"
            table.add_row(name, f"{row['rows']}", f"{row['predicted']:.4g}", interval)
    return table


def _at(plan: dict[str, Any], rows: int) -> dict[str, Any]:
    return min(plan["curve"], key=lambda row: abs(row["rows"] - rows))


def _full(plan: dict[str, Any]) -> dict[str, Any] | None:
    return next((row for row in plan["curve"] if row["ratio"] == 1.0), None)


def sentences(plan: dict[str, Any]) -> list[str]:
    """What a reader needs in words: the advice first."""
    advice = plan["recommendation"]
    head = (
        f"Add {advice['rows']} synthetic rows ({advice['low']} to {advice['high']} could be best)."
        if advice["help"]
        else "Do not add synthetic rows."
    )
    found = [f"{head} {advice['reason']}", _calibrated(plan)]
    found += _generator(plan["generator"])
    if plan["memorisation"] is not None:
        found.append(_copies(plan["memorisation"]))
    return [*found, *(warning_line(each["code"], each["text"]) for each in plan["warnings"])]


def _calibrated(plan: dict[str, Any]) -> str:
    found = plan["calibration"]
    shift = found["correction"]
    if not math.isfinite(shift):
        return ""
    return (
        f"Probabilities: with {found['rows']} rows they are off by {found['before']['in_the_large']:+.3f}"
        f" on average at the table's own shares; take {shift:.4g} off the log odds"
        f" ({found['after']['in_the_large']:+.3f} then; Brier score {found['before']['brier']:.3g} to"
        f" {found['after']['brier']:.3g})."
    )


def _generator(found: dict[str, Any]) -> list[str]:
    if found["quality_score"] is None:
        return []
    return [
        f"Generator {found['kind']}: bias over variance at full balancing {found['quality_score']:.2g}"
        f" (s.e. {found['quality_se']:.2g}); share of bias {found['bias_share']:.0%}."
    ]


def _copies(found: dict[str, Any]) -> str:
    heldout = (
        "" if found["exact_heldout"] is None else f", {found['exact_heldout']} equal a held-out row"
    )
    broken = len(found["broken_relations"])
    return (
        f"Supplied rows ({found['rows']}): {found['exact_train']} equal a row of the table,"
        f" {found['near_train']} are near copies{heldout}, {found['duplicates']} repeat an earlier one;"
        f" {broken} relation(s) of the table broken."
    )
