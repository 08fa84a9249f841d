"""Reading the tidy table for a picture: which column runs along x, which cells share a panel.

A table may hold several sweeps at once (swept keys, several estimators). One column runs along
x; every other column that varies splits the table into panels.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from figures.faults import FigureError

REQUIRED = ("generator", "ratio", "metric", "group", "predicted", "estimate", "se")
_TEXT = ("setting", "generator", "estimator", "counts", "metric", "group")
_SPLITTING = ("estimator", "augment", "augment_share", "counts", "setting")

AXIS_NAMES = {
    "ratio": "oversampling ratio ρ (0 raw, 1 balanced)",
    "augment": "augmented rows per group N",
    "augment_share": "weight share of the augmented rows α",
}
METRIC_NAMES = {
    "excess_risk": "excess risk (loss)",
    "error": "0-1 error (share)",
    "kl": "KL divergence (nats)",
}


def numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where it is empty."""
    return np.asarray(table[name], dtype=np.float64)


def texts(table: pd.DataFrame, name: str) -> list[str]:
    """A column as text, "" where it is empty."""
    return ["" if pd.isna(value) else str(value) for value in table[name]]


def distinct(table: pd.DataFrame, name: str) -> list[str]:
    """The texts of a column, each once, in the order of the table."""
    return list(dict.fromkeys(texts(table, name)))


def where(table: pd.DataFrame, keep: Any) -> pd.DataFrame:
    """The rows for which ``keep`` is true."""
    return cast(pd.DataFrame, table.loc[np.asarray(keep, dtype=bool)])


def known(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The rows in which all the named columns hold a number."""
    return where(table, np.all([np.isfinite(numbers(table, name)) for name in names], axis=0))


def ordered(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows by growing ``name``."""
    return where(table, np.ones(len(table))).iloc[np.argsort(numbers(table, name), kind="stable")]


class Panel(NamedTuple):
    """Rows drawn together: ``curves`` run along x, ``constants`` (reweighting) do not."""

    title: str
    curves: pd.DataFrame
    constants: pd.DataFrame


def require(table: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """Raise a ``ValueError`` of one sentence when columns are missing."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise FigureError(
            f"A {what} needs the columns {', '.join(columns)}; missing here: {', '.join(missing)}."
        )


def swept_keys(table: pd.DataFrame) -> list[str]:
    """The swept settings of a table: its columns with a dotted name."""
    return [str(name) for name in table.columns if "." in str(name)]


def running_column(table: pd.DataFrame) -> str:
    """The column to put along x: the first of ratio, augment, swept keys that varies."""
    candidates = ["ratio", "augment", *swept_keys(table)]
    varying = (
        name
        for name in candidates
        if name in table.columns and len(set(numbers(known(table, name), name))) > 1
    )
    return next(varying, "ratio")


def select(table: pd.DataFrame, metric: str, group: str | None) -> pd.DataFrame:
    """The rows of one metric (and one group); none is a ``ValueError`` naming what exists."""
    require(table, REQUIRED, "curve")
    metrics, groups = texts(table, "metric"), texts(table, "group")
    pairs = list(zip(metrics, groups, strict=True))
    chosen = where(table, [m == metric and group in (None, g) for m, g in pairs])
    if chosen.empty:
        found = ", ".join(dict.fromkeys(f"{m}/{g}" for m, g in pairs))
        raise FigureError(
            f"The table has no rows of metric {metric!r} and group {group or 'any'!r}; "
            f"it holds {found}."
        )
    return chosen


def panels(table: pd.DataFrame, x: str) -> list[Panel]:
    """Split a table so that within a panel only generator, group and ``x`` vary."""
    along = np.isfinite(numbers(table, "ratio"))
    moving, constant = where(table, along), where(table, ~along)
    columns = _splitting_columns(moving, x)
    if not columns:
        return [Panel("", moving, constant)]
    # What belongs to synthetic rows does not apply to a row without them.
    shared = [name for name in columns if name not in AXIS_NAMES]
    found = []
    for key, rows in moving.groupby(columns, dropna=False, sort=True):
        values = dict(zip(columns, cast(tuple[Any, ...], key), strict=True))
        alike = [
            all(row[name] == values[name] for name in shared) for row in constant.to_dict("records")
        ]
        title = "\n".join(_named(name, value) for name, value in values.items())
        found.append(Panel(title, rows, where(constant, alike)))
    return found


def _splitting_columns(table: pd.DataFrame, x: str) -> list[str]:
    """Columns that vary beside ``x``, without those another chosen column already determines."""
    candidates = [*swept_keys(table), "ratio", *_SPLITTING]
    chosen: list[str] = []
    for name in candidates:
        if name == x or name not in table.columns:
            continue
        before = table.groupby([x, *chosen], dropna=False).ngroups
        if table.groupby([x, *chosen, name], dropna=False).ngroups > before:
            chosen.append(name)
    return chosen


def _named(name: str, value: object) -> str:
    """One line of a panel's title; counts (a JSON object) are spelt out."""
    if name == "counts":
        return re.sub(r'[{}"]', "", str(value)).replace(":", " ").replace(",", ", ")
    return f"{name} = {value:g}" if isinstance(value, int | float) else f"{name} = {value}"


def axis_name(x: str) -> str:
    """What the x axis is called."""
    return AXIS_NAMES.get(x, x)


def metric_name(metric: str, group: str) -> str:
    """What the y axis is called.

    >>> metric_name("excess_risk", "balanced"), metric_name("error", "1,-1")
    ('balanced excess risk (loss)', 'group 1,-1: 0-1 error (share)')
    """
    name = METRIC_NAMES.get(metric, metric)
    if group == "balanced":
        return f"balanced {name}"
    return f"worst-group {name}" if group == "worst" else f"group {group}: {name}"


def read_table(path: Path) -> pd.DataFrame:
    """A CSV table whose names stay text, whatever they look like."""
    text: Any = dict.fromkeys((*_TEXT, "cell", "series", "name", "label"), str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=["", "nan", "NaN"])
