"""How much room a unit's compiled program has, whichever of its cells are computed."""

from typing import NamedTuple

import numpy as np

from simulations import draws
from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.sampling.layout import fitted_of, limits_of, made_of, repeated_of

TILE = 8
# Tiles and buffers come in few sizes (a compiled shape each): the smallest times GROWTH**k.
FEWEST_TILES, FEWEST_BLOCKS, FEWEST_RAW, GROWTH = 8, 256, 16, 8
# Numbers in the row buffer of one sample (128 MiB in double precision, per worker): larger
# samples are drawn again, block by block, whenever they are passed over.
MOST_NUMBERS = 2**24
# Rows of a group among which neighbours are looked for: every pair is compared, minutes at this size.
MOST_SEARCHED = 2**17
# Row numbers are 32-bit integers; a sample this large takes minutes.
MOST_ROWS = 2**31 - 1


class Room(NamedTuple):
    """Sizes a unit's compiled program has room for, whichever of its cells are computed: ``tiles``,
    ``blocks`` of rows, ``indices`` (blocks of repeated rows), ``raw`` blocks that rows may be repeated
    of (0 where sums are drawn in place of rows); ``stream``: the rows are too many to be kept;
    ``fitted``: the kind of a generator that is fitted to raw rows, else empty; ``neighbours`` of a raw
    row among which it chooses, and blocks in the ``pool`` of raw rows where it looks for them."""

    tiles: int
    blocks: int
    indices: int
    raw: int
    stream: bool
    fitted: str = ""
    neighbours: int = 0
    pool: int = 0


def size_class(least: int, needed: int, growth: int = GROWTH) -> int:
    """The smallest size ``least * growth**k`` that is enough."""
    size = least
    while size < needed:
        size *= growth
    return size


def block_counts(lengths: np.ndarray) -> np.ndarray:
    """Blocks of `draws.BLOCK` rows that hold so many rows, of any shape."""
    return -(-lengths // draws.BLOCK)


def check_room(unit: Unit) -> None:
    """Raise ``InputError`` where a sample is too large to be drawn."""
    longest, repeated = limits_of(unit.cells).max(axis=0), repeated_of(unit)
    rows = sum(int(n) for n in longest)
    if rows > MOST_ROWS:
        raise InputError(
            f"counts: one sample of generator '{unit.generator.kind}' has {rows:.1e} rows (limit"
            f" {MOST_ROWS:.1e}); lower counts, ratios or augment, or use synthlaw predict, which"
            " draws no rows."
        )
    raw = sum(int(n) for n in unit.counts)
    if repeated.any() and raw * TILE > MOST_NUMBERS:
        raise InputError(
            f"counts: generator '{unit.generator.kind}' keeps {TILE} numbers for each of {raw:.1e}"
            f" raw rows (limit {MOST_NUMBERS:.1e} in all); lower counts, or use synthlaw predict,"
            " which draws no rows."
        )


def _is_long(unit: Unit, blocks: int) -> bool:
    """Whether so many blocks of rows are too many to be kept."""
    return blocks * draws.BLOCK * unit.groups.means.shape[-1] > MOST_NUMBERS


def room(unit: Unit) -> Room:
    """What a unit needs room for; raises ``InputError`` where its rows are too many."""
    check_room(unit)
    longest, repeated = limits_of(unit.cells).max(axis=0), repeated_of(unit)
    blocks = size_class(FEWEST_BLOCKS, int(block_counts(np.where(repeated, 0, longest)).sum()))
    indices = size_class(FEWEST_BLOCKS, int(block_counts(np.where(repeated, longest, 0)).sum()))
    # The smallest room where nothing is repeated, so that generators of either kind share a program.
    raw = int(block_counts(unit.counts).sum()) if repeated.any() else 0
    fitted = fitted_of(unit).any()
    if fitted and _is_long(unit, blocks):
        raise InputError(
            f"counts: generator '{unit.generator.kind}' looks at a whole sample at once, and this one has"
            f" {sum(map(int, longest)):.1e} rows of {unit.groups.means.shape[-1]} features (limit"
            f" {MOST_NUMBERS:.1e} numbers); lower counts, ratios or augment, or use synthlaw predict,"
            " which draws no rows."
        )
    neighbours = getattr(unit.generator, "neighbours", 0) if fitted else 0
    return Room(
        size_class(FEWEST_TILES, -(-len(unit.cells) // TILE)),
        blocks,
        indices,
        size_class(FEWEST_RAW, raw),
        _is_long(unit, blocks),
        unit.generator.kind if fitted else "",
        neighbours,
        _pool(unit, neighbours) if neighbours else 0,
    )


def _pool(unit: Unit, neighbours: int) -> int:
    """Blocks of the largest group in which neighbours are looked for. The search grows as their square,
    whatever of them is used, so that sizes grow slowly."""
    largest = int(np.where(made_of(unit), unit.counts, 1).max())
    pool = size_class(1, -(-largest // draws.BLOCK), growth=2)
    rows = pool * draws.BLOCK
    if rows > MOST_SEARCHED or rows * neighbours > MOST_NUMBERS:
        raise InputError(
            f"counts: generator 'smote' looks for {neighbours} neighbours of each of {largest:.1e} rows"
            f" (limits: {MOST_SEARCHED:.1e} rows in a group, {MOST_NUMBERS:.1e} neighbours in all); lower"
            " counts or neighbours, or give it smaller groups to act on."
        )
    return pool
