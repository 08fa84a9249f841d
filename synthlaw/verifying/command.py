"""The command ``verify``: the claims, judged.

Only light modules are imported here; JAX, pandas and pydantic come in inside the command.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from synthlaw.output import CONTRADICTED, Output, progress_bar, say, show, show_json, show_table


def verify(
    context: typer.Context,
    preset: Annotated[str, typer.Option(help="quick (minutes) or full.")] = "quick",
    claim: Annotated[list[str] | None, typer.Option(help="Only this claim; repeatable.")] = None,
    family: Annotated[
        list[str] | None, typer.Option(help="Only this family, and every --claim; repeatable.")
    ] = None,
    module: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="Run the claims of this file in place of ours."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("results/verify"),
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with the published curves: the report then has a page on them.",
        ),
    ] = None,
    soak: Annotated[int | None, typer.Option(help="Run with this many fresh seeds.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
) -> None:
    """Run the claims; leave verdicts, report page, figures and tables.

    Exit status 0: nothing contradicted; 1: something contradicted; 2: bad input; 130: interrupted.

    \b
    Example:
    synthlaw verify --preset quick --family imbalance --out results/verify
    synthlaw init --kind claim > my_claims.py && synthlaw verify --module my_claims.py
    """
    output: Output = context.obj
    # Read when NumPy is first imported, below: several samples are fitted at a time, each by a thread
    # of its own; the threads of one matrix product would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from synthlaw.checks import checked_choice, checked_integer
    from synthlaw.claims.lab import PRESETS
    from synthlaw.folders import check_folder
    from synthlaw.verifying.verification import chosen_claims

    checked_choice("--preset", preset, PRESETS, "presets")
    checked_integer("--seed", seed, 0, 2**32 - 1)
    if soak is not None:
        checked_integer("--soak", soak, 1)
    chosen_claims(claim or (), family or (), module)
    check_folder(out)
    if published is not None:
        from synthlaw.verifying.published import read

        read(published)
    if soak is not None:
        _soak(output, soak, preset, claim or [], family or [], out, seed, module)
        return
    from synthlaw.verifying.terminal import verdict_table
    from synthlaw.verifying.verification import verify as run_verify

    with progress_bar(output, "verify") as advance:
        result = run_verify(
            preset, claim or (), family or (), out, seed, advance, published, module
        )
    if output.json:
        show_json(result)
    show(output, verdict_table(result))
    say(output, f"report: {out / 'report.html'}")
    if any(each["outcome"] == "contradicted" for each in result["claims"]):
        raise typer.Exit(CONTRADICTED)


def _soak(
    output: Output,
    count: int,
    preset: str,
    claims: list[str],
    families: list[str],
    out: Path,
    seed: int,
    module: Path | None,
) -> None:
    from synthlaw.checks import write_json
    from synthlaw.verifying.soaking import soak
    from synthlaw.versions import versions

    with progress_bar(output, "soak") as advance:
        result = soak(count, preset, claims, families, seed, advance, module)
    asked = {
        "soak": count,
        "preset": preset,
        "seed": seed,
        "claims": claims,
        "families": families,
        "module": None if module is None else str(module),
    }
    write_json({"soak": asked, "versions": versions()}, out / "soak.config.json")
    write_json(result, out / "soak.json")
    if output.json:
        show_json(result)
    counted = {key: value for key, value in result.items() if key != "schema"}
    numbers = [[key, value] for key, value in counted.items() if isinstance(value, int | float)]
    show_table(output, f"Soak over {count} fresh seeds", ["count", "value"], numbers)
    say(output, f"cases: {out / 'soak.json'}")
    if result["contradicted"]:
        raise typer.Exit(CONTRADICTED)
