"""What a fit leaves: fit.json, what was asked, the tables of its pictures, and these.

Everything is made in a folder beside the others and moved when it is whole; fit.json goes first and
comes last, so that a kill at any moment leaves none that speaks of other tables.
"""

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulations.problems import InputError
from synthlaw.fitting.request import Request

RESULT, ABOUT, TABLES, FIGURES = "fit.json", "fit.config.json", "tables", "figures"


move = os.replace


def check(out: Path) -> None:
    """Raise ``InputError`` unless a fit can be written into ``out``."""
    from synthlaw.folders import check_folder

    check_folder(out)
    for path in (out / RESULT, out / ABOUT):
        if path.is_dir():
            raise InputError(f"{path} is a folder; move it away or choose another --out.")
    for folder in (out / TABLES, out / FIGURES):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is not a folder; move it away or choose another --out.")
        check_folder(folder)


def write(
    out: Path,
    payload: dict[str, Any],
    tables: Sequence[dict[str, list[dict[str, Any]]]],
    request: Request,
    source: str,
) -> None:
    """Write the result of a fit; ``tables``: rows by table name, of every curve."""
    import figures
    from synthlaw.checks import write_json
    from synthlaw.versions import versions

    staged = out / f".fit.{uuid.uuid4().hex}"
    (staged / TABLES).mkdir(parents=True)
    try:
        _write_tables(staged / TABLES, tables)
        about = {"fit": {"table": source, **request.resolved()}, "versions": versions()}
        write_json(about, staged / ABOUT)
        write_json(payload, staged / RESULT)
        figures.render("all", staged)
        _publish(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write_tables(folder: Path, tables: Sequence[dict[str, list[dict[str, Any]]]]) -> None:
    import pandas as pd

    for name in dict.fromkeys(name for each in tables for name in each):
        rows = [row for each in tables for row in each.get(name, [])]
        if rows:
            pd.DataFrame(rows).to_csv(folder / f"fit_{name}.csv", index=False)


def _publish(staged: Path, out: Path) -> None:
    (out / RESULT).unlink(missing_ok=True)
    # Pictures and tables of an earlier fit must not stand beside this one.
    for old in [*(out / FIGURES).glob("fit_*.*"), *(out / TABLES).glob("fit_*.csv")]:
        old.unlink()
    for folder in (TABLES, FIGURES):
        (out / folder).mkdir(exist_ok=True)
        for made in sorted((staged / folder).iterdir()):
            move(made, out / folder / made.name)
    move(staged / ABOUT, out / ABOUT)
    move(staged / RESULT, out / RESULT)
