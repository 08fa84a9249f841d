"""``python -m benchmarks.fits``: fits of scaling laws beside SciPy's curve_fit and lmfit.

- ``curve``: 1,000 refits of ``E + A x^-a`` to a curve of 12 points;
- ``surface``: 4,000 refits of ``E + A n^-a + B N^-b`` to 240 points by Huber's loss of the logarithm;
- ``coverage``: 2,000 curves (exponents .2 to 1.5; floors of 0, 5, 50 % of the fall; one to three
  decades; 1 to 5 % noise): how often 95 % intervals hold the exponent and the floor.

Ours runs in a process of its own with an empty cache of compiled programs: importing, compiling and
all. The others are timed on a few refits, start at the estimate and are granted two perfect cores.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.fit_coverage import coverage, floor_law
from benchmarks.records import SCHEMA, fresh, leave, machine, options, path_of

NAME = "fits"
CORES = 2
CURVE_X = np.geomspace(10.0, 1000.0, 12)
CURVE = (0.5, 1.0, 0.2)
SURFACE = (0.3473, 0.3671, 477.7, 2141.1, 1.8171)
DELTA = 1e-3
REFITS = {"curve": 1000, "surface": 4000}


def surface_law(x: np.ndarray, a: float, b: float, A: float, B: float, E: float) -> np.ndarray:
    return E + A * x[:, 0] ** -a + B * x[:, 1] ** -b


def curve_data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One noisy curve with its standard errors."""
    y = floor_law(CURVE_X, *CURVE)
    se = 0.02 * y
    return CURVE_X, y + se * np.random.default_rng(seed).standard_normal(len(y)), se


def surface_data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """240 runs of a language model: sizes and tokens over three decades, heavy-tailed errors."""
    random = np.random.default_rng(seed)
    x = 10.0 ** np.column_stack([random.uniform(7.5, 10.2, 240), random.uniform(8.5, 11.5, 240)])
    return x, surface_law(x, *SURFACE) * np.exp(0.004 * random.standard_t(3, 240))


def ours_curve() -> dict[str, Any]:
    """1,000 parametric refits, as a user calls them."""
    start = time.perf_counter()
    from scaling.fitting.curves import curve
    from scaling.fitting.fit import fit
    from scaling.forecasting.bootstrap import parametric

    found = parametric(fit("power_floor", curve(*curve_data())), REFITS["curve"])
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "errors": found.errors, "unsettled": found.unsettled}


def ours_surface() -> dict[str, Any]:
    """4,000 refits to points drawn with replacement."""
    start = time.perf_counter()
    from scaling.fitting.curves import curve
    from scaling.fitting.fit import fit
    from scaling.fitting.polish import Measure
    from scaling.forecasting.bootstrap import cases

    whole = fit("two_exponent", curve(*surface_data()), measure=Measure("huber", "log", DELTA))
    found = cases(whole, REFITS["surface"])
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "errors": found.errors, "unsettled": found.unsettled}


OURS = {"curve": ours_curve, "surface": ours_surface}


def in_own_process(part: str) -> dict[str, Any]:
    """What ours takes in a fresh process: cold, then with the programs the first one compiled."""
    return fresh(["-m", "benchmarks.fits", "--ours", part], ("cold", "warm"))


def timed(refit: Callable[[int], Any], least: float) -> float:
    """Seconds of one refit, over at least ``least`` seconds and five refits."""
    refit(0)
    start, count = time.perf_counter(), 0
    while count < 5 or time.perf_counter() - start < least:
        count += 1
        refit(count)
    return (time.perf_counter() - start) / count


def rivals_curve(least: float) -> dict[str, float]:
    """Seconds of a refit of the curve."""
    import lmfit  # pyright: ignore[reportMissingImports]
    from scipy.optimize import curve_fit

    x, _, se = curve_data()
    centre = floor_law(x, *CURVE)

    def redrawn(seed: int) -> np.ndarray:
        return centre + se * np.random.default_rng(seed).standard_normal(len(x))

    def scipy_refit(seed: int) -> Any:
        return curve_fit(
            floor_law, x, redrawn(seed), CURVE, se, absolute_sigma=True, bounds=(0, np.inf)
        )

    model = lmfit.Model(floor_law)
    start = model.make_params(**dict(zip(("a", "amplitude", "floor"), CURVE, strict=True)))
    start["floor"].min = start["amplitude"].min = 0.0

    def lmfit_refit(seed: int) -> Any:
        return model.fit(redrawn(seed), start, x=x, weights=1.0 / se, scale_covar=False)

    return {"scipy": timed(scipy_refit, least), "lmfit": timed(lmfit_refit, least)}


def rivals_surface(least: float) -> dict[str, float]:
    """Seconds of a refit of the surface: Huber's loss of the logarithm, the same start."""
    import lmfit  # pyright: ignore[reportMissingImports]
    from scipy.optimize import least_squares

    x, y = surface_data()
    scale = np.array([0.1, 0.1, 100.0, 500.0, 0.1])

    def residuals(theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.log(surface_law(x[rows], *theta)) - np.log(y[rows])

    def drawn(seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(len(y), size=len(y))

    options = {"loss": "huber", "f_scale": DELTA}

    def scipy_refit(seed: int) -> Any:
        return least_squares(
            residuals, SURFACE, args=(drawn(seed),), x_scale=scale, bounds=(0, np.inf), **options
        )

    names = ("a", "b", "A", "B", "E")
    start = lmfit.create_params(
        **{n: {"value": v, "min": 0.0} for n, v in zip(names, SURFACE, strict=True)}
    )

    def lmfit_refit(seed: int) -> Any:
        rows = drawn(seed)
        problem = lmfit.Minimizer(
            lambda p: residuals(np.array(list(p.valuesdict().values())), rows), start
        )
        return problem.minimize(method="least_squares", x_scale=scale, **options)

    return {"scipy": timed(scipy_refit, least), "lmfit": timed(lmfit_refit, least)}


RIVALS = {"curve": rivals_curve, "surface": rivals_surface}


def speed(part: str, least: float) -> dict[str, Any]:
    """Ours cold and warm, the others' time for as many refits, and the ratios."""
    ours = in_own_process(part)
    each = RIVALS[part](least)
    rivals = {name: seconds * REFITS[part] / CORES for name, seconds in each.items()}
    return {
        "refits": REFITS[part],
        "synthlaw": ours,
        "rivals_s": rivals,
        "times": {name: s / ours["cold"]["process_s"] for name, s in rivals.items()},
    }


def main() -> None:
    parser = options(NAME, __doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look")
    parser.add_argument("--ours", choices=OURS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ours:
        print(json.dumps(OURS[chosen.ours]()))
        return
    least = 0.5 if chosen.quick else 5.0
    parts = {part: speed(part, least) for part in OURS}
    result = {"schema": SCHEMA, **machine(), "parts": {**parts, "coverage": coverage()}}
    path = path_of(NAME, chosen.record)
    print(leave(result, path), end="")


if __name__ == "__main__":
    main()
