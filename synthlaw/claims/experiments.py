"""The simulations that claims share.

Counts grow along a ladder as a rule no further than one compiled program has room for, so that it serves
all sizes; replicates are chosen so that a constant's standard error stays below 0.35 % in ``quick`` (most
are three to a hundred times smaller), and never fall below `FEWEST`, so that the controls' coefficients
can be fitted in each half. What needs more than its neighbours has an experiment of its own.
"""

from typing import Any

from simulations.runs.estimates import ROWS_PER_COEFFICIENT
from simulations.sampling.controls import CONTROLS
from synthlaw.claims.lab import Experiment

REFERENCE: dict[str, Any] = {"kind": "imbalance", "dim": 5, "separation": 2.0}
COUNTS = {"majority": 2000, "minority": 200}
RESAMPLED_COUNTS = {"majority": 1000, "minority": 200}
FITTED_COUNTS = {"majority": 600, "minority": 200}
SPURIOUS_SETTING: dict[str, Any] = {"kind": "spurious", "dim": 5, "core": 2.0, "spurious": 3.0}
SPURIOUS_COUNTS = {"1,1": 1000, "1,-1": 100, "-1,1": 100, "-1,-1": 1000}
MINORITY = ["minority"]
# Each half's replicates must be enough for a coefficient of every control: 160 in all.
FEWEST = 2 * CONTROLS * ROWS_PER_COEFFICIENT

# Known laws added to the minority: right, shifted towards its own side, shrunk, mislabelled.
CURVE = Experiment(
    "imbalance_curve",
    {
        "setting": REFERENCE,
        "counts": COUNTS,
        "synthetic": {
            "generators": [
                {"kind": "oracle"},
                {"kind": "shift", "shift": [0.3, 0, 0, 0, 0], "groups": MINORITY},
                {"kind": "scale", "factor": 2 / 3, "groups": MINORITY},
                {"kind": "label_noise", "rate": 0.1, "groups": MINORITY},
            ],
            "ratios": [0, 0.5, 1, 2],
        },
    },
    sizes=(1, 2, 4),
    replicates=(FEWEST, FEWEST, FEWEST),
)

# The minority's own error is noisier than what is balanced over the groups. What a ladder's sizes
# say of its limit is worth most at the ends: the middle has few replicates.
SHIFTED = Experiment(
    "imbalance_shifted",
    {
        "setting": REFERENCE,
        "counts": COUNTS,
        "synthetic": {
            "generators": [{"kind": "shift", "shift": [0.3, 0, 0, 0, 0], "groups": MINORITY}],
            "ratios": [1, 2],
        },
    },
    sizes=(1, 2, 4),
    replicates=(700, 300, 400),
)

# Duplicates and reweighting have the variance of the few minority rows: the ladder starts higher.
RESAMPLING = Experiment(
    "imbalance_resampling",
    {
        "setting": REFERENCE,
        "counts": RESAMPLED_COUNTS,
        "synthetic": {
            "generators": [{"kind": "reweight"}, {"kind": "duplicate"}],
            "ratios": [0.5, 1],
        },
    },
    sizes=(4, 8, 16),
    replicates=(220, FEWEST, FEWEST),
)

REAL_ROWS = Experiment(
    "imbalance_real_rows",
    {
        "setting": REFERENCE,
        "counts": {"majority": 2000, "minority": 2000},
        "synthetic": {"ratios": [0]},
    },
    sizes=(1, 2, 4),
    replicates=(FEWEST, FEWEST, FEWEST),
)

AUGMENT_SHARE = Experiment(
    "augment_share",
    {
        "setting": REFERENCE,
        "counts": {"majority": 1000, "minority": 200},
        "synthetic": {"ratios": [1], "augment": [1500], "augment_share": 0.7},
    },
    sizes=(1, 2, 4),
    replicates=(FEWEST, FEWEST, FEWEST),
)

AUGMENT_WEIGHT = Experiment(
    "augment_row_weight",
    {
        "setting": REFERENCE,
        "counts": {"majority": 1000, "minority": 200},
        "synthetic": {
            "generators": [{"kind": "shift", "shift": [0, 0.4, 0, 0, 0]}],
            "ratios": [1],
            "augment": [2000],
            "augment_row_weight": 0.5,
        },
    },
    sizes=(1, 2, 4),
    replicates=(FEWEST, FEWEST, FEWEST),
)

SPURIOUS = Experiment(
    "spurious_curve",
    {
        "setting": SPURIOUS_SETTING,
        "counts": SPURIOUS_COUNTS,
        "synthetic": {
            "generators": [{"kind": "oracle"}, {"kind": "leak", "strength": 0.3}],
            "ratios": [0, 0.25, 0.5, 1],
        },
    },
    sizes=(1, 2, 4),
    replicates=(220, FEWEST, FEWEST),
)

# The errors of a single group are noisier than what is balanced over four.
WORST = Experiment(
    "spurious_worst",
    {
        "setting": SPURIOUS_SETTING,
        "counts": SPURIOUS_COUNTS,
        "synthetic": {"ratios": [0.5, 1]},
    },
    sizes=(2, 4, 7),
    replicates=(900, FEWEST, 820),
)

# Generators fitted to the minority rows that are trained on: the variance is that of these few.
FITTED = Experiment(
    "generation_fitted",
    {
        "setting": REFERENCE,
        "counts": FITTED_COUNTS,
        "synthetic": {
            "generators": [
                {"kind": "gaussian", "covariance": "known", "groups": MINORITY},
                {"kind": "gaussian", "covariance": "estimated", "groups": MINORITY},
            ],
            "ratios": [0.5, 1],
        },
    },
    sizes=(4, 8, 24),
    replicates=(430, FEWEST, 370),
)

SMOOTHED = Experiment(
    "generation_smoothed",
    {
        "setting": REFERENCE,
        "counts": FITTED_COUNTS,
        "synthetic": {
            "generators": [{"kind": "smoothed", "bandwidth": 0.5, "groups": MINORITY}],
            "ratios": [1],
        },
    },
    sizes=(4, 8, 24),
    replicates=(700, FEWEST, 580),
)

# Both groups fitted and augmented: the rows of the generator have most of the weight.
FITTED_AUGMENT = Experiment(
    "generation_augment",
    {
        "setting": REFERENCE,
        "counts": FITTED_COUNTS,
        "synthetic": {
            "generators": [{"kind": "gaussian"}],
            "ratios": [1],
            "augment": [600],
            "augment_share": 0.7,
        },
    },
    sizes=(4, 8, 24),
    replicates=(400, FEWEST, 310),
)

# LDA on balanced rows: what endless augmentation by a Gaussian with pooled covariance tends to.
LDA = Experiment(
    "generation_lda",
    {
        "setting": REFERENCE,
        "counts": {"majority": 2000, "minority": 2000},
        "synthetic": {"ratios": [0]},
        "estimator": {"kind": "lda"},
    },
    sizes=(1, 2, 4),
    replicates=(800, 400, 700),
)
