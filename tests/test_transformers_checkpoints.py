"""Training in context, cut short: what its checkpoints hold, and which are refused."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from simulations.problems import InputError
from simulations.transformers import checkpoints, training
from simulations.transformers.plans import TrainingPlan
from tests.small_training import EMBEDDINGS, TINY


class Killed(Exception):  # noqa: N818
    """What a test raises in the middle of a run."""


def killed_at(step: int) -> Any:
    def report(progress: training.Progress) -> None:
        if progress.step >= step:
            raise Killed

    return report


def bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("target", ["token", "law"])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path, target: str) -> None:
    plan = TINY.model_copy(update={"target": target})
    whole = training.train(plan, EMBEDDINGS, every=5)
    for step in (5, 10):
        with pytest.raises(Killed):
            training.train(plan, EMBEDDINGS, folder=tmp_path, every=5, progress=killed_at(step))
    resumed = training.train(plan, EMBEDDINGS, folder=tmp_path, every=5)
    assert bits(resumed.weights) == bits(whole.weights)
    assert bits(resumed.losses) == bits(whole.losses) and (whole.losses > 0.0).all()
    # A finished run is read back, without a step.
    again = training.train(plan, EMBEDDINGS, folder=tmp_path, progress=killed_at(0))
    assert bits(again.weights) == bits(whole.weights)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.FILE]


@pytest.mark.parametrize("lost", ["optimiser.1.0.mu", "optimiser.1.0.count"])
def test_a_run_that_lost_its_moments_does_not(tmp_path: Path, lost: str) -> None:
    """The twin: a checkpoint whose arrays of one kind are 0."""
    whole = training.train(TINY, EMBEDDINGS, every=5)
    with pytest.raises(Killed):
        training.train(TINY, EMBEDDINGS, folder=tmp_path, every=5, progress=killed_at(5))

    def emptied(name: str, content: bytes) -> bytes:
        if not name.startswith(lost):
            return content
        array = np.lib.format.read_array(io.BytesIO(content))
        return as_npy(np.zeros_like(array))

    assert rewrite(tmp_path / checkpoints.FILE, emptied) > 0
    resumed = training.train(TINY, EMBEDDINGS, folder=tmp_path, every=5)
    assert bits(resumed.weights) != bits(whole.weights)


def as_npy(array: np.ndarray, pickled: bool = False) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, allow_pickle=pickled)
    return content.getvalue()


def rewrite(path: Path, change: Any) -> int:
    """Change the members of a checkpoint; how many changed."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    changed = {name: change(name, content) for name, content in kept.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in changed.items():
            archive.writestr(name, content)
    return sum(changed[name] != kept[name] for name in kept)


def checkpoint_of_five_steps(folder: Path) -> Path:
    with pytest.raises(Killed):
        training.train(TINY, EMBEDDINGS, folder=folder, every=5, progress=killed_at(5))
    return folder / checkpoints.FILE


def test_a_checkpoint_says_where_it_comes_from(tmp_path: Path) -> None:
    with zipfile.ZipFile(checkpoint_of_five_steps(tmp_path)) as archive:
        kept = json.loads(archive.read("provenance.json"))
        others = [name for name in archive.namelist() if name != "provenance.json"]
        arrays = [
            np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in others
        ]
    assert kept["step"] == 5 and kept["plan"] == TINY.model_dump() and kept["plan"]["seed"] == 0
    assert set(kept["versions"]) == {"jax", "jaxlib", "numpy", "optax"}
    assert all(name.endswith(".npy") for name in others) and len(arrays) > 10


def test_checkpoints_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = checkpoint_of_five_steps(tmp_path)
    good = path.read_bytes()

    def refused(says: str, plan: TrainingPlan = TINY, embeddings: np.ndarray = EMBEDDINGS) -> None:
        kept = path.read_bytes()
        with pytest.raises(InputError, match=says) as found:
            training.train(plan, embeddings, folder=tmp_path)
        text = str(found.value)
        assert str(path) in text and text.count(". ") == 0 and text.endswith(".")
        assert path.read_bytes() == kept

    refused("another run .*seed 0, not 1", TINY.model_copy(update={"seed": 1}))
    refused("another run .*embeddings differ", embeddings=EMBEDDINGS + 1.0)
    refused("another run .*hidden 8, not 9", TINY.model_copy(update={"hidden": 9}))
    path.write_bytes(good[: len(good) // 2])
    refused("damaged")
    path.write_bytes(good)
    pickled = as_npy(np.array([{}], dtype=object), pickled=True)
    rewrite(path, lambda name, content: pickled if name == "losses.npy" else content)
    refused("damaged")


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    """A rate of 1e30 throws the weights out of range; what was kept before stays and is finite."""
    plan = TINY.model_copy(update={"learning_rate": 1e30, "warmup": 0, "clip": 1e30})
    kept: list[bytes] = []
    path = tmp_path / checkpoints.FILE
    with pytest.raises(InputError, match="loss is no number after step .* below 1e.30") as found:
        training.train(
            plan,
            EMBEDDINGS,
            folder=tmp_path,
            every=1,
            progress=lambda _: kept.append(path.read_bytes()),
        )
    assert str(found.value).count(". ") == 0 and "keeps the checkpoint of step" in str(found.value)
    assert kept and path.read_bytes() == kept[-1]
    with zipfile.ZipFile(path) as archive:
        arrays = [
            np.lib.format.read_array(io.BytesIO(archive.read(name)))
            for name in archive.namelist()
            if name.startswith("weights")
        ]
    assert arrays and all(np.isfinite(array).all() for array in arrays)
