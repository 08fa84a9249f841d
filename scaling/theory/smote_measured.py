"""The shrinkage of SMOTE measured: raw rows are drawn, choices and gaps averaged out exactly.

Given the raw rows, seed, partner and gap have means in closed form, so that only raw rows are random.
With ``E u = 1/2, E u^2 = 1/3`` and rows of a law symmetric about 0 with covariance S

    tr S - E|x|^2 = (1/2) E(|x_i|^2 - |x_J|^2) + (1/6) E|x_i - x_J|^2,

because ``E|x_i|^2 = tr S``: what stays random is small where the deficit is small.
"""

from collections.abc import Callable
from functools import cache
from math import gcd
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.compilation import quick_jit
from simulations.smote.neighbours import neighbours

# Distances that are worked on at a time, about.
TOGETHER = 2**15
# Laws of one coordinate with variance 1, from standard uniforms and normals.
Draw = Callable[[Any, tuple[int, ...]], Array]


def _uniform(key: Any, shape: tuple[int, ...]) -> Array:
    return jnp.sqrt(12.0) * (jax.random.uniform(key, shape) - 0.5)


LAWS: dict[str, Draw] = {"gaussian": jax.random.normal, "uniform": _uniform}


class Shrinkage(NamedTuple):
    """Mean ``deficit`` over replicates, its standard error, and how many ``replicates``."""

    deficit: float
    se: float
    replicates: int


def deficit_of(rows: Array, near: Array, variance: float) -> Array:
    """The deficit of one sample of mean-0 rows ``(n, d)`` with neighbours ``(n, k)``; ``variance`` is
    ``tr S / d`` of their law.

    >>> rows = jnp.array([[-1.0], [1.0]])
    >>> float(deficit_of(rows, jnp.array([[1], [0]]), 1.0))
    0.6666666666666666
    """
    squares = (rows * rows).sum(axis=1)
    partners = rows.at[near].get(mode="promise_in_bounds")
    apart = partners - rows[:, None, :]
    closer = squares.mean() - squares.at[near].get(mode="promise_in_bounds").mean()
    return (0.5 * closer + (apart * apart).sum(axis=2).mean() / 6.0) / (variance * rows.shape[1])


@cache
def _program(law: str, n: int, dim: int, k: int) -> Any:
    def one(key: Array) -> Array:
        rows = LAWS[law](jax.random.wrap_key_data(key, impl="threefry2x32"), (n, dim))
        return deficit_of(rows, neighbours(rows, n, k), 1.0)

    return quick_jit(lambda keys: lax.map(jax.vmap(one), keys))


def shrinkage(law: str, n: int, dim: int, k: int, replicates: int, seed: int = 0) -> Shrinkage:
    """The deficit ``1 - tr Cov(x)/tr S`` of SMOTE rows, over random raw rows.

    Args:
        law: of every coordinate, a name in ``LAWS`` (variance 1, mean 0, independent coordinates).
        n: raw rows, at least 2.
        dim: dimensions ``d``.
        k: neighbours, 1 to n - 1.
        replicates: samples of raw rows, at least 2.
        seed: another one gives independent samples.

    Source: paper_notes/generators_smote.md.

    >>> found = shrinkage("uniform", 20, 1, 5, 2000)
    >>> from scaling.theory.smote import uniform_interval
    >>> abs(found.deficit - uniform_interval(20, 5)) < 4.0 * found.se
    True
    """
    words = np.random.default_rng([seed, n, dim, k, len(law)]).integers(
        0, 2**32, (replicates, 2), dtype=np.uint32
    )
    # Small samples together: a program's loops cost more than their work.
    together = gcd(replicates, max(1, TOGETHER // (n * n)))
    values = np.asarray(_program(law, n, dim, k)(words.reshape(-1, together, 2))).ravel()
    return Shrinkage(
        float(values.mean()), float(values.std(ddof=1) / np.sqrt(replicates)), replicates
    )


_neighbours = quick_jit(
    lambda samples, k: lax.map(lambda rows: neighbours(rows, rows.shape[0], k), samples),
    static_argnums=1,
)


def near_of(samples: np.ndarray, k: int) -> np.ndarray:
    """The neighbours ``(R, n, k)`` of samples ``(R, n, d)``, by one compiled program."""
    return np.asarray(_neighbours(jnp.asarray(samples), k))


def trace_ratio(rows: np.ndarray, near: np.ndarray) -> float:
    """tr Cov(x | raw rows) / tr S^ (divisor n - 1) of SMOTE rows with these neighbours ``(n, k)``.

    >>> rows = np.array([[0.0], [1.0], [5.0]])
    >>> round(trace_ratio(rows, np.array([[1, 2], [0, 2], [0, 1]])), 12)
    0.333333333333
    """
    partners = rows[near]
    mean = 0.5 * (rows.mean(axis=0) + partners.mean(axis=(0, 1)))
    own, other = rows - mean, partners - mean
    square = 0.5 * ((own**2).sum(axis=1).mean() + (other**2).sum(axis=2).mean())
    steps = ((partners - rows[:, None, :]) ** 2).sum(axis=2).mean()
    return float((square - steps / 6.0) / rows.var(axis=0, ddof=1).sum())
