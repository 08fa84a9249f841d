"""Training mixtures of a size problem: their weights, minimisers and expansions, C at a time.

Of any number of mixtures of the four laws one compiled program finds the minimisers and what the
expansion takes there. Row numbers may be any real numbers: they enter through weights.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from scaling.theory.size.problem import SYNTHETIC_1, SizeProblem
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population import gaussian as population
from simulations.population.gaussian import Atoms, project
from simulations.population.losses import Loss
from simulations.population.minimisers import minimise_mixture
from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.sandwich import Components, expanded_at
from simulations.population.units import FIRST_SPREAD, FLAT, LARGEST_SD
from simulations.problems import InputError

# Mixtures that one call of the program takes.
BATCH = 16


class Weights(NamedTuple):
    """Of C mixtures: total and squared row weights of the four laws, ``(C, 4)`` each."""

    total: np.ndarray
    squared: np.ndarray


def size_weights(problem: SizeProblem, rows: Sequence[float] | np.ndarray) -> Weights:
    """The weights of samples with ``rows (C,)`` synthetic minority rows, all rows weighing the same."""
    rows = np.atleast_1d(np.asarray(rows, dtype=float))
    each = np.zeros((len(rows), 4))
    each[:, :2], each[:, SYNTHETIC_1] = problem.counts, rows
    whole = each.sum(axis=1, keepdims=True)
    return Weights(each / whole, each / whole**2)


BALANCED = Weights(np.array([[0.5, 0.5, 0.0, 0.0]]), np.zeros((1, 4)))


class Mixtures(NamedTuple):
    """Of C mixtures, at their minimisers ``theta (C, p)``: of the four laws ``gradients (C, 4, p)``,
    ``hessians (C, 4, p, p)`` and score second moments ``seconds (C, 4, p, p)``; balanced risk
    ``risk (C,)``; ``inverse`` and ``spread (C, p, p)``, ``bias (C, p)`` of the expansion; whether
    the point was found; ``grid`` fits the scores met."""

    theta: AnyArray
    gradients: AnyArray
    hessians: AnyArray
    seconds: AnyArray
    risk: AnyArray
    inverse: AnyArray
    spread: AnyArray
    bias: AnyArray
    found: AnyArray
    sd: AnyArray
    grid: Any = None


@partial(quick_jit, once=True, static_argnames="loss")
def _solve(
    loss: Loss,
    atoms: Atoms,
    mixing: Array,
    weights: Weights,
    penalties: Array,
    starts: Array,
    grid: Grid,
) -> Mixtures:
    def one(given: tuple[Any, Array, Array]) -> Mixtures:
        (total, squared), penalty, start = given
        parts = Components(atoms, mixing, total, squared, jnp.zeros_like(total))
        least = minimise_mixture(loss, total @ mixing, atoms, penalty, grid, start)
        theta = least.theta
        found = expanded_at(least, loss, parts, penalty, grid)

        def mixed(of: Any) -> Array:
            return jnp.tensordot(mixing, jax.vmap(lambda law: of(loss, theta, law, grid))(atoms), 1)

        risks = jax.vmap(lambda law: population.risk(loss, theta, law, grid))(atoms)
        return Mixtures(
            theta,
            mixed(population.gradient),
            mixed(population.hessian),
            mixed(population.score_second_moment),
            0.5 * (risks[0] + risks[1]),
            found.inverse,
            found.spread,
            found.bias,
            least.converged,
            jax.vmap(lambda law: project(theta, law).sd)(atoms).max(),
        )

    return lax.map(one, (weights, penalties, starts))


def mixtures(
    problem: SizeProblem,
    weights: Weights,
    starts: np.ndarray | None = None,
    penalised: bool = True,
) -> Mixtures:
    """Minimisers and expansions of C training mixtures; ``starts (C, p)`` for weights of either sign.

    A point that was not found says so in ``found``; its numbers mean nothing.

    Args:
        problem: raw and synthetic laws, counts and loss.
        weights: of the laws in each mixture.
        starts: where Newton's method begins.
        penalised: whether the ridge counts.
    """
    count, size = len(weights.total), problem.penalty.shape[0]
    starts = np.zeros((count, size)) if starts is None else starts
    penalties = np.tile(problem.penalty * penalised, (BATCH, 1, 1))
    supported = FIRST_SPREAD
    while True:
        grid = gaussian_grid(supported)
        parts = []
        for first in range(0, count, BATCH):
            taken = np.minimum(np.arange(first, first + BATCH), count - 1)
            given = Weights(weights.total[taken], weights.squared[taken])
            found = _solve(
                problem.loss, problem.atoms, problem.mixing, given, penalties, starts[taken], grid
            )
            parts.append(
                jax.tree.map(
                    lambda a, n=count - first: np.asarray(a)[:n], found._replace(grid=None)
                )
            )
        whole = Mixtures(
            *(np.concatenate(all_) for all_ in zip(*(p[:-1] for p in parts), strict=True))
        )
        needed = float(np.max(whole.sd[whole.found], initial=0.0))
        if needed <= supported:
            return whole._replace(grid=grid)
        if not needed <= LARGEST_SD:
            raise InputError(FLAT)
        supported = 2.0 ** np.ceil(np.log2(needed))
