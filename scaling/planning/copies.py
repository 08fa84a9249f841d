"""Copies among synthetic rows: exact and near ones of real rows, and repeated ones.

Exact copies are found among all rows, by a mark of 64 bits a row. Near ones are rows closer to a real row
than real rows are to each other; where the table is large they are searched for on a sample, which is said.
"""

from typing import NamedTuple

import numpy as np

from simulations.tables import neighbours
from simulations.tables.neighbours import TREE_COLUMNS

# Cells of a column are equal if they agree to this share of its standard deviation.
TOLERANCE = 1e-4
# Near: closer than this share of the distance that this share of real rows have to their nearest other.
SHARE, QUANTILE = 0.5, 0.05
MOST_ROWS, MOST_TREE, MOST_EACH, MOST_QUERIES = 5_000, 200_000, 50_000, 2_000


class Near(NamedTuple):
    """``place (m,)``: nearest real row of each row searched for (-1: not searched), ``distance (m,)``;
    ``threshold``: closer is near; ``chance``: share of real rows that close to another one;
    ``searched``: real rows, and rows, looked at."""

    place: np.ndarray
    distance: np.ndarray
    threshold: float
    chance: float
    searched: tuple[int, int]

    @property
    def near(self) -> np.ndarray:
        """Which rows are near copies (or exact ones), ``(m,)``."""
        return (self.place >= 0) & (self.distance < self.threshold)


def marks(columns: list[np.ndarray], scales: list[float]) -> np.ndarray:
    """A number of 64 bits for each row, ``(n,)`` uint64: equal rows have equal ones, and others by a chance
    of 5e-20 a pair.

    Args:
        columns: floats (NaN: empty) or integer codes, ``(n,)`` each.
        scales: standard deviation of each column, > 0; 0 for codes.

    >>> found = marks([np.array([1.0, 1.0 + 1e-9, 2.0])], [1.0])
    >>> bool(found[0] == found[1]), bool(found[0] == found[2])
    (True, False)
    """
    odd = np.random.default_rng(12345).integers(0, 2**63, len(columns), np.uint64) * 2 + 1
    found = np.zeros(len(columns[0]), np.uint64)
    for values, scale, factor in zip(columns, scales, odd, strict=True):
        if scale > 0.0:
            steps = np.round(np.where(np.isnan(values), 0.0, values) / (TOLERANCE * scale))
            # Half-way values must not hang on their last digit; empty cells are a value of their own.
            cells = np.where(np.isnan(values), 2.0**62, np.clip(steps, -(2.0**61), 2.0**61))
            cells = cells.astype(np.int64).astype(np.uint64)
        else:
            cells = values.astype(np.int64).astype(np.uint64)
        found += _mixed(cells * factor)
    return found


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Bits spread over the word, so that sums of columns do not meet by arithmetic."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def equal_rows(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Place in ``others`` of a row with the same mark, -1 where there is none, ``(len(rows),)``.

    >>> equal_rows(np.array([5, 7, 5], np.uint64), np.array([4, 5], np.uint64)).tolist()
    [1, -1, 1]
    """
    if len(others) == 0:
        return np.full(len(rows), -1)
    known, first = np.unique(others, return_index=True)
    at = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    return np.where(known[at] == rows, first[at], -1)


def repeated(rows: np.ndarray) -> int:
    """Rows that equal an earlier one."""
    return len(rows) - len(np.unique(rows))


def nearest(real: np.ndarray, rows: np.ndarray, seed: int) -> Near:
    """Nearest real rows of ``rows (m, d)`` among ``real (n, d)``, both on the scale of the real ones."""
    random = np.random.default_rng([seed, 3])
    most = MOST_TREE if real.shape[1] <= TREE_COLUMNS else MOST_EACH
    seen = _sample(random, len(real), most)
    asked = _sample(random, len(rows), MOST_ROWS)
    own = _sample(random, len(seen), MOST_QUERIES)
    index = real[seen]
    place, distance = np.full(len(rows), -1), np.full(len(rows), np.inf)
    found = neighbours.nearest(index, rows[asked], 1)
    place[asked], distance[asked] = seen[found[0][:, 0]], found[1][:, 0]
    apart = neighbours.nearest(index, index[own], 2)[1][:, 1] if len(index) > 1 else np.zeros(1)
    positive = apart[apart > 0.0]
    threshold = SHARE * float(np.quantile(positive, QUANTILE)) if len(positive) else 0.0
    # Real rows with an exact twin say nothing of near ones.
    chance = float((positive < threshold).mean()) if len(positive) else 0.0
    return Near(place, distance, threshold, chance, (len(seen), len(asked)))


def _sample(random: np.random.Generator, n: int, most: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))
