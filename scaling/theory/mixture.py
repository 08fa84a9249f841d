"""The mixture law: what raw and synthetic rows achieve together, from what each achieves alone.

With ``R(n)`` the risk of raw rows alone, ``S(N)`` that of synthetic rows alone, ``R*`` what raw rows
reach in the end and ``E_raw = R - R*``, ``E_syn = S - R*``, a fit that weighs the synthetic rows with
alpha has the risk

    R* + alpha^2 E_syn(inf) + [ alpha^2 (E_syn(N) - E_syn(inf))^(1/beta)
                               + (1 - alpha)^2 E_raw(n)^(1/beta) ]^beta .

Form: Jain, Montanari and Sasoglu, arXiv 2402.04376. When it is exact, how far it is off elsewhere, and
why: paper_notes/mixture.md.
"""

from typing import Any, NamedTuple

import numpy as np

from scaling.fitting.fits import Fit
from scaling.fitting.uncertainty import covariance
from simulations.problems import InputError

# The laws that a curve of one source can have here: an exponent, an amplitude, perhaps a floor.
CURVES = ("power", "power_floor")
STEP = 1e-5
# Exponents that differ by more standard errors than this are not one.
DIFFERENT = 3.0
SEARCH, ZOOMS = 101, 4


class Sources(NamedTuple):
    """``raw`` = E_raw(n), ``synthetic`` = E_syn(N) - E_syn(inf), ``floor`` = E_syn(inf); they broadcast."""

    raw: Any
    synthetic: Any
    floor: Any


class MixtureLaw(NamedTuple):
    """Two fitted curves and what follows: ``exponent`` beta, ``reference`` R*, ``floor`` E_syn(inf);
    ``warnings``: sentences on what makes the law doubtful."""

    raw: Fit
    synthetic: Fit
    exponent: float
    reference: float
    floor: float
    warnings: tuple[str, ...]


class BestShare(NamedTuple):
    """The best ``share`` and the risk ``least`` predicted there; ``gain``: how much less the
    excess risk is there than that of the better of both sources alone, as a share of the latter."""

    share: np.ndarray
    least: np.ndarray
    gain: np.ndarray


def mixture_excess(share: Any, of: Sources, exponent: float) -> np.ndarray:
    """The law from its three numbers.

    Args:
        share: alpha in [0, 1].
        of: excess risks of both sources, at least 0.
        exponent: beta > 0.

    >>> float(mixture_excess(0.5, Sources(0.04, 0.04, 0.0), 1.0))  # as many rows again: half the risk
    0.02
    """
    alpha, power = np.asarray(share, float), 1.0 / exponent
    raw, synthetic = np.asarray(of.raw, float), np.asarray(of.synthetic, float)
    both = alpha**2 * synthetic**power + (1.0 - alpha) ** 2 * raw**power
    return alpha**2 * of.floor + both**exponent


def best_mix(of: Sources, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """The share that makes the law least, and its value there.

    Without a floor it is ``raw^(1/beta)/(raw^(1/beta) + synthetic^(1/beta))`` for every beta, at
    beta = 1 ``raw/(raw + synthetic + floor)``. For beta >= 1/2 the law is convex in the share; below,
    the least of a grid is refined.

    Args:
        of: terms of the raw and the synthetic source, and the floor; they broadcast.
        exponent: beta, above 0.

    >>> share, least = best_mix(Sources(0.03, 0.01, 0.02), 1.0)
    >>> round(float(share), 9), round(float(least), 9)
    (0.5, 0.015)
    """
    shape = np.broadcast_shapes(*(np.shape(part) for part in of))
    wide = Sources(*(np.broadcast_to(np.asarray(part, float), shape)[..., None] for part in of))
    low, high = np.zeros((*shape, 1)), np.ones((*shape, 1))
    # A grid, then a finer one between the neighbours of its best point, four times: 1e-8 of alpha.
    zooms = 0
    while True:
        grid = low + (high - low) * np.linspace(0.0, 1.0, SEARCH)
        found = mixture_excess(grid, wide, exponent)
        at = np.argmin(found, axis=-1)[..., None]
        step = (high - low) / (SEARCH - 1)
        best = np.take_along_axis(grid, at, -1)
        zooms += 1
        if zooms == ZOOMS:
            return best[..., 0], np.take_along_axis(found, at, -1)[..., 0]
        low, high = np.maximum(best - step, 0.0), np.minimum(best + step, 1.0)


def mixture_law(raw: Fit, synthetic: Fit, exponent: float | None = None) -> MixtureLaw:
    """The mixture law of two curves, neither of which has seen a mixture.

    Args:
        raw: law ``power`` (of an excess risk) or ``power_floor`` (of a risk; its floor is R*), fitted
            to the risk of raw rows alone against n.
        synthetic: law ``power_floor`` (or ``power``, floor 0) of synthetic rows alone against N, in the
            same risk; the excess needs no floor of raw rows if R* was taken off both.
        exponent: beta; None: that of the raw curve.

    Returns:
        The law with warnings in words; `predict_mixture` and `best_share` use it.

    Raises ``InputError`` where a curve has another law, or the exponent is not positive.

    Do not trust it for synthetic rows whose error lies along the target (a model that shrinks or
    stretches the truth): it is then off by 10 to 35 % either way.

    Source: paper_notes/mixture.md.

    >>> from scaling.fitting.curves import curve
    >>> from scaling.fitting.fit import fit
    >>> n = np.geomspace(100, 10_000, 7)
    >>> law = mixture_law(fit("power", curve(n, n**-0.5)), fit("power_floor", curve(n, 0.01 + n**-0.5)))
    >>> round(float(predict_mixture(law, 400, 400, 0.0)), 6)  # raw rows alone
    0.05
    >>> round(float(best_share(law, 400, 400).share), 2)
    0.44
    """
    for name, each in (("raw", raw), ("synthetic", synthetic)):
        if each.law.name not in CURVES:
            raise InputError(
                f"the {name} curve has the law {each.law.name}; fit {' or '.join(CURVES)}."
            )
    beta = raw.parameters["exponent"] if exponent is None else exponent
    if not beta > 0.0:
        raise InputError(f"the exponent is {beta:g}; a mixture law needs a positive one.")
    reference, end = (each.parameters.get("floor", 0.0) for each in (raw, synthetic))
    warnings = [f"{name}: {w.text}" for name, f in _named(raw, synthetic) for w in f.warnings]
    gap = abs(raw.parameters["exponent"] - synthetic.parameters["exponent"])
    if gap > DIFFERENT * np.hypot(_exponent_se(raw), _exponent_se(synthetic)):
        warnings.append(
            f"The curves have exponents {raw.parameters['exponent']:.3g} and"
            f" {synthetic.parameters['exponent']:.3g}, the law has one; measure a few mixtures."
        )
    if end < reference:
        warnings.append(
            "The synthetic rows end below the raw ones; their floor is taken as that of the raw ones."
        )
    floor = max(end - reference, 0.0)
    return MixtureLaw(raw, synthetic, beta, reference, floor, tuple(warnings))


def _named(raw: Fit, synthetic: Fit) -> tuple[tuple[str, Fit], ...]:
    return (("raw curve", raw), ("synthetic curve", synthetic))


def _exponent_se(of: Fit) -> float:
    return float(np.sqrt(covariance(of)[0, 0]))


def sources(law: MixtureLaw, rows: Any, synthetic: Any) -> Sources:
    """What both curves say at n = ``rows`` and N = ``synthetic``, which broadcast."""
    n, many = np.broadcast_arrays(np.asarray(rows, float), np.asarray(synthetic, float))
    if not ((n > 0.0).all() and (many > 0.0).all()):
        raise InputError("a mixture needs positive numbers of raw and synthetic rows.")
    raw = law.raw.at(n.ravel()) - law.reference
    above = law.synthetic.at(many.ravel()) - law.synthetic.parameters.get("floor", 0.0)
    return Sources(raw.reshape(n.shape), above.reshape(n.shape), law.floor)


def predict_mixture(law: MixtureLaw, rows: Any, synthetic: Any, share: Any) -> np.ndarray:
    """Risk predicted for n raw rows, N synthetic ones and their share; the three broadcast.

    Args:
        law: fitted to both sources.
        rows: n, above 0.
        synthetic: N, above 0.
        share: alpha in [0, 1].

    Raises ``InputError`` for a share outside of [0, 1] or numbers of rows that are not positive.
    """
    alpha = np.asarray(share, float)
    if not ((alpha >= 0.0) & (alpha <= 1.0)).all():
        raise InputError("the share of synthetic rows must lie between 0 and 1.")
    return law.reference + mixture_excess(alpha, sources(law, rows, synthetic), law.exponent)


def mixture_se(law: MixtureLaw, rows: Any, synthetic: Any, share: Any) -> np.ndarray:
    """Standard error of `predict_mixture` from those of both fits, by the delta method.

    The curves are taken for independent, beta for that of the raw curve if it equals it. The error of
    the law itself (paper_notes/mixture.md) is not in it.

    Args:
        law: fitted to both sources.
        rows: n, above 0.
        synthetic: N, above 0.
        share: alpha in [0, 1].
    """
    own = law.exponent == law.raw.parameters["exponent"]
    total = np.zeros(())
    for name in ("raw", "synthetic"):
        fit: Fit = getattr(law, name)
        spread = covariance(fit)
        slopes: list[np.ndarray] = []
        for place, size in enumerate(np.sqrt(np.diag(spread))):
            step = STEP * max(abs(fit.estimate[place]), size)
            ends: list[np.ndarray] = []
            for sign in (1.0, -1.0):
                moved = fit.estimate.copy()
                moved[place] += sign * step
                ends.append(
                    _moved(law, name, fit._replace(estimate=moved), own, (rows, synthetic, share))
                )
            slopes.append((ends[0] - ends[1]) / (2.0 * step) if step else 0.0 * ends[0])
        along = np.stack(slopes, axis=-1)
        total = total + np.einsum("...i,ij,...j->...", along, spread, along)
    return np.sqrt(total)


def _moved(law: MixtureLaw, name: str, fit: Fit, own: bool, at: tuple[Any, ...]) -> np.ndarray:
    """The prediction with one of the fits replaced, the floor neither clipped nor warned about."""
    both = {"raw": law.raw, "synthetic": law.synthetic, name: fit}
    reference, end = (both[each].parameters.get("floor", 0.0) for each in ("raw", "synthetic"))
    floor = law.floor and end - reference
    beta = both["raw"].parameters["exponent"] if own else law.exponent
    changed = law._replace(**both, exponent=beta, reference=reference, floor=floor)
    return predict_mixture(changed, *at)


def best_share(law: MixtureLaw, rows: Any, synthetic: Any) -> BestShare:
    """The share that the law holds for best with n raw and N synthetic rows, which broadcast.

    It is never 0: to first order a little of any independent source lowers the variance at no cost.
    """
    of = sources(law, rows, synthetic)
    share, least = best_mix(of, law.exponent)
    alone = np.minimum(np.asarray(of.raw), np.asarray(of.synthetic) + of.floor)
    return BestShare(share, law.reference + least, 1.0 - least / alone)
