"""Replicates of a unit of tokens: draw counts, let the generator see them, fit, measure exactly.

Raw rows depend on the unit and the replicate; a pool of synthetic rows also on the law that the generator
makes of them; cells take prefixes of the pools. Replicates and cells are computed one after the other, so
that no number depends on what is computed beside it.
"""

from typing import Any, NamedTuple

import jax
import numpy as np

from simulations.arrays import AnyArray
from simulations.population.units import Unit, key_words
from simulations.problems import InputError
from simulations.sampling.newton import FOUND
from simulations.sampling.replicate import Parameters, Results
from simulations.token_sweeps import rows
from simulations.token_sweeps.cells import check_size, padded, places
from simulations.token_sweeps.device import Device
from simulations.token_sweeps.endless import knobs_of
from simulations.token_sweeps.fits import Fitted, fit
from simulations.token_sweeps.generators import Seen, seen
from simulations.token_sweeps.population import TokenPopulation

# Replicates of a program at most, and the numbers that the counts of their cells may take.
REPLICATES, NUMBERS = 16, 2**22


class TokenRoom(NamedTuple):
    """Replicates and cells that a unit's programs have room for; ``key (2,)`` of its samples."""

    replicates: int
    places: int
    key: AnyArray


def room(unit: Unit) -> TokenRoom:
    """What programs of a unit need room for.

    Args:
        unit: one generator of a sweep of tokens.

    Returns:
        `TokenRoom`, from the unit alone: batches do not depend on who computes them.

    Raises:
        InputError: samples above `rows.MOST_ROWS` rows, or tables too large to be listed.
    """
    check_size(unit)
    pool = max(max(int(cell.oversampled.max()), cell.augment) for cell in unit.cells)
    if pool > rows.MOST_ROWS:
        raise InputError(
            f"counts: a sample of generator '{unit.generator.kind}' has {pool:.1e} synthetic rows of a"
            f" group (limit {rows.MOST_ROWS:.1e}); lower counts, ratios or augment, or use synthlaw"
            " predict, which draws no rows."
        )
    setting, size = unit.sweep.setting, places(len(unit.cells))
    tokens = setting.vocabulary * (setting.attribute_vocabulary or 1)
    fitting = NUMBERS // (tokens * len(unit.counts) * (size + 2))
    return TokenRoom(max(1, min(REPLICATES, fitting)), size, key_words(unit))


def _seen(unit: Unit, device: Device, raw: np.ndarray, used: int) -> Seen:
    spec = unit.generator
    found = seen(
        device.tables,
        device.points,
        device.log_laws,
        device.pieces,
        device.acts,
        device.counts,
        raw,
        knobs_of(spec),
        np.int32(used),
        kind=spec.kind,
    )
    return Seen(*map(np.asarray, found))


def _synthetic(
    unit: Unit, room_: TokenRoom, law: np.ndarray, replicate: int, cells: tuple[int, ...]
) -> np.ndarray:
    """Weighted counts of the synthetic rows of cells, ``(C, K, D)``."""
    found = np.zeros((len(cells), *law.shape))
    chosen = [unit.cells[c] for c in cells]
    for g in range(len(law)):
        parts = (
            (rows.OVERSAMPLED, [(int(c.oversampled[g]), float(c.row_weight[g])) for c in chosen]),
            (rows.AUGMENTED, [(c.augment, c.augment_weight) for c in chosen]),
        )
        for purpose, taken in parts:
            sizes = [size for size, _ in taken]
            if max(sizes) == 0:
                continue
            own = rows.stream(room_.key, replicate, purpose, g)
            weight = np.array([weight for _, weight in taken])
            found[:, g] += weight[:, None] * rows.prefixes(law[g], sizes, own)
    return found


class Ready(NamedTuple):
    """What all replicates of a unit need: its ``population``, the arrays ``device`` and its ``room``."""

    population: TokenPopulation
    device: Device
    room: TokenRoom


def _batch(
    unit: Unit, ready: Ready, first: int, count: int, cells: tuple[int, ...]
) -> tuple[Fitted, Seen]:
    """Replicates ``first ..``, as many as the programs have room for at most."""
    population, device, here = ready
    laws = population.world.laws
    laws = laws / laws.sum(axis=1, keepdims=True)
    (groups, size), most = laws.shape, here.replicates
    raw = np.zeros((most, groups, size))
    for r in range(count):
        for g in range(groups):
            own = rows.stream(here.key, first + r, rows.RAW, g)
            raw[r, g] = rows.raw_counts(laws[g], int(unit.counts[g]), own)
    known = _seen(unit, device, raw, count)
    synthetic = np.zeros((most, here.places, groups, size))
    for r in range(count):
        synthetic[r, : len(cells)] = _synthetic(unit, here, known.law[r], first + r, cells)
    kept = list(cells)
    chosen, weights = jax.tree.map(lambda part: part[kept], (population.cells, population.weights))
    fitted = fit(
        device.points,
        device.laws,
        device.labels,
        device.best,
        device.counts,
        device.pieces.mean,
        device.penalty,
        padded(chosen, here.places),
        padded(weights, here.places),
        raw,
        known.law,
        synthetic,
        known.found.all(axis=1),
        np.int32(count),
        np.int32(max(len(cells), 1)),
    )
    return Fitted(*(np.asarray(part)[:count, : len(cells)] for part in fitted)), Seen(
        *(part[:count] for part in known)
    )


def compile_programs(unit: Unit, ready: Ready) -> None:
    """Run the programs of a unit on no replicate, so that threads do not compile them side by side."""
    _batch(unit, ready, 0, 0, tuple(range(len(unit.cells))))


def _each(
    unit: Unit, ready: Ready, first: int, count: int, cells: tuple[int, ...]
) -> list[tuple[Fitted, Seen]]:
    most = ready.room.replicates
    return [
        _batch(unit, ready, first + start, min(most, count - start), cells)
        for start in range(0, count, most)
    ]


def replicates(unit: Unit, ready: Ready, first: int, count: int, cells: tuple[int, ...]) -> Results:
    """Excess risks, errors and divergences of replicates ``first .. first + count - 1``: ``F = 3K``.

    Args:
        unit, ready: a unit of tokens, and what all its replicates need.
        first: number of the first replicate, >= 0; a replicate's numbers depend on no other one.
        count: R >= 1 of them.
        cells: numbers of the C cells that are computed.

    Returns:
        `Results`: ``values (R, C, F)`` in nats, errors in [0, 1]; ``controls (R, C, 2, F)`` of mean
        exactly 0; ``status (R, C)``. A replicate whose generator makes no law (``likeliest``, diverging
        layers) has no rule in any cell, and values of NaN.

    Source: paper_notes/transformers_sweeps.md, section 3.
    """
    parts = []
    for fitted, known in _each(unit, ready, first, count, cells):

        def per_cell(values: np.ndarray) -> np.ndarray:
            return np.repeat(values[:, None], len(cells), axis=1)

        kl = np.where((fitted.status == FOUND)[:, :, None], per_cell(known.kl), np.nan)
        values = np.concatenate([fitted.values, kl], axis=2)
        controls = np.concatenate([fitted.controls, per_cell(known.controls)], axis=3)
        parts.append((values, controls, fitted.status))
    return Results(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def parameters(
    unit: Unit, ready: Ready, first: int, count: int, cells: tuple[int, ...]
) -> Parameters:
    """The fitted rules of the same replicates, and linear estimates of their errors.

    Args:
        unit, ready, first, count, cells: as in `replicates`.

    Returns:
        `Parameters`: ``theta (R, C, p)``, intercept last, NaN where there is none; the linear estimates
        ``(R, C, p)``, of mean exactly 0; ``status (R, C)``.
    """
    found: list[Any] = [fitted for fitted, _ in _each(unit, ready, first, count, cells)]
    return Parameters(
        np.concatenate([each.theta for each in found]),
        np.concatenate([each.linear for each in found]),
        np.concatenate([each.status for each in found]),
    )
