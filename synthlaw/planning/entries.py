"""A plan as the entries of plan.json."""

import math
from typing import Any, NamedTuple

import numpy as np

from scaling.planning.choice import WIDEST, Choice, Compared, reach
from scaling.planning.planned import Planned
from scaling.planning.symmetry import Symmetry
from synthlaw.planning.encoding import Groups, Warned
from synthlaw.planning.request import REWEIGHT, Request

Row = dict[str, Any]
# Fewer rows of a group make every interval wide; fewer rows than parameters make a Wald test void.
FEW, PER_PARAMETER = 30, 10
MUCH_BIAS = 0.5
NOTHING = "nothing"


class Told(NamedTuple):
    """What a plan was made of, beside the plan."""

    request: Request
    groups: Groups
    counts: np.ndarray
    features: int


def entries(plan: Planned, what: Told, memorisation: Row | None, warned: list[Warned]) -> Row:
    """The content of plan.json."""
    counts, labels = what.counts, what.groups.labels
    return {
        "rows": int(counts.sum()),
        "minority": int(counts[labels == 1].sum()),
        "classes": {"minority": what.groups.values[1], "majority": what.groups.values[0]},
        "groups": [
            {"name": name, "rows": int(n), "lacks": int(counts.max() - n)}
            for name, n in zip(what.groups.names, counts, strict=True)
        ],
        "estimator": {
            "kind": "ridge logistic regression",
            "ridge": plan.strength.ridge,
            "folds": len(plan.paths.theta),
            "columns": what.features,
        },
        "recommendation": _recommendation(plan, what.request),
        "null_model": _null_model(plan, counts),
        "symmetry_test": _symmetry(plan.symmetry),
        "generator": _generator(plan, what.request),
        "curve": _curve(plan),
        "calibration": _calibration(plan),
        "memorisation": memorisation,
        "warnings": [
            {"code": code, "text": text} for code, text in [*warned, *_warned(plan, what)]
        ],
    }


def rows_at(plan: Planned, ratio: float) -> int:
    """Synthetic rows at a ratio."""
    return math.floor(ratio * plan.total + 0.5)


def _gain(compared: Compared | None) -> Row | None:
    return None if compared is None else {"gain": compared.gain, "se": compared.se}


def _recommendation(plan: Planned, request: Request) -> Row:
    best = plan.choice
    helps = best.help and request.generator != REWEIGHT
    number = rows_at(plan, best.ratio)
    instead = None if helps else _instead(best, request)
    return {
        "rows": number if helps else 0,
        "low": rows_at(plan, best.low) if helps else 0,
        "high": rows_at(plan, best.high),
        "help": helps,
        "reason": _reason(plan, request, helps, instead),
        "instead": instead,
        "best_rows": number,
        "predicted": best.risk,
        "over_none": _gain(best.over_none),
        "over_reweighting": _gain(best.over_reweighting),
        "over_full_balancing": _gain(best.over_full),
    }


def _instead(best: Choice, request: Request) -> str:
    """What to do where rows do not help."""
    if request.generator == REWEIGHT or best.over_none.sure:
        return REWEIGHT
    lead = best.over_none.gain - best.over_reweighting.gain
    return REWEIGHT if lead > best.over_none.se else NOTHING


def _reason(plan: Planned, request: Request, helps: bool, instead: str | None) -> str:
    best, number = plan.choice, rows_at(plan, plan.choice.ratio)
    none, weights = best.over_none, best.over_reweighting
    if request.generator == REWEIGHT:
        return "No generator was asked about: weights need no synthetic row."
    if helps:
        return (
            f"{number} rows are predicted to lower the balanced loss by {_pm(none)} against none, and"
            f" by {_pm(weights)} against weighting the rows there are."
        )
    if not none.sure:
        tail = (
            "Leave the table as it is." if instead == NOTHING else "Weighting its rows does better."
        )
        if number == 0:
            return f"Without synthetic rows the predicted balanced loss is least. {tail}"
        return f"No number of rows is better than none by more than its standard error. {tail}"
    return (
        f"Rows are better than none, but not than weighting the rows there are: with {number} of them the"
        f" loss is {'lower' if weights.gain > 0.0 else 'higher'} by {_pm(weights)}. Weight the rows"
        " instead."
    )


def _pm(compared: Compared) -> str:
    return f"{abs(compared.gain):.3g} (standard error {compared.se:.2g})"


def _null_model(plan: Planned, counts: np.ndarray) -> Row:
    risk, se = float(plan.curve.predicted[-1]), float(plan.curve.se[-1])
    risk = max(risk, 0.05 * se)
    factor = math.exp(min(reach(int(counts.min()) - 1) * se / risk, WIDEST))
    return {
        "kind": REWEIGHT,
        "predicted": risk,
        "se": float(np.sqrt(plan.curve.covariance[-1, -1])),
        "low": risk / factor,
        "high": risk * factor,
        "weights": [float(counts.sum() / (len(counts) * n)) for n in counts],
    }


def _symmetry(found: Symmetry) -> Row:
    slopes = found.slopes
    return {
        **found.all._asdict(),
        "slopes": None if slopes is None else slopes._asdict(),
        "meaning": (
            "With an intercept the gradients of the classes always differ in it, so the first test"
            " rejects given rows enough; the test of the slopes says whether imbalance moves more than"
            " the intercept."
        ),
    }


def _generator(plan: Planned, request: Request) -> Row:
    found = plan.quality
    return {
        "kind": request.generator,
        "quality_score": None if found is None else found.score,
        "quality_se": None if found is None else found.se,
        "bias_share": None if found is None else found.share,
        "floor": None if found is None else found.floor,
        "variance": None if found is None else found.variance,
    }


def _curve(plan: Planned) -> list[Row]:
    along = plan.line
    rows = [rows_at(plan, ratio) for ratio in along.ratio]
    # Where ratios lie closer than rows, the first that rounds to a number of rows stands for all; full
    # balancing is always among them.
    kept = [k for k, n in enumerate(rows) if rows.index(n) == k or along.ratio[k] == 1.0]
    kept = [k for k in kept if along.ratio[k] == 1.0 or rows[k] != plan.total]
    return [
        {
            "rows": rows[k],
            "ratio": float(along.ratio[k]),
            "predicted": float(along.predicted[k]),
            "low": float(along.low[k]),
            "high": float(along.high[k]),
            "variance": float(along.variance[k]),
        }
        for k in kept
    ]


def _calibration(plan: Planned) -> Row:
    found = plan.calibration
    return {
        "rows": rows_at(plan, found.ratio),
        "before": found.before._asdict(),
        "after": found.after._asdict(),
        "without_rows": found.none._asdict(),
        "correction": found.shift,
    }


def _warned(plan: Planned, what: Told) -> list[Warned]:
    counts, found = what.counts, list[Warned]()
    wanted = counts < counts.max()
    small = int(counts[wanted].min())
    if small < FEW:
        found.append(
            (
                "few_rows",
                f"The smallest group has {small} rows: predictions rest on these, and their intervals"
                " are rough.",
            )
        )
    p = plan.paths.whole.shape[1]
    if counts.min() < PER_PARAMETER * p:
        found.append(
            (
                "symmetry_unreliable",
                f"The symmetry test has {counts.min()} rows of the smallest group for {p} parameters"
                f" and rejects too often below {PER_PARAMETER} a parameter.",
            )
        )
    if plan.choice.edge and plan.choice.ratio > 0.0:
        found.append(
            (
                "edge",
                f"The least loss lies at the largest number tried ({rows_at(plan, plan.choice.ratio)}"
                " rows); more may be better still.",
            )
        )
    if plan.quality is None and what.request.generator != REWEIGHT:
        found.append(
            (
                "no_quality_score",
                "A group has too few rows to be cut in four, so the generator's bias is not measured.",
            )
        )
    elif plan.quality is not None and plan.quality.share > MUCH_BIAS:
        sure = plan.quality.score > plan.quality.se
        found.append(
            (
                "generator_bias",
                f"At full balancing {plan.quality.share:.0%} of the excess loss is the generator's bias"
                f"{'' if sure else ', by an estimate that is hardly above its noise'}: more rows do not"
                " take it away.",
            )
        )
    if plan.paths.failures:
        found.append(
            (
                "not_converged",
                f"{plan.paths.failures} fits did not come to rest; their losses are counted as they"
                " stand.",
            )
        )
    return found
