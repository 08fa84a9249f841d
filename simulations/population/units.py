"""Units: all cells of one generator at one set of counts, with their exact population.

A unit is what the theory and the Monte Carlo work on: its cells share the setting, the
counts, the estimator and the random numbers, and differ in their row weights only.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import draws
from simulations.arrays import AnyArray, AnyLaws
from simulations.compilation import quick_jit
from simulations.population import fitted_gaussian, functionals, node_expansion, sandwich
from simulations.population.cells import Cell, components, groups_of, unit_cells
from simulations.population.coupling import Coupling
from simulations.population.fitted import FittedGaussian, Tally, blank, fitted_in, has_theory
from simulations.population.functionals import Functionals
from simulations.population.gaussian import Atoms, project
from simulations.population.losses import RISKS, Loss
from simulations.population.minimisers import ridge_matrix
from simulations.population.nodes import Table
from simulations.population.plugin_expansion import plugin_expansion
from simulations.population.plugins import PLUGINS
from simulations.population.quadrature import Grid, gaussian_grid
from simulations.population.sandwich import Components, Sandwich
from simulations.population.third_order import LARGEST_TENSOR, cubic_mean, third_order
from simulations.problems import InputError
from simulations.setup.regimes import is_proportional, is_tokens
from simulations.setup.worlds import World, world

# What a row of a table may measure; tokens also have the divergence of a generator's law from the group's.
METRICS, KL = ("excess_risk", "error"), "kl"
# Cells whose population is found by one call: one compiled program for any number of cells.
BATCH = 8
# Spread of the score that the first grid is made for; most settings stay below.
FIRST_SPREAD = 4.0
# A score spread beyond this is no statistical problem any more; the grid stays affordable.
LARGEST_SD = 512.0
FLAT = (
    "setting: the groups hardly overlap, so that the balanced risk (the reference of every excess"
    " risk) or a training mixture's is too flat for double precision to find its minimiser;"
    " bring the group means closer or widen the covariances."
)
FLAT_CRAFT = (
    "setting.noise: so little noise leaves the balanced risk (the reference of every excess risk) or a"
    " training mixture's too flat for double precision to find its minimiser; raise setting.noise."
)


class Unit(NamedTuple):
    """``generator`` is the generator's spec, ``counts (K,)``; ``sweep`` the resolved configuration.

    ``groups``, ``components`` and ``penalty`` are laws as matrices of all features; in the proportional
    regime and for tokens, which have no use for them, they are ``None`` (`simulations.wide`,
    `simulations.token_sweeps`)."""

    sweep: Any
    generator: Any
    world: World
    counts: np.ndarray
    cells: list[Cell]
    loss: Loss
    groups: AnyLaws
    components: Any
    penalty: AnyArray


class UnitPopulation(NamedTuple):
    """Exact quantities of ``C`` cells with parameters in ``R^p`` and ``F = 2K`` functionals.

    ``expansions``: the sandwich of every cell, a leading axis C on all its arrays; ``measured``: the
    functionals' ``values (C, F)``, ``gradients (C, F, p)``, ``hessians (C, F, p, p)`` at
    its ``theta``; ``cubic_mean (C, F)`` is the exact mean of the cubic control variate (zero where p
    is too large for it, see `simulations.population.third_order`); ``balanced_theta (p,)`` and the
    functionals' ``balanced_values (F,)`` there; ``grid`` fits the scores met.

    ``coupling``, for generators of kind ``gaussian`` and M-estimators: what couples their rows to rows of
    the right law. ``has_theory (C,)`` is false where no expansion is known (rows of ``smote``): spread,
    bias and score covariance are NaN there. With a fitted generator ``cubic_mean`` is zero: not known.
    """

    expansions: Sandwich
    measured: Functionals
    cubic_mean: AnyArray
    balanced_theta: AnyArray
    balanced_values: AnyArray
    grid: Grid
    coupling: Coupling | None
    has_theory: AnyArray

    @property
    def theta(self) -> AnyArray:
        """The training mixtures' minimisers ``(C, p)``."""
        return self.expansions.minimiser.theta


def metrics_of(sweep: Any) -> tuple[str, ...]:
    """What is measured of every cell and group of a sweep."""
    return (*METRICS, KL) if is_tokens(sweep) else METRICS


def make_unit(sweep: Any, generator: Any) -> Unit:
    """The unit of one generator of a resolved sweep (one without swept lists)."""
    this_world = world(sweep.setting)
    counts = np.array([sweep.counts[name] for name in this_world.names], dtype=np.int64)
    intercept = sweep.estimator.intercept
    cells = unit_cells(generator, counts, sweep.synthetic)
    common = (sweep, generator, this_world, counts, cells, RISKS[sweep.estimator.kind])
    if is_proportional(sweep) or is_tokens(sweep):
        return Unit(*common, groups=None, components=None, penalty=None)
    groups = groups_of(this_world, intercept)
    return Unit(
        *common,
        groups,
        components(generator, this_world, counts, cells, intercept),
        ridge_matrix(groups.means.shape[-1], sweep.estimator.ridge, intercept),
    )


def key_words(unit: Unit) -> np.ndarray:
    """The two words of the key of all samples of a unit."""
    setting = unit.sweep.setting.model_dump(mode="json")
    return draws.sample_key(unit.sweep.run.seed, setting, unit.counts)


@partial(quick_jit, once=True, static_argnames=("loss", "kind"))
def _expand(
    loss: Loss, kind: str, parts: Components, penalties: Array, groups: Atoms | Table, grid: Grid
) -> tuple[Any, Any, Array, Array, Any]:
    """Sandwich, functionals, cubic means, largest score spread and coupling of every cell; one penalty
    per cell."""

    def one(cell: tuple[Any, ...]) -> tuple[Any, Any, Array, Array, Any]:
        *weights, penalty, tally = cell
        here = None if tally is None else parts.fitted._replace(tally=tally)
        weighted = Components(parts.atoms, parts.mixing, *weights, fitted=here)
        if isinstance(groups, Table):
            # A table needs no grid: no score is too wide for it.
            expanded = node_expansion.expand(loss, weighted, penalty, groups, grid)
            return *expanded, jnp.zeros(()), None
        if kind in PLUGINS:
            # Rows have squared weights; the balanced risk, the reference, has none.
            result = lax.cond(
                weighted.squared_weight.sum() > 0.0,
                lambda: plugin_expansion(PLUGINS[kind], weighted, grid),
                lambda: sandwich.sandwich(loss, weighted._replace(fitted=None), penalty, grid),
            )
        else:
            result = sandwich.sandwich(loss, weighted, penalty, grid)
        theta = result.minimiser.theta
        sd = jax.vmap(lambda law: project(theta, law).sd)(parts.atoms)
        measured = functionals.functionals(loss, theta, groups, grid)
        if len(theta) > LARGEST_TENSOR or kind in PLUGINS or here is not None:
            coupling = None
            if isinstance(here, FittedGaussian) and kind not in PLUGINS:
                coupling = fitted_gaussian.coupling(loss, theta, here, grid)
            return result, measured, jnp.zeros(len(measured.values)), sd.max(), coupling
        third = third_order(loss, weighted, result, grid)
        return result, measured, cubic_mean(third, measured, groups), sd.max(), None

    weights = (parts.total_weight, parts.squared_weight, parts.cubed_weight)
    tally = None if parts.fitted is None else parts.fitted.tally
    return lax.map(one, (*weights, penalties, tally))


def _batches(unit: Unit) -> Iterator[tuple[Components, np.ndarray, int]]:
    """The unit's cells, ``BATCH - 1`` at a time, with their penalties and their number.

    Every batch ends with the balanced risk itself as one more cell, repeated to fill it, so that
    one compiled program serves every number of cells.
    """
    parts, groups = unit.components, len(unit.world.names)
    balanced = np.repeat([[1.0 / groups, 0.0]], groups, axis=1)

    def filled(weights: np.ndarray, taken: slice, rest: np.ndarray) -> np.ndarray:
        return np.concatenate([weights[taken], rest])

    for first in range(0, len(unit.cells), BATCH - 1):
        taken = slice(first, first + BATCH - 1)
        count = len(unit.cells[taken])
        rest = np.repeat(balanced, BATCH - count, axis=0)
        penalties = np.zeros((BATCH, *unit.penalty.shape))
        penalties[:count] = unit.penalty
        batch = parts._replace(
            total_weight=filled(parts.total_weight, taken, rest),
            squared_weight=filled(parts.squared_weight, taken, rest),
            cubed_weight=filled(parts.cubed_weight, taken, rest),
        )
        if parts.fitted is not None:
            none = blank(parts.fitted.tally, BATCH - count)
            tally = [filled(a, taken, b) for a, b in zip(parts.fitted.tally, none, strict=True)]
            batch = batch._replace(fitted=parts.fitted._replace(tally=Tally(*tally)))
        yield batch, penalties, count


def unit_population(unit: Unit) -> UnitPopulation:
    """Exact population of every cell; the grid is refined until it fits the scores met.

    Args:
        unit: one generator of a sweep with all its cells, of `make_unit`.

    Raises:
        InputError: the groups hardly overlap: the risks are then so flat that double precision cannot
            find their minimisers.
    """
    supported = FIRST_SPREAD
    while True:
        grid = gaussian_grid(supported)
        parts = [
            (
                jax.device_get(
                    _expand(
                        unit.loss, unit.sweep.estimator.kind, batch, penalties, unit.groups, grid
                    )
                ),
                count,
            )
            for batch, penalties, count in _batches(unit)
        ]
        needed = max(float(np.max(sd)) for (_, _, _, sd, _), _ in parts)
        if needed <= supported:
            break
        if not needed <= LARGEST_SD:
            raise InputError(FLAT)
        supported = 2.0 ** np.ceil(np.log2(needed))

    def cells(position: int) -> Any:
        kept = [jax.tree.map(lambda a, n=n: a[:n], found[position]) for found, n in parts]
        return jax.tree.map(lambda *arrays: np.concatenate(arrays), *kept)

    (last, last_measured, *_), _ = parts[-1]
    expansions = cells(0)
    if not (expansions.minimiser.converged.all() and last.minimiser.converged[-1]):
        raise InputError(FLAT if unit.world.law is None else FLAT_CRAFT)
    known = np.full(len(unit.cells), True)
    if not has_theory(unit.generator):
        known = ~fitted_in(unit.generator, unit.world, unit.cells).any(axis=1)

    def where_known(values: Any) -> np.ndarray:
        return np.where(known.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)

    expansions = expansions._replace(
        score_covariance=where_known(expansions.score_covariance),
        spread=where_known(expansions.spread),
        bias=where_known(expansions.bias),
    )
    return UnitPopulation(
        expansions,
        cells(1),
        cells(2),
        last.minimiser.theta[-1],
        last_measured.values[-1],
        grid,
        cells(4),
        known,
    )
