"""Verdicts as a table in the terminal."""

from typing import Any

from rich.table import Table
from rich.text import Text

from simulations.runs.flags import MEANING
from synthlaw.words import GLYPHS, short_verdict

# Colours every terminal has; the glyph and the word say the same without them.
STYLES = {"supported": "green", "unresolved": "yellow", "contradicted": "bold red"}


def verdict_table(verdicts: dict[str, Any]) -> Table:
    """One row per claim of ``verdicts.json``, grouped by family in the order of the claims."""
    claims = verdicts["claims"]
    table = Table(title=f"Verdicts, preset {verdicts.get('preset', '')}", title_justify="left")
    table.add_column("outcome", no_wrap=True)
    table.add_column("claim", overflow="fold")
    table.add_column("evidence", overflow="fold")
    table.add_column("planted error", overflow="fold")
    table.add_column("s", justify="right", no_wrap=True)
    for family in dict.fromkeys(claim["family"] for claim in claims):
        members = [claim for claim in claims if claim["family"] == family]
        for claim in members:
            table.add_row(
                _outcome(claim["outcome"]),
                Text(str(claim["id"])),
                Text(short_verdict(claim)),
                _twin(claim.get("twin")),
                f"{claim.get('seconds') or 0.0:.1f}",
                end_section=claim is members[-1],
            )
    table.caption = summary(verdicts)
    table.caption_justify = "left"
    return table


def summary(verdicts: dict[str, Any]) -> str:
    """Counts of the outcomes in one line.

    >>> summary({"claims": [{"outcome": "supported"}, {"outcome": "unresolved"}]})
    '2 claims: 1 supported, 1 unresolved, 0 contradicted'
    """
    outcomes = [claim["outcome"] for claim in verdicts["claims"]]
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in GLYPHS)
    flagged = [str(claim["id"]) for claim in verdicts["claims"] if claim.get("flagged_rows")]
    note = f"; flagged, {MEANING} in some cells: {', '.join(flagged)}" if flagged else ""
    return f"{len(outcomes)} {'claim' if len(outcomes) == 1 else 'claims'}: {counts}{note}"


def _outcome(outcome: str) -> Text:
    return Text(f"{GLYPHS[outcome]} {outcome}", style=STYLES[outcome])


def _twin(twin: dict[str, Any] | None) -> Text:
    if not twin:
        return Text("–")
    caught = twin["outcome"] == "contradicted"
    return Text(
        "caught" if caught else f"escaped: {twin['outcome']}", style="" if caught else "red"
    )
