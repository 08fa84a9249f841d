"""The published inequality ``KL <= C (1/sqrt d + log d / sqrt n)`` on a grid: smallest C, slack.

The rate is the published one, its constant is not: here it is the smallest that measured means allow.
As means fall like 1/d and 1/n, the inequality is loose, and looser as either grows; a fitted slope of
-1/2 would be a mistake and no confirmation.
"""

from typing import NamedTuple

import numpy as np

from simulations.problems import InputError


class Slack(NamedTuple):
    """``constant``: the smallest C; ``slack``: bound over measured at that C, one per cell, >= 1;
    ``tightest``: number of the cell where it is 1."""

    constant: float
    slack: np.ndarray
    tightest: int


def rate(vocabulary: np.ndarray | float, n: np.ndarray | float) -> np.ndarray:
    """``1/sqrt d + log d / sqrt n``; n may be ``inf``.

    >>> float(rate(100.0, np.inf))
    0.1
    """
    d, n = np.asarray(vocabulary, float), np.asarray(n, float)
    return 1.0 / np.sqrt(d) + np.log(d) / np.sqrt(n)


def smallest_constant(divergence: np.ndarray, vocabulary: np.ndarray, n: np.ndarray) -> Slack:
    """The smallest C for which the inequality holds in every cell, and what it leaves elsewhere.

    Args:
        divergence: measured means (or upper limits of them), ``(cells,)``, > 0.
        vocabulary, n: d and n of the cells, ``(cells,)``.

    Raises:
        InputError: no cells, or a divergence that is no positive number.

    Source: paper_notes/transformers.md, section 7.

    >>> found = smallest_constant(np.array([0.1, 0.01]), np.array([100, 400]), np.array([1e4, 1e4]))
    >>> found.tightest, float(found.slack[0])
    (0, 1.0)
    """
    values = np.asarray(divergence, float).ravel()
    if values.size == 0 or not (np.isfinite(values).all() and (values > 0.0).all()):
        raise InputError("inequality: give a positive, finite divergence for every cell.")
    ratio = values / rate(np.ravel(vocabulary), np.ravel(n))
    at = int(np.argmax(ratio))
    return Slack(float(ratio[at]), ratio[at] / ratio, at)
