"""The paper page: what the refitted published curves say, in words, from the tables of a run."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from figures import tidy
from synthlaw.words import number, percent

TABLES = ("published_points", "published_fits", "published_forecasts")
NULL_MODEL = (
    "None of these curves has the null model beside it, the raw rows re-weighted without any synthetic"
    " row; how much of a fall is owed to synthetic rows cannot be read off them. The generator"
    " reweight of our own sweeps is that comparison."
)
LEFT_OUT = (
    "The page on the published curves was not made: run synthlaw verify --published DIR with the folder"
    " that holds them; they are not part of this project."
)
FIGURES = {
    "published_curves": "Balanced cross-entropy along the added synthetic rows: the law with a floor"
    " in the effective count, beside the authors' two forms (a log-log line in N; a line in 1/N).",
    "published_exponents": "Exponents of the law with a floor with their 95 % profile intervals, in"
    " the added rows alone and in the effective count.",
    "published_forecasts": "Fitted on the published rows only, forecast to where the curves were"
    " computed again, up to 46,000 added rows.",
}
SETS = {
    "large": "cross-entropy, without the last three points",
    "small": "errors on small tables, without the last three points",
    "longer": "from the published rows to as many as 46,000",
}


class Grid(NamedTuple):
    """A small table: its head and rows, as text."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


class Page(NamedTuple):
    """The page's paragraphs, small tables, and the names of its figures with their captions."""

    paragraphs: list[str]
    grids: list[Grid]
    figures: dict[str, str]
    files: list[str]


def page(directory: Path) -> Page | None:
    """The page of a run folder; None where the run had no published curves."""
    paths = {name: directory / "tables" / f"{name}.csv" for name in TABLES}
    if not all(path.is_file() for path in paths.values()):
        return None
    _, fits, told = (tidy.read_table(paths[name]) for name in TABLES)
    grids = [_forms(fits), _accuracy(told)]
    paragraphs = [_identification(fits), _abscissa(fits), _forecasts(told), NULL_MODEL]
    files = [str(path.relative_to(directory)) for path in paths.values()]
    return Page(paragraphs, grids, FIGURES, files)


def _rows(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    keep = np.ones(len(table), bool)
    for column, value in values.items():
        keep &= np.array([text == value for text in tidy.texts(table, column)], bool)
    return tidy.where(table, keep)


def _identified(table: pd.DataFrame) -> np.ndarray:
    return np.array([text == "True" for text in tidy.texts(table, "identified")], bool)


def _identification(fits: pd.DataFrame) -> str:
    parts = []
    for which, name in (("small", "small curves (errors)"), ("large", "curves of cross-entropy")):
        counts = [
            f"{int(_identified(_rows(fits, set=which, abscissa=each)).sum())} in {label}"
            for each, label in (("N", "the added rows N"), ("effective", "the effective count"))
        ]
        total = len(_rows(fits, set=which, abscissa="effective"))
        parts.append(f"of {total} {name}, {' and '.join(counts)}")
    return (
        "An exponent is identified where its 95 % profile interval, with a floor fitted beside it, is"
        f" bounded and its ends differ by a factor of 4 at most: {'; '.join(parts)}. Elsewhere floor"
        " and exponent cannot be told apart, and a slope read off a log-log line is no exponent."
    )


def _abscissa(fits: pd.DataFrame) -> str:
    rows = {
        name: tidy.where(part, _identified(part))
        for name in ("N", "effective")
        if len(part := _rows(fits, set="large", abscissa=name))
    }
    medians = {
        name: float(np.median(tidy.numbers(part, "exponent"))) if len(part) else np.nan
        for name, part in rows.items()
    }
    lines = _rows(fits, set="large", abscissa="N")
    slope = float(np.median(tidy.numbers(lines, "loglog_slope"))) if len(lines) else np.nan
    return (
        "What the exponent is depends on what x is: its median over the identified curves is"
        f" {number(medians.get('N', np.nan), 2)} in the added rows and"
        f" {number(medians.get('effective', np.nan), 2)} in the effective count 1800 + 0.5 N, which"
        " counts the rows that were there before; the median slope of the authors' log-log lines is"
        f" {number(slope, 2)}. The effective count spans a factor of 2 only, so that even a bounded"
        " interval there leans on the form of the law."
    )


def _forms(fits: pd.DataFrame) -> Grid:
    rows = []
    for which, name in (("large", "cross-entropy"), ("small", "errors")):
        for abscissa in ("N", "effective"):
            part = _rows(fits, set=which, abscissa=abscissa)
            if not len(part):
                continue
            misfit = tidy.numbers(part, "chi2") / tidy.numbers(part, "freedom")
            known = misfit[np.isfinite(misfit)]
            rows.append(
                (
                    f"{name}, x = {abscissa}",
                    str(len(part)),
                    str(int(_identified(part).sum())),
                    number(float(np.median(tidy.numbers(part, "exponent"))), 2),
                    number(float(np.median(known)) if len(known) else None, 2),
                    number(float(np.median(tidy.numbers(part, "loglog_slope"))), 2),
                    number(float(np.median(tidy.numbers(part, "loglog_r2"))), 2),
                    number(float(np.median(tidy.numbers(part, "reciprocal_r2"))), 2),
                )
            )
    head = (
        *("curves", "number", "identified", "exponent", "chi²/df"),
        *("log-log slope", "its R²", "R² of 1/x"),
    )
    return Grid("Medians over the curves: law with a floor, and the authors' two forms", head, rows)


def errors(told: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Median and root mean square relative error of each way to forecast."""
    came = tidy.numbers(told, "came")
    found = {}
    for name in ("value", "loglog", "last"):
        off = tidy.numbers(told, name) / came - 1.0
        found[name] = (float(np.median(np.abs(off))), float(np.sqrt((off**2).mean())))
    return found


def covered(told: pd.DataFrame) -> float:
    """Share of the points that came within their forecast's interval."""
    came = tidy.numbers(told, "came")
    inside = (tidy.numbers(told, "low") <= came) & (came <= tidy.numbers(told, "high"))
    return float(inside.mean())


def _accuracy(told: pd.DataFrame) -> Grid:
    rows = []
    for which, name in SETS.items():
        part = _rows(told, set=which)
        if not len(part):
            continue
        width = (tidy.numbers(part, "high") - tidy.numbers(part, "low")) / tidy.numbers(
            part, "came"
        )
        cells = [f"{percent(a)} / {percent(b)}" for a, b in errors(part).values()]
        rows.append(
            (name, str(len(part)), *cells, percent(covered(part)), percent(float(np.median(width))))
        )
    head = ("held out", "points", "synthlaw", "log-log line", "last value", "covered", "width")
    title = "Relative errors of forecasts (median / root mean square), and the 95 % intervals"
    return Grid(title, head, rows)


def _forecasts(told: pd.DataFrame) -> str:
    if not len(told):
        return "No curve was long enough to be forecast."
    named = np.array([law != "unranked" for law in tidy.texts(told, "law")], bool)
    chosen = {law for law in zip(tidy.texts(told, "curve"), tidy.texts(told, "law"), strict=True)}
    total = len(chosen)
    ranked = len({curve for curve, law in chosen if law != "unranked"}) if named.any() else 0
    return (
        f"Fitted without the points to be forecast, {ranked} of {total} curves let a law be ranked"
        f" first; all are forecast by the equal-weight average of the laws that are plausible. Of the"
        f" points held out, {percent(covered(told))} came within the 95 % interval of a new"
        " observation, which holds the law's own error as far as shorter cuts show it; where that"
        " error is of a kind that no cut shows, as far beyond the data, it is too narrow."
    )
