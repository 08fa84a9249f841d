"""The commands ``simulate`` and ``status``: runs, and what a run folder holds.

Only light modules are imported here; JAX, pandas and pydantic come in inside the commands.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from synthlaw.output import Output, progress_bar, records, say, show_json, show_table

SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="What to compute.")]
Replicates = Annotated[
    int | None, typer.Option(help="Replicates per cell, in place of run.replicates.")
]


def simulate(
    context: typer.Context,
    sweep: SweepFile,
    out: Annotated[Path, typer.Option(help="Run folder; what it holds is kept.")] = Path(
        "results/simulate"
    ),
    replicates: Replicates = None,
    target_se: Annotated[
        float | None,
        typer.Option(
            metavar="REL",
            help="Instead: as many replicates per cell as make the standard error of its balanced"
            " excess risk REL times its size; run.max_replicates at most.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/K",
            help="Compute only the I-th of K shares, as one task of a job array. The share that"
            " completes the run writes the table.",
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Compute on the workers of a Dask scheduler, such as tcp://host:8786; needs"
            " synthlaw[cluster]. The workers need no file system in common.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be computed; write nothing.")
    ] = False,
) -> None:
    """Simulate every cell of a sweep, beside its prediction.

    What the run folder holds already is not computed again, so that an interrupted run goes on,
    and more replicates or a smaller REL add only what is new. The result depends on SWEEP.toml
    and the seed alone, not on where, in which order or in how many goes it was computed.

    The table has the metrics excess_risk and error; with setting.kind = "tokens" (synthlaw init --kind
    tokens) also kl: the divergence of the law that a generator makes of a group's raw rows from its own.

    \b
    Example:
    synthlaw simulate SWEEP.toml --out results/simulate --replicates 400
    synthlaw simulate SWEEP.toml --target-se 0.01
    synthlaw simulate SWEEP.toml --out /shared/run --shard 3/20
    synthlaw simulate SWEEP.toml --executor tcp://host:8786
    """
    output: Output = context.obj
    # Read when NumPy is first imported, below: several problems are solved at a time, each by a thread
    # of its own (regime proportional).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from synthlaw.checks import checked_simulation
    from synthlaw.folders import check_run

    config, share = checked_simulation(sweep, replicates, target_se, shard, dry_run)
    check_run(out)
    if dry_run:
        from synthlaw.simulating.state import plan_of

        _show_frame(output, "To compute", plan_of(config, None, out))
        return
    from synthlaw.simulating import simulation

    if share is None:
        what = "replicates" if config.run.replicates else "cells"
        with progress_bar(output, what) as advance:
            table = simulation.simulate(config, out, None, advance, None, executor)
    else:
        from synthlaw.simulating import shares

        with progress_bar(output, "replicates") as advance:
            table = shares.simulate_share(config, out, share, None, advance, executor)
        if table is None:
            _show_share(output, shard or "", shares.missing(config, out), out)
            return
    _show_simulation(output, table, out / simulation.TABLE)


def _show_simulation(output: Output, table: Any, path: Path) -> None:
    from synthlaw.simulating.screen import notes, simulation_rows, title

    told = notes(table)
    if output.json:
        show_json({"table": records(table), "notes": told})
    show_table(output, title(table), *simulation_rows(table))
    for note in told:
        say(output, note)
    say(output, f"table: {path} ({len(table)} rows)")


def _show_share(output: Output, shard: str, missing: int, out: Path) -> None:
    if output.json:
        show_json({"shard": shard, "missing": missing})
    say(
        output,
        f"Share {shard} is done; {missing} replicates of cells are still missing in {out}: run the"
        " other shares, or the same command without --shard.",
    )


def status(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder.")],
) -> None:
    """Tell what a run folder holds and what it lacks.

    With a target precision it is not known beforehand how many replicates are wanted: the ones held
    are read, and a cell is done when they are enough.

    \b
    Example:
    synthlaw status results/simulate
    """
    from synthlaw.simulating.state import status as run_status

    _show_frame(context.obj, str(directory), run_status(directory))


def _show_frame(output: Output, title: str, frame: Any) -> None:
    if output.json:
        show_json({"rows": records(frame)})
    show_table(output, title, list(frame.columns), frame.astype(object).to_numpy().tolist())
