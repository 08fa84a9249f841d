"""The sweeps that are timed, and what competitors need to know of them."""

import json
from typing import Any, NamedTuple

import numpy as np

DIM, SEPARATION, COUNTS = 10, 2.0, (2000, 200)
SHIFT = 0.3
GENERATORS = ("oracle", "shift", "duplicate")
TARGET = 0.003


class Problem(NamedTuple):
    """A ratio curve: ``counts`` (majority, minority), the pool's displacement along e_1, the rows
    ``sizes (C,)`` that each ratio adds and the population minimisers ``starts (C, p)``."""

    dim: int
    separation: float
    shift: float
    counts: tuple[int, int]
    duplicate: bool
    sizes: np.ndarray
    starts: np.ndarray


def ratios(count: int) -> list[float]:
    """``count`` ratios from 0 to 2; a single one is 2, so that every curve draws the same pool.

    >>> ratios(1), ratios(5)
    ([2.0], [0.0, 0.5, 1.0, 1.5, 2.0])
    """
    return [round(2.0 * i / max(count - 1, 1), 6) for i in range(count)] if count > 1 else [2.0]


def sweep(
    generators: tuple[str, ...] = ("oracle",),
    dim: int = DIM,
    times: float = 1,
    cells: int = 21,
    kind: str = "logistic",
    augment: int = 0,
) -> dict[str, Any]:
    """The content of a SWEEP.toml: the reference setting, its counts multiplied by ``times``."""
    specs = {
        "oracle": {"kind": "oracle"},
        "shift": {"kind": "shift", "shift": [SHIFT, *[0.0] * (dim - 1)], "groups": ["minority"]},
        "duplicate": {"kind": "duplicate"},
    }
    counts = [int(times * count) for count in COUNTS]
    synthetic: dict[str, Any] = {
        "generators": [specs[name] for name in generators],
        "ratios": ratios(cells),
    }
    if augment:
        synthetic |= {"ratios": [1.0], "augment": [augment], "augment_share": 0.5}
    return {
        "setting": {"kind": "imbalance", "dim": dim, "separation": SEPARATION},
        "counts": {"majority": counts[0], "minority": counts[1]},
        "synthetic": synthetic,
        "estimator": {"kind": kind},
    }


def toml(content: dict[str, Any]) -> str:
    """A sweep as the text of its file."""

    def value(item: Any) -> str:
        if isinstance(item, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in item.items()) + "}"
        if isinstance(item, list):
            return "[" + ", ".join(map(value, item)) + "]"
        return json.dumps(item)

    sections = (
        f"[{name}]\n" + "".join(f"{key} = {value(item)}\n" for key, item in part.items())
        for name, part in content.items()
    )
    return "\n".join(sections)


def problem_of(content: dict[str, Any]) -> Problem:
    """What a competitor needs of a sweep with one generator."""
    from simulations.population.units import make_unit, unit_population
    from simulations.setup.configuration import read_sweep

    config = read_sweep(content)
    spec = content["synthetic"]["generators"][0]
    unit = make_unit(config, config.synthetic.generators[0])
    counts = content["counts"]
    return Problem(
        content["setting"]["dim"],
        content["setting"]["separation"],
        spec.get("shift", [0.0])[0],
        (counts["majority"], counts["minority"]),
        spec["kind"] == "duplicate",
        np.array([cell.oversampled[1] for cell in unit.cells], dtype=int),
        np.asarray(unit_population(unit).theta),
    )
