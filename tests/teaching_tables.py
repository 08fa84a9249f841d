"""Small tables from closed forms, of sweeps and of the evidence of claims; nothing random or simulated.

Series lie well apart, so that each of them shows.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

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
    along = np.array([1.0, -0.3, 1.0, 0.5, 0.1])
    return pd.concat(
        pd.DataFrame({"case": case, "what": what, "along": along, "across": h * (1.3 - along)})
        for case, h in (("aligned", 0.3), ("oblique", 0.9))
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
