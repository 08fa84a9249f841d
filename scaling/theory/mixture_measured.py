"""Risks of mixed data measured on drawn rows: of a mean, and of a ridge fit in the sequence model."""

from typing import NamedTuple

import numpy as np

from scaling.theory.mixture_sequence import Bias, Summands


class Measured(NamedTuple):
    """A mean over replicates with its standard error and their number."""

    value: float
    se: float
    replicates: int


class Mix(NamedTuple):
    """n ``rows`` raw, N ``synthetic`` ones, weighed with their ``share`` alpha."""

    rows: int
    synthetic: int
    share: float


def _summary(losses: np.ndarray) -> Measured:
    se = float(losses.std(ddof=1) / np.sqrt(len(losses)))
    return Measured(float(losses.mean()), se, len(losses))


def mean_risk(mix: Mix, shift: np.ndarray, scale: float, replicates: int, seed: int) -> Measured:
    """Squared error of the weighted mean of raw rows and shifted synthetic ones of another spread.

    Rows have independent exponential coordinates of variance 1, less their mean; synthetic rows are
    ``scale`` times such, plus ``shift (d,)``. The truth is 0.

    Args:
        mix: rows of both sources, and the share.
        shift: bias of the synthetic rows.
        scale: their standard deviation.
        replicates: at least 2.
        seed: of the draws.

    >>> found = mean_risk(Mix(10, 20, 0.5), np.full(5, 0.1), 2.0, 2000, seed=1)
    >>> abs(found.value - 0.25 * (0.05 + 5 / 10 + 4 * 5 / 20)) < 5 * found.se
    True
    """
    rng = np.random.default_rng([seed, mix.rows, mix.synthetic, len(shift)])
    # The sum of n independent exponential variables of mean 1 is a gamma variable.
    raw, made = (
        rng.standard_gamma(count, (replicates, len(shift))) / count - 1.0
        for count in (mix.rows, mix.synthetic)
    )
    error = (1.0 - mix.share) * raw + mix.share * (scale * made + shift)
    return _summary((error**2).sum(axis=1))


def sequence_risk(
    of: Summands, wrong: Bias, ridge: float, mix: Mix, replicates: int, seed: int
) -> Measured:
    """Squared error of the mixed ridge fit in the sequence model at one ridge; signs of the bias are
    drawn anew in every replicate, 1 with probability ``(1 + sign)/2``.

    ``of`` must be a finite sequence (`mixture_sequence.finite`): nodes of an integral cannot be drawn.

    Args:
        of: the sequence model.
        wrong: bias of the synthetic source.
        ridge: lambda, above 0.
        mix: rows of both sources, and the share.
        replicates: at least 2.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, mix.rows, mix.synthetic, len(of.index)])
    shape = (replicates, len(of.index))
    kept = 1.0 / (1.0 + ridge * of.index ** (2.0 * of.power))
    raw, made = (
        of.noise * rng.standard_normal(shape) / count**0.5 for count in (mix.rows, mix.synthetic)
    )
    sign = np.where(rng.random(shape) < 0.5 * (1.0 + wrong.sign), 1.0, -1.0)
    seen = (1.0 - mix.share) * raw + mix.share * (made + sign * wrong.size)
    return _summary((((kept - 1.0) * of.target + kept * seen) ** 2).sum(axis=1))
