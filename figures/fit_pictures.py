"""Which pictures the folder of a fit can show."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from figures import (
    fit_board,
    fit_curve,
    fit_exponents,
    fit_profile,
    fit_residuals,
    fit_ridge,
    tidy,
)
from figures.faults import FigureError
from figures.reading import Picture, read_json, read_table_file

RESULT, ABOUT, TABLES = "fit.json", "fit.config.json", "tables"


def of_fit(directory: Path) -> list[Picture]:
    """The pictures of a folder left by ``synthlaw fit``, from its tables."""
    read_json(directory / RESULT, "fits", list, "fits", "synthlaw fit")
    asked = read_json(directory / ABOUT, "fit", dict, "request", "synthlaw fit")["fit"]
    tables = {
        path.stem.removeprefix("fit_"): read_table_file(path)
        for path in sorted((directory / TABLES).glob("fit_*.csv"))
    }
    if "points" not in tables:
        raise FigureError(
            f"{directory / TABLES} has no fit_points.csv; run synthlaw fit into that folder again."
        )
    x, y, theory = axis_name(asked), str(asked["y"]), asked.get("theory")
    points = tables["points"]
    drawn: dict[str, Callable[[], Any]] = {
        "fit_curve": partial(
            fit_curve.draw, points, tables.get("law"), tables.get("forecast"), x=x, y=y
        ),
        "fit_residuals": partial(fit_residuals.draw, points, x=x, y=y),
    }
    if "profile" in tables:
        drawn["fit_profile"] = partial(fit_profile.draw, tables["profile"])
    if "ridge" in tables:
        drawn["fit_ridge"] = partial(fit_ridge.draw, tables["ridge"], y=y)
    if _several(tables.get("exponents")):
        drawn["fit_exponents"] = partial(fit_exponents.draw, tables["exponents"], theory=theory)
    if "board" in tables:
        drawn["fit_board"] = partial(fit_board.draw, tables["board"], x=x, y=y)
    return [Picture(name, name, draw) for name, draw in drawn.items()]


def _several(table: pd.DataFrame | None) -> bool:
    return table is not None and len(table) > 1


def axis_name(asked: dict[str, Any]) -> str:
    """What the x axis of a fit is called.

    >>> axis_name({"x": ["rows"], "base": 0.0, "weight": 1.0})
    'rows'
    >>> axis_name({"x": ["augment"], "base": 400.0, "weight": 0.5})
    'effective count 400 + 0.5 × augment'
    """
    name = ", ".join(map(str, asked["x"]))
    base, weight = float(asked.get("base", 0.0)), float(asked.get("weight", 1.0))
    if (base, weight) != (0.0, 1.0):
        times = "" if weight == 1.0 else f"{weight:g} × "
        return f"effective count {base:g} + {times}{name}"
    return tidy.axis_name(name)
