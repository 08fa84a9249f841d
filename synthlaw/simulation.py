"""``simulate``: the tidy table of a sweep by Monte Carlo, with the prediction beside it."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.expansion import expansion
from simulations import store
from simulations.configuration import Sweep, read_sweep
from simulations.estimates import estimates, reasons
from simulations.problems import InputError
from simulations.runs import run_unit, unit_status
from simulations.segments import check_room
from simulations.table import unit_table
from simulations.tasks import prepare
from synthlaw.predictions import Source, terms, units
from synthlaw.versions import versions

Progress = Callable[[int, int], None]
TABLE = "table.csv"
# Where the table keeps why estimators did not exist: {sentence: replicates of cells}.
FAILURES = "failures"


def configured(sweep: Source, replicates: int | None = None) -> Sweep:
    """A validated sweep, with another number of replicates where one is given."""
    config = read_sweep(sweep)
    if replicates is None:
        return config
    resolved = config.resolved()
    resolved["run"]["replicates"] = replicates
    return read_sweep(resolved)


def _announce(directory: Path, config: Sweep) -> None:
    """Write the manifest of a run; a table left there by another sweep must not pass for its own."""
    resolved = config.resolved()
    try:
        same = store.read_manifest(directory)["sweep"] == resolved
    except InputError:
        same = False
    if not same:
        (directory / TABLE).unlink(missing_ok=True)
    store.write_manifest(directory, resolved, versions())


def simulate(
    sweep: Source,
    out: str | Path | None = None,
    replicates: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Simulate every cell of a sweep and put the prediction beside each estimate.

    In every replicate the raw and synthetic rows are drawn, the estimator is fitted, and its
    group risks ``R_g`` and 0-1 errors are evaluated exactly (no test set is drawn). ``estimate``
    subtracts a control variate whose mean is known exactly; ``estimate_raw`` is the plain mean.

    Args:
        sweep: a SWEEP.toml (path), the same as a dictionary, or a ``Sweep``.
        out: folder that keeps ``table.csv`` and every replicate; what it already holds is not
            computed again. None keeps nothing.
        replicates: independent samples per cell, an integer >= 2; default ``run.replicates``.
        progress: called with (replicates done, replicates in all).

    Returns:
        The tidy table: that of ``predict`` with ``estimate``, ``se``, ``estimate_raw``, ``se_raw``,
        ``replicates`` and ``failures`` (replicates whose estimator does not exist; they are
        counted, left out of the means and never redrawn, and a cell that has any falls
        back to the plain mean). ``table.attrs["failures"]`` says why they failed, in words.

    Raises:
        ValueError: one sentence naming the place, the fault and the remedy.

    Do not trust a comparison with ``predicted`` closer than its remainder of order ``n^-2``.

    Source: paper_notes/excess_risk.md.

    >>> table = simulate({"setting": {"kind": "imbalance", "dim": 2, "separation": 2.0},
    ...                   "counts": {"majority": 400, "minority": 100},
    ...                   "synthetic": {"ratios": [0.0, 1.0]}}, replicates=20)
    >>> table[["metric", "group"]].drop_duplicates().shape
    (8, 2)
    """
    config = configured(sweep, replicates)
    parts = list(units(config))
    # Refuse before anything is written what would not fit.
    for unit, _, _ in parts:
        check_room(unit)
    total = len(parts) * config.run.replicates
    directory = None if out is None else Path(out)
    if directory is not None:
        _announce(directory, config)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    frames, failed = [], Counter()
    for unit, label, swept in parts:
        task = prepare(unit)
        results = run_unit(task, config.run.replicates, directory, advance)
        estimated = estimates(results, np.asarray(task.population.balanced_values))
        failed.update(reasons(results))
        predicted = terms(expansion(task.population))
        frames.append(unit_table(unit, label, swept, predicted, estimated))
    table = pd.concat(frames, ignore_index=True)
    table.attrs[FAILURES] = dict(failed)
    if directory is not None:
        store.write_atomically(directory / TABLE, table.to_csv(index=False).encode())
    return table


def plan_of(
    sweep: Source, replicates: int | None = None, out: str | Path | None = None
) -> pd.DataFrame:
    """What ``simulate`` would do: per cell the replicates wanted, held by ``out`` and missing."""
    directory = None if out is None else Path(out)
    rows: list[dict[str, Any]] = []
    for unit, label, swept in units(configured(sweep, replicates)):
        rows += [{**row, **swept} for row in unit_status(unit, label, directory)]
    frame = pd.DataFrame(rows)
    frame["counts"] = [json.dumps(counts, separators=(",", ":")) for counts in frame["counts"]]
    return frame


def status(directory: str | Path) -> pd.DataFrame:
    """What a run directory holds of the run its manifest describes, cell by cell."""
    folder = Path(directory)
    return plan_of(store.read_manifest(folder)["sweep"], out=folder)
