"""Floor + variance + second order: the parametric prediction of every group's risk and error.

For a functional ``F`` with gradient ``g`` and Hessian ``H_F`` at the mixture minimiser,

    E F(theta_hat) = F(theta_mix) + (1/2) tr(H_F M) + g' bias + O(n^-2)

(paper_notes/excess_risk.md). For a risk the first term is counted from the balanced
minimiser, so that the three terms are the floor, the variance and the second-order term of
the excess risk; for a 0-1 error it is the error itself.
"""

from typing import Any, NamedTuple

import numpy as np

from simulations.population.units import UnitPopulation
from simulations.runs.moments import excess

# Sums over thousands of nodes leave some thousand units in the last place.
ROUNDING = 1e-12


class Expansion(NamedTuple):
    """Each term per cell and functional, shape ``(C, F)`` with F = 2K: K risks, then K errors."""

    floor: np.ndarray
    variance: np.ndarray
    second_order: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """``floor + variance + second_order``."""
        return self.floor + self.variance + self.second_order


def expansion(population: UnitPopulation) -> Expansion:
    """The three terms for every cell of a unit (NaN for errors of a rule with a flat score, and all of
    them where no expansion is known: in cells that hold rows of the generator ``smote``)."""
    floor = excess(np.asarray(population.measured.values), population.balanced_values)
    floor = np.where(population.has_theory[:, None], floor, np.nan)
    traces = np.einsum("cfij,cij->cf", population.measured.hessians, population.expansions.spread)
    shifts = np.einsum("cfi,ci->cf", population.measured.gradients, population.expansions.bias)
    return Expansion(
        without_rounding(floor, 1.0), 0.5 * traces, without_rounding(shifts, np.abs(traces))
    )


def without_rounding(terms: np.ndarray, scale: Any) -> np.ndarray:
    """Terms that are zero up to the rounding of numbers of size ``scale`` become exactly 0.

    >>> without_rounding(np.array([1e-20, 1e-3]), 1.0).tolist()
    [0.0, 0.001]
    """
    return np.where(np.abs(terms) < ROUNDING * scale, 0.0, terms)
