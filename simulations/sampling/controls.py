"""Control variates: what follows the functional of a fitted rule term by term, with a known mean.

At the population minimiser let ``A`` be the inverse Hessian and ``T`` the third derivative of the
training mixture's risk, and ``g``, ``H_F``, ``T_F`` the derivatives of a functional. From the score and
the Hessian of the sample there,

    d = -A score,    d2 = -A ((sample Hessian - H) d + T[d, d]/2),

and four control variates have a mean that is known exactly at every sample size
(paper_notes/excess_risk.md, section 6):

    g'd      d' H_F d / 2      g'd2      d' H_F d2 + T_F[d, d, d]/6

Where rows are fitted to others the first two only are known, and a fitted Gaussian needs a coupled
score for them (`simulations.sampling.prepared`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulations.arrays import AnyArray
from simulations.linear import times
from simulations.population import cubic, functionals, sandwich
from simulations.population.coupling import Coupling
from simulations.population.fitted import fitted_in
from simulations.population.functionals import Functionals
from simulations.population.gaussian import Atoms
from simulations.population.minimisers import Minimiser
from simulations.population.nodes import Table
from simulations.population.plugins import PLUGINS
from simulations.population.sandwich import Sandwich
from simulations.population.third_order import LARGEST_TENSOR
from simulations.population.units import Unit, UnitPopulation
from simulations.sampling.layout import fitted_of
from simulations.sampling.newton import Fit
from simulations.sampling.rooms import TILE, Room
from simulations.sampling.segments import tiled

CONTROLS = 4


class Control(NamedTuple):
    """What the fit and the control variates need of the population, the cells laid out in tiles:
    every array has leading axes ``(T, TILE)``. ``mean (T, TILE, CONTROLS, F)``: the exact means, NaN
    where none is known; ``coupling`` is ``None`` where the score itself is the control's."""

    expansions: Sandwich
    measured: Functionals
    mean: AnyArray
    coupling: Coupling | None


def make_control(unit: Unit, population: UnitPopulation, cells: np.ndarray) -> Control:
    """The controls of these cells ``(T * TILE,)`` of a unit."""
    expansions, measured = population.expansions, population.measured
    mean = np.stack(
        [
            np.zeros(measured.values.shape),
            0.5 * np.einsum("cfij,cij->cf", measured.hessians, expansions.spread),
            np.einsum("cfi,ci->cf", measured.gradients, expansions.bias),
            population.cubic_mean,
        ],
        axis=1,
    )
    laid_out = tiled(Control(expansions, measured, mean, population.coupling), cells)
    exact = _exact(unit, cells).reshape(*laid_out.mean.shape[:3], 1)
    return laid_out._replace(mean=np.where(exact, laid_out.mean, np.nan))


def _is_coupled(unit: Unit) -> bool:
    """Whether the control variates see another score than the sample's own."""
    gaussian = unit.generator.kind == "gaussian" and bool(fitted_of(unit).any())
    return gaussian and unit.sweep.estimator.kind not in PLUGINS


def _exact(unit: Unit, cells: np.ndarray) -> np.ndarray:
    """Which control variates of these cells ``(C,)`` have a mean that is known exactly, ``(C, CONTROLS)``.

    Rows that are fitted to others are not independent: means of the first two only are known, and
    none of plug-in rules or of smote, whose rows have no known law. In the units of such generators the
    cubic one's mean is not computed, even for cells without their rows.
    """
    if not fitted_of(unit).any():
        return np.full((len(cells), CONTROLS), True)
    holds = np.any(np.asarray(fitted_in(unit.generator, unit.world, unit.cells))[cells], axis=1)
    known = unit.generator.kind != "smote" and unit.sweep.estimator.kind not in PLUGINS
    fitted = np.array([known, known, False, False])
    return np.where(holds[:, None], fitted[None], np.array([True, True, True, False])[None])


def blank_control(unit: Unit, size: Room) -> Control:
    """A control of the right shapes, to compile with before the population is known."""
    groups, features = unit.groups.means.shape
    atoms, measures = len(unit.components.atoms.labels), 2 * groups

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros((size.tiles, TILE, *shape))

    vector, matrix = zeros(features), zeros(features, features)
    bends = (zeros(atoms, 4), zeros(atoms, features)), (zeros(measures, 4), zeros(groups, features))
    if isinstance(unit.groups, Table):
        cube = (features, features, features)
        bends = (zeros(*cube), None), (zeros(measures, *cube), None)
    dim = unit.world.means.shape[1]
    coupling = Coupling(
        zeros(groups),
        zeros(groups, features, dim),
        zeros(groups, features),
        zeros(groups),
        zeros(dim),
        zeros(),
    )
    return Control(
        Sandwich(
            Minimiser(vector, zeros(), zeros() > 0.0),
            *(matrix, matrix, matrix, matrix),
            *(vector, *bends[0]),
        ),
        Functionals(
            zeros(measures),
            zeros(measures, features),
            zeros(measures, features, features),
            *bends[1],
        ),
        zeros(CONTROLS, measures),
        coupling if _is_coupled(unit) else None,
    )


def linear_estimate(control: Control, fitted: Fit) -> Array:
    """``d = -A score`` of every cell, ``(TILE, p)``: the first-order error of the estimator."""
    return known(control, -times(control.expansions.inverse, fitted.score))


def known(control: Control, first_order: Array) -> Array:
    """First-order errors ``(TILE, p)``, NaN in cells where their mean is not known to be zero."""
    return jnp.where(jnp.isfinite(control.mean[:, 0, :1]), first_order, jnp.nan)


def third_along(expansions: Sandwich, atoms: Atoms | Table, directions: Array) -> Array:
    """``T[d]`` of every cell, ``(TILE, p, p)``, for directions ``d (TILE, p)``."""
    if isinstance(atoms, Table):
        return jnp.einsum("cijk,ck->cij", expansions.curvature, directions)

    def one(expansion: Sandwich, direction: Array) -> Array:
        forms = sandwich.forms(expansion, atoms)
        return jax.vmap(lambda form: cubic.along(form, direction))(forms).sum(axis=0)

    return jax.vmap(one)(expansions, directions)


def control_variates(
    control: Control, atoms: Atoms | Table, groups: Atoms | Table, fitted: Fit
) -> Array:
    """The control variates less their means, ``(TILE, CONTROLS, F)``, of the cells of a tile."""
    expansions, measured = control.expansions, control.measured
    d = linear_estimate(control, fitted)
    bend = third_along(expansions, atoms, d)
    turned = times(fitted.hessian - expansions.hessian + 0.5 * bend, d)
    d2 = -times(expansions.inverse, turned)
    curved = times(measured.hessians, d[:, None, :])
    pieces = [
        times(measured.gradients, d),
        0.5 * times(curved, d),
        times(measured.gradients, d2),
    ]
    if d.shape[1] > LARGEST_TENSOR:
        pieces.append(jnp.zeros_like(pieces[0]))
    else:

        def cubes(at: Functionals, direction: Array) -> Array:
            return functionals.cubes(at, groups, direction)

        pieces.append(times(curved, d2) + jax.vmap(cubes)(measured, d) / 6.0)
    return less_means(control, pieces)


def less_means(control: Control, pieces: list[Array]) -> Array:
    """Control variates ``(TILE, F)`` each less their means, zero where these are not known."""
    gap = jnp.stack(pieces, axis=1) - control.mean
    return jnp.where(jnp.isfinite(control.mean), gap, 0.0)
