"""The cells of a sweep as clusters, and the errors the proportional limit predicts for them.

A cell's rows are clusters of the segments they come from: raw rows of each group, oversampled and augmented
rows, one cluster for every Gaussian of a generator's law (a flipped label is a cluster of the other sign; a
leak one with the mean of another group; a scaled covariance one of another variance). Rows that repeat raw
rows are no rows of their own: they split the raw cluster by multiplicity, and d/n counts distinct rows.
"""

from typing import NamedTuple

import numpy as np

from scaling.theory.proportional.clusters import Clusters, Solution
from scaling.theory.proportional.conventions import from_engine
from scaling.theory.proportional.errors import group_errors
from scaling.theory.proportional.fixed_point import fixed_point
from scaling.theory.proportional.multiplicities import multiplicities
from scaling.theory.proportional.status import FREE, REASONS, SOLVED
from simulations.population.cells import Cell
from simulations.population.units import Unit
from simulations.sampling.layout import fitted_of, laws_of, limits_of, repeated_of, row_weights
from simulations.setup.generators import Atom
from simulations.wide.balanced import span
from simulations.wide.layout import variances

# Multiplicities of a joint probability below this count as the others do.
RARE = 1e-10
# Clusters into which the repeated groups of a cell may split, and each of them at least: Gauss's rule
# for the law of the weights moves an error by less than 4e-7 then.
MOST_SPLIT, LEAST_SPLIT = 40, 8
# Fewer rows expected on the kink of the hinge loss do not hold the intercept of a sample.
FEW_HELD = 1.0
FITTED = (
    "rows of a Gaussian fitted to raw rows have a limit for the estimator mean_difference only; choose it,"
    " or let the simulation stand alone"
)


class PredictedErrors(NamedTuple):
    """``errors (C, K)`` of every cell and group, NaN where there is no prediction, and of every cell the
    ``reason``, a sentence with the remedy ("" where there is one)."""

    errors: np.ndarray
    reason: list[str]


class Piece(NamedTuple):
    """``rows`` distinct training rows of one ``weight`` and one Gaussian law."""

    rows: float
    weight: float
    law: Atom


def predicted_errors(unit: Unit) -> PredictedErrors:
    """0-1 errors of every group in every cell of a unit of the proportional regime.

    Args:
        unit: from `make_unit`, ``theory.regime = "proportional"``: C cells, K groups, d features.

    Returns:
        `PredictedErrors`: the limit as d and the rows grow with their quotient fixed, at this quotient.

    When not to trust it: fewer than about 50 features (the remainder is O(1/d)), or groups with a few
    tens of rows. Source: paper_notes/proportional.md.

    >>> from simulations.population.units import make_unit
    >>> from simulations.setup.configuration import read_sweep
    >>> sweep = read_sweep({"setting": {"kind": "imbalance", "dim": 100, "separation": 3.0},
    ...                     "counts": {"majority": 500, "minority": 25},
    ...                     "synthetic": {"ratios": [0.0]}, "estimator": {"kind": "mean_difference"},
    ...                     "theory": {"regime": "proportional"}})
    >>> predicted_errors(make_unit(sweep, sweep.synthetic.generators[0])).errors.round(5).tolist()
    [[0.03907, 0.23711]]
    """
    laws = laws_of(unit)
    basis = span(np.array([atom.mean for law in laws for atom in law]))
    groups = _groups(unit, basis)
    if unit.sweep.estimator.kind == "mean_difference":
        cells = [_mean_difference(unit, cell, laws, basis) for cell in range(len(unit.cells))]
        parts = (np.array(part) for part in zip(*cells, strict=True))
        slope, square, intercept = parts
        nothing = np.zeros(len(cells), int)
        norm = np.sqrt(square)
        found = Solution(slope, norm, intercept, norm, norm, nothing, nothing)
        return PredictedErrors(group_errors(found, groups), [""] * len(cells))

    known = ~_holds_fitted(unit)
    errors = np.full((len(unit.cells), len(unit.counts)), np.nan)
    reason = ["" if each else FITTED for each in known]
    places = np.flatnonzero(known).tolist()
    if places:
        samples = [_pieces(unit, cell, laws) for cell in places]
        clusters, aspect = _stacked(samples, basis)
        estimator = unit.sweep.estimator
        given = from_engine(estimator.kind, estimator.ridge, estimator.intercept)
        found = fixed_point(
            given.loss,
            clusters,
            aspect,
            given.ridge,
            intercept=given.intercept,
            offset=given.offset,
        )
        # A sample with few rows on the kink of the hinge loss has an interval of intercepts.
        held = basis.shape[1] * (1.0 - given.ridge * np.asarray(found.step) / aspect)
        loose = (held < FEW_HELD) & (given.loss == "hinge") & given.intercept
        status = np.where(loose & (found.status == SOLVED), FREE, found.status)
        errors[places] = np.where((status == SOLVED)[:, None], group_errors(found, groups), np.nan)
        for place, code in zip(places, status, strict=True):
            reason[place] = "" if code == SOLVED else REASONS[int(code)]
    return PredictedErrors(errors, reason)


def clusters_of(unit: Unit, cell: int) -> tuple[Clusters, float, np.ndarray]:
    """The training rows of one cell as clusters, ``d/n`` over the n distinct rows, and the orthonormal
    ``basis (k, d)`` of the span they are written in."""
    laws = laws_of(unit)
    basis = span(np.array([atom.mean for law in laws for atom in law]))
    clusters, aspect = _stacked([_pieces(unit, cell, laws)], basis)
    return Clusters(*(part[0] for part in clusters)), float(aspect[0]), basis


def _groups(unit: Unit, basis: np.ndarray) -> Clusters:
    """The laws that the rule is judged on, in the order of the groups."""
    atoms = [
        Atom(1.0, *each)
        for each in zip(unit.world.means, unit.world.covariances, unit.world.labels, strict=True)
    ]
    ones = np.ones(len(atoms))
    return _clusters([Piece(1.0, 1.0, atom) for atom in atoms], ones / len(atoms), ones, basis)


def _clusters(
    pieces: list[Piece], share: np.ndarray, weight: np.ndarray, basis: np.ndarray
) -> Clusters:
    variance = np.array([float(piece.law.covariance[0, 0]) for piece in pieces])
    return Clusters(
        share,
        weight,
        np.array([2.0 * piece.law.label - 1.0 for piece in pieces]),
        np.array([basis @ piece.law.mean for piece in pieces]),
        variance[:, None, None] * np.eye(len(basis)),
        variance,
    )


def _pieces(unit: Unit, cell: int, laws: list[list[Atom]]) -> list[Piece]:
    """The rows of a cell, piece by piece; rows that repeat raw ones split these."""
    own: Cell = unit.cells[cell]
    groups = len(unit.counts)
    limits, weights = limits_of([own])[0], row_weights([own])[0]
    repeated = repeated_of(unit)
    pieces = []
    for s, law in enumerate(laws):
        if s < groups and (repeated[s + groups] or repeated[s + 2 * groups]):
            more = (int(limits[s + groups]), int(limits[s + 2 * groups]))
            many = max(MOST_SPLIT // int(repeated[groups : 2 * groups].sum()), LEAST_SPLIT)
            split = _split(int(limits[s]), more, weights[s], weights[s + 2 * groups], many)
            pieces += [Piece(rows, weight, law[0]) for rows, weight in split]
        elif not repeated[s] and limits[s]:
            pieces += [
                Piece(float(limits[s]) * atom.probability, weights[s], atom)
                for atom in law
                if atom.probability > 0.0
            ]
    return pieces


def _split(
    rows: int, more: tuple[int, int], weight: float, other: float, most: int
) -> list[tuple[float, float]]:
    """Raw rows by their weights ``weight (1 + J) + other J'``, with J and J' of the repeats drawn to
    oversample and to augment: how many of them, and the weight; at most ``most`` kinds."""
    (first, chance), (second, other_chance) = (multiplicities(rows, each) for each in more)
    joint = np.outer(chance, other_chance).ravel()
    weights = np.add.outer(weight * first, other * (second - 1)).ravel()
    kept = joint > RARE
    joint, weights = joint[kept] / joint[kept].sum(), weights[kept]
    if len(joint) > most:
        joint, weights = merged(joint, weights, most)
    return [(float(rows * share), float(w)) for share, w in zip(joint, weights, strict=True)]


def merged(chance: np.ndarray, value: np.ndarray, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """A law on few positive values in the place of one on many ``(V,)``: Gauss's rule of ``log value``.

    It has the means of all polynomials in ``log value`` up to degree ``2 kinds - 1``; what a row does is
    analytic there (its weight would have to be negative), and values stay within the range of the law.
    Lanczos's recursion, made orthogonal anew at each step.

    Args:
        chance: of each value ``(V,)``.
        value: above 0.
        kinds: values that are kept.

    >>> chance, value = merged(np.full(9, 1 / 9), np.arange(1.0, 10.0), 4)
    >>> len(value), round(float(chance @ value), 4), round(float(chance @ np.log(value)), 9)
    (4, 5.0, 1.422425276)
    """
    place = np.log(value)
    middle, half = 0.5 * (place.max() + place.min()), max(0.5 * float(np.ptp(place)), 1e-300)
    place = (place - middle) / half
    basis, diagonal, beside = [np.sqrt(chance)], [], []
    for _ in range(kinds):
        new = place * basis[-1]
        diagonal.append(float(new @ basis[-1]))
        for _ in range(2):
            for each in basis:
                new = new - (new @ each) * each
        size = float(np.linalg.norm(new))
        # As many values as the law has: the rule is the law itself.
        if size < 1e-12:
            break
        beside.append(size)
        basis.append(new / size)
    count = len(diagonal)
    matrix = np.diag(diagonal) + np.diag(beside[: count - 1], 1) + np.diag(beside[: count - 1], -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return vectors[0] ** 2 * chance.sum(), np.exp(middle + half * nodes)


def _stacked(samples: list[list[Piece]], basis: np.ndarray) -> tuple[Clusters, np.ndarray]:
    """Clusters of several cells side by side, those with fewer filled up by clusters without rows, and
    ``d/n``; the loss is ``(1/n) sum w l``, so that a weight in the objective counts n times."""
    size = max(len(pieces) for pieces in samples)
    found, aspect = [], []
    for pieces in samples:
        rows = np.array([piece.rows for piece in pieces])
        n, spare = rows.sum(), size - len(pieces)
        share = np.concatenate([rows / n, np.zeros(spare)])
        weight = n * np.array([piece.weight for piece in pieces + [pieces[0]] * spare])
        found.append(_clusters(pieces + [pieces[0]] * spare, share, weight, basis))
        aspect.append(basis.shape[1] / n)
    return Clusters(*(np.stack(parts) for parts in zip(*found, strict=True))), np.array(aspect)


def _holds_fitted(unit: Unit) -> np.ndarray:
    """Which cells hold rows of a generator fitted to raw rows, ``(C,)``."""
    acts = np.tile(fitted_of(unit), 3)
    acts[: len(unit.counts)] = False
    return np.asarray((limits_of(unit.cells) * acts > 0).any(axis=1))


def _mean_difference(
    unit: Unit, cell: int, laws: list[list[Atom]], basis: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Projection, squared orthogonal norm and intercept of the rule ``m_1 - m_0``.

    With ``W_y`` the weight of the rows of a label, ``mu_y`` their expected mean and ``T_y = d sum_i w_i^2
    v_i/W_y^2`` its noise, the slope is ``mu_1 - mu_0`` and noise of square ``T_1 + T_0``, and the intercept
    ``-[(mu_1 + mu_0).(mu_1 - mu_0) + T_1 - T_0]/2``. The mean of rows fitted to others moves with theirs:
    each raw row then weighs its part of the fitted rows' weight too.
    """
    own: Cell = unit.cells[cell]
    groups, dim = len(unit.counts), basis.shape[1]
    limits, weights = limits_of([own])[0], row_weights([own])[0]
    fitted = fitted_of(unit)
    pieces = _pieces(unit, cell, laws)
    total, mean, noise = np.zeros(2), np.zeros((2, len(basis))), np.zeros(2)
    for rows, weight, law in pieces:
        total[law.label] += rows * weight
        mean[law.label] += rows * weight * (basis @ law.mean)
        noise[law.label] += rows * weight**2 * float(law.covariance[0, 0])
    for g in np.flatnonzero(fitted):
        n, label, variance = int(own.raw[g]), int(unit.world.labels[g]), variances(unit)[g]
        extra = sum(float(limits[s] * weights[s]) for s in (g + groups, g + 2 * groups))
        noise[label] += variance * n * ((weights[g] + extra / n) ** 2 - weights[g] ** 2)
    mean, noise = mean / total[:, None], dim * noise / total**2
    slope = mean[1] - mean[0]
    intercept = -0.5 * (float((mean[1] + mean[0]) @ slope) + noise[1] - noise[0])
    return slope, float(noise.sum()), float(intercept)
