"""The published curves refitted: with a floor, with intervals, with the effective count, and beside
the two forms their authors used. Nothing is drawn here.

Tables (each ``published_<name>.csv``):

- ``points``: the points of every curve, as used;
- ``fits``: one row per curve and abscissa (``N``: added rows, without N = 0; ``effective``: base +
  weight N): the law with a floor, its 95 % profile intervals, a log-log line, and loss against 1/N;
- ``forecasts``: curves fitted without their last points, and what came.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from scaling.fitting.curves import Curve, curve
from scaling.fitting.intervals import intervals_all
from scaling.fitting.laws import LAWS, value
from scaling.forecasting.choice import FEWEST, choose
from synthlaw.verifying.published import Published

HELD_OUT = 3
# A fit that is forecast beyond the published rows starts from these.
PUBLISHED_ROWS = 3600
# An exponent is identified if its interval is bounded and no wider than this ratio.
WIDEST = 4.0
Progress = Callable[[str], None]


def tables(found: Published) -> dict[str, pd.DataFrame]:
    """All tables of the page, by name without ``published_``."""
    sets = {"large": found.large, "longer": found.longer, "small": found.small}
    points = pd.concat([rows.assign(set=name) for name, rows in sets.items()])
    return {
        "points": points.reindex(columns=["set", "curve", "n_added", "x", "y", "se"]),
        "fits": pd.concat([_fits(found.large, "large"), _fits(found.small, "small")]),
        "forecasts": pd.DataFrame(
            [
                *_forecasts(found.large, "large", _all_but_last),
                *_forecasts(found.small_longer, "small", _all_but_last),
                *_forecasts(found.longer, "longer", _published_rows),
            ]
        ),
    }


def _all_but_last(rows: pd.DataFrame) -> np.ndarray:
    return np.arange(len(rows)) < len(rows) - HELD_OUT


def _published_rows(rows: pd.DataFrame) -> np.ndarray:
    return rows.n_added.to_numpy() <= PUBLISHED_ROWS


def errors_of(rows: pd.DataFrame) -> np.ndarray | None:
    """Standard errors of a curve; None unless every point has one."""
    se = rows.se.to_numpy(dtype=float)
    return se if bool((np.isfinite(se) & (se > 0.0)).all()) else None


def curves_of(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and points of each curve."""
    for name, rows in table.groupby("curve", sort=True):
        yield str(name), rows


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Slope, intercept and R^2 of the least-squares line of y on x."""
    slope, intercept = np.polyfit(x, y, 1)
    rest = y - intercept - slope * x
    spread = float(((y - y.mean()) ** 2).sum())
    return float(slope), float(intercept), 1.0 - float((rest**2).sum()) / max(spread, 1e-300)


def _fits(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """Curves with the same abscissae are fitted together."""
    batches: dict[tuple[Any, ...], list[tuple[str, np.ndarray, np.ndarray, bool]]] = {}
    for name, rows in curves_of(table):
        se = errors_of(rows)
        for abscissa in ("N", "effective"):
            keep = (rows.n_added > 0).to_numpy() | (abscissa == "effective")
            x = (rows.n_added if abscissa == "N" else rows.x).to_numpy(dtype=float)[keep]
            if len(x) < FEWEST:
                continue
            y = rows.y.to_numpy()[keep]
            key = (abscissa, se is not None, *x)
            batches.setdefault(key, []).append((name, y, y if se is None else se[keep], True))
    found: list[dict[str, Any]] = []
    for (abscissa, known, *x), members in batches.items():
        found += _fitted(np.array(x), abscissa, bool(known), members)
    return pd.DataFrame([{"set": which, **row} for row in found]).sort_values(["curve", "abscissa"])


def _fitted(
    x: np.ndarray, abscissa: str, known: bool, members: list[Any]
) -> Iterator[dict[str, Any]]:
    y, se = (np.stack([each[place] for each in members]) for place in (1, 2))
    law = LAWS["power_floor"]
    fits = intervals_all(law.name, x, y, se if known else None)
    for row, (name, *_) in enumerate(members):
        slope, _, r2 = line(np.log(x), np.log(y[row]))
        inverse, limit, inverse_r2 = line(1.0 / x, y[row])
        low, high = fits.ends[row, 0]
        amplitude = fits.parameters[row, 1]
        bounded = not fits.unbounded[row, 0]
        residual = (value(law, fits.parameters[row], x[:, None]) - y[row]) / (
            se[row] if known else 1.0
        )
        yield {
            "curve": name,
            "abscissa": abscissa,
            "points": len(x),
            "exponent": fits.parameters[row, 0],
            "exponent_low": low,
            "exponent_high": high,
            "amplitude": amplitude,
            "floor": fits.parameters[row, 2],
            "floor_low": fits.ends[row, 2, 0],
            "floor_high": fits.ends[row, 2, 1],
            "chi2": float((residual**2).sum()) if known else np.nan,
            "freedom": len(x) - 3,
            "identified": bool(bounded and amplitude > 0.0 and high <= WIDEST * low),
            "loglog_slope": -slope,
            "loglog_r2": r2,
            "reciprocal_slope": inverse,
            "reciprocal_floor": limit,
            "reciprocal_r2": inverse_r2,
        }


def _forecasts(
    table: pd.DataFrame, which: str, kept: Callable[..., Any]
) -> Iterator[dict[str, Any]]:
    for name, rows in curves_of(table):
        keep = kept(rows)
        if keep.all() or keep.sum() < FEWEST:
            continue
        se = errors_of(rows)
        x, y = rows.x.to_numpy(dtype=float), rows.y.to_numpy()
        chosen = choose(curve(x[keep], y[keep], None if se is None else se[keep]))
        part = Curve(x[keep], y[keep])
        slope, intercept, _ = line(np.log(part.x), np.log(part.y))
        for each, came, added in zip(
            chosen.forecast(x[~keep]), y[~keep], rows.n_added.to_numpy()[~keep], strict=True
        ):
            yield {
                "set": which,
                "curve": name,
                "n_added": added,
                "x": each.x,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "came": came,
                "loglog": float(np.exp(intercept + slope * np.log(each.x))),
                "last": float(y[keep][-1]),
                "law": chosen.best.law.name if chosen.best is not None else "unranked",
            }
