"""Checkpoints: arrays and their provenance in one file, without pickle, written whole or not at all.

``checkpoint.zip`` holds ``provenance.json`` (plan, digest of the embeddings, versions, step) and one
NumPy array ``NAME.npy`` for each array of the state, named by its place in it.
"""

import contextlib
import hashlib
import io
import json
import os
import uuid
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from simulations.problems import InputError
from simulations.transformers.plans import TrainingPlan

FILE = "checkpoint.zip"
SCHEMA = 1
_PROVENANCE = "provenance.json"
# A checkpoint belongs to these versions: another may round otherwise.
_LIBRARIES = ("jax", "jaxlib", "numpy", "optax")


def about(plan: TrainingPlan, embeddings: np.ndarray) -> dict[str, Any]:
    """What a run is: plan, embeddings (by digest) and versions."""
    content = np.ascontiguousarray(embeddings, np.float32)
    return {
        "schema": SCHEMA,
        "plan": plan.model_dump(),
        "embeddings": hashlib.sha256(content.tobytes()).hexdigest(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def save(folder: Path, run: dict[str, Any], state: Any, step: int) -> None:
    """Write the state of a run after ``step`` steps, in place of the checkpoint before it.

    Args:
        folder: made if absent.
        run: from `about`.
        state: a pytree of arrays.
        step: steps done.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder), {"schema": 1}, {"a": np.arange(2)}, 7)
    ...     state, step = load(Path(folder), {"schema": 1}, {"a": np.zeros(2, int)})
    >>> state["a"].tolist(), step
    ([0, 1], 7)
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    aside = folder / f".{FILE}.{uuid.uuid4().hex}"
    try:
        with aside.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(_PROVENANCE, json.dumps({**run, "step": step}, indent=1))
                for name, leaf in named(state):
                    content = io.BytesIO()
                    np.lib.format.write_array(content, np.asarray(leaf), allow_pickle=False)
                    archive.writestr(f"{name}.npy", content.getvalue())
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def load(folder: Path, run: dict[str, Any], like: Any) -> tuple[Any, int] | None:
    """State and steps done of the run that ``folder`` holds; none where it holds none.

    Args:
        folder: of `save`.
        run: from `about`: what is asked for.
        like: a state of the same shapes.

    Raises:
        InputError: the file is damaged, or is the checkpoint of another run.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            kept = json.loads(archive.read(_PROVENANCE))
            step = int(kept.pop("step"))
            # Before the arrays: another plan is named by its key, not by the shapes it leads to.
            for part in run:
                if kept.get(part) != run[part]:
                    raise _ForeignError(_difference(part, kept.get(part), run[part]))
            arrays = [_array(archive, name, leaf) for name, leaf in named(like)]
    except _ForeignError as error:
        raise InputError(
            f"{path} is a checkpoint of another run ({error}); choose another folder or delete it."
        ) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it to begin again.") from None
    return jax.tree.unflatten(jax.tree.structure(like), arrays), step


class _ForeignError(ValueError):
    """A checkpoint of another run; the text says what differs."""


def _array(archive: zipfile.ZipFile, name: str, like: Any) -> jax.Array:
    found = np.lib.format.read_array(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
    if found.shape != np.shape(like) or found.dtype != like.dtype:
        raise _ForeignError(f"its {name} has shape {found.shape}")
    return jax.numpy.asarray(found)


def named(state: Any) -> list[tuple[str, Any]]:
    """The arrays of a state with their dotted names, in the order of the tree."""
    leaves = jax.tree_util.tree_flatten_with_path(state)[0]
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in leaves]


def _difference(part: str, kept: Any, asked: Any) -> str:
    """Which key differs, in the words of a sentence."""
    if isinstance(kept, dict) and isinstance(asked, dict):
        for key in asked:
            if kept.get(key) != asked[key]:
                return f"{key} {kept.get(key)}, not {asked[key]}"
    return f"its {part} differ"
