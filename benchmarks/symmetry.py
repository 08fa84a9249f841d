"""``python -m benchmarks.symmetry``: 60,000 Wald tests of local symmetry beside a NumPy loop.

The family of paper_notes/synthetic_size.md, section 5: d = 5, imbalance 20, n_1 = 50, 250, 500 minority
rows, four values of b (the symmetric one, two departures and b = 1), 5,000 tests each. Ours runs in a
process of its own with an empty cache of compiled programs, importing, compiling and all; then again with
the programs of the first. The NumPy loop draws rows and tests one sample at a time; it is timed on a few
samples of every cell, extrapolated, and granted two perfect cores.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.records import fresh, one_part

NAME = "symmetry"
DIM, RATIO, MINORITY, TESTS, CORES = 5, 20, (50, 250, 500), 5000, 2
SYMMETRIC_B = (5.0 - 21.0**0.5) / 2.0
B = (SYMMETRIC_B, SYMMETRIC_B - 0.1, SYMMETRIC_B + 0.1, 1.0)
LEVEL = 0.05
# Samples of a piece of work, and of the loop's timing in every cell.
PIECE, LOOPED = 500, 40
PUBLISHED_S = 75.6


def ours() -> dict[str, Any]:
    """All tests; the share rejected in every cell and the seconds since the start of the process."""
    start = time.perf_counter()
    from scipy.stats import chi2

    from scaling.theory.size.null_family import uniform_family, wald_samples
    from simulations import cores
    from simulations.statistics.uniform_classes import room_for

    room = room_for(uniform_family(0.0, max(MINORITY)).counts)
    critical = chi2.isf(LEVEL, DIM)
    # The longest first: the cores then end together.
    jobs = [
        (minority, b, first)
        for minority in sorted(MINORITY, reverse=True)
        for b in B
        for first in range(0, TESTS, PIECE)
    ]

    def rejected(job: tuple[int, float, int]) -> int:
        minority, b, first = job
        classes = uniform_family(b, minority, DIM, RATIO)
        return int((wald_samples(classes, PIECE, 0, first, room).statistic > critical).sum())

    with ThreadPoolExecutor(cores()) as pool:
        counts = list(pool.map(rejected, jobs))
    rates = {
        f"{minority}, b {b:.4f}": sum(
            n for n, job in zip(counts, jobs, strict=True) if job[:2] == (minority, b)
        )
        / TESTS
        for minority in MINORITY
        for b in B
    }
    return {"seconds": time.perf_counter() - start, "tests": len(jobs) * PIECE, "rejected": rates}


def in_own_process() -> dict[str, Any]:
    """Ours cold, then with the programs that the first process compiled. ``cpu_s``, of all its processes,
    is the fairer number on a busy machine."""
    return fresh(["-m", "benchmarks.symmetry", "--ours"], ("cold", "warm"))


def one_test(random: np.random.Generator, b: float, minority: int) -> float:
    """Draw one sample in NumPy and test it; the statistic."""
    rows, labels = [], (-1.0, 1.0)
    for mean, spread, count in ((-1.0, 2.0, RATIO * minority), (b, 1.0, minority)):
        x = random.uniform(-(3.0**0.5), 3.0**0.5, (count, DIM))
        x[:, 0] = mean + spread * x[:, 0]
        rows.append(x)
    squares = [x.T @ x / len(x) for x in rows]
    target = sum(y * x.mean(axis=0) for x, y in zip(rows, labels, strict=True))
    theta = np.linalg.solve(squares[0] + squares[1], target)
    inverse = np.linalg.inv(squares[0] + squares[1])
    covariance = np.zeros((DIM, DIM))
    turns = 2.0 * squares[1] @ inverse, 2.0 * squares[0] @ inverse
    asymmetry = np.zeros(DIM)
    for x, y, turn, sign in zip(rows, labels, turns, (1.0, -1.0), strict=True):
        scores = 2.0 * (x @ theta - y)[:, None] * x
        asymmetry += sign * scores.mean(axis=0)
        covariance += turn @ np.cov(scores, rowvar=False) @ turn.T / len(x)
    return float(asymmetry @ np.linalg.solve(covariance, asymmetry))


def loop_seconds(count: int) -> dict[str, float]:
    """Processor seconds of one test in every size of sample."""
    random, each = np.random.default_rng(0), {}
    for minority in MINORITY:
        one_test(random, SYMMETRIC_B, minority)
        # Processor time: others may keep the machine busy.
        start = time.process_time()
        for _ in range(count):
            one_test(random, SYMMETRIC_B, minority)
        each[str(minority)] = (time.process_time() - start) / count
    return each


def measure(count: int = LOOPED) -> dict[str, Any]:
    """The record: ours, the loop's extrapolated time, and the published one (another machine's)."""
    found = in_own_process()
    each = loop_seconds(count)
    loop = sum(each.values()) * len(B) * TESTS / CORES
    return {
        "tests": len(MINORITY) * len(B) * TESTS,
        "synthlaw": found,
        "numpy_loop": {
            "seconds_a_test": each,
            "timed_tests": count * len(MINORITY),
            "extrapolated_s": loop,
            "cores_granted": CORES,
        },
        "published_s": PUBLISHED_S,
        "times_as_fast": loop / (found["cold"]["cpu_s"] / CORES),
    }


if __name__ == "__main__":
    one_part(NAME, __doc__, ours, measure)
