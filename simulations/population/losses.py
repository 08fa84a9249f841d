"""Losses of a linear score ``u`` and their derivatives in ``u``.

A loss is a record of plain functions of ``(u, y)`` with labels ``y`` in {0, 1}; ``LOSSES`` maps the
name used in a SWEEP.toml to the record. The derivatives are written by hand and checked
against automatic differentiation in the tests.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

ScalarFunction = Callable[[Array, Array], Array]


class Loss(NamedTuple):
    """A loss ``l(u, y)`` with its first three derivatives in the score ``u``.

    ``first`` is the paper notes' ``f``, ``second`` is ``f'`` and ``third`` is ``f''``.
    A row is classified as label 1 when its score exceeds ``threshold``.
    """

    name: str
    value: ScalarFunction
    first: ScalarFunction
    second: ScalarFunction
    third: ScalarFunction
    threshold: float


def _logistic_first(u: Array, y: Array) -> Array:
    # sigmoid(u) - y, without cancellation where the label is foreseen almost surely.
    sign = 1.0 - 2.0 * y
    return sign * jax.nn.sigmoid(sign * u)


def _logistic_second(u: Array, y: Array) -> Array:
    p = jax.nn.sigmoid(u)
    return p * (1.0 - p)


def _logistic_third(u: Array, y: Array) -> Array:
    p = jax.nn.sigmoid(u)
    return p * (1.0 - p) * (1.0 - 2.0 * p)


LOGISTIC = Loss(
    name="logistic",
    value=lambda u, y: jax.nn.softplus(u) - y * u,
    first=_logistic_first,
    second=_logistic_second,
    third=_logistic_third,
    threshold=0.0,
)

SQUARED = Loss(
    name="squared",
    value=lambda u, y: (u - y) ** 2,
    first=lambda u, y: 2.0 * (u - y),
    second=lambda u, y: jnp.full_like(u, 2.0),
    third=lambda u, y: jnp.zeros_like(u),
    threshold=0.5,
)

# The curvature of the hinge loss lies in its kink, where no derivative shows it: it is no loss that
# the expansions or the quadrature can take, and its risks are in closed form (`simulations.wide`).
HINGE = Loss(
    name="hinge",
    value=lambda u, y: jnp.maximum(1.0 - (2.0 * y - 1.0) * u, 0.0),
    first=lambda u, y: jnp.where((2.0 * y - 1.0) * u < 1.0, 1.0 - 2.0 * y, 0.0),
    second=lambda u, y: jnp.zeros_like(u),
    third=lambda u, y: jnp.zeros_like(u),
    threshold=0.0,
)

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (LOGISTIC, SQUARED)}
# The loss whose risk measures an estimator; plug-in rules minimise none.
RISKS: dict[str, Loss] = {
    **LOSSES,
    "hinge": HINGE,
    "lda": LOGISTIC,
    "mean_difference": LOGISTIC,
}
