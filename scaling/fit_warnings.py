"""What a fit must tell its reader, each warning with a code and a page in paper_notes/warnings/."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import chi2

if TYPE_CHECKING:
    from scaling.fitting import Fit

CODES = (
    "at_limit",
    "flat",
    "growing",
    "unsettled",
    "ill_conditioned",
    "poor_fit",
    "few_decades",
    "conflicting_points",
    "no_standard_errors",
    "unbounded",
    "unidentified",
    "unranked",
    "far_forecast",
    "no_exponent",
)
# Below this p-value a law does not fit its standard errors, or points at one abscissa disagree.
IMPROBABLE = 1e-3
# A condition number of the scaled normal equations beyond which digits are lost.
WORST_CONDITION = 1e10


class FitWarning(NamedTuple):
    """``code`` is the name of a page in paper_notes/warnings/; ``text`` one sentence with the remedy."""

    code: str
    text: str


def of_fit(fit: "Fit") -> list[FitWarning]:
    """What can be seen from the fit and its curve alone."""
    return [*_of_curve(fit), *_of_estimate(fit)]


def _of_curve(fit: "Fit") -> list[FitWarning]:
    data, found = fit.curve, []
    if data.se is None:
        found.append(
            FitWarning(
                "no_standard_errors",
                "No standard errors were given: every point counts alike, and the noise is"
                " estimated from the residuals.",
            )
        )
    span = data.x.max(axis=0) / np.maximum(data.x.min(axis=0), 1e-300)
    for name, ratio in zip(fit.law.variables, span, strict=True):
        if name != "alpha" and ratio < 10.0:
            found.append(
                FitWarning(
                    "few_decades",
                    f"{name} spans a factor of {ratio:.2g} only; floor and exponent can hardly be"
                    " told apart below a decade.",
                )
            )
    if data.se is not None and _conflict(data.x, data.y, data.se) < IMPROBABLE:
        found.append(
            FitWarning(
                "conflicting_points",
                "Points at the same abscissa differ by more than their standard errors allow;"
                " check whether these are right.",
            )
        )
    return found


def _conflict(x: np.ndarray, y: np.ndarray, se: np.ndarray) -> float:
    """p-value of the hypothesis that points at one abscissa have one mean."""
    _, groups = np.unique(x, axis=0, return_inverse=True)
    groups = groups.ravel()
    total = np.bincount(groups, se**-2.0)
    mean = np.bincount(groups, y * se**-2.0) / total
    freedom = len(y) - len(total)
    if freedom == 0:
        return 1.0
    return float(chi2.sf((((y - mean[groups]) / se) ** 2).sum(), freedom))


def _of_estimate(fit: "Fit") -> list[FitWarning]:
    from scaling.uncertainty import condition

    found, parameters = [], fit.parameters
    if not fit.settled:
        found.append(
            FitWarning(
                "unsettled",
                "The search did not come to rest; the law is likely to have more parameters than"
                " the curve can tell: choose a simpler one.",
            )
        )
    amplitudes = [n for n in fit.law.linear if n.startswith("amplitude") and n not in fit.held]
    if amplitudes and all(parameters[name] == 0.0 for name in amplitudes):
        rises = _trend(fit) > 0.0
        found.append(
            FitWarning(
                "growing", "The curve grows, and this law can only fall; allow growing laws."
            )
            if rises
            else FitWarning("flat", "The curve does not fall: its exponent means nothing.")
        )
    elif (name := _at_limit(fit)) is not None:
        text = (
            f"The {name.replace('_', ' ')} lies at the limit of its search ({parameters[name]:g})."
        )
        found.append(FitWarning("at_limit", text))
    if condition(fit) > WORST_CONDITION:
        found.append(
            FitWarning(
                "ill_conditioned",
                "Some parameters move the curve in nearly the same way; hold one of them or give"
                " points over more decades.",
            )
        )
    squared = fit.curve.se is not None and fit.measure.loss == "squared"
    if squared and fit.freedom > 0 and chi2.sf(2.0 * fit.loss, fit.freedom) < IMPROBABLE:
        found.append(
            FitWarning(
                "poor_fit",
                f"The law misses the points by more than their standard errors allow (chi-square"
                f" {2.0 * fit.loss:.3g} at {fit.freedom} degrees of freedom); intervals are too narrow.",
            )
        )
    return found


def _trend(fit: "Fit") -> float:
    x, y = np.log(fit.curve.x[:, 0]), fit.curve.y
    return float(((x - x.mean()) * (y - y.mean())).sum())


def _at_limit(fit: "Fit") -> str | None:
    from scaling.laws import limits

    low, high = limits(fit.law, fit.curve.x, fit.growing)
    for place, each in enumerate(fit.law.searched):
        reach = 1e-6 * (high[place] - low[place])
        inside = low[place] + reach < fit.estimate[place] < high[place] - reach
        if each.name not in fit.held and not inside:
            return each.name
    return None
