"""The Monte-Carlo engine: pieces of work spread over the cores, or over whoever lends a hand.

A piece is a range of replicate numbers of some cells; its result depends on the unit and on these
numbers only, so pieces may be of any size, computed in any order, by any worker, in any run,
and give the same bits.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, NamedTuple, TypeVar

import numpy as np

from simulations import cores
from simulations.runs.tasks import Task, compute
from simulations.sampling.replicate import Results

# Replicates kept in one shard.
CHUNK = 500
# Replicates computed at a time: at most so many, and no longer than about so many seconds, so that
# an interruption is heeded soon; few at first, while nobody knows how long one takes.
PIECE, PIECE_SECONDS, FIRST_PIECE = 100, 0.5, 8
# Seconds between looks at whether the run is to stop while a piece is awaited.
PATIENCE = 0.2

Item = TypeVar("Item")


class Chunk(NamedTuple):
    """Replicates ``first .. first + count - 1``."""

    first: int
    count: int


def chunks(count: int) -> list[Chunk]:
    """Replicates 0..count-1 in chunks of ``CHUNK``, the last one perhaps shorter."""
    return [Chunk(first, min(CHUNK, count - first)) for first in range(0, count, CHUNK)]


def workers() -> int:
    """How many pieces run at a time: two for each core, because a piece waits now and then while
    XLA hands parts of a product to other threads."""
    return 2 * cores()


class Timed(NamedTuple):
    """Results, and the seconds they took."""

    results: Results
    seconds: float


Submit = Callable[[Task, int, int, tuple[int, ...]], "Future[Timed]"]


class Crew(NamedTuple):
    """Who computes: ``submit(task, first, count, cells)`` hands a piece over, ``width()`` says how
    many run at a time, ``check(fault)`` raises a clear fault where no result can come any more;
    ``stopped`` is set when the run ends early."""

    submit: Submit
    width: Callable[[], int]
    check: Callable[[BaseException | None], None]
    stopped: Event

    def result(self, future: "Future[Timed]") -> Timed:
        """The result of a piece; raises what it raised, or CancelledError when the run stops."""
        while not self.stopped.is_set():
            try:
                return future.result(PATIENCE)
            except TimeoutError as fault:
                if future.done():
                    # The piece itself ran into a timeout.
                    self.check(fault)
                    raise
                self.check(None)
            except Exception as fault:
                self.check(fault)
                raise
        future.cancel()
        raise CancelledError("the run is stopping")


def timed(task: Task, first: int, count: int, cells: tuple[int, ...]) -> Timed:
    """A piece computed here."""
    start = time.perf_counter()
    results = compute(task, first, count, cells)
    return Timed(results, time.perf_counter() - start)


@contextmanager
def local_crew() -> Generator[Crew]:
    """The cores of this machine."""
    width = workers()
    stopped = Event()
    pool = ThreadPoolExecutor(width, thread_name_prefix="replicates")
    try:
        yield Crew(partial(pool.submit, timed), lambda: width, lambda _: None, stopped)
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


class Pace:
    """How long a replicate takes, learnt from the pieces that came back."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def learn(self, piece: Timed) -> None:
        """Note a piece's time; the fastest counts, because others may have waited for a compiler."""
        each = piece.seconds / max(len(piece.results.status), 1)
        self._seconds = each if self._seconds is None else min(self._seconds, each)

    def size(self, left: int, width: int) -> int:
        """How many of ``left`` replicates the next piece shall have."""
        fair = -(-left // (2 * width))
        known = FIRST_PIECE if self._seconds is None else PIECE_SECONDS / max(self._seconds, 1e-9)
        return max(1, min(PIECE, max(fair, FIRST_PIECE), int(known), left))


def in_order(
    items: Iterable[tuple[Item, Callable[[], "Future[Any]"]]], window: Callable[[], int]
) -> Generator[tuple[Item, "Future[Any]"]]:
    """Start the work of the items, at most ``window()`` of them ahead, and hand them on in order.

    Items are drawn as late as possible; what has been started but not handed on is cancelled when
    the generator is closed.
    """
    source = iter(items)
    queue: deque[tuple[Item, Future[Any]]] = deque()

    def fill() -> None:
        while len(queue) < window():
            drawn = next(source, None)
            if drawn is None:
                return
            item, start = drawn
            queue.append((item, start()))

    try:
        fill()
        while queue:
            yield queue[0]
            queue.popleft()
            fill()
    finally:
        for _, future in queue:
            future.cancel()


def run_chunks(
    task: Task, wanted: list[Chunk], program: Callable[..., Any] | None = None
) -> Generator[tuple[Chunk, Any]]:
    """Results of the wanted chunks of all cells, in their order, computed on all cores.

    ``program`` is ``compute`` (risks and errors) or ``compute_parameters`` (the fitted rules).

    Args:
        task: the unit and what it needs.
        wanted: chunks of replicates.
        program: what is computed.
    """
    width = workers()
    size = max(1, min(PIECE, -(-sum(chunk.count for chunk in wanted) // (2 * width))))

    def start_at(first: int, count: int) -> Callable[[], Future[Any]]:
        return lambda: pool.submit(program or compute, task, first, count)

    def pieces() -> Iterator[tuple[tuple[Chunk, int], Callable[[], Future[Any]]]]:
        for chunk in wanted:
            for start in range(0, chunk.count, size):
                count = min(size, chunk.count - start)
                yield (chunk, chunk.count - start - count), start_at(chunk.first + start, count)

    parts: list[Any] = []
    with ThreadPoolExecutor(width) as pool:
        for (chunk, left), future in in_order(pieces(), lambda: 2 * width):
            parts.append(future.result())
            if left == 0:
                arrays = (np.concatenate(each) for each in zip(*parts, strict=True))
                yield chunk, type(parts[0])(*arrays)
                parts = []
