"""Averages over a sphere by a product rule, and the Bayes predictive by it: exact up to some 5 dimensions.

    eta = B (cos a, sin a omega),   omega on the next smaller sphere,   measure sin^(r-2) a da domega

Gauss-Gegenbauer in ``cos a``, ever fewer points towards the poles, the trapezoid rule on the last circle.
The nodes serve every sequence of seeds: a posterior is a softmax over them.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import roots_gegenbauer

from simulations.problems import InputError

MOST_NODES = 200_000
# Points that even the smallest circle has: harmonics of this order are gone near a pole.
FEWEST = 8


class Rule(NamedTuple):
    """``nodes (S, r)`` of norm 1 and ``weights (S,)`` that sum to 1."""

    nodes: np.ndarray
    weights: np.ndarray


def rule(dim: int, spacing: float) -> Rule:
    """A product rule for means over the unit sphere of R^r.

    Args:
        dim: r >= 1; for r = 1 the two points.
        spacing: angle between neighbours, 0 < spacing < 1. A function that varies like a normal density of
            standard deviation ``w`` radians has an error of about ``exp(-2 pi^2 (w/spacing)^2)``.

    Raises:
        InputError: more than 200,000 nodes, about ``area / spacing^(r-1)``.

    Source: paper_notes/transformers_built.md, section 6.

    >>> found = rule(3, 0.3)
    >>> bool(abs(found.weights.sum() - 1.0) < 1e-13)
    True
    >>> bool(np.abs((found.nodes.T * found.weights) @ found.nodes - np.eye(3) / 3.0).max() < 1e-13)
    True
    """
    area = 2.0 * math.pi ** (0.5 * dim) / math.gamma(0.5 * dim)
    if area / spacing ** (dim - 1) > MOST_NODES:
        raise InputError(
            f"embedding_dim is {dim}: a rule of spacing {spacing:.2g} has more than {MOST_NODES} points;"
            " use importance sampling."
        )
    return _rule(dim, spacing, 1.0)


def _rule(dim: int, spacing: float, radius: float) -> Rule:
    """The rule on a sphere that is a parallel of that radius on the unit sphere."""
    if dim == 1:
        return Rule(np.array([[1.0], [-1.0]]), np.array([0.5, 0.5]))
    if dim == 2:
        size = math.ceil(2.0 * math.pi * radius / spacing) + FEWEST
        # A lattice of its own for each parallel: points of neighbours are not aligned.
        angle = 2.0 * math.pi * (np.arange(size) + radius) / size
        nodes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return Rule(nodes, np.full(size, 1.0 / size))
    cosines, shares = roots_gegenbauer(
        math.ceil(math.pi * radius / spacing) + FEWEST // 2, 0.5 * (dim - 2)
    )
    nodes, weights = [], []
    for cosine, share in zip(cosines, shares / shares.sum(), strict=True):
        sine = math.sqrt(1.0 - cosine**2)
        inner = _rule(dim - 1, spacing, radius * sine)
        first = np.full((len(inner.weights), 1), cosine)
        nodes.append(np.hstack([first, sine * inner.nodes]))
        weights.append(share * inner.weights)
    return Rule(np.concatenate(nodes), np.concatenate(weights))


def log_predictive(log_laws: Array, log_weights: Array, counts: Array) -> Array:
    """``log Q (N, d)`` of the Bayes predictive from laws at nodes of the prior.

        Q = sum_s w_s P_s,   w_s ~ weight_s exp(sum_j c_j log P_s(j))

    Args:
        log_laws: ``log P_s (S, d)``.
        log_weights: ``(S,)``, of the prior.
        counts: ``(N, d)`` of the seeds.
    """
    posterior = jax.nn.softmax(counts @ log_laws.T + log_weights[None], axis=1)
    return jnp.log(posterior @ jnp.exp(log_laws))
