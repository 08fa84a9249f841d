"""A finished model in one small file: weights, losses and where they come from, no optimiser, no pickle.

``model.zip`` holds ``provenance.json`` (plan, digests of embeddings and arrays, versions, steps) and one
NumPy array for each part. Unlike a checkpoint it may be read under other versions: nothing is trained on.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import jax
import numpy as np
from pydantic import ValidationError

from simulations.problems import InputError
from simulations.transformers import checkpoints
from simulations.transformers.latents import token_table
from simulations.transformers.plans import TrainingPlan
from simulations.transformers.training import Trained, initial, with_embeddings

FILE = "model.zip"
PROVENANCE = "provenance.json"
# A zip remembers when it was written; a model does not, so that the same run leaves the same file.
_WHEN = (1980, 1, 1, 0, 0, 0)


class Model(NamedTuple):
    """A trained model and its ``provenance``."""

    trained: Trained
    provenance: dict[str, Any]


def content(trained: Trained, embeddings: np.ndarray) -> bytes:
    """The file of a model, the same bytes for the same model.

    Args:
        trained: from `training.train`.
        embeddings: U, ``(d, r)``, that it was trained with.
    """
    arrays = _arrays(trained)
    about = checkpoints.about(trained.plan, embeddings)
    about = {**about, "step": len(trained.losses), "arrays": _digest(arrays)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(PROVENANCE, _WHEN), json.dumps(about, indent=1))
        for name, array in arrays.items():
            written = io.BytesIO()
            np.lib.format.write_array(written, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _WHEN), written.getvalue())
    return file.getvalue()


def provenance(content: bytes) -> dict[str, Any]:
    """Where the model of a file comes from."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read(PROVENANCE))


def read(source: Path | IO[bytes], name: str = "") -> Model:
    """The model of a file; its world is that of its plan's seed.

    Args:
        source: the file, or an open one.
        name: what to call an open file in a fault.

    Raises:
        InputError: no such file, damaged, arrays that are not those the provenance names, or a model of
            other embeddings than its plan's.
    """
    called = name or str(source)
    try:
        with zipfile.ZipFile(source) as archive:
            provenance = json.loads(archive.read(PROVENANCE))
            plan = TrainingPlan(**provenance["plan"])
            like = jax.eval_shape(lambda: initial(plan))
            parts = [f"weights.{part}" for part, _ in checkpoints.named(like)]
            arrays = {part: _array(archive, part) for part in [*parts, "losses"]}
    except FileNotFoundError:
        raise InputError(
            f"{called}: there is no such file; name a {FILE} of synthlaw train."
        ) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        kind = "is of another version" if isinstance(error, ValidationError) else "is damaged"
        raise InputError(f"{called}: {kind}; make it anew with synthlaw train.") from None
    if _digest(arrays) != provenance.get("arrays"):
        raise InputError(f"{called}: is damaged (digest); make it anew with synthlaw train.")
    table = token_table(plan)
    if checkpoints.about(plan, table)["embeddings"] != provenance.get("embeddings"):
        raise InputError(
            f"{called}: was trained with other embeddings than those of its plan's seed; make it anew with"
            " synthlaw train."
        )
    leaves = [arrays[part] for part in parts]
    weights = jax.tree.unflatten(jax.tree.structure(like), leaves)
    if any(np.shape(a) != b.shape for a, b in zip(leaves, jax.tree.leaves(like), strict=True)):
        raise InputError(f"{called}: is damaged (shapes); make it anew with synthlaw train.")
    return Model(Trained(plan, with_embeddings(weights, table), arrays["losses"]), provenance)


def _arrays(trained: Trained) -> dict[str, np.ndarray]:
    """Everything that was learnt; the token embeddings are the world's."""
    empty = np.zeros((0, trained.weights.embedding.shape[1]), np.float32)
    weights = trained.weights._replace(embedding=empty)
    named = {f"weights.{part}": np.asarray(leaf) for part, leaf in checkpoints.named(weights)}
    return {**named, "losses": np.asarray(trained.losses, np.float32)}


def _array(archive: zipfile.ZipFile, part: str) -> np.ndarray:
    return np.lib.format.read_array(io.BytesIO(archive.read(f"{part}.npy")), allow_pickle=False)


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of the names and bytes of arrays, in order of name."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()
