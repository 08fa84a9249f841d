"""``python -m benchmarks.smote_law``: how much SMOTE shrinks, measured against the number of rows.

The deficit ``1 - tr Cov / tr S`` of standard normal and of uniform rows (cube) in 1, 2, 5 and 10
dimensions, for a fixed number of neighbours and for numbers that grow with n; beside each the exact
value or the leading order where there is one, and the fitted exponents with their intervals.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd

from benchmarks.records import SCHEMA, leave, machine, options, path_of

NAME = "smote_law"
DIMS = (1, 2, 5, 10)
RULES: dict[str, Callable[[int], int]] = {
    "5": lambda n: 5,
    "n^(1/2)": lambda n: round(n**0.5),
    "n/4": lambda n: n // 4,
    "n/2": lambda n: n // 2,
}
SHARES = ("n/4", "n/2")
# Numbers of rows; where k is a share of them, the work grows as their cube.
ROWS = {False: (100, 200, 400, 800, 1600), True: (50, 100, 200, 400, 800)}
# Seconds of a distance and a neighbour's place, about; replicates fill so many seconds a cell.
COST, FEWEST, MOST = 1e-9, 16, 20_000
COLUMNS = ["law", "dim", "rule", "rows", "k", "deficit", "se", "replicates", "exact", "leading"]


def replicates(n: int, dim: int, k: int, seconds: float) -> int:
    """As many as fill so many seconds, within bounds."""
    return int(np.clip(seconds / (COST * n * n * (dim + k)), FEWEST, MOST))


def theory(law: str, n: int, k: int, dim: int) -> tuple[float, float]:
    """The exact deficit and the leading order, NaN where there is none."""
    from scaling.theory import smote

    if law == "gaussian":
        return smote.gaussian(n, k, dim), float("nan")
    exact = smote.uniform_interval(n, k) if dim == 1 else float("nan")
    return exact, smote.uniform_cube(n, k, dim)


def measured(seconds: float) -> pd.DataFrame:
    """The table of all cells."""
    from scaling.theory.smote_measured import LAWS, shrinkage

    rows = []
    for law in LAWS:
        for dim in DIMS:
            for rule, number in RULES.items():
                for n in ROWS[rule in SHARES]:
                    k = number(n)
                    found = shrinkage(law, n, dim, k, replicates(n, dim, k, seconds))
                    rows.append([law, dim, rule, n, k, *found, *theory(law, n, k, dim)])
                print(f"{law}, d = {dim}, k = {rule}", file=sys.stderr, flush=True)
    return pd.DataFrame(rows, columns=COLUMNS)


def exponents(table: pd.DataFrame) -> list[dict[str, Any]]:
    """For every curve the exponent of a power law and its interval; where k is a share of n the deficit
    tends to a constant, and there is none."""
    from scaling.fitting.curves import curve
    from scaling.fitting.fit import fit
    from scaling.fitting.intervals import intervals

    found = []
    for key, part in table.groupby(["law", "dim", "rule"], sort=False):
        law, dim, rule = cast(tuple[str, int, str], key)
        if rule in SHARES:
            continue
        columns = (part[c].to_numpy(dtype=float) for c in ("rows", "deficit", "se"))
        fitted = fit("power", curve(*columns))
        values, ends = fitted.parameters, intervals(fitted)
        found.append(
            {"law": law, "dim": int(dim), "rule": rule}
            | {p: {"value": v, **ends[p]._asdict()} for p, v in values.items()}
            | {"chi_square": 2.0 * fitted.loss, "freedom": fitted.freedom}
        )
    return found


def main() -> None:
    from figures.smote_law import draw
    from figures.style import save

    parser = options(NAME, __doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for a cell, about")
    chosen = parser.parse_args()
    table = measured(chosen.seconds)
    path = path_of(NAME, chosen.record)
    cells = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    result = {"schema": SCHEMA, **machine(), "cells": cells, "exponents": exponents(table)}
    leave(result, path)
    shown = save(draw(table.query("rule == '5'")), path.with_suffix(""))
    print(json.dumps(result["exponents"], indent=1))
    print("\n".join(map(str, [path, *shown])), file=sys.stderr)


if __name__ == "__main__":
    main()
