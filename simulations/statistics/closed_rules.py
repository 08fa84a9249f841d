"""Rules in closed form of the cells of a tile, with their control variates, from the moments.

For the squared loss gradient and Hessian of the sample at the population minimiser are
``2 (A theta - b) + penalty theta`` and ``2 A + penalty``, with ``A`` and ``b`` the second moments of
``x`` and of ``x, y``; the control variates are then those of any loss. Those of a plug-in rule are

    g'd      d' H_F d / 2      g'd2

with the two terms ``d``, ``d2`` of its own expansion (`simulations.population.plugins`), whose means are
exact.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from simulations import linear
from simulations.population.gaussian import Atoms
from simulations.population.plugins import PLUGINS, Plugin, plugged
from simulations.sampling.controls import (
    Control,
    control_variates,
    known,
    less_means,
    linear_estimate,
)
from simulations.sampling.newton import FOUND, SINGULAR, Fit
from simulations.sampling.rooms import TILE


class Given(NamedTuple):
    """What the rules of one tile take of the population: ``plugin`` is ``None`` for the squared loss;
    ``spanned (TILE,)`` says for which cells there are rows enough."""

    control: Control
    plugin: Plugin | None
    spanned: Array
    atoms: Atoms
    groups: Atoms
    penalty: Array


class Found(NamedTuple):
    """Of the cells of a tile: ``theta (TILE, p)``, ``linear (TILE, p)`` (mean exactly 0), ``controls
    (TILE, J, F)`` less their means and ``status (TILE,)``."""

    theta: Array
    linear: Array
    controls: Array
    status: Array


def _squared(given: Given, moments: Array) -> tuple[Array, Array, Array]:
    size = given.penalty.shape[0]
    total, target = moments.sum(axis=1)[:, :size, :size], moments[:, 1, :size, -1]
    start = given.control.expansions.minimiser.theta
    hessian = 2.0 * total + given.penalty[None]
    score = jnp.einsum("cij,cj->ci", hessian, start) - 2.0 * target
    status = jnp.zeros(TILE, jnp.int8)
    fitted = Fit(start - linear.solve(hessian, score), score, hessian, status)
    controls = control_variates(given.control, given.atoms, given.groups, fitted)
    return fitted.theta, linear_estimate(given.control, fitted), controls


def plugin_controls(control: Control, first: Array, second: Array) -> Array:
    """The three control variates less their means, and a zero in the place of the cubic one."""
    measured = control.measured
    pieces = [
        jnp.einsum("cfi,ci->cf", measured.gradients, first),
        0.5 * jnp.einsum("cfij,ci,cj->cf", measured.hessians, first, first),
        jnp.einsum("cfi,ci->cf", measured.gradients, second),
    ]
    pieces.append(jnp.zeros_like(pieces[0]))
    return less_means(control, pieces)


def solve_tile(kind: str, dim: int, given: Given, moments: Callable[[Array], Array]) -> Found:
    """The rules of one tile in ``dim`` dimensions; ``moments`` maps centres ``(TILE, 2, dim)`` to the
    moments about them, ``(TILE, 2, dim + 1, dim + 1)``."""
    if given.plugin is None:
        centre = jnp.zeros((TILE, 2, dim))
        theta, linear_part, controls = _squared(given, moments(centre))
    else:
        at, pooled = given.plugin, PLUGINS[kind]
        theta, linear_part, second = lax.map(
            lambda cell: plugged(pooled, *cell), (at, moments(at.centre))
        )
        controls = plugin_controls(given.control, linear_part, second)
        linear_part = known(given.control, linear_part)
    solved = jnp.isfinite(theta).all(axis=1) & given.spanned
    status = jnp.where(solved, jnp.int8(FOUND), jnp.int8(SINGULAR))
    return Found(theta, linear_part, controls, status)
