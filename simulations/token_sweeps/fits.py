"""The rules of replicates and cells, fitted one after the other, with control variates of exact means.

Source: paper_notes/transformers_sweeps.md, sections 1 and 3.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population.losses import LOGISTIC
from simulations.sampling.newton import FOUND, LAWLESS, SEPARABLE, SINGULAR, STOPPED
from simulations.token_sweeps.cells import Weights
from simulations.token_sweeps.population import CellPopulation, excess
from simulations.tokens import classifier


class Fitted(NamedTuple):
    """Of replicates and cells: ``theta (R, C, p)``, linear estimates ``linear (R, C, p)`` of its error,
    ``values (R, C, F)`` (excess risks, errors), ``controls (R, C, 2, F)`` and ``status (R, C)``."""

    theta: AnyArray
    linear: AnyArray
    values: AnyArray
    controls: AnyArray
    status: AnyArray


@quick_jit
def fit(
    points: Array,
    laws: Array,
    labels: Array,
    best: Array,
    counts: Array,
    means: Array,
    penalty: Array,
    cells: CellPopulation,
    weights: Weights,
    raw: Array,
    law: Array,
    synthetic: Array,
    lawful: Array,
    replicates: Array,
    used: Array,
) -> Fitted:
    """Rules of R replicates and C cells, one after the other, and their control variates.

    Args:
        points: ``(D, p)``; laws: ``(K, D)``; labels: ``(K,)``; best: ``(p,)``; counts: ``(K,)``.
        means: of the rows' embeddings in the groups, ``(K, p - 1)``.
        penalty: of the ridge, ``(p, p)``.
        cells, weights: populations and row weights, ``(C, ...)``.
        raw: counts of raw rows, ``(R, K, D)``.
        law: of the synthetic rows, ``(R, K, D)``.
        synthetic: weighted counts of synthetic rows, ``(R, C, K, D)``.
        lawful: whether the replicate's laws exist, ``(R,)``.
        replicates, used: replicates and cells that are computed, at most R and C; the others stay NaN.

    Returns:
        `Fitted`.
    """
    groups, dim = len(labels), points.shape[1] - 1
    room_of = (raw.shape[0], synthetic.shape[1])

    def one(index: Array, state: Fitted) -> Fitted:
        r, c = index // used, index % used
        cell = jax.tree.map(lambda part: part[c], cells)
        given = jax.tree.map(lambda part: part[c], weights)
        own = given.raw[:, None] * raw[r] + synthetic[r, c]
        ones, zeros = labels @ own, (1.0 - labels) @ own
        fitted = classifier.fit(points, ones, zeros, cell.theta, penalty)
        u = points @ cell.theta
        moved, drawn = jnp.zeros(dim + 1), jnp.zeros(dim + 1)
        noise = jnp.zeros((dim + 1, dim + 1))
        for g in range(groups):
            first = LOGISTIC.first(u, labels[g])
            moved = moved + cell.direct[g] * (
                (raw[r, g] * first) @ points - counts[g] * cell.score[g]
            )
            moved = moved + cell.seeds[g] @ ((raw[r, g] @ points)[:dim] - counts[g] * means[g])
            expected = (law[r, g] * first) @ points
            drawn = drawn + (synthetic[r, c, g] * first) @ points - given.total[g] * expected
            centred = points * first[:, None] - expected[None]
            noise = noise + given.squared[g] * (centred * law[r, g][:, None]).T @ centred
        linear = -(cell.inverse @ (moved + drawn))
        spread = cell.raw_spread + cell.inverse @ noise @ cell.inverse
        bent = cell.hessians @ linear
        controls = jnp.stack(
            [
                cell.gradients @ linear,
                0.5 * (bent @ linear - (cell.hessians * spread[None]).sum(axis=(1, 2))),
            ]
        )
        # A rule on the way to infinity that has all rows on their sides proves that it has no end.
        side = jnp.where(ones > 0.0, points @ fitted.theta, jnp.inf)
        side = jnp.minimum(side, jnp.where(zeros > 0.0, -(points @ fitted.theta), jnp.inf))
        status = jnp.where(side.min() > 0.0, SEPARABLE, STOPPED)
        status = jnp.where(jnp.isfinite(fitted.theta).all(), status, SINGULAR)
        status = jnp.where(fitted.converged, FOUND, status)
        status = jnp.where(lawful[r], status, LAWLESS)
        good = status == FOUND
        theta = jnp.where(good, fitted.theta, jnp.nan)
        values = excess(points, fitted.theta, best, laws, labels)
        return Fitted(
            state.theta.at[r, c].set(theta),
            state.linear.at[r, c].set(linear),
            state.values.at[r, c].set(jnp.where(good, values, jnp.nan)),
            state.controls.at[r, c].set(controls),
            state.status.at[r, c].set(status.astype(jnp.int8)),
        )

    def blank(*shape: int) -> Array:
        return jnp.full((*room_of, *shape), jnp.nan)

    empty = Fitted(
        blank(dim + 1),
        blank(dim + 1),
        blank(2 * groups),
        blank(2, 2 * groups),
        jnp.zeros(room_of, jnp.int8),
    )
    return lax.fori_loop(0, replicates * used, one, empty)
