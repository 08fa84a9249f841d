"""Proportional: the curves that are drawn, the limit and simulated points at 50, 200 and 800 features."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.proportional.clusters import isotropic
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.status import SOLVED
from scaling.theory.proportional.units import predicted_errors
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.cases import DIM, RIDGE, SETTING
from synthlaw.claims.proportional.samples import MEASURES, Case, Measured, measured, sweep_of

LOSS = "squared"
GROUPS = {"majority": "majority error", "minority": "minority error"}
RATIOS = (0.0, 0.5, 1.0, 1.5)
DENSE = 41
# Along d/n the ridge is small, so that the errors rise where least squares begins to interpolate.
SMALL_RIDGE, SHARE = 0.002, 0.25
ROWS = (160, 80, 40, 24, 16, 8)
# Near d/n = 1 the errors have a kink, which a coarse grid would cut off.
ASPECTS = np.unique(np.append(np.geomspace(0.14, 3.4, 60), np.geomspace(0.9, 1.12, 23)))
STEPS = {"quick": {2: 40, 8: 16}, "full": {2: 400, 8: 100, 32: 24}}

ALONG_RATIO = Case(
    "curve in the ratio",
    {
        "setting": SETTING,
        "counts": {"majority": 60, "minority": 20},
        "synthetic": {"ratios": list(RATIOS)},
    },
    {LOSS: RIDGE},
    STEPS,
)


def _at(rows: int) -> Case:
    minority = round(SHARE * rows)
    return Case(
        f"curve in d/n, {rows} rows",
        {
            "setting": SETTING,
            "counts": {"majority": rows - minority, "minority": minority},
            "synthetic": {"ratios": [0]},
        },
        {LOSS: SMALL_RIDGE},
        STEPS,
    )


def _points(panel: str, x: float, size: int, found: Measured, cell: int) -> list[dict[str, Any]]:
    rows = []
    for group, name in GROUPS.items():
        at = cell, MEASURES.index(name)
        rows.append(
            {
                "panel": panel,
                "x": x,
                "group": group,
                "dim": DIM * size,
                "predicted": found.predicted[at],
                "estimate": found.mean[at],
                "se": found.se[at],
                "replicates": found.replicates,
                "failures": int(found.failures[cell]),
            }
        )
    return rows


def _line(panel: str, x: np.ndarray, errors: np.ndarray) -> list[dict[str, Any]]:
    """Theory, ``errors (X, 2)`` of the groups in the order of `GROUPS`."""
    return [
        {"panel": panel, "x": float(at), "group": group, "predicted": float(value)}
        for at, row in zip(x, errors, strict=True)
        for group, value in zip(GROUPS, row, strict=True)
    ]


def curves(lab: Lab) -> pd.DataFrame:
    """Errors of both groups along the oversampling ratio and along d/n."""
    rows = []
    for size, found in measured(lab, ALONG_RATIO).items():
        for cell, ratio in enumerate(RATIOS):
            rows += _points("ratio", ratio, size, found[LOSS], cell)
    dense = np.linspace(RATIOS[0], RATIOS[-1], DENSE)
    sweep = sweep_of(ALONG_RATIO, LOSS)
    unit = lab.units({**sweep, "synthetic": {"ratios": dense.tolist()}}, size=40)[0]
    rows += _line("ratio", dense, predicted_errors(unit).errors)
    for count in ROWS:
        for size, found in measured(lab, _at(count)).items():
            rows += _points("d/n", DIM / count, size, found[LOSS], 0)
    half = SETTING["separation"] / 2.0
    groups = isotropic([1.0 - SHARE, SHARE], [-1.0, 1.0], [[-half], [half]])
    found = fixed_point(LOSS, groups, ASPECTS, SMALL_RIDGE)
    # A solve that failed leaves out its own point of the line.
    solved = found.status == SOLVED
    rows += _line("d/n", ASPECTS[solved], group_errors(found, groups)[solved])
    ridges = {"ratio": RIDGE, "d/n": SMALL_RIDGE}
    table = pd.DataFrame(rows).assign(loss=LOSS, separation=SETTING["separation"], minority=SHARE)
    return table.assign(ridge=[ridges[panel] for panel in table["panel"]])
