"""One replicate of one cell: the same bits whatever is computed beside it, kept or drawn again."""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from samples import rows_of, units_of

from simulations.problems import InputError
from simulations.runs import tasks
from simulations.runs.tasks import Task, compute, compute_parameters, prepare
from simulations.sampling import rooms

RATIOS = [0, 0.1, 0.25, 0.4, 0.5, 0.75, 1, 1.25, 1.5, 2]
SWEEP: dict[str, Any] = {
    "setting": {"kind": "imbalance", "dim": 4},
    "counts": {"majority": 1500, "minority": 120},
    "synthetic": {
        "generators": [
            {"kind": "shift", "shift": [0.2, 0, 0, 0]},
            {"kind": "duplicate"},
            {"kind": "label_noise", "rate": 0.1},
        ],
        "ratios": RATIOS,
        "augment": [0, 700],
        "augment_row_weight": 0.5,
    },
}
CELLS = 2 * len(RATIOS)
GENERATORS = range(3)


@cache
def _task(generator: int) -> Task:
    return prepare(units_of(SWEEP)[generator])


def _same_bits(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("cells", [(5,), (19, 0), (3, 4, 11), tuple(range(1, 20, 2))])
def test_a_cell_has_the_same_bits_alone_and_in_company(
    generator: int, cells: tuple[int, ...]
) -> None:
    task = _task(generator)
    everything = compute(task, 0, 12)
    assert everything.values.shape[:2] == (12, CELLS)
    some = compute(task, 0, 12, cells)
    picked = type(everything)(*(part[:, list(cells)] for part in everything))
    assert _same_bits(some, picked)
    # Other cells do differ: the comparison can fail.
    assert not _same_bits(some, compute(task, 0, 12, tuple((c + 1) % CELLS for c in cells)))


@pytest.mark.parametrize("generator", GENERATORS)
def test_adding_a_ratio_changes_no_other_bit(generator: int) -> None:
    wider = {**SWEEP, "synthetic": {**SWEEP["synthetic"], "ratios": [3, 0.05, *RATIOS[::-1]]}}
    there = prepare(units_of(wider)[generator])
    keys = [(cell.ratio, cell.augment) for cell in there.unit.cells]
    place = tuple(keys.index((cell.ratio, cell.augment)) for cell in _task(generator).unit.cells)
    assert _same_bits(compute(there, 5, 8, place), compute(_task(generator), 5, 8))


@pytest.mark.parametrize("generator", GENERATORS)
def test_any_range_of_replicates_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, generator: int
) -> None:
    task = _task(generator)
    whole = compute(task, 0, 20, (2, 7))
    parts = [compute(task, first, count, (2, 7)) for first, count in ((0, 7), (7, 12), (19, 1))]
    joined = type(whole)(*(np.concatenate(all_) for all_ in zip(*parts, strict=True)))
    assert _same_bits(whole, joined)
    monkeypatch.setattr(tasks, "SIZE", 6)
    assert _same_bits(whole, compute(task, 0, 20, (2, 7)))


@pytest.mark.parametrize("generator", GENERATORS)
def test_rows_drawn_again_are_the_rows_kept(
    monkeypatch: pytest.MonkeyPatch, generator: int
) -> None:
    """A sample too large to be kept is drawn anew in every pass: the same rows, the same results."""
    unit = _task(generator).unit
    kept, streamed = rows_of(unit, 3), rows_of(unit, 3, streamed=True)
    assert _same_bits(kept, streamed)
    monkeypatch.setattr(rooms, "MOST_NUMBERS", 2**17)
    there = prepare(unit)
    assert there.room.stream and not _task(generator).room.stream
    here, again = compute(_task(generator), 0, 4), compute(there, 0, 4)
    for mine, other in zip(here, again, strict=True):
        # Another program may round differently.
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)


def test_a_sample_of_too_many_rows_is_refused() -> None:
    huge = {**SWEEP, "counts": {"majority": 10**10, "minority": 10}}
    with pytest.raises(InputError, match=r"^counts: one sample .* lower counts, .* predict"):
        prepare(units_of(huge)[0])
    repeated = {**SWEEP, "counts": {"majority": 3 * 10**6, "minority": 10**5}}
    with pytest.raises(InputError, match=r"^counts: generator 'duplicate' keeps"):
        prepare(units_of(repeated)[1])


_ON_DEVICES = """
import json, sys
import jax, numpy as np
sys.path.insert(0, "tests")
from samples import units_of
from simulations.runs.tasks import compute, prepare
sweep = json.loads(sys.argv[1])
results = [compute(prepare(unit), 3, 23) for unit in units_of(sweep)]
print(json.dumps([jax.device_count(), [part.ravel().tolist() for r in results for part in r]]))
"""


def _on_devices(count: int) -> tuple[int, list[np.ndarray]]:
    sweep = {**SWEEP, "synthetic": {**SWEEP["synthetic"], "ratios": [0, 1], "augment": [0]}}
    done = subprocess.run(
        [sys.executable, "-c", _ON_DEVICES, json.dumps(sweep)],
        env={**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"},
        capture_output=True,
        text=True,
        check=True,
    )
    devices, parts = json.loads(done.stdout)
    return devices, [np.array(part) for part in parts]


def test_any_number_of_devices_gives_the_same_numbers() -> None:
    devices, one = _on_devices(1)
    assert devices == 1 and len(one) == 9
    for count in (2, 4):
        devices, several = _on_devices(count)
        assert devices == count
        for mine, other in zip(one, several, strict=True):
            np.testing.assert_allclose(other, mine, rtol=1e-12, atol=1e-300)


def test_parameters_belong_to_the_same_replicates() -> None:
    task = _task(0)
    fitted = compute_parameters(task, 0, 6, (4,))
    np.testing.assert_array_equal(fitted.status, compute(task, 0, 6, (4,)).status)
    assert fitted.theta.shape == fitted.linear.shape == (6, 1, 5)
    # The linear estimate is most of the way from the population's rule to the sample's.
    start = np.asarray(task.population.theta)[4]
    far = np.linalg.norm(fitted.theta - start, axis=2)
    assert (np.linalg.norm(fitted.theta - start - fitted.linear, axis=2) < 0.5 * far).mean() > 0.8
