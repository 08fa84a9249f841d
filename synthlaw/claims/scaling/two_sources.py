"""Scaling, claims about the mixture law of Jain, Montanari and Sasoglu: a mixture of raw and synthetic
rows predicted from curves of each source alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.mixture import Sources, mixture_excess
from scaling.theory.mixture_measured import Measured, Mix, mean_risk, sequence_risk
from scaling.theory.mixture_sequence import (
    bias,
    finite,
    leading_error,
    mixed_variance,
    summands,
    sums,
)
from simulations.series.sequence import Sequence
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import bounded_row
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Claim, Evidence, Twin, always
from synthlaw.claims.scaling.two_sources_curves import (
    ENERGIES,
    FACTORS,
    SHARES,
    cases,
    cost,
    rate,
    surface,
    unfitted,
    world,
)
from synthlaw.claims.scaling.two_sources_picture import pictured

NOTE = "mixture.md"
SOURCE = "form of the law: arXiv 2402.04376; its errors derived here"
MIXES = tuple(Mix(10, many, share) for many in (10, 40) for share in (0.2, 0.5, 0.8))
SHIFT, SCALE = np.full(30, 0.1), 1.5
MEAN_REPLICATES = 12_000
# A short sequence, drawn at a fixed ridge with a coherent bias.
LENGTH, RIDGE, ENERGY = 100, 0.02, 0.04
DRAWN = tuple(Mix(100, 300, share) for share in (0.2, 0.5, 0.8))
DRAWN_REPLICATES = 16_000
# How far off the law is with a bias of random signs, and how far at least with one along the target.
WITHIN = {0.5: 0.20, 1.0: 0.07, 2.0: 0.07}
BEYOND_ABOVE, BEYOND_BELOW = 0.20, 0.10
COSTS = 0.03
EXPLAINED = 0.25


def _row(name: str, expected: float, found: Measured) -> dict[str, Any]:
    return fitted_row(name, 1, expected, (found.value, found.se), found.replicates, 0)


def _mean(lab: Lab, exponent: float) -> pd.DataFrame:
    """The weighted mean of skewed rows against the law of its two sources."""
    dim, rows = len(SHIFT), []
    for mix in MIXES:
        found = lab.recall(
            f"mixed mean {mix}",
            lambda mix=mix: mean_risk(
                mix, SHIFT, SCALE, MEAN_REPLICATES * lab.preset.effort, lab.seed
            ),
        )
        of = Sources(dim / mix.rows, SCALE**2 * dim / mix.synthetic, float(SHIFT @ SHIFT))
        expected = float(mixture_excess(mix.share, of, exponent))
        rows.append(_row(f"N = {mix.synthetic}, share {mix.share:g}", expected, found))
    return pd.DataFrame(rows).assign(inverse_size=0.0)


def _drawn(lab: Lab, cross: bool) -> pd.DataFrame:
    """Ridge fits on drawn sequences against the exact sums, with or without the cross term."""
    of = finite(summands(Sequence(1.0, 1.0)), LENGTH)
    rows = []
    for kind in ("shrinking", "stretching"):
        wrong = bias(kind, of, ENERGY)
        at = sums(of, wrong, RIDGE * np.array([0.5, 1.0, 2.0]))
        for mix in DRAWN:
            found = lab.recall(
                f"mixed sequence {kind} {mix}",
                lambda mix=mix, wrong=wrong: sequence_risk(
                    of, wrong, RIDGE, mix, DRAWN_REPLICATES * lab.preset.effort, lab.seed
                ),
            )
            v = mixed_variance(mix.share, mix.rows, mix.synthetic)
            parts = at.shrinkage + mix.share**2 * at.bias + v * at.spread
            expected = float((parts - 2.0 * mix.share * cross * at.cross)[1])
            rows.append(_row(f"{kind}, share {mix.share:g}", expected, found))
    return pd.DataFrame(rows).assign(inverse_size=0.0)


def _bounded(cells: list[str], measured: list[float], bound: list[float]) -> pd.DataFrame:
    """Evidence of kind inequality without noise: both sides are sums."""
    triples = zip(cells, measured, bound, strict=True)
    return pd.DataFrame([bounded_row(cell, (low, 0.0), (top, 0.0)) for cell, low, top in triples])


def _within(kind: str, smoothness: tuple[float, ...] = tuple(WITHIN)) -> Evidence:
    """The law's largest error over synthetic rows and shares against the stated one."""

    def evidence(lab: Lab) -> pd.DataFrame:
        lab.recall("mixture picture", lambda: lab.drawn.update(mixture_law=pictured(lab)))
        chosen = cases(smoothness, kind)
        found = [surface(lab, case) for case in chosen]
        errors = [float(np.abs(np.log(each.true / each.law)).max()) for each in found]
        stated = [float(np.log1p(WITHIN[case.smoothness])) for case in chosen]
        return _bounded([str(case) for case in chosen], errors, stated)

    return evidence


def _beyond(kind: str) -> Evidence:
    """That the truth leaves the band around the law on both sides: the closest of each side."""

    def evidence(lab: Lab) -> pd.DataFrame:
        cells, measured, bound = [], [], []
        for s in (0.5, 1.0):
            found = [surface(lab, case) for case in cases((s,), kind)]
            ratio = np.concatenate([(each.true / each.law).ravel() for each in found])
            cells += [f"s = {s:g}, law too low", f"s = {s:g}, law too high"]
            measured += [1.0 + BEYOND_ABOVE, float(ratio.min())]
            bound += [float(ratio.max()), 1.0 - BEYOND_BELOW]
        return _bounded(cells, measured, bound)

    return evidence


def _cost(pick: Callable[..., Any]) -> Evidence:
    """The risk at a share against the least one, the worst over the numbers of synthetic rows."""

    def evidence(lab: Lab) -> pd.DataFrame:
        cells, measured, bound = [], [], []
        for kind in ("incoherent", "shrinking", "stretching", "rough"):
            for case in cases((1.0,), kind):
                found = cost(lab, case)
                worst = int(np.argmax(pick(found) / found.least))
                cells.append(str(case))
                measured.append(float(pick(found)[worst]))
                bound.append((1.0 + COSTS) * float(found.least[worst]))
        return _bounded(cells, measured, bound)

    return evidence


def _explained(kinds: tuple[str, ...]) -> Evidence:
    """What the leading error leaves of the law's error at a small bias, against a quarter of it."""

    def evidence(lab: Lab) -> pd.DataFrame:
        chosen = [case for kind in kinds for case in cases((0.5, 1.0), kind)]
        chosen = [case for case in chosen if case.energy == min(ENERGIES)]
        measured, bound = [], []
        for case in chosen:
            law, many = unfitted(lab, case), case.rows * FACTORS[:, None]
            beta = rate(case.smoothness)
            told = leading_error(world(lab, case).sums, beta, SHARES, case.rows, many)
            error = surface(lab, case).true - law
            measured.append(float(np.abs((error - told) / law).max()))
            bound.append(EXPLAINED * float(np.abs(error / law).max()))
        return _bounded([str(case) for case in chosen], measured, bound)

    return evidence


INDEPENDENT = always("Raw and synthetic rows are independent of each other.")
TUNED = always("The ridge is tuned to every mixture; no mixture enters the law.")
SEQUENCE = (always("Gaussian sequence model, target as smooth as the penalty."), INDEPENDENT, TUNED)
_LAW = (
    r"\mathcal{E} = \alpha^2 \mathcal{E}_{syn}(\infty) + \left[\alpha^2 (\mathcal{E}_{syn}(N)"
    r" - \mathcal{E}_{syn}(\infty))^{1/\beta} + (1-\alpha)^2 \mathcal{E}_{raw}(n)^{1/\beta}\right]^\beta"
)


def _inequality(
    id: str, title: str, statement: str, formula: str, own: Evidence, twin: Twin
) -> Claim:
    return inequality_claim(
        id,
        title,
        statement,
        formula,
        own,
        twin,
        note=NOTE,
        source=SOURCE,
        assumptions=SEQUENCE,
    )


CLAIMS = (
    constant_claim(
        "scaling-mixed-mean",
        "The mixture law is exact for a mean",
        "The weighted mean of raw and shifted synthetic rows has the risk that the mixture law makes of"
        " the risks of both sources alone, with exponent 1, at every n, N and share, whatever the rows'"
        " distribution.",
        _LAW + r",\quad \beta = 1",
        lambda lab: _mean(lab, 1.0),
        source=SOURCE,
        note=NOTE,
        assumptions=(INDEPENDENT, always("Rows have finite variance.")),
        twin=Twin("The exponent is 2/3.", lambda lab: _mean(lab, 2.0 / 3.0)),
    ),
    constant_claim(
        "scaling-mixed-sum",
        "The risk of a mixed ridge fit as four sums",
        "In the sequence model a ridge fit to raw and biased synthetic rows has the stated risk, in which"
        " the bias of the ridge and that of the rows meet in a cross term: A is the square of the first, Y"
        " that of the second, X their product, V the variance at unit noise.",
        r"A - 2\alpha X + \alpha^2 Y + \sigma^2\left[\tfrac{(1-\alpha)^2}n + \tfrac{\alpha^2}N\right]V",
        lambda lab: _drawn(lab, cross=True),
        source="derived here; exact sums",
        note=NOTE,
        assumptions=(INDEPENDENT,),
        twin=Twin("Both biases do not meet: X = 0.", lambda lab: _drawn(lab, cross=False)),
    ),
    _inequality(
        "scaling-mixed-law",
        "Mixtures predicted from both sources alone",
        "With a bias of random signs the mixture law of two fitted curves is within 7 % of the risk for"
        " smoothness 1 and 2, within 20 % for 1/2, at every share from 0 to 1, N from n/10 to 100 n and a"
        " bias of up to 3 times the risk of the raw rows.",
        _LAW,
        _within("incoherent"),
        Twin("So it is with a bias along the target.", _within("stretching", (1.0,))),
    ),
    _inequality(
        "scaling-mixed-best-share",
        "The best share from both sources alone",
        "The share that the fitted law holds for best costs at most 3 % of the least risk, whichever way"
        " the bias lies (smoothness 1).",
        r"\mathcal{E}(\hat\alpha) \le 1.03\,\min_\alpha \mathcal{E}(\alpha)",
        _cost(lambda found: found.chosen),
        Twin("So does the share N/(N + n).", _cost(lambda found: found.pooled)),
    ),
    _inequality(
        "scaling-mixed-aligned",
        "A bias along the target breaks the mixture law",
        "If the synthetic rows stretch the target, risks of mixtures are somewhere more than 20 % above"
        " the law and elsewhere more than 10 % below it, for smoothness 1/2 and 1.",
        r"\max \mathcal{E}/\mathrm{law} \ge 1.2,\quad \min \mathcal{E}/\mathrm{law} \le 0.9",
        _beyond("stretching"),
        Twin("So it is with a bias of random signs.", _beyond("incoherent")),
    ),
    _inequality(
        "scaling-mixed-cross",
        "Why it breaks: the cross term of two biases",
        "With a small bias along the target the first order in the cross term of ridge bias and row bias"
        " explains more than three quarters of the law's error.",
        r"-2\alpha X(v) + \alpha^2 (\mathcal{L}/\mathcal{E}_N)^{1-1/\beta}\,2X(1/N)",
        _explained(("shrinking", "stretching")),
        Twin("So it does with a rough bias.", _explained(("rough",))),
    ),
)
