"""``python -m benchmarks.smote``: SMOTE inside a batch beside imbalanced-learn's, per replicate.

A replicate makes 2,000 rows from 200 in 10 dimensions with 5 neighbours; the neighbour search counts on
both sides, drawing the raw rows on neither. Ours makes 500 replicates in one call of one compiled
program, compile time apart; ``kept`` hands all rows back (80 MB), ``summed`` only sums over each
replicate's rows, as an estimator inside the program does. imbalanced-learn makes one replicate at a
time: ``fit_resample`` as a user calls it, with the majority rows it asks for; ``bare`` is the same in six
lines of NumPy around scikit-learn's search, without checks and majority. They take turns in one process
that has one core; in another with two cores ours runs in two threads, and by the clock the others are
granted twice their speed. Processor time is what counts where a machine is shared.
"""

import argparse
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.records import SCHEMA, fresh, leave, machine, options, path_of, seconds

NAME = "smote"
REPLICATES, ROWS, MADE, DIM, NEIGHBOURS = 500, 200, 2000, 10, 5
# Rounds in which everybody is timed once; the least time of each counts. Others' replicates a round.
ROUNDS, THEIRS = 15, 20


def samples() -> tuple[np.ndarray, np.ndarray]:
    """Keys ``(R, 2)`` and raw rows ``(R, n, d)``."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((REPLICATES, ROWS, DIM))
    return rng.integers(0, 2**32, (REPLICATES, 2), dtype=np.uint32), rows


def ours() -> dict[str, Callable[..., Any]]:
    """Programs from keys and raw rows of all replicates to all their rows, and to sums over them."""
    from jax import lax

    from simulations.compilation import quick_jit
    from simulations.smote.neighbours import neighbours
    from simulations.smote.rows import smote

    def one(part: tuple[Any, Any]) -> Any:
        key, rows = part
        return smote(key, 0, rows, ROWS, neighbours(rows, ROWS, NEIGHBOURS), MADE)

    def summed(part: tuple[Any, Any]) -> Any:
        # Behind the barrier every row is written out, whatever the sums need.
        rows = lax.optimization_barrier(one(part))
        return rows.sum(axis=0), (rows * rows).sum(axis=0)

    return {
        "kept": quick_jit(lambda keys, rows: lax.map(one, (keys, rows))),
        "summed": quick_jit(lambda keys, rows: lax.map(summed, (keys, rows))),
    }


def theirs(rows: np.ndarray) -> dict[str, Callable[[int], Any]]:
    """imbalanced-learn's SMOTE of one replicate; all made arrays have the same shapes as ours."""
    from imblearn.over_sampling import SMOTE  # pyright: ignore[reportMissingImports]
    from sklearn.neighbors import NearestNeighbors  # pyright: ignore[reportMissingImports]

    majority = np.random.default_rng(1).standard_normal((ROWS + MADE, DIM))
    label = np.repeat([0, 1], [len(majority), ROWS])

    def fit_resample(replicate: int) -> Any:
        x = np.concatenate([majority, rows[replicate % len(rows)]])
        sampler = SMOTE(k_neighbors=NEIGHBOURS, random_state=replicate)
        return sampler.fit_resample(x, label)[0][len(x) :]

    def bare(replicate: int) -> Any:
        x, rng = rows[replicate % len(rows)], np.random.default_rng(replicate)
        search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(x)
        near = search.kneighbors(x, return_distance=False)[:, 1:]
        seed, rank = rng.integers(ROWS, size=MADE), rng.integers(NEIGHBOURS, size=MADE)
        return x[seed] + rng.random((MADE, 1)) * (x[near[seed, rank]] - x[seed])

    assert fit_resample(0).shape == bare(0).shape == (MADE, DIM)
    return {"fit_resample": fit_resample, "bare": bare}


def measure(cores: int, rounds: int) -> dict[str, Any]:
    """Milliseconds per replicate of each on so many cores, the least of the rounds."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    import jax
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingImports]

    keys, rows = samples()
    programs, others = ours(), theirs(rows)
    share = REPLICATES // cores
    parts = [slice(start, start + share) for start in range(0, REPLICATES, share)]

    def batch(name: str) -> None:
        def part(which: slice) -> None:
            jax.block_until_ready(programs[name](keys[which], rows[which]))

        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(part, parts))

    first = {name: seconds(lambda name=name: batch(name))[0] for name in programs}
    compiled = {name: s - seconds(lambda name=name: batch(name))[0] for name, s in first.items()}
    timings: dict[str, list[Any]] = {name: [] for name in (*programs, *others)}
    with threadpool_limits(1):
        for turn in range(rounds):
            for name in programs:
                spent = np.array(seconds(lambda name=name: batch(name)))
                timings[name].append(1e3 * spent / REPLICATES)
            many = range(turn * THEIRS, (turn + 1) * THEIRS)
            for name, function in others.items():
                spent = seconds(lambda function=function, many=many: [function(r) for r in many])
                timings[name].append(1e3 * np.array(spent) / THEIRS / np.array([cores, 1]))
    least = {name: np.min(found, axis=0).tolist() for name, found in timings.items()}
    pairs = [(other, name) for name in programs for other in others]
    return {
        "compile_s": compiled,
        "clock_ms": {name: found[0] for name, found in least.items()},
        "processor_ms": {name: found[1] for name, found in least.items()},
        "times_clock": {f"{o} / {n}": least[o][0] / least[n][0] for o, n in pairs},
        "times_processor": {f"{o} / {n}": least[o][1] / least[n][1] for o, n in pairs},
    }


def in_own_process(cores: int, rounds: int) -> dict[str, Any]:
    """`measure` in a process that never had other cores, with no compiled programs to begin with."""
    return fresh(["-m", "benchmarks.smote", "--on", str(cores), "--rounds", str(rounds)])["cold"]


def main() -> None:
    parser = options(NAME, __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is timed")
    parser.add_argument("--on", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.on:
        print(json.dumps(measure(chosen.on, chosen.rounds)))
        return
    parts = {
        f"{cores} {'core' if cores == 1 else 'cores'}": in_own_process(cores, chosen.rounds)
        for cores in (1, 2)
    }
    found = machine("imbalanced-learn")
    shape = {"raw": ROWS, "made": MADE, "dim": DIM, "neighbours": NEIGHBOURS}
    path = path_of(NAME, chosen.record)
    result = {"schema": SCHEMA, **found, "replicates": REPLICATES, "rows": shape, "parts": parts}
    print(leave(result, path), end="")


if __name__ == "__main__":
    main()
