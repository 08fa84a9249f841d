"""What a generator makes of the raw rows of replicates: the law of its synthetic rows, and its divergence.

The laws are those of `simulations.tokens.generators`; how they are made of rows of several tokens stands in
`endless`. Source: paper_notes/transformers_sweeps.md.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.token_sweeps.endless import Pieces, own_means
from simulations.tokens.generators import BY_MEAN, BY_SHARES, Knobs
from simulations.tokens.rows import product
from simulations.tokens.world import divergence

# Divergences, which are never negative, up to the rounding of sums over tokens.
ROUNDING = 1e-12


class Seen(NamedTuple):
    """Of R replicates: ``law (R, K, D)`` of synthetic rows, whether each group's exists ``found (R, K)``,
    its divergence ``kl (R, K)`` and two control variates of it, ``controls (R, 2, K)``."""

    law: AnyArray
    found: AnyArray
    kl: AnyArray
    controls: AnyArray


@partial(quick_jit, static_argnames="kind")
def seen(
    tables: tuple[Array, ...],
    points: Array,
    log_laws: Array,
    pieces: Pieces,
    acts: Array,
    counts: Array,
    raw: Array,
    knobs: Knobs,
    used: Array,
    *,
    kind: str,
) -> Seen:
    """The laws that a generator makes of the raw rows of replicates, one after the other.

    Args:
        tables: embeddings of the T positions, each ``(d_t, r)``.
        points: features of the D rows, ``(D, R + 1)``, ``R = r T``.
        log_laws: of the groups, ``(K, D)``.
        pieces: `pieces`; slopes and bends of laws are not read.
        acts: the groups it acts on, ``(K,)``.
        counts: raw rows n_g, ``(K,)``, >= 1.
        raw: counts of them per row of the list, ``(R', K, D)``, for R' replicates.
        knobs: of the generator.
        used: replicates from the first that are computed; the others stay 0.
        kind: one of `generator_specs.OF_TOKENS`.

    Returns:
        `Seen`. A law that does not exist is replaced by the group's, and not ``found``.

    Source: paper_notes/transformers_sweeps.md.
    """
    replicates, groups, size = raw.shape
    dim = points.shape[1] - 1

    def made(rows: Array, target: Array) -> tuple[Array, Array]:
        if kind in BY_SHARES:
            return BY_SHARES[kind](rows, knobs)
        each = zip(tables, own_means(tables, target), strict=True)
        laws, good = zip(*(BY_MEAN[kind](table, own, knobs) for table, own in each), strict=True)
        return product(laws), jnp.stack(good).all()

    def one(index: Array, state: Seen) -> Seen:
        r, g = index // groups, index % groups
        rows, log_p, n = raw[r, g], log_laws[g], counts[g]
        target = (rows @ points)[:dim] / n
        if kind in ("oracle", "reweight"):
            log_q, good = log_p, jnp.asarray(True)
        else:
            log_q, good = made(rows, target)
            log_q = jnp.where(acts[g], log_q, log_p)
            good = good | ~acts[g]
        apart, gap = target - pieces.mean[g], rows / n - jnp.exp(log_p)
        spread = jnp.exp(log_p) * (1.0 - jnp.exp(log_p)) / n
        first = pieces.kl_slope[g] @ apart + pieces.kl_each[g] @ gap
        bent = apart @ pieces.kl_bend[g] @ apart + pieces.kl_square[g] @ gap**2
        mean = (pieces.kl_bend[g] * pieces.spread[g]).sum() + pieces.kl_square[g] @ spread
        controls = jnp.stack([first, 0.5 * (bent - mean)])
        # An expansion below 0 is none of a divergence: it would add noise in place of taking it off.
        useful = pieces.kl[g] + 0.5 * mean > -ROUNDING
        value = divergence(log_p, log_q)
        value = jnp.where(jnp.isfinite(pieces.kl[g]), value, jnp.nan)
        # A replicate whose law does not exist is counted as failed; its rows are drawn all the same.
        law = jnp.exp(jnp.where(good, log_q, log_p))
        return Seen(
            state.law.at[r, g].set(law / law.sum()),
            state.found.at[r, g].set(good),
            state.kl.at[r, g].set(value),
            state.controls.at[r, :, g].set(jnp.where(useful, controls, 0.0)),
        )

    empty = Seen(
        jnp.zeros((replicates, groups, size)),
        jnp.zeros((replicates, groups), bool),
        jnp.zeros((replicates, groups)),
        jnp.zeros((replicates, 2, groups)),
    )
    return lax.fori_loop(0, used * groups, one, empty)
