"""What the claims on the mixture law share: curves of one source, fitted; mixtures, predicted and exact."""

from typing import NamedTuple

import numpy as np

from scaling.fitting.curves import curve
from scaling.fitting.fit import fit
from scaling.fitting.fits import Fit
from scaling.theory.mixture import (
    MixtureLaw,
    Sources,
    best_share,
    mixture_excess,
    mixture_law,
    predict_mixture,
)
from scaling.theory.mixture_sequence import (
    Sums,
    bias,
    mixed_risk,
    summands,
    sums,
    true_best,
)
from simulations.series.sequence import Sequence
from synthlaw.claims.lab import Lab

# Sizes at which each source is measured alone, and those of the mixtures.
RAW_ALONE = np.geomspace(1e2, 1e5, 10)
SYNTHETIC_ALONE = np.geomspace(1e2, 1e6, 13)
ROWS = (1e3, 1e4)
FACTORS = np.geomspace(0.1, 100.0, 7)
SHARES = np.linspace(0.0, 1.0, 21)
# Energy of the bias, in risks of the raw rows alone.
ENERGIES = (0.3, 3.0)
# Every point of a curve counts by its relative error.
POINT_ERROR = 0.01


class Case(NamedTuple):
    """A sequence of ``smoothness`` s and a ``kind`` of bias; ``energy`` in risks of the ``rows`` raw
    rows alone."""

    smoothness: float
    kind: str
    rows: float
    energy: float

    def __str__(self) -> str:
        return f"s = {self.smoothness:g}, {self.kind}, n = {self.rows:g}, bias x {self.energy:g}"


class World(NamedTuple):
    """Exact sums, and the law fitted to both sources alone."""

    sums: Sums
    law: MixtureLaw


class Surface(NamedTuple):
    """``synthetic (T,)``, and risks ``(T, A)`` at the shares: true, and by the law."""

    synthetic: np.ndarray
    true: np.ndarray
    law: np.ndarray


def cases(smoothness: tuple[float, ...], kind: str) -> list[Case]:
    """All sizes and energies of a kind of bias."""
    return [Case(s, kind, n, e) for s in smoothness for n in ROWS for e in ENERGIES]


def world(lab: Lab, case: Case) -> World:
    """The sums of a case and its law, whose two curves saw no mixture."""

    def raw() -> tuple[Sums, Fit]:
        of = summands(Sequence(case.smoothness, case.smoothness))
        without = sums(of, bias("incoherent", of, 0.0))
        points = mixed_risk(without, 0.0, RAW_ALONE, 1.0)
        return without, fit("power", curve(RAW_ALONE, points, POINT_ERROR * points))

    def make() -> World:
        without, alone = lab.recall(f"mixture raw {case.smoothness}", raw)
        of = summands(Sequence(case.smoothness, case.smoothness))
        energy = case.energy * float(mixed_risk(without, 0.0, case.rows, 1.0))
        found = sums(of, bias(case.kind, of, energy))
        points = mixed_risk(found, 1.0, 1.0, SYNTHETIC_ALONE)
        other = fit("power_floor", curve(SYNTHETIC_ALONE, points, POINT_ERROR * points))
        return World(found, mixture_law(alone, other))

    return lab.recall(f"mixture {case}", make)


def surface(lab: Lab, case: Case) -> Surface:
    """True and predicted risks over synthetic rows and shares."""
    here = world(lab, case)
    many = case.rows * FACTORS
    true = mixed_risk(here.sums, SHARES, case.rows, many[:, None])
    return Surface(many, true, predict_mixture(here.law, case.rows, many[:, None], SHARES))


def unfitted(lab: Lab, case: Case) -> np.ndarray:
    """The law ``(T, A)`` from the exact risks of each source and the exponent ``2s/(2s + 1)``."""
    here, many = world(lab, case).sums, case.rows * FACTORS[:, None]
    raw = mixed_risk(here, 0.0, case.rows, 1.0)
    above = mixed_risk(here, 1.0, 1.0, many) - here.floor
    return mixture_excess(SHARES, Sources(raw, above, here.floor), rate(case.smoothness))


def rate(smoothness: float) -> float:
    """The exponent of the tuned risk of unbiased rows."""
    return 2.0 * smoothness / (2.0 * smoothness + 1.0)


class Cost(NamedTuple):
    """Least risk, and the risks at the law's share and at ``N/(N + n)``, for each N ``(T,)``."""

    least: np.ndarray
    chosen: np.ndarray
    pooled: np.ndarray


def cost(lab: Lab, case: Case) -> Cost:
    """What shares cost against the best one."""
    here, n = world(lab, case), case.rows
    many = n * FACTORS
    least = true_best(here.sums, n, many).risk
    share = best_share(here.law, n, many).share
    chosen, pooled = (mixed_risk(here.sums, s, n, many) for s in (share, many / (many + n)))
    return Cost(least, chosen, pooled)
