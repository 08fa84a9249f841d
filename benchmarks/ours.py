"""synthlaw as a user meets it: the command in a process of its own, or the Python function."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.problem import toml

COMMAND = Path(sys.executable).with_name("synthlaw")
# Binds a process to its first so many cores, then becomes the command that follows.
_BIND = (
    "import os, sys; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])]);"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


class Run(NamedTuple):
    """Wall clock of a whole process, its peak memory, and the table it left."""

    seconds: float
    peak_mib: float
    table: pd.DataFrame


def timed_process(
    arguments: list[str], environment: dict[str, str] | None = None, cores: int | None = None
) -> tuple[float, float, str]:
    """Seconds, peak memory in MiB and the output of a process, bound to so many cores."""
    if cores is not None:
        arguments = [sys.executable, "-c", _BIND, str(cores), *arguments]
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {said}")
    # Linux counts in KiB, macOS in bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return seconds, usage.ru_maxrss / unit, said


def command(
    content: dict[str, Any], until: list[str], cache: Path, cores: int | None = None
) -> Run:
    """``synthlaw simulate`` on a sweep into a fresh folder.

    Args:
        content: the sweep.
        until: when to stop: ``["--target-se", "0.003"]`` or ``["--replicates", "400"]``.
        cache: where compiled programs are kept; an empty folder makes the run a cold one.
        cores: cores the process may use; default all.
    """
    with tempfile.TemporaryDirectory(prefix="synthlaw-benchmark-") as folder:
        file, out = Path(folder) / "sweep.toml", Path(folder) / "run"
        file.write_text(toml(content))
        arguments = [str(COMMAND), "--quiet", "simulate", str(file), "--out", str(out), *until]
        seconds, peak, _ = timed_process(arguments, {"SYNTHLAW_CACHE": str(cache)}, cores)
        return Run(seconds, peak, pd.read_csv(out / "table.csv"))


def cold_and_warm(content: dict[str, Any], until: list[str], repeats: int) -> dict[str, Any]:
    """Wall clock with an empty cache of compiled programs, and again with the one it left."""
    cold, warm = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as cache:
            cold.append(command(content, until, Path(cache)))
            warm.append(command(content, until, Path(cache)))
    cells = by_generator(warm[-1].table)
    return {
        **spread("cold_s", [run.seconds for run in cold]),
        **spread("warm_s", [run.seconds for run in warm]),
        "peak_mib": max(run.peak_mib for run in cold),
        "replicates": {name: int(max(rows["replicates"])) for name, rows in cells.items()},
        "worst_relative_se": max(
            float(np.max(rows["se"].to_numpy(float) / np.abs(rows["estimate"].to_numpy(float))))
            for rows in cells.values()
        ),
    }


def replicates_for(table: pd.DataFrame, error: str) -> dict[str, np.ndarray]:
    """Replicates that give a relative standard error of 1, per generator and ratio ``(C,)``: over the
    square of a target, what the target needs.

    ``error`` is ``se`` (with control variates) or ``se_raw`` (the plain mean).
    """
    return {
        name: rows["replicates"].to_numpy(float)
        * (rows[error].to_numpy(float) / rows["estimate"].to_numpy(float)) ** 2
        for name, rows in by_generator(table).items()
    }


def variance_cut(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Median and least factor by which the control variates cut the variance, per generator."""
    found = {}
    for name, rows in by_generator(table).items():
        cut = (rows["se_raw"].to_numpy(float) / rows["se"].to_numpy(float)) ** 2
        found[name] = {"median": float(np.median(cut)), "least": float(cut.min())}
    return found


def by_generator(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The balanced excess risk of every ratio, per kind of generator in the table's order."""
    chosen = (table["metric"] == "excess_risk") & (table["group"] == "balanced")
    return {
        str(name).partition("[")[0]: pd.DataFrame(rows)
        for name, rows in pd.DataFrame(table[chosen]).groupby("generator", sort=False)
    }


def spread(name: str, values: list[float]) -> dict[str, float]:
    """The least and the median of repeated timings.

    >>> spread("s", [3.0, 1.0, 2.0])
    {'s': 1.0, 's_median': 2.0}
    """
    return {name: min(values), f"{name}_median": median(values)}


def per_replicate(
    content: dict[str, Any], budget: float, repeats: int
) -> tuple[dict[str, float], pd.DataFrame]:
    """Milliseconds that one more replicate of a sweep costs, on all cores, once all is compiled;
    and the table of the longest run.

    The difference of a long and a short run: what every run pays once drops out. ``budget`` is
    the length of the long run in seconds, roughly.
    """
    from synthlaw import simulate

    tables: list[pd.DataFrame] = []

    def seconds(replicates: int) -> float:
        start = time.perf_counter()
        tables.append(simulate(content, replicates=replicates))
        return time.perf_counter() - start

    seconds(2)
    guess = max((seconds(18) - seconds(2)) / 16, 1e-5)
    few = min(max(round(budget / guess / 8), 8), 128)
    more = max(2 * few, round(budget / guess))
    shorts = [seconds(few) for _ in range(repeats)]
    longs = [seconds(few + more) for _ in range(repeats)]
    scale = 1e3 / more
    found = [scale * (each - min(shorts)) for each in longs]
    return {**spread("synthlaw_ms", found), "replicates": more}, tables[-1]


def breakdown(content: dict[str, Any], replicates: int) -> dict[str, float]:
    """Where a cold run's time goes, timed inside a process of its own with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as folder:
        file = Path(folder) / "sweep.json"
        file.write_text(json.dumps(content))
        arguments = [sys.executable, "-m", "benchmarks.breakdown", str(file), str(replicates)]
        cache = {"SYNTHLAW_CACHE": str(Path(folder) / "cache")}
        return json.loads(timed_process(arguments, cache)[2])


def if_accepted(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A measurement, or why synthlaw refuses it."""
    from simulations.problems import InputError

    try:
        return measure()
    except InputError as refusal:
        return {"skipped": str(refusal)}
