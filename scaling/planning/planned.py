"""A whole plan on arrays: no files, no pictures, well under half a second for a few hundred rows."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from scaling.planning import calibration, logistic
from scaling.planning.bias import Quality, quality
from scaling.planning.calibration import Measures
from scaling.planning.choice import Choice, Line, choose, line
from scaling.planning.curve import Curve, curve
from scaling.planning.paths import (
    LARGEST,
    REWEIGHT,
    Paths,
    budgets_of,
    deficits,
    walk,
    weights,
)
from scaling.planning.pools import Source
from scaling.planning.strength import Strength, choose_ridge
from scaling.planning.symmetry import Symmetry, symmetry_test
from scaling.planning.table import Table, folds_of

# Ten folds waste the fewest rows; large tables can spare them.
FOLDS = ((5_000, 10), (50_000, 5), (np.inf, 3))


class Calibration(NamedTuple):
    """At ``ratio``: measures ``before`` and ``after`` taking ``shift`` off the log odds, and of the rule
    without rows, ``none``."""

    ratio: float
    shift: float
    before: Measures
    after: Measures
    none: Measures


class Planned(NamedTuple):
    """Everything a plan finds; ``total``: rows of full balancing, which ratio 1 means."""

    total: int
    strength: Strength
    paths: Paths
    curve: Curve
    line: Line
    choice: Choice
    symmetry: Symmetry
    quality: Quality | None
    calibration: Calibration


def fold_count(counts: np.ndarray) -> int:
    """Folds: ten, fewer for large tables, no more than the smallest group has rows."""
    most = next(folds for rows, folds in FOLDS if counts.sum() <= rows)
    return int(min(most, counts.min()))


def plan_table(
    table: Table, source: Source, seed: int = 0, largest: float = LARGEST, share: float = 1.0
) -> Planned:
    """The plan of a table for one source of synthetic rows.

    Args:
        table: rows in an order that hangs on their content alone (`canonical_order`), so that the
            plan does not hang on that of a file.
        source: where synthetic rows come from (`scaling.planning.pools`).
        seed: of folds, pools and intervals.
        largest: the largest ratio looked at.
        share: of the rows there are, if ``table`` is a sample of them: variances, of order 1/n, are
            then those of all rows.
    """
    counts = table.counts
    wanted = deficits(counts)
    fold = folds_of(table.group, fold_count(counts), seed)
    strength = choose_ridge(table, fold, seed)
    budgets = budgets_of(counts, largest)
    paths = walk(table, fold, source, budgets, strength.rows(len(budgets)), seed)
    found = curve(paths, table)
    if source.weights:
        found = found._replace(
            predicted=found.predicted - found.draws, draws=np.zeros(len(budgets))
        )
    found = _of_all(found, share)
    along = line(found, counts, counts[wanted > 0].sum() / wanted.sum())
    best = choose(found, along, counts, seed)
    return Planned(
        round(wanted.sum() / share),
        strength._replace(ridge=strength.ridge * share),
        paths,
        found,
        along,
        best,
        symmetry(paths, table),
        quality(paths, table, source, seed),
        calibrate(paths, table, along, best.ratio),
    )


def _of_all(found: Curve, share: float) -> Curve:
    """The curve of 1/share as many rows: floors stay, variances fall."""
    if share == 1.0:
        return found
    less = (1.0 - share) * found.variance
    return found._replace(
        predicted=found.predicted - less,
        seeds=share * found.seeds,
        draws=share * found.draws,
        wander=share * found.wander,
    )


def symmetry(paths: Paths, table: Table) -> Symmetry:
    """The test of local symmetry at the reweighted rule of all rows."""
    train, theta = paths.train, paths.whole[-1]
    plain = weights(train.group, table.counts, train.pool, REWEIGHT)[: len(train.x)]
    groups = len(table.labels)
    hessians = []
    for k in range(groups):
        own = train.group == k
        rows = train.x[own], table.y[own], groups * plain[own]
        hessians.append(logistic.derivatives(*rows, theta)[2])
    scores = train.x * (expit(train.x @ theta) - table.y)[:, None]
    # A column that never varies has no part in the test.
    kept = np.append((train.x[:, :-1] != 0.0).any(axis=0), True)
    ridge = logistic.penalty(paths.ridge, int(kept.sum()))
    few = np.stack(hessians)[:, kept][:, :, kept]
    return symmetry_test(scores[:, kept], train.group, few, ridge, True)


def calibrate(paths: Paths, table: Table, along: Line, best: float) -> Calibration:
    """Calibration of the held-out log odds at the best ratio, or where that is 0 at full balancing."""
    ratio = best if best > 0.0 else float(min(1.0, along.ratio[-1]))
    place = int(np.argmin(np.abs(along.ratio - ratio)))
    score = paths.score @ along.map[place]
    shift = calibration.prior_shift(
        table.counts, along.ratio[place] * deficits(table.counts), table.labels
    )
    return Calibration(
        float(along.ratio[place]),
        shift,
        calibration.measures(score, table.y),
        calibration.measures(score - shift, table.y),
        calibration.measures(paths.score[:, 0], table.y),
    )
