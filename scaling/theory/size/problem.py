"""The problem of the size: two classes, one generator, one loss, on exact population quantities.

Four laws: raw rows of class 0 (majority) and of class 1 (minority), synthetic rows of class 1, and
synthetic rows of class 0, which only the correction through the majority uses. A weighted sample of
them has a training mixture; of any number of mixtures one compiled program finds the minimisers and the
terms of the expansion there. Row numbers may be any real numbers: they enter through weights.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population import gaussian as population
from simulations.population.gaussian import Atoms, lift, project
from simulations.population.losses import LOSSES, Loss
from simulations.population.minimisers import minimise_mixture, ridge_matrix
from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.sandwich import Components, expanded_at
from simulations.population.units import FIRST_SPREAD, FLAT, LARGEST_SD, Unit
from simulations.problems import InputError
from simulations.setup.generators import Atom, padded, right_law, synthetic_law

# The laws in order, and how many Gaussian atoms a synthetic one has room for.
RAW_0, RAW_1, SYNTHETIC_1, SYNTHETIC_0 = range(4)
ATOMS = 2
# Mixtures that one call of the program takes.
BATCH = 16


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
    try:
        one, zero = (synthetic_law(unit.generator, world, counts, g) for g in (1, 0))
    except KeyError:
        raise InputError(
            f"generator '{unit.generator.kind}': its rows have no law of their own; the size theory"
            " needs a generator of known law."
        ) from None
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


class Weights(NamedTuple):
    """Of C mixtures: total and squared row weights of the four laws, ``(C, 4)`` each."""

    total: np.ndarray
    squared: np.ndarray


def size_weights(problem: SizeProblem, rows: Sequence[float] | np.ndarray) -> Weights:
    """The weights of samples with ``rows (C,)`` synthetic minority rows, all rows weighing the same."""
    rows = np.atleast_1d(np.asarray(rows, dtype=float))
    each = np.zeros((len(rows), 4))
    each[:, :2], each[:, SYNTHETIC_1] = problem.counts, rows
    whole = each.sum(axis=1, keepdims=True)
    return Weights(each / whole, each / whole**2)


BALANCED = Weights(np.array([[0.5, 0.5, 0.0, 0.0]]), np.zeros((1, 4)))


class Mixtures(NamedTuple):
    """Of C mixtures, at their minimisers ``theta (C, p)``: of the four laws ``gradients (C, 4, p)``,
    ``hessians (C, 4, p, p)`` and score second moments ``seconds (C, 4, p, p)``; balanced risk
    ``risk (C,)``; ``inverse`` and ``spread (C, p, p)``, ``bias (C, p)`` of the expansion; whether
    the point was found; ``grid`` fits the scores met."""

    theta: AnyArray
    gradients: AnyArray
    hessians: AnyArray
    seconds: AnyArray
    risk: AnyArray
    inverse: AnyArray
    spread: AnyArray
    bias: AnyArray
    found: AnyArray
    sd: AnyArray
    grid: Any = None


@partial(quick_jit, once=True, static_argnames="loss")
def _solve(
    loss: Loss,
    atoms: Atoms,
    mixing: Array,
    weights: Weights,
    penalties: Array,
    starts: Array,
    grid: Grid,
) -> Mixtures:
    def one(given: tuple[Any, Array, Array]) -> Mixtures:
        (total, squared), penalty, start = given
        parts = Components(atoms, mixing, total, squared, jnp.zeros_like(total))
        least = minimise_mixture(loss, total @ mixing, atoms, penalty, grid, start)
        theta = least.theta
        found = expanded_at(least, loss, parts, penalty, grid)

        def mixed(of: Any) -> Array:
            return jnp.tensordot(mixing, jax.vmap(lambda law: of(loss, theta, law, grid))(atoms), 1)

        risks = jax.vmap(lambda law: population.risk(loss, theta, law, grid))(atoms)
        return Mixtures(
            theta,
            mixed(population.gradient),
            mixed(population.hessian),
            mixed(population.score_second_moment),
            0.5 * (risks[0] + risks[1]),
            found.inverse,
            found.spread,
            found.bias,
            least.converged,
            jax.vmap(lambda law: project(theta, law).sd)(atoms).max(),
        )

    return lax.map(one, (weights, penalties, starts))


def mixtures(
    problem: SizeProblem,
    weights: Weights,
    starts: np.ndarray | None = None,
    penalised: bool = True,
) -> Mixtures:
    """Minimisers and expansions of C training mixtures; ``starts (C, p)`` for weights of either sign.

    A point that was not found says so in ``found``; its numbers mean nothing.
    """
    count, size = len(weights.total), problem.penalty.shape[0]
    starts = np.zeros((count, size)) if starts is None else starts
    penalties = np.tile(problem.penalty * penalised, (BATCH, 1, 1))
    supported = FIRST_SPREAD
    while True:
        grid = gaussian_grid(supported)
        parts = []
        for first in range(0, count, BATCH):
            taken = np.minimum(np.arange(first, first + BATCH), count - 1)
            given = Weights(weights.total[taken], weights.squared[taken])
            found = _solve(
                problem.loss, problem.atoms, problem.mixing, given, penalties, starts[taken], grid
            )
            parts.append(
                jax.tree.map(
                    lambda a, n=count - first: np.asarray(a)[:n], found._replace(grid=None)
                )
            )
        whole = Mixtures(
            *(np.concatenate(all_) for all_ in zip(*(p[:-1] for p in parts), strict=True))
        )
        needed = float(np.max(whole.sd[whole.found], initial=0.0))
        if needed <= supported:
            return whole._replace(grid=grid)
        if not needed <= LARGEST_SD:
            raise InputError(FLAT)
        supported = 2.0 ** np.ceil(np.log2(needed))
