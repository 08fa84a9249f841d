"""The groups of a token world as lists of rows: imbalance, and a spurious attribute token.

A world for classifiers is a list of N possible rows with what a linear score sees of them, one law over the
list per group, and the groups' labels. Every risk is then a sum over the list.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_softmax, logsumexp

from simulations.problems import InputError
from simulations.tokens.rows import MOST_ROWS


class Groups(NamedTuple):
    """``points (N, p)``: features of the rows, the intercept's 1 last; ``laws (K, N)``; ``labels (K,)``
    0 or 1; ``best (p,)``: minimiser of the balanced risk, the mean of the groups'."""

    points: np.ndarray
    laws: np.ndarray
    labels: np.ndarray
    best: np.ndarray


def imbalance(table: np.ndarray, latents: np.ndarray) -> Groups:
    """Two groups of rows of one token; group g has label g, and best is the log-odds.

    Args:
        table: ``U``, ``(d, r)``.
        latents: ``eta_0, eta_1``, ``(2, r)``.

    Source: paper_notes/transformers.md, section 8.

    >>> imbalance(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]])).best.tolist()
    [1.0, -1.0, 0.0]
    """
    logits = np.asarray(latents) @ np.asarray(table).T
    normal = logsumexp(logits, axis=1)
    best = np.append(latents[1] - latents[0], normal[0] - normal[1])
    return Groups(_lifted(table), np.exp(log_softmax(logits, axis=1)), np.arange(2.0), best)


def spurious(table: np.ndarray, cores: np.ndarray, attributes: np.ndarray) -> Groups:
    """Four groups of rows of two tokens, (core, attribute), independent given label y and attribute s.

    In the order (y, s) = (0, 0), (0, 1), (1, 0), (1, 1). The features are both embeddings side by side. At
    balance the attribute says nothing about the label: best is the core's log-odds, 0 for the attribute.

    Args:
        table: ``U``, ``(d, r)``, of both positions.
        cores: latents of the core token for y = 0, 1, ``(2, r)``.
        attributes: latents of the attribute token for s = 0, 1, ``(2, r)``.

    Raises:
        InputError: more than `rows.MOST_ROWS` rows, d^2.

    Source: paper_notes/transformers.md, section 11.

    >>> latents = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> found = spurious(np.eye(2), latents, latents)
    >>> found.best.tolist(), found.points.shape
    ([1.0, -1.0, 0.0, 0.0, 0.0], (4, 5))
    """
    d, r = np.shape(table)
    if d**2 > MOST_ROWS:
        raise InputError(f"vocabulary is {d}: {d**2} rows of two tokens, at most {MOST_ROWS}.")
    core, attribute = imbalance(table, cores), imbalance(table, attributes)
    laws = [pair(core.laws[y], attribute.laws[s]) for y in (0, 1) for s in (0, 1)]
    both = np.hstack([np.repeat(table, d, axis=0), np.tile(table, (d, 1))])
    best = np.concatenate([core.best[:r], np.zeros(r), core.best[r:]])
    return Groups(_lifted(both), np.stack(laws), np.array([0.0, 0.0, 1.0, 1.0]), best)


def pair(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Laws of two independent tokens ``(..., d_1)`` and ``(..., d_2)`` as one, ``(..., d_1 d_2)``; the
    second runs fastest, as in `rows.product`.

    >>> pair(np.array([0.25, 0.75]), np.array([1.0, 0.0])).tolist()
    [0.25, 0.0, 0.75, 0.0]
    """
    joint = first[..., :, None] * second[..., None, :]
    return joint.reshape(*joint.shape[:-2], -1)


def _lifted(table: np.ndarray) -> np.ndarray:
    return np.hstack([table, np.ones((len(table), 1))])


def excess_risks(groups: Groups, theta: np.ndarray) -> np.ndarray:
    """Risks at ``theta (R, p)`` less those at best, ``(R, K + 1)``: groups, then balanced.

    Summed as differences of losses, as in `classifier.excess_risks`: an excess of 1e-12 keeps its digits.

    >>> groups = imbalance(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> excess_risks(groups, groups.best[None]).tolist()
    [[0.0, 0.0, 0.0]]
    """
    base = groups.points @ groups.best
    moved = (theta - groups.best) @ groups.points.T
    zero = np.log1p(expit(base) * np.expm1(moved))
    each = zero @ groups.laws.T - groups.labels * (moved @ groups.laws.T)
    return np.hstack([each, each.mean(axis=1, keepdims=True)])
