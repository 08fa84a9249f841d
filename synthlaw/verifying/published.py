"""The published curves, read from a folder that is not part of the project, and checked first.

`read` returns every curve as rows of one table; what is done with them is in
`synthlaw.verifying.published_tables`.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simulations.problems import InputError, one_sentence

# Of the names of the page's tables and figures in a run's folder.
PREFIX = "published_"
SEEDS = 5
SMALL, SMALL_SEEDS = "opal/curves_stored.csv", "opal/curves_recomputed_perseed.csv"
LARGE, LARGE_SEEDS = "scaling_law/curves_stored.csv", "scaling_law/curves_recomputed_perseed.csv"
COLUMNS: dict[str, Any] = {
    SMALL: (
        *("dataset", "task", "classifier", "method", "seed_or_mean", "n_added", "metric"),
        *("value", "std", "source", "status"),
    ),
    SMALL_SEEDS: (
        "dataset",
        "task",
        "method",
        "classifier",
        "seed",
        "n_added",
        "n_train",
        "bal_err",
    ),
    LARGE: (
        *("dataset", "task", "experiment", "classifier", "method", "arm", "seed_or_mean"),
        *("n_added", "metric", "value", "std"),
    ),
    LARGE_SEEDS: ("dataset", "task", "classifier", "seed", "n_added", "balanced_ce"),
}
# Rows of the base and weight of a synthetic row in the experiment `vary_additional`.
BASE, WEIGHT = 1800.0, 0.5
# Raw rows of each small data set.
RAW = {"gender": 50}
RAW_ELSE = 100
NAMES = {"balanced_log_cross": "balanced", "min_log_cross": "minority"}


class Published(NamedTuple):
    """Tables with the columns ``curve, n_added, x, y, se``, one row a point; ``x`` is the effective
    count. ``large``: cross-entropy against added rows; ``longer``: the same computed again, with up to
    46,000 rows; ``small``: errors on the small tables; ``small_longer``: the same with more rows."""

    large: pd.DataFrame
    longer: pd.DataFrame
    small: pd.DataFrame
    small_longer: pd.DataFrame


def read(folder: str | Path) -> Published:
    """Read the published curves.

    Args:
        folder: which holds them.

    Raises:
        ValueError: one sentence: a file or a column is missing, or a column holds no numbers.
    """
    directory = Path(folder)
    tables = {name: _table(directory, name) for name in COLUMNS}
    return Published(
        _large(tables[LARGE]),
        _longer(tables[LARGE_SEEDS]),
        _small(tables[SMALL]),
        _small_longer(tables[SMALL_SEEDS]),
    )


def _table(directory: Path, name: str) -> pd.DataFrame:
    path = directory / name
    if not path.is_file():
        raise InputError(
            f"--published {directory}: has no file {name}; give the folder with the published curves."
        )
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(one_sentence(f"{path} cannot be read ({error})")) from None
    missing = [column for column in COLUMNS[name] if column not in table.columns]
    if missing:
        raise InputError(
            f"{path} lacks the column {missing[0]}; take the file as it was published."
        )
    for column in {"n_added", "value", "std", "bal_err", "balanced_ce"} & set(table.columns):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise InputError(f"{path}: {column} holds text; take the file as it was published.")
    return table


def _points(curve: Any, added: Any, x: Any, y: Any, se: Any) -> pd.DataFrame:
    table: Any = pd.DataFrame({"curve": curve, "n_added": added, "x": x, "y": y, "se": se})
    table = table[np.isfinite(table.y) & (table.y > 0.0)]
    return table.sort_values(["curve", "n_added"], kind="stable").reset_index(drop=True)


def _joined(table: Any, *columns: str) -> Any:
    return table[list(columns)].astype(str).agg(" ".join, axis=1)


def _large(table: Any) -> pd.DataFrame:
    rows = table[
        (table.experiment == "vary_additional")
        & (table.arm == "balance_augment")
        & (table.seed_or_mean.astype(str) == "mean")
        & table.metric.isin(list(NAMES))
    ]
    # What is stored is the mean of the logarithm.
    y = pd.Series(np.exp(rows.value), index=rows.index)
    curve = _joined(
        rows.assign(name=rows.metric.map(NAMES)), "dataset", "task", "classifier", "name"
    )
    x = BASE + WEIGHT * rows.n_added
    return _points(curve, rows.n_added, x, y, y * rows["std"] / np.sqrt(SEEDS))


def _over_seeds(table: Any, keys: list[str], column: str) -> Any:
    rows = table[table.n_added >= 0].dropna(subset=[column])
    # Where some seed has no such many rows, the mean would be that of others.
    seeds = rows.groupby(keys)["seed"].transform("nunique")
    rows = rows[rows.groupby([*keys, "n_added"])["seed"].transform("nunique") == seeds]
    found = rows.groupby([*keys, "n_added"])[column].agg(["mean", "std", "size"]).reset_index()
    return found.assign(se=found["std"] / np.sqrt(found["size"]))


def _longer(table: Any) -> pd.DataFrame:
    keys = ["dataset", "task", "classifier"]
    rows = _over_seeds(table, keys, "balanced_ce")
    x = BASE + WEIGHT * rows.n_added
    return _points(_joined(rows, *keys), rows.n_added, x, rows["mean"], rows.se)


def _small(table: Any) -> pd.DataFrame:
    rows = table[
        (table.seed_or_mean.astype(str) == "mean")
        & table.status.astype(str).str.startswith("reproduced")
        & (table.metric != "accuracy")
    ]
    keys = ["dataset", "task", "classifier", "method", "metric"]
    # The same curve may be stored in two places.
    rows = rows.drop_duplicates([*keys, "n_added"])
    x = rows.n_added + rows.dataset.map(RAW).fillna(RAW_ELSE)
    return _points(_joined(rows, *keys), rows.n_added, x, rows.value, rows["std"] / np.sqrt(SEEDS))


def _small_longer(table: Any) -> pd.DataFrame:
    keys = ["dataset", "task", "method", "classifier"]
    rows = _over_seeds(table, keys, "bal_err")
    x = rows.n_added + rows.dataset.map(RAW).fillna(RAW_ELSE)
    return _points(_joined(rows, *keys), rows.n_added, x, rows["mean"], rows.se)
