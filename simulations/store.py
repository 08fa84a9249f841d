"""The run store: what a simulation has computed, kept so that nothing is computed twice.

A run directory holds ``manifest.json`` (the resolved configuration, versions) and
``shards/<hash>.parquet``, one per cell and chunk of replicates, named by the hash of all that
determines its content. A shard is written to a temporary name and renamed, so that a kill
loses at most the chunk in flight and several processes may write one directory.
"""

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulations import draws
from simulations.cells import Cell
from simulations.engine import Chunk
from simulations.problems import InputError
from simulations.replicate import Results
from simulations.units import Unit

SCHEMA = 1
MANIFEST = "manifest.json"
SHARDS = "shards"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename: readers never see half of it."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_manifest(directory: Path, resolved: dict[str, Any], versions: dict[str, str]) -> None:
    """Record what a run directory is asked to hold."""
    (directory / SHARDS).mkdir(parents=True, exist_ok=True)
    manifest = {"schema": SCHEMA, "sweep": resolved, "versions": versions}
    write_atomically(directory / MANIFEST, json.dumps(manifest, indent=1).encode())


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a run directory; raises ``InputError`` where there is none."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(
            f"{directory}: holds no run (no {MANIFEST}); name a folder written by"
            " synthlaw simulate."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); run synthlaw simulate again to rewrite it."
        ) from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise InputError(f"{path}: is not a manifest of schema {SCHEMA}; use a fresh folder.")
    return manifest


def shard_path(directory: Path, unit: Unit, cell: Cell, chunk: Chunk) -> Path:
    """Where the results of one cell and chunk are kept."""
    content = {
        "schema": SCHEMA,
        "draws": [draws.IMPLEMENTATION, draws.BLOCK],
        "setting": unit.sweep.setting.model_dump(mode="json"),
        "counts": [int(n) for n in unit.counts],
        "generator": unit.generator.model_dump(mode="json"),
        "estimator": unit.sweep.estimator.model_dump(mode="json"),
        "seed": unit.sweep.run.seed,
        "cell": [cell.ratio, cell.augment, cell.augment_share],
        "replicates": [chunk.first, chunk.count],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return directory / SHARDS / f"{digest[:40]}.parquet"


def write_shard(path: Path, results: Results, chunk: Chunk) -> None:
    """Keep one cell's results of one chunk (cell axis of length 1)."""
    columns: dict[str, Any] = {
        "replicate": np.arange(chunk.first, chunk.first + chunk.count, dtype=np.uint32),
        "status": results.status[:, 0],
        "steps": results.steps[:, 0],
    }
    for f in range(results.values.shape[2]):
        columns[f"value_{f}"] = results.values[:, 0, f]
        columns[f"control_{f}"] = results.controls[:, 0, f]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, write_page_checksum=True)
    write_atomically(path, sink.getvalue().to_pybytes())


def read_shard(path: Path, functionals: int, chunk: Chunk) -> Results | None:
    """One cell's results (cell axis of length 1), or None where the shard is absent.

    A shard that cannot be read or does not hold what its name says is set aside under the
    ending ``.damaged``, and counts as absent.
    """
    if not path.exists():
        return None
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        whole = table.num_rows == chunk.count and table["replicate"][0].as_py() == chunk.first

        def stack(name: str) -> np.ndarray:
            parts = [table[f"{name}_{f}"].to_numpy() for f in range(functionals)]
            return np.stack(parts, axis=-1)[:, None, :]

        results = Results(
            stack("value"),
            stack("control"),
            table["status"].to_numpy()[:, None],
            table["steps"].to_numpy()[:, None],
        )
    except (pa.ArrowException, OSError, KeyError, IndexError):
        whole = False
    if whole:
        return results
    os.replace(path, path.with_suffix(".damaged"))
    return None
