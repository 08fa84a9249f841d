"""Token worlds with generators of given laws, shared by the claims on classifiers: predicted, simulated."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from scaling.theory.tokens.composition import GroupCounts, Prediction, prediction
from simulations.tokens.end_to_end import simulate
from simulations.tokens.generators import generated
from simulations.tokens.groups import SPURIOUS, Groups, imbalance, spurious
from simulations.tokens.rows import product
from simulations.tokens.world import World, embeddings, latents, seed_counts
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Assumption, always, no_failures

NOTE = "transformers.md"
GIVEN = always("The generator's seeds are other rows than those trained on; embeddings are fixed.")
FIXED = always("Row counts are fixed; every risk is an exact sum over tokens.")
FOUND = Assumption("Every replicate has a finite minimiser (failures are counted).", no_failures)
ASSUMED = (GIVEN, FIXED, FOUND)
# Generators' laws of a case, and replicates of each in the preset quick. The oracle has one law, and at
# balance no floor, beside which the noise would be small.
SETS, REPLICATES, OF_ORACLE = 4, 24, 512


class Case(NamedTuple):
    """A world with groups: ``positions`` 1 (imbalance) or 2 (spurious attribute); the ``generator``'s name
    and ``depth``; ``seeds`` it reads per group; ``raw`` and ``synthetic`` rows of the groups."""

    world: World
    positions: int
    generator: str
    depth: int
    seeds: int
    raw: tuple[int, ...]
    synthetic: tuple[int, ...]

    @property
    def label(self) -> str:
        """The generator in words."""
        return named(self.generator, self.depth)


def named(generator: str, depth: int) -> str:
    """``1 layer``, ``oracle``, ..

    >>> named("transformer", 2), named("oracle", 1)
    ('2 layers', 'oracle')
    """
    return generator if generator != "transformer" else f"{depth} layer{'s' if depth > 1 else ''}"


class Built(NamedTuple):
    """``groups``; ``made (J, K, N)``: laws of the synthetic rows; ``counts``."""

    groups: Groups
    made: np.ndarray
    counts: GroupCounts


def build(lab: Lab, case: Case) -> Built:
    """The world of a case and its generators' laws, from the laboratory's seed."""
    groups = lab.recall(f"token groups {case.world} {case.positions}", partial(_groups, lab, case))
    key = f"token laws {case.world} {case.positions} {case.label} {case.seeds}"
    made = lab.recall(key, partial(_made, lab, case, groups))
    return Built(
        groups, made, GroupCounts(groups.labels, np.array(case.raw), np.array(case.synthetic))
    )


def table_of(lab: Lab, world: World) -> np.ndarray:
    """``U (d, r)``, a table for each seed of the laboratory."""
    return embeddings(world, lab.seed)


def attributes(world: World) -> np.ndarray:
    """Latents of the attribute token for s = 0, 1, ``(2, r)``: the core's in turn."""
    return latents(world)[::-1]


def _groups(lab: Lab, case: Case) -> Groups:
    table, cores = table_of(lab, case.world), latents(case.world)
    if case.positions == 1:
        return imbalance(table, cores)
    return spurious(table, cores, attributes(case.world))


def _made(lab: Lab, case: Case, groups: Groups) -> np.ndarray:
    table, cores = table_of(lab, case.world), latents(case.world)
    if case.generator == "oracle":
        return groups.laws[None]

    def log_law(counts: np.ndarray, eta: np.ndarray) -> np.ndarray:
        return generated(case.generator, table, counts, eta, case.depth)[0]

    made = []
    for g, own in enumerate(groups.laws):
        drawn = [seed_counts(own, [case.seeds], lab.seed, ["q", g, j])[0] for j in range(SETS)]
        counts = np.array(drawn, float)
        if case.positions == 1:
            made.append(log_law(counts, cores[g]))
            continue
        (y, s), tokens = SPURIOUS[g], counts.reshape(SETS, len(table), len(table))
        core = log_law(tokens.sum(axis=2), cores[y])
        made.append(product([core, log_law(tokens.sum(axis=1), attributes(case.world)[s])]))
    return np.exp(np.stack(made, axis=1))


def predictions(lab: Lab, case: Case) -> list[Prediction]:
    """By the composition, one for every set of laws."""

    def compute() -> list[Prediction]:
        groups, made, counts = build(lab, case)
        x, laws, best = groups.points, groups.laws, groups.best
        return [prediction(x, laws, each, best, counts) for each in made]

    return lab.recall(f"token predictions {case}", compute)


class Measured(NamedTuple):
    """Of the groups and balanced, ``(K + 1,)``: means over sets of laws that were ``predicted`` and their
    ``floor``, simulated ``estimate`` with ``se``; ``replicates`` and ``failures``."""

    predicted: np.ndarray
    floor: np.ndarray
    estimate: np.ndarray
    se: np.ndarray
    replicates: int
    failures: int

    @property
    def worst(self) -> int:
        """The group whose predicted excess risk is largest."""
        return int(np.argmax(self.predicted[:-1]))


def measure(lab: Lab, case: Case) -> Measured:
    """Simulated excess risks less their control variates, beside the predicted ones."""

    def compute() -> Measured:
        groups, made, counts = build(lab, case)
        each = predictions(lab, case)
        number = (REPLICATES if len(made) > 1 else OF_ORACLE) * lab.preset.effort
        found = simulate(groups, counts.raw, counts.synthetic, made, number, lab.seed)
        predicted = np.array([one.predicted for one in each])
        # Laws differ: the noise is what is left beside each law's own prediction.
        left = found.excess - found.controls - np.repeat(predicted, number, axis=0)
        good = left[found.found]
        mean, floor = predicted.mean(axis=0), np.array([one.floor for one in each]).mean(axis=0)
        se = good.std(axis=0, ddof=1) / len(good) ** 0.5
        failures = int((~found.found).sum())
        return Measured(mean, floor, mean + good.mean(axis=0), se, len(left), failures)

    return lab.recall(f"token excess {case}", compute)


def rows(lab: Lab, name: str, case: Case, floor: bool = True) -> list[dict[str, Any]]:
    """Evidence of kind constant, balanced and worst group; ``floor`` false leaves it out."""
    found = measure(lab, case)
    predicted = found.predicted if floor else found.predicted - found.floor
    rows = []
    for group, at in (("balanced", len(predicted) - 1), ("worst", found.worst)):
        estimate = float(found.estimate[at]), float(found.se[at])
        series = f"{name}, {group}"
        size, law = float(case.seeds), float(predicted[at])
        row = fitted_row(series, size, law, estimate, found.replicates, found.failures)
        rows.append({**row, "inverse_size": 0.0})
    return rows
