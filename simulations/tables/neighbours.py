"""Nearest rows: by a tree where columns are few, else by looking at every row."""

import numpy as np
from scipy.spatial import KDTree

# Beyond this many columns a tree is no faster than looking at every row.
TREE_COLUMNS = 12
BLOCK = 256


def nearest(index: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in ``index (n, d)`` and distances, ``(m, k)`` each, of the k rows nearest to each of
    ``rows (m, d)``, nearest first; 1 <= k <= n.

    >>> place, distance = nearest(np.array([[0.0], [3.0], [4.0]]), np.array([[3.2]]), 2)
    >>> place.tolist(), distance.round(6).tolist()
    ([[1, 2]], [[0.2, 0.8]])
    """
    if index.shape[1] <= TREE_COLUMNS:
        distance, place = KDTree(index).query(rows, k=k)
        return np.reshape(place, (len(rows), k)), np.reshape(distance, (len(rows), k))
    places, lengths = np.empty((len(rows), k), int), np.empty((len(rows), k))
    # Single precision finds the candidates, twice as fast; the distances are then taken exactly.
    wide = min(2 * k + 2, len(index))
    single = index.astype(np.float32)
    norm = np.einsum("ij,ij->i", single, single)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        square = norm - (2.0 * part.astype(np.float32)) @ single.T
        best = np.argpartition(square, wide - 1, axis=1)[:, :wide]
        exact = np.sqrt(((part[:, None] - index[best]) ** 2).sum(axis=2))
        order = np.argsort(exact, axis=1)[:, :k]
        places[start : start + BLOCK] = np.take_along_axis(best, order, 1)
        lengths[start : start + BLOCK] = np.take_along_axis(exact, order, 1)
    return places, lengths
