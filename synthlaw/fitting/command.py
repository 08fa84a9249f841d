"""The command ``fit``: scaling laws for anybody's curves.

Only light modules are imported here; JAX, pandas and matplotlib come in inside the command.
"""

from pathlib import Path
from typing import Annotated

import typer

from synthlaw.output import Output, progress_bar, say, show, show_json

DEFAULT = Path("results/fit")


def fit(
    context: typer.Context,
    table: Annotated[
        Path, typer.Argument(metavar="TABLE.csv", help="A CSV file with a header line.")
    ],
    x: Annotated[
        str,
        typer.Option(
            metavar="COL[,COL..]",
            help="Column of sizes; for laws in several variables their columns, in the law's order.",
        ),
    ],
    y: Annotated[str, typer.Option(metavar="COL", help="Column of what was measured.")],
    se: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Column of its standard errors; without it all count alike."
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="COL,..", help="Columns that name a curve: one fit for each value."),
    ] = "",
    law: Annotated[
        str,
        typer.Option(
            metavar="NAME|auto",
            help="power, power_floor, reciprocal_floor, power_correction, broken; two_term or"
            " two_exponent (--x n,N); mixture (--x n,N,alpha); auto chooses among those in one x.",
        ),
    ] = "auto",
    base: Annotated[float, typer.Option(metavar="B", help="Count x as B + W x.")] = 0.0,
    weight: Annotated[float, typer.Option(metavar="W", help="The weight W of one row.")] = 1.0,
    theory: Annotated[
        float | None,
        typer.Option(
            metavar="EXPONENT",
            help="Compare the fitted exponent with this one: supported if its 99.98 % interval lies"
            " within 0.02 of it, contradicted if the two are apart, else unresolved.",
        ),
    ] = None,
    at: Annotated[
        str,
        typer.Option(metavar="X,..", help="Forecast there; for two columns of x n:N,.."),
    ] = "",
    floor: Annotated[
        float | None, typer.Option(metavar="VALUE", help="A floor known from theory: held.")
    ] = None,
    loss: Annotated[str, typer.Option(help="squared, or huber against outliers.")] = "squared",
    scale: Annotated[str, typer.Option(help="Errors of the value or of its log.")] = "value",
    growing: Annotated[
        bool, typer.Option("--growing", help="Allow curves that grow (exponents below 0).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstraps.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the result.")] = DEFAULT,
) -> None:
    """Fit scaling laws with a floor to a table's curves; forecast.

    Leaves fit.json (parameters with 95 % intervals, warnings, forecasts of a new observation), the
    figures and their tables. Rows without an entry in a used column are left out, which is said.

    \b
    Example:
    synthlaw fit TABLE.csv --x rows --y error --se se --at 1e5
    synthlaw fit TABLE.csv --x rows --y error --by model --law power_floor --theory 0.5
    synthlaw fit results/simulate/table.csv --x augment --y estimate --se se \\
        --law power_floor --by generator,ratio,group,metric --base 900 --weight 0.5
    """
    output: Output = context.obj
    from synthlaw.fitting.request import checked_request

    request = checked_request(
        x=x,
        y=y,
        se=se,
        by=by or (),
        law=law,
        base=base,
        weight=weight,
        theory=theory,
        at=at,
        floor=floor,
        loss=loss,
        scale=scale,
        growing=growing,
        seed=seed,
    )
    from synthlaw.fitting.fits import prepared, run

    curves = prepared(table, request, out)
    with progress_bar(output, "curves") as advance:
        result = run(curves, request, out, advance)
    if output.json:
        show_json(result)
        return
    from synthlaw.fitting.screen import fit_table, told

    show(output, fit_table(result, request))
    for sentence in told(result):
        say(output, sentence)
    say(output, f"result: {out / 'fit.json'}, figures: {out / 'figures'}")
