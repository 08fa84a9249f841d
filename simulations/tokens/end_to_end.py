"""Minority seeds -> generator -> synthetic rows -> classifier -> exact excess risks, by replicates.

The seeds are the minority's raw rows, on which the classifier trains as well. Rows are counts per token,
so that the cost of a replicate does not depend on how many there are.
"""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest
from simulations.series.keys import generator as random_of
from simulations.tokens import classifier
from simulations.tokens.generators import GENERATORS, laws
from simulations.tokens.world import divergence, log_law, seed_counts


class Replicates(NamedTuple):
    """``excess (R, 3)``: of group 0, group 1 and balanced, NaN where no fit was ``found (R,)``;
    ``divergence (R,)`` of the minority's law to the generator's; ``generated (R, d)``: that law."""

    excess: np.ndarray
    found: np.ndarray
    divergence: np.ndarray
    generated: np.ndarray

    def summary(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Means ``(3,)``, standard errors ``(3,)`` over the fits that were found, failures."""
        good = self.excess[self.found]
        spread = good.std(axis=0, ddof=1) / len(good) ** 0.5
        return good.mean(axis=0), spread, int((~self.found).sum())


def _fits(points: Array, both: Array, best: Array, rows: Array) -> tuple[Array, Array]:
    """Excess risks ``(R, 3)`` of fits to counts ``rows (R, 2, d)`` of label 0 and 1."""

    def one(each: Array) -> tuple[Array, Array]:
        weights = each / each.sum()
        fitted = classifier.fit(points, weights[1], weights[0], best)
        excess = classifier.excess_risks(points, fitted.theta, best, both)
        three = jnp.concatenate([excess, excess.mean()[None]])
        return jnp.where(fitted.converged, three, jnp.nan), fitted.converged

    return jax.vmap(one)(rows)


_FIT = quick_jit(_fits)


@cache
def _generated(name: str, depth: int) -> Quick:
    return quick_jit(partial(laws, name, depth=depth))


def excess(
    table: np.ndarray,
    latents: np.ndarray,
    counts: tuple[int, int, int],
    generator: str | np.ndarray,
    replicates: int,
    seed: int = 0,
    *,
    depth: int = 1,
    step: float = 1.0,
) -> Replicates:
    """Excess risks of logistic regression on raw and synthetic rows, R replicates of one table.

    Args:
        table: ``U``, ``(d, r)``.
        latents: of the groups, ``(2, r)``; group 1 is the minority.
        counts: raw rows n_0, n_1 and synthetic minority rows m.
        generator: a name of `GENERATORS`, which then learns from the n_1 raw rows, or a fixed law Q,
            ``(d,)``.
        replicates: R >= 1.
        seed: root of all draws; raw rows are the same for every generator, m and depth.
        depth, step: of the generator ``transformer``.

    Returns:
        `Replicates`. A replicate without a minimiser, or without a generator's law, is counted as failed.

    Raises:
        InputError: no such generator, counts below 1 (synthetic: 0).

    Source: paper_notes/transformers.md, section 9.

    >>> from simulations.tokens.world import World, embeddings, latents
    >>> world = World(64, 2)
    >>> found = excess(embeddings(world, 0), latents(world), (400, 100, 300), "transformer", 20)
    >>> mean, error, failures = found.summary()
    >>> failures, bool(mean[2] > 0.0)
    (0, True)
    """
    majority, minority, synthetic = counts
    if min(majority, minority, replicates) < 1 or synthetic < 0:
        raise InputError(f"rows {counts}, replicates {replicates}: give at least 1 (synthetic: 0).")
    if isinstance(generator, str) and generator not in GENERATORS:
        raise InputError(
            f"generator {generator!r}: {nearest(generator, GENERATORS, 'generators')}."
        )
    truth = jnp.stack([log_law(jnp.asarray(table), jnp.asarray(each)) for each in latents])
    both = np.exp(np.asarray(truth))
    raw = np.stack(
        [
            [
                seed_counts(both[g], [n], seed, ["classifier", g, r])[0]
                for g, n in enumerate((majority, minority))
            ]
            for r in range(replicates)
        ]
    ).astype(float)
    if isinstance(generator, str):
        program = _generated(generator, depth)
        log_q, exists = program(jnp.asarray(table), raw[:, 1], latents[1], step=step)
        log_q, exists = np.asarray(log_q), np.asarray(exists)
    else:
        log_q = np.broadcast_to(np.log(generator), (replicates, len(table)))
        exists = np.ones(replicates, bool)
    rows = raw.copy()
    generated = np.exp(log_q)
    for r in range(replicates):
        if exists[r] and synthetic:
            random = random_of(seed, ["tokens", "synthetic", r])
            rows[r, 1] += random.multinomial(synthetic, generated[r] / generated[r].sum())
    points = classifier.lift(jnp.asarray(table))
    best = classifier.balanced_theta(jnp.asarray(table), jnp.asarray(latents))
    values, found = _FIT(points, both, best, rows)
    found = np.asarray(found) & exists
    values = np.where(found[:, None], np.asarray(values), np.nan)
    apart = np.asarray(jax.vmap(lambda q: divergence(truth[1], q))(jnp.asarray(log_q)))
    return Replicates(values, found, apart, generated)
