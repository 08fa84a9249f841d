"""From a table's columns to curves: one per value of the ``--by`` columns, each checked."""

from typing import NamedTuple

import numpy as np

from scaling.fitting.curves import Curve, check_abscissae, effective
from scaling.fitting.laws import LAWS
from simulations.problems import InputError
from synthlaw.fitting.reading import Columns, column, complete_rows, fault, number
from synthlaw.fitting.request import AUTO, Request

MOST_CURVES = 1000
FEWEST = 4  # points that `auto` needs
# Rows of the table by the texts in its ``--by`` columns.
Groups = dict[tuple[str, ...], list[int]]


class Named(NamedTuple):
    """A curve and which it is: ``by`` of the result; ``raw (n, V)``: x as the table has it."""

    by: dict[str, str]
    raw: np.ndarray
    curve: Curve


def name_of(by: dict[str, str]) -> str:
    """A curve in words.

    >>> name_of({"group": "b", "metric": "error"}), name_of({})
    ('group = b, metric = error', '')
    """
    return ", ".join(f"{key} = {value}" for key, value in by.items())


def curves_of(columns: Columns, request: Request) -> tuple[list[Named], list[str]]:
    """The curves in the order of the table, and what must be said of rows that were left out.

    Args:
        columns: the table.
        request: which columns are meant.

    Raises:
        ValueError: one sentence on the first cell or curve that cannot be used.
    """
    for name in request.x:
        column(columns, name, "--x")
    column(columns, request.y, "--y")
    if request.se is not None:
        column(columns, request.se, "--se")
    for name in request.by:
        column(columns, name, "--by")
    used = [*request.x, request.y, *([request.se] if request.se is not None else [])]
    kept, lost = complete_rows(columns, used)
    groups = _grouped(columns, request, kept)
    notes = _notes(columns, request, lost, len(groups))
    groups = _without_lone_points(columns, request, groups, notes)
    _check_counts(columns, request, groups, notes)
    return [_named(columns, request, key, rows) for key, rows in groups.items()], notes


def _key(columns: Columns, request: Request, row: int) -> tuple[str, ...]:
    return tuple(_text(columns.cells[name][row]) for name in request.by)


def _text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    # A whole number that pandas has made a float is still a whole number.
    return f"{cell:g}" if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _grouped(columns: Columns, request: Request, rows: list[int]) -> Groups:
    found: Groups = {}
    for row in rows:
        found.setdefault(_key(columns, request, row), []).append(row)
    return found


def _notes(columns: Columns, request: Request, lost: dict[str, int], curves: int) -> list[str]:
    found = [
        f"{columns.source}: {count} of {len(columns.places)} rows have no entry in column {name!r}"
        " and were left out."
        for name, count in lost.items()
    ]
    whole = len(_grouped(columns, request, list(range(len(columns.places)))))
    if whole > curves > 0:
        found.append(
            f"{columns.source}: nothing is left of {whole - curves} of {whole} curves, which have"
            " no complete row."
        )
    return found


def _without_lone_points(
    columns: Columns, request: Request, groups: Groups, notes: list[str]
) -> Groups:
    """Without what is no curve but one value, such as reweighting in a simulated table."""
    lone = [key for key, rows in groups.items() if len(rows) == 1]
    if not lone or len(lone) == len(groups):
        return groups
    first = name_of(dict(zip(request.by, lone[0], strict=True)))
    notes.append(
        f"{columns.source}: {len(lone)} of {len(groups)} values of --by {','.join(request.by)} have"
        f" one row, which is no curve, and were left out ({first}"
        f"{' and others' if len(lone) > 1 else ''})."
    )
    return {key: rows for key, rows in groups.items() if len(rows) > 1}


def _check_counts(
    columns: Columns,
    request: Request,
    groups: Groups,
    notes: list[str],
) -> None:
    if not groups:
        raise InputError(f"{notes[0].rstrip('.')}; name columns that hold numbers.")
    rows = sum(map(len, groups.values()))
    listed = ",".join(request.by)
    if len(groups) == rows > 1:
        raise InputError(
            f"{columns.source}: --by {listed} gives every row a curve of its own; name only columns"
            " that are constant along a curve."
        )
    if len(groups) > MOST_CURVES:
        raise InputError(
            f"{columns.source}: --by {listed} gives {len(groups)} curves, more than {MOST_CURVES};"
            " name fewer columns, or fit a part of the table at a time."
        )
    needed = FEWEST
    if request.law != AUTO:
        needed = len(LAWS[request.law].parameters) - len(request.held) + 1
    for key, found in groups.items():
        if len(found) < needed:
            which = name_of(dict(zip(request.by, key, strict=True)))
            law = "--law auto" if request.law == AUTO else f"the law {request.law}"
            simpler = "" if request.law == AUTO else " or a simpler law"
            where = f"{columns.source}, {which}" if which else columns.source
            remedy = f"give more points{simpler}"
            if which:
                remedy += ", or leave that curve out"
            raise InputError(f"{where}: {len(found)} point(s), but {law} needs {needed}; {remedy}.")


def _check_sizes(columns: Columns, request: Request, by: dict[str, str], x: np.ndarray) -> None:
    """As many different sizes as the law has parameters: more points at one tell no more of a law."""
    needed = FEWEST - 1 if request.law == AUTO else len(LAWS[request.law].parameters)
    needed -= 0 if request.law == AUTO else len(request.held)
    sizes = len(np.unique(x, axis=0))
    if sizes >= needed:
        return
    where = f"{columns.source}, {name_of(by)}" if by else columns.source
    law = "--law auto" if request.law == AUTO else f"the law {request.law}"
    raise InputError(
        f"{where}: {len(x)} points at {sizes} different x, but {law} needs {needed}; name the columns"
        " that tell these points apart in --by, or give points at more sizes."
    )


def _check_floor(columns: Columns, request: Request, by: dict[str, str], y: np.ndarray) -> None:
    """A floor that is held must lie below some point."""
    if request.floor is not None and not (y > request.floor).any():
        where = f"{columns.source}, {name_of(by)}" if by else columns.source
        raise InputError(
            f"{where}: --floor is {request.floor:g}, but no value of {request.y!r} lies above it; give"
            " a floor below the curve."
        )


def _named(columns: Columns, request: Request, key: tuple[str, ...], rows: list[int]) -> Named:
    raw = np.array([[number(columns, name, row) for name in request.x] for row in rows])
    y = np.array([number(columns, request.y, row) for row in rows])
    if request.scale == "log" and not (y > 0.0).all():
        row = rows[int(np.argmin(y > 0.0))]
        raise fault(columns, request.y, row, f"{min(y):g} has no logarithm; fit with --scale value")
    se = None
    if request.se is not None:
        se = np.array([number(columns, request.se, row) for row in rows])
        for row, value in zip(rows, se, strict=True):
            if not value > 0.0:
                remedy = "give standard errors above 0, or leave out --se"
                raise fault(columns, request.se, row, f"{value:g} is no standard error; {remedy}")
    x = effective(raw, request.base, request.weight)
    _check_x(columns, request, rows, raw, x)
    by = dict(zip(request.by, key, strict=True))
    _check_sizes(columns, request, by, x)
    _check_floor(columns, request, by, y)
    return Named(by, raw, Curve(x, y, se))


def _check_x(
    columns: Columns, request: Request, rows: list[int], raw: np.ndarray, x: np.ndarray
) -> None:
    variables = ("x",) if request.law == AUTO else LAWS[request.law].variables
    for place, (name, variable) in enumerate(zip(request.x, variables, strict=True)):
        share = variable == "alpha"
        good = (x[:, place] >= 0.0) & (x[:, place] <= 1.0) if share else x[:, place] > 0.0
        if good.all():
            continue
        row = int(np.argmin(good))
        remedy = "give shares from 0 to 1"
        if not share:
            remedy = "leave that row out"
            if len(variables) == 1:
                remedy += ", or give the rows there were without it as --base"
        what = "no share" if share else "not above 0, as a law needs"
        raise fault(columns, name, rows[row], f"{raw[row, place]:g} is {what}; {remedy}")
    check_abscissae(variables, x)
