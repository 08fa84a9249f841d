"""Scaling laws for anybody's curves: the function behind ``synthlaw fit``."""

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from synthlaw import resultfolder
from synthlaw.fitting.curves import Named, curves_of
from synthlaw.fitting.reading import read_columns
from synthlaw.fitting.request import AUTO, Request, checked_request
from synthlaw.output import finite

Advance = Callable[[float, float], None]


def fit(
    table: Any,
    *,
    x: str | Iterable[str],
    y: str,
    se: str | None = None,
    by: str | Iterable[str] = (),
    law: str = AUTO,
    base: float = 0.0,
    weight: float = 1.0,
    theory: float | None = None,
    at: Any = (),
    out: str | Path | None = None,
    floor: float | None = None,
    loss: str = "squared",
    scale: str = "value",
    growing: bool = False,
    seed: int = 0,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Fit scaling laws to the curves of a table, and forecast.

    Args:
        table: path of a CSV file with a header line, a data frame, or a dictionary of columns. Rows
            without an entry in a used column are left out, which ``notes`` tells.
        x: the column of sizes, > 0; several for laws in several variables, in their order.
        y: the column of what was measured.
        se: the column of its standard errors, > 0; without it all points count alike.
        by: columns that name a curve; one curve is fitted for each of their values.
        law: a name in `scaling.fitting.laws.LAWS`, or ``auto``: choose among those in one variable, or
            refuse to and average the plausible ones (status ``unranked``).
        base, weight: x counts as ``base + weight x``.
        theory: the exponent that theory derives, to be compared with the fitted one.
        at: values of x to forecast at, each in the units of the table.
        out: a folder for fit.json, tables and figures; None: write nothing.
        floor: a floor that is known, and held.
        loss, scale: what is minimised: ``squared`` or ``huber`` loss of the ``value`` or its ``log``.
        growing: whether exponents may be negative.
        seed: root of the bootstraps' random numbers.
        advance: called with curves done and curves in all.

    Returns:
        The content of fit.json: ``fits``, one entry per curve, and ``notes`` on rows left out.

    Raises:
        ValueError: one sentence: the option, or the file, line and column, and the remedy.

    Do not trust a parameter beside a warning without its page in paper_notes/warnings/, nor a
    forecast far beyond the data.

    >>> import numpy as np
    >>> rows = np.geomspace(100, 10_000, 9)
    >>> table = {"rows": rows, "error": 0.1 + 2 / rows**0.5, "se": 0.001 + 0 * rows}
    >>> (found,) = fit(table, x="rows", y="error", se="se", law="power_floor", theory=0.5)["fits"]
    >>> found["status"], round(found["parameters"]["exponent"]["value"], 6)
    ('fitted', 0.5)
    """
    request = checked_request(
        x=x,
        y=y,
        se=se,
        by=by,
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
    return run(prepared(table, request, out), request, out, advance)


class Prepared(NamedTuple):
    """Curves ready to be fitted, where they come from, and notes on rows left out."""

    source: str
    curves: list[Named]
    notes: list[str]


def prepared(table: Any, request: Request, out: str | Path | None) -> Prepared:
    """Everything that can be wrong with the table or the folder, checked before anything is fitted."""
    columns = read_columns(table)
    curves, notes = curves_of(columns, request)
    if out is not None:
        resultfolder.check(Path(out), "fit")
    return Prepared(columns.source, curves, notes)


def run(
    what: Prepared, request: Request, out: str | Path | None, advance: Advance | None = None
) -> dict[str, Any]:
    """Fit the curves, and write what is to be written."""
    from synthlaw.fitting.entries import entry
    from synthlaw.fitting.one import fitted
    from synthlaw.fitting.tables import tables_of, write_tables

    if out is not None:
        # What draws is imported while the first curve's programs are compiled.
        Thread(target=import_module, args=("figures",), daemon=True).start()
    count = len(what.curves)
    entries, tables = list[dict[str, Any]](), list[Any]()
    for number, named in enumerate(what.curves, start=1):
        if advance is not None:
            advance(number - 1, count)
        found = fitted(named, request)
        entries.append(entry(found, request))
        if out is not None:
            tables.append(tables_of(found, request, number))
    if advance is not None:
        advance(count, count)
    payload = finite({"fits": entries, "notes": what.notes})
    if out is not None:
        asked = {"table": what.source, **request.resolved()}
        resultfolder.leave(Path(out), "fit", payload, asked, partial(write_tables, tables))
    return payload
