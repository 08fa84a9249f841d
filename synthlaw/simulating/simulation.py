"""``simulate``: the tidy table of a sweep by Monte Carlo, with the prediction beside it."""

from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_EXCEPTION, Executor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import Any, NamedTuple

import pandas as pd

from simulations.population.units import Unit
from simulations.problems import InputError
from simulations.runs import store
from simulations.runs.crews import crew_of
from simulations.runs.engine import Crew
from simulations.runs.estimates import estimates, reasons
from simulations.runs.runs import Sampled, run_unit
from simulations.runs.table import unit_table
from simulations.runs.tasks import prepare, room_of
from simulations.setup.configuration import Sweep, read_sweep
from synthlaw import runfolder
from synthlaw.simulating.predictions import Source, predicted, told, units
from synthlaw.words import percent

Progress = Callable[[int, int], None]
TABLE = runfolder.TABLE
# Where the table keeps why estimators did not exist: {sentence: replicates of cells} ...
FAILURES = "failures"
# ... and the sentence on cells that ran out of replicates before their target, "" if there is none.
UNREACHED = "unreached"
# Units, or claims, under way at a time: some are made ready while another is simulated.
UNDER_WAY = 3


def configured(
    sweep: Source, replicates: int | None = None, target_se: float | None = None
) -> Sweep:
    """A validated sweep, with another number of replicates or target precision where one is given."""
    config = read_sweep(sweep)
    if replicates is not None and target_se is not None:
        raise InputError(
            "replicates and target_se were both given, each a way to end a run; keep one of the two."
        )
    if replicates is None and target_se is None:
        return config
    resolved = config.resolved()
    run: dict[str, Any] = {"seed": config.run.seed}
    if replicates is not None:
        run["replicates"] = replicates
    else:
        run["target_relative_se"] = target_se
        if config.run.max_replicates is not None:
            run["max_replicates"] = config.run.max_replicates
    return read_sweep({**resolved, "run": run})


def announce(directory: Path, config: Sweep) -> None:
    """Write the manifest of a run, and clear away what killed processes left there long ago."""
    runfolder.announce(directory, config.resolved())
    store.remove_stale(directory)


class Part(NamedTuple):
    """A unit of a sweep, its generator's label and its swept values."""

    unit: Unit
    label: str
    swept: dict[str, Any]


def parts_of(config: Sweep) -> list[Part]:
    """The units of a sweep; refuses, before anything is written, what would not fit in memory."""
    parts = [Part(*each) for each in units(config)]
    for part in parts:
        room_of(part.unit)
    return parts


@contextmanager
def counting(progress: Progress | None, total: int) -> Generator[Callable[[int], None]]:
    """A function that adds to what is done, from any thread, and tells ``progress``."""
    done, lock = 0, Lock()

    def advance(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            if progress is not None:
                progress(done, total)

    yield advance


def side_by_side(jobs: list[Callable[[], Any]], stopped: Event, patient: bool = True) -> list[Any]:
    """What the jobs return, in their order; the first fault or Ctrl-C ends them all: it sets
    ``stopped``, which they heed. Unless ``patient`` it is raised at once, while they end."""
    pool = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="job")
    futures = [pool.submit(job) for job in jobs]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        stopped.set()
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)


def simulate(
    sweep: Source,
    out: str | Path | None = None,
    replicates: int | None = None,
    progress: Progress | None = None,
    target_se: float | None = None,
    executor: str | Executor | None = None,
) -> pd.DataFrame:
    """Simulate every cell of a sweep and put the prediction beside each estimate.

    In every replicate the raw and synthetic rows are drawn, the estimator is fitted, and its
    group risks ``R_g`` and 0-1 errors are evaluated exactly (no test set is drawn). ``estimate``
    is the mean of ``y - beta'c`` with control variates ``c`` whose mean is known exactly;
    ``estimate_raw`` is the plain mean.

    Args:
        sweep: a SWEEP.toml (path), the same as a dictionary, or a ``Sweep``.
        out: folder that keeps ``table.csv`` and every replicate; what it already holds is not
            computed again. None keeps nothing.
        replicates: independent samples per cell, an integer >= 2; default ``run.replicates``.
        progress: called with (replicates done, replicates in all), or, where a target precision
            says how many there will be, with (cells done, cells in all).
        target_se: in place of ``replicates``, the standard error of the balanced excess risk over
            its size, in (0, 1), at which a cell stops; ``run.max_replicates`` (1,000,000) at most.
            Stopping brings in no bias: each half of the replicates stops the other.
        executor: who computes: None, this machine's cores; the address of a Dask scheduler; or
            a ``concurrent.futures.Executor`` whose workers can import synthlaw.

    Returns:
        The tidy table: that of ``predict`` with ``estimate``, ``se``, ``estimate_raw``, ``se_raw``,
        ``replicates`` and ``failures`` (replicates whose estimator does not exist; they are
        counted, left out of the means and never redrawn, and a cell that has any falls
        back to the plain mean). ``table.attrs["failures"]`` says why they failed, in words, and
        ``table.attrs["unreached"]`` how many cells did not reach the target ("" if none). In the
        proportional regime there are no control variates, and ``estimate`` is the plain mean.

    Raises:
        ValueError: one sentence naming the place, the fault and the remedy.

    Do not trust a comparison with ``predicted`` closer than its remainder of order ``n^-2``, nor a
    relative precision where the excess risk is zero: such a cell takes all replicates it may.

    Source: paper_notes/excess_risk.md, paper_notes/estimation.md.

    >>> table = simulate({"setting": {"kind": "imbalance", "dim": 2, "separation": 2.0},
    ...                   "counts": {"majority": 400, "minority": 100},
    ...                   "synthetic": {"ratios": [0.0, 1.0]}}, replicates=20)
    >>> table[["metric", "group"]].drop_duplicates().shape
    (8, 2)
    """
    config = configured(sweep, replicates, target_se)
    parts = parts_of(config)
    directory = None if out is None else Path(out)
    cells = sum(len(part.unit.cells) for part in parts)
    total = len(parts) * config.run.replicates if config.run.replicates else cells
    with crew_of(executor) as crew, counting(progress, total) as advance:
        # Only now: an executor that cannot be reached must leave no trace.
        if directory is not None:
            announce(directory, config)

        def job(part: Part) -> Callable[[], Simulated]:
            return lambda: _simulated(part, directory, crew, advance)

        results = side_by_side([job(part) for part in parts], crew.stopped)
    table = pd.concat([each.frame for each in results], ignore_index=True)
    failed: Counter[str] = Counter()
    for each in results:
        failed.update(reasons(each.sampled.evidence.own))
    told(table, config, (each.unpredicted for each in results))
    table.attrs[FAILURES] = dict(failed)
    unreached = sum(each.sampled.unreached for each in results)
    table.attrs[UNREACHED] = _unreached(config, unreached, cells)
    if directory is not None:
        runfolder.publish(directory, config.resolved(), table.to_csv(index=False).encode())
    return table


class Simulated(NamedTuple):
    """The rows of one unit, what they rest on, and why cells have no prediction."""

    frame: pd.DataFrame
    sampled: Sampled
    unpredicted: Counter[str]


def _simulated(
    part: Part, directory: Path | None, crew: Crew, advance: Callable[[int], None]
) -> Simulated:
    task = prepare(part.unit)
    sampled = run_unit(task, directory, crew, advance)
    theory = predicted(part.unit, task.population)
    found = estimates(sampled.evidence)
    frame = unit_table(part.unit, part.label, part.swept, theory.terms, found)
    return Simulated(frame, sampled, theory.unpredicted)


def _unreached(config: Sweep, count: int, cells: int) -> str:
    target, most = config.run.target_relative_se, config.run.max_replicates
    if target is None or not count:
        return ""
    return (
        f"{count} of {cells} cells had not reached a relative standard error of {percent(target)}"
        f" after {most} replicates; raise run.max_replicates or the target."
    )
