"""The problem of the size: two classes, one generator, one loss, on exact population quantities.

Four laws: raw rows of class 0 (majority) and of class 1 (minority), synthetic rows of class 1, and
synthetic rows of class 0, which only the correction through the majority uses.
"""

from typing import Any, NamedTuple

import numpy as np

from simulations.population.gaussian import Atoms, lift
from simulations.population.losses import LOSSES, Loss
from simulations.population.minimisers import ridge_matrix
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.setup.generators import (
    REWEIGHT,
    Atom,
    fits,
    padded,
    resamples,
    right_law,
    synthetic_law,
)

# The laws in order, and how many Gaussian atoms a synthetic one has room for.
RAW_0, RAW_1, SYNTHETIC_1, SYNTHETIC_0 = range(4)
ATOMS = 2


class SizeProblem(NamedTuple):
    """``atoms``: the Gaussian pieces of the four laws; ``mixing (4, L)``: each law as their mixture;
    ``counts``: raw rows ``(n_0, n_1)``; ``penalty (p, p)``: the ridge's matrix."""

    loss: Loss
    intercept: bool
    atoms: Atoms
    mixing: np.ndarray
    counts: tuple[float, float]
    penalty: np.ndarray

    @property
    def missing(self) -> float:
        """``m_b = n_0 - n_1``, the rows that balance the classes."""
        return self.counts[0] - self.counts[1]

    @property
    def groups(self) -> Atoms:
        """The laws of the two classes themselves."""
        return Atoms(*(part[:2] for part in self.atoms))

    def with_counts(self, majority: float, minority: float) -> "SizeProblem":
        """The same classes and generator at other raw counts."""
        return self._replace(counts=(float(majority), float(minority)))


def size_problem(unit: Unit) -> SizeProblem:
    """The problem of a unit: the setting, generator, counts and estimator of one sweep.

    Raises ``InputError`` unless the setting has two Gaussian groups, labelled 0 (the majority) and 1,
    and the generator writes rows of a known law. Where it does not act on the majority, synthetic
    rows of class 0 follow the right law.

    >>> from simulations.population.units import make_unit
    >>> from simulations.setup.configuration import read_sweep
    >>> sweep = read_sweep({"setting": {"kind": "imbalance", "dim": 2},
    ...                     "counts": {"majority": 200, "minority": 20}})
    >>> size_problem(make_unit(sweep, sweep.synthetic.generators[0])).missing
    180.0
    """
    world, counts, kind = unit.world, unit.counts, unit.sweep.estimator.kind
    if world.law is not None or list(world.labels) != [0, 1]:
        raise InputError(
            "setting: the size theory needs two Gaussian groups, the majority (label 0) first;"
            ' use "imbalance", or "groups" in that order.'
        )
    if kind not in LOSSES:
        raise InputError(f'estimator.kind is "{kind}"; the size theory needs one of {[*LOSSES]}.')
    spec = unit.generator
    if spec.kind == REWEIGHT or any(
        resamples(spec, world, g) or fits(spec, world, g) for g in (0, 1)
    ):
        raise InputError(
            f"generator '{spec.kind}': its rows depend on the raw rows or are none; the size theory needs"
            " a generator of known law (use synthlaw predict ratio by ratio)."
        )
    one, zero = (synthetic_law(spec, world, counts, g) for g in (1, 0))
    estimator = unit.sweep.estimator
    return problem_of_laws(
        ([right_law(world, 0)], [right_law(world, 1)], one, zero),
        (float(counts[0]), float(counts[1])),
        unit.loss,
        estimator.intercept,
        estimator.ridge,
    )


def problem_of_laws(
    laws: tuple[list[Atom], list[Atom], list[Atom], list[Atom]],
    counts: tuple[float, float],
    loss: Loss,
    intercept: bool = True,
    ridge: float = 0.0,
) -> SizeProblem:
    """The problem of any four laws, each a mixture of at most ``ATOMS`` Gaussians.

    Args:
        laws: of raw rows of class 0 and of class 1 (one Gaussian each), of synthetic rows of class 1 and
            of class 0.
        counts: raw rows ``(n_0, n_1)``, > 0.
        loss: logistic or squared.
        intercept: whether the rule has one.
        ridge: on the slopes, >= 0.
    """
    raw_0, raw_1, *synthetic = laws
    pieces = [raw_0, raw_1, *padded(list(synthetic), ATOMS)]
    atoms = [atom for law in pieces for atom in law]
    means, covariances = lift(
        np.array([a.mean for a in atoms]), np.array([a.covariance for a in atoms]), intercept
    )
    mixing = np.zeros((len(pieces), len(atoms)))
    start = 0
    for row, law in zip(mixing, pieces, strict=True):
        row[start : start + len(law)] = [a.probability for a in law]
        start += len(law)
    labels = np.array([float(a.label) for a in atoms])
    penalty = ridge_matrix(means.shape[-1], ridge, intercept)
    return SizeProblem(loss, intercept, Atoms(means, covariances, labels), mixing, counts, penalty)


def gaussian_problem(
    means: Any,
    counts: tuple[float, float],
    loss: str = "logistic",
    intercept: bool = True,
    covariance: Any = None,
    ridge: float = 0.0,
) -> SizeProblem:
    """The problem of Gaussian laws that share one covariance.

    Args:
        means: of class 0, class 1 and the synthetic rows of class 1, and, if a fourth one is given, of
            the synthetic rows of class 0, ``(3, d)`` or ``(4, d)``.
        counts: raw rows ``(n_0, n_1)``, > 0.
        loss: ``"logistic"`` or ``"squared"``.
        intercept: whether the rule has one.
        covariance: ``(d, d)``; the identity unless given.
        ridge: on the slopes, >= 0.

    >>> golden = gaussian_problem([[0, 0], [1, 0], [0.5, 0]], (20, 1), "squared", intercept=False)
    >>> golden.missing
    19.0
    """
    means = np.asarray(means, dtype=float)
    if means.ndim != 2 or len(means) not in (3, 4):
        raise InputError("means: give three or four rows, one for each law.")
    if loss not in LOSSES:
        raise InputError(f"loss is {loss!r}; choose one of {[*LOSSES]}.")
    spread = np.eye(means.shape[1]) if covariance is None else np.asarray(covariance, float)
    means = np.concatenate([means, means[:1]])[:4]
    zero, one, synthetic, other = (
        [Atom(1.0, mean, spread, label)] for mean, label in zip(means, (0, 1, 1, 0), strict=True)
    )
    pair = (float(counts[0]), float(counts[1]))
    return problem_of_laws((zero, one, synthetic, other), pair, LOSSES[loss], intercept, ridge)
