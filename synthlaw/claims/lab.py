"""The laboratory: runs simulations for claims and remembers them, so that claims share runs."""

from collections import defaultdict
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from simulations.population.units import Unit, make_unit
from simulations.runs.engine import chunks, run_chunks
from simulations.runs.moments import measures
from simulations.runs.tasks import compute, compute_parameters, prepare
from simulations.setup.configuration import read_sweep
from simulations.setup.regimes import PROPORTIONAL
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
    """A sweep simulated at several sizes: size s multiplies all counts (and augmented rows) by s, in
    the proportional regime the dimension too.

    ``sweep`` is the content of a SWEEP.toml at size 1; ``replicates`` are those of the preset
    quick, one number per size.
    """

    name: str
    sweep: dict[str, Any]
    sizes: tuple[int, ...]
    replicates: tuple[int, ...]


def scaled(sweep: dict[str, Any], size: int, seed: int) -> dict[str, Any]:
    """The sweep with all row counts times ``size``; in the proportional regime the dimension too, where
    vectors get zeros for the features that are new."""
    synthetic = dict(sweep.get("synthetic", {}))
    if "augment" in synthetic:
        synthetic["augment"] = [size * n for n in synthetic["augment"]]
    counts = {name: size * n for name, n in sweep["counts"].items()}
    found = {**sweep, "counts": counts, "synthetic": synthetic, "run": {"seed": seed}}
    if sweep.get("theory", {}).get("regime") == PROPORTIONAL:
        more = (size - 1) * sweep["setting"]["dim"]
        found["setting"] = {**sweep["setting"], "dim": sweep["setting"]["dim"] + more}
        synthetic["generators"] = [
            {**spec, "shift": [*spec["shift"], *[0.0] * more]} if "shift" in spec else spec
            for spec in synthetic.get("generators", [{"kind": "oracle"}])
        ]
    return found


class Lab:
    """Runs experiments under one preset and seed, each once.

    The one object with memory: ``tables`` keeps what was simulated, by experiment name; ``drawn``
    keeps tables that claims leave for pictures of their own, by name. Claims may work in it side by
    side: who needs what another computes waits for it. Once ``stopped`` is set it computes no more.
    """

    def __init__(self, preset: Preset, seed: int = 0):
        self.preset = preset
        self.seed = seed
        self.tables: dict[str, pd.DataFrame] = {}
        self.drawn: dict[str, pd.DataFrame] = {}
        self._experiments: dict[str, Experiment] = {}
        self._memory: dict[str, Any] = {}
        self._pictures: defaultdict[str, dict[str, pd.DataFrame]] = defaultdict(dict)
        self.stopped: Event = Event()
        self._locks: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)
        self._door = Lock()

    @contextmanager
    def _alone(self, what: str, name: str) -> Generator[None]:
        """One at a time computes what has this name."""
        with self._door:
            lock = self._locks[what, name]
        with lock:
            yield

    def go_on(self) -> None:
        """Raises CancelledError once the laboratory is to stop."""
        if self.stopped.is_set():
            raise CancelledError("the run is stopping")

    def measure(self, experiment: Experiment) -> pd.DataFrame:
        """The tidy tables of an experiment at all its sizes, with a column ``size``."""

        def run(size: int, replicates: int) -> pd.DataFrame:
            sweep, count = (
                scaled(experiment.sweep, size, self.seed),
                replicates * self.preset.effort,
            )
            table = simulate(sweep, replicates=count, progress=lambda *_: self.go_on())
            return table.assign(size=size)

        with self._alone("experiment", experiment.name):
            if experiment.name not in self.tables:
                self.go_on()
                # Two sizes at a time: one compiles while the other simulates.
                with ThreadPoolExecutor(2) as pool:
                    frames = list(pool.map(run, experiment.sizes, experiment.replicates))
                self._experiments[experiment.name] = experiment
                self.tables[experiment.name] = pd.concat(frames, ignore_index=True)
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
        with self._alone("memory", name):
            if name not in self._memory:
                self.go_on()
                self._memory[name] = compute()
            return self._memory[name]

    def draw(self, picture: str, part: str, rows: pd.DataFrame) -> None:
        """Leave rows of a picture that several claims draw, under the name of their ``part``."""
        with self._door:
            parts = self._pictures[picture]
            parts[part] = rows
            # In the order of names: which claim comes first is chance.
            whole = pd.concat([parts[name] for name in sorted(parts)], ignore_index=True)
            self.drawn[picture] = whole

    def units(self, sweep: dict[str, Any], size: int = 1) -> list[Unit]:
        """The units of a sweep, one per generator."""
        config = read_sweep(scaled(sweep, size, self.seed))
        return [make_unit(config, spec) for spec in config.synthetic.generators]

    def fitted(self, unit: Unit, replicates: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fitted parameters and their linear estimates ``(R, C, p)``, and which were found."""
        parts = self._parts(unit, replicates, compute_parameters)
        theta, linear, status = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return theta, linear, status == 0

    def replicate_values(
        self, unit: Unit, replicates: int, controls: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measures per replicate ``(R, C, 2, K + 1)`` less the first ``controls`` control variates,
        and which were found ``(R, C)``."""
        parts = self._parts(unit, replicates, compute)
        values = np.concatenate(
            [part.values - part.controls[:, :, :controls].sum(axis=2) for part in parts]
        )
        return measures(values), np.concatenate([part.status == 0 for part in parts])

    def _parts(self, unit: Unit, replicates: int, program: Callable[..., Any]) -> list[Any]:
        """The results of a unit's replicates, chunk by chunk."""
        parts = []
        for _, part in run_chunks(prepare(unit, program), chunks(replicates), program):
            self.go_on()
            parts.append(part)
        return parts
