"""The table behind the picture of the mixture law: true risk and law over the share and N."""

import numpy as np
import pandas as pd

from scaling.theory.mixture import best_share, predict_mixture
from scaling.theory.mixture_sequence import mixed_risk, true_best
from synthlaw.claims.lab import Lab
from synthlaw.claims.scaling.two_sources_curves import Case, world

KINDS = ("incoherent", "stretching", "rough")
SMOOTHNESS, ROWS, ENERGY = 1.0, 1e3, 1.0
SYNTHETIC = np.geomspace(30.0, 3e5, 33)
SHARES = np.linspace(0.0, 1.0, 41)


def pictured(lab: Lab) -> pd.DataFrame:
    """Rows ``kind, synthetic, share, true, law`` (risks over that of the raw rows alone), and with
    every number of synthetic rows the ``best`` share and the one the law holds for best, ``chosen``."""
    frames = []
    for kind in KINDS:
        here = world(lab, Case(SMOOTHNESS, kind, ROWS, ENERGY))
        many = SYNTHETIC[:, None]
        alone = float(mixed_risk(here.sums, 0.0, ROWS, 1.0))
        true = mixed_risk(here.sums, SHARES, ROWS, many) / alone
        law = predict_mixture(here.law, ROWS, many, SHARES) / alone
        best = true_best(here.sums, ROWS, SYNTHETIC).share
        chosen = best_share(here.law, ROWS, SYNTHETIC).share
        columns = {
            "synthetic": many,
            "share": SHARES,
            "true": true,
            "law": law,
            "best": best[:, None],
            "chosen": chosen[:, None],
        }
        flat = {name: np.broadcast_to(c, true.shape).ravel() for name, c in columns.items()}
        frames.append(pd.DataFrame(flat).assign(kind=kind, rows=ROWS))
    return pd.concat(frames, ignore_index=True)
