"""The command ``train``: a transformer trained in context.

Only light modules are imported here; JAX, pandas and pydantic come in inside the command.
"""

from pathlib import Path
from typing import Annotated

import typer

from synthlaw.output import Output, say, show_json, show_table


def train(
    context: typer.Context,
    preset: Annotated[
        str, typer.Option(help="teaching (1 to 2 minutes) or full (7 to 10 minutes).")
    ] = ("teaching"),
    out: Annotated[Path, typer.Option(help="Run folder; what it holds is kept.")] = Path(
        "results/train"
    ),
    steps: Annotated[int | None, typer.Option(help="Steps, in place of the preset's.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the world, the weights and all data.")] = 0,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help="Rate, in place of the preset's.")
    ] = None,
    sequences: Annotated[
        int | None,
        typer.Option(help="Fresh sequences on which the model is compared with its references."),
    ] = None,
) -> None:
    """Train a transformer in context; compare it with Bayes.

    It learns to read tokens, and is compared with the Bayes predictive and with constructed weights.
    Leaves the model, a checkpoint, losses and the tidy table of divergences by number of seeds n. An
    interrupted run goes on when the same command is run again, and ends with the same bits.

    \b
    Example:
    synthlaw train --preset teaching --out results/train
    synthlaw train --steps 500 --seed 1 --out results/short
    """
    output: Output = context.obj
    from synthlaw.training import runs, screen

    with screen.training_bar(output) as report:
        found = runs.train(
            preset,
            out,
            steps=steps,
            seed=seed,
            learning_rate=learning_rate,
            sequences=sequences,
            progress=report,
        )
    if output.json:
        show_json(runs.summary(found.trained, found.provenance, found.table))
    title = "Divergence KL(P || Q) in nats after n seeds"
    show_table(output, title, screen.SHOWN, screen.shown_rows(found.table))
    say(output, f"model: {out / runs.models.FILE}")
    say(output, f"table: {out / runs.TABLE} ({len(found.table)} rows)")
