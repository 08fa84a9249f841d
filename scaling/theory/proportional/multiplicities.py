"""Repeated and reweighted rows as clusters.

A repeated row is one row of a larger weight, not several: the aspect counts distinct rows. With M rows
in all, of which n distinct, a row that occurs j times has the weight ``j n/M``; of a cluster of n_c rows, m
more drawn from them with replacement, the share of multiplicity j is ``p_c P(N = j)`` with
``N - 1 ~ Binomial(m, 1/n_c)``. Reweighting the cluster instead gives all its rows ``(1 + m/n_c) n/M``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binom

from scaling.theory.proportional.clusters import Clusters
from simulations.problems import InputError

# Multiplicities of a total probability below this join the nearest one that is kept.
TAIL = 1e-12


def multiplicities(rows: int, more: int) -> tuple[np.ndarray, np.ndarray]:
    """Multiplicities ``j >= 1`` and their probabilities, ``N - 1 ~ Binomial(more, 1/rows)``.

    The tails beyond 1e-12 are merged into the outermost values kept; the mean of N is unchanged to
    about 1e-10.

    >>> values, chances = multiplicities(60, 540)
    >>> int(values[0]), round(float(values @ chances), 9), round(float(chances.sum()), 12)
    (1, 10.0, 1.0)
    """
    if rows < 1 or more < 0:
        raise InputError(
            f"multiplicities of {rows} rows with {more} more; give rows >= 1, more >= 0."
        )
    law = (more, 1.0 / rows)
    low, high = int(max(binom.ppf(TAIL, *law), 0)), int(binom.isf(TAIL, *law))
    values = np.arange(low, high + 1)
    chances = np.asarray(binom.pmf(values, *law))
    chances[0] += binom.cdf(low - 1, *law)
    chances[-1] += binom.sf(high, *law)
    return values + 1, chances


def _spread(
    clusters: Clusters, index: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> Clusters:
    """Clusters repeated by ``index`` with new shares and weights."""
    repeated = Clusters(*(np.asarray(each, float)[index] for each in clusters))
    return repeated._replace(share=share, weight=weight)


def _checked(clusters: Clusters, counts: Sequence[int], more: Sequence[int]) -> tuple[Any, Any]:
    rows, added = np.asarray(counts), np.asarray(more)
    if rows.shape != np.shape(clusters.share) or added.shape != rows.shape:
        raise InputError(
            f"counts {rows.shape} and more {added.shape} do not fit {np.shape(clusters.share)} clusters;"
            " give one number for each cluster."
        )
    if (rows < 1).any() or (added < 0).any():
        raise InputError("counts or more hold a number too small; give counts >= 1 and more >= 0.")
    return rows, added


def duplicated(clusters: Clusters, counts: Sequence[int], more: Sequence[int]) -> Clusters:
    """Clusters after random duplication, an entry for each multiplicity.

    Args:
        clusters: C laws of raw rows, no leading axes; their shares and weights are not looked at.
        counts: raw rows n_c >= 1 of each.
        more: rows m_c >= 0 drawn with replacement from each cluster's own.

    Returns:
        Clusters whose aspect is ``d / sum(counts)``; total weight 1.

    Raises:
        InputError: numbers that do not fit.

    When not to trust it: rows drawn from fewer than about ten; multiplicities of one sample are then far
    from their law. Source: paper_notes/proportional.md, section 4.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([1, 1], [1, -1], [[1.2], [-1.2]])
    >>> found = duplicated(rows, [60, 600], [540, 0])
    >>> round(float(found.share.sum()), 9), round(float(found.share @ found.weight), 9)
    (1.0, 1.0)
    """
    rows, added = _checked(clusters, counts, more)
    n, total = rows.sum(), (rows + added).sum()
    index, share, weight = [], [], []
    for c, (own, extra) in enumerate(zip(rows, added, strict=True)):
        values, chances = multiplicities(int(own), int(extra))
        index += [c] * len(values)
        share += list(own / n * chances)
        weight += list(values * n / total)
    return _spread(clusters, np.array(index), np.array(share), np.array(weight))


def reweighted(clusters: Clusters, counts: Sequence[int], more: Sequence[int]) -> Clusters:
    """Clusters whose rows weigh as much as if m_c more rows had joined; arguments as in `duplicated`.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([1, 1], [1, -1], [[1.2], [-1.2]])
    >>> [round(float(w), 6) for w in reweighted(rows, [60, 600], [540, 0]).weight]
    [5.5, 0.55]
    """
    rows, added = _checked(clusters, counts, more)
    n, total = rows.sum(), (rows + added).sum()
    weight = (1.0 + added / rows) * n / total
    return _spread(clusters, np.arange(len(rows)), rows / n, weight)


def sampled(clusters: Clusters, counts: Sequence[int]) -> Clusters:
    """Independent rows, all of weight 1: shares are those of the counts, ``(C,)``.

    >>> from scaling.theory.proportional.clusters import isotropic
    >>> rows = isotropic([1, 1], [1, -1], [[1.2], [-1.2]])
    >>> [round(float(p), 6) for p in sampled(rows, [60, 600]).share]
    [0.090909, 0.909091]
    """
    rows, _ = _checked(clusters, counts, [0] * len(counts))
    return _spread(clusters, np.arange(len(rows)), rows / rows.sum(), np.ones(len(rows)))
