"""How long a competitor needs for a given precision, by two accountings.

Whole curve: every ratio is drawn and fitted until the worst ratio of its generator is at the target,
which is what a user's loop does. Per cell: every ratio stops by itself, and only open ratios are
drawn and fitted, which is the most generous. Both grant the number of replicates a plain mean
needs, exact risks for free, and perfectly parallel cores.
"""

import time
import warnings
from typing import Any

import numpy as np

from benchmarks import competitors
from benchmarks.competitors import FAMILIES
from benchmarks.problem import Problem

CORES = 2
# Designs that are tried when cells stop by themselves: the fastest for the whole curve.
TRIED = 3
# Seconds of repeats of one timing after which no further one is begun.
LONG = 1.0
# Fitted rules of all competitors on the same rows must agree to this.
AGREEMENT = 1e-6


def check_agreement(problem: Problem) -> float:
    """The largest difference between any two competitors' rules on one sample."""
    sample = competitors.draw(competitors.generator(7), problem, np.arange(len(problem.sizes)))
    rules = [
        fit(sample) for family in FAMILIES for fit in competitors.designs(family, problem).values()
    ]
    gap = float(np.ptp(np.array(rules), axis=0).max())
    if not gap < AGREEMENT:
        raise RuntimeError(f"Competitors' rules differ by {gap:.1e}, more than {AGREEMENT:g}.")
    return gap


def _least(function: Any, repeats: int) -> float:
    """The least of so many timings, fewer (but two) where they take long."""
    found: list[float] = []
    while len(found) < min(repeats, 2) or (len(found) < repeats and sum(found) < LONG):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return min(found)


def costs(
    family: str,
    problem: Problem,
    cells: np.ndarray,
    repeats: int,
    names: list[str] | None = None,
) -> dict[str, Any]:
    """Milliseconds of one replicate of these cells on one core: drawing, and fitting by every
    design (or those named); the least of ``repeats`` timings on the same rows."""
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingImports]

    rng = competitors.generator(1)
    sample = competitors.draw(rng, problem, cells)
    with threadpool_limits(1), warnings.catch_warnings():
        # A loop in the wild would silence warnings too.
        warnings.simplefilter("ignore")
        drawn = 1e3 * _least(lambda: competitors.draw(rng, problem, cells), repeats)
        fits = {
            name: 1e3 * _least(lambda fit=fit: fit(sample), repeats)
            for name, fit in competitors.designs(family, problem).items()
            if names is None or name in names
        }
    best = min(fits, key=lambda name: fits[name])
    return {"draw_ms": drawn, "fit_ms": fits, "best": best, "ms": drawn + fits[best]}


def whole_curve(family: str, problem: Problem, needed: np.ndarray, repeats: int) -> dict[str, Any]:
    """``costs`` of all cells with ``seconds`` on ``CORES`` cores for a relative standard error of 1.

    Args:
        needed: plain replicates times the square of the relative standard error, ``(C,)``.
    """
    found = costs(family, problem, np.arange(len(problem.sizes)), repeats)
    return {**found, "seconds": 1e-3 * found["ms"] * float(needed.max()) / CORES}


def per_cell(
    family: str, problem: Problem, needed: np.ndarray, repeats: int, names: list[str] | None = None
) -> float:
    """The same seconds when every cell stops by itself.

    Between two levels of ``needed`` the open cells are those that need more than the lower one.
    """
    seconds = reached = 0.0
    for level in np.unique(needed):
        open_ = np.flatnonzero(needed >= level)
        cost = costs(family, problem, open_, repeats, names)["ms"]
        seconds += 1e-3 * (level - reached) * cost
        reached = float(level)
    return seconds / CORES


def compete(
    found: dict[str, tuple[Problem, np.ndarray]], repeats: int, generous_repeats: int
) -> dict[str, Any]:
    """Both competitors on every generator ``{kind: (problem, needed)}``, by both accountings.

    Seconds are for a relative standard error of 1: divide by the square of a target.
    """
    result: dict[str, Any] = {
        "largest_difference": max(check_agreement(problem) for problem, _ in found.values())
    }
    for family in FAMILIES:
        curves = {
            kind: whole_curve(family, problem, needed, repeats)
            for kind, (problem, needed) in found.items()
        }
        result[family] = {
            "generators": curves,
            "whole_curve_s": sum(curve["seconds"] for curve in curves.values()),
            "per_cell_s": sum(
                per_cell(family, problem, needed, generous_repeats, _fastest(curves[kind]))
                for kind, (problem, needed) in found.items()
            ),
        }
    return result


def _fastest(curve: dict[str, Any]) -> list[str]:
    return sorted(curve["fit_ms"], key=lambda name: curve["fit_ms"][name])[:TRIED]


def whole_sweep(
    found: dict[str, tuple[Problem, np.ndarray]], target: float, repeats: int
) -> dict[str, float]:
    """Per competitor, on ``CORES`` perfect cores: milliseconds of one replicate of every generator, and
    seconds until the worst ratio of each generator is at the target."""
    result: dict[str, float] = {}
    for family in FAMILIES:
        curves = [whole_curve(family, *each, repeats) for each in found.values()]
        result[f"{family}_ms"] = sum(curve["ms"] for curve in curves) / CORES
        result[f"{family}_s"] = sum(curve["seconds"] for curve in curves) / target**2
    return result
