"""The commands: each validates, calls its twin function, and shows what came back.

Only light modules are imported here; JAX, pandas and pydantic come in inside the commands.
"""

from pathlib import Path
from typing import Annotated

import typer

from synthlaw.fitting.command import fit
from synthlaw.output import (
    Output,
    progress_bar,
    records,
    say,
    show_json,
    show_table,
)
from synthlaw.planning.command import plan
from synthlaw.simulating.commands import simulate, status
from synthlaw.training.command import train
from synthlaw.verifying.command import verify

app: typer.Typer = typer.Typer(
    name="synthlaw",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="What to compute.")]


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object, nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but faults.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Does synthetic oversampling help, by how much, and does the theory say so?

    \b
    Examples:
    synthlaw init > SWEEP.toml && synthlaw predict SWEEP.toml
    synthlaw verify --family imbalance
    synthlaw fit TABLE.csv --x rows --y error --at 1e5
    synthlaw plan DATA.csv --label outcome

    Every command takes --json (one JSON object on standard output) and --quiet (nothing but faults).
    Faults are one sentence on standard error; progress is shown on a terminal only.

    \b
    Exit status:
    0    all went well
    1    verify: a claim is contradicted
    2    bad input or a file that cannot be read or written; nothing is half-written
    130  interrupted; simulate and train go on where they were when run again
    """
    context.obj = Output(as_json, quiet)
    if version:
        import synthlaw

        if as_json:
            show_json({"version": synthlaw.__version__})
        else:
            print(f"synthlaw {synthlaw.__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        if as_json:
            context.fail("Missing command")
        print(context.get_help())


app.command()(verify)


@app.command()
def claims(context: typer.Context) -> None:
    """List the claims: id, family, statement, source.

    \b
    Example:
    synthlaw claims --json
    """
    output: Output = context.obj
    from synthlaw.claims import registry

    columns = ["id", "family", "statement", "source"]
    rows = [[getattr(each, column) for column in columns] for each in registry()]
    if output.json:
        show_json({"claims": [dict(zip(columns, row, strict=True)) for row in rows]})
    show_table(output, "Claims", columns, rows)


@app.command()
def init(
    context: typer.Context,
    kind: Annotated[
        str,
        typer.Option(
            help="imbalance, spurious, groups, craft, tokens; claim for a file of claims."
        ),
    ] = "imbalance",
) -> None:
    """Print a commented SWEEP.toml or a file of claims to start from.

    With --quiet too: the text is the result. It goes to standard output, so send it to a file.

    \b
    Examples:
    synthlaw init --kind spurious > SWEEP.toml
    synthlaw init --kind claim > my_claims.py
    """
    from synthlaw.checks import template

    text = template(kind)
    output: Output = context.obj
    if output.json:
        show_json({"kind": kind, "template": text})
    else:
        print(text, end="")


@app.command()
def predict(
    context: typer.Context,
    sweep: SweepFile,
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path(
        "results/predict/table.csv"
    ),
) -> None:
    """Predict every cell of a sweep from theory alone.

    Leaves the tidy table, and beside it what was asked with versions (TABLE.config.json).

    With theory.regime = "proportional" the 0-1 errors are predicted: the limit as the number of features
    grows with the number of rows. With setting.kind = "tokens" there is a third metric, kl: the divergence
    of the law that a generator makes of a group's raw rows from the law of the group.

    \b
    Example:
    synthlaw predict SWEEP.toml --out results/predict/table.csv
    """
    output: Output = context.obj
    from simulations.setup.configuration import read_sweep
    from synthlaw.folders import check_file

    configuration = read_sweep(sweep)
    check_file(out)
    from synthlaw.checks import write_prediction
    from synthlaw.simulating.predictions import predict as predict_table
    from synthlaw.simulating.screen import prediction_rows, theory_notes, title

    with progress_bar(output, "generators") as advance:
        table = predict_table(configuration, advance)
    write_prediction(table, configuration, out)
    missing = theory_notes(table)
    if output.json:
        show_json({"table": records(table), "notes": missing})
    show_table(output, f"{title(table)}, predicted", *prediction_rows(table))
    for note in missing:
        say(output, note)
    say(output, f"table: {out} ({len(table)} rows)")


app.command()(simulate)
app.command()(status)
app.command()(fit)
app.command()(plan)
app.command()(train)


@app.command()
def figure(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|all", help="A figure, a claim, or all.")],
    source: Annotated[
        Path,
        typer.Option(
            "--from", metavar="DIR", help="Folder left by verify, simulate, fit, plan or train."
        ),
    ],
) -> None:
    """Remake pictures from the tables of a run.

    \b
    Example:
    synthlaw figure all --from results/verify
    """
    from synthlaw.checks import render

    with progress_bar(context.obj, "pictures") as advance:
        paths = [str(path) for path in render(name, source, advance)]
    if context.obj.json:
        show_json({"figures": paths})
    for path in paths:
        say(context.obj, path)
