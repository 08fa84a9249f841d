"""A run folder speaks of one sweep: its table is always that of the sweep its manifest names.

Several processes may write one folder. They share its shards, which are named by what determines
them; manifest and table belong to the run that began or ended last, as if one had followed the
other.
"""

from pathlib import Path
from typing import Any

from simulations.problems import InputError
from simulations.runs import store
from synthlaw.versions import versions

TABLE = "table.csv"


def announce(folder: Path, resolved: dict[str, Any]) -> None:
    """Before a run: the manifest names its sweep, and the table of another one is gone."""
    (folder / store.SHARDS).mkdir(parents=True, exist_ok=True)
    with store.alone(folder):
        _claim(folder, resolved)
        # Rewritten where the sweep is the same: the versions may have changed.
        store.write_manifest(folder, resolved, versions())


def publish(folder: Path, resolved: dict[str, Any], table: bytes) -> None:
    """After a run: its table, and its manifest again where another run has begun meanwhile."""
    with store.alone(folder):
        if _claim(folder, resolved):
            store.write_manifest(folder, resolved, versions())
        store.write_atomically(folder / TABLE, table)


def _claim(folder: Path, resolved: dict[str, Any]) -> bool:
    """Whether the manifest names another sweep; the table goes first, so that a kill before the
    new manifest leaves none that could pass for another's."""
    try:
        if store.read_manifest(folder)["sweep"] == resolved:
            return False
    except InputError:
        pass
    (folder / TABLE).unlink(missing_ok=True)
    return True
