"""``python -m benchmarks.tokens``: the grid of divergences over vocabularies, seeds and depths.

200 cells (5 vocabularies up to 1,024, 8 numbers of seeds up to 10^9, 5 depths) of 1,000 replicates, one
whole process with an empty cache of compiled programs, beside a loop in NumPy that is granted two perfect
cores; and what a replicate costs against the number of seeds.
"""

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.records import SCHEMA, fresh, leave, machine, options, path_of, seconds

NAME = "tokens"
VOCABULARIES = (64, 128, 256, 512, 1024)
SEEDS = tuple(10**k for k in (2, 3, 4, 5, 6, 7, 8, 9))
DEPTH, DIM, NORM = 5, 4, 1.0


def whole_grid(replicates: int, likeliest: bool) -> dict[str, Any]:
    """Seconds of the grid in this process, and how many cells hold a number with a standard error."""
    from simulations.tokens.divergences import grid
    from simulations.tokens.world import World

    start, cpu = time.perf_counter(), time.process_time()
    cells, failures = 0, 0
    worlds = [World(d, DIM, NORM) for d in VOCABULARIES]
    for _, found in grid(worlds, list(SEEDS), DEPTH, 1.0, replicates, likeliest=likeliest):
        mean = found.layers.mean(axis=0)
        error = found.layers.std(axis=0, ddof=1) / replicates**0.5
        cells += int((np.isfinite(mean) & np.isfinite(error)).sum())
        failures += int(found.failures().sum()) if likeliest else 0
    return {
        "cells": cells,
        "replicates": replicates,
        "likeliest": likeliest,
        "failures": failures,
        "seconds": time.perf_counter() - start,
        "cpu_s": time.process_time() - cpu,
    }


def cold(replicates: int, likeliest: bool) -> dict[str, Any]:
    """The grid as a process of its own with nothing compiled; its start is counted too."""
    code = (
        "import json; from benchmarks.tokens import whole_grid;"
        f" print(json.dumps(whole_grid({replicates}, {likeliest})))"
    )
    found = fresh(["-W", "ignore", "-c", code])["cold"]
    return {**found, "cold_s": found["process_s"]}


def loop(replicates: int, seed: int = 0) -> np.ndarray:
    """Mean divergences ``(d, n, layers)`` as one would write them: a loop over replicates in NumPy."""
    random = np.random.default_rng(seed)
    total = np.zeros((len(VOCABULARIES), len(SEEDS), DEPTH))
    for v, vocabulary in enumerate(VOCABULARIES):
        for _ in range(replicates):
            table = random.standard_normal((vocabulary, DIM))
            latent = random.standard_normal(DIM)
            latent *= NORM / np.linalg.norm(latent)
            score = table @ latent
            p = np.exp(score - score.max())
            p /= p.sum()
            for s, n in enumerate(SEEDS):
                mean = random.multinomial(n, p) @ table / n
                h = mean
                for layer in range(DEPTH):
                    score = table @ h
                    q = np.exp(score - score.max())
                    q /= q.sum()
                    total[v, s, layer] += p @ np.log(p / q)
                    h = h + mean - q @ table
    return total / replicates


def loop_seconds(replicates: int, of: int) -> dict[str, Any]:
    """Seconds of the loop for ``of`` replicates, from fewer, on two perfect cores."""
    spent = seconds(lambda: loop(replicates))[1]
    return {"replicates_timed": replicates, "cpu_s": spent * of / replicates / 2.0}


def against_seeds(replicates: int, repeats: int) -> list[dict[str, Any]]:
    """CPU seconds of a replicate (draw, five depths) by the number of seeds, best of several runs."""
    from simulations.tokens.divergences import divergences
    from simulations.tokens.world import World

    world, rows = World(1024, DIM, NORM), []
    for n in (10**4, 10**6, 10**9):
        divergences(world, [n], DEPTH, 1.0, replicates)
        found = []
        for _ in range(repeats):
            start = time.process_time()
            divergences(world, [n], DEPTH, 1.0, replicates)
            found.append(time.process_time() - start)
        rows.append({"seeds": n, "cpu_s": min(found) / replicates})
    return rows


def measure(replicates: int = 1000, repeats: int = 5) -> dict[str, Any]:
    """The grid with and without maximum likelihood, a NumPy loop's, and the cost against seeds."""
    rows = against_seeds(min(replicates, 200), repeats)
    grid, by_loop = cold(replicates, False), loop_seconds(max(replicates // 50, 2), replicates)
    return {
        "grid": grid,
        "loop": by_loop,
        "loop_ratio": by_loop["cpu_s"] / grid["cold_s"],
        "grid_likeliest": cold(replicates, True),
        "seeds": rows,
        "seeds_ratio": rows[-1]["cpu_s"] / rows[0]["cpu_s"],
    }


def main() -> None:
    parser = options(NAME, __doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in a minute")
    chosen = parser.parse_args()
    found = measure(50, 2) if chosen.quick else measure()
    result = {"schema": SCHEMA, **machine(), "quick": chosen.quick, **found}
    path = path_of(NAME, chosen.record)
    leave(result, path)
    print(json.dumps(found, indent=1))
    print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
