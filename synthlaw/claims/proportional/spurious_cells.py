"""What the claims on overparameterised spurious correlation measure, and the table of their picture."""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.proportional.random_features import FeatureErrors, predicted_features
from scaling.theory.proportional.spurious import predicted, reference
from simulations.memorising.replicates import Cell, Errors, with_noise, with_random_features
from simulations.memorising.rows import Reference
from simulations.memorising.world import SCHEMES, Scheme, World
from synthlaw.claims.lab import Lab

# Of the reversal: nine rows in ten are aligned. Of the constants: four in five, so that fewer raw rows
# leave enough in the smallest group.
NOISE = World(aligned=0.9, core=1.0, spurious=0.1, noise=10.0, ridge=2e-3)
EVEN = NOISE._replace(aligned=0.8)
FEATURES = World(aligned=0.9, core=20.0, spurious=1.0, noise=1.0, ridge=1e-3)
DIM = 20
ROWS = 400
# Parameters per raw row: those of the claims, and more for the picture of the preset full.
ENDS = (0.05, 5.0)
DRAWN = (0.05, 0.2, 1.0, 5.0)
ALL = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
FEATURE_ENDS = (0.075, 3.0)
FEATURES_DRAWN = (0.075, 0.15, 0.25, 0.5, 3.0)
FEATURES_ALL = (0.025, 0.075, 0.15, 0.25, 0.5, 1.0, 3.0, 7.5)
REPLICATES, FEATURE_REPLICATES = 18, 12
# Where random features are held against their fixed point: parameters per row, replicates, draws of W.
FEATURES_HELD, HELD_REPLICATES, HELD_DRAWS = 0.25, 120, 6
# The picture's line for random features, in the preset full: draws of W for so many parameters in all.
FEATURE_LINE, LINE_DRAWS = (0.04, 0.075, 0.12, 0.2, 0.35, 0.6, 1.0, 2.0, 4.0), 600
# Of the constants: raw rows, noise features, replicates of the preset quick. Subsampling trains on few
# rows and is off by order 1/n: a ladder of sizes at each d/n.
SIZES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "reweighting": ((1600, 80, 104), (200, 400, 240)),
    "subsampling": (
        *((400, 20, 200), (800, 40, 160), (1600, 80, 104)),
        *((200, 400, 120), (400, 800, 96), (800, 1600, 96)),
    ),
}
LINE = np.geomspace(0.03, 12.0, 24)


def cell(per_row: float, scheme: Scheme, rows: int = ROWS) -> Cell:
    """Of so many parameters per raw row."""
    return Cell(rows, round(per_row * rows), scheme)


def theory(lab: Lab) -> dict[tuple[World, Cell], tuple[float, float, Reference]]:
    """Worst-group error, average error and rule of the fixed point for all cells, from one batch."""

    def solve() -> dict[tuple[World, Cell], tuple[float, float, Reference]]:
        known = [(NOISE, cell(x, scheme)) for scheme in SCHEMES for x in ALL]
        known += [(NOISE, each) for each in lines()]
        known += [(EVEN, Cell(n, d, scheme)) for scheme in SCHEMES for n, d, _ in SIZES[scheme]]
        found = predicted([world for world, _ in known], [at for _, at in known])
        return {
            each: (float(found.worst[k]), float(found.average[k]), reference(found, k))
            for k, each in enumerate(known)
        }

    return lab.recall("spurious theory", solve)


def lines() -> list[Cell]:
    """The cells of the lines of theory."""
    return [cell(x, scheme) for scheme in SCHEMES for x in LINE]


def noise_errors(lab: Lab, of: World, at: Cell, replicates: int) -> Errors:
    """Measured errors with noise features."""
    many, near = replicates * lab.preset.effort, theory(lab)[of, at][-1]
    return lab.recall(
        f"spurious noise {of.aligned} {at} {many}",
        lambda: with_noise(of, at, many, lab.seed, near),
    )


def feature_theory(lab: Lab, at: Cell, draws: int) -> FeatureErrors:
    """Predicted errors with random features."""
    return lab.recall(
        f"spurious features theory {at} {draws}",
        lambda: predicted_features(FEATURES, DIM, at, draws, lab.seed),
    )


def feature_errors(lab: Lab, at: Cell) -> Errors:
    """Measured errors with random features."""
    held = at.parameters == round(FEATURES_HELD * at.rows)
    many = (HELD_REPLICATES if held else FEATURE_REPLICATES) * lab.preset.effort
    return lab.recall(
        f"spurious features {at} {many}",
        lambda: with_random_features(FEATURES, DIM, at, many, lab.seed),
    )


def _measured_row(model: str, scheme: Scheme, per_row: float, found: Errors) -> dict[str, Any]:
    return {
        "model": model,
        "scheme": scheme,
        "per_row": per_row,
        "worst": found.worst.value,
        "worst_se": found.worst.se,
        "average": found.average.value,
        "average_se": found.average.se,
        "replicates": found.replicates,
        "failures": found.failures,
        "rows": ROWS,
    }


def _feature_line(lab: Lab, scheme: Scheme, per_row: float, draws: int) -> dict[str, Any]:
    found = feature_theory(lab, cell(per_row, scheme), draws)
    average = FEATURES.aligned * found.aligned + (1.0 - FEATURES.aligned) * found.worst
    named = {"model": "features", "scheme": scheme, "per_row": per_row}
    return {**named, "worst_theory": found.worst, "average_theory": average}


def pictured(lab: Lab) -> pd.DataFrame:
    """Worst-group and average error against parameters per raw row: measured, and by the fixed point."""
    full = lab.preset.effort > 1
    rows = []
    for scheme in SCHEMES:
        for per_row in ALL if full else DRAWN:
            found = noise_errors(lab, NOISE, cell(per_row, scheme), REPLICATES)
            rows.append(_measured_row("noise", scheme, per_row, found))
        for per_row in FEATURES_ALL if full else FEATURES_DRAWN:
            found = feature_errors(lab, cell(per_row, scheme))
            rows.append(_measured_row("features", scheme, per_row, found))
    if full:
        draws = [max(2, LINE_DRAWS // round(x * ROWS)) for x in FEATURE_LINE]
        line = list(zip(FEATURE_LINE, draws, strict=True))
    else:
        # The one place whose fixed point the claims know.
        line = [(FEATURES_HELD, HELD_DRAWS)]
    rows += [_feature_line(lab, scheme, x, draws) for scheme in SCHEMES for x, draws in line]
    known = theory(lab)
    cells = lines()
    predictions = pd.DataFrame(
        {
            "model": "noise",
            "scheme": [each.scheme for each in cells],
            "per_row": [each.parameters / ROWS for each in cells],
            "worst_theory": [known[NOISE, each][0] for each in cells],
            "average_theory": [known[NOISE, each][1] for each in cells],
        }
    )
    return pd.concat([pd.DataFrame(rows), predictions], ignore_index=True)
