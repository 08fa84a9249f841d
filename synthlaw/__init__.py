"""Exact predictions, Monte Carlo and verdicts for synthetic oversampling.

``predict(sweep)`` gives the excess risks and 0-1 errors of every cell from theory alone,
``simulate(sweep)`` puts Monte-Carlo estimates beside them, ``verify()`` runs the claims,
``fit(table, x=.., y=..)`` fits scaling laws to anybody's curves, ``plan(table, label=..)`` says how many
synthetic rows a table of yours wants, ``train()`` trains a transformer in context, and
``read_sweep(source)`` validates a SWEEP.toml or a dictionary of the same shape. Each is loaded when first
used, so that ``import synthlaw`` itself stays light.

>>> import synthlaw
>>> counts = {"majority": 2000, "minority": 200}
>>> sweep = {"setting": {"kind": "imbalance", "dim": 5}, "counts": counts}
>>> sorted(synthlaw.predict(sweep).metric.unique())
['error', 'excess_risk']
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.setup.configuration import read_sweep
    from synthlaw.fitting.fits import fit
    from synthlaw.planning.plan import plan
    from synthlaw.simulating.predictions import predict
    from synthlaw.simulating.simulation import simulate
    from synthlaw.training.runs import train
    from synthlaw.verifying.verification import verify

    __version__: str

_HOMES = {
    "fit": "synthlaw.fitting.fits",
    "plan": "synthlaw.planning.plan",
    "predict": "synthlaw.simulating.predictions",
    "read_sweep": "simulations.setup.configuration",
    "simulate": "synthlaw.simulating.simulation",
    "train": "synthlaw.training.runs",
    "verify": "synthlaw.verifying.verification",
}

__all__ = ["__version__", "fit", "plan", "predict", "read_sweep", "simulate", "train", "verify"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("synthlaw")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'synthlaw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
