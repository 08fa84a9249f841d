"""What a run would do, and what a run folder holds of it, cell by cell."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from simulations.problems import InputError
from simulations.runs import store
from simulations.runs.runs import unit_status
from simulations.setup.configuration import read_sweep
from synthlaw.simulating.predictions import Source
from synthlaw.simulating.simulation import configured, parts_of


def plan_of(
    sweep: Source,
    replicates: int | None = None,
    out: str | Path | None = None,
    target_se: float | None = None,
) -> pd.DataFrame:
    """What ``simulate`` would do: per cell the replicates wanted, held by ``out`` and missing, and
    whether the cell is done. With a target precision, wanted and missing are not known (None)."""
    directory = None if out is None else Path(out)
    rows: list[dict[str, Any]] = []
    for unit, label, swept in parts_of(configured(sweep, replicates, target_se)):
        rows += [{**row, **swept} for row in unit_status(unit, label, directory)]
    frame = pd.DataFrame(rows, dtype=object)
    frame["counts"] = [json.dumps(counts, separators=(",", ":")) for counts in frame["counts"]]
    return frame


def status(directory: str | Path) -> pd.DataFrame:
    """What a run directory holds of the run its manifest describes, cell by cell."""
    folder = Path(directory)
    manifest = store.read_manifest(folder)
    try:
        sweep = read_sweep(manifest["sweep"])
    except InputError as error:
        raise InputError(
            f"{folder / store.MANIFEST}: holds no sweep that can be run ({str(error).rstrip('.')});"
            " run synthlaw simulate again to rewrite it."
        ) from None
    return plan_of(sweep, out=folder)
