"""``python -m benchmarks.fixed_point``: the proportional fixed point beside a damped NumPy iteration.

The logistic loss, 60 and 600 rows of d = 200 features, means +-1.2 e_1, ridge .01, and 21 oversampling
ratios from 0 to 2, right-law rows and duplicates. Ours: a first solve in a process with an empty cache of
compiled programs, then solves and curves when compiled. The NumPy iteration is what a user would write:
update s, r and t in turn, mixed half and half with the last, the intercept by Brent's method inside, the
proximal map by Newton's method on the same nodes, until successive iterates agree as well as ours do.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from benchmarks.records import fresh, one_part

NAME = "fixed_point"
DIM, COUNTS, SEPARATION, RIDGE = 200, (60, 600), 1.2, 0.01
RATIOS = np.linspace(0.0, 2.0, 21)
REPEATS = 20


class Rows(NamedTuple):
    """Arrays ``(C,)``: shares, weights, signs and means along e_1; and d over the distinct rows."""

    share: np.ndarray
    weight: np.ndarray
    sign: np.ndarray
    mean: np.ndarray
    aspect: float


def _proximal(a: np.ndarray, pull: np.ndarray) -> np.ndarray:
    # From the point of inflection, or the end of [a, a + pull] next to it, Newton's method is monotone.
    u = np.clip(0.0, a, a + pull)
    for _ in range(100):
        p = expit(-u)
        step = (u - a - pull * p) / (1.0 + pull * p * (1.0 - p))
        u = u - step
        if np.abs(step).max() < 1e-12:
            break
    return u


def damped(
    rows: Rows, ridge: float, tolerance: float = 1e-11, most: int = 5000
) -> tuple[float, float, float, int]:
    """``(s, r, b, iterations)`` of the logistic loss by damped iteration, one dimension of the span."""
    z = np.linspace(-8.0, 8.0, 65)
    mass = np.exp(-0.5 * z**2)
    mass /= mass.sum()
    s, r, t, b = 0.5, 1.0, 1.0, 0.0
    for count in range(1, most + 1):
        q = np.hypot(s, r)
        pull = t * rows.weight[:, None]

        def force(b: float, s: float = s, q: float = q, pull: np.ndarray = pull) -> Any:
            a = (rows.sign * (rows.mean * s + b))[:, None] + q * z
            u = _proximal(a, np.broadcast_to(pull, a.shape))
            return -rows.weight[:, None] * expit(-u), u

        def level(b: float, force: Callable[[float], Any] = force) -> float:
            return float((rows.share * rows.sign) @ (force(b)[0] @ mass))

        root: Any = brentq(level, b - 30.0, b + 30.0, xtol=1e-13)
        b = float(root)
        f, u = force(b)
        bend = rows.weight[:, None] * expit(u) * expit(-u)
        stiff = float(rows.share @ ((bend / (1.0 + t * bend)) @ mass)) + ridge
        pulled = float((rows.share * rows.sign * rows.mean) @ (f @ mass))
        new = np.array(
            [
                # The curvature within the span is that outside of it: isotropic rows.
                -pulled / stiff,
                np.sqrt(rows.aspect * float(rows.share @ (f**2 @ mass))) / stiff,
                rows.aspect / stiff,
            ]
        )
        old = np.array([s, r, t])
        s, r, t = 0.5 * old + 0.5 * new
        if np.abs(new / old - 1.0).max() < tolerance:
            return float(s), float(r), b, count
    raise RuntimeError("the damped iteration did not converge")


def right_law(ratio: float) -> Rows:
    """Minority rows drawn from their law until the ratio is reached."""
    counts = np.array([COUNTS[0] + ratio * (COUNTS[1] - COUNTS[0]), COUNTS[1]])
    total, sign = counts.sum(), np.array([1.0, -1.0])
    return Rows(counts / total, np.ones(2), sign, SEPARATION * sign, DIM / total)


def repeated(ratio: float) -> Rows:
    """Minority rows drawn again."""
    from scaling.theory.proportional.clusters import isotropic
    from scaling.theory.proportional.multiplicities import duplicated

    sign = np.array([1.0, -1.0])
    law = isotropic(np.ones(2), sign, SEPARATION * sign[:, None])
    found = duplicated(law, COUNTS, [round(ratio * (COUNTS[1] - COUNTS[0])), 0])
    return Rows(found.share, found.weight, found.sign, found.mean[:, 0], DIM / sum(COUNTS))


CURVES: dict[str, Callable[[float], Rows]] = {"right_law": right_law, "duplicates": repeated}


def stacked(curve: list[Rows]) -> tuple[Any, np.ndarray]:
    """The rows of a curve as a batch: clusters of share 0 make them alike."""
    from scaling.theory.proportional.clusters import isotropic

    most = max(len(rows.share) for rows in curve)

    def wide(name: str, fill: float) -> np.ndarray:
        each = [getattr(rows, name) for rows in curve]
        return np.array(
            [np.pad(x, (0, most - len(x)), constant_values=fill) for x in each], dtype=float
        )

    share, weight = wide("share", 0.0), wide("weight", 1.0)
    clusters = isotropic(share, wide("sign", 1.0), wide("mean", 0.0)[..., None], weight)
    return clusters, np.array([rows.aspect for rows in curve])


def _seconds(task: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Least and median seconds: on a busy machine the least is the fairer."""
    each = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        each.append(time.perf_counter() - start)
    return {"least": min(each), "median": float(np.median(each))}


def ours(repeats: int = REPEATS) -> dict[str, Any]:
    """First solves of every loss, then solves and curves of the logistic loss."""
    from scaling.theory.proportional.fixed_point import fixed_point
    from scaling.theory.proportional.losses import LOSSES

    found: dict[str, Any] = {"first_solve_s": {}, "first_solve_cpu_s": {}}
    single, aspect = stacked([right_law(1.0)])
    single = type(single)(*(each[0] for each in single))
    for name in LOSSES:
        # Processor time as well: others may keep the machine busy.
        start, used = time.perf_counter(), time.process_time()
        fixed_point(name, single, aspect[0], RIDGE)
        found["first_solve_s"][name] = time.perf_counter() - start
        found["first_solve_cpu_s"][name] = time.process_time() - used

    def solve() -> Any:
        return fixed_point("logistic", single, aspect[0], RIDGE)

    found["solve_s"] = _seconds(solve, repeats)
    for name, rows in CURVES.items():
        clusters, aspects = stacked([rows(float(ratio)) for ratio in RATIOS])

        def curve(clusters: Any = clusters, aspects: np.ndarray = aspects) -> Any:
            return fixed_point("logistic", clusters, aspects, RIDGE)

        solution = curve()
        found[name] = {
            "clusters": clusters.share.shape[-1],
            "curve_s": _seconds(curve, repeats),
            "unsolved": int((solution.status != 0).sum()),
            "projection": solution.projection[:, 0].tolist(),
            "norm": solution.norm.tolist(),
            "intercept": solution.intercept.tolist(),
        }
    return found


def in_own_process() -> dict[str, Any]:
    """Ours with an empty cache of compiled programs."""
    return fresh(["-m", "benchmarks.fixed_point", "--ours"])["cold"]


def numpy_loop(ratios: np.ndarray = RATIOS) -> dict[str, Any]:
    """The damped iteration on both curves: seconds, iterations and order parameters."""
    found = {}
    for name, rows in CURVES.items():
        start, each = time.perf_counter(), []
        for ratio in ratios:
            each.append(damped(rows(float(ratio)), RIDGE))
        s, r, b, count = (list(x) for x in zip(*each, strict=True))
        found[name] = {
            "curve_s": time.perf_counter() - start,
            "iterations": count,
            "projection": s,
            "norm": r,
            "intercept": b,
        }
    return found


def measure(repeats: int = REPEATS) -> dict[str, Any]:
    """The record: ours, the loop, and how far apart their order parameters lie."""
    mine, theirs = in_own_process() if repeats == REPEATS else ours(repeats), numpy_loop()
    apart = {
        name: max(
            float(np.abs(np.subtract(mine[name][key], theirs[name][key])).max())
            for key in ("projection", "norm", "intercept")
        )
        for name in CURVES
    }
    faster = {name: theirs[name]["curve_s"] / mine[name]["curve_s"]["median"] for name in CURVES}
    return {"synthlaw": mine, "numpy_loop": theirs, "apart": apart, "times_as_fast": faster}


if __name__ == "__main__":
    one_part(NAME, __doc__, ours, measure)
