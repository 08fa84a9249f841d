"""``python -m benchmarks.series_law``: what a penalised logistic series costs, against rows and matrices.

One grid serves all numbers of rows: a replicate of 10^12 rows should take the time of one of 10^4. And
the same fits by Newton's method with matrices in NumPy, where the grid is small enough for them.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.records import SCHEMA, leave, machine, options, path_of

NAME = "series_law"
# Rows timed on one grid, that of the largest number for s = 1 and for s = 2.
ROWS = tuple(10**k for k in (4, 6, 8, 10, 12))
POWERS = (1.0, 2.0)
# Grids on which matrices are tried, at as many rows as each is made for.
DENSE = {128: 10**3, 256: 4 * 10**3, 512: 3 * 10**4, 1024: 2 * 10**5}


def best_of(work: Callable[[], Any], repeats: int) -> float:
    """CPU seconds of the fastest of several calls: other work on the machine only adds."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def against_rows(
    power: float, replicates: int, repeats: int, grid: int = 0
) -> list[dict[str, Any]]:
    """CPU seconds of a replicate (draw, fit, exact risk, control variate) by the number of rows."""
    from scaling.theory.nonparametric.series import balanced_law, grid_for
    from simulations.series.classes import Target, classes
    from simulations.series.experiment import estimates, prepare, replicate_values
    from simulations.series.training import raw

    two = classes(Target(grid or grid_for(ROWS[-1], power), power))
    found = []
    for rows in ROWS:
        law = balanced_law(two, rows, power)
        ready = prepare(two, raw(two, (rows // 2, rows // 2), law.ridge, power))
        values = replicate_values(two, [ready], replicates, seed=0)
        seconds = best_of(lambda r=ready: replicate_values(two, [r], replicates, 0), repeats)
        estimate = estimates(values)[0]
        found.append(
            {
                "power": power,
                "grid": two.target.grid,
                "rows": rows,
                "cpu_s": seconds / replicates,
                "steps": values.steps,
                "products": values.products,
                "over_law": estimate.value / law.least,
                "failures": estimate.failures,
            }
        )
        print(f"s = {power:g}, {rows:g} rows: {found[-1]['cpu_s']:.4f} s", file=sys.stderr)
    return found


def dense_newton(
    ones: np.ndarray, zeros: np.ndarray, penalty: np.ndarray, basis: np.ndarray, tolerance: float
) -> np.ndarray:
    """The fit with matrices: Newton's method on all coefficients; ``basis (G, G)`` is made beforehand."""
    grid = len(ones)
    theta = np.zeros(grid)
    for _ in range(30):
        share = 1.0 / (1.0 + np.exp(-(theta @ basis)))
        total = ones + zeros
        gradient = basis @ (total * share - ones) / grid + penalty * theta
        hessian = (basis * (total * share * (1.0 - share))) @ basis.T / grid + np.diag(penalty)
        step = np.linalg.solve(hessian, -gradient)
        theta = theta + step
        if -(gradient @ step) <= tolerance:
            break
    return theta @ basis


def against_matrices(repeats: int) -> list[dict[str, Any]]:
    """CPU seconds of one fit, ours and with matrices, and how far apart the fits are."""
    return [_fit_twice(grid, rows, repeats) for grid, rows in DENSE.items()]


def _fit_twice(grid: int, rows: int, repeats: int) -> dict[str, Any]:
    from scaling.theory.nonparametric.series import balanced_law
    from simulations.series import cosines
    from simulations.series.classes import Target, classes
    from simulations.series.experiment import PRECISION, draw_counts, prepare
    from simulations.series.newton import minimise
    from simulations.series.training import raw

    two = classes(Target(grid, 1.0))
    law = balanced_law(two, rows, 1.0)
    ready = prepare(two, raw(two, (rows // 2, rows // 2), law.ridge, 1.0))
    drawn = draw_counts([ready.cell], 0, 0)
    zeros, ones = (
        part.weight / part.rows * grid * drawn[part.stream, part.rows] for part in ready.cell.parts
    )
    penalty = law.ridge * cosines.penalty(grid, 1.0)
    basis = cosines.values(np.eye(grid))
    goal = PRECISION * ready.predicted
    start = np.zeros(grid)
    ours = minimise(ones, zeros, penalty, start, goal)
    theirs = dense_newton(ones, zeros, penalty, basis, goal)
    seconds = best_of(lambda: minimise(ones, zeros, penalty, start, goal), 5 * repeats)
    dense = best_of(lambda: dense_newton(ones, zeros, penalty, basis, goal), repeats)
    return {
        "grid": grid,
        "rows": rows,
        "cpu_s": seconds,
        "matrices_cpu_s": dense,
        "times_as_fast": dense / seconds,
        "largest_difference": float(np.abs(ours.score - theirs).max()),
    }


def measure(replicates: int = 4, repeats: int = 3) -> dict[str, Any]:
    """All tables, and the ratio of times at the most and the fewest rows for every power."""
    curves = [row for power in POWERS for row in against_rows(power, replicates, repeats)]
    ratios = {}
    for power in POWERS:
        times = [row["cpu_s"] for row in curves if row["power"] == power]
        ratios[f"{power:g}"] = times[-1] / times[0]
    return {"rows": curves, "time_ratio": ratios, "matrices": against_matrices(repeats)}


def main() -> None:
    parser = options(NAME, __doc__)
    chosen = parser.parse_args()
    result = {"schema": SCHEMA, **machine(), **measure()}
    path = path_of(NAME, chosen.record)
    leave(result, path)
    print(json.dumps({key: result[key] for key in ("time_ratio", "matrices")}, indent=1))
    print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
