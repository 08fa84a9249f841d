"""What a penalised logistic regression is trained on: parts of rows, and cells made of them.

    minimise  sum_c w_c mean over the k_c rows of part c  log(1 + exp(-(2y-1) u(x)))
              + (lambda/2) sum_{k>=1} k^(2s) theta_k^2 ,        sum_c w_c = 1 .

A class that weighs more than the other moves the log-odds by ``log(w_1/w_0)``, which the constant (not
penalised) takes up: with ``corrected`` it is subtracted again before a risk is computed.
"""

from math import log
from typing import Any, NamedTuple

import numpy as np

from simulations.problems import InputError
from simulations.series.classes import Classes

LARGEST = 10**15


class Part(NamedTuple):
    """``rows`` k_c of class ``label`` with law ``density (G,)`` and total ``weight`` w_c.

    ``stream`` names the rows: parts with equal names share them, the shorter a prefix of the longer.
    """

    label: int
    density: np.ndarray
    rows: int
    weight: float
    stream: tuple[Any, ...]


class Cell(NamedTuple):
    """``parts``; the ridge ``lambda`` > 0 and its ``power`` s; ``offset``: what is taken off the fitted
    log-odds before they are judged."""

    parts: tuple[Part, ...]
    ridge: float
    power: float
    offset: float


def cell(parts: list[Part], ridge: float, power: float, corrected: bool = True) -> Cell:
    """A cell of these parts, weights normalised to 1.

    Args:
        parts: of the training law.
        ridge: lambda, above 0.
        power: s of the penalty, above 0.
        corrected: whether the log odds of the weights are taken off.

    Raises:
        ValueError: a class without rows, a ridge or power that is not positive.
    """
    kept = [part for part in parts if part.rows > 0]
    if {part.label for part in kept} != {0, 1}:
        raise InputError("a class has no rows; give both classes at least one.")
    if max(part.rows for part in kept) > LARGEST:
        raise InputError(f"more than {LARGEST} rows cannot be drawn; give fewer.")
    if not (0.0 < ridge < float("inf") and 0.0 < power <= 4.0):
        raise InputError(
            f"ridge {ridge:g}, power {power:g}: give a ridge above 0 and a power in (0, 4]."
        )
    total = sum(part.weight for part in kept)
    scaled = tuple(part._replace(weight=part.weight / total) for part in kept)
    shares = [sum(p.weight for p in scaled if p.label == label) for label in (0, 1)]
    return Cell(scaled, ridge, power, log(shares[1] / shares[0]) if corrected else 0.0)


def real(two: Classes, label: int, rows: int, weight: float, stream: str = "raw") -> Part:
    """Rows of the right law."""
    return Part(label, two.density[label], int(rows), weight, (stream, label, *two.target))


def raw(two: Classes, counts: tuple[int, int], ridge: float, power: float) -> Cell:
    """Raw rows, each of weight 1/(n_0 + n_1); ``counts = (n_0, n_1)``; log-odds corrected."""
    return cell([real(two, y, counts[y], counts[y]) for y in (0, 1)], ridge, power)


def reweighted(two: Classes, counts: tuple[int, int], ridge: float, power: float) -> Cell:
    """Raw rows, both classes of weight 1/2."""
    return cell([real(two, y, counts[y], 0.5) for y in (0, 1)], ridge, power)


def oversampled(
    two: Classes, counts: tuple[int, int], ratio: float, ridge: float, power: float
) -> Cell:
    """Raw rows and ``m = round(ratio (n_max - n_min))`` rows of the right law in the smaller class."""
    minority = int(counts[1] <= counts[0])
    extra = int(ratio * abs(counts[0] - counts[1]) + 0.5)
    parts = [real(two, y, counts[y], counts[y]) for y in (0, 1)]
    parts.append(real(two, minority, extra, extra, "pool"))
    return cell(parts, ridge, power)


def augmented(
    two: Classes,
    counts: tuple[int, int],
    generator: Classes,
    rows: int,
    ridge: float,
    power: float,
) -> Cell:
    """Raw rows and ``rows`` rows of a generator in every class, all of one weight."""
    parts = [real(two, y, counts[y], counts[y]) for y in (0, 1)]
    parts += [real(generator, y, rows, rows, "augment") for y in (0, 1)]
    return cell(parts, ridge, power)


def masses(parts: tuple[Part, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Weighted densities ``(G,)`` of label 1 and of label 0: what the training risk averages over."""
    one, zero = np.zeros((2, len(parts[0].density)))
    for part in parts:
        into = one if part.label else zero
        into += part.weight * part.density
    return one, zero
