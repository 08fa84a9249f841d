"""Exact quantities of every cell of a unit of tokens: what predictions and control variates are made of.

A sample's score at the training mixture's minimiser is a sum of independent terms, mean 0, plus O(1/n):

    raw row x of group g        psi_g(x) = (w + W a/n)(s_g(x) - E s_g) + (W/n) J_g (u_x - mu_g)
    synthetic row z, given Q    weight (s_g(z) - E_Q s_g)

with w the weight of a raw row, W that of all synthetic rows of the group, J_g the derivative of E_Q s_g in
the mean of the raw rows' embeddings, and a the share of Q that repeats them: a row that the generator has
seen moves the rule twice. Source: paper_notes/transformers_sweeps.md.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from simulations import linear
from simulations.arrays import AnyArray
from simulations.compilation import quick_jit
from simulations.population.losses import LOGISTIC
from simulations.population.minimisers import ridge_matrix
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.token_sweeps.cells import Weights, acts, check_size, padded, places, weights_of
from simulations.token_sweeps.endless import Pieces, pieces
from simulations.token_sweeps.world import TokenWorld, token_world
from simulations.tokens import classifier

FLAT = (
    "setting.latent_norm: the groups hardly overlap, so that a training mixture's risk is too flat for"
    " double precision to find its minimiser; lower latent_norm or latent_angle."
)


class CellPopulation(NamedTuple):
    """Of each cell, with F = 2K functionals (risks, then errors): minimiser ``theta (p,)`` of the training
    mixture, ``inverse (p, p)`` Hessian, ``bias (p,)`` and ``spread (p, p)`` of the fitted rule, and of it
    the part ``raw_spread`` that raw rows make; derivatives ``gradients (F, p)``, ``hessians (F, p, p)`` of
    the functionals (errors: of their means over the rule's normal law); ``direct (K,)`` and ``seeds
    (K, p, R)``: what a raw row and its embedding move; ``score (K, p)``: means of raw rows' scores;
    ``floor (F,)``, ``variance (F,)`` and ``shift (F,)``, what the bias adds; ``converged``."""

    theta: AnyArray
    inverse: AnyArray
    bias: AnyArray
    spread: AnyArray
    raw_spread: AnyArray
    gradients: AnyArray
    hessians: AnyArray
    direct: AnyArray
    seeds: AnyArray
    score: AnyArray
    floor: AnyArray
    variance: AnyArray
    shift: AnyArray
    converged: AnyArray


class TokenPopulation(NamedTuple):
    """A unit's ``world``, its generator's ``pieces``, the ``weights`` and ``cells`` (a leading axis C on
    all arrays), and ``acts (K,)``. Values of replicates are excess already: ``balanced_values`` is 0."""

    world: TokenWorld
    pieces: Pieces
    weights: Weights
    cells: CellPopulation
    acts: np.ndarray

    @property
    def balanced_values(self) -> np.ndarray:
        """What is taken off the values of replicates: nothing."""
        return np.zeros(3 * len(self.acts))

    @property
    def balanced_theta(self) -> np.ndarray:
        """The minimiser of the balanced risk, ``(p,)``."""
        return self.world.best


def excess(points: Array, theta: Array, best: Array, laws: Array, labels: Array) -> Array:
    """Excess risks and 0-1 errors of every group, F = 2K functionals of a rule.

    Args:
        points: ``x~``, ``(D, p)``.
        theta, best: the rule, and the one its risks are compared with, ``(p,)``.
        laws: of the groups, ``(K, D)``.
        labels: of the groups, ``(K,)``, 0 or 1.

    Returns:
        ``(2K,)``: ``R_g(theta) - R_g(best)`` in nats, then errors in [0, 1].
    """
    risks = classifier.excess_risks(points, theta, best, laws, labels)
    return jnp.concatenate([risks, classifier.group_errors(points, theta, laws, labels)])


@partial(quick_jit, once=True)
def _expand(
    points: Array,
    laws: Array,
    labels: Array,
    best: Array,
    given: Pieces,
    counts: Array,
    weights: Weights,
    penalty: Array,
) -> CellPopulation:
    groups, dim = len(labels), points.shape[1] - 1

    def one(cell: Weights) -> CellPopulation:
        mixture = (cell.raw * counts)[:, None] * laws + cell.total[:, None] * given.law
        ones, zeros = labels @ mixture, (1.0 - labels) @ mixture
        fitted = classifier.fit(points, ones, zeros, best, penalty)
        theta = fitted.theta
        u = points @ theta
        curve = LOGISTIC.second(u, jnp.zeros(()))
        inverse = linear.inverse(points.T @ (points * ((ones + zeros) * curve)[:, None]) + penalty)
        raw = jnp.zeros_like(inverse)
        synthetic, moved = jnp.zeros_like(inverse), jnp.zeros_like(theta)
        scores, seeds = [], []
        direct = cell.raw + cell.total * given.part / counts
        for g in range(groups):
            first = LOGISTIC.first(u, labels[g])
            score = (laws[g] * first) @ points
            rows = points * first[:, None]
            seed = (cell.total[g] / counts[g]) * (given.slope[g] @ rows).T
            psi = direct[g] * (rows - score[None])
            psi = psi + (points[:, :dim] - given.mean[g][None]) @ seed.T
            raw = raw + counts[g] * (psi * laws[g][:, None]).T @ psi
            # How raw rows bend the score that they move.
            turned = (points * (psi @ inverse)).sum(axis=1)
            moved = moved + counts[g] * direct[g] * (laws[g] * curve * turned) @ points
            apart = (laws[g][:, None] * (points[:, :dim] - given.mean[g][None])).T @ psi
            along = (points * ((given.slope[g].T @ apart) @ inverse)).sum(axis=1)
            moved = moved + cell.total[g] * (curve * along) @ points
            # Synthetic rows, given their law; then what the mean of their law is off by.
            law, drawn = given.law[g], (given.law[g] * first) @ points
            centred = rows - drawn[None]
            synthetic = synthetic + cell.squared[g] * (centred * law[:, None]).T @ centred
            turned = (points * (centred @ inverse)).sum(axis=1)
            moved = moved + cell.squared[g] * (law * curve * turned) @ points
            moved = moved - cell.total[g] * (given.bend[g] * first) @ points
            scores.append(score)
            seeds.append(seed)
        raw_spread = inverse @ raw @ inverse
        spread = raw_spread + inverse @ synthetic @ inverse
        third = (ones + zeros) * LOGISTIC.third(u, jnp.zeros(()))
        square = (points * (points @ spread)).sum(axis=1)
        bias = inverse @ (moved - 0.5 * (third * square) @ points)
        sd = jnp.sqrt(square)
        z, density = u / sd, jnp.exp(-0.5 * (u / sd) ** 2) / jnp.sqrt(2.0 * jnp.pi)
        sign = 1.0 - 2.0 * labels
        slopes = sign[:, None] * ((laws * (density / sd)[None]) @ points)
        bends = jnp.stack(
            [points.T @ (points * (laws[g] * -z * density / sd**2)[:, None]) for g in range(groups)]
        )
        risk_bends = jnp.stack(
            [points.T @ (points * (laws[g] * curve)[:, None]) for g in range(groups)]
        )
        floor = excess(points, theta, best, laws, labels)
        above = jax.scipy.special.ndtr(sign[:, None] * z[None])
        smooth = (laws * above).sum(axis=1) - floor[groups:]
        # The rule normal around theta + bias: a derivative along the bias would leave [0, 1].
        moved_on = jax.scipy.special.ndtr(sign[:, None] * (z + (points @ bias) / sd)[None])
        traces = 0.5 * (risk_bends * spread[None]).sum(axis=(1, 2))
        return CellPopulation(
            theta,
            inverse,
            bias,
            spread,
            raw_spread,
            jnp.concatenate([jnp.stack(scores), slopes]),
            jnp.concatenate([risk_bends, sign[:, None, None] * bends]),
            direct,
            jnp.stack(seeds),
            jnp.stack(scores),
            floor,
            jnp.concatenate([traces, smooth]),
            jnp.concatenate([jnp.stack(scores) @ bias, (laws * (moved_on - above)).sum(axis=1)]),
            fitted.converged,
        )

    return lax.map(one, weights)


def token_population(unit: Unit) -> TokenPopulation:
    """Exact population of every cell of a unit.

    Args:
        unit: one generator of a sweep of tokens, C cells.

    Returns:
        `TokenPopulation`, NumPy arrays.

    Raises:
        InputError: rows too many to be listed, or a risk too flat for its minimiser to be found.

    When not to trust it: few rows per feature (`CellPopulation.bias` and ``spread`` are of first order).

    Source: paper_notes/transformers_sweeps.md, section 1.
    """
    check_size(unit)
    return population_of(unit, token_world(unit.sweep.setting))


def population_of(unit: Unit, here: TokenWorld) -> TokenPopulation:
    """`token_population` for given arrays ``here`` of the setting: K groups over D rows."""
    acting = acts(unit)
    given = pieces(unit.generator, here, acting, unit.counts)
    weights = weights_of(unit.cells)
    size = here.points.shape[1]
    penalty = np.asarray(ridge_matrix(size, unit.sweep.estimator.ridge, True))
    found = _expand(
        here.points,
        here.laws,
        here.labels.astype(float),
        here.best,
        given,
        unit.counts.astype(float),
        padded(weights, places(len(unit.cells))),
        penalty,
    )
    cells = CellPopulation(*(np.asarray(part)[: len(unit.cells)] for part in found))
    if not cells.converged.all():
        raise InputError(FLAT)
    return TokenPopulation(here, given, weights, cells, acting)
