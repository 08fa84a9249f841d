"""``python -m benchmarks [--record]``: the reference ratio curve, ours against NumPy and scikit-learn.

Prints milliseconds per replicate of a whole 21-ratio curve (dim 10, separation 2, counts 2000/200,
right law, ratios 0..2), the first call with compilation apart, and the time each needs for
a relative standard error of 0.3 % of the balanced excess risk at every ratio: ours per
replicate run and its control variate's variance, the competitors' with the plain variance and
granted two perfectly parallel cores.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from benchmarks.competitors import curve, newton, scikit_learn
from simulations.configuration import read_sweep
from simulations.engine import chunks, run_chunks, workers
from simulations.estimates import estimates, join
from simulations.tasks import prepare
from simulations.units import make_unit
from synthlaw.versions import versions

DIM, SEPARATION, COUNTS = 10, 2.0, (2000, 200)
RATIOS = [round(0.1 * i, 1) for i in range(21)]
REPLICATES = 400
TARGET = 0.003
CORES = 2
RECORD = Path(__file__).parent / "recorded" / "reference_curve.json"


def ours() -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Timings of the engine; the population minimisers and numbers of synthetic rows."""
    sweep = read_sweep(
        {
            "setting": {"kind": "imbalance", "dim": DIM, "separation": SEPARATION},
            "counts": {"majority": COUNTS[0], "minority": COUNTS[1]},
            "synthetic": {"ratios": RATIOS},
        }
    )
    start = time.perf_counter()
    task = prepare(make_unit(sweep, sweep.synthetic.generators[0]))
    prepared = time.perf_counter() - start
    start = time.perf_counter()
    list(run_chunks(task, chunks(1)))
    compiled = time.perf_counter() - start
    start = time.perf_counter()
    results = join([part for _, part in run_chunks(task, chunks(REPLICATES))])
    seconds = time.perf_counter() - start
    found = estimates(results, np.asarray(task.population.balanced_values))
    measure = (slice(None), 0, -1)
    size = np.abs(found.estimate[measure])
    per_replicate = seconds / REPLICATES

    def needed(se: np.ndarray) -> float:
        return float(REPLICATES * ((se[measure] / size / TARGET) ** 2).max())

    timings = {
        "prepare_and_compile_s": prepared + compiled,
        "ms_per_replicate": 1e3 * per_replicate,
        "replicates_for_target": needed(found.se),
        "plain_replicates_for_target": needed(found.se_raw),
        "variance_cut_median": float(np.median((found.se_raw / found.se)[measure] ** 2)),
    }
    timings["seconds_for_target"] = (
        timings["prepare_and_compile_s"] + per_replicate * timings["replicates_for_target"]
    )
    sizes = np.array([cell.oversampled[1] for cell in task.unit.cells])
    return timings, np.asarray(task.population.theta), sizes


def competitor(fit, replicates: int, starts: np.ndarray, sizes: np.ndarray, plain: float) -> dict:
    """Timings of one competitor, on one core, granted two."""
    rng = np.random.default_rng(0)
    curve(fit, rng, DIM, SEPARATION, COUNTS, sizes, starts)
    start = time.perf_counter()
    for _ in range(replicates):
        curve(fit, rng, DIM, SEPARATION, COUNTS, sizes, starts)
    per_replicate = (time.perf_counter() - start) / replicates / CORES
    return {
        "ms_per_replicate": 1e3 * per_replicate,
        "replicates_for_target": plain,
        "seconds_for_target": per_replicate * plain,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    record = parser.parse_args().record
    mine, starts, sizes = ours()
    plain = mine["plain_replicates_for_target"]
    result = {
        "versions": versions(),
        "workers": workers(),
        "synthlaw": mine,
        "numpy": competitor(newton, 12, starts, sizes, plain),
        "scikit_learn": competitor(scikit_learn, 6, starts, sizes, plain),
    }
    for name in ("numpy", "scikit_learn"):
        result[name]["times_slower"] = (
            result[name]["seconds_for_target"] / mine["seconds_for_target"]
        )
    text = json.dumps(result, indent=1)
    print(text)
    if record:
        RECORD.write_text(text + "\n")


if __name__ == "__main__":
    main()
