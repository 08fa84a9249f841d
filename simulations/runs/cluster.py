"""Work on a cluster: pieces of replicates computed by the workers of a Dask scheduler.

What the workers compute are the bits computed here, so a run may change between machines at
will. Dask gives the pieces of a worker that died to another one.
"""

import asyncio
import logging
import time
from collections.abc import Generator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from simulations.problems import InputError, one_sentence
from simulations.runs.crews import executor_crew
from simulations.runs.engine import Crew

# Seconds for the scheduler to answer and for its first worker to appear.
CONNECT_SECONDS = 10
# Seconds between two looks at the workers, and how long a run goes on without any.
LOOK_SECONDS, ALONE_SECONDS = 2.0, 60.0
RERUN = "what the run folder holds is kept; run the same command again once the cluster works"


async def _kind(address: str) -> str:
    """What answers at an address: ``Scheduler``, or something else."""
    from distributed.core import rpc

    async with asyncio.timeout(CONNECT_SECONDS), rpc(address, timeout=CONNECT_SECONDS) as remote:
        identity: Any = await remote.identity()
    return str(identity.get("type"))


def _connect(address: str) -> Any:
    """A client of the scheduler at this address, which has at least one worker."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--executor: the packages dask and distributed are not installed;"
            " pip install 'synthlaw[cluster]'."
        ) from None
    try:
        # A client that finds no scheduler does not go in peace; so look first, in a thread because
        # this one may have an event loop already (a notebook).
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(lambda: asyncio.run(_kind(address))).result()
        if found != "Scheduler":
            raise ValueError("something else listens there")
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, ImportError, MemoryError) as error:
        why = str(error).split("\n")[0] or "no answer in time"
        raise InputError(
            one_sentence(
                f"--executor: no scheduler answers at {address!r} ({why.rstrip('.')}); start one"
                " with `dask scheduler` and give its address, such as tcp://host:8786"
            )
        ) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError):
        client.close(timeout=1)
        raise InputError(
            f"--executor: the scheduler at {address} has no workers; start some with"
            f" `dask worker {address}`."
        ) from None
    return client


class _Cluster:
    """The number of threads of the workers, asked for now and then, and what is wrong."""

    def __init__(self, client: Any, address: str):
        self._client, self._address = client, address
        self._looked, self._seen, self._threads = 0.0, time.monotonic(), 1

    def width(self) -> int:
        """How many pieces the workers compute at a time; 0 where there is none."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            try:
                self._threads = sum(self._client.nthreads().values())
            except Exception as fault:
                raise self._lost("cannot be reached any more") from fault
            self._looked = time.monotonic()
            if self._threads:
                self._seen = self._looked
        return self._threads

    def check(self, fault: BaseException | None) -> None:
        """Raise one sentence where no result can come any more."""
        from distributed import KilledWorker

        if isinstance(fault, InputError):
            return
        if isinstance(fault, KilledWorker):
            raise self._lost("lost every worker that took up a certain piece of work") from fault
        if isinstance(fault, CancelledError | OSError):
            raise self._lost("cannot be reached any more") from fault
        if isinstance(fault, ImportError):
            raise InputError(
                f"--executor: the workers of {self._address} cannot load synthlaw ({fault});"
                " install there what is installed here."
            ) from fault
        if self.width() == 0 and time.monotonic() - self._seen > ALONE_SECONDS:
            raise self._lost(f"has had no worker for {ALONE_SECONDS:g} seconds")

    def _lost(self, what: str) -> InputError:
        return InputError(f"--executor: the scheduler at {self._address} {what}; {RERUN}.")


@contextmanager
def _silence() -> Generator[None]:
    """Lost connections become one sentence of ours; distributed would log pages about each."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def cluster_crew(address: str) -> Generator[Crew]:
    """The workers of the Dask scheduler at ``address`` (``tcp://host:port``).

    Raises ``InputError`` where the packages are missing, no scheduler or worker answers, or all
    workers are lost later.
    """
    with _silence():
        client = _connect(address)
        cluster = _Cluster(client, address)
        executor = client.get_executor(pure=False)
        try:
            with executor_crew(executor, cluster.width, cluster.check) as crew:
                yield crew
        finally:
            # Not the executor's own shutdown, which waits for the pieces in flight.
            client.close(timeout=CONNECT_SECONDS)
