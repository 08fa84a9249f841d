"""The ridge by cross-validated balanced loss of the reweighted rule."""

from typing import NamedTuple

import numpy as np

from scaling.planning import logistic
from scaling.planning.curve import balanced
from scaling.planning.paths import REWEIGHT, walk
from scaling.planning.pools import NOTHING
from scaling.planning.table import Table

STRONGEST, WEAKEST, POINTS = 1.0, 1e-5, 11
# Tables with more rows have their ridge chosen on so many, and scaled as 1/n.
MOST_ROWS, FEWEST = 10_000, 200


def grid(n: int) -> np.ndarray:
    """Ridges tried, from strong to weak: 1 down to 1e-5, or 1/n where that is less."""
    return np.geomspace(STRONGEST, min(WEAKEST, 1.0 / n), POINTS)


class Strength(NamedTuple):
    """``ridge`` for all rows; ``folds (F,)``: for the rules of each fold, chosen on the other folds'
    losses, so that no row's own loss has a say in the ridge it is predicted with; ``tried (2, L)``: ridges
    and their held-out balanced losses."""

    ridge: float
    folds: np.ndarray
    tried: np.ndarray

    def rows(self, budgets: int) -> np.ndarray:
        """Ridges ``(F + 1, J)`` as `walk` takes them."""
        return np.repeat(np.append(self.folds, self.ridge)[:, None], budgets, axis=1)


def choose_ridge(table: Table, fold: np.ndarray, seed: int) -> Strength:
    """The ridge with the least held-out balanced loss.

    Chosen for the reweighted rule, whose objective is the balanced risk itself; one ridge then serves every
    budget, so that budgets differ by their rows alone.

    Args:
        table: the rows.
        fold: fold ``(n,)`` in which each is held out.
        seed: of a sample, where the table is large.
    """
    n, folds = len(fold), int(fold.max()) + 1
    if n > MOST_ROWS:
        kept = sample(table.group, MOST_ROWS, seed, FEWEST)
        table = table._replace(values=table.values[kept], group=table.group[kept])
        fold = fold[kept]
    ridges = grid(len(fold))
    each = np.repeat(ridges[None], folds + 1, axis=0)
    budgets = np.full(len(ridges), REWEIGHT)
    found = walk(table, fold, NOTHING, budgets, each, seed, whole=False)
    loss = logistic.losses(found.score, table.y[:, None])
    groups, shrink = len(table.labels), min(1.0, len(fold) / n)
    mean, _ = balanced(loss, table.group, groups)
    others: list[int] = []
    for k in range(folds):
        kept = fold != k
        others.append(int(np.argmin(balanced(loss[kept], table.group[kept], groups)[0])))
    ridge = float(ridges[int(np.argmin(mean))]) * shrink
    return Strength(ridge, ridges[others] * shrink, np.array([ridges, mean]))


def sample(group: np.ndarray, size: int, seed: int, fewest: int = 0) -> np.ndarray:
    """Places of a sample that keeps the groups' shares, but at least ``fewest`` of each where there are."""
    random, kept = np.random.default_rng([seed, 99]), list[np.ndarray]()
    for k in np.unique(group):
        own = np.flatnonzero(group == k)
        wanted = min(len(own), max(round(size * len(own) / len(group)), fewest))
        kept.append(random.choice(own, wanted, replace=False))
    return np.sort(np.concatenate(kept))
