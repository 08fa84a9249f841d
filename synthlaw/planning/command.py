"""The command ``plan``: how many synthetic rows for a table.

Only light modules are imported here; NumPy, pandas and matplotlib come in inside the command.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from synthlaw.output import Output, progress_bar, say, show, show_json

DEFAULT = Path("results/plan")


def plan(
    context: typer.Context,
    table: Annotated[
        Path, typer.Argument(metavar="DATA.csv", help="A CSV file with a header line.")
    ],
    label: Annotated[
        str, typer.Option(metavar="COL", help="Column of labels, which holds two values.")
    ],
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Balance the pairs of label and this column, which is no feature."
        ),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="duplicate, gaussian, smoothed, smote (default) or reweight."
        ),
    ] = None,
    synthetic: Annotated[
        Path | None,
        typer.Option(metavar="ROWS.csv", help="Rows with the same columns, to be judged instead."),
    ] = None,
    heldout: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Real rows that ROWS.csv must not hold."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of folds, draws and intervals.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the result.")] = DEFAULT,
) -> None:
    """Does synthetic oversampling help on a table, and how many rows?

    Leaves plan.json, the curve of the predicted balanced loss and its figure. Empty cells are filled, text
    becomes 0/1 columns. With --synthetic also checks the rows for copies and broken relations.

    \b
    Example:
    synthlaw plan DATA.csv --label outcome
    synthlaw plan DATA.csv --label outcome --group sex --generator gaussian
    synthlaw plan DATA.csv --label outcome --synthetic ROWS.csv --heldout TEST.csv
    """
    output: Output = context.obj
    # Read when NumPy is first imported, below. The products here are many and small: on a busy machine
    # threads of the library wait for each other four times as long as one thread computes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from synthlaw.planning.request import checked_request

    request = checked_request(
        label=label,
        group=group,
        generator=generator,
        synthetic=synthetic,
        heldout=heldout,
        seed=seed,
    )
    from synthlaw.planning.plan import prepared, run

    what = prepared(table, request, synthetic, heldout, out)
    with progress_bar(output, "plan") as advance:
        result = run(what, request, out, advance)
    if output.json:
        show_json(result)
        return
    from synthlaw.planning.screen import sentences, summary

    show(output, summary(result))
    for sentence in sentences(result):
        say(output, sentence)
    say(output, f"result: {out / 'plan.json'}, figure: {out / 'figures' / 'plan_curve.png'}")
