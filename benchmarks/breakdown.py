"""``python -m benchmarks.breakdown SWEEP.json REPLICATES``: seconds of each stage of a cold run.

Stages run one after another here, so that each can be timed; ``synthlaw simulate`` overlaps them.
"""

import json
import sys
import tempfile
import time

_START = time.perf_counter()

from simulations.population.units import make_unit, unit_population  # noqa: E402
from simulations.runs.tasks import prepare  # noqa: E402
from simulations.setup.configuration import read_sweep  # noqa: E402
from synthlaw import simulate  # noqa: E402


def main() -> None:
    content, replicates = json.load(open(sys.argv[1])), int(sys.argv[2])
    found = {"import_s": time.perf_counter() - _START}

    def note(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        found[name] = now - last
        last = now

    last = time.perf_counter()
    config = read_sweep(content)
    units = [make_unit(config, spec) for spec in config.synthetic.generators]
    note("configuration_s")
    for unit in units:
        unit_population(unit)
    note("population_s")
    for unit in units:
        prepare(unit)
    # What prepare repeats of the population is part of "again"; the rest is compilation.
    note("prepare_s")
    for unit in units:
        prepare(unit)
    note("again_s")
    simulate(config, replicates=2)
    note("short_s")
    simulate(config, replicates=replicates)
    note("simulate_s")
    with tempfile.TemporaryDirectory() as folder:
        simulate(config, folder, replicates=replicates)
        note("store_s")
    result = {
        "import_s": found["import_s"],
        "population_s": found["configuration_s"] + found["population_s"],
        "compile_s": found["prepare_s"] - found["again_s"],
        "simulate_s": found["simulate_s"] - found["short_s"],
        "store_s": max(found["store_s"] - found["simulate_s"], 0.0),
        "replicates": replicates,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
