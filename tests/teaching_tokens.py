"""Small tables from closed forms: generators of tokens and trained transformers."""

from itertools import product

import numpy as np
import pandas as pd


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


def trained_table() -> pd.DataFrame:
    rows = []
    for name, times in (("trained", 1.6), ("bayes", 1.0), ("constructed, 1 layer", 6.0),
                        ("maximum likelihood", 3.0)):  # fmt: skip
        for n in (4, 16, 64):
            kl = times / n
            rows.append({"generator": name, "n": n, "predicted": 0.7 / n if name in ("bayes",) else
                         0.8 / n if name == "maximum likelihood" else np.nan, "kl": kl, "se": 0.1 * kl,
                         "ratio_bayes": times, "ratio_bayes_se": 0.05, "failures": 0})  # fmt: skip
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
