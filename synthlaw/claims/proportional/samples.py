"""Samples of the proportional regime for claims: the engine's weights and rules, with control variates.

An expansion around the population's rule says nothing where d and n are of one size, but the training
rows' own statistics have known means: that of every segment's mean along the span is its law's, and two
segments' means have the inner product 0, or d/n with themselves. They carry most of the noise of a rule's
errors (a third to a sixth of the variance is left), and are regressed out.
"""

from typing import Any, NamedTuple

import numpy as np

from scaling.theory.proportional.clusters import isotropic
from scaling.theory.proportional.conventions import from_engine, to_engine
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.units import clusters_of, predicted_errors
from simulations.controlled import controlled
from simulations.population.units import Unit
from simulations.sampling.layout import fitted_of
from simulations.sampling.newton import FOUND
from simulations.wide.layout import Layout, layout
from simulations.wide.measures import values
from simulations.wide.replicate import fit
from simulations.wide.rows import Sample, lengths_of, placed
from synthlaw.claims.lab import Lab

# What is measured of a rule, in this order; groups as in the setting imbalance.
MEASURES = ("majority error", "minority error", "balanced error", "projection", "norm", "intercept")
# Parts of the samples, each controlled by the coefficients of the others.
FOLDS = 5
# Replicates between two looks at whether the laboratory is to stop.
PATIENCE = 20


class Case(NamedTuple):
    """A sweep of the proportional regime without its estimator, one generator, at several dimensions.

    ``losses``: the ridge of every loss; all are fitted to the same rows. ``steps``: per preset the
    replicates by size, which multiplies the dimension and all counts.
    """

    name: str
    sweep: dict[str, Any]
    losses: dict[str, float]
    steps: dict[str, dict[int, int]]


class Measured(NamedTuple):
    """Of every cell C and measure M of one loss and size: ``mean``, ``se`` and what is ``predicted``, all
    ``(C, M)``, NaN where nothing is; ``replicates``, and ``failures (C,)``."""

    mean: np.ndarray
    se: np.ndarray
    predicted: np.ndarray
    replicates: int
    failures: np.ndarray


def sweep_of(case: Case, loss: str) -> dict[str, Any]:
    """The sweep of one loss of a case."""
    estimator: dict[str, Any] = {"kind": loss}
    if loss != "mean_difference":
        estimator["ridge"] = case.losses[loss]
    return {**case.sweep, "estimator": estimator, "theory": {"regime": "proportional"}}


class Sampled(NamedTuple):
    """A sample, and the mean ``(S, d)`` about which each segment's rows were drawn."""

    sample: Sample
    centre: np.ndarray


def drawn(unit: Unit, laid_out: Layout, rng: np.random.Generator) -> Sampled:
    """A sample as of `simulations.wide.rows.draw`, from a stream of its own: nothing to compile."""
    groups, lengths = len(unit.counts), lengths_of(laid_out)
    normals = rng.standard_normal((lengths.sum(), laid_out.mean.shape[2]))
    longest = laid_out.limit.max(axis=0)
    repeats = [
        rng.integers(unit.counts[s % groups], size=longest[s] if again else 0)
        for s, again in enumerate(laid_out.repeated)
    ]
    sample = placed(unit, laid_out, normals, repeats)
    centre = laid_out.mean[:, 0].copy()
    # A fitted segment's rows lie about the mean of its group's raw rows.
    for s in np.flatnonzero(np.tile(fitted_of(unit), 3)):
        if s >= groups:
            centre[s] = sample.rows[sample.start[s % groups] : sample.start[s % groups + 1]].mean(
                axis=0
            )
    return Sampled(sample, centre)


def _statistics(
    unit: Unit, laid_out: Layout, given: Sampled, cell: int, basis: np.ndarray
) -> np.ndarray:
    """Statistics of a cell's rows whose means are exactly 0.

    Of the segments' means ``z_s`` less their centres: the part along the span and the inner products,
    less ``d v/n_s`` with itself. Of the scatter within each segment, independent of all ``z``:
    ``a'(S_s - I)b`` with a and b among the z and the span; of the pooled one, m degrees of freedom,
    ``a'(S^2 - (m + d + 1)/m I)b``. Of repeated rows their mean too, given the multiplicities N:
    its part along the span, its squares less ``d v sum w^2``, ``w = N/sum N``, and ``sum N^2`` itself.
    """
    sample, groups, dim = given.sample, len(unit.counts), basis.shape[1]
    z, noise, within, extra = [], [], [], []
    for s in range(len(laid_out.sd)):
        count = int(laid_out.limit[cell, s])
        if count > 1 and not laid_out.repeated[s]:
            rows = sample.rows[sample.start[s] : sample.start[s] + count]
            sd, middle = float(laid_out.sd[s, 0]), rows.mean(axis=0)
            z.append(middle - given.centre[s])
            noise.append(sd**2 / count)
            within.append((rows - middle) / sd)
        elif count > 0 and laid_out.repeated[s]:
            g = s % groups
            own = slice(sample.start[g], sample.start[g + 1])
            times = 1.0 + np.bincount(sample.repeats[s][:count], minlength=unit.counts[g])
            total, n = times.sum(), len(times)
            mean = times @ (sample.rows[own] - given.centre[g]) / total
            spread = float(laid_out.sd[g, 0]) ** 2 * dim / total**2
            expected = n * ((1.0 + count / n) ** 2 + count / n * (1.0 - 1.0 / n))
            extra += [*(basis @ mean), mean @ mean - spread * (times @ times)]
            extra.append((times @ times) - expected)
    means = np.array(z)
    vectors = np.concatenate([means, basis])
    inner = vectors @ vectors.T
    pairs = np.triu_indices(len(vectors))
    parts = [each.T @ (each @ vectors.T) for each in within]
    freedom = [len(each) - 1 for each in within]
    m = sum(freedom)
    turned = np.sum(parts, axis=0) / m
    square = inner[: len(means), : len(means)] - dim * np.diag(noise)
    return np.concatenate(
        [
            (means @ basis.T).ravel(),
            square[np.triu_indices(len(means))],
            np.array(extra),
            *((vectors @ part / k - inner)[pairs] for part, k in zip(parts, freedom, strict=True)),
            (turned.T @ turned - (m + dim + 1) / m * inner)[pairs],
        ]
    )


def _measures(unit: Unit, theta: np.ndarray, basis: np.ndarray) -> np.ndarray:
    dim = basis.shape[1]
    errors = values(unit, theta)[len(unit.counts) :]
    along = basis @ theta[:dim]
    rest = np.sqrt(max(float(theta[:dim] @ theta[:dim] - along @ along), 0.0))
    return np.array([*errors, errors.mean(), np.linalg.norm(along), rest, theta[dim]])


def controlled_means(samples: np.ndarray, controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of ``samples (R, M)`` less what follows ``controls (R, q)``, whose means are exactly 0, and
    their standard errors.

    Of the controls, the strongest first, R/6 are used at most.
    """
    count = len(samples)
    left = controlled(samples, controls[:, : count // 6], FOLDS)
    return left.mean(axis=0), left.std(axis=0, ddof=1) / np.sqrt(count)


def _predicted(unit: Unit) -> np.ndarray:
    """The limits of a unit's cells, one solve each: few sizes of programs."""
    if unit.sweep.estimator.kind == "mean_difference":
        errors = predicted_errors(unit).errors
        nothing = np.full((len(errors), 3), np.nan)
        return np.column_stack([errors, errors.mean(axis=1), nothing])
    return np.array([_limit(unit, cell) for cell in range(len(unit.cells))])


def _limit(unit: Unit, cell: int) -> np.ndarray:
    clusters, aspect, basis = clusters_of(unit, cell)
    estimator = unit.sweep.estimator
    given = from_engine(estimator.kind, estimator.ridge, estimator.intercept)
    found = fixed_point(
        given.loss, clusters, aspect, given.ridge, intercept=given.intercept, offset=given.offset
    )
    labels = 2.0 * unit.world.labels - 1.0
    groups = isotropic(np.ones(len(labels)), labels, unit.world.means @ basis.T)
    errors = group_errors(found, groups)
    rule = to_engine(estimator.kind, found)
    along = np.linalg.norm(rule.projection)
    return np.array([*errors, errors.mean(), along, float(rule.norm), float(rule.intercept)])


def _size(lab: Lab, case: Case, size: int, replicates: int) -> dict[str, Measured]:
    units = {loss: lab.units(sweep_of(case, loss), size)[0] for loss in case.losses}
    first = next(iter(units.values()))
    laid_out = layout(first)
    rng = np.random.default_rng([lab.seed, size, *case.name.encode()])
    _, _, basis = clusters_of(first, 0)
    shape = (replicates, len(first.cells), len(MEASURES))
    found = {loss: np.full(shape, np.nan) for loss in units}
    statistics: list[list[np.ndarray]] = [[] for _ in first.cells]
    for r in range(replicates):
        if r % PATIENCE == 0:
            lab.go_on()
        given = drawn(first, laid_out, rng)
        for cell, rows in enumerate(statistics):
            rows.append(_statistics(first, laid_out, given, cell, basis))
        for loss, unit in units.items():
            for cell in range(len(unit.cells)):
                rule = fit(unit, laid_out, given.sample, cell)
                if rule.status == FOUND:
                    found[loss][r, cell] = _measures(unit, rule.theta, basis)
    controls = [np.array(rows) for rows in statistics]
    return {loss: _summed(units[loss], found[loss], controls) for loss in units}


def _summed(unit: Unit, found: np.ndarray, controls: list[np.ndarray]) -> Measured:
    whole = np.asarray(np.isfinite(found).all(axis=2))
    mean, se = np.full(found.shape[1:], np.nan), np.full(found.shape[1:], np.nan)
    for cell in range(found.shape[1]):
        kept = found[whole[:, cell], cell]
        if whole[:, cell].all():
            mean[cell], se[cell] = controlled_means(kept, controls[cell])
        elif len(kept) > 1:
            # Given that the rule exists the controls' means are no longer known.
            mean[cell], se[cell] = kept.mean(axis=0), kept.std(axis=0, ddof=1) / np.sqrt(len(kept))
    return Measured(mean, se, _predicted(unit), len(found), (~whole).sum(axis=0))


def measured(lab: Lab, case: Case) -> dict[int, dict[str, Measured]]:
    """What a case measures, by size and loss; once in a laboratory."""

    def compute() -> dict[int, dict[str, Measured]]:
        steps = case.steps[lab.preset.name].items()
        return {size: _size(lab, case, size, replicates) for size, replicates in steps}

    return lab.recall(f"wide {case.name}", compute)
