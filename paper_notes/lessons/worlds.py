"""The two worlds of lessons 1 to 4 as sweeps, and short ways to read their tables."""

from typing import Any

import pandas as pd

from simulations.population.units import UnitPopulation, make_unit, unit_population
from simulations.setup.configuration import read_sweep

DIM, SEPARATION = 5, 2.0
CORE, SPURIOUS = 2.0, 3.0
RIGHT = [{"kind": "oracle"}]


def imbalance(
    majority: int, minority: int, ratios: Any = (0.0,), generators: Any = RIGHT, **more: Any
) -> dict[str, Any]:
    """Two Gaussian classes at distance 2 in five dimensions; the minority has label 1."""
    return {
        "setting": {"kind": "imbalance", "dim": DIM, "separation": SEPARATION},
        "counts": {"majority": int(majority), "minority": int(minority)},
        "synthetic": {"ratios": [float(r) for r in ratios], "generators": list(generators)},
        **more,
    }


def spurious(
    aligned: int, conflicting: int, ratios: Any = (0.0,), generators: Any = RIGHT, **more: Any
) -> dict[str, Any]:
    """Four Gaussian groups (label, attribute): the attribute agrees with the label in ``aligned`` rows
    of each label and contradicts it in ``conflicting`` ones."""
    few, many = int(conflicting), int(aligned)
    return {
        "setting": {"kind": "spurious", "dim": DIM, "core": CORE, "spurious": SPURIOUS},
        "counts": {"1,1": many, "1,-1": few, "-1,1": few, "-1,-1": many},
        "synthetic": {"ratios": [float(r) for r in ratios], "generators": list(generators)},
        **more,
    }


def rows(
    table: pd.DataFrame, metric: str = "excess_risk", group: str = "balanced", **where: Any
) -> pd.DataFrame:
    """The rows of one metric and group of a tidy table, and of further columns' values.

    >>> import synthlaw
    >>> table = synthlaw.predict(imbalance(2000, 200))
    >>> round(float(rows(table).floor.iloc[0]), 4)
    0.2904
    """
    chosen = (table["metric"] == metric) & (table["group"] == group)
    for name, value in where.items():
        chosen &= table[name] == value
    return pd.DataFrame(table[chosen])


def population(sweep: dict[str, Any]) -> UnitPopulation:
    """The exact population of a sweep's first generator: ``theta (cells, p)`` with the intercept last.

    >>> population(imbalance(2000, 200)).theta[0].round(4).tolist()
    [2.0, 0.0, 0.0, 0.0, 0.0, -2.3026]
    """
    config = read_sweep(sweep)
    return unit_population(make_unit(config, config.synthetic.generators[0]))
