"""What a fit must tell its reader, each warning with a code and a page in paper_notes/warnings/."""

import numpy as np
from scipy.stats import chi2

from scaling.fitting.fits import Fit, FitWarning
from scaling.fitting.laws import limits
from scaling.fitting.uncertainty import condition

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


def of_fit(fit: Fit) -> list[FitWarning]:
    """What can be seen from the fit and its curve alone."""
    return [*_of_curve(fit), *_of_estimate(fit)]


def _of_curve(fit: Fit) -> list[FitWarning]:
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


def _of_estimate(fit: Fit) -> list[FitWarning]:
    found, parameters = [], fit.parameters
    if not fit.settled:
        found.append(
            FitWarning(
                "unsettled",
                "The search did not come to rest; the law is likely to have more parameters than"
                " the curve can tell: choose a simpler one.",
            )
        )
    if _falls_by_chance(fit):
        found.append(
            FitWarning(
                "growing", "The curve grows, and this law can only fall; allow growing laws."
            )
            if _rises(fit) and not fit.growing
            else FitWarning(
                "flat",
                "A constant fits the curve as well: it does not fall beyond its noise, and the"
                " exponent means nothing.",
            )
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


def _constant_loss(fit: Fit) -> tuple[float, float]:
    """Half the weighted squares around the best constant, and how many of its standard errors a
    line in log x rises."""
    data = fit.curve
    w = np.ones(len(data.y)) if data.se is None else data.se**-2.0
    mean = (w * data.y).sum() / w.sum()
    log = np.log(data.x[:, 0])
    log = log - (w * log).sum() / w.sum()
    spread = (w * log**2).sum()
    rise = (w * log * data.y).sum() / spread if spread > 0.0 else 0.0
    return 0.5 * float((w * (data.y - mean) ** 2).sum()), float(rise * np.sqrt(spread))


def _falls_by_chance(fit: Fit) -> bool:
    """Whether the law explains no more of the curve than a constant, given its noise."""
    if not fit.measure.projects or "floor" in fit.held:
        return False
    constant, _ = _constant_loss(fit)
    freedom = len(fit.law.parameters) - len(fit.held) - 1
    if freedom < 1:
        return False
    noise = max(fit.variance, 1e-24 * float((fit.curve.y**2).mean()))
    return bool(2.0 * (constant - fit.loss) / noise < chi2.isf(0.05, freedom))


def _rises(fit: Fit) -> bool:
    constant, rise = _constant_loss(fit)
    noise = 1.0 if fit.curve.se is not None else 2.0 * constant / max(len(fit.curve.y) - 1, 1)
    # What rounding leaves of a constant does not rise.
    noise = max(noise, 1e-24 * float((fit.curve.y**2).mean()))
    return rise > 2.0 * np.sqrt(noise)


def _at_limit(fit: Fit) -> str | None:
    low, high = limits(fit.law, fit.curve.x, fit.growing)
    for place, each in enumerate(fit.law.searched):
        reach = 1e-6 * (high[place] - low[place])
        inside = low[place] + reach < fit.estimate[place] < high[place] - reach
        if each.name not in fit.held and not inside:
            return each.name
    return None
