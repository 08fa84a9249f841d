"""What rows of a generator fitted to the raw rows add to the expansion of a cell.

Rows of a fitted generator are independent of nothing: they move with the raw rows they were made from.
As components (`simulations.population.sandwich`) they enter as if they were independent rows of their law;
this adds the rest: to the covariance of the sample score, to the mean of the product of the sample's
Hessian and score, and to the mean of the score (paper_notes/generators.md).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jax import Array

from simulations.arrays import AnyArray
from simulations.population.gaussian import Atoms
from simulations.setup import generators
from simulations.setup.worlds import World

# The fitted covariance is the scatter about the raw mean divided by n - LESS: 0 is maximum likelihood, 1
# makes it unbiased. It moves the second order only: by -(1 - LESS)/n of the covariance.
LESS = 1


class Tally(NamedTuple):
    """Of every group, all ``(K,)``, an axis of cells before it or not: ``raw``, the weight w of one raw
    row; ``total``, the summed weights e of its fitted rows (0 where the generator does not act);
    ``squared``, their summed squares q; ``rows``, the raw rows n.
    """

    raw: AnyArray
    total: AnyArray
    squared: AnyArray
    rows: AnyArray

    @property
    def crossed(self) -> AnyArray:
        """``2 w e + e^2/n``: what the fit adds to the squared weight of the part of a raw row that it
        sees."""
        return self.total * (2.0 * self.raw + self.total / self.rows)

    @property
    def shared(self) -> AnyArray:
        """``(e^2 - q)/n``: the squared weight of rows made of the same raw row."""
        return (self.total**2 - self.squared) / self.rows


class FittedGaussian(NamedTuple):
    """Rows of the Gaussian fitted to a group: the K right ``laws``; ``lift (p, d)``, the identity on
    the features and 0 on the intercept; ``estimated``: 1.0 where the covariance is, else 0.0;
    ``shrinkage``: n times the relative bias of the fitted covariance, to leading order."""

    laws: Atoms
    lift: AnyArray
    tally: Tally
    estimated: AnyArray
    shrinkage: AnyArray

    @property
    def widening(self) -> AnyArray:
        """n times how much wider, relative to S, the fitted rows lie about the *true* mean, on average:
        the variance 1/n of the fitted mean, less the bias of the fitted covariance."""
        return 1.0 - self.estimated * self.shrinkage


class SmoothedRows(NamedTuple):
    """Raw rows drawn again with normal noise of ``bandwidth`` times the group's spread; ``laws`` are the K
    right ones."""

    laws: Atoms
    tally: Tally
    bandwidth: AnyArray


class Joined(NamedTuple):
    """The sum over groups: what joins V ``(p, p)``; what joins the mean of (Hessian)(A score), as a
    function of A, ``(p,)``; and the mean of the score ``(p,)``."""

    covariance: Array
    products: Callable[[Array], Array]
    lean: Array


def tallies(spec: Any, world: World, cells: list[Any]) -> Tally:
    """The tally of every cell, ``(C, K)``."""
    acts = np.array([generators.fits(spec, world, g) for g in range(len(world.names))], float)
    raw = np.array([cell.row_weight for cell in cells])
    made = np.array([cell.oversampled for cell in cells], float)
    pool = np.array([[cell.augment_weight, float(cell.augment)] for cell in cells])
    weight, more = pool[:, :1], pool[:, 1:]
    return Tally(
        raw,
        acts * (raw * made + weight * more),
        acts * (raw**2 * made + weight**2 * more),
        np.array([cell.raw for cell in cells], float),
    )


def blank(tally: Tally, count: int) -> Tally:
    """The tally of ``count`` cells without fitted rows."""
    groups = tally.raw.shape[-1]
    zeros = np.zeros((count, groups))
    return Tally(zeros, zeros, zeros, np.ones((count, groups)))


def fitted_rows(
    spec: Any, world: World, laws: Atoms, cells: list[Any]
) -> FittedGaussian | SmoothedRows | None:
    """What is fitted in these cells: None where nothing is, or where no theory is known."""
    tally = tallies(spec, world, cells)
    if spec.kind == "gaussian":
        lift = np.eye(laws.means.shape[-1], world.means.shape[-1])
        estimated = np.array(float(spec.covariance == "estimated"))
        return FittedGaussian(laws, lift, tally, estimated, np.array(1.0 - LESS))
    if spec.kind == "smoothed":
        return SmoothedRows(laws, tally, np.array(float(spec.bandwidth)))
    return None


def has_theory(spec: Any) -> bool:
    """Whether an expansion is known: not of rows on the way between neighbours.

    >>> from simulations.setup.generator_specs import Oracle, Smote
    >>> has_theory(Smote(kind="smote")), has_theory(Oracle(kind="oracle"))
    (False, True)
    """
    return spec.kind not in generators.FITTED or spec.kind in ("gaussian", "smoothed")


def fitted_in(spec: Any, world: World, cells: list[Any]) -> np.ndarray:
    """Which cells hold rows of which groups made by a generator fitted to raw rows, ``(C, K)``."""
    acts = np.array([generators.fits(spec, world, g) for g in range(len(world.names))])
    rows = np.array([cell.oversampled + cell.augment for cell in cells])
    return np.asarray(acts[None] & (rows > 0))
