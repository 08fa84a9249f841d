"""Predictions of a sweep in the token world: floor + variance + second order, exact at the setting's table.

    excess risk   R_g(theta_mix) - R_g(theta_bal) + (1/2) tr(H_g M) + g_g'bias + O(n^-2)
    error         sum_j P_g(j) Pr(the rule errs on row j), the rule normal around theta_mix + bias
    kl            KL(P||Q) at endless rows + what the n rows' own noise adds, to first order in 1/n

M and the bias hold that the generator has seen the very rows that are trained on. Source:
paper_notes/transformers_sweeps.md.
"""

from typing import Any

import numpy as np

from scaling.theory.expansion import ROUNDING, Expansion, without_rounding
from scaling.theory.tokens import histogram
from simulations.token_sweeps.population import TokenPopulation


def expansion(population: TokenPopulation, generator: Any, counts: np.ndarray) -> Expansion:
    """The three terms of every cell and functional, ``(C, 3K)``: K excess risks, K errors, K divergences.

    The error's ``floor`` is that of the training mixture's rule, ``variance`` what its noise adds (a sum
    of normal probabilities, not a trace: with finitely many rows an error is a step function of the
    rule), and ``second_order`` what its bias adds, a difference of such sums: so that the whole stays
    between 0 and 1. A divergence's ``second_order`` is the rest of an exact sum for histograms, and 0 for
    laws made of the rows' mean; all its terms are NaN where their sum is below 0 (`without_divergence`).

    Args:
        population: exact population of a unit.
        generator: its specification.
        counts: raw rows of each group.

    When not to trust it: samples that can be separated with a probability that matters; errors where few
    tokens hold most of the probability near the boundary (the rule's skewness, of the order of its bias
    in units of its spread, is left out).
    """
    cells, given = population.cells, population.pieces
    shifts = without_rounding(cells.shift, np.abs(cells.variance))
    second = np.array([_rest(population, generator, g, int(n)) for g, n in enumerate(counts)])
    laws = population.world.laws
    noise = laws * (1.0 - laws) / counts[:, None]
    variance = 0.5 * (
        (given.kl_bend * given.spread).sum(axis=(1, 2)) + (given.kl_square * noise).sum(axis=1)
    )
    count = len(cells.floor)
    floor = without_rounding(given.kl, 1.0)
    # A divergence is never negative: where its expansion is, the next order is as large as this one.
    lost = np.isnan(floor) | (floor + variance + np.nan_to_num(second) < -ROUNDING)
    floor, variance, second = (np.where(lost, np.nan, each) for each in (floor, variance, second))

    def beside(values: np.ndarray, more: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.repeat(more[None], count, axis=0)], axis=1)

    return Expansion(
        beside(without_rounding(cells.floor, 1.0), floor),
        beside(cells.variance, variance),
        beside(shifts, second),
    )


def without_divergence(population: TokenPopulation, expanded: Expansion) -> np.ndarray:
    """The groups ``(K,)`` whose divergence exists but has a negative expansion, which predicts nothing:
    their layers overshoot, or raw rows are few."""
    groups = len(population.pieces.kl)
    return ~np.isnan(population.pieces.kl) & np.isnan(expanded.floor[0, -groups:])


def _rest(population: TokenPopulation, generator: Any, group: int, n: int) -> float:
    """What a divergence's mean holds beyond floor and variance."""
    given = population.pieces
    if np.isnan(given.kl[group]):
        return np.nan
    if generator.kind != "histogram" or not population.acts[group]:
        return 0.0
    law = population.world.laws[group]
    noise = law * (1.0 - law) / n
    first = given.kl[group] + 0.5 * float(given.kl_square[group] @ noise)
    return histogram.exact(law / law.sum(), n, generator.smoothing) - first
