"""Relations that every real row satisfies, and how many synthetic rows break them.

    P(the v rows that break it are all synthetic) = C(m, v)/C(n + m, v)

if the m synthetic rows followed the law of the n real ones: then all n + m rows are exchangeable. A
relation is reported as broken where this is below ``LEVEL`` over the number of relations looked at, so
that neither a relation that holds by chance nor a row that would have come sooner or later is taken for a
fault.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln

LEVEL = 1e-3
# Products and sums of columns are looked for among at most so many of them, and certain from so many rows.
MOST_COLUMNS, FEWEST_ROWS = 40, 30
# A product or sum may miss by half a unit of the last decimal, if that is less than this share of the
# column's standard deviation.
FINE = 0.1
MOST_LEVELS = 20
DECIMALS = 6


class Broken(NamedTuple):
    """``relation`` as text; ``rows (m,)`` that break it; ``p``: the chance of that for rows of the real
    law."""

    relation: str
    rows: np.ndarray
    p: float


class Candidate(NamedTuple):
    """A relation that holds in every real row, and where synthetic rows break it ``(m,)``."""

    relation: str
    breaks: np.ndarray


def chance(n: int, m: int, v: int) -> float:
    """``C(m, v)/C(n + m, v)``.

    >>> round(chance(9, 1, 1), 6), chance(5, 5, 0)
    (0.1, 1.0)
    """
    total = gammaln(m + 1) - gammaln(m - v + 1) - gammaln(n + m + 1) + gammaln(n + m - v + 1)
    return float(np.exp(min(total, 0.0)))


def broken(
    names: list[str],
    real: np.ndarray,
    rows: np.ndarray,
    codes: dict[str, tuple[np.ndarray, np.ndarray]],
) -> list[Broken]:
    """Relations broken, the most often broken first.

    Args:
        names: of the columns of numbers.
        real, rows: ``(n, d)`` and ``(m, d)``, NaN where empty (an empty cell breaks nothing).
        codes: columns of text as numbers of levels, of the real rows and the others; -1: a level that no
            real row has.

    >>> a, b = np.arange(200.0), np.arange(200.0)[::-1] ** 2
    >>> real = np.stack([a, b, a + b], axis=1)
    >>> rows = real[50:70] + [0.0, 0.0, 3.0] * (np.arange(20)[:, None] < 9)      # nine of them broken
    >>> [(each.relation, int(each.rows.sum())) for each in broken(["a", "b", "c"], real, rows, {})]
    [('c = a + b', 9)]
    """
    n, m = len(real), len(rows)
    if n < FEWEST_ROWS or m == 0:
        return []
    looked, candidates = 0, []
    for tried, found in (
        *(_ranges(names, real, rows),),
        *(_orders(names, real, rows),),
        *(_formulas(names, real, rows),),
        *(_levels(codes),),
        *(_functions(names, real, rows, codes),),
    ):
        looked += tried
        candidates += found
    kept = []
    for each in candidates:
        p = chance(n, m, int(each.breaks.sum()))
        if p * max(looked, 1) < LEVEL:
            kept.append(Broken(each.relation, each.breaks, p))
    return sorted(kept, key=lambda each: -int(each.rows.sum()))


def _whole(values: np.ndarray) -> bool:
    return bool((values == np.round(values)).all())


def _ranges(names: list[str], real: np.ndarray, rows: np.ndarray) -> tuple[int, list[Candidate]]:
    """Constant columns, whole numbers, and their ranges."""
    found = []
    for j, name in enumerate(names):
        known = real[~np.isnan(real[:, j]), j]
        if len(known) < FEWEST_ROWS:
            continue
        filled = ~np.isnan(rows[:, j])
        low, high = known.min(), known.max()
        if low == high:
            found.append(Candidate(f"{name} = {low:g}", filled & (rows[:, j] != low)))
        elif _whole(known):
            whole = rows[:, j] == np.round(rows[:, j])
            found.append(Candidate(f"{name} is a whole number", filled & ~whole))
            found.append(Candidate(f"{name} >= {low:g}", filled & (rows[:, j] < low)))
            found.append(Candidate(f"{name} <= {high:g}", filled & (rows[:, j] > high)))
    return 4 * len(names), found


def _orders(names: list[str], real: np.ndarray, rows: np.ndarray) -> tuple[int, list[Candidate]]:
    """Columns of which one is never above the other, where their ranges overlap."""
    found = []
    chosen = range(min(len(names), MOST_COLUMNS))
    with np.errstate(invalid="ignore"):
        low, high = np.nanmin(real, axis=0), np.nanmax(real, axis=0)
        for i in chosen:
            for j in chosen:
                if i == j or high[i] <= low[j] or low[i] > low[j] or high[i] > high[j]:
                    continue
                if (real[:1000, i] > real[:1000, j]).any():
                    continue
                if not (real[:, i] > real[:, j]).any():
                    breaks = rows[:, i] > rows[:, j]
                    found.append(Candidate(f"{names[i]} <= {names[j]}", breaks))
    return len(chosen) ** 2, found


def unit(values: np.ndarray) -> float:
    """The unit of the last decimal, 0 for values with more than six.

    >>> unit(np.array([0.1, 2.5])), unit(np.array([3.0, 4.0])), unit(np.array([1 / 3]))
    (0.1, 1.0, 0.0)
    """
    few = values[:1000]
    for places in range(DECIMALS + 1):
        if np.abs(few - np.round(few, places)).max() > 1e-9:
            continue
        if np.allclose(values, np.round(values, places), rtol=0.0, atol=1e-9):
            return 10.0**-places
    return 0.0


def _slack(values: np.ndarray) -> float:
    """How far a formula may miss: half a unit, or rounding."""
    size = float(np.abs(values).max())
    return 0.5000001 * unit(values) + 1e-9 * max(size, 1e-300)


def _formulas(names: list[str], real: np.ndarray, rows: np.ndarray) -> tuple[int, list[Candidate]]:
    """``z = x y``, ``z = x + y``, ``z = x - y`` and ``z = a x``."""
    usable = [j for j in range(len(names)) if _formula_column(real[:, j])][:MOST_COLUMNS]
    sample = real[: 4 * FEWEST_ROWS]
    found, tried = [], 0
    for k in usable:
        slack = _slack(real[:, k])
        if slack > FINE * real[:, k].std():
            continue
        others = [j for j in usable if j != k]
        for text, values, check in _terms(names, others, sample):
            tried += values.shape[1] if values.ndim > 1 else 1
            misses = np.abs(values - sample[:, k, None]).max(axis=0)
            for place in np.flatnonzero(misses <= slack):
                formula = check(int(place))
                if np.abs(formula(real) - real[:, k]).max() <= slack:
                    gap = np.abs(formula(rows) - rows[:, k])
                    with np.errstate(invalid="ignore"):
                        breaks = gap > slack
                    found.append(Candidate(f"{names[k]} = {text(int(place))}", breaks))
        one = _multiple(names, others, real, rows, k, slack)
        tried += len(others)
        found += one
    return tried, _without_repeats(found)


def _formula_column(values: np.ndarray) -> bool:
    """Numbers that vary over more than two values, in every row."""
    return not np.isnan(values).any() and len(np.unique(values[: 4 * FEWEST_ROWS])) > 2


def _terms(names: list[str], others: list[int], sample: np.ndarray) -> Iterator[tuple[Any, ...]]:
    """For each kind of formula: its text, its values on a sample ``(s, pairs)``, and it on all rows."""
    i, j = np.triu_indices(len(others))
    a, b = np.array(others, int)[i], np.array(others, int)[j]
    if len(a) == 0:
        return
    yield (
        lambda t: f"{names[a[t]]} * {names[b[t]]}",
        sample[:, a] * sample[:, b],
        lambda t: lambda x: x[:, a[t]] * x[:, b[t]],
    )
    yield (
        lambda t: f"{names[a[t]]} + {names[b[t]]}",
        sample[:, a] + sample[:, b],
        lambda t: lambda x: x[:, a[t]] + x[:, b[t]],
    )


def _multiple(
    names: list[str], others: list[int], real: np.ndarray, rows: np.ndarray, k: int, slack: float
) -> list[Candidate]:
    """``z = a x`` with a fitted: units of measurement."""
    found = []
    for j in others:
        if j > k:
            continue
        x, z = real[:, j], real[:, k]
        square = float(x @ x)
        factor = float(x @ z) / square if square > 0.0 else 0.0
        if factor != 0.0 and np.abs(factor * x - z).max() <= slack:
            with np.errstate(invalid="ignore"):
                breaks = np.abs(factor * rows[:, j] - rows[:, k]) > slack
            found.append(Candidate(f"{names[k]} = {factor:.6g} * {names[j]}", breaks))
    return found


def _without_repeats(found: list[Candidate]) -> list[Candidate]:
    """Each formula once: ``c = a + b`` is also found as ``a = c - b`` by no search of ours."""
    return list({each.relation: each for each in found}.values())


def _levels(codes: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[int, list[Candidate]]:
    """Levels of text that no real row has, in columns whose rarest level is not rare."""
    found = []
    for name, (real, rows) in codes.items():
        counts = np.bincount(real)
        # A level seen once says that others may come.
        if counts[counts > 0].min() > 1 and (rows < 0).any():
            found.append(Candidate(f"{name} is one of {int((counts > 0).sum())} levels", rows < 0))
    return len(codes), found


def _functions(
    names: list[str],
    real: np.ndarray,
    rows: np.ndarray,
    codes: dict[str, tuple[np.ndarray, np.ndarray]],
) -> tuple[int, list[Candidate]]:
    """Columns of few values of which one tells the other."""
    few = dict(codes)
    for j, name in enumerate(names):
        if len(np.unique(real[:1000, j])) > MOST_LEVELS:
            continue
        levels = np.unique(real[:, j])
        if 2 <= len(levels) <= MOST_LEVELS and not np.isnan(levels).any():
            at = np.minimum(np.searchsorted(levels, rows[:, j]), len(levels) - 1)
            known = np.where(levels[at] == rows[:, j], at, -1)
            few[name] = np.searchsorted(levels, real[:, j]), known
    found, tried = [], 0
    for first, (a, a_rows) in few.items():
        for second, (b, b_rows) in few.items():
            if first == second:
                continue
            tried += 1
            table = np.zeros((a.max() + 1, b.max() + 1), int)
            np.add.at(table, (a, b), 1)
            if ((table > 0).sum(axis=1) <= 1).all() and (table.sum(axis=0) > 0).sum() > 1:
                said = table.argmax(axis=1)
                breaks = (a_rows >= 0) & (b_rows >= 0) & (said[np.maximum(a_rows, 0)] != b_rows)
                found.append(Candidate(f"{first} tells {second}", breaks))
    return tried, found
