"""``synthlaw.train``: trains, or goes on training, a transformer; compares it with its references."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simulations.problems import InputError
from simulations.runs.store import write_atomically
from simulations.transformers import checkpoints, models
from simulations.transformers.comparison import compared
from simulations.transformers.latents import token_table
from simulations.transformers.plans import PLANS, TrainingPlan
from simulations.transformers.training import Progress, Trained
from simulations.transformers.training import train as run_training
from synthlaw.checks import checked_choice, checked_integer, write_json
from synthlaw.folders import check_folder
from synthlaw.training.attention import attention_table
from synthlaw.training.table import divergence_table, loss_table
from synthlaw.versions import versions

TABLE, LOSSES, ATTENTION = "table.csv", "losses.csv", "attention.csv"
RESULT, CONFIG = "train.json", "train.config.json"
SIZES = (0, 1, 2, 4, 8, 16, 24, 32, 48, 64)
SEQUENCES = {"teaching": 1024, "full": 4096}
FEWEST_SEQUENCES, MOST_SEQUENCES = 16, 10**6
# Steps between two checkpoints: a kill loses less than that.
EVERY = 100


class TrainedModel(NamedTuple):
    """``trained`` (plan, weights, loss of every step), its ``provenance``, and the tidy ``table`` of
    divergences beside those of its references."""

    trained: Trained
    provenance: dict[str, Any]
    table: pd.DataFrame


def planned(
    preset: str = "teaching",
    steps: int | None = None,
    seed: int | None = None,
    learning_rate: float | None = None,
) -> TrainingPlan:
    """The plan of a preset with some of it replaced; a shorter run warms up over a tenth of it at most.

    Args:
        preset: ``teaching`` or ``full``.
        steps: in place of its own, from 1 on.
        seed: in place of 0.
        learning_rate: in place of its own, above 0.

    Raises:
        InputError: no such preset, or a number out of range.

    >>> planned("teaching", steps=50).warmup
    5
    """
    checked_choice("--preset", preset, PLANS, "presets")
    plan = PLANS[preset]
    change: dict[str, Any] = {}
    if steps is not None:
        checked_integer("--steps", steps, 1, 10**9)
        change |= {"steps": steps, "warmup": min(plan.warmup, steps // 10)}
    if seed is not None:
        checked_integer("--seed", seed, 0, 2**32 - 1)
        change["seed"] = seed
    if learning_rate is not None:
        if not 0.0 < learning_rate < float("inf"):
            raise InputError(f"--learning-rate is {learning_rate:g}; give a number above 0.")
        change["learning_rate"] = learning_rate
    return plan.model_copy(update=change)


def train(
    preset: str = "teaching",
    out: str | Path | None = None,
    *,
    steps: int | None = None,
    seed: int | None = None,
    learning_rate: float | None = None,
    sequences: int | None = None,
    plan: TrainingPlan | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> TrainedModel:
    """Train a transformer in context, and compare it with Bayes and with constructed weights.

    Args:
        preset: ``teaching`` (a minute and a half of processor time) or ``full`` (7 minutes).
        out: folder of the run; what it holds already is not computed again. None: nothing is kept.
        steps: in place of the preset's.
        seed: of the world, the first weights and all data; 0 unless given.
        learning_rate: in place of the preset's.
        sequences: fresh ones on which models are compared, 16 to 1,000,000.
        plan: in place of preset, steps, seed and learning_rate.
        progress: called with every report of the run.

    Returns:
        `TrainedModel`. Columns of its table: ``generator, n, kl, se``, then ``ratio_`` and ``gap_`` (nats)
        to the ``bayes`` predictive and to the ``constructed`` transformer with their standard errors.

    Raises:
        InputError: an argument out of range, a folder of something else, a checkpoint of another plan or
            other versions, a loss that is no number (the last good checkpoint is kept).

    Not to be trusted beyond the plan's context, norm of latents and embeddings: a model knows no others.
    Source: paper_notes/transformers_built.md, section 6.

    >>> tiny = TrainingPlan(vocabulary=6, embedding_dim=1, context=4, layers=1, batch=4, steps=2, warmup=0)
    >>> found = train(plan=tiny, sequences=16)
    >>> len(found.trained.losses), sorted(found.table.n.unique().tolist())
    (2, [0, 1, 2, 4])
    """
    chosen = planned(preset, steps, seed, learning_rate) if plan is None else plan
    count = SEQUENCES.get(preset, SEQUENCES["teaching"]) if sequences is None else sequences
    checked_integer("--sequences", count, FEWEST_SEQUENCES, MOST_SEQUENCES)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_training_folder(folder)
    embeddings = token_table(chosen)
    every = min(EVERY, max(1, chosen.steps // 10))
    trained = run_training(chosen, embeddings, folder=folder, every=every, progress=progress)
    sizes = sorted({n for n in SIZES if n < chosen.context} | {chosen.context})
    found = compared(
        trained.weights, embeddings, chosen.latent_norm, sizes, rows=count, seed=chosen.seed
    )
    table = divergence_table(found, chosen.embedding_dim)
    content = models.content(trained, embeddings)
    provenance = models.provenance(content)
    if folder is not None:
        _leave(folder, trained, embeddings, table, content, {"preset": preset, "sequences": count})
    return TrainedModel(trained, provenance, table)


def check_training_folder(folder: Path) -> None:
    """Raise ``InputError`` unless a training run can be written into ``folder`` or goes on there."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; choose another --out.")
    check_folder(folder)
    for name in (TABLE, LOSSES, ATTENTION, RESULT, CONFIG, models.FILE, checkpoints.FILE):
        if (folder / name).is_dir():
            raise InputError(f"{folder / name} is a folder; move it away or choose another --out.")
    if (folder / TABLE).exists() and not (folder / checkpoints.FILE).exists():
        raise InputError(
            f"{folder} holds the table of another command; choose another --out, or move {TABLE} away."
        )


def _leave(
    folder: Path,
    trained: Trained,
    embeddings: np.ndarray,
    table: pd.DataFrame,
    content: bytes,
    asked: dict[str, Any],
) -> None:
    """Model, tables and pictures; ``train.json`` goes first and comes last, so that a kill leaves none
    that speaks of other tables."""
    import figures

    plan = trained.plan.model_dump()
    (folder / RESULT).unlink(missing_ok=True)
    looks = attention_table(trained.weights, embeddings, trained.plan.latent_norm)
    for name, frame in (
        (TABLE, table),
        (LOSSES, loss_table(trained.losses)),
        (ATTENTION, looks),
    ):
        write_atomically(folder / name, frame.to_csv(index=False).encode())
    write_atomically(folder / models.FILE, content)
    write_json({"train": {**asked, "plan": plan}, "versions": versions()}, folder / CONFIG)
    write_json(summary(trained, models.provenance(content), table), folder / RESULT)
    figures.render("all", folder)


def summary(trained: Trained, provenance: dict[str, Any], table: pd.DataFrame) -> dict[str, Any]:
    """What a run came to, as JSON can hold it."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    last = trained.losses[-min(EVERY, len(trained.losses)) :]
    return {
        "plan": trained.plan.model_dump(),
        "steps": len(trained.losses),
        "loss": float(last.mean()),
        "model": provenance,
        "table": rows,
    }
