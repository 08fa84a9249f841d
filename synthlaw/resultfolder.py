"""What a command leaves that writes one result with its tables and pictures: ``fit``, ``plan``.

Everything is made in a folder beside the others and moved when it is whole; the result, ``NAME.json``,
goes first and comes last, so that a kill at any moment leaves none that speaks of other tables.
"""

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulations.problems import InputError

TABLES, FIGURES = "tables", "figures"
move: Callable[[Path, Path], None] = os.replace


def result(name: str) -> str:
    """The result's file name."""
    return f"{name}.json"


def about(name: str) -> str:
    """The file of what was asked, and of versions."""
    return f"{name}.config.json"


def check(out: Path, name: str) -> None:
    """Raise ``InputError`` unless a result of this name can be written into ``out``."""
    from synthlaw.folders import check_folder

    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is not a folder; choose another --out.")
    check_folder(out)
    for path in (out / result(name), out / about(name)):
        if path.is_dir():
            raise InputError(f"{path} is a folder; move it away or choose another --out.")
    for folder in (out / TABLES, out / FIGURES):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is not a folder; move it away or choose another --out.")
        check_folder(folder)


def leave(
    out: Path,
    name: str,
    payload: dict[str, Any],
    asked: dict[str, Any],
    write_tables: Callable[[Path], None],
) -> None:
    """Write ``payload`` as the result, what was ``asked``, the tables and their pictures.

    ``write_tables(folder)`` writes CSV files named ``NAME_*.csv``.

    Args:
        out: the folder.
        name: of the command.
        payload: content of ``NAME.json``.
        asked: what was asked, defaults filled in.
        write_tables: writes the tables into a folder.
    """
    import figures
    from synthlaw.checks import write_json
    from synthlaw.versions import versions

    staged = out / f".{name}.{uuid.uuid4().hex}"
    (staged / TABLES).mkdir(parents=True)
    try:
        write_tables(staged / TABLES)
        write_json({name: asked, "versions": versions()}, staged / about(name))
        write_json(payload, staged / result(name))
        figures.render("all", staged)
        _publish(staged, out, name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _publish(staged: Path, out: Path, name: str) -> None:
    (out / result(name)).unlink(missing_ok=True)
    # Pictures and tables of an earlier result must not stand beside this one.
    for old in [*(out / FIGURES).glob(f"{name}_*.*"), *(out / TABLES).glob(f"{name}_*.csv")]:
        old.unlink()
    for folder in (TABLES, FIGURES):
        (out / folder).mkdir(exist_ok=True)
        for made in sorted((staged / folder).iterdir()):
            move(made, out / folder / made.name)
    for file in (about(name), result(name)):
        move(staged / file, out / file)
