"""Proportional: the ridge that serves the balanced error best."""

import numpy as np
import pandas as pd

from scaling.theory.proportional.clusters import isotropic
from scaling.theory.proportional.ridge import INSIDE, best_ridge
from scaling.theory.proportional.units import clusters_of
from simulations.wide.layout import layout
from simulations.wide.measures import values
from simulations.wide.replicate import fit
from synthlaw.claims.evidence import bounded_row
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.proportional.cases import NARROW
from synthlaw.claims.proportional.errors import NOTE, PROPORTIONAL, SOURCE
from synthlaw.claims.proportional.samples import PATIENCE, drawn, sweep_of
from synthlaw.claims.record import Twin

LOSS = "squared"
SIZE, SAMPLES = 4, 120
# Neighbours of the predicted ridge, and the ridge that the twin takes for the best.
FACTORS, WRONG = (1 / 8, 8.0), 64.0


def predicted(lab: Lab) -> float:
    """The best ridge of the case by the fixed point."""

    def compute() -> float:
        unit = lab.units(sweep_of(NARROW, LOSS))[0]
        clusters, aspect, basis = clusters_of(unit, 0)
        labels = 2.0 * unit.world.labels - 1.0
        groups = isotropic(np.ones(len(labels)), labels, unit.world.means @ basis.T)
        found = best_ridge(LOSS, clusters, aspect, groups)
        return found.ridge if found.status == INSIDE else np.nan

    return lab.recall("best ridge", compute)


def _errors(lab: Lab) -> pd.DataFrame:
    """Balanced errors of the same samples at several factors of the predicted ridge, a column each."""

    def compute() -> pd.DataFrame:
        best = predicted(lab)
        factors = (1.0, *FACTORS, WRONG)
        units = [
            lab.units(
                sweep_of(NARROW._replace(losses={LOSS: factor * best}), LOSS),
                SIZE,
            )[0]
            for factor in factors
        ]
        laid_out, rng = layout(units[0]), np.random.default_rng([lab.seed, SIZE])
        rows = []
        for r in range(SAMPLES * lab.preset.effort):
            if r % PATIENCE == 0:
                lab.go_on()
            sample = drawn(units[0], laid_out, rng).sample
            rules = [fit(unit, laid_out, sample, 0) for unit in units]
            rows.append([values(units[0], rule.theta)[2:].mean() for rule in rules])
        return pd.DataFrame(np.array(rows), columns=list(factors))

    return lab.recall("errors at several ridges", compute)


def _compared(lab: Lab, chosen: float, others: tuple[float, ...]) -> pd.DataFrame:
    """The error at one ridge over that at others. All see the same samples: the noise is that of the
    difference, which is put on the measured side."""
    table = _errors(lab)
    rows = []
    for other in others:
        own, its = (np.asarray(table[each], float) for each in (chosen, other))
        gap = own - its
        rows.append(
            bounded_row(
                f"{chosen:g} against {other:g} times the predicted ridge",
                (float(own.mean()), gap.std(ddof=1) / np.sqrt(len(gap))),
                (float(its.mean()), 0.0),
                len(gap),
                int(np.isnan(gap).sum()),
            )
        )
    return pd.DataFrame(rows)


def best(lab: Lab) -> pd.DataFrame:
    """The predicted ridge against its neighbours."""
    return _compared(lab, 1.0, FACTORS)


def too_large(lab: Lab) -> pd.DataFrame:
    """A ridge 64 times as large against the predicted one."""
    return _compared(lab, WRONG, (1.0,))


CLAIMS = (
    inequality_claim(
        "proportional-best-ridge",
        "The best ridge",
        (
            "At the ridge that the fixed point finds best the balanced error of least squares on raw rows"
            " (d/n = 1/2) is less than at an eighth of it and at eight times as much."
        ),
        r"\lambda^* = \mathrm{arg}\min_\lambda \tfrac12(\mathrm{err}_0 + \mathrm{err}_1)(\lambda)",
        best,
        Twin("A ridge 64 times as large is at least as good.", too_large),
        note=NOTE,
        source=SOURCE,
        assumptions=PROPORTIONAL,
    ),
)
