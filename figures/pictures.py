"""Which pictures a run folder can show, from its tables and verdicts alone."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import (
    agreement,
    alignment,
    attention,
    benchmark,
    distance,
    exponent_ladder,
    ladder,
    mixture_map,
    overparameterised,
    plan_curve,
    proportional,
    published,
    ratio_curve,
    series_curves,
    size_curve,
    slack,
    smote_law,
    synthetic_curve,
    tidy,
    token_chain,
    token_kl,
    token_risk,
    token_slack,
    trained,
    verdict_board,
    wald_calibration,
    worst_group,
)
from figures.faults import FigureError
from figures.fit_pictures import RESULT, of_fit
from figures.reading import Picture, read_json, read_table_file

VERDICTS, TABLES, TABLE, TIMES = "verdicts.json", "tables", "table.csv", "engine.json"
PLAN = "plan.json"
TRAINING, ATTENTION = "train.json", "attention.csv"
# Sweeps that several claims share: table name -> picture name and how it is drawn.
SHARED: dict[str, dict[str, tuple[str, Callable[..., Figure]]]] = {
    "imbalance_curve": {"imbalance_curve": ("ratio_curve", ratio_curve.draw)},
    "spurious_curve": {
        "spurious_curve": ("ratio_curve", ratio_curve.draw),
        "spurious_groups": ("worst_group", worst_group.draw),
    },
    "scaling_curve": {"scaling_curve": ("synthetic_curve", synthetic_curve.draw)},
    "size_curve": {"size_curve": ("size_curve", size_curve.draw)},
    "alignment": {"alignment": ("alignment", alignment.draw)},
    "wald_calibration": {"wald_calibration": ("wald_calibration", wald_calibration.draw)},
    "smote_law": {"smote_law": ("smote_law", smote_law.draw)},
    "series_curves": {"series_curves": ("series_curves", series_curves.draw)},
    "exponent_ladder": {"exponent_ladder": ("exponent_ladder", exponent_ladder.draw)},
    "mixture_law": {"mixture_law": ("mixture_map", mixture_map.draw)},
    "overparameterised": {"overparameterised": ("overparameterised", overparameterised.draw)},
    "proportional_curve": {"proportional_curve": ("proportional_curve", proportional.draw)},
    "token_kl": {"token_kl": ("token_kl", token_kl.draw)},
    "token_slack": {"token_slack": ("token_slack", token_slack.draw)},
    "existence": {"existence": ("existence", proportional.existence)},
    "token_seeds": {"token_seeds": ("token_seeds", token_risk.seeds)},
    "token_rows": {"token_rows": ("token_rows", token_risk.rows)},
    "token_spurious": {"token_spurious": ("token_spurious", token_risk.spurious)},
    "token_chain": {"token_chain": ("token_chain", token_chain.draw)},
    "trained_kl": {"trained_kl": ("trained_kl", trained.draw)},
    "attention": {"attention": ("attention", attention.draw)},
}


def pictures(directory: Path) -> list[Picture]:
    """All pictures of a folder left by ``verify``, ``simulate``, ``fit``, ``plan``, ``train`` or the
    benchmarks."""
    if (directory / VERDICTS).is_file():
        verdicts = read_json(directory / VERDICTS, "claims", list, "claims", "synthlaw verify")
        tables = directory / TABLES
        return [*_of_verdicts(verdicts, tables), *_of_shared(tables), *_of_published(tables)]
    if (directory / TRAINING).is_file():
        return _of_training(directory)
    found = _of_simulation(directory / TABLE) if (directory / TABLE).is_file() else []
    if (directory / RESULT).is_file():
        found += of_fit(directory)
    if (directory / PLAN).is_file():
        found += _of_plan(directory)
    if found:
        return found
    if (directory / TIMES).is_file():
        record = read_json(directory / TIMES, "parts", dict, "parts", "python -m benchmarks")
        return [Picture("engine", "benchmark", partial(benchmark.draw, record))]
    raise FigureError(
        f"{directory} holds neither {VERDICTS} nor {TABLE} nor {RESULT} nor {PLAN}; "
        "name the folder that synthlaw verify, simulate, fit, plan or train left."
    )


def _of_training(directory: Path) -> list[Picture]:
    divergences = read_table_file(directory / TABLE)
    looks = read_table_file(directory / ATTENTION)
    return [
        Picture("trained_kl", "trained_kl", partial(trained.draw, divergences)),
        Picture("attention", "attention", partial(attention.draw, looks)),
    ]


def _of_plan(directory: Path) -> list[Picture]:
    plan = read_json(directory / PLAN, "recommendation", dict, "recommendation", "synthlaw plan")
    curve = read_table_file(directory / TABLES / "plan_curve.csv")
    return [Picture("plan_curve", "plan_curve", partial(plan_curve.draw, curve, plan))]


def _of_verdicts(verdicts: dict[str, Any], tables: Path) -> list[Picture]:
    tolerances: dict[str, float] = {}
    board = partial(verdict_board.draw, verdicts, tolerances)
    found = [Picture("verdict_board", "verdict_board", board)]
    for claim in verdicts["claims"]:
        path = tables / f"{claim['id']}.csv"
        if path.parent == tables and path.is_file():
            table = read_table_file(path)
            tolerances |= _noisy_tolerance(claim, table)
            figure, draw = _evidence(claim, table)
            found.append(Picture(claim["id"], figure, draw))
    return found


def _noisy_tolerance(claim: dict[str, Any], table: pd.DataFrame) -> dict[str, float]:
    """The largest tolerance of the noisy cells behind a claim of kind exact; empty where none is noisy."""
    if claim["kind"] != "exact" or not {"measured_se", "tolerance"} <= set(table.columns):
        return {}
    noisy = tidy.where(tidy.known(table, "tolerance"), _noise(tidy.known(table, "tolerance")))
    return {claim["id"]: float(tidy.numbers(noisy, "tolerance").max())} if len(noisy) else {}


def _noise(table: pd.DataFrame) -> np.ndarray:
    return np.nan_to_num(tidy.numbers(table, "measured_se")) > 0.0


def _evidence(claim: dict[str, Any], table: pd.DataFrame) -> tuple[str, Callable[[], Figure]]:
    """The picture of one claim's evidence: its kind chooses."""
    kind, margin = claim["kind"], claim.get("margin")
    if kind == "inequality":
        return "slack", partial(slack.draw, table)
    if kind == "distribution" and "distance" in table.columns:
        return "distance", partial(distance.draw, table, margin=margin)
    if kind in ("exact", "distribution"):
        return "agreement", partial(agreement.draw, table)
    if unlinked(table):
        return "agreement", partial(agreement.draw, as_cells(table, kind, margin or 0.0))
    # The margin of an exponent is absolute; the ladder shows ratios.
    scale = abs(claim["prediction"]) if kind == "exponent" else 1.0
    return "ladder", partial(
        ladder.draw,
        table,
        margin=(margin or 0.0) / scale,
        intercept=claim.get("ratio"),
        intercept_se=claim.get("ratio_se"),
        quantity="exponent / predicted" if kind == "exponent" else "measured / predicted",
    )


def unlinked(table: pd.DataFrame) -> bool:
    """Whether the evidence is several series of one size each: no ladder, but a list."""
    if not {"series", "inverse_size"} <= set(table.columns):
        return False
    series = tidy.distinct(table, "series")
    return len(series) == len(table) > 1 and not tidy.numbers(table, "inverse_size").any()


def as_cells(table: pd.DataFrame, kind: str, margin: float) -> pd.DataFrame:
    """The same evidence as measured and expected numbers with the margin as tolerance."""
    expected = tidy.numbers(table, "prediction")
    names = {"series": "cell", "estimate": "measured", "se": "measured_se"}
    tolerance = margin if kind == "exponent" else margin * np.abs(expected)
    return table.rename(columns=names).assign(expected=expected, tolerance=tolerance)


def _of_shared(tables: Path) -> list[Picture]:
    return [
        Picture(name, figure, partial(draw, _smallest(read_table_file(tables / f"{table}.csv"))))
        for table, found in SHARED.items()
        if (tables / f"{table}.csv").is_file()
        for name, (figure, draw) in found.items()
    ]


def _of_published(tables: Path) -> list[Picture]:
    """The pictures of the paper page, where ``verify --published`` made its tables."""
    paths = [tables / f"published_{name}.csv" for name in ("points", "fits", "forecasts")]
    if not all(path.is_file() for path in paths):
        return []
    points, fits, told = (read_table_file(path) for path in paths)
    drawn = {
        "published_curves": ("published_curves", partial(published.curves, points, fits)),
        "published_exponents": ("published_exponents", partial(published.exponents, fits)),
        "published_forecasts": ("published_forecasts", partial(published.forecasts, points, told)),
    }
    return [Picture(name, figure, draw) for name, (figure, draw) in drawn.items()]


def _smallest(table: pd.DataFrame) -> pd.DataFrame:
    """A sweep repeated at several sizes at its smallest, where theory has the hardest time."""
    if "size" not in table.columns:
        return table
    sizes = tidy.numbers(table, "size")
    return tidy.where(table, sizes == sizes.min())


def _of_simulation(path: Path) -> list[Picture]:
    """The balanced curve of every metric, and the errors of the groups."""
    table = read_table_file(path)
    tidy.require(table, tidy.REQUIRED, "simulation's table")
    measured = set(zip(tidy.texts(table, "metric"), tidy.texts(table, "group"), strict=True))
    found = [
        Picture(
            f"ratio_curve_{metric}",
            "ratio_curve",
            partial(ratio_curve.draw, table, metric=metric),
        )
        for metric in tidy.distinct(table, "metric")
        if (metric, "balanced") in measured
    ]
    groups = {group for metric, group in measured if metric == "error"}
    along = tidy.known(table, "ratio")
    if len(groups - set(worst_group.SPECIAL)) > 1 and len(along):
        found.append(Picture("worst_group", "worst_group", partial(worst_group.draw, table)))
    return found
