"""The groups of a token world as lists of rows: imbalance, and a spurious attribute token.

A world for classifiers is a list of N possible rows with what a linear score sees of them, one law over the
list per group, and the groups' labels. Every risk is then a sum over the list.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, logsumexp

from simulations.setup.worlds import SIGNS
from simulations.tokens import classifier
from simulations.tokens.rows import features, product


class Groups(NamedTuple):
    """``points (N, p)``: features of the rows, the intercept's 1 last; ``log_laws (K, N)``; ``labels (K,)``
    0 or 1; ``best (p,)``: minimiser of the balanced risk, the mean of the groups'."""

    points: np.ndarray
    log_laws: np.ndarray
    labels: np.ndarray
    best: np.ndarray

    @property
    def laws(self) -> np.ndarray:
        """Probabilities ``(K, N)``."""
        return np.exp(self.log_laws)


def log_odds(table: np.ndarray, latents: np.ndarray, positions: int = 1) -> np.ndarray:
    """The minimiser of the balanced risk, ``(eta_1 - eta_0, 0, .., A_0 - A_1)``: the log-odds of the label.

    Two laws ``P_y(j) = exp(<eta_y, u_j> - A_y)`` have the log-odds ``<eta_1 - eta_0, u_j> + A_0 - A_1``. At
    balance the tokens of further positions say nothing about the label, whatever they say in raw counts.

    Args:
        table: embeddings ``U`` of the first position, the core token, ``(d, r)``.
        latents: ``eta_0, eta_1`` of the core token given label 0 and 1, ``(2, r)``.
        positions: T >= 1, each of r numbers.

    Returns:
        ``theta_bal``, ``(r T + 1,)``, intercept last.

    Source: paper_notes/transformers.md, section 8.

    >>> log_odds(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [1.0, -1.0, 0.0]
    """
    normal = logsumexp(np.asarray(latents) @ np.asarray(table).T, axis=1)
    return np.concatenate(
        [
            latents[1] - latents[0],
            np.zeros((positions - 1) * latents.shape[1]),
            [normal[0] - normal[1]],
        ]
    )


def listed(
    tables: Sequence[np.ndarray], latents: Sequence[np.ndarray], labels: np.ndarray
) -> Groups:
    """Groups of rows of T tokens, independent given the group; the label acts on the first, the core.

    Args:
        tables: embeddings of every position, ``(d_t, r)``.
        latents: of every position and group, ``(K, r)``; the core's are the same for groups of one label.
        labels: of the groups, ``(K,)``, 0 or 1, both there.

    Raises:
        InputError: more rows than `rows.MOST_ROWS`.

    >>> etas = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> found = listed([np.eye(2), np.eye(2)], [etas, etas[[0, 0]]], np.arange(2))
    >>> found.points.shape, found.best.tolist()
    ((4, 5), [1.0, -1.0, 0.0, 0.0, 0.0])
    """
    points = features(tables)
    parts = [
        log_softmax(np.asarray(etas) @ np.asarray(table).T, axis=1)
        for table, etas in zip(tables, latents, strict=True)
    ]
    ends = np.stack([latents[0][np.argmax(labels == label)] for label in (0, 1)])
    best = log_odds(tables[0], ends, len(tables))
    return Groups(points, product(parts), np.asarray(labels, float), best)


def imbalance(table: np.ndarray, latents: np.ndarray) -> Groups:
    """Two groups of rows of one token; group g has label g, and best is the log-odds.

    Args:
        table: ``U``, ``(d, r)``.
        latents: ``eta_0, eta_1``, ``(2, r)``.

    Source: paper_notes/transformers.md, section 8.

    >>> imbalance(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]])).best.tolist()
    [1.0, -1.0, 0.0]
    """
    return listed([table], [latents], np.arange(2))


# Label y and attribute s, 0 or 1, of a spurious attribute's groups: (1, 1), (1, 0), (0, 1), (0, 0).
SPURIOUS = (SIGNS > 0).astype(int)


def spurious(table: np.ndarray, cores: np.ndarray, attributes: np.ndarray) -> Groups:
    """Four groups of rows of two tokens, (core, attribute), independent given label y and attribute s.

    In the order `SPURIOUS`. The features are both embeddings side by side. At balance the attribute says
    nothing about the label: best is the core's log-odds, 0 for the attribute.

    Args:
        table: ``U``, ``(d, r)``, of both positions.
        cores: latents of the core token for y = 0, 1, ``(2, r)``.
        attributes: latents of the attribute token for s = 0, 1, ``(2, r)``.

    Raises:
        InputError: more than `rows.MOST_ROWS` rows, d^2.

    Source: paper_notes/transformers.md, section 11.

    >>> latents = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> found = spurious(np.eye(2), latents, latents)
    >>> found.best.tolist(), found.points.shape, found.labels.tolist()
    ([1.0, -1.0, 0.0, 0.0, 0.0], (4, 5), [1.0, 1.0, 0.0, 0.0])
    """
    y, s = SPURIOUS.T
    return listed([table, table], [cores[y], attributes[s]], y)


def excess_risks(groups: Groups, theta: np.ndarray) -> np.ndarray:
    """Risks at ``theta (R, p)`` less those at best, ``(R, K + 1)``: groups, then balanced.

    Summed by `classifier.excess_risks`: an excess of 1e-12 keeps its digits.

    >>> groups = imbalance(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> excess_risks(groups, groups.best[None]).tolist()
    [[0.0, 0.0, 0.0]]
    """
    points, best = groups.points, groups.best
    each = classifier.excess_risks(points, theta, best, groups.laws, groups.labels)
    return np.hstack([each, each.mean(axis=1, keepdims=True)])
