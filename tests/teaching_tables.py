"""Small tables from closed forms, one figure of each kind; nothing random, nothing simulated.

Series lie well apart, so that each of them shows.
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import FIGURES

RATIOS = (0.0, 0.5, 1.0, 2.0)
GROUPS = ("a,1", "a,2", "b,1", "b,2")


def tidy_table(generators: tuple[str, ...] = ("oracle", "duplicate", "reweight")) -> pd.DataFrame:
    """A made-up tidy table: parabolas in the ratio, estimates 1 % above the prediction."""
    rows = []
    for g, generator in enumerate(generators):
        for ratio in [np.nan] if generator == "reweight" else RATIOS:
            height = 0.02 + 0.3 * (1.0 - (0.9 if np.isnan(ratio) else ratio)) ** 2 + 0.02 * g
            values = {name: height * (1 + 0.3 * k) for k, name in enumerate(GROUPS)}
            values |= {"balanced": height * 1.45, "worst": height * 1.9}
            rows += [
                {
                    "setting": "groups",
                    "generator": generator,
                    "estimator": "logistic",
                    "counts": '{"a,1":100}',
                    "ratio": ratio,
                    "augment": 0,
                    "augment_share": 0.0,
                    "metric": metric,
                    "group": group,
                    "predicted": value,
                    "estimate": 1.01 * value,
                    "se": 0.004 * value,
                }
                for metric in ("excess_risk", "error")
                for group, value in values.items()
            ]
    return pd.DataFrame(rows)


def loud(table: pd.DataFrame, times: float = 12.0) -> pd.DataFrame:
    """The same with error bars that reach beyond their points."""
    return table.assign(se=times * table["se"])


def divergence_table() -> pd.DataFrame:
    """Divergences of two groups that no ratio changes."""
    rows = [
        {
            "generator": generator,
            "ratio": ratio,
            "augment": 0,
            "metric": "kl",
            "group": group,
            "predicted": value * times,
            "estimate": 1.2 * value * times,
            "se": 0.15 * value * times,
        }
        for generator, value in (("oracle", 0.0), ("transformer[4;1]", 1e-3), ("histogram", 0.1))
        for ratio in (0.0, 1.0)
        for group, times in (("majority", 1.0), ("minority", 4.0))
    ]
    return pd.DataFrame(rows)


def ladder_table() -> pd.DataFrame:
    """Two ladders of three sizes, on their lines."""
    size = np.array([200.0, 400.0, 800.0])
    parts = [
        pd.DataFrame(
            {
                "series": name,
                "size": size,
                "inverse_size": 1 / size,
                "ratio": level + 6 / size,
                "ratio_se": 0.002,
                "fit": level + 6 / size,
            }
        )
        for name, level in (("one", 1.0), ("two", 1.01))
    ]
    return pd.concat(parts, ignore_index=True)


CELLS = pd.DataFrame(
    {
        "cell": ["ratio 0", "ratio 1"],
        "measured": [0.9, 0.5],
        "measured_se": [0.01, 0.02],
        "bound": [1.0, 1.0],
        "expected": [0.91, 0.48],
        "distance": [0.01, 0.02],
        "radius": [0.02, 0.01],
    }
)


def synthetic_table() -> pd.DataFrame:
    """Two series of four N, the last one beyond what was simulated."""
    augment = np.array([100.0, 200.0, 400.0, 4000.0])
    parts = [
        pd.DataFrame(
            {
                "series": name,
                "augment": augment,
                "predicted": floor + 1 / augment,
                "floor": floor,
                "power_law": 0.1 * augment**-0.4,
                "estimate": np.where(augment < 1000, 1.01 * (floor + 1 / augment), np.nan),
                "se": np.where(augment < 1000, 1e-4, np.nan),
            }
        )
        for name, floor in (("right", 1e-3), ("shifted", 1e-2))
    ]
    return pd.concat(parts, ignore_index=True)


def made_up_claim(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    """An entry of verdicts.json."""
    return {
        "id": name,
        "family": "imbalance",
        "kind": kind,
        "title": f"Title of {name}",
        "outcome": "supported",
        "prediction": 2.0,
        "ratio": 1.003,
        "ratio_se": 0.004,
        "margin": 0.02,
        "alpha": 1e-4,
        "twin": {"statement": "wrong", "outcome": "contradicted"},
    } | changes


VERDICTS = {
    "claims": [
        made_up_claim("one", "constant"),
        made_up_claim("two", "inequality", outcome="unresolved", ratio=0.8),
        made_up_claim("three", "constant", family="control", outcome="contradicted", ratio=1.5),
        made_up_claim("four", "exact", twin={"statement": "w", "outcome": "supported"}),
        made_up_claim("five", "distribution", ratio=None, ratio_se=None, twin=None),
    ]
}


def size_table() -> pd.DataFrame:
    x = np.linspace(0.8, 1.2, 41)
    line = pd.DataFrame({"what": "theory", "name": "", "rows": x, "predicted": 1e-4 + (x - 1) ** 2})
    seen = line.iloc[[5, 30]].assign(what="simulated", se=2e-3)
    seen["estimate"] = seen["predicted"] + 1e-3
    sizes = pd.DataFrame({"what": "size", "name": ["best", "balanced"], "rows": [0.9, 1.1]})
    sizes["predicted"] = 1e-4 + (sizes["rows"] - 1) ** 2
    return pd.concat([line, seen, sizes], ignore_index=True)


def alignment_table() -> pd.DataFrame:
    what = ["path", "path", "raw", "balanced", "best"]
    along = [1.0, -0.3, 1.0, 0.5, 0.1]
    return pd.concat(
        pd.DataFrame(
            {"case": case, "what": what, "along": along, "across": [h * (1 - a) for a in along]}
        )
        for case, h in (("aligned", 0.05), ("oblique", 0.6))
    )


def wald_table() -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "what": "p-values",
            "minority": n,
            "level": level,
            "hits": 400 * level * (1 + 20 / n),
            "count": 400,
        }
        for n, level in product((50, 500), (0.05, 0.2, 0.5))
    ]
    for d in np.linspace(-0.3, 0.3, 7):
        row = {"what": "power", "minority": 250, "level": 0.05, "departure": d, "count": 40}
        rows.append({**row, "expected": 1 - 0.95 * np.exp(-30 * d**2)})
        if abs(d) in (0.0, 0.3):
            rows[-1]["hits"] = 40 * (0.2 if d == 0.0 else 0.8)
    return pd.DataFrame(rows)


def smote_table() -> pd.DataFrame:
    rows = [
        [
            law,
            dim,
            n,
            0.7 * n ** (-1 / dim) if n < 500 else np.nan,
            0.15 * n ** (-1 / dim),
            n ** (-1 / dim),
            lead,
        ]
        for law, factor in (("gaussian", np.nan), ("uniform", 0.5))
        for dim in (2, 5)
        for n in (100, 400, 1600)
        for lead in (factor * n ** (-1 / dim),)
    ]
    return pd.DataFrame(rows, columns=["law", "dim", "rows", "deficit", "se", "exact", "leading"])


def series_table() -> pd.DataFrame:
    rows = []
    for times, (name, floor) in zip((1.0, 4.0), (("real", np.nan), ("biased", 0.02)), strict=True):
        for n in (10, 1000, 10**5):
            value = times * n**-0.7 + np.nan_to_num(floor)
            common = {"series": name, "floor": floor, "rows": n}
            rows.append({**common, "predicted": value})
            rows.append({**common, "estimate": 1.2 * value, "se": 0.2 * value})
    return pd.DataFrame(rows)


def exponent_table() -> pd.DataFrame:
    rows = []
    for panel in ("one", "two"):
        for times, (name, exponent) in zip((0.3, 0.6), (("a", 0.5), ("b", 0.8)), strict=True):
            common = {"panel": panel, "series": name, "exponent": exponent}
            for n in (1e3, 1e5, 1e9):
                rows.append({**common, "rows": n, "slope": exponent - times * n**-0.2, "se": 0.01})
                rows.append({**common, "rows": 2 * n, "predicted": exponent - times * n**-0.2})
            rows.append({**common, "limit": exponent + 0.03 * times, "limit_se": 0.01})
    return pd.DataFrame(rows)


def mixture_table() -> pd.DataFrame:
    rows = [
        {"kind": kind, "rows": 1000.0, "synthetic": n, "share": share, "best": 0.3, "chosen": 0.6,
         "true": 1.0 - share * (1 - share) + tilt * share, "law": 1.0 - 0.8 * share * (1 - share)}
        for kind, tilt in (("incoherent", 0.0), ("rough", 0.8))
        for n in (100.0, 1000.0, 10000.0)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def overparameterised_table() -> pd.DataFrame:
    rows = []
    for model, (s, scheme) in product(
        ("noise", "features"), enumerate(("reweighting", "subsampling"))
    ):
        for x in (0.05, 0.3, 2.0):
            worst = 0.4 - 0.2 * s + 0.02 * np.log(x)
            row = {"model": model, "scheme": scheme, "per_row": x, "rows": 400.0}
            seen = {
                "worst": worst + 0.01,
                "worst_se": 0.015,
                "average": worst - 0.1,
                "average_se": 0.015,
            }
            law = {"worst_theory": worst, "average_theory": worst - 0.11}
            rows.append({**row, **seen, **(law if model == "noise" or x == 0.3 else {})})
    return pd.DataFrame(rows)


def token_risk_table(x: tuple[float, ...]) -> pd.DataFrame:
    rows = [
        {"series": name, "x": at, "predicted": times / at, "estimate": 1.15 * times / at,
         "se": 0.15 * times / at}
        for name, times in (("reweighting", 1.0), ("1 layer", 5.0), ("oracle", 0.2))
        for at in x
    ]  # fmt: skip
    return pd.DataFrame(rows)


def token_spurious_table() -> pd.DataFrame:
    rows = [
        {"series": name, "group": group, "predicted": value * times, "estimate": 1.3 * value * times,
         "se": 0.3 * value * times}
        for name, value in (("raw rows", 0.1), ("oracle", 0.001))
        for group, times in (("balanced", 1.0), ("worst", 4.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def chain_table() -> pd.DataFrame:
    rows = [
        {"world": world, "depth": 1, "seeds": n, "link": link, "value": 1.0, "bound": times * k * n}
        for k, world in enumerate(("d = 64", "d = 256"), start=1)
        for link, times in (("bias", 1.5), ("floor", np.inf if k == 1 else 4.0))
        for n in (1.0, 2.0, 4.0)
    ]
    return pd.DataFrame(rows)


def proportional_table() -> pd.DataFrame:
    rows = []
    for panel, places in (("ratio", (0.0, 1.0)), ("d/n", (0.2, 0.5, 2.0))):
        for group, level in (("majority", 0.1), ("minority", 0.3)):
            for x in np.linspace(places[0], places[-1], 11):
                rows.append({"panel": panel, "x": x, "group": group, "predicted": level + 0.05 * x})
            for x, (dim, up) in product(places, ((50.0, 0.03), (200.0, -0.03))):
                point = {"panel": panel, "x": x, "group": group, "dim": dim, "predicted": level}
                rows.append({**point, "estimate": level + 0.05 * x + up, "se": 0.02,
                             "replicates": 20, "failures": 0})  # fmt: skip
    named = pd.DataFrame(rows).assign(loss="squared", separation=2.0, minority=0.25, ridge=0.05)
    return named


def existence_table() -> pd.DataFrame:
    rows = [
        {"dim": dim, "kappa": kappa, "separable": hits, "count": 100, "failures": 0}
        for dim, shares in ((16, (35, 60)), (64, (5, 90)))
        for kappa, hits in zip((0.16, 0.24), shares, strict=True)
    ]
    return pd.DataFrame(rows).assign(threshold=0.2)


def token_kl_table() -> pd.DataFrame:
    rows = []
    for panel, x in (("seeds", (1.0, 1e4)), ("vocabulary", (64.0, 4096.0)), ("layers", (1.0, 3.0))):
        for name, times in (("one", 1.0), ("two", 10.0)):
            law = [{"panel": panel, "series": name, "x": at, "predicted": times / at} for at in x]
            seen = {"estimate": 1.5, "se": 0.5}
            rows += law
            rows += [{**each, "predicted": np.nan, **{k: v * each["predicted"] for k, v in seen.items()}}
                     for each in law]  # fmt: skip
    return pd.DataFrame(rows)


def token_slack_table() -> pd.DataFrame:
    return pd.DataFrame(
        {"layers": layer, "d": d, "n": n, "slack": layer * d / 64.0 + n / 100.0, "constant": 2.5}
        for layer, d, n in product((1, 2), (64, 256), (0, 100))
    )


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
        for name, weight, heldout in (("power", 0.05, 0.5), ("power_floor", 0.7, 0.1), ("broken", 0.25, np.nan))
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


def trained_table() -> pd.DataFrame:
    rows = []
    for name, times in (("trained", 1.04), ("bayes", 1.0), ("constructed, 1 layer", 3.0),
                        ("maximum likelihood", 1.15)):  # fmt: skip
        for n in (4, 16, 64):
            kl = times / n
            rows.append({"generator": name, "n": n, "predicted": 0.7 / n if name in ("bayes",) else
                         0.8 / n if name == "maximum likelihood" else np.nan, "kl": kl, "se": 0.1 * kl,
                         "ratio_bayes": times, "ratio_bayes_se": 0.01, "failures": 0})  # fmt: skip
    return pd.DataFrame(rows)


def attention_table() -> pd.DataFrame:
    names = {-2: "vocabulary", -1: "vocabulary", 0: "start", 1: "5", 2: "7"}
    rows = [
        {"model": model, "layer": layer, "head": "head 1", "query": query, "key": key,
         "query_label": names[query], "key_label": names[key], "weight": 1.0 / (1 + query - min(0, key))}
        for model, layer in product(("constructed", "trained"), (1, 2))
        for query in (0, 1, 2)
        for key in range(-2 if model == "constructed" else 0, query + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


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
                                  "low": there - 0.02, "high": there + 0.02, "loglog": there - 0.04}))  # fmt: skip
    return pd.concat(points), pd.DataFrame(fits), pd.concat(told)


def _teaching() -> dict[str, Callable[[], Figure]]:
    draw, shown = FIGURES, loud(tidy_table())
    points, fits, told = published_tables()
    return {
        "ratio_curve": partial(draw["ratio_curve"], shown),
        "ladder": partial(draw["ladder"], ladder_table(), margin=0.02, intercept=1.0, intercept_se=0.003),
        "slack": partial(draw["slack"], CELLS),
        "agreement": partial(draw["agreement"], CELLS.assign(tolerance=0.05)),
        "distance": partial(draw["distance"], CELLS, margin=0.05),
        "worst_group": partial(draw["worst_group"], shown),
        "divergence": partial(draw["divergence"], divergence_table()),
        "synthetic_curve": partial(draw["synthetic_curve"], loud(synthetic_table(), 8.0)),
        "size_curve": partial(draw["size_curve"], size_table()),
        "alignment": partial(draw["alignment"], alignment_table()),
        "wald_calibration": partial(draw["wald_calibration"], wald_table()),
        "smote_law": partial(draw["smote_law"], smote_table()),
        "series_curves": partial(draw["series_curves"], series_table()),
        "exponent_ladder": partial(draw["exponent_ladder"], exponent_table()),
        "mixture_map": partial(draw["mixture_map"], mixture_table()),
        "overparameterised": partial(draw["overparameterised"], overparameterised_table()),
        "token_seeds": partial(draw["token_seeds"], token_risk_table((30.0, 1000.0, 10000.0))),
        "token_rows": partial(draw["token_rows"], token_risk_table((6000.0, 12000.0, 18000.0))),
        "token_spurious": partial(draw["token_spurious"], token_spurious_table()),
        "token_chain": partial(draw["token_chain"], chain_table()),
        "proportional_curve": partial(draw["proportional_curve"], proportional_table()),
        "existence": partial(draw["existence"], existence_table()),
        "token_kl": partial(draw["token_kl"], token_kl_table()),
        "token_slack": partial(draw["token_slack"], token_slack_table()),
        "verdict_board": partial(draw["verdict_board"], VERDICTS),
        "fit_curve": partial(draw["fit_curve"], fit_points(2), fit_law(2), fit_forecast(2), x="rows", y="error"),
        "fit_residuals": partial(draw["fit_residuals"], fit_points(), x="rows", y="error"),
        "fit_profile": partial(draw["fit_profile"], fit_profile()),
        "fit_ridge": partial(draw["fit_ridge"], fit_ridge(), y="error"),
        "fit_exponents": partial(
            draw["fit_exponents"],
            pd.DataFrame({"label": ["one", "two"], "exponent": [0.5, 0.3], "low": [0.4, 0.2],
                          "high": [0.7, 0.35]}),
            theory=0.45,
        ),
        "fit_board": partial(draw["fit_board"], fit_board(), x="rows", y="error"),
        "plan_curve": partial(draw["plan_curve"], *plan_curve()),
        "trained_kl": partial(draw["trained_kl"], trained_table()),
        "attention": partial(draw["attention"], attention_table()),
        "benchmark": partial(draw["benchmark"], record()),
        "published_curves": partial(draw["published_curves"], points, fits),
        "published_exponents": partial(draw["published_exponents"], fits),
        "published_forecasts": partial(draw["published_forecasts"], points, told),
    }  # fmt: skip


# How to draw each kind of figure, by its name in FIGURES.
TEACHING = _teaching()
