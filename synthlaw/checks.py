"""What a command line asks for, checked before anything is computed."""

from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulations.problems import InputError, nearest, one_sentence
from synthlaw.output import json_text

if TYPE_CHECKING:
    import pandas as pd

    from simulations.setup.configuration import Sweep
    from synthlaw.simulating.shares import Share

CLAIM = "claim"
KINDS = ("imbalance", "spurious", "groups", "craft", "tokens", CLAIM)


def checked_integer(option: str, value: int, low: int, high: int | None = None) -> None:
    """Raise `InputError` unless ``low <= value <= high``."""
    if value < low or (high is not None and value > high):
        span = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise InputError(f"{option} is {value}; give a whole number {span}.")


def checked_choice(option: str, value: str, choices: Iterable[str], noun: str) -> None:
    """Raise `InputError` unless ``value`` is one of ``choices``."""
    listed = list(choices)
    if value not in listed:
        text = f"{option} {value!r} does not exist; {nearest(value, listed, noun)}"
        raise InputError(one_sentence(text))


def checked_simulation(
    sweep: Path, replicates: int | None, target_se: float | None, shard: str | None, dry_run: bool
) -> "tuple[Sweep, Share | None]":
    """The sweep that ``simulate`` is asked for, and which share of it; `InputError` where the
    options are out of range or do not go together."""
    from simulations.setup.configuration import MOST_REPLICATES, read_sweep

    config = read_sweep(sweep)
    if replicates is not None and target_se is not None:
        raise InputError(
            "--replicates and --target-se are two ways to end a run; keep one of the two."
        )
    if replicates is not None:
        checked_integer("--replicates", replicates, 2, MOST_REPLICATES)
    if target_se is not None and not 0.0 < target_se < 1.0:
        raise InputError(f"--target-se is {target_se:g}; give a number between 0 and 1.")
    if shard is None and replicates is None and target_se is None:
        return config, None
    from synthlaw.simulating.shares import check_share, read_share
    from synthlaw.simulating.simulation import configured

    config = configured(config, replicates, target_se)
    if shard is None:
        return config, None
    if dry_run:
        raise InputError("--shard and --dry-run do not go together; leave out --shard.")
    check_share(config)
    return config, read_share(shard)


def template(kind: str) -> str:
    """A commented SWEEP.toml for one kind of setting, or a file of claims."""
    checked_choice("--kind", kind, KINDS, "kinds")
    name = f"init_{kind}.{'py' if kind == CLAIM else 'toml'}"
    return (resources.files("synthlaw") / "templates" / name).read_text("utf-8")


def write_json(payload: dict[str, Any], path: Path) -> None:
    """Write one JSON object with its schema number, making the folder if need be."""
    from simulations.runs.store import write_atomically

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json_text(payload, indent=1) + "\n").encode())


def write_prediction(table: "pd.DataFrame", sweep: "Sweep", out: Path) -> None:
    """Write a predicted table, and beside it what was asked and with which versions."""
    from simulations.runs.store import write_atomically
    from synthlaw.versions import versions

    about = {"sweep": sweep.resolved(), "versions": versions()}
    write_json(about, out.with_name(f"{out.stem}.config.json"))
    write_atomically(out, table.to_csv(index=False).encode())


def render(
    name: str, directory: Path, progress: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Remake pictures of a run; raises `InputError` for an unknown figure or folder."""
    import figures
    from simulations import cores

    if not directory.is_dir():
        raise InputError(
            f"{directory}: there is no such folder; name one left by verify or simulate."
        )
    try:
        return figures.render(name, directory, cores(), progress)
    except figures.FigureError as error:
        raise InputError(one_sentence(str(error))) from error
