"""A table as arrays, and what is learnt from the rows that are trained on: imputation and scale."""

from typing import NamedTuple

import numpy as np


class Table(NamedTuple):
    """``values (n, d)``, NaN where a cell is empty; ``group (n,)`` in 0..K-1; ``labels (K,)`` of the
    groups, 0 or 1; ``missing``: the columns that have an empty cell anywhere, which get an indicator."""

    values: np.ndarray
    group: np.ndarray
    labels: np.ndarray
    missing: np.ndarray

    @property
    def y(self) -> np.ndarray:
        """Labels of the rows, ``(n,)``."""
        return self.labels[self.group]

    @property
    def counts(self) -> np.ndarray:
        """Rows of each group, ``(K,)``."""
        return np.bincount(self.group, minlength=len(self.labels))


def make_table(values: np.ndarray, group: np.ndarray, labels: np.ndarray) -> Table:
    """A table that knows its columns with empty cells.

    >>> make_table(np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([0, 1]), np.array([0, 1])).missing
    array([1])
    """
    empty = [k for k in range(values.shape[1]) if np.isnan(values[:, k]).any()]
    return Table(values, group, np.asarray(labels), np.array(empty, int))


class Scaler(NamedTuple):
    """What the training rows say: ``fill (d,)`` for empty cells, ``centre`` and ``scale`` of the filled
    columns and of the indicators of ``missing``, ``(d + len(missing),)``."""

    fill: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    missing: np.ndarray


def _filled(values: np.ndarray, fill: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Filled columns, indicators, and a last column for the constant."""
    n, d = values.shape
    x = np.empty((n, d + len(missing) + 1))
    x[:, :d] = values
    for place, column in enumerate(missing, start=d):
        empty = np.isnan(values[:, column])
        x[empty, column] = fill[column]
        x[:, place] = empty
    x[:, -1] = 1.0
    return x


def learn(values: np.ndarray, missing: np.ndarray) -> tuple[Scaler, np.ndarray]:
    """The scaler of these rows, and the rows scaled: ``(n, d + len(missing) + 1)``, last column 1.

    Empty cells take the column's mean; a column that does not vary keeps the scale 1, so that it
    stays 0 and whatever new rows hold there meets a coefficient of 0.

    Args:
        values: ``(n, d)``, NaN where empty.
        missing: columns whose emptiness is a feature of its own.

    >>> scaler, x = learn(np.array([[0.0, np.nan], [2.0, 3.0]]), np.array([1]))
    >>> x.tolist()
    [[-1.0, 0.0, 1.0, 1.0], [1.0, 0.0, -1.0, 1.0]]
    """
    n, d = values.shape
    fill = np.zeros(d)
    for column in missing:
        known = values[~np.isnan(values[:, column]), column]
        fill[column] = known.mean() if len(known) else 0.0
    x = _filled(values, fill, missing)
    centre = x[:, :-1].mean(axis=0)
    x[:, :-1] -= centre
    scale = np.sqrt(np.einsum("ij,ij->j", x[:, :-1], x[:, :-1]) / n)
    # Rounding leaves a constant column a spread of its last digits.
    whole = np.setdiff1d(np.arange(d), missing)
    fill[whole] = centre[whole]
    scale[scale <= 1e-12 * np.maximum(np.abs(centre), 1e-300)] = 1.0
    x[:, :-1] /= scale
    return Scaler(fill, centre, scale, missing), x


def apply(scaler: Scaler, values: np.ndarray) -> np.ndarray:
    """New rows on the scale of the training rows, ``(n, p)``, last column 1; an empty cell of a column that
    had none among the table's rows is filled too."""
    x = _filled(values, scaler.fill, scaler.missing)
    empty = np.isnan(x)
    if empty.any():
        x[empty] = scaler.fill[np.nonzero(empty)[1]]
    x[:, :-1] -= scaler.centre
    x[:, :-1] /= scaler.scale
    return x


def carried(theta: np.ndarray, old: Scaler, new: Scaler) -> np.ndarray:
    """Coefficients ``(.., p)`` on one scale, for rows on another: the same scores.

    ``u = sum_j b_j (x_j - c_j)/s_j + b_0``; filled cells alone may differ, by the difference of the fills.

    Args:
        theta: coefficients on the old scale.
        old: the scaler they belong to.
        new: the scaler of the rows.
    """
    slope = theta[..., :-1] / old.scale
    shift = (slope * (new.centre - old.centre)).sum(axis=-1)
    return np.concatenate([slope * new.scale, (theta[..., -1] + shift)[..., None]], axis=-1)


def folds_of(group: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Which fold holds each row out, ``(n,)``: random, each group shared out evenly.

    >>> np.bincount(folds_of(np.array([0] * 6 + [1] * 3), 3, 0)).tolist()
    [3, 3, 3]
    """
    found = np.empty(len(group), int)
    for k in np.unique(group):
        rows = np.flatnonzero(group == k)
        order = np.random.default_rng([seed, int(k)]).permutation(len(rows))
        # Groups start at different folds, so that what is left over is shared out too.
        found[rows] = (order + int(k)) % folds
    return found


def canonical_order(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """An order of the rows that hangs on their content alone, ``(n,)``: for the same plan whatever the
    order of the file. Only equal rows tie."""
    keys = np.random.default_rng(0).standard_normal(2 * values.shape[1])
    mark = np.zeros(len(values))
    for column, (key, other) in zip(values.T, keys.reshape(-1, 2), strict=True):
        empty = np.isnan(column)
        known = np.where(empty, 0.0, column)
        spread = known.std()
        mark += key / (spread if spread > 0.0 else 1.0) * known + other * empty
    return np.lexsort((mark, group))
