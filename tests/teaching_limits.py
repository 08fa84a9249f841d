"""Small tables from closed forms: nonparametric and proportional regimes, SMOTE, mixtures."""

from itertools import product

import numpy as np
import pandas as pd


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
        {"kind": kind, "rows": 1000.0, "synthetic": n, "share": share, "best": 0.1 * np.log10(n),
         "chosen": 0.5 + 0.1 * np.log10(n),
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
