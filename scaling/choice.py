"""Choosing a law for one curve, or refusing to.

Two judges: held-out extrapolation (refit without the largest sizes, forecast them) and an information
criterion. A law is *plausible* if neither rules it out. What decides is not which law scores best but
whether the plausible ones say the same about what is asked, the value at ``far``: where they do not,
no law is chosen, and the reason says what would tell.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scaling.curves import Curve
from scaling.fitting import Fit, fit, law_named
from scaling.forecast import Forecast, average
from scaling.laws import CURVES
from scaling.model_error import held_out
from simulations.problems import InputError

# A law whose criterion is worse by more has less than a twentieth of the best one's weight.
WORSE = 6.0
FAR = 10.0
FEWEST = 4
# Laws that a simpler one is a special case of. Leaving a floor or an exponent out is a statement
# about the world, not a simplification: the wider law stays plausible whatever it costs.
WIDER = {"power": "power_floor", "reciprocal_floor": "power_floor"}


class Candidate(NamedTuple):
    """A law tried: its ``criterion`` (see `criterion_of`), Akaike ``weight``, held-out ``error`` (root
    mean square, in standard errors of the forecasts) and whether it is ``plausible``."""

    fit: Fit
    criterion: float
    weight: float
    heldout: float
    plausible: bool


class Choice(NamedTuple):
    """``ranked``: the data tell the laws apart as far as it matters at ``far``; ``best`` is then the
    law chosen, else None. ``reason``: one sentence."""

    ranked: bool
    best: Fit | None
    candidates: tuple[Candidate, ...]
    reason: str
    far: float

    @property
    def plausible(self) -> list[Fit]:
        """The fits that are averaged where none is chosen."""
        return [each.fit for each in self.candidates if each.plausible]

    def forecast(self, x: object, *, level: float = 0.95, seed: int = 0) -> list[Forecast]:
        """Forecasts of the law chosen, or of the equal-weight average of the plausible ones."""
        fits = self.plausible if self.best is None else [self.best]
        return average(fits, x, level=level, seed=seed)


def criterion_of(found: Fit, inflation: float) -> float:
    """An information criterion, up to a constant of the curve.

    Standard errors known: ``chi^2 / inflation + 2 k``, exact without a small-sample term where the
    law is linear in its k parameters. Else AICc with the noise as one parameter more,
    ``n log(chi^2 / n) + 2 k' + 2 k' (k' + 1) / (n - k' - 1)``.
    """
    points = len(found.curve.y)
    k = points - found.freedom
    if found.curve.se is not None:
        return 2.0 * found.loss / inflation + 2.0 * k
    k += 1
    if points - k - 1 <= 0:
        return np.inf
    size = max(2.0 * found.loss / points, 1e-300)
    return points * np.log(size) + 2.0 * k + 2.0 * k * (k + 1) / (points - k - 1)


def _fits(
    curve: Curve, names: Sequence[str], growing: bool, held: Mapping[str, float]
) -> list[Fit]:
    laws = [law_named(name) for name in names]
    fitting = [law for law in laws if set(held) <= set(law.parameters)]
    if not fitting:
        raise InputError(f"no candidate has all of the parameters {', '.join(held)}.")
    enough = [law for law in fitting if len(curve.y) > len(law.parameters) - len(held)]
    if len(curve.y) < FEWEST or not enough:
        raise InputError(
            f"{len(curve.y)} points are too few to choose a law; give at least {FEWEST}."
        )
    return [fit(law.name, curve, growing=growing, held=held) for law in enough]


def _heldout(found: Fit, leave: range) -> float:
    if len(found.curve.y) - leave[-1] <= len(found.law.parameters) - len(found.held):
        return np.inf
    out = held_out(found, leave)
    scale = np.abs(found.curve.y).mean() * 1e-12
    return float(np.sqrt((out.errors**2 / (out.variance + scale**2)).mean()))


def choose(
    curve: Curve,
    *,
    candidates: Sequence[str] = CURVES,
    growing: bool = False,
    held: Mapping[str, float] | None = None,
    far: float | None = None,
) -> Choice:
    """Choose a law for a curve, or refuse to rank.

    Args:
        curve: the curve, in one abscissa, at least 4 points.
        candidates: names of the laws to choose among.
        growing: whether exponents may be negative.
        held: parameters that are known; laws without them are left out.
        far: the size that is asked about; default ten times the largest measured.

    Raises:
        ValueError: one sentence: too few points, or no candidate with the parameters held.

    Source: paper_notes/forecasting.md.
    """
    known = dict(held or {})
    fits = _fits(curve, candidates, growing, known)
    target = FAR * float(curve.x.max()) if far is None else float(far)
    freedoms = [each for each in fits if each.freedom > 0]
    inflation = max(1.0, min(2.0 * each.loss / each.freedom for each in freedoms))
    scores = np.array([criterion_of(each, inflation) for each in fits])
    leave = range(1, max(1, min(3, len(curve.y) - FEWEST)) + 1)
    errors = [_heldout(each, leave) for each in fits]
    gaps = scores - scores.min()
    weights = np.exp(-0.5 * gaps)
    weights /= weights.sum()
    best = int(np.argmin(scores))
    name = fits[best].law.name
    plausible = [
        bool(gap <= 0.0)
        or bool(gap <= WORSE and not _contains(each.law.name, name))
        or WIDER.get(name) == each.law.name
        for gap, each in zip(gaps, fits, strict=True)
    ]
    tried = tuple(
        Candidate(*each)
        for each in zip(
            fits, map(float, scores), map(float, weights), errors, plausible, strict=True
        )
    )
    return _decided(tried, best, target)


def _contains(wide: str, narrow: str) -> bool:
    """Whether a law has another as a special case."""
    inside = {
        "power_floor": {"power", "reciprocal_floor"},
        "power_correction": {"power"},
        "broken": {"power", "power_floor", "reciprocal_floor"},
    }
    return narrow in inside.get(wide, set())


def _decided(tried: tuple[Candidate, ...], best: int, far: float) -> Choice:
    chosen = tried[best].fit
    (own,) = average([chosen], [far])
    for each in tried:
        if each.plausible and each.fit is not chosen:
            (other,) = average([each.fit], [far])
            if not own.low <= other.value <= own.high:
                reason = (
                    f"The laws {chosen.law.name} and {each.fit.law.name} fit alike but differ at"
                    f" {far:g} ({own.value:.3g} and {other.value:.3g}); points at larger sizes would tell."
                )
                return Choice(False, None, tried, reason, far)
    return Choice(True, chosen, tried, f"The law {chosen.law.name} fits best.", far)
