"""``python -m benchmarks.forecasts DIR``: forecasts on the published curves, beside two simple ones.

Every curve in DIR (like ``../shared/data``) with at least seven points above 0 is fitted without its last
three, which are then forecast: by the choice among laws, by the log-log line (no floor, the field's usual
way) and by the last value. The abscissa is the number of added rows, without 0; or the effective count:
1,800 rows + half a row for each added one where the curve's experiment says so, else the rows there were
plus the added ones.

Printed, per set of curves and for all: median and root-mean-square relative error, the share of points
that lie in the 95 % intervals, and the intervals' median width over the value.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

HELD_OUT, FEWEST, SEEDS = 3, 7, 5
LEVEL = 0.95
# Rows a curve begins with: OPAL's small tables; scaling_law/vary_ratio adds two rows for each N.
SMALL = {"gender": 50}
SMALL_ELSEWHERE = 100


class Published(NamedTuple):
    """One curve: ``added (n,)`` rows and the ``effective`` count, values ``y``, standard errors or None."""

    subset: str
    added: np.ndarray
    effective: np.ndarray
    y: np.ndarray
    se: np.ndarray | None


def _published(subset: str, added: Any, effective: Any, y: Any, se: Any) -> Published:
    errors = np.asarray(se, float)
    known = bool((np.isfinite(errors) & (errors > 0.0)).all())
    sizes, counts, values = (np.asarray(each, float) for each in (added, effective, y))
    return Published(subset, sizes, counts, values, errors if known else None)


def _rows(dataset: str) -> int:
    return SMALL.get(dataset, SMALL_ELSEWHERE)


def _stored(folder: Path) -> Iterator[Published]:
    """Means over five seeds, as published."""
    table: Any = pd.read_csv(folder / "opal" / "curves_stored.csv")
    table = table[(table.seed_or_mean == "mean") & table.status.str.startswith("reproduced")]
    for key, part in table.groupby(["dataset", "task", "classifier", "method", "metric", "source"]):
        part = part.sort_values("n_added")
        effective = part.n_added + _rows(str(key[0]))
        yield _published(
            "opal stored", part.n_added, effective, part.value, part["std"] / SEEDS**0.5
        )
    table = pd.read_csv(folder / "scaling_law" / "curves_stored.csv")
    names = ["dataset", "task", "experiment", "classifier", "method", "arm", "metric"]
    for key, part in table[table.arm != "train_all"].groupby(names):
        part = part.sort_values("n_added")
        y, se = part.value.to_numpy(), part["std"].to_numpy() / SEEDS**0.5
        added = part.n_added.to_numpy(float)
        additional = key[2] == "vary_additional"
        if "log_cross" in str(key[-1]):
            y = np.exp(y)
            se = y * se
        elif additional:
            y = 1.0 - y
        effective = 1800.0 + 0.5 * added if additional else 200.0 + 2.0 * added
        yield _published(f"scaling_law {key[2]}", added, effective, y, se)


def _recomputed(folder: Path) -> Iterator[Published]:
    """Means over the seeds of every metric, from the rows per seed."""
    sets = {
        "opal": (["dataset", "task", "method", "classifier"], (
            "err", "ce", "brier", "err_minor", "err_worst", "bal_err", "bal_ce", "bal_brier")),
        "scaling_law": (["dataset", "task", "classifier"], (
            "balanced_ce", "min_ce", "balanced_err", "min_err", "balanced_brier", "worst_err")),
    }  # fmt: skip
    for name, (keys, metrics) in sets.items():
        table: Any = pd.read_csv(folder / name / "curves_recomputed_perseed.csv")
        for key, part in table[table.n_added >= 0].groupby(keys):
            for metric in metrics:
                by_seed = part.pivot(index="seed", columns="n_added", values=metric).dropna(axis=1)
                added = by_seed.columns.to_numpy(float)
                opal = name == "opal"
                effective = added + _rows(str(key[0])) if opal else 1800.0 + 0.5 * added
                se = by_seed.std(ddof=1) / len(by_seed) ** 0.5
                yield _published(f"{name} recomputed", added, effective, by_seed.mean(), se)


def usable(folder: Path, abscissa: str) -> Iterator[tuple[str, Any]]:
    """Every curve that can be forecast, with its name of set."""
    from scaling.fitting.curves import Curve

    for each in (*_stored(folder), *_recomputed(folder)):
        keep = each.added > 0.0 if abscissa == "added" else np.ones(len(each.y), bool)
        y = each.y[keep]
        if len(y) >= FEWEST and (y > 0.0).all():
            x = each.added if abscissa == "added" else each.effective
            se = None if each.se is None else each.se[keep]
            yield each.subset, Curve(x[keep][:, None], y, se)


def log_log_line(x: np.ndarray, y: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Forecasts and 95 % intervals ``(m, 3)`` of the line through the logarithms."""
    design, at = (np.column_stack([np.ones(len(each)), np.log(each)]) for each in (x, there))
    found, *_ = np.linalg.lstsq(design, np.log(y))
    left = np.log(y) - design @ found
    freedom = len(x) - 2
    inverse = np.linalg.inv(design.T @ design)
    spread = np.sqrt(left @ left / freedom * (1.0 + np.einsum("ij,jk,ik->i", at, inverse, at)))
    reach = student.ppf(0.5 + LEVEL / 2, freedom) * spread
    return np.exp(np.column_stack([at @ found, at @ found - reach, at @ found + reach]))


def forecasts(folder: Path, abscissa: str, every: int) -> pd.DataFrame:
    """One row per curve and point left out."""
    from scaling.fitting.curves import Curve
    from scaling.forecasting.choice import choose

    rows = []
    for subset, whole in list(usable(folder, abscissa))[::every]:
        x, y = whole.x[:, 0], whole.y
        se = None if whole.se is None else whole.se[:-HELD_OUT]
        seen = Curve(whole.x[:-HELD_OUT], y[:-HELD_OUT], se)
        ours = choose(seen).forecast(x[-HELD_OUT:])
        line = log_log_line(x[:-HELD_OUT], y[:-HELD_OUT], x[-HELD_OUT:])
        for mine, other, came in zip(ours, line, y[-HELD_OUT:], strict=True):
            rows.append(
                {
                    "subset": subset,
                    "came": came,
                    "ours": mine.value,
                    "ours_low": mine.low,
                    "ours_high": mine.high,
                    **dict(zip(("line", "line_low", "line_high"), other, strict=True)),
                    "last": y[-HELD_OUT - 1],
                }
            )
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Errors, shares held and widths, in per cent of the values."""
    found: dict[str, float] = {"curves": len(rows) / HELD_OUT}
    for way in ("ours", "line", "last"):
        error = 100.0 * (rows[way] / rows.came - 1.0)
        found[f"{way} median"] = float(error.abs().median())
        found[f"{way} rms"] = float(np.sqrt((error**2).mean()))
    for way in ("ours", "line"):
        low, high = rows[f"{way}_low"], rows[f"{way}_high"]
        found[f"{way} held"] = 100.0 * float(((low <= rows.came) & (rows.came <= high)).mean())
        found[f"{way} width"] = 100.0 * float(((high - low) / rows.came).median())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts", description=__doc__)
    parser.add_argument("folder", type=Path, help="like ../shared/data")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th curve")
    chosen = parser.parse_args()
    for abscissa in ("added", "effective"):
        start = time.perf_counter()
        rows = forecasts(chosen.folder, abscissa, chosen.every)
        table = {str(name): summary(part) for name, part in rows.groupby("subset")}
        shown = pd.DataFrame({**table, "all": summary(rows)}).T
        print(f"abscissa: {abscissa}\n{shown.round(1).to_string()}\n", flush=True)
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
