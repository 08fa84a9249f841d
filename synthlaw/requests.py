"""What a command line asks for, checked before anything is computed."""

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from simulations.problems import InputError, nearest, one_sentence

if TYPE_CHECKING:
    import pandas as pd

    from simulations.configuration import Sweep

PRESETS = ("quick", "full")
KINDS = ("imbalance", "spurious", "groups")


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


def checked_preset(preset: str) -> None:
    """Raise `InputError` unless the preset exists."""
    checked_choice("--preset", preset, PRESETS, "presets")


def checked_claims(claims: list[str], families: list[str]) -> tuple[list[str], list[str]]:
    """The claims and families asked for; raises `InputError` for one that is not registered."""
    if claims or families:
        from synthlaw.claims import registry

        known = registry()
        for claim in claims:
            checked_choice("--claim", claim, [each.id for each in known], "claims")
        for family in families:
            names = dict.fromkeys(each.family for each in known)
            checked_choice("--family", family, names, "families")
    return claims, families


def template(kind: str) -> str:
    """A commented SWEEP.toml for one kind of setting."""
    checked_choice("--kind", kind, KINDS, "kinds")
    return (resources.files("synthlaw") / "templates" / f"init_{kind}.toml").read_text("utf-8")


def write_prediction(table: "pd.DataFrame", sweep: "Sweep", out: Path) -> None:
    """Write a predicted table, and beside it what was asked and with which versions."""
    from simulations.store import write_atomically
    from synthlaw.versions import versions

    out.parent.mkdir(parents=True, exist_ok=True)
    about = {"schema": 1, "sweep": sweep.resolved(), "versions": versions()}
    write_atomically(
        out.with_name(f"{out.stem}.config.json"), (json.dumps(about, indent=1) + "\n").encode()
    )
    write_atomically(out, table.to_csv(index=False).encode())


def render(name: str, directory: Path) -> list[Path]:
    """Remake pictures of a run; raises `InputError` for an unknown figure or folder."""
    import figures

    if not directory.is_dir():
        raise InputError(f"{directory}: there is no such folder; name one left by verify.")
    try:
        return figures.render(name, directory)
    except ValueError as error:
        raise InputError(one_sentence(str(error))) from error
