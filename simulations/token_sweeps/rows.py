"""The rows of a replicate as counts per token, at a cost that does not grow with their number.

A pool of synthetic rows is a sequence; cells take prefixes of it, and only their counts matter. The
sequence is cut at 4096, 8192, 16384, ..; the counts of a piece are multinomial, those of its first half
given them hypergeometric, and so on down to 4096 rows, which are put in a random order. Every such draw has
a key of its own, so that a prefix does not depend on which others are asked for.
"""

from collections.abc import Callable, Sequence

import numpy as np

# Rows that are put in order one by one.
LEAF = 2**12
# Rows in a pool: NumPy's hypergeometric numbers end below 1e9.
MOST_ROWS = 2**30
# What is drawn; with the group it makes a stream.
RAW, OVERSAMPLED, AUGMENTED = range(3)
Stream = Callable[[int], np.random.Generator]


def stream(key: np.ndarray, replicate: int, purpose: int, group: int) -> Stream:
    """A stream of random numbers for each node of a pool's tree.

    Args:
        key: the two 32-bit words of the unit's key, ``(2,)``.
        replicate: its number, >= 0.
        purpose: `RAW`, `OVERSAMPLED` or `AUGMENTED`.
        group: 0 .. K - 1.

    Returns:
        From a node's number to a generator of its own; equal arguments give equal numbers.

    >>> one, other = (stream(np.array([1, 2]), r, RAW, 0) for r in (0, 1))
    >>> bool(one(0).random() == one(0).random()), bool(one(0).random() == other(0).random())
    (True, False)
    """
    words = np.array([(int(key[0]) << 32) | int(key[1]), replicate], np.uint64)

    def at(node: int) -> np.random.Generator:
        # The lower words of the counter are what a generator uses up.
        counter = np.array([0, 0, node, (purpose << 32) | group], np.uint64)
        return np.random.Generator(np.random.Philox(key=words, counter=counter))

    return at


def raw_counts(law: np.ndarray, count: int, own: Stream) -> np.ndarray:
    """Counts of independent rows, multinomial.

    Args:
        law: probabilities P, ``(D,)``, of sum 1.
        count: rows n >= 0.
        own: the sample's stream.

    Returns:
        ``(D,)`` whole numbers of sum n.

    >>> int(raw_counts(np.array([0.2, 0.8]), 10, lambda node: np.random.default_rng(node)).sum())
    10
    """
    return own(0).multinomial(count, law)


def prefixes(law: np.ndarray, sizes: Sequence[int], own: Stream) -> np.ndarray:
    """Counts of the first m rows of a pool for every m of ``sizes``, ``(M, D)``.

    Args:
        law: probabilities ``(D,)``, of sum 1.
        sizes: numbers of rows, 0 to `MOST_ROWS`, in any order.
        own: the pool's stream.

    Returns:
        Whole numbers; row m has sum m, and rows of larger m are nowhere smaller.

    Source: paper_notes/transformers_sweeps.md, section 3.

    >>> def own(node): return np.random.default_rng(node)
    >>> few, many = prefixes(np.array([0.2, 0.8]), [10, 100_000_000], own)
    >>> int(few.sum()), int(many.sum()), bool((few <= many).all())
    (10, 100000000, True)
    >>> bool((few == prefixes(np.array([0.2, 0.8]), [10], own)[0]).all())
    True
    """
    found = {0: np.zeros(len(law), np.int64)}
    total, first, piece = found[0], 0, 0
    while first < max(sizes):
        size = LEAF << max(piece - 1, 0)
        counts = own(piece << 40).multinomial(size, law)
        for m in {m for m in sizes if first < m < first + size}:
            found[m] = total + _head(counts, size, m - first, own, (piece << 40) + 1)
        total, first, piece = total + counts, first + size, piece + 1
        found[first] = total
    return np.stack([found[m] for m in sizes])


def _head(counts: np.ndarray, size: int, m: int, own: Stream, node: int) -> np.ndarray:
    """Counts of the first ``m`` of ``size`` rows, ``0 < m < size``, in the node's order."""
    if size <= LEAF:
        order = own(node).permutation(np.repeat(np.arange(len(counts)), counts))
        return np.bincount(order[:m], minlength=len(counts))
    half = size // 2
    left = own(node).multivariate_hypergeometric(counts, half, method="marginals")
    piece, place = node >> 40 << 40, node & (2**40 - 1)
    if m == half:
        return left
    if m < half:
        return _head(left, half, m, own, piece + 2 * place)
    return left + _head(counts - left, half, m - half, own, piece + 2 * place + 1)
