"""Supply: the replicates of some cells of a unit, from the store where it holds them, else computed.

Replicates come chunk after chunk. What a chunk's shards lack is computed in pieces; the shards
are written when their chunk is complete, and now and then before, so that a kill loses little.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from simulations.population.units import Unit, metrics_of
from simulations.runs import engine, store
from simulations.runs.engine import Chunk, Crew, Pace, Timed, in_order
from simulations.runs.moments import join, one_cell
from simulations.runs.tasks import Task
from simulations.sampling.replicate import Results

Advance = Callable[[int], None]
# Seconds after which the replicates of an unfinished chunk are written all the same.
FLUSH_SECONDS = 30.0


class Source(NamedTuple):
    """Where replicates of a unit come from: ``directory`` (None: nowhere) and, for what it lacks,
    ``submit(first, count, cells)``, whose results ``result`` awaits; ``width()`` run at a time."""

    unit: Unit
    directory: Path | None
    submit: Callable[[int, int, tuple[int, ...]], "Future[Timed]"]
    result: Callable[["Future[Timed]"], Timed]
    width: Callable[[], int]
    pace: Pace


class Order(NamedTuple):
    """What is wanted: replicates ``start .. stop - 1`` of these cells."""

    cells: tuple[int, ...]
    start: int
    stop: int


class Portion(NamedTuple):
    """The part of an order in one chunk: replicates ``start .. stop - 1``.

    ``held[i]``: results of the i-th cell from the chunk's beginning on; ``groups``: places of cells
    that lack the same replicates, by the first they lack; ``computed``: their results so far.
    """

    chunk: Chunk
    start: int
    stop: int
    held: list[Results | None]
    groups: dict[int, list[int]]
    computed: dict[int, list[Results]]


class Piece(NamedTuple):
    """``count`` replicates of one group of a portion; ``last``: they complete the portion. A piece
    without replicates stands for a portion that lacks nothing."""

    portion: Portion
    group: int
    count: int
    last: bool


def source_of(task: Task, directory: Path | None, crew: Crew) -> Source:
    """A directory first, and a crew for what it lacks."""
    submit = partial(crew.submit, task)
    return Source(task.unit, directory, submit, crew.result, crew.width, Pace())


def supply(source: Source, order: Order, advance: Advance) -> Generator[Results]:
    """Results of an order, in consecutive parts; ``advance`` is told how many replicates came in."""
    written = time.monotonic()
    pieces = in_order(_pieces(source, order), lambda: 2 * max(source.width(), 1))
    with contextlib.closing(pieces):
        for piece, future in pieces:
            portion = piece.portion
            if piece.count:
                came = source.result(future)
                source.pace.learn(came)
                portion.computed[piece.group].append(came.results)
            due = time.monotonic() - written > FLUSH_SECONDS
            if piece.count and (piece.last or due):
                for group in portion.groups if piece.last else [piece.group]:
                    _keep(source, order, portion, group)
                written = time.monotonic()
            advance(_news(piece))
            if piece.last:
                yield _complete(source, order, portion)


def _pieces(source: Source, order: Order) -> Iterator[tuple[Piece, Callable[[], "Future[Any]"]]]:
    """The pieces of an order and how to start each; drawn late, when the pace is better known."""
    for portion in _portions(source, order):
        if not portion.groups:
            yield Piece(portion, portion.stop, 0, True), Future
        for group, members in portion.groups.items():
            cells = tuple(order.cells[place] for place in members)
            at = group
            while at < portion.stop:
                fair = source.pace.size(order.stop - at, max(source.width(), 1))
                count = min(fair, portion.stop - at)
                last = at + count == portion.stop and group == max(portion.groups)
                start = partial(source.submit, at, count, cells)
                yield Piece(portion, group, count, last), start
                at += count


def _portions(source: Source, order: Order) -> Iterator[Portion]:
    """The chunks that an order meets, each opened when it is drawn."""
    for first in range(order.start - order.start % engine.CHUNK, order.stop, engine.CHUNK):
        stop = min(first + engine.CHUNK, order.stop)
        chunk, start = Chunk(first, stop - first), max(order.start, first)
        held: list[Results | None] = [None] * len(order.cells)
        if source.directory is None:
            groups = {start: list(range(len(order.cells)))}
        else:
            functionals = len(metrics_of(source.unit.sweep)) * len(source.unit.world.names)
            held = [
                store.read_shard(_path(source, chunk, cell), functionals, chunk)
                for cell in order.cells
            ]
            groups = {}
            for place, results in enumerate(held):
                lacking = chunk.first + (0 if results is None else len(results.status))
                if lacking < stop:
                    groups.setdefault(lacking, []).append(place)
        ordered = dict(sorted(groups.items()))
        yield Portion(chunk, start, stop, held, ordered, {group: [] for group in ordered})


def _path(source: Source, chunk: Chunk, cell: int) -> Path:
    unit = source.unit
    return store.shard_path(source.directory or Path(), unit, unit.cells[cell], chunk)


def _news(piece: Piece) -> int:
    """How many replicates of all cells a piece brings: the group that lacks most sets the pace,
    and the rest is told when the portion is complete."""
    portion = piece.portion
    slowest = min(portion.groups, default=portion.stop)
    told_along = slowest >= portion.start
    news = piece.count if told_along and piece.group == slowest else 0
    if piece.last:
        told = portion.stop - slowest if told_along else 0
        news += portion.stop - portion.start - told
    return news


def _of_cell(portion: Portion, place: int) -> Results:
    """All that is known of a cell in a portion, its first replicates first."""
    known = portion.held[place]
    parts = [] if known is None else [known]
    for group, members in portion.groups.items():
        if place in members:
            parts += [one_cell(part, members.index(place)) for part in portion.computed[group]]
    return join(parts)


def _keep(source: Source, order: Order, portion: Portion, group: int) -> None:
    """Write what has been computed of a group of cells."""
    if source.directory is None:
        return
    for place in portion.groups[group]:
        path = _path(source, portion.chunk, order.cells[place])
        store.write_shard(path, _of_cell(portion, place), portion.chunk)


def _complete(source: Source, order: Order, portion: Portion) -> Results:
    """The results of a complete portion."""
    if source.directory is None:
        return join(portion.computed[portion.start])
    cells = [_of_cell(portion, place) for place in range(len(order.cells))]
    first = portion.start - portion.chunk.first
    return Results(*(part[first:] for part in join(cells, axis=1)))
