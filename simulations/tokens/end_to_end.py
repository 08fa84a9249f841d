"""Seeds -> generator -> synthetic rows -> classifier -> exact excess risks, by replicates.

`simulate` takes the generator's laws as given, for any groups; `excess` makes them of the minority's seeds,
which are the classifier's own rows or others. Rows are counts per token, so that the cost of a replicate
does not depend on how many there are.
"""

from functools import cache, partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from simulations.compilation import Quick, quick_jit
from simulations.problems import InputError, nearest
from simulations.series.keys import generator as random_of
from simulations.tokens import influence
from simulations.tokens.fitting import BATCH, minimisers
from simulations.tokens.generators import GENERATORS, laws
from simulations.tokens.groups import Groups, excess_risks, imbalance
from simulations.tokens.world import divergence, seed_counts


class Sample(NamedTuple):
    """Of R replicates: ``excess (R, K + 1)`` of the groups and balanced, NaN where no fit was
    ``found (R,)``; ``controls (R, K + 1)`` of mean exactly 0 to be taken off (0 where none is known);
    ``theta (R, p)``."""

    excess: np.ndarray
    controls: np.ndarray
    found: np.ndarray
    theta: np.ndarray

    def summary(self, controlled: bool = True) -> tuple[np.ndarray, np.ndarray, int]:
        """Means ``(K + 1,)``, their standard errors, over the fits that were found; failures."""
        good = (self.excess - self.controls if controlled else self.excess)[self.found]
        spread = good.std(axis=0, ddof=1) / len(good) ** 0.5
        return good.mean(axis=0), spread, int((~self.found).sum())


class Replicates(NamedTuple):
    """Of two groups: a `Sample`'s columns, ``divergence (R,)`` of the minority's law to the generator's,
    and that law, ``generated (R, d)``."""

    excess: np.ndarray
    found: np.ndarray
    divergence: np.ndarray
    generated: np.ndarray
    controls: np.ndarray
    theta: np.ndarray

    def summary(self, controlled: bool = True) -> tuple[np.ndarray, np.ndarray, int]:
        """As `Sample.summary`."""
        return Sample(self.excess, self.controls, self.found, self.theta).summary(controlled)


def simulate(
    groups: Groups,
    raw: np.ndarray,
    synthetic: np.ndarray,
    made: np.ndarray,
    replicates: int,
    seed: int = 0,
) -> Sample:
    """Excess risks of logistic regression on raw rows and on synthetic ones of given laws.

    Args:
        groups: K groups over a list of N rows.
        raw: rows of each group, ``(K,)``, >= 1.
        synthetic: further rows of each group, ``(K,)``, >= 0, all of one weight with the raw ones.
        made: J sets of laws of the synthetic rows, ``(J, K, N)``; not made of the rows drawn here.
        replicates: R samples for every set.
        seed: root of all draws; raw rows do not depend on ``synthetic`` or ``made``.

    Returns:
        `Sample` of J R replicates, set by set; the controls' means are exact given the laws.

    Source: paper_notes/transformers.md, sections 9 and 11.

    >>> from simulations.tokens.groups import imbalance
    >>> groups = imbalance(np.array([[1.0], [-1.0], [0.5]]), np.array([[0.5], [-0.5]]))
    >>> found = simulate(groups, np.array([200, 50]), np.array([0, 150]), groups.laws[None], 50)
    >>> mean, error, failures = found.summary()
    >>> failures, bool(error[2] < 0.2 * found.summary(controlled=False)[1][2])
    (0, True)
    """
    counts = np.concatenate([raw, synthetic])
    sets = len(made)
    which = np.repeat(np.arange(sets), replicates)
    up = groups.labels > 0.5
    parts = np.stack([np.concatenate([groups.laws, each]) for each in made])
    mixed = counts[:, None] * parts / counts.sum()
    both = np.concatenate([up, up])
    middle = minimisers(
        groups.points, mixed[:, both].sum(axis=1), mixed[:, ~both].sum(axis=1), groups.best
    )
    rows = _raw(groups, raw, len(which), seed)
    _join(rows, made[which], synthetic, np.ones(len(which), bool), seed)
    sample = _fitted(groups, rows)
    shares = rows / counts.sum()
    controls = np.zeros_like(sample.excess)
    for j in range(sets):
        own = which == j
        at = influence.around(groups, parts[j], counts, middle.theta[j])
        ones, zeros = shares[own][:, up].sum(axis=1), shares[own][:, ~up].sum(axis=1)
        controls[own] = influence.controls(groups, at, ones, zeros)
    found = sample.found & middle.found[which]
    return sample._replace(controls=controls, found=found)


def _raw(groups: Groups, raw: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Counts of raw rows, ``(R, K, N)``."""
    drawn = [
        [
            seed_counts(law, [int(n)], seed, ["classifier", g, r])[0]
            for g, (law, n) in enumerate(zip(groups.laws, raw, strict=True))
        ]
        for r in range(replicates)
    ]
    return np.array(drawn, float)


def _join(
    rows: np.ndarray, made: np.ndarray, synthetic: np.ndarray, exists: np.ndarray, seed: int
) -> None:
    """Add synthetic rows of the laws ``made (R, K, N)`` to counts ``(R, K, N)``, where a law exists."""
    for r in np.flatnonzero(exists):
        random = random_of(seed, ["tokens", "synthetic", int(r)])
        for g in np.flatnonzero(synthetic):
            rows[r, g] += random.multinomial(int(synthetic[g]), made[r, g] / made[r, g].sum())


def _fitted(groups: Groups, rows: np.ndarray) -> Sample:
    """Fits to counts ``(R, K, N)`` and their excess risks, without controls."""
    up, shares = groups.labels > 0.5, rows / rows.sum(axis=(1, 2), keepdims=True)
    ones, zeros = shares[:, up].sum(axis=1), shares[:, ~up].sum(axis=1)
    fits = minimisers(groups.points, ones, zeros, groups.best)
    excess = np.full((len(rows), len(groups.laws) + 1), np.nan)
    excess[fits.found] = excess_risks(groups, fits.theta[fits.found])
    return Sample(excess, np.zeros_like(excess), fits.found, fits.theta)


@cache
def _generated(name: str) -> Quick:
    return quick_jit(partial(laws, name), once=True)


def generated(
    name: str,
    table: np.ndarray,
    counts: np.ndarray,
    eta: np.ndarray,
    depth: int = 1,
    step: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Log-laws ``(R, d)`` that a generator makes of seeds ``counts (R, d)``, and which exist, ``(R,)``.

    Raises:
        InputError: no such generator.

    >>> law, exists = generated("add_one", np.eye(2), np.array([[2.0, 0.0]]), np.zeros(2))
    >>> np.exp(law).round(4).tolist()
    [[0.75, 0.25]]
    """
    if name not in GENERATORS:
        raise InputError(f"generator {name!r}: {nearest(name, GENERATORS, 'generators')}.")
    parts = []
    for first in range(0, len(counts), BATCH):
        piece = counts[first : first + BATCH]
        filled = np.broadcast_to(piece[:1], (BATCH, len(table))).copy()
        filled[: len(piece)] = piece
        found = _generated(name)(np.asarray(table), filled, np.asarray(eta), depth, step)
        parts.append([np.asarray(each)[: len(piece)] for each in found])
    log_q, exists = (np.concatenate(each) for each in zip(*parts, strict=True))
    return log_q, exists


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
    seeds: str = "rows",
) -> Replicates:
    """Excess risks of logistic regression on raw and synthetic rows, R replicates of one table.

    Args:
        table: ``U``, ``(d, r)``.
        latents: of the groups, ``(2, r)``; group 1 is the minority.
        counts: raw rows n_0, n_1 and synthetic minority rows m.
        generator: a name of `GENERATORS`, which then learns from n_1 seeds, or a fixed law Q, ``(d,)``.
        replicates: R >= 1.
        seed: root of all draws; raw rows are the same for every generator, m and depth.
        depth, step: of the generator ``transformer``.
        seeds: ``rows``: the seeds are the minority's raw rows, on which the classifier trains as well;
            ``other``: they are n_1 further rows. With other seeds, as with a fixed law, the excess has
            control variates.

    Returns:
        `Replicates`. A replicate without a minimiser, or without a generator's law, is counted as failed.

    Raises:
        InputError: no such generator or seeds, counts below 1 (synthetic: 0).

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
    if seeds not in ("rows", "other"):
        raise InputError(f"seeds {seeds!r}: {nearest(seeds, ['rows', 'other'], 'seeds')}.")
    groups = imbalance(table, latents)
    raw, further = np.array([majority, minority]), np.array([0, synthetic])
    if not isinstance(generator, str):
        log_q = np.broadcast_to(np.log(generator), (replicates, len(table)))
        made = np.stack([groups.laws[0], np.asarray(generator)])[None]
        sample = simulate(groups, raw, further, made, replicates, seed)
        return _two(groups, sample, log_q, sample.found)
    rows = _raw(groups, raw, replicates, seed)
    given = rows[:, 1]
    if seeds == "other":
        drawn = [
            seed_counts(groups.laws[1], [minority], seed, ["other", r])[0]
            for r in range(replicates)
        ]
        given = np.array(drawn, float)
    log_q, exists = generated(generator, table, given, latents[1], depth, step)
    made = np.stack([np.broadcast_to(groups.laws[0], log_q.shape), np.exp(log_q)], axis=1)
    if seeds == "other":
        # A law that does not exist is replaced by the group's: its replicate counts as failed.
        made[~exists, 1] = groups.laws[1]
        sample = simulate(groups, raw, further, made, 1, seed)
    else:
        _join(rows, made, further, exists, seed)
        sample = _fitted(groups, rows)
    return _two(groups, sample, log_q, exists)


def _two(groups: Groups, sample: Sample, log_q: np.ndarray, exists: np.ndarray) -> Replicates:
    found = sample.found & exists
    values = np.where(found[:, None], sample.excess, np.nan)
    truth = np.broadcast_to(np.log(groups.laws[1]), log_q.shape)
    apart = np.asarray(divergence(jnp.asarray(truth), jnp.asarray(log_q)))
    return Replicates(values, found, apart, np.exp(log_q), sample.controls, sample.theta)
