"""What benchmarks share: how long a call takes, fresh processes, the machine, and the file of a result."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SCHEMA = 1
RECORDED = Path(__file__).parent / "recorded"
UNRECORDED = Path("results") / "bench"


def seconds(function: Callable[[], Any]) -> tuple[float, float]:
    """How long one call takes by the clock, and on the processor, all threads together."""
    start, spent = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - start, time.process_time() - spent


def fresh(arguments: list[str], states: tuple[str, ...] = ("cold",)) -> dict[str, dict[str, Any]]:
    """Python with ``arguments`` in a process of its own for every state, all sharing one cache of compiled
    programs that begins empty: the first is cold, a second one warm.

    Returns:
        For each state what the last line it printed holds as JSON, ``process_s`` by the clock and
        ``cpu_s`` on the processor, its start included.
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as cache:
        for state in states:
            start, before = time.perf_counter(), os.times()
            done = subprocess.run(
                [sys.executable, *arguments],
                env={**os.environ, "SYNTHLAW_CACHE": cache},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            took, after = time.perf_counter() - start, os.times()
            spent = after.children_user + after.children_system
            spent -= before.children_user + before.children_system
            told = json.loads(done.stdout.splitlines()[-1])
            found[state] = {"process_s": took, "cpu_s": spent, **told}
    return found


def machine(*packages: str) -> dict[str, Any]:
    """What the numbers depend on besides the code; versions of ``packages`` too, where there are any."""
    from simulations import cores
    from synthlaw.versions import versions

    found = versions()
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "versions": found,
        "cpu": model or platform.processor(),
        "cores": cores(),
    }


def options(name: str, about: str | None) -> argparse.ArgumentParser:
    """The command line of ``python -m benchmarks.name``, with its ``--record``."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--record", action="store_true", help=f"write {name}.json here")
    return parser


def path_of(name: str, record: bool) -> Path:
    """Where a result belongs: beside the code if it is to stay, else in the results."""
    return (RECORDED if record else UNRECORDED) / f"{name}.json"


def one_part(
    name: str, about: str | None, ours: Callable[[], Any], measure: Callable[[], Any]
) -> None:
    """The command of a benchmark of one part: ``ours`` is what its fresh processes run and print as JSON,
    ``measure`` starts those and gives the part's numbers."""
    parser = options(name, about)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ours:
        print(json.dumps(ours()))
        return
    result = {"schema": SCHEMA, **machine(), "parts": {name: measure()}}
    print(leave(result, path_of(name, chosen.record)), end="")


def leave(result: dict[str, Any], path: Path) -> str:
    """Write a result as JSON, whole or not at all; its text."""
    from simulations.runs.store import write_atomically

    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1) + "\n"
    write_atomically(path, text.encode())
    return text
