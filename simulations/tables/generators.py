"""Generators on a table: ``(rows, count, seed) -> rows``, for the rows of one class.

Each draws from streams of its own, one row after another, so that the first m of a longer draw are the
draw of m. All treat columns as numbers: 0/1 columns come out as numbers between (but for ``duplicate``).
"""

from collections.abc import Callable

import numpy as np

from simulations.tables.neighbours import nearest

Generator = Callable[[np.ndarray, int, int], np.ndarray]
NEIGHBOURS = 5


def _stream(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, purpose])


def _seeds(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Which row each synthetic row starts from, ``(count,)``."""
    return (_stream(seed, 0).random(count) * len(rows)).astype(int)


def duplicate(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rows drawn with replacement: random oversampling.

    >>> duplicate(np.array([[1.0], [2.0]]), 3, 0).shape
    (3, 1)
    """
    return rows[_seeds(rows, count, seed)]


def covariance(rows: np.ndarray) -> np.ndarray:
    """Sample covariance ``(d, d)``, shrunk towards its own diagonal as far as its noise asks for.

    ``(1 - a) S + a diag(S)`` with ``a = min(1, sum_{i != j} Var(S_ij) / sum_{i != j} S_ij^2)``, the
    variances estimated from the rows (Schaefer and Strimmer 2005): few rows give the diagonal, many
    the sample covariance, and any number at least 2 a matrix that can be drawn from. One row: zeros.

    >>> random = np.random.default_rng(0)
    >>> root = np.array([[1.0, 0.0], [0.8, 0.6]])
    >>> covariance(random.standard_normal((10_000, 2)) @ root.T).round(1).tolist()
    [[1.0, 0.8], [0.8, 1.0]]
    """
    n, d = rows.shape
    if n < 2:
        return np.zeros((d, d))
    centred = rows - rows.mean(axis=0)
    found = centred.T @ centred / (n - 1)
    # Var(S_ij) = n/(n-1)^3 sum_k (w_kij - mean)^2 with w_kij = x_ki x_kj.
    squares = (centred**2).T @ (centred**2)
    noise = n / (n - 1) ** 3 * (squares - n * ((n - 1) / n * found) ** 2)
    off = ~np.eye(d, dtype=bool)
    signal = float((found[off] ** 2).sum())
    shrink = min(max(float(noise[off].sum()) / signal, 0.0), 1.0) if signal > 0.0 else 1.0
    return (1.0 - shrink) * found + shrink * np.diag(np.diag(found))


def _root(matrix: np.ndarray) -> np.ndarray:
    """A square root ``(d, d)`` of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def gaussian(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draws from ``N(mean, covariance)`` of the rows, the covariance shrunk where they are few."""
    normals = _stream(seed, 1).standard_normal((count, rows.shape[1]))
    return rows.mean(axis=0) + normals @ _root(covariance(rows)).T


def bandwidth(n: int, d: int) -> float:
    """Silverman's ``h = (4 / ((d + 2) n))^{1/(d+4)}``, in units of the class's own covariance.

    >>> round(bandwidth(100, 1), 3)
    0.422
    """
    return (4.0 / ((d + 2.0) * n)) ** (1.0 / (d + 4.0))


def smoothed(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Duplicates plus ``N(0, h^2 covariance)`` noise: the smoothed bootstrap."""
    n, d = rows.shape
    normals = _stream(seed, 1).standard_normal((count, d))
    noise = normals @ _root(covariance(rows)).T
    return rows[_seeds(rows, count, seed)] + bandwidth(n, d) * noise


def smote(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """A point drawn uniformly between a row and one of its 5 nearest neighbours."""
    n = len(rows)
    k = min(NEIGHBOURS, n - 1)
    chosen = _seeds(rows, count, seed)
    if k == 0:
        return rows[chosen]
    # Only the neighbours of rows that were chosen are needed.
    asked, place = np.unique(chosen, return_inverse=True)
    near = nearest(rows, rows[asked], k + 1)[0]
    # Among equal rows a row need not come first: what is not itself are its neighbours.
    own = near == asked[:, None]
    own[~own.any(axis=1), k] = True
    others = near[~own].reshape(len(asked), k)
    partner = others[place, (_stream(seed, 2).random(count) * k).astype(int)]
    share = _stream(seed, 3).random((count, 1))
    return rows[chosen] + share * (rows[partner] - rows[chosen])


GENERATORS: dict[str, Generator] = {
    "duplicate": duplicate,
    "gaussian": gaussian,
    "smoothed": smoothed,
    "smote": smote,
}
