"""The laboratory: runs simulations for claims and remembers them, so that claims share runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from simulations.population.units import Unit, make_unit
from simulations.runs.engine import chunks, run_chunks
from simulations.runs.moments import measures
from simulations.runs.tasks import compute_parameters, prepare
from simulations.setup.configuration import read_sweep
from synthlaw.simulating.predictions import predict
from synthlaw.simulating.simulation import simulate

Result = TypeVar("Result")
# Ratios at which a pictured curve is predicted.
THEORY_POINTS = 41


class Preset(NamedTuple):
    """How hard to look: ``margin`` of agreement, the twin's planted relative error, and the
    factor on every claim's number of replicates."""

    name: str
    margin: float
    planted: float
    effort: int


PRESETS = {
    "quick": Preset("quick", margin=0.02, planted=0.10, effort=1),
    "full": Preset("full", margin=0.01, planted=0.05, effort=10),
}


class Experiment(NamedTuple):
    """A sweep simulated at several sizes: size s multiplies all counts (and augmented rows) by s.

    ``sweep`` is the content of a SWEEP.toml at size 1; ``replicates`` are those of the preset
    quick, one number per size.
    """

    name: str
    sweep: dict[str, Any]
    sizes: tuple[int, ...]
    replicates: tuple[int, ...]


def scaled(sweep: dict[str, Any], size: int, seed: int) -> dict[str, Any]:
    """The sweep with all row counts times ``size``."""
    synthetic = dict(sweep.get("synthetic", {}))
    if "augment" in synthetic:
        synthetic["augment"] = [size * n for n in synthetic["augment"]]
    counts = {name: size * n for name, n in sweep["counts"].items()}
    return {**sweep, "counts": counts, "synthetic": synthetic, "run": {"seed": seed}}


class Lab:
    """Runs experiments under one preset and seed, each once.

    The one object with memory: ``tables`` keeps what was simulated, by experiment name; ``drawn``
    keeps tables that claims leave for pictures of their own, by name.
    """

    def __init__(self, preset: Preset, seed: int = 0):
        self.preset = preset
        self.seed = seed
        self.tables: dict[str, pd.DataFrame] = {}
        self.drawn: dict[str, pd.DataFrame] = {}
        self._experiments: dict[str, Experiment] = {}
        self._memory: dict[str, Any] = {}

    def measure(self, experiment: Experiment) -> pd.DataFrame:
        """The tidy tables of an experiment at all its sizes, with a column ``size``."""
        if experiment.name not in self.tables:

            def run(size: int, replicates: int) -> pd.DataFrame:
                sweep = scaled(experiment.sweep, size, self.seed)
                table = simulate(sweep, replicates=replicates * self.preset.effort)
                return table.assign(size=size)

            # Two sizes at a time: one compiles while the other simulates.
            with ThreadPoolExecutor(2) as pool:
                frames = list(pool.map(run, experiment.sizes, experiment.replicates))
            self.tables[experiment.name] = pd.concat(frames, ignore_index=True)
            self._experiments[experiment.name] = experiment
        return self.tables[experiment.name]

    def pictured(self) -> dict[str, pd.DataFrame]:
        """The simulated tables, curves with dense rows of theory (no estimate) at the first size."""
        tables = dict(self.drawn)
        for name, table in self.tables.items():
            experiment = self._experiments[name]
            sweep = scaled(experiment.sweep, experiment.sizes[0], self.seed)
            ratios = sweep["synthetic"].get("ratios", [])
            if len(ratios) > 2:
                dense = np.linspace(min(ratios), max(ratios), THEORY_POINTS)
                between = [float(r) for r in dense if r not in ratios]
                sweep["synthetic"] = {**sweep["synthetic"], "ratios": between}
                theory = predict(sweep).assign(size=experiment.sizes[0])
                table = pd.concat([table, theory], ignore_index=True)
            tables[name] = table
        return tables

    def recall(self, name: str, compute: Callable[[], Result]) -> Result:
        """The result of ``compute()``, computed once under this name."""
        if name not in self._memory:
            self._memory[name] = compute()
        return self._memory[name]

    def units(self, sweep: dict[str, Any], size: int = 1) -> list[Unit]:
        """The units of a sweep, one per generator."""
        config = read_sweep(scaled(sweep, size, self.seed))
        return [make_unit(config, spec) for spec in config.synthetic.generators]

    def fitted(self, unit: Unit, replicates: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fitted parameters and their linear estimates ``(R, C, p)``, and which were found."""
        parts = [
            part for _, part in run_chunks(prepare(unit), chunks(replicates), compute_parameters)
        ]
        theta, linear, status = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return theta, linear, status == 0

    def replicate_values(
        self, unit: Unit, replicates: int, controls: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measures per replicate ``(R, C, 2, K + 1)`` less the first ``controls`` control variates,
        and which were found ``(R, C)``."""
        parts = [part for _, part in run_chunks(prepare(unit), chunks(replicates))]
        values = np.concatenate(
            [part.values - part.controls[:, :, :controls].sum(axis=2) for part in parts]
        )
        return measures(values), np.concatenate([part.status == 0 for part in parts])
