"""When in-context gradient steps converge: the size of a step, and the rate near the maximum.

The error of a step is ``e -> (I - step C) e``, C the covariance of the embedding at (near) the maximum
of likelihood, and the divergence after l steps is ``(1/2) e'(I - step C)^(2l) C e`` to leading order.
Source: paper_notes/transformers.md, section 4.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from simulations.problems import InputError
from simulations.tokens.world import moments


class StepSize(NamedTuple):
    """``local``: 2/lambda_max(C), below which steps converge from near the maximum; ``everywhere``: 8/D^2,
    D the diameter of the embeddings, below which they do from any start; ``fastest``: 2/(lambda_max +
    lambda_min) with its factor ``rate`` per step of the error."""

    local: float
    everywhere: float
    fastest: float
    rate: float


def diameter(table: np.ndarray) -> float:
    """An upper limit of the largest distance of two embeddings: twice the largest distance from the
    midpoint of their box (exact in one dimension).

    >>> diameter(np.array([[0.0], [3.0], [1.0]]))
    3.0
    """
    middle = 0.5 * (table.max(axis=0) + table.min(axis=0))
    return 2.0 * float(np.sqrt(((table - middle[None]) ** 2).sum(axis=1).max()))


def step_size(table: np.ndarray, h: np.ndarray) -> StepSize:
    """Which steps converge to a maximum at ``h``.

    A covariance over a set of diameter D is at most ``D^2/4`` in every direction (Popoviciu), so that the
    log-likelihood is ``D^2/4``-smooth, and gradient ascent with a step below ``2/(D^2/4)`` converges from
    everywhere to the maximum if there is one.

    Args:
        table: ``U``, ``(d, r)``.
        h: the maximum, ``(r,)``.

    Raises:
        InputError: embeddings that do not span the space: the latent is then not identifiable.

    >>> found = step_size(np.array([[1.0], [-1.0]]), np.zeros(1))
    >>> found.local, found.everywhere, found.fastest, found.rate
    (2.0, 2.0, 1.0, 0.0)
    """
    values = np.linalg.eigvalsh(moments(table, softmax(table @ h)).covariance)
    if values[0] <= 1e-12 * values[-1]:
        raise InputError(
            "embeddings do not span the space (their covariance is singular): the latent is not"
            " identifiable; use a smaller embedding_dim."
        )
    fastest = 2.0 / (values[0] + values[-1])
    rate = (values[-1] - values[0]) / (values[-1] + values[0])
    lows = 2.0 / values[-1], 8.0 / diameter(table) ** 2, fastest, rate
    return StepSize(*map(float, lows))
