"""A newcomer's path, paper_notes/first_hour.md, walked as it is written, with the time of every step.

    python -m benchmarks.newcomer    in a fresh clone; its first step is `make verify`, which installs

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
import tempfile
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


def walk(path: list[Step], root: Path) -> list[float]:
    """Run the steps' commands in the clone ``root``, in one terminal; the seconds of each. Whoever fails
    ends the walk."""
    # A newcomer has no compiled programs yet; later steps may use those of earlier ones.
    surroundings = {"MPLBACKEND": "Agg", "SYNTHLAW_CACHE": str(root / "results" / "cache")}
    with tempfile.TemporaryDirectory() as folder:
        clock = Path(folder) / "clock"
        tick = f"date +%s.%N >> {clock}\n"
        script = tick + "".join(step.script + tick for step in path)
        done = subprocess.run(
            ["bash", "-euc", script], cwd=root, env=os.environ | surroundings, check=False
        )
        times = [float(line) for line in clock.read_text().split()]
    if done.returncode:
        step = path[len(times) - 1]
        sys.exit(f"step {step.number}, {step.name}, ended with status {done.returncode}.")
    return [after - before for before, after in zip(times, times[1:], strict=False)]


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
    argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "").parse_args()
    note = NOTE.read_text(encoding="utf-8")
    path = steps(note)
    walked = zip(path, walk(path, ROOT), strict=True)
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
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    NOTE.write_text(written(note, record), encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    main()
