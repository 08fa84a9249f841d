"""A newcomer's path, paper_notes/first_hour.md, walked as it is written, with the time of every step.

    python -m benchmarks.newcomer            in a fresh clone; runs `make verify` first, which installs
    python -m benchmarks.newcomer --after 1  leaves out the steps up to 1

Leaves ``benchmarks/recorded/newcomer.json`` and writes the table of times into the note.
Needs no package but Python's own: it starts before anything is installed.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
NOTE = ROOT / "paper_notes" / "first_hour.md"
RECORD = ROOT / "benchmarks" / "recorded" / "newcomer.json"
START, END = "<!-- times: made by python -m benchmarks.newcomer -->\n", "<!-- end of times -->"
WORDS_A_MINUTE = 200
_STEP = re.compile(r"^## (\d+)\. (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A step of the note: its number and name, the words to read, the commands to type."""

    number: int
    name: str
    words: int
    script: str


def steps(note: str) -> list[Step]:
    """The steps of the note, in its order."""
    parts = _STEP.split(note)[1:]
    return [
        Step(int(number), name, len(_BLOCK.sub("", text).split()), "".join(_BLOCK.findall(text)))
        for number, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def walk(step: Step, root: Path) -> float:
    """Run a step's commands in the clone ``root``; seconds. Whoever fails ends the walk."""
    # A newcomer has no compiled programs yet; later steps may use those of earlier ones.
    surroundings = {"MPLBACKEND": "Agg", "SYNTHLAW_CACHE": str(root / "results" / "cache")}
    start = time.perf_counter()
    done = subprocess.run(
        ["bash", "-euc", step.script], cwd=root, env=os.environ | surroundings, check=False
    )
    if done.returncode:
        sys.exit(f"step {step.number}, {step.name}, ended with status {done.returncode}.")
    return time.perf_counter() - start


def table(record: dict[str, Any]) -> str:
    """The record as the note shows it."""
    lines = ["| step | minutes to read | seconds of the commands |", "|---|---|---|"]
    for each in record["steps"]:
        minutes = each["words"] / WORDS_A_MINUTE
        lines.append(
            f"| {each['number']}. {each['name']} | {minutes:.1f} | {each['seconds']:.0f} |"
        )
    return "\n".join([*lines, "", f"({record['machine']}, {record['date']}.)", ""])


def written(note: str, record: dict[str, Any]) -> str:
    """The note with the table of this record."""
    head, rest = note.split(START)
    return head + START + table(record) + END + rest.split(END, 1)[1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    arguments.add_argument(
        "--after", type=int, default=0, help="leave out the steps up to this one"
    )
    after = arguments.parse_args().after
    note = NOTE.read_text(encoding="utf-8")
    walked = [(step, walk(step, ROOT)) for step in steps(note) if step.number > after]
    record = {
        "schema": 1,
        "command": "python -m benchmarks.newcomer",
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "steps": [
            {"number": s.number, "name": s.name, "words": s.words, "seconds": round(t, 1)}
            for s, t in walked
        ],
    }
    if not after:
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        NOTE.write_text(written(note, record), encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    main()
