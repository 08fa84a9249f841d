"""Samples with augmented rows for claims: cells of any share and number of rows, in one nested draw.

A sweep has one share; here the cells of one unit have their own, so that curves in the share and in
the number of rows rest on the same random numbers. Cells of a unit are therefore correlated, and
leave with their covariance.
"""

from typing import Any, NamedTuple

import numpy as np

from scaling.theory.augmentation import AugmentationLaw, augmentation_law
from simulations.population.cells import Cell, components, make_cell
from simulations.population.units import Unit, unit_population
from synthlaw.claims.lab import Lab

# The controls of degrees one to three: their means are exact, coefficients 1.
CONTROLS = 4
SETTING: dict[str, Any] = {"kind": "imbalance", "dim": 5, "separation": 2.0}
RIGHT = {"kind": "oracle"}
# Towards one class and across both: a bias that is neither small nor symmetric.
BIASED: dict[str, Any] = {"kind": "shift", "shift": [0.2, 0.3, 0, 0, 0]}


class Sample(NamedTuple):
    """``rows`` raw rows in each of the two groups, drawn under the right law; the augmented ones
    from ``generator``. ``cells``: pairs of their number in every group and their share."""

    name: str
    rows: int
    generator: dict[str, Any]
    cells: tuple[tuple[int, float], ...]
    replicates: int
    loss: str = "logistic"


class Points(NamedTuple):
    """Balanced excess risks of the cells of a sample: ``mean (C,)`` over replicates, ``covariance
    (C, C)`` of the means, and the law ``predicted`` for each cell's share (``(C,)`` entries)."""

    sample: Sample
    mean: np.ndarray
    covariance: np.ndarray
    predicted: AugmentationLaw
    replicates: int
    failures: int

    @property
    def augment(self) -> np.ndarray:
        """Augmented rows of every cell."""
        return np.array([augment for augment, _ in self.sample.cells], dtype=float)

    def se(self) -> np.ndarray:
        """Standard errors of the means."""
        return np.sqrt(np.diag(self.covariance))

    def take(self, first: int, count: int) -> "Points":
        """The points of some consecutive cells."""
        kept = slice(first, first + count)
        return Points(
            self.sample._replace(cells=self.sample.cells[kept]),
            self.mean[kept],
            self.covariance[kept, kept],
            AugmentationLaw(*(part[kept] for part in self.predicted)),
            self.replicates,
            self.failures,
        )


def unit_of(lab: Lab, sample: Sample) -> Unit:
    """The unit whose cells are those of the sample."""
    sweep = {
        "setting": SETTING,
        "counts": {"majority": sample.rows, "minority": sample.rows},
        "synthetic": {"generators": [sample.generator], "ratios": [0]},
        "estimator": {"kind": sample.loss},
    }
    unit = lab.units(sweep)[0]
    cells: list[Cell] = [
        make_cell(unit.counts, 0.0, augment, share) for augment, share in sample.cells
    ]
    parts = components(unit.generator, unit.world, unit.counts, cells, intercept=True)
    return unit._replace(cells=cells, components=parts)


def points(lab: Lab, sample: Sample) -> Points:
    """Simulate a sample, once in a laboratory."""

    def simulated() -> Points:
        unit = unit_of(lab, sample)
        measures, found = lab.replicate_values(
            unit, sample.replicates * lab.preset.effort, CONTROLS
        )
        population = unit_population(unit)
        least = float(np.mean(population.balanced_values[: len(unit.world.names)]))
        # A replicate counts where all its cells have a rule: what is left out is counted.
        whole = np.asarray(found.all(axis=1))
        values = measures[whole, :, 0, -1] - least
        covariance = np.atleast_2d(np.cov(values, rowvar=False)) / len(values)
        shares = np.array([share for _, share in sample.cells])
        law = augmentation_law(unit, 0.0, shares).balanced()
        failures = int(np.count_nonzero(~whole))
        return Points(sample, values.mean(axis=0), covariance, law, len(whole), failures)

    return lab.recall(f"sample {sample}", simulated)
