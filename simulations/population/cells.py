"""Cells: how many rows of which weight a training sample holds.

One cell is one point of a sweep: raw counts ``n_g``, oversampled rows
``m_g = floor(ratio (n_max - n_g) + 1/2)``, ``N`` augmented rows in every group, and the weights
``w = (1 - alpha)/M`` of the ``M = sum(n_g + m_g)`` raw and oversampled rows and
``w_a = alpha/(K N)`` of the augmented ones.
"""

import json
from typing import Any, NamedTuple

import numpy as np

from simulations.craft.errors import plane
from simulations.craft.quadrature import weighted_rows
from simulations.population.fitted import fitted_rows
from simulations.population.gaussian import Atoms, group_atoms, lift
from simulations.population.nodes import Table
from simulations.population.sandwich import Components
from simulations.setup import generators
from simulations.setup.settings import Craft
from simulations.setup.worlds import World

LEAST_ATOMS = 2


class Cell(NamedTuple):
    """``ratio`` is None for reweighting. Arrays are ``(K,)``: raw and oversampled rows, and the
    weight of one raw or oversampled row of each group; ``augment`` rows of weight
    ``augment_weight`` join every group."""

    ratio: float | None
    augment: int
    augment_share: float
    raw: np.ndarray
    oversampled: np.ndarray
    row_weight: np.ndarray
    augment_weight: float


def oversampled_rows(counts: np.ndarray, ratio: float) -> np.ndarray:
    """``m_g = floor(ratio (n_max - n_g) + 1/2)``, shape ``(K,)``.

    >>> oversampled_rows(np.array([2000, 200]), 0.5)
    array([  0, 900])
    """
    return np.floor(ratio * (counts.max() - counts) + 0.5).astype(np.int64)


def effective_share(
    share: float | None, row_weight: float | None, rows: int, groups: int, augment: int
) -> float:
    """Share ``alpha`` of the augmented rows: given, or ``w K N / (M + w K N)`` from a row weight.

    >>> effective_share(None, 0.5, rows=4000, groups=2, augment=1000)
    0.2
    """
    if augment == 0:
        return 0.0
    if row_weight is not None:
        return row_weight * groups * augment / (rows + row_weight * groups * augment)
    return float(share or 0.0)


def make_cell(
    counts: np.ndarray,
    ratio: float,
    augment: int = 0,
    augment_share: float | None = None,
    augment_row_weight: float | None = None,
) -> Cell:
    """The cell of a generator that writes rows."""
    extra = oversampled_rows(counts, ratio)
    # Python integers: very large counts of many groups would overflow 64 bits.
    rows = sum(int(n) for n in (*counts, *extra))
    groups = len(counts)
    alpha = effective_share(augment_share, augment_row_weight, rows, groups, augment)
    return Cell(
        ratio,
        augment,
        alpha,
        counts,
        extra,
        np.full(groups, (1.0 - alpha) / rows),
        alpha / (groups * augment) if augment else 0.0,
    )


def reweighted_cell(counts: np.ndarray) -> Cell:
    """The cell of reweighting: no synthetic rows, every group weighs ``1/K``."""
    groups = len(counts)
    return Cell(None, 0, 0.0, counts, np.zeros(groups, np.int64), 1.0 / (groups * counts), 0.0)


def unit_cells(spec: Any, counts: np.ndarray, synthetic: Any) -> list[Cell]:
    """All cells of one generator at one set of counts; ``synthetic`` is that section of a sweep."""
    if spec.kind == generators.REWEIGHT:
        return [reweighted_cell(counts)]
    return [
        make_cell(counts, ratio, augment, synthetic.augment_share, synthetic.augment_row_weight)
        for augment in synthetic.augment
        for ratio in synthetic.ratios
    ]


class RowWeights(NamedTuple):
    """Sums over a component's rows of their weights, squared weights and cubed weights (means of
    these sums where the weights are random)."""

    total: float
    squared: float
    cubed: float


def group_weights(cell: Cell, group: int, resampled: bool) -> tuple[RowWeights, RowWeights]:
    """Row weights of a group's raw rows, and of its independent synthetic rows.

    Rows that repeat raw rows belong to the raw component: raw row i then weighs
    ``w (1 + M_i) + w_a M'_i`` with multinomial multiplicities, and the sums are the exact second
    and third moments of these weights.

    Args:
        cell: ratio, further rows and their weight.
        group: its number.
        resampled: whether synthetic rows repeat raw ones.
    """
    n, m, big_n = int(cell.raw[group]), int(cell.oversampled[group]), cell.augment
    w, w_a = float(cell.row_weight[group]), cell.augment_weight
    raw = RowWeights(*(w**k * n for k in (1, 2, 3)))
    synthetic = RowWeights(*(w**k * m + w_a**k * big_n for k in (1, 2, 3)))
    if not resampled:
        return raw, synthetic
    # Cumulants of one raw row's weight: binomial multiplicities with probability 1/n.
    share = 1.0 / n
    mean = w + synthetic.total * share
    variance = synthetic.squared * share * (1.0 - share)
    skewness = synthetic.cubed * share * (1.0 - share) * (1.0 - 2.0 * share)
    raw = RowWeights(
        n * mean,
        n * (mean**2 + variance),
        n * (mean**3 + 3.0 * mean * variance + skewness),
    )
    return raw, RowWeights(0.0, 0.0, 0.0)


def _table(
    law: Craft, means: np.ndarray, group: np.ndarray, labels: np.ndarray, intercept: bool
) -> Table:
    """The table of a law, with ``means (L, 9)`` added to the rows of its groups ``group (L,)``."""
    sign = law.x6 == "sign"
    points, weights = weighted_rows(law.noise, sign, intercept)
    if intercept:
        means = np.concatenate([means, np.zeros((len(means), 1))], axis=1)
    else:
        points = np.ascontiguousarray(points[:, :-1])
    return Table(
        points, weights, means, group.astype(np.int32), labels, plane(law.noise, sign, intercept)
    )


def groups_of(world: World, intercept: bool) -> Atoms | Table:
    """The laws of a world's groups, lifted by the intercept when there is one."""
    if world.law is None:
        return group_atoms(world, intercept)
    labels = world.labels.astype(float)
    return _table(world.law, world.means, np.arange(len(labels)), labels, intercept)


def components(
    spec: Any, world: World, counts: np.ndarray, cells: list[Cell], intercept: bool
) -> Components:
    """Components of all cells of one generator: the weights have shape ``(cells, 2K)``.

    Component ``g`` holds the raw rows of group g (and their duplicates), component ``K + g``
    its synthetic rows, as if they were independent; what rows of a fitted generator add to that is in
    ``fitted``.

    Args:
        spec: of the generator.
        world: groups as arrays.
        counts: raw rows ``(K,)``.
        cells: of the unit.
        intercept: whether rules have one.
    """
    groups = len(world.names)
    laws: list[list[generators.Atom]] = [[generators.right_law(world, g)] for g in range(groups)]
    laws += [generators.independent_law(spec, world, counts, g) for g in range(groups)]
    # Every law gets room for two atoms: one compiled program serves mixtures and plain laws.
    laws = generators.padded(laws, LEAST_ATOMS)
    atoms = _laws(world, laws, intercept)
    labels = atoms.labels
    mixing = np.zeros((len(laws), len(labels)))
    start = 0
    for c, law in enumerate(laws):
        mixing[c, start : start + len(law)] = [a.probability for a in law]
        start += len(law)
    # (cells, K, raw or synthetic, power) -> (cells, 2K, power)
    weights = np.array(
        [
            [group_weights(cell, g, generators.resamples(spec, world, g)) for g in range(groups)]
            for cell in cells
        ]
    )
    weights = weights.transpose(0, 2, 1, 3).reshape(len(cells), 2 * groups, 3)
    parts = Components(atoms, mixing, *(weights[:, :, k] for k in range(3)))
    if spec.kind not in generators.FITTED:
        return parts
    return parts._replace(fitted=fitted_rows(spec, world, group_atoms(world, intercept), cells))


def _laws(world: World, laws: list[list[generators.Atom]], intercept: bool) -> Atoms | Table:
    """All atoms, in order; component c belongs to group ``c mod K``."""
    means = np.array([a.mean for law in laws for a in law])
    labels = np.array([float(a.label) for law in laws for a in law])
    if world.law is not None:
        group = np.repeat(np.arange(len(laws)) % len(world.names), [len(law) for law in laws])
        return _table(world.law, means, group, labels, intercept)
    covariances = np.array([a.covariance for law in laws for a in law])
    means, covariances = lift(means, covariances, intercept)
    return Atoms(means, covariances, labels)


def describe_counts(names: tuple[str, ...], counts: np.ndarray) -> str:
    """Raw counts as the compact JSON object of the table's ``counts`` column.

    >>> describe_counts(("majority", "minority"), np.array([2000, 200]))
    '{"majority":2000,"minority":200}'
    """
    pairs = {name: int(n) for name, n in zip(names, counts, strict=True)}
    return json.dumps(pairs, separators=(",", ":"))
