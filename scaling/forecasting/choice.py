"""Choosing a law for one curve, or refusing to.

An information criterion says which laws are *plausible*; held-out extrapolation says how far each may
be trusted beyond the data (`scaling.forecasting.model_error`). What decides is not which scores best but
whether the plausible ones say the same about what is asked, the value at ``far``: where they do not,
no law is chosen, and the reason says what would tell.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from scaling.fitting.curves import Curve
from scaling.fitting.fit import Fit, fit, law_named
from scaling.fitting.intervals import LEVEL
from scaling.fitting.laws import CURVES
from scaling.fitting.warnings import FitWarning
from scaling.forecasting.forecast import Forecast, Outlook, from_outlooks, observation, outlook
from scaling.forecasting.model_error import Cuts, cuts_of, order_of
from scaling.forecasting.telling import what_would_tell
from simulations import cores
from simulations.problems import InputError

# A law whose criterion is worse by more has less than a twentieth of the best one's weight.
WORSE = 6.0
FAR = 10.0
FEWEST = 4
HELD_OUT = 3
# Growth that nobody asked for is in proportion to x at most: extrapolated squares fit wiggles.
UNASKED = -1.0
# Nor by a law that turns: what rises after the turn rests on few points.
TURNING = "broken"
# What each law has as special cases.
CONTAINS = {
    "power_floor": {"power", "reciprocal_floor"},
    "power_correction": {"power"},
    "broken": {"power", "power_floor", "reciprocal_floor"},
}
# To leave out a floor or an exponent is a statement about the world, not a simplification: the law
# that has it stays plausible whatever it costs.
STATED = {"power": "power_floor", "reciprocal_floor": "power_floor"}


class Candidate(NamedTuple):
    """A law tried: its ``criterion`` (see `criterion_of`), Akaike ``weight``, held-out ``error`` (root
    mean square over the last points; infinite where a refit is not possible) and whether it is
    ``plausible``."""

    fit: Fit
    criterion: float
    weight: float
    heldout: float
    plausible: bool


class Choice(NamedTuple):
    """``ranked``: the data tell the laws apart as far as it matters at ``far``; ``best`` is then the
    law chosen, else None. ``reason``: one sentence; ``views``: what each plausible law says beyond
    the data."""

    ranked: bool
    best: Fit | None
    candidates: tuple[Candidate, ...]
    reason: str
    far: float
    views: tuple[Outlook, ...]

    @property
    def plausible(self) -> tuple[Fit, ...]:
        """The fits that forecasts average, with equal weights."""
        return tuple(each.fit for each in self.candidates if each.plausible)

    @property
    def warnings(self) -> tuple[FitWarning, ...]:
        """The refusal to rank as a warning."""
        return () if self.ranked else (FitWarning("unranked", self.reason),)

    def forecast(self, x: Any, *, level: float = LEVEL) -> list[Forecast]:
        """Forecasts by the equal-weight average of the plausible laws. Where the choice is ranked
        they agree at ``far``; the average holds the doubt that is left elsewhere."""
        return from_outlooks(self.views, x, level)


def criterion_of(found: Fit, inflation: float) -> float:
    """An information criterion, up to a constant of the curve.

    Standard errors known: ``chi^2 / inflation + 2 k``; where the law is linear in its k parameters
    this needs no term for small samples. Else AICc, with the noise as one parameter more,
    ``n log(chi^2 / n) + 2 k' + 2 k' (k' + 1) / (n - k' - 1)``, ``k' = k + 1``.

    Args:
        found: the fit.
        inflation: by which chi-square exceeds its degrees of freedom, at least 1.
    """
    points = len(found.curve.y)
    k = points - found.freedom
    if found.curve.se is not None:
        return 2.0 * found.loss / inflation + 2.0 * k
    k += 1
    if points - k - 1 <= 0:
        return np.inf
    least = 1e-24 * float((found.curve.y**2).mean())
    size = max(2.0 * found.loss / points, least, 1e-300)
    return points * np.log(size) + 2.0 * k + 2.0 * k * (k + 1) / (points - k - 1)


def _fits(
    data: Curve, names: Sequence[str], growing: bool | float, held: Mapping[str, float]
) -> list[Fit]:
    laws = [law_named(name) for name in names]
    fitting = [law for law in laws if set(held) <= set(law.parameters)]
    if not fitting:
        raise InputError(f"no candidate has all of the parameters {', '.join(held)}.")
    enough = [law for law in fitting if len(data.y) > len(law.parameters) - len(held)]
    if len(data.y) < FEWEST or not enough:
        raise InputError(f"{len(data.y)} points are too few to choose a law; give {FEWEST}.")
    return _side_by_side(lambda law: fit(law.name, data, growing=growing, held=held), enough)


def _side_by_side(function: Callable[[Any], Any], what: Sequence[Any]) -> list[Any]:
    """``function`` of each, in threads: a law's program takes longer to compile than to run."""
    with ThreadPoolExecutor(cores()) as pool:
        # The laws with most parameters take longest, and go first.
        return list(pool.map(function, reversed(what)))[::-1]


def _scores(fits: Sequence[Fit]) -> np.ndarray:
    # Standard errors that no law can meet are taken for too small by one factor.
    inflation = max(1.0, min(2.0 * each.loss / each.freedom for each in fits))
    return np.array([criterion_of(each, inflation) for each in fits])


def _grows(data: Curve) -> bool:
    logs = np.log(np.maximum(data.x[:, 0], 1e-300))
    return float(((logs - logs.mean()) * (data.y - data.y.mean())).sum()) > 0.0


def _families(
    data: Curve, names: Sequence[str], growing: bool | float, held: Mapping[str, float]
) -> list[Fit]:
    """The candidates' fits; growing laws, unasked, only where falling ones miss the curve by far."""
    fits = _fits(data, names, growing, held)
    if growing or not _grows(data):
        return fits
    steady = [each.law.name for each in fits if each.law.name != TURNING]
    rising = _fits(data, steady, UNASKED, held) if steady else []
    scores = _scores([*fits, *rising])
    if scores[len(fits) :].min(initial=np.inf) > scores[: len(fits)].min() - WORSE:
        return fits
    told = FitWarning(
        "growing",
        "The curve grows: laws that grow were allowed, since falling ones miss it by far.",
    )
    return [each._replace(warnings=(*each.warnings, told)) for each in rising]


def _heldout(found: Fit, cuts: Cuts) -> float:
    """Root mean square error of the forecasts of the last points."""
    if not cuts.left:
        return np.inf
    y = found.curve.y[order_of(found.curve.x)]
    missed = [(y - law)[-out:] for out, law in zip(cuts.left, cuts.values, strict=True)]
    return float(np.sqrt(np.mean([(each**2).mean() for each in missed[:HELD_OUT]])))


def _plausible(fits: Sequence[Fit], scores: np.ndarray) -> list[bool]:
    best = int(np.argmin(scores))
    name = fits[best].law.name

    def keep(place: int) -> bool:
        other = fits[place].law.name
        if place == best or STATED.get(name) == other:
            return True
        # A law that contains the best and does no better adds nothing but freedom.
        return bool(scores[place] <= scores[best] + WORSE) and name not in CONTAINS.get(other, ())

    return [keep(place) for place in range(len(fits))]


def choose(
    curve: Curve,
    *,
    candidates: Sequence[str] = CURVES,
    growing: bool | float = False,
    held: Mapping[str, float] | None = None,
    far: float | None = None,
    seed: int = 0,
) -> Choice:
    """Choose a law for a curve, or refuse to rank.

    Args:
        curve: the curve, in one abscissa, at least 4 points.
        candidates: names of the laws to choose among.
        growing: whether exponents may be negative. Where the curve rises and falling laws miss it by
            far, growing ones are allowed unasked, with the warning ``growing`` in their fits.
        held: parameters that are known; laws without them are left out.
        far: the size that is asked about; default ten times the largest measured.
        seed: root of the random numbers of the bootstrap.

    Returns:
        The choice, with all laws tried. A law is plausible within 6 units of the best criterion,
        unless it contains the best law as a special case; but a law with a floor or an exponent
        stays plausible beside one without. The choice is ranked if every plausible law lies, at
        ``far``, within the best one's interval for a new observation; a law without a floor, only if
        the floors that the data allow would not change that.

    Raises:
        ValueError: one sentence: too few points, or no candidate with the parameters held.

    Source: paper_notes/forecasting.md.

    >>> from scaling.fitting.curves import curve as checked
    >>> x = np.geomspace(10, 10000, 12)
    >>> noise = 0.02 * np.random.default_rng(0).standard_normal(12)
    >>> y = (0.2 + x**-0.5) * (1 + noise)
    >>> found = choose(checked(x, y, 0.02 * y))
    >>> found.ranked, found.best.law.name
    (True, 'power_floor')
    """
    fits = _families(curve, candidates, growing, dict(held or {}))
    target = FAR * float(curve.x.max()) if far is None else float(far)
    scores = _scores(fits)
    weights = np.exp(-0.5 * (scores - scores.min()))
    plausible = _plausible(fits, scores)
    cuts = _side_by_side(cuts_of, fits)
    tried = tuple(
        Candidate(each, float(score), float(weight), _heldout(each, left), keep)
        for each, score, weight, left, keep in zip(
            fits, scores, weights / weights.sum(), cuts, plausible, strict=True
        )
    )
    kept = [
        pair for pair, keep in zip(zip(fits, cuts, strict=True), plausible, strict=True) if keep
    ]
    views = tuple(_side_by_side(lambda pair: outlook(pair[0], seed=seed, cuts=pair[1]), kept))
    best = next(view for view in views if view.fit is fits[int(np.argmin(scores))])
    return _decided(tried, views, best, target)


def _decided(
    tried: tuple[Candidate, ...], views: tuple[Outlook, ...], best: Outlook, far: float
) -> Choice:
    point, name = np.array([[far]]), best.fit.law.name
    mixture = observation(best, point, own_error=False)
    low, high = (float(mixture.quantile(share)[0]) for share in (0.025, 0.975))
    for other in views:
        if other is best:
            continue
        ends = [float(other.fit.at(point)[0])]
        if STATED.get(name) == other.fit.law.name:
            ends = np.percentile(other.refits.at(point)[:, 0], [2.5, 97.5]).tolist()
        if min(ends) < low or max(ends) > high:
            reason = what_would_tell(best, other, far, (low, high), (min(ends), max(ends)))
            return Choice(False, None, tried, reason, far, views)
    more = len(views) - 1
    says = f"{more} more fit as well and say" if more > 1 else "one more fits as well and says"
    reason = (
        f"The law {name} fits best; {says} the same at {far:g}."
        if more
        else f"The law {name} fits best, and no other that fits says otherwise at {far:g}."
    )
    return Choice(True, best.fit, tried, reason, far, views)
