"""What is measured: each part is a function from effort to tables of numbers, ``PARTS`` by name."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import accounting, ours
from benchmarks.floors import floor
from benchmarks.problem import COUNTS, GENERATORS, TARGET, problem_of, sweep
from simulations.setup.configuration import FIRST_LOOK


class Effort(NamedTuple):
    """How long to look: repeats of a whole run, of a fit, seconds per timed stretch of replicates,
    replicates that tell how many a plain mean needs, and whether series are cut short."""

    runs: int
    fits: int
    budget: float
    pilot: int
    short: bool


FULL = Effort(runs=2, fits=8, budget=2.0, pilot=2000, short=False)
QUICK = Effort(runs=1, fits=3, budget=0.3, pilot=400, short=True)
Table = list[dict[str, Any]]
SERIES_CELLS = 5
REFERENCE = sweep(GENERATORS)


def _cut(values: list[Any], effort: Effort) -> list[Any]:
    """All values, or the first three of a quick look."""
    return values[:3] if effort.short else values


def precision(effort: Effort) -> dict[str, Any]:
    """The reference sweep to every target: ours cold and warm, competitors by both accountings."""
    targets = [TARGET, 0.03, 0.01, 0.001]
    with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as cache:
        pilot = ours.command(REFERENCE, ["--replicates", str(effort.pilot)], Path(cache)).table
    needed = ours.replicates_for(pilot, "se_raw")
    found = {kind: (problem_of(sweep((kind,))), needed[kind]) for kind in GENERATORS}
    rivals = accounting.compete(found, effort.fits, max(2, effort.fits // 4))
    rows: Table = []
    for target in targets[:2] if effort.short else targets:
        runs = effort.runs if target == TARGET else 1
        row = {"target": target, **ours.cold_and_warm(REFERENCE, _until(target), runs)}
        for family in accounting.FAMILIES:
            for way in ("whole_curve", "per_cell"):
                seconds = rivals[family][f"{way}_s"] / target**2
                row[f"{family}_{way}_s"] = seconds
                row[f"{family}_{way}_times"] = seconds / row["cold_s"]
        rows.append(row)
    return {
        "rows": sorted(rows, key=lambda row: -row["target"]),
        "competitors": rivals,
        "plain_replicates": {
            kind: (values / TARGET**2).round().tolist() for kind, values in needed.items()
        },
        "variance_cut": ours.variance_cut(pilot),
    }


def _until(target: float) -> list[str]:
    return ["--target-se", str(target)]


def breakdown(effort: Effort) -> dict[str, Any]:
    """Stages of a cold run of the reference sweep, one after another."""
    return ours.breakdown(REFERENCE, 400 if effort.short else 2000)


def _row(content: dict[str, Any], effort: Effort) -> dict[str, Any]:
    """One row of a series, ours and the competitors': milliseconds of a replicate of the sweep, and
    seconds until every cell is at ``TARGET``, start-up apart.

    Ours is charged for all generators until the last one is at the target, competitors until
    each is.
    """
    mine, table = ours.per_replicate(content, effort.budget, effort.runs)
    worst = max(values.max() for values in ours.replicates_for(table, "se").values())
    needed = max(worst / TARGET**2, FIRST_LOOK)
    plain = ours.replicates_for(table, "se_raw")
    found = {}
    for spec in content["synthetic"]["generators"]:
        one = {**content, "synthetic": {**content["synthetic"], "generators": [spec]}}
        found[spec["kind"]] = problem_of(one), plain[spec["kind"]]
    rivals = accounting.whole_sweep(found, TARGET, effort.fits)
    return {
        **mine,
        "synthlaw_replicates": needed,
        "synthlaw_s": 1e-3 * mine["synthlaw_ms"] * needed,
        "plain_replicates": max(values.max() for values in plain.values()) / TARGET**2,
        **rivals,
    }


def rows(effort: Effort) -> dict[str, Any]:
    """Cost against the number of rows."""
    found = []
    for times in _cut([1, 4, 16, 64], effort):
        content = sweep(times=times, cells=SERIES_CELLS)
        total = sum(content["counts"].values()) + 2 * times * (COUNTS[0] - COUNTS[1])
        found.append({"rows": total, **_row(content, effort)})
    return {"rows": found}


def dim(effort: Effort) -> dict[str, Any]:
    """Cost against the number of features, at 8,000 and 800 raw rows."""
    times = 1 if effort.short else 4
    values = _cut([2, 10, 30, 100], effort)
    return {
        "rows": [
            {"dim": each, **_row(sweep(dim=each, times=times, cells=SERIES_CELLS), effort)}
            for each in values
        ]
    }


def cells(effort: Effort) -> dict[str, Any]:
    """Cost of the reference sweep against its number of ratios."""
    values = [1, 21, 31] if effort.short else [1, 5, 11, 21, 31, 41]
    found = [{"cells": each, **_row(sweep(GENERATORS, cells=each), effort)} for each in values]
    cost = {row["cells"]: row["synthlaw_ms"] for row in found}
    return {"rows": found, "ten_more_ratios": cost[31] / cost[21] - 1.0}


def workers(effort: Effort) -> dict[str, Any]:
    """Cost of a replicate of the reference sweep on one core and on two, whole processes."""
    few, many = (200, 600) if effort.short else (500, 4000)
    found = []
    with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as cache:
        ours.command(REFERENCE, ["--replicates", "2"], Path(cache))
        for cores in range(1, accounting.CORES + 1):

            def seconds(replicates: int, cores: int = cores) -> list[float]:
                until = ["--replicates", str(replicates)]
                return [
                    ours.command(REFERENCE, until, Path(cache), cores).seconds
                    for _ in range(effort.runs)
                ]

            start = min(seconds(few))
            scale = 1e3 / (many - few)
            timings = [scale * (each - start) for each in seconds(many)]
            found.append({"workers": cores, **ours.spread("synthlaw_ms", timings)})
    return {"rows": found}


def statistics(effort: Effort) -> dict[str, Any]:
    """Squared loss by sufficient statistics: cost of a replicate against the number of rows."""

    def measure(times: float) -> dict[str, Any]:
        content = sweep(times=times, cells=SERIES_CELLS, kind="squared")
        return ours.per_replicate(content, effort.budget, effort.runs)[0]

    # The largest first: where it is refused, the rows themselves would be drawn.
    sizes = [10.0**power for power in ([12, 3, 6] if effort.short else [12, 3, 4, 6, 8, 10])]
    found = []
    for size in sizes:
        row = ours.if_accepted(lambda size=size: measure(size / COUNTS[0]))
        if "skipped" in row:
            return row
        found.append({"rows": size, **row})
    return {"rows": sorted(found, key=lambda row: row["rows"])}


def large(effort: Effort) -> dict[str, Any]:
    """Peak memory and time of a few replicates with ten million augmented rows in every group."""
    content = sweep(augment=100_000 if effort.short else 10_000_000)
    with tempfile.TemporaryDirectory(prefix="synthlaw-cache-") as cache:
        try:
            run = ours.command(content, ["--replicates", "2"], Path(cache))
        except RuntimeError as refusal:
            return {"skipped": str(refusal)}
    augment = content["synthetic"]["augment"][0]
    return {"augment": augment, "seconds": run.seconds, "peak_mib": run.peak_mib}


def least(effort: Effort) -> dict[str, Any]:
    """What the draws and the products alone cost, for one replicate of the reference sweep."""
    problems = [problem_of(sweep((kind,))) for kind in GENERATORS]
    mine, _ = ours.per_replicate(REFERENCE, effort.budget, effort.runs)
    return {"synthlaw_ms": mine["synthlaw_ms"], **floor(problems, effort.fits)}


PARTS: dict[str, Callable[[Effort], dict[str, Any]]] = {
    "precision": precision,
    "breakdown": breakdown,
    "rows": rows,
    "dim": dim,
    "cells": cells,
    "workers": workers,
    "statistics": statistics,
    "floor": least,
    "large": large,
}
# Measured only when asked for.
OPTIONAL = ("large",)
