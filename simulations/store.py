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

import jax
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
# Raise it whenever replicates come out otherwise than before: old shards are then not mixed in.
ALGORITHM = 1
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
        "program": [ALGORITHM, jax.__version__, draws.IMPLEMENTATION, draws.BLOCK],
        "setting": unit.sweep.setting.model_dump(mode="json"),
        "counts": [int(n) for n in unit.counts],
        "generator": unit.generator.model_dump(mode="json"),
        "estimator": unit.sweep.estimator.model_dump(mode="json"),
        "seed": unit.sweep.run.seed,
        "cell": [cell.ratio, cell.augment, cell.augment_share],
        "first": chunk.first,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return directory / SHARDS / f"{digest[:40]}.parquet"


def write_shard(path: Path, results: Results, chunk: Chunk) -> None:
    """Keep one cell's results of one chunk (cell axis of length 1)."""
    columns: dict[str, Any] = {
        "replicate": np.arange(chunk.first, chunk.first + chunk.count, dtype=np.uint32),
        "status": results.status[:, 0],
    }
    for f in range(results.values.shape[2]):
        columns[f"value_{f}"] = results.values[:, 0, f]
        columns[f"control_{f}"] = results.controls[:, 0, f]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, write_page_checksum=True)
    write_atomically(path, sink.getvalue().to_pybytes())


def _parse(content: bytes, functionals: int, first: int) -> Results:
    """The results in a shard's bytes; raises ``ValueError`` where they are not what they should be."""
    try:
        table = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
        columns = {name: table[name].to_numpy() for name in table.column_names}
        replicate, status = columns["replicate"], columns["status"]
        parts = [
            np.stack([columns[f"{name}_{f}"] for f in range(functionals)], axis=-1)
            for name in ("value", "control")
        ]
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError("the shard cannot be read") from error
    expected = np.arange(first, first + len(replicate))
    if not np.array_equal(replicate, expected) or any(p.dtype != float for p in parts):
        raise ValueError("the shard holds other replicates or numbers than it should")
    return Results(parts[0][:, None, :], parts[1][:, None, :], status[:, None])


def read_shard(path: Path, functionals: int, chunk: Chunk) -> Results | None:
    """One cell's results (cell axis of length 1), or None where they are absent.

    A shard that holds more replicates than asked for serves its first ones; one with fewer counts
    as absent, and so does a damaged one, of which a copy is set aside under the ending
    ``.damaged``. Either is replaced when its chunk has been computed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        results = _parse(content, functionals, chunk.first)
    except ValueError:
        write_atomically(path.with_suffix(".damaged"), content)
        return None
    if len(results.status) < chunk.count:
        return None
    return Results(*(part[: chunk.count] for part in results))


def rows_held(path: Path) -> int:
    """How many replicates a shard says it holds; 0 where it is absent or has no readable end."""
    try:
        return pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        return 0
