"""Tables of evidence: the rows of a tidy table that bear on a claim, as ratios."""

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from simulations.runs.flags import either, flags
from synthlaw.claims.lab import Experiment, Lab
from synthlaw.claims.record import Evidence

Part = Literal["total", "floor", "above_floor"]


class Selection(NamedTuple):
    """Which rows of a tidy table: generator (its label), ratios (None: all), metric, group."""

    generator: str
    ratios: tuple[float, ...] | None = None
    metric: str = "excess_risk"
    group: str = "balanced"
    augment: bool = False


def select(table: pd.DataFrame, wanted: Selection) -> pd.DataFrame:
    """The rows of one generator, metric and group, with and without augmented rows.

    Args:
        table: a tidy table.
        wanted: what to keep; all ratios where it names none.
    """
    chosen: Any = (
        (table["generator"] == wanted.generator)
        & (table["metric"] == wanted.metric)
        & (table["group"] == wanted.group)
        & ((table["augment"] > 0) == wanted.augment)
    )
    if wanted.ratios is not None:
        chosen &= table["ratio"].isin(wanted.ratios)
    return pd.DataFrame(table[chosen])


def column(rows: pd.DataFrame, name: str) -> np.ndarray:
    """A column of numbers as an array."""
    return rows[name].to_numpy(dtype=float)


def against(rows: pd.DataFrame, prediction: np.ndarray, estimate: np.ndarray) -> pd.DataFrame:
    """Evidence of kind constant: estimates over predictions, one series per ratio."""
    labels = ["" if np.isnan(r) else f"ratio {r:g}" for r in column(rows, "ratio")]
    size, se = column(rows, "size"), column(rows, "se")
    failures, replicates = rows["failures"].to_numpy(), rows["replicates"].to_numpy()
    return pd.DataFrame(
        {
            "series": labels,
            "size": size,
            "inverse_size": 1.0 / size,
            "prediction": prediction,
            "estimate": estimate,
            "se": se,
            "ratio": estimate / prediction,
            "ratio_se": se / np.abs(prediction),
            "replicates": replicates,
            "failures": failures,
            "flag": flags(failures, replicates),
        }
    )


def quotient(above: pd.DataFrame, below: pd.DataFrame, prediction: np.ndarray) -> pd.DataFrame:
    """Evidence of kind constant: what one selection measures beyond its floor over what another does.

    Args:
        above: rows of the numerator.
        below: rows of the denominator, as many. The two are taken for independent: shared rows make the
            standard errors too large.
        prediction: the quotient that is derived, one per row.
    """
    above, below = above.reset_index(drop=True), below.reset_index(drop=True)
    parts = [column(rows, "estimate") - column(rows, "floor") for rows in (above, below)]
    ratio = parts[0] / parts[1]
    noise = ratio * np.hypot(column(above, "se") / parts[0], column(below, "se") / parts[1])
    return against(above, prediction, ratio).assign(
        se=noise,
        ratio_se=noise / prediction,
        replicates=above["replicates"] + below["replicates"],
        failures=above["failures"] + below["failures"],
        flag=either(above["flag"].to_numpy(), below["flag"].to_numpy()),
    )


def ladder_of(experiment: Experiment, wanted: Selection, part: Part = "total") -> Evidence:
    """Estimates of an experiment over the predicted total, floor, or what lies above the floor.

    Args:
        experiment: the sweep and the sizes at which a laboratory measures it.
        wanted: which rows of its table.
        part: ``total``, ``floor`` or ``above_floor``.
    """

    def evidence(lab: Lab) -> pd.DataFrame:
        rows = select(lab.measure(experiment), wanted)
        estimate, floor = column(rows, "estimate"), column(rows, "floor")
        if part == "floor":
            return against(rows, floor, estimate)
        if part == "above_floor":
            return against(rows, column(rows, "predicted") - floor, estimate - floor)
        return against(rows, column(rows, "predicted"), estimate)

    return evidence


def over(table: pd.DataFrame, prediction: Any) -> pd.DataFrame:
    """The same estimates over another prediction, one for all rows or one each: what a wrong twin says.

    >>> over(pd.DataFrame({"estimate": [2.0], "se": [0.1]}), 4.0).iloc[0].to_dict()
    {'estimate': 2.0, 'se': 0.1, 'prediction': 4.0, 'ratio': 0.5, 'ratio_se': 0.025}
    """
    wrong = np.broadcast_to(np.asarray(prediction, float), len(table))
    return table.assign(
        prediction=wrong,
        ratio=column(table, "estimate") / wrong,
        ratio_se=column(table, "se") / np.abs(wrong),
    )


def planted(evidence: Evidence) -> Evidence:
    """The same evidence against a prediction that is too large by the preset's planted error."""

    def twin(lab: Lab) -> pd.DataFrame:
        table = evidence(lab)
        factor = 1.0 + lab.preset.planted
        return table.assign(
            prediction=table["prediction"] * factor,
            ratio=table["ratio"] / factor,
            ratio_se=table["ratio_se"] / factor,
        )

    return twin


def compare(measured: pd.DataFrame, bound: pd.DataFrame, cells: list[str]) -> pd.DataFrame:
    """Evidence of kind inequality: estimates of two selections of equal length, row by row."""
    measured, bound = measured.reset_index(drop=True), bound.reset_index(drop=True)
    return pd.DataFrame(
        {
            "cell": cells,
            "measured": measured["estimate"],
            "measured_se": measured["se"],
            "bound": bound["estimate"],
            "bound_se": bound["se"],
            "replicates": measured["replicates"] + bound["replicates"],
            "failures": measured["failures"] + bound["failures"],
            "flag": either(measured["flag"].to_numpy(), bound["flag"].to_numpy()),
        }
    )


def bounded_row(
    cell: str,
    measured: tuple[float, float],
    bound: tuple[float, float],
    replicates: int = 0,
    failures: int = 0,
) -> dict[str, Any]:
    """A row of evidence of kind inequality; ``measured`` and ``bound``: a value and its standard error.

    >>> bounded_row("square of 1/2", (0.25, 0.0), (0.5, 0.0))["bound"]
    0.5
    """
    return {
        "cell": cell,
        "measured": measured[0],
        "measured_se": measured[1],
        "bound": bound[0],
        "bound_se": bound[1],
        "replicates": replicates,
        "failures": failures,
    }


def flagged(evidence: pd.DataFrame) -> pd.DataFrame:
    """The evidence with a column ``flag``, from its failures where it has none of its own."""
    if "flag" in evidence.columns:
        return evidence
    counts = evidence["failures"].to_numpy(), evidence["replicates"].to_numpy()
    return evidence.assign(flag=flags(*counts))


def exact_rows(
    cells: list[str],
    measured: list[float],
    expected: list[float],
    tolerance: float,
    se: list[float] | None = None,
    replicates: np.ndarray | int = 0,
    failures: np.ndarray | int = 0,
) -> pd.DataFrame:
    """Evidence of kind exact.

    Args:
        cells: what each row compares, in words.
        measured: numbers found, one per cell.
        expected: numbers derived, one per cell.
        tolerance: largest absolute difference that rounding, or quadrature, explains.
        se: standard errors of ``measured``; None where no chance is in it.
        replicates: behind each number; 0 where none.
        failures: fits among them that do not exist.
    """
    return pd.DataFrame(
        {
            "cell": cells,
            "measured": measured,
            "measured_se": se if se is not None else 0.0,
            "expected": expected,
            "tolerance": tolerance,
            "replicates": replicates,
            "failures": failures,
        }
    )
