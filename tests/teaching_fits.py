"""Small tables from closed forms: fitted laws, a plan, a record of the benchmarks, published curves."""

from typing import Any

import numpy as np
import pandas as pd


def fit_points(curves: int = 1) -> pd.DataFrame:
    x = np.array([100.0, 1000.0, 10000.0, 100000.0])
    return pd.concat(
        pd.DataFrame({"curve": k, "name": f"model = m{k}" if curves > 1 else None, "x": x,
                      "y": 0.1 * k + 3.0 * x**-0.5, "se": 0.02, "fitted": 0.1 * k + 3.0 * x**-0.5,
                      "residual": [1.0, -1.0, 3.0, 0.5]})
        for k in range(1, curves + 1)
    )  # fmt: skip


def fit_law(curves: int = 1) -> pd.DataFrame:
    x = np.geomspace(100, 1e6, 33)
    y = 3.0 * x**-0.5
    return pd.concat(
        pd.DataFrame({"curve": k, "law": "power_floor", "floor": 0.1 * k, "theory_exponent": 0.4, "x": x,
                      "value": 0.1 * k + y, "low": 0.1 * k + y - 0.04, "high": 0.1 * k + y + 0.04,
                      "theory": 0.16 * k + 1.5 * y})
        for k in range(1, curves + 1)
    )  # fmt: skip


def fit_forecast(curves: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {"curve": k, "x": 1e6, "value": 0.1 * k, "low": 0.07 * k, "high": 0.2 * k}
        for k in range(1, curves + 1)
    )


def fit_profile() -> pd.DataFrame:
    exponent = np.linspace(0.4, 0.6, 41)
    fixed = {"estimate": 0.5, "low": 0.45, "high": 0.55, "threshold": 3.84, "theory": 0.58}
    return pd.DataFrame({"curve": 1, "name": "m", "exponent": exponent,
                         "deviance": ((exponent - 0.5) / 0.025) ** 2, **fixed})  # fmt: skip


def fit_ridge() -> pd.DataFrame:
    floor, exponent = (
        each.ravel()
        for each in np.meshgrid(np.linspace(0.1, 0.3, 15), np.linspace(0.4, 0.6, 15), indexing="ij")
    )
    fixed = {"best_floor": 0.2, "best_exponent": 0.5, "threshold68": 2.3, "threshold95": 6.0}
    deviance = ((floor - 0.2) / 0.02) ** 2 + ((exponent - 0.5) / 0.02) ** 2
    table = {"curve": 1, "name": "", "floor": floor, "exponent": exponent, "deviance": deviance}
    return pd.DataFrame({**table, **fixed})


def fit_board() -> pd.DataFrame:
    return pd.DataFrame(
        {"curve": 1, "label": "m", "law": name, "weight": weight, "heldout": heldout,
         "plausible": weight > 0, "chosen": weight > 0.5, "at": 1e6, "forecast": 0.1 + weight}
        for name, weight, heldout in (
            ("power", 0.05, 0.5), ("power_floor", 0.7, 0.1), ("broken", 0.25, np.nan)
        )
    )  # fmt: skip


def plan_curve() -> tuple[pd.DataFrame, dict[str, Any]]:
    rows = np.arange(0.0, 130.0, 10.0)
    loss = 0.4 + ((rows - 60.0) / 100.0) ** 2
    curve = pd.DataFrame({"rows": rows, "ratio": rows / 100.0, "predicted": loss,
                          "low": loss - 0.05, "high": loss + 0.05})  # fmt: skip
    advice = {"help": True, "rows": 60, "best_rows": 60, "instead": "reweight"}
    plan = {"recommendation": advice, "null_model": {"predicted": 0.55}, "minority": 50,
            "generator": {"kind": "smote"}}  # fmt: skip
    return curve, plan


def record() -> dict[str, Any]:
    """What the benchmarks leave, with every part."""
    series = ("synthlaw", "numpy", "scikit_learn")
    names = ("scikit_learn_whole_curve_s", "scikit_learn_per_cell_s", "numpy_whole_curve_s",
             "numpy_per_cell_s", "warm_s", "cold_s")  # fmt: skip
    parts: dict[str, Any] = {
        "precision": {"rows": [{"target": t, **{name: 3.0**k / t for k, name in enumerate(names)}}
                               for t in (0.03, 0.01, 0.003)]}
    }  # fmt: skip
    for name in ("rows", "dim", "cells"):
        parts[name] = {"rows": [{name: 10 * x, **{f"{one}_s": x * 4.0**k for k, one in enumerate(series)}}
                                for x in (1, 2, 4)]}  # fmt: skip
    parts["workers"] = {"rows": [{"workers": k, "synthlaw_ms": 5.0 / k**0.8} for k in (1, 2)]}
    parts["statistics"] = {"rows": [{"rows": 10.0**k, "synthlaw_ms": 0.3} for k in (3, 12)]}
    stages = ("import_s", "population_s", "compile_s", "simulate_s", "store_s")
    parts["breakdown"] = dict(zip(stages, (1.0, 2.0, 3.0, 4.0, 0.5), strict=True)) | {
        "replicates": 2000
    }
    least = ("synthlaw_ms", "jax_normals_ms", "numpy_normals_ms", "products_float64_ms",
             "products_float32_ms")  # fmt: skip
    parts["floor"] = dict(zip(least, (5.0, 0.6, 0.7, 0.8, 0.9), strict=True))
    return {"schema": 1, "parts": parts}


def published_tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Points, fits and forecasts of three curves, for both sets."""
    points, fits, told = [], [], []
    added = np.array([0.0, 500.0, 1000.0, 2000.0, 4000.0])
    for k, name in enumerate(("first balanced", "second balanced", "third balanced"), start=1):
        x = 500.0 + added
        y = 0.1 * k + 3.0 * x**-0.5
        for which in ("large", "longer"):
            points.append(pd.DataFrame({"set": which, "curve": name, "n_added": added, "x": x, "y": y,
                                        "se": 0.004}))  # fmt: skip
            for abscissa in ("effective", "N"):
                slope = {"loglog_slope": 0.06 if abscissa == "N" else 0.2, "reciprocal_floor": 0.12 * k,
                         "reciprocal_slope": 30.0}  # fmt: skip
                fits.append({"set": which, "curve": name, "abscissa": abscissa, "floor": 0.1 * k,
                             "amplitude": 3.0, "exponent": 0.5, "exponent_low": 0.3, "exponent_high": 0.9,
                             "identified": str(k < 3), **slope})  # fmt: skip
        there = y[-2:]
        told.append(pd.DataFrame({"set": "longer", "curve": name, "x": x[-2:], "value": there,
                                  "low": there - 0.02, "high": there + 0.02,
                                  "loglog": there - 0.04}))  # fmt: skip
    return pd.concat(points), pd.DataFrame(fits), pd.concat(told)
