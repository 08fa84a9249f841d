"""The list of claims for readers: paper_notes/claims.md and the table of families in README.md.

``python -m synthlaw.claims.listing`` writes both anew; a test asks that they are up to date.
"""

from collections.abc import Sequence
from pathlib import Path

from simulations.runs.store import write_atomically
from synthlaw import claims as rooms
from synthlaw.claims import registry
from synthlaw.claims.record import FAMILIES, Claim

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "paper_notes" / "claims.md", ROOT / "README.md"
BEGIN, END = "<!-- claims: made by python -m synthlaw.claims.listing -->", "<!-- end of claims -->"
_HEAD = """# Claims

What `synthlaw verify` checks, by family. This page is made from the registry by
`python -m synthlaw.claims.listing`; what the kinds mean is in [verdicts.md](verdicts.md). Run one by
`synthlaw verify --claim ID`, a family by `--family NAME`.
"""


def _about(family: str) -> str:
    """What a family is about: the first line of its room, without the name."""
    words = (getattr(rooms, family).__doc__ or "").strip().split("\n")[0]
    return words.partition(": ")[2].rstrip(".")


def families_table(claims: Sequence[Claim]) -> str:
    """A row per family: how many claims, and what they are about."""
    rows = ["| family | claims | about |", "|---|---|---|"]
    for family in FAMILIES:
        count = sum(claim.family == family for claim in claims)
        rows.append(
            f"| [`{family}`](paper_notes/claims.md#{family}) | {count} | {_about(family)} |"
        )
    return "\n".join(rows)


def page(claims: Sequence[Claim]) -> str:
    """Every claim: its id, kind, statement and the note that derives it."""
    parts = [_HEAD]
    for family in FAMILIES:
        rows = [f"\n## {family}\n", f"{_about(family).capitalize()}.\n"]
        rows += ["| id | kind | statement | note |", "|---|---|---|---|"]
        for claim in claims:
            if claim.family == family:
                statement = " ".join(claim.statement.split()).replace("|", r"\|")
                note = claim.note.partition("#")[0]
                rows.append(f"| `{claim.id}` | {claim.kind} | {statement} | [{note}]({note}) |")
        parts.append("\n".join(rows) + "\n")
    return "".join(parts)


def readme(text: str, claims: Sequence[Claim]) -> str:
    """README.md with the table of families between its marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{families_table(claims)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Write both anew."""
    claims = registry()
    write_atomically(PAGE, page(claims).encode())
    write_atomically(README, readme(README.read_text("utf-8"), claims).encode())


if __name__ == "__main__":
    main()
