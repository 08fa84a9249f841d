"""Seeds -> generator -> synthetic rows -> classifier -> exact excess risks, by replicates.

The generators' laws are given (`generators.generated`): their seeds are not the rows trained on. Where they
are, `simulations.token_sweeps` knows more. Rows are counts per token, so that the cost of a replicate does
not depend on how many there are.
"""

from typing import NamedTuple

import numpy as np

from simulations.problems import InputError
from simulations.series.keys import generator as random_of
from simulations.tokens import influence
from simulations.tokens.fitting import minimisers
from simulations.tokens.groups import Groups, excess_risks
from simulations.tokens.world import seed_counts


class Sample(NamedTuple):
    """Of R replicates: ``excess (R, K + 1)`` of the groups and balanced, NaN where no fit was
    ``found (R,)``; ``controls (R, K + 1)`` of mean exactly 0 to be taken off;
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

    Raises:
        InputError: a group without raw rows, or no replicate.

    Source: paper_notes/transformers.md, sections 9 and 11.

    >>> from simulations.tokens.groups import imbalance
    >>> groups = imbalance(np.array([[1.0], [-1.0], [0.5]]), np.array([[0.5], [-0.5]]))
    >>> found = simulate(groups, np.array([200, 50]), np.array([0, 150]), groups.laws[None], 50)
    >>> mean, error, failures = found.summary()
    >>> failures, bool(error[2] < 0.2 * found.summary(controlled=False)[1][2])
    (0, True)
    """
    counts = np.concatenate([raw, synthetic])
    if min(*raw, replicates) < 1 or min(synthetic) < 0:
        raise InputError(
            f"rows {counts.tolist()}, replicates {replicates}: give at least 1 raw each."
        )
    sets = len(made)
    which = np.repeat(np.arange(sets), replicates)
    up = groups.labels > 0.5
    parts = np.stack([np.concatenate([groups.laws, each]) for each in made])
    mixed = counts[:, None] * parts / counts.sum()
    both = np.concatenate([up, up])
    middle = minimisers(
        groups.points, mixed[:, both].sum(axis=1), mixed[:, ~both].sum(axis=1), groups.best
    )
    shares = _rows(groups, raw, synthetic, made[which], seed) / counts.sum()
    ones, zeros = shares[:, up].sum(axis=1), shares[:, ~up].sum(axis=1)
    fits = minimisers(groups.points, ones, zeros, groups.best)
    excess = np.full((len(which), len(groups.laws) + 1), np.nan)
    excess[fits.found] = excess_risks(groups, fits.theta[fits.found])
    controls = np.zeros_like(excess)
    for j in range(sets):
        own = which == j
        at = influence.around(groups, parts[j], counts, middle.theta[j])
        controls[own] = influence.controls(groups, at, ones[own], zeros[own])
    return Sample(excess, controls, fits.found & middle.found[which], fits.theta)


def _rows(
    groups: Groups, raw: np.ndarray, synthetic: np.ndarray, made: np.ndarray, seed: int
) -> np.ndarray:
    """Counts of a sample for each set of laws ``made (R, K, N)``, ``(R, K, N)``: raw rows and synthetic."""
    laws, found = groups.laws, np.empty(made.shape)
    for r, sets in enumerate(made):
        random = random_of(seed, ["tokens", "synthetic", r])
        for g, law in enumerate(laws):
            found[r, g] = seed_counts(law, [int(raw[g])], seed, ["classifier", g, r])[0]
            if synthetic[g]:
                found[r, g] += random.multinomial(int(synthetic[g]), sets[g] / sets[g].sum())
    return found
