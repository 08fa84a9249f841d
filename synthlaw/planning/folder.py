"""What a plan leaves: plan.json, what was asked, the table of its curve, and the picture of it.

Everything is made in a folder beside the others and moved when it is whole; plan.json goes first and comes
last, so that a kill at any moment leaves none that speaks of another picture.
"""

import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from simulations.problems import InputError
from synthlaw.planning.request import Request

RESULT, ABOUT, TABLES, FIGURES = "plan.json", "plan.config.json", "tables", "figures"
CURVE = "plan_curve"


def check(out: Path) -> None:
    """Raise ``InputError`` unless a plan can be written into ``out``."""
    from synthlaw.folders import check_folder

    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is not a folder; choose another --out.")
    check_folder(out)
    for path in (out / RESULT, out / ABOUT):
        if path.is_dir():
            raise InputError(f"{path} is a folder; move it away or choose another --out.")
    for folder in (out / TABLES, out / FIGURES):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is not a folder; move it away or choose another --out.")
        check_folder(folder)


def write(out: Path, payload: dict[str, Any], request: Request, source: str) -> None:
    """Write the result of a plan, its curve as a table, and the picture."""
    import pandas as pd

    import figures
    from synthlaw.checks import write_json
    from synthlaw.versions import versions

    staged = out / f".plan.{uuid.uuid4().hex}"
    (staged / TABLES).mkdir(parents=True)
    try:
        pd.DataFrame(payload["curve"]).to_csv(staged / TABLES / f"{CURVE}.csv", index=False)
        about = {"plan": {"table": source, **request.resolved()}, "versions": versions()}
        write_json(about, staged / ABOUT)
        write_json(payload, staged / RESULT)
        figures.render("all", staged)
        (out / RESULT).unlink(missing_ok=True)
        for folder in (TABLES, FIGURES):
            (out / folder).mkdir(exist_ok=True)
            for made in sorted((staged / folder).iterdir()):
                os.replace(made, out / folder / made.name)
        os.replace(staged / ABOUT, out / ABOUT)
        os.replace(staged / RESULT, out / RESULT)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
