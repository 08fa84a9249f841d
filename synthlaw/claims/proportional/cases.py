"""The cases of the proportional regime that claims share: 25 features and all counts, times a size.

Noise falls and a sample's cost rises with the size; the middle of a ladder says little of its limit. The
preset full goes up to 800 features, where the limit must hold within 1 % without a ladder.
"""

from typing import Any

from synthlaw.claims.proportional.samples import Case

DIM = 25
SETTING: dict[str, Any] = {"kind": "imbalance", "dim": DIM, "separation": 2.0}
RIDGE = 0.05
FULL = {1: 1500, 2: 600, 4: 800, 8: 250, 32: 120}
NARROW_FULL = {1: 3000, 2: 1000, 4: 2000, 8: 500, 32: 160}
SHORT_FULL = {1: 1500, 2: 600, 4: 800, 8: 200}
HINGE_FULL = {1: 400, 2: 150, 4: 250, 8: 120, 32: 60}
# The labels of a case's cells.
RAW, RIGHT, SHIFTED, DENSE = "raw rows", "right law", "shifted", "d/n = 1/2"

# d/n = .28 raw, .21 balanced.
BALANCING = Case(
    "balancing",
    {
        "setting": SETTING,
        "counts": {"majority": 60, "minority": 30},
        "synthetic": {"ratios": [0, 1]},
    },
    {"logistic": RIDGE, "squared": RIDGE},
    {"quick": {1: 220, 2: 80, 4: 280}, "full": FULL},
)

# Five majority rows for each of the minority's; synthetic rows shifted to their own side and across.
BIASED = Case(
    "biased",
    {
        "setting": SETTING,
        "counts": {"majority": 125, "minority": 25},
        "synthetic": {
            "generators": [
                {"kind": "shift", "shift": [0.4, 0.5] + [0] * (DIM - 2), "groups": ["minority"]}
            ],
            "ratios": [0.5],
        },
    },
    {"logistic": RIDGE},
    {"quick": {1: 200, 2: 80, 4: 240}, "full": FULL},
)

# Twice as many rows as features.
NARROW = Case(
    "narrow",
    {
        "setting": SETTING,
        "counts": {"majority": 30, "minority": 20},
        "synthetic": {"ratios": [0]},
    },
    {"logistic": 0.1, "squared": 0.1},
    {"quick": {1: 300, 2: 80, 4: 450}, "full": NARROW_FULL},
)

HINGE = Case(
    "hinge",
    {
        "setting": SETTING,
        "counts": {"majority": 75, "minority": 25},
        "synthetic": {"ratios": [1]},
    },
    {"hinge": RIDGE},
    {"quick": {1: 100, 2: 30, 4: 115}, "full": HINGE_FULL},
)

DUPLICATES = Case(
    "duplicates",
    {
        "setting": SETTING,
        "counts": {"majority": 75, "minority": 25},
        "synthetic": {"generators": [{"kind": "duplicate"}], "ratios": [1]},
    },
    {"squared": RIDGE},
    {"quick": {1: 300, 2: 100, 4: 400}, "full": SHORT_FULL},
)

REWEIGHTED = Case(
    "reweighted",
    {
        "setting": SETTING,
        "counts": {"majority": 75, "minority": 25},
        "synthetic": {"generators": [{"kind": "reweight"}]},
    },
    {"logistic": RIDGE},
    {"quick": {1: 200, 2: 80, 4: 250}, "full": SHORT_FULL},
)
