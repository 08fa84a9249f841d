"""How often 95 % intervals hold the exponent and the floor: ours and curve_fit's, on a grid of curves."""

import time
import warnings
from itertools import product
from typing import Any

import numpy as np

EXPONENTS, FLOORS, DECADES, NOISE = (
    (0.2, 0.35, 0.5, 0.75, 1.0, 1.5),
    (0.0, 0.05, 0.5),
    (1, 2, 3),
    (0.01, 0.02, 0.05),
)
PER_CELL = 13


def floor_law(x: np.ndarray, a: float, amplitude: float, floor: float) -> np.ndarray:
    return floor + amplitude * x**-a


def grid_curves(seed: int) -> dict[int, dict[str, np.ndarray]]:
    """By decades: curves ``(B, 12)`` with their errors and what they were made from."""
    random, found = np.random.default_rng(seed), {}
    for decades in DECADES:
        cells = list(product(EXPONENTS, FLOORS, NOISE, range(PER_CELL)))
        exponent, share, relative, _ = (np.array(each) for each in zip(*cells, strict=True))
        x = np.geomspace(100.0, 100.0 * 10.0**decades, 12)
        falling = (x / x[0]) ** -exponent[:, None]
        floor = share * (falling[:, 0] - falling[:, -1])
        y = floor[:, None] + falling
        se = relative[:, None] * y
        found[decades] = {
            "x": x,
            "y": y + se * random.standard_normal(y.shape),
            "se": se,
            "exponent": exponent,
            "share": share,
            "floor": floor,
        }
    return found


def _covered(ends: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (ends[:, 0] <= truth) & (truth <= ends[:, 1])


def scipy_intervals(data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """curve_fit's estimates and plus and minus 1.96 of its standard errors, ``(B, 3)``, ``(B, 3, 2)``;
    no number where it gives up."""
    from scipy.optimize import curve_fit

    x, estimates, ends = data["x"], [], []
    for y, se in zip(data["y"], data["se"], strict=True):
        start = (0.5, float(np.ptp(y)) * x[0] ** 0.5, float(y.min()) / 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found, covariance = curve_fit(
                    floor_law, x, y, start, se, absolute_sigma=True, bounds=(0, np.inf)
                )
                reach = 1.96 * np.sqrt(np.diag(covariance))
            except RuntimeError:
                found, reach = np.full(3, np.nan), np.full(3, np.nan)
        estimates.append(found)
        ends.append(np.stack([found - reach, found + reach], axis=-1))
    return np.array(estimates), np.array(ends)


def coverage(seed: int = 0) -> dict[str, Any]:
    """Shares of intervals that cover, by decades and floor, ours and curve_fit's."""
    from scaling.fitting.intervals import intervals_all

    rows = []
    start = time.perf_counter()
    curves = grid_curves(seed)
    ours = {
        decades: intervals_all(
            "power_floor", data["x"], data["y"], data["se"], names=("exponent", "floor")
        )
        for decades, data in curves.items()
    }
    seconds = time.perf_counter() - start
    for decades, data in curves.items():
        mine = ours[decades]
        known = ~mine.unbounded[:, 0] & (mine.ends[:, 0, 1] <= 4.0 * mine.ends[:, 0, 0])
        theirs, their_ends = scipy_intervals(data)
        for share in FLOORS:
            here = data["share"] == share
            row: dict[str, Any] = {
                "decades": decades,
                "floor_share": share,
                "curves": int(here.sum()),
                "identified": float(known[here].mean()),
            }
            for name, ends, estimates in (
                ("synthlaw", mine.ends, mine.parameters),
                ("scipy", their_ends, theirs),
            ):
                told = here & known
                row[f"{name}_exponent"] = float(_covered(ends[:, 0], data["exponent"])[told].mean())
                row[f"{name}_floor"] = float(_covered(ends[:, 2], data["floor"])[told].mean())
                bias = estimates[here, 0] / data["exponent"][here] - 1.0
                row[f"{name}_median_bias"] = float(np.nanmedian(bias))
            rows.append(row)
    return {"curves": sum(row["curves"] for row in rows), "synthlaw_s": seconds, "rows": rows}
