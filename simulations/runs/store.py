"""The run store: what a simulation has computed, kept so that nothing is computed twice.

A run directory holds ``manifest.json`` (the resolved configuration, versions) and
``shards/<hash>.parquet``, one per cell and chunk of replicates, named by the hash of all that
determines its content. A shard may hold only the first replicates of its chunk; the rest is added
when computed. It is written to a temporary name and renamed, so that a kill loses at most the
chunk in flight and several processes may write one directory.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulations import draws
from simulations.population.cells import Cell
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.runs.engine import Chunk
from simulations.sampling.replicate import Results
from simulations.setup.regimes import is_proportional

SCHEMA = 1
# Raise it whenever replicates come out otherwise than before: old shards are then not mixed in.
ALGORITHM = 3
PROGRAM = (ALGORITHM, jax.__version__, draws.IMPLEMENTATION, draws.BLOCK)
MANIFEST = "manifest.json"
SHARDS = "shards"
# Under this key a shard carries its own name: one copied over another is seen to be foreign.
NAME = b"synthlaw"
# Temporary files this old were left by a process that was killed.
STALE_SECONDS = 24 * 3600


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename: readers never see half of it.

    The content is on the disk before it gets its name, so that a crash of the machine leaves
    either the old file or the whole new one.

    Args:
        path: of the file.
        content: all of it.
    """
    with _aside(path, content) as temporary:
        os.replace(temporary, path)


@contextlib.contextmanager
def _aside(path: Path, content: bytes) -> Generator[Path]:
    """The content in a temporary file beside ``path``, which is gone afterwards unless renamed."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    except OSError as error:
        # A failed write names no file and a failed rename the temporary one; people know neither.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(folder: Path) -> Generator[None]:
    """No other process is in such a block for the same folder.

    The lock is the system's and dies with the process. Some network file systems have none;
    there two processes that look and write in the same few milliseconds may mix.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def remove_stale(directory: Path) -> None:
    """Remove the temporary files that killed processes left in a run directory."""
    oldest = time.time() - STALE_SECONDS
    for folder in (directory, directory / SHARDS):
        for path in folder.glob(".*.*"):
            # Another process may be removing it too.
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink()


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
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{directory}: holds no run (no {MANIFEST}); name a folder written by"
            " synthlaw simulate."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); run synthlaw simulate again to rewrite it."
        ) from None
    known = isinstance(manifest, dict) and manifest.get("schema") == SCHEMA
    if not known or not isinstance(manifest.get("sweep"), dict):
        raise InputError(f"{path}: is not a manifest of schema {SCHEMA}; use a fresh folder.")
    return manifest


def shard_path(directory: Path, unit: Unit, cell: Cell, chunk: Chunk) -> Path:
    """Where the results of one cell and chunk are kept."""
    content = {
        "schema": SCHEMA,
        "program": PROGRAM,
        "setting": unit.sweep.setting.model_dump(mode="json"),
        "counts": [int(n) for n in unit.counts],
        "generator": unit.generator.model_dump(mode="json"),
        "estimator": unit.sweep.estimator.model_dump(mode="json"),
        "seed": unit.sweep.run.seed,
        "cell": [cell.ratio, cell.augment, cell.augment_share],
        "first": chunk.first,
    }
    if is_proportional(unit.sweep):
        content["regime"] = unit.sweep.theory.regime
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return directory / SHARDS / f"{digest[:40]}.parquet"


def write_shard(path: Path, results: Results, chunk: Chunk) -> None:
    """Keep one cell's results of the first replicates of a chunk (cell axis of length 1).

    A shard that holds as many, written by another process meanwhile, is left as it is.

    Args:
        path: of the shard.
        results: of one cell.
        chunk: which replicates they are.
    """
    count = len(results.status)
    if rows_held(path) >= count:
        return
    last = chunk.first + count
    columns: dict[str, Any] = {
        "replicate": np.arange(chunk.first, last, dtype=np.uint32),
        "status": results.status[:, 0],
    }
    for f in range(results.values.shape[2]):
        columns[f"value_{f}"] = results.values[:, 0, f]
        for j in range(results.controls.shape[2]):
            columns[f"control_{j}_{f}"] = results.controls[:, 0, j, f]
    sink = pa.BufferOutputStream()
    # Random numbers have no repeated values: dictionaries and compression only cost time.
    pq.write_table(
        pa.table(columns, metadata={NAME: path.stem}),
        sink,
        use_dictionary=False,
        compression="none",
        write_statistics=False,
        write_page_checksum=True,
    )
    # Looked at again: while this one was written, another process may have kept more.
    with _aside(path, sink.getvalue().to_pybytes()) as temporary, alone(path.parent):
        if rows_held(path) < count:
            os.replace(temporary, path)


def _parse(content: bytes, functionals: int, first: int, name: str) -> Results:
    """The results in a shard's bytes; raises ``ValueError`` where they are not what they should be."""
    try:
        table = pq.read_table(
            pa.BufferReader(content), page_checksum_verification=True, use_threads=False
        )
        columns = {name: table[name].to_numpy() for name in table.column_names}
        replicate, status = columns["replicate"], columns["status"]
        controls = sum(name.startswith("control_") for name in columns) // functionals
        values = [columns[f"value_{f}"] for f in range(functionals)]
        shifts = [columns[f"control_{j}_{f}"] for j in range(controls) for f in range(functionals)]
        # Without control variates there is nothing to stack.
        moved = np.stack(shifts, axis=-1) if shifts else np.zeros((len(status), 0))
        parts = [
            np.stack(values, axis=-1),
            moved.reshape(len(status), controls, functionals),
        ]
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ValueError("the shard cannot be read") from error
    if (table.schema.metadata or {}).get(NAME) != name.encode():
        raise ValueError("the shard is a copy of another one")
    expected = np.arange(first, first + len(replicate))
    if not np.array_equal(replicate, expected) or any(p.dtype != float for p in parts):
        raise ValueError("the shard holds other replicates or numbers than it should")
    return Results(parts[0][:, None], parts[1][:, None], status[:, None])


def read_shard(path: Path, functionals: int, chunk: Chunk) -> Results | None:
    """One cell's results (cell axis of length 1), or None where they are absent.

    They are the chunk's first ones, at most ``chunk.count``; a shard may hold fewer. A damaged one
    (cut short, or a copy of another) counts as absent: it is moved aside under the ending
    ``.damaged``, and said so through the logger ``synthlaw``.

    Args:
        path: of the shard.
        functionals: values a replicate has.
        chunk: which replicates are wanted.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        results = _parse(content, functionals, chunk.first, path.stem)
    except ValueError as error:
        aside = path.with_suffix(".damaged")
        # Moved away, not copied: on a full disk too, and it must not seem to hold replicates.
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, aside)
        text = "%s: %s; it is set aside as %s and computed again."
        logging.getLogger("synthlaw").warning(text, path, error, aside.name)
        return None
    return Results(*(part[: chunk.count] for part in results))


def rows_held(path: Path) -> int:
    """How many replicates a shard says it holds; 0 where it is absent or has no readable end."""
    try:
        end = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return 0
    return end.num_rows if (end.metadata or {}).get(NAME) == path.stem.encode() else 0
