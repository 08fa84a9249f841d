"""Size, the metric: where Ma and Zhang's size is worse than balancing, and the inverse Hessian's wins.

Squared loss without intercept, covariance diag(1, 9), classes at 0 and (1, 1), imbalance 20, synthetic rows
shifted by (.05, 0). The counts are so large that the floors stand out of the noise.
"""

from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.size.curve import balanced_point, size_curve
from scaling.theory.size.directions import directions
from scaling.theory.size.optimum import optimal_size
from scaling.theory.size.problem import SizeProblem
from scaling.theory.size.sizes import size
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import Selection, column, compare, ladder_of, select
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import DERIVED, Twin
from synthlaw.claims.size.golden import ASSUMED, NOTE, SOURCE, problem_of

MINORITY, IMBALANCE = 1_000_000, 20
# Sizes in units of the missing rows: m*_H, m* (six digits serve) and points around them.
HESSIAN, EUCLIDEAN = 0.963623, 1.001252
RATIOS = (0.92, HESSIAN, 1.0, EUCLIDEAN, 1.03)
ANISOTROPIC: dict[str, Any] = {
    "setting": {
        "kind": "groups",
        "groups": [
            {"name": "majority", "label": 0, "mean": [0.0, 0.0], "covariance": [[1.0, 0.0], [0.0, 9.0]]},
            {"name": "minority", "label": 1, "mean": [1.0, 1.0], "covariance": [[1.0, 0.0], [0.0, 9.0]]},
        ],
    },
    "counts": {"majority": IMBALANCE * MINORITY, "minority": MINORITY},
    "synthetic": {
        "generators": [{"kind": "shift", "shift": [0.05, 0.0], "groups": ["minority"]}],
        "ratios": list(RATIOS),
    },
    "estimator": {"kind": "squared", "intercept": False},
}  # fmt: skip
EXPERIMENT = Experiment("size_metric", ANISOTROPIC, sizes=(1,), replicates=(200,))
# Numbers of rows at which the pictured curve is predicted.
LINE_POINTS = 121


def _measured(lab: Lab, ratio: float) -> pd.DataFrame:
    return select(lab.measure(EXPERIMENT), Selection("shift", (ratio,)))


def sizes_of(problem: SizeProblem) -> dict[str, float]:
    """The sizes by name, and full balancing."""
    balanced = balanced_point(problem)
    found = directions(problem, balanced)
    return {
        "full balancing": problem.missing,
        "m* (Euclidean)": size(problem, found, "euclidean").rows,
        "m* (inverse Hessian)": size(problem, found).rows,
        "exact minimum": optimal_size(problem, "total", balanced).rows,
    }


def _drawn(lab: Lab) -> pd.DataFrame:
    """The predicted curve, the simulated points and the sizes, in missing rows."""
    problem = problem_of(lab, sweep=ANISOTROPIC)
    missing = problem.missing
    dense = np.linspace(0.88, 1.04, LINE_POINTS)
    terms = size_curve(problem, dense * missing)
    lines = pd.DataFrame({"what": "theory", "name": "", "rows": dense, "predicted": terms.total})
    simulated = select(lab.measure(EXPERIMENT), Selection("shift"))
    points = pd.DataFrame(
        {
            "what": "simulated",
            "name": "",
            "rows": column(simulated, "ratio"),
            "predicted": column(simulated, "predicted"),
            "estimate": column(simulated, "estimate"),
            "se": column(simulated, "se"),
            "flag": simulated["flag"].to_numpy(),
        }
    )
    named = sizes_of(problem)
    at = np.array(list(named.values()))
    marks = pd.DataFrame(
        {
            "what": "size",
            "name": list(named),
            "rows": at / missing,
            "predicted": size_curve(problem, at).total,
        }
    )
    return pd.concat([lines, points, marks], ignore_index=True)


def metric(lab: Lab) -> pd.DataFrame:
    """Simulated risks at m*_H against those at full balancing and at m*, and these two."""
    lab.drawn["size_curve"] = _drawn(lab)
    pairs = [(HESSIAN, 1.0), (HESSIAN, EUCLIDEAN), (1.0, EUCLIDEAN)]
    names = ["m*_H against balancing", "m*_H against m*", "balancing against m*"]
    parts = [
        compare(_measured(lab, one), _measured(lab, other), [name])
        for (one, other), name in zip(pairs, names, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def euclidean_wins(lab: Lab) -> pd.DataFrame:
    """Simulated risk at m* against that at full balancing."""
    one, other = _measured(lab, EUCLIDEAN), _measured(lab, 1.0)
    return compare(one, other, ["m* against balancing"])


def floors(lab: Lab) -> pd.DataFrame:
    """Simulated over predicted risks at all sizes; the counts are as good as endless: no ladder."""
    table = ladder_of(EXPERIMENT, Selection("shift"))(lab)
    return table.assign(size=MINORITY, inverse_size=0.0)


CLAIMS = (
    inequality_claim(
        "size-metric",
        "The size in the metric of the inverse Hessian wins",
        (
            "Where the features differ in scale the size of the Euclidean projection has a larger"
            " risk than full balancing, and the size of the projection in the metric of the"
            " inverse Hessian less than half of either."
        ),
        (
            r"m^*_H = \frac{n_0 - n_1}{1 - 2\langle g_\psi, g_\phi\rangle_{H^{-1}}"
            r"/\langle g_\phi, g_\phi\rangle_{H^{-1}}},\quad \mathcal{E}(m^*_H) <"
            r" \mathcal{E}(n_0-n_1) < \mathcal{E}(m^*)"
        ),
        metric,
        Twin("The Euclidean size has no larger risk than full balancing.", euclidean_wins),
        note=NOTE,
        source=SOURCE,
        assumptions=ASSUMED,
    ),
    constant_claim(
        "size-metric-floors",
        "The floors around the best size",
        (
            "In the anisotropic case the balanced excess risk is the floor of the training mixture"
            " and its variance, at five sizes from .92 to 1.03 times the missing rows."
        ),
        r"E\,\mathcal{E}(m) = R_{bal}(\theta_{mix}(m)) - R_{bal}(\theta_{bal}) + O(1/n)",
        floors,
        note=NOTE,
        source=DERIVED,
        assumptions=ASSUMED,
    ),
)
