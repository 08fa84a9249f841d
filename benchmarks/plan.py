"""``python -m benchmarks.plan``: does the number that ``plan`` recommends serve on real tables?

Scikit-learn's breast cancer and digits (3 against 8), made imbalanced 1:20 by leaving out rows of one
class, 200 random splits each. On each split every arm trains the same ridge logistic regression and is
judged by its balanced loss on the rows left out (which hold the left-out rows of the minority, so that it
is sharp):

    none          the rows as they are
    full          as many rows as balance the classes
    recommended   the number with the least predicted loss (``best_rows``)
    advice        that number where the plan says that rows help, else what it says instead
    grid          a validation grid search: ridge and number by the balanced loss of 20 % held-out rows,
                  over 5 repetitions; the usual way

Differences are paired by split; the standard errors are those of their means over the splits.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SPLITS, IMBALANCE, TRAIN = 200, 20, 2 / 3
TABLES = ("breast_cancer", "digits_3_8")
KINDS = ("duplicate", "gaussian", "smoothed", "smote")
REPETITIONS, VALIDATION = 5, 0.2
ARMS = ("none", "full", "recommended", "advice", "reweight", "grid")
RECORD = Path(__file__).parent / "recorded" / "plan.json"


class Split(NamedTuple):
    """Rows that are planned on, and rows the arms are judged on."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels, 1 for the class that is made rare."""
    from sklearn import datasets  # pyright: ignore[reportMissingImports]

    if name == "breast_cancer":
        found: Any = datasets.load_breast_cancer()
        return found.data, (found.target == 0).astype(int)
    found = datasets.load_digits()
    kept = np.isin(found.target, (3, 8))
    return found.data[kept], (found.target[kept] == 8).astype(int)


def split(x: np.ndarray, y: np.ndarray, seed: int) -> Split:
    """Two thirds of the majority and a twentieth as many of the minority to plan on, the rest to judge."""
    random = np.random.default_rng([seed, 1])
    majority, minority = (random.permutation(np.flatnonzero(y == k)) for k in (0, 1))
    n_0 = int(TRAIN * len(majority))
    n_1 = round(n_0 / IMBALANCE)
    seen = np.concatenate([majority[:n_0], minority[:n_1]])
    left = np.concatenate([majority[n_0:], minority[n_1:]])
    return Split(x[seen], y[seen], x[left], y[left])


def _judge(table: Any, kind: str, ridge: float, ratio: float, what: Split, seed: int) -> float:
    """Balanced loss on the rows left out of the rule trained with that many drawn rows (-1: weights)."""
    from scaling.planning import logistic
    from scaling.planning.curve import balanced
    from scaling.planning.paths import REWEIGHT
    from scaling.planning.table import apply, learn
    from simulations.tables.generators import GENERATORS

    scaler, x = learn(table.values, table.missing)
    y, n = table.y, len(x)
    counts = table.counts
    weight = np.full(n, 1.0 / n)
    if ratio == REWEIGHT:
        weight = 1.0 / (2 * counts[y])
    elif (m := int(ratio * (counts[0] - counts[1]) + 0.5)) > 0:
        drawn = GENERATORS[kind](x[y == 1][:, :-1], m, seed)
        x = np.concatenate([x, np.column_stack([drawn, np.ones(m)])])
        y = np.concatenate([y, np.ones(m, int)])
        weight = np.full(n + m, 1.0 / (n + m))
    fitted = logistic.fit(x, y, weight, ridge)
    loss = logistic.losses(apply(scaler, what.x_test) @ fitted.theta, what.y_test)
    return float(balanced(loss[:, None], what.y_test, 2)[0][0])


def grid_search(table: Any, kind: str, seed: int) -> tuple[float, float]:
    """Ridge and ratio with the least mean balanced loss of held-out fifths."""
    from scaling.planning.paths import budgets_of
    from scaling.planning.strength import grid
    from scaling.planning.table import make_table

    ridges, ratios = grid(len(table.group)), budgets_of(table.counts)[:-1]
    total = np.zeros((len(ridges), len(ratios)))
    for repetition in range(REPETITIONS):
        random = np.random.default_rng([seed, repetition, 2])
        out = np.zeros(len(table.group), bool)
        for k in (0, 1):
            own = np.flatnonzero(table.group == k)
            out[random.choice(own, max(int(VALIDATION * len(own)), 1), replace=False)] = True
        seen = make_table(table.values[~out], table.group[~out], table.labels)
        left = Split(table.values, table.y, table.values[out], table.y[out])
        for i, ridge in enumerate(ridges):
            for j, ratio in enumerate(ratios):
                total[i, j] += _judge(seen, kind, float(ridge), float(ratio), left, repetition)
    i, j = np.unravel_index(np.argmin(total), total.shape)
    return float(ridges[i]), float(ratios[j])


def one(name: str, kind: str, seed: int, search: bool) -> dict[str, float]:
    """Losses of the arms on one split, and seconds."""
    from scaling.planning.paths import REWEIGHT
    from scaling.planning.planned import plan_table
    from scaling.planning.pools import from_generator
    from scaling.planning.table import canonical_order, make_table
    from simulations.tables.generators import GENERATORS

    what = split(*load(name), seed)
    order = canonical_order(what.x, what.y)
    table = make_table(what.x[order], what.y[order], np.array([0, 1]))
    start = time.perf_counter()
    plan = plan_table(table, from_generator(GENERATORS[kind], kind))
    found = {"plan_s": time.perf_counter() - start}
    ridge, best = plan.strength.ridge, plan.choice
    instead = REWEIGHT if best.over_none.sure else 0.0
    arms = {
        "none": (ridge, 0.0),
        "full": (ridge, 1.0),
        "recommended": (ridge, best.ratio),
        "advice": (ridge, best.ratio if best.help else instead),
        "reweight": (ridge, REWEIGHT),
    }
    if search:
        start = time.perf_counter()
        arms["grid"] = grid_search(table, kind, seed)
        found["grid_s"] = time.perf_counter() - start
    for arm, (strength, ratio) in arms.items():
        found[arm] = _judge(table, kind, strength, ratio, what, seed)
    found |= {"ratio": best.ratio, "help": float(best.help), "predicted": best.risk}
    found["low"], found["high"] = best.low, best.high
    return found


def _one(arguments: tuple[str, str, int, bool]) -> dict[str, float]:
    return one(*arguments)


def _difference(rows: list[dict[str, float]], arm: str, other: str) -> dict[str, float]:
    both = [row[arm] - row[other] for row in rows if arm in row and other in row]
    if len(both) < 2:
        return {}
    return {"mean": float(np.mean(both)), "se": float(np.std(both, ddof=1) / len(both) ** 0.5)}


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Mean losses, paired differences with standard errors, and seconds."""
    losses = {
        arm: float(np.mean([row[arm] for row in rows if arm in row]))
        for arm in ARMS
        if any(arm in row for row in rows)
    }
    times = [row["grid_s"] for row in rows if "grid_s" in row]
    return {
        "splits": len(rows),
        "loss": losses,
        "recommended_minus_full": _difference(rows, "recommended", "full"),
        "recommended_minus_none": _difference(rows, "recommended", "none"),
        "recommended_minus_reweight": _difference(rows, "recommended", "reweight"),
        "recommended_minus_grid": _difference(rows, "recommended", "grid"),
        "advice_minus_none": _difference(rows, "advice", "none"),
        "advice_minus_full": _difference(rows, "advice", "full"),
        "worse_than_none": sum(row["recommended"] > row["none"] for row in rows),
        "mean_ratio": float(np.mean([row["ratio"] for row in rows])),
        "help": float(np.mean([row["help"] for row in rows])),
        "plan_s": float(np.median([row["plan_s"] for row in rows])),
        "grid_s": float(np.median(times)) if times else None,
        "grid_splits": len(times),
    }


def measure(splits: int, searched: int, mapped: Callable[..., Any]) -> dict[str, Any]:
    """All tables and generators; the grid search on the first ``searched`` splits of each."""
    found: dict[str, Any] = {}
    for name in TABLES:
        for kind in KINDS:
            jobs = [(name, kind, seed, seed < searched) for seed in range(splits)]
            found[f"{name}/{kind}"] = summary(list(mapped(_one, jobs)))
            print(name, kind, json.dumps(found[f"{name}/{kind}"]), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan", description=__doc__)
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--searched", type=int, default=20, help="splits with a grid search")
    parser.add_argument("--out", type=Path, default=RECORD)
    chosen = parser.parse_args()
    from synthlaw.checks import write_json
    from synthlaw.versions import versions

    with ProcessPoolExecutor(2) as pool:
        found = measure(chosen.splits, chosen.searched, pool.map)
    write_json({"plan": found, "versions": versions()}, chosen.out)


if __name__ == "__main__":
    main()
