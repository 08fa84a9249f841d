"""The parametric law in the number of synthetic rows, with its constants.

``n`` raw and oversampled rows a group (on average) share the weight ``1 - alpha`` of the objective,
``N`` augmented rows in every group, drawn from a law that is known, the weight ``alpha``. With all
counts growing in proportion

    E(n, N) = floor(alpha) + (1 - alpha)^2 A(alpha)/n + alpha^2 B(alpha)/N + O(n^-2),

the expansion of `scaling.theory.expansion` regrouped: its variance and its second order are linear in
the squared row weights, which are ``(1 - alpha)^2/n`` and ``alpha^2/N`` times shares that depend on
neither n nor N (paper_notes/scaling_law_in_n.md).
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.expansion import expansion
from simulations.population.cells import oversampled_rows
from simulations.population.units import Unit, unit_population
from simulations.problems import InputError
from simulations.runs.moments import measures
from simulations.setup import generators


class AugmentationLaw(NamedTuple):
    """``share`` alpha; ``floor``, ``amplitude`` A and ``amplitude_synthetic`` B, each with one entry
    per measure: ``(2, K + 1)``, or ``(S, 2, K + 1)`` for S shares (metric by group, balanced last).
    """

    share: np.ndarray
    floor: np.ndarray
    amplitude: np.ndarray
    amplitude_synthetic: np.ndarray

    def balanced(self) -> "AugmentationLaw":
        """The law of the balanced excess risk alone."""
        return AugmentationLaw(self.share, *(part[..., 0, -1] for part in self[1:]))

    def value(self, rows: float, synthetic: float | np.ndarray) -> np.ndarray:
        """``E(n, N)`` at n = ``rows`` and N = ``synthetic`` rows a group (where the law is that of
        one measure, N may be a number for every share)."""
        floor, amplitude = self.in_synthetic(rows)
        return floor + amplitude / synthetic

    def in_synthetic(self, rows: float) -> tuple[np.ndarray, np.ndarray]:
        """Floor and amplitude of the law ``E + A/N`` in N alone, at n = ``rows`` rows a group."""
        alpha = self._weight(self.share)
        kept = self._weight(1.0 - self.share)
        floor = self.floor + kept**2 * self.amplitude / rows
        return floor, alpha**2 * self.amplitude_synthetic

    def two_term(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Floor and the amplitudes of ``1/n`` and ``1/N`` of the law `two_term` at this share."""
        alpha, kept = self._weight(self.share), self._weight(1.0 - self.share)
        return self.floor, kept**2 * self.amplitude, alpha**2 * self.amplitude_synthetic

    def _weight(self, weight: np.ndarray) -> np.ndarray:
        """A weight per share, beside the measures."""
        return np.reshape(weight, (*weight.shape, *(1,) * (self.floor.ndim - weight.ndim)))


def augmentation_law(unit: Unit, ratio: float, shares: np.ndarray) -> AugmentationLaw:
    """The law of a unit's generator at an oversampling ratio, for shares ``(S,)`` in [0, 1].

    Of the unit only its setting, generator, estimator and the *proportions* of its raw counts enter.
    At ``alpha = 1`` the raw rows weigh nothing, and A is what they would add at a small weight.

    Raises ``InputError`` for generators whose rows are not independent of the raw rows (duplicates,
    fitted generators, reweighting): there cross terms join, and the law is another one.

    Do not trust it where N or n has fewer than about ten rows per feature.

    Source: paper_notes/scaling_law_in_n.md.
    """
    groups = range(len(unit.world.names))
    kind = unit.generator.kind
    if kind == generators.REWEIGHT or any(
        generators.resamples(unit.generator, unit.world, g)
        or generators.fits(unit.generator, unit.world, g)
        for g in groups
    ):
        raise InputError(
            f"generator '{kind}': its rows are not independent of the raw ones, so that the law in"
            " N has other terms; use synthlaw predict cell by cell."
        )
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 1 or not ((shares >= 0.0) & (shares <= 1.0)).all():
        raise InputError("shares must be a list of numbers in [0, 1].")
    extra = oversampled_rows(unit.counts, ratio)
    # Shares of the raw and the oversampled rows among themselves, then of the augmented ones.
    rows = np.concatenate([unit.counts, extra]) / (unit.counts.sum() + extra.sum())
    count = len(groups)
    augmented = np.concatenate([np.zeros(count), np.full(count, 1.0 / count)])
    total = np.outer(1.0 - shares, rows) + np.outer(shares, augmented)
    # Squared weights for one row a group of share 1, of either kind: n and N then divide them.
    squared = [np.tile(part / count, (len(shares), 1)) for part in (rows, augmented)]
    parts = unit.components._replace(
        total_weight=np.concatenate([total, total]),
        squared_weight=np.concatenate(squared),
        cubed_weight=np.zeros((2 * len(shares), 2 * count)),
    )
    both = unit._replace(components=parts, cells=[unit.cells[0]] * (2 * len(shares)))
    found = expansion(unit_population(both))
    one, other = np.split(measures(found.variance + found.second_order), 2)
    return AugmentationLaw(shares, measures(found.floor)[: len(shares)], one, other)


class BestShare(NamedTuple):
    """``share`` alpha* and the excess risk ``least`` there."""

    share: float
    least: float


def best_share(raw: float, synthetic: float, bias: float = 0.0) -> BestShare:
    """Minimum over alpha of ``(1 - alpha)^2 raw + alpha^2 (synthetic + bias)``.

    Args:
        raw: ``A/n``, what the raw rows alone would cost, > 0.
        synthetic: ``B/N``, >= 0.
        bias: ``F``, the floor at alpha = 1 of a small bias, >= 0 (balanced raw rows, no ridge).

    Returns:
        ``alpha* = raw/(raw + synthetic + bias)`` and ``E* = raw (synthetic + bias)/(sum)``.

    Do not trust it for a visible bias: the floor is then not quadratic in alpha, and A and B
    depend on alpha; minimise `AugmentationLaw.value` over a grid of shares instead.

    >>> best_share(1 / 1000, 1 / 3000).share  # N/(N + n)
    0.75
    """
    if not (raw > 0.0 and synthetic >= 0.0 and bias >= 0.0):
        raise ValueError("raw must be positive, synthetic and bias must not be negative")
    cost = synthetic + bias
    return BestShare(raw / (raw + cost), raw * cost / (raw + cost))


def effective_rows(rows: float, synthetic: float, row_weight: float) -> float:
    """``(n + w N)^2 / (n + w^2 N)``: how many rows a group n raw and N right-law rows are worth.

    With the right law, balanced raw rows and the weight w of an augmented row the excess risk is
    ``A / effective_rows``; w = 1 makes it n + N, the most there is.

    Args:
        rows: n, above 0.
        synthetic: N, at least 0.
        row_weight: w of one augmented row, at least 0.

    >>> effective_rows(1000, 3000, 1.0)
    4000.0
    """
    return (rows + row_weight * synthetic) ** 2 / (rows + row_weight**2 * synthetic)
