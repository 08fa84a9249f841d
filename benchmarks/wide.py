"""``python -m benchmarks.wide``: one fit in high dimension beside scikit-learn's, per loss and dimension.

The problem is that of the proportional regime: n = 6 d rows, a sixth of label 1, means 2.4 apart, ridge
0.01, all rows of equal weight. Everybody minimises the same objective on the same rows: LogisticRegression,
Ridge and SVC with a linear kernel, all with their default tolerances, where they end up to 1e-3 beyond our
objective (recorded; ours is exact to rounding). LinearSVC penalises the intercept too: its problem is
another one, its time is shown all the same. One BLAS thread, in turns in one process; the least of the
rounds counts, processor time beside the clock's, because machines are shared. ``replicate`` is a whole
replicate of a simulation: drawing the rows, the fit, exact risks.
"""

import os

# Read when NumPy is first imported.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import warnings  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numpy as np  # noqa: E402

from benchmarks.records import SCHEMA, leave, machine, options, path_of, seconds  # noqa: E402

NAME = "wide"
DIMS, ROWS_PER_FEATURE, RIDGE, SEPARATION = (50, 200, 800), 6, 0.01, 2.4
LOSSES = ("logistic", "squared", "hinge")
# Those that minimise the very objective: theirs must come as close as this to ours.
AGREE = 1e-3


class Design(NamedTuple):
    """``rows (n, d)`` and ``labels (n,)``."""

    rows: np.ndarray
    labels: np.ndarray


def design(dim: int) -> Design:
    """The rows everybody fits."""
    rng = np.random.default_rng(dim)
    n = ROWS_PER_FEATURE * dim
    labels = (np.arange(n) % 6 == 0).astype(float)
    rows = rng.standard_normal((n, dim))
    rows[:, 0] += 0.5 * SEPARATION * (2.0 * labels - 1.0)
    return Design(rows, labels)


def objective(loss: str, theta: np.ndarray, given: Design) -> float:
    """What all minimise."""
    scores = given.rows @ theta[:-1] + theta[-1]
    margins = (2.0 * given.labels - 1.0) * scores
    values = {
        "logistic": lambda: np.logaddexp(0.0, -margins),
        "squared": lambda: (scores - given.labels) ** 2,
        "hinge": lambda: np.maximum(1.0 - margins, 0.0),
    }[loss]()
    return float(values.mean() + 0.5 * RIDGE * theta[:-1] @ theta[:-1])


def theirs(loss: str, given: Design) -> dict[str, Callable[[], np.ndarray]]:
    """scikit-learn's ways to the same rule (slope, then intercept)."""
    from sklearn.linear_model import (  # pyright: ignore[reportMissingImports]
        LogisticRegression,
        Ridge,
    )
    from sklearn.svm import SVC, LinearSVC  # pyright: ignore[reportMissingImports]

    n = len(given.labels)
    strength = 1.0 / (n * RIDGE)

    def fitted(estimator: Any) -> Callable[[], np.ndarray]:
        def fit() -> np.ndarray:
            estimator.fit(given.rows, given.labels)
            return np.append(np.ravel(estimator.coef_), np.ravel(estimator.intercept_))

        return fit

    def logistic(solver: str) -> Any:
        return LogisticRegression(C=strength, solver=solver, max_iter=1000)

    if loss == "logistic":
        names = ("lbfgs", "newton-cholesky", "newton-cg")
        return {f"LogisticRegression {name}": fitted(logistic(name)) for name in names}
    if loss == "squared":
        names = ("cholesky", "svd")
        alpha = 0.5 * n * RIDGE
        return {f"Ridge {name}": fitted(Ridge(alpha=alpha, solver=name)) for name in names}
    return {
        "SVC linear": fitted(SVC(kernel="linear", C=strength, cache_size=2000)),
        "LinearSVC (intercept penalised)": fitted(
            LinearSVC(C=strength, loss="hinge", max_iter=100_000)
        ),
    }


def ours(loss: str, given: Design) -> dict[str, Callable[[], Any]]:
    """Our fit, and a whole replicate of a simulation."""
    from simulations.population.units import make_unit
    from simulations.runs.tasks import compute, prepare
    from simulations.setup.configuration import read_sweep
    from simulations.wide.solvers import solve

    n, dim = given.rows.shape
    weights = np.full(n, 1.0 / n)
    ones = int(given.labels.sum())
    sweep = read_sweep(
        {
            "setting": {"kind": "imbalance", "dim": dim, "separation": SEPARATION},
            "counts": {"majority": n - ones, "minority": ones},
            "synthetic": {"ratios": [0.0]},
            "estimator": {"kind": loss, "ridge": RIDGE},
            "theory": {"regime": "proportional"},
        }
    )
    task = prepare(make_unit(sweep, sweep.synthetic.generators[0]))
    return {
        "synthlaw": lambda: solve(loss, given.rows, given.labels, weights, RIDGE).theta,
        "replicate": lambda: compute(task, 0, 1),
    }


def measure(dim: int, loss: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of each, and how far from our objective the others end, relative."""
    given = design(dim)
    mine, others = ours(loss, given), theirs(loss, given)
    best = objective(loss, mine["synthlaw"](), given)
    beyond = {name: objective(loss, fit(), given) / best - 1.0 for name, fit in others.items()}
    for name, excess in beyond.items():
        if "penalised" not in name and not -1e-9 < excess < AGREE:
            raise RuntimeError(f"{name} ends {excess:.1e} from our objective at d = {dim}")
    mine["replicate"]()
    timings: dict[str, list[tuple[float, float]]] = {name: [] for name in (*mine, *others)}
    for _ in range(rounds):
        for name, function in {**mine, **others}.items():
            timings[name].append(seconds(function))
    least = {name: 1e3 * np.min(found, axis=0) for name, found in timings.items()}
    return {
        "dim": dim,
        "rows": len(given.labels),
        "loss": loss,
        "clock_ms": {name: float(found[0]) for name, found in least.items()},
        "processor_ms": {name: float(found[1]) for name, found in least.items()},
        "objective_beyond_ours": beyond,
        "times_processor": {name: float(least[name][1] / least["synthlaw"][1]) for name in others},
    }


def main() -> None:
    parser = options(NAME, __doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--dims", type=int, nargs="+", default=list(DIMS), help="dimensions")
    chosen = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [
            measure(dim, loss, chosen.rounds if dim < 500 else min(chosen.rounds, 3))
            for dim in chosen.dims
            for loss in LOSSES
        ]
    found = machine("scikit-learn")
    path = path_of(NAME, chosen.record)
    result = {"schema": SCHEMA, **found, "ridge": RIDGE, "parts": parts}
    print(leave(result, path), end="")


if __name__ == "__main__":
    main()
