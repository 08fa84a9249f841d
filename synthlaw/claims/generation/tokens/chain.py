"""Generation, the chain from a generator's divergence to a classifier's floor, link by link."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from scaling.theory.tokens.chain import Chain, chain, radii
from scaling.theory.tokens.composition import prediction
from simulations.tokens.world import World
from synthlaw.claims.evidence import bounded_row, exact_rows
from synthlaw.claims.generation.tokens.cases import FIXED, GIVEN, NOTE, Case, build
from synthlaw.claims.generation.tokens.risk import MIDDLE, PAIRS, SMALL
from synthlaw.claims.kinds import exact_claim, inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin

PINSKER = "variation by divergence (Pinsker)"
CERTIFIED = "floor, certified"
COEFFICIENTS = "attribute coefficients, certified"
DEPTHS, SEEDS = (1, 2, 4), (200, 5000)


class Named(NamedTuple):
    """A law's chain with where it comes from, and the floor's leading term taken for a bound of it."""

    world: str
    depth: int
    seeds: int
    law: int
    chain: Chain
    coefficients: float


def cases() -> list[tuple[str, Case]]:
    """Imbalance at two vocabularies and the attribute token, by depth and seeds; all at full balance."""
    shapes: list[tuple[str, World, int, tuple[int, ...], tuple[int, ...]]] = [
        ("d = 64", SMALL, 1, (2000, 200), (0, 1800)),
        ("d = 256", MIDDLE, 1, (2000, 200), (0, 1800)),
        ("attribute, d = 32", PAIRS, 2, (1000, 100, 100, 1000), (0, 900, 900, 0)),
    ]
    return [
        (name, Case(world, positions, "transformer", depth, n, raw, synthetic))
        for name, world, positions, raw, synthetic in shapes
        for depth in DEPTHS
        for n in SEEDS
    ]


def chains(lab: Lab) -> list[Named]:
    """Every law's chain."""

    def compute() -> list[Named]:
        found, balls = [], {}
        for name, case in cases():
            groups, made, counts = build(lab, case)
            x, laws, best = groups.points, groups.laws, groups.best
            if name not in balls:
                balls[name] = radii(x, best)
            r = case.world.dim
            for j, law in enumerate(made):
                at = prediction(x, laws, law, best, counts)
                one = chain(x, laws, law, counts, at, balls[name])
                length = float(np.linalg.norm(at.theta[r : 2 * r])) if case.positions > 1 else 0.0
                found.append(Named(name, case.depth, case.seeds, j, one, length))
        lab.drawn["token_chain"] = _slacks(found)
        return found

    return lab.recall("token chains", compute)


def _slacks(found: list[Named]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "world": each.world,
            "depth": each.depth,
            "seeds": each.seeds,
            "link": link.name,
            "value": link.value,
            "bound": link.bound,
        }
        for each in found
        for link in each.chain.links
    )


def _rows(cells: list[tuple[str, float, float]]) -> pd.DataFrame:
    """Evidence of kind inequality, without noise."""
    return pd.DataFrame([bounded_row(name, (value, 0.0), (top, 0.0)) for name, value, top in cells])


def _tightest(lab: Lab, factor: float = 1.0) -> pd.DataFrame:
    """Every link where it has the least room; Pinsker's bound times ``factor``."""
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for each in chains(lab):
        for link in each.chain.links:
            if link.name == CERTIFIED:
                continue
            bound = link.bound * (factor if link.name == PINSKER else 1.0)
            key = each.world, link.name
            if key not in best or link.value / bound > best[key][0] / best[key][1]:
                best[key] = link.value, bound
    return _rows([(f"{link}; {world}", *pair) for (world, link), pair in best.items()])


def every_link(lab: Lab) -> pd.DataFrame:
    """With the right constants."""
    return _tightest(lab)


def halved(lab: Lab) -> pd.DataFrame:
    """With KL/8 under Pinsker's root."""
    return _tightest(lab, 0.5)


def _proven(lab: Lab, leading: bool) -> pd.DataFrame:
    """Floors and attribute coefficients against bounds that are finite, or floors against b'H^-1 b/2."""
    cells = []
    for world, depth, seeds, law, each, length in chains(lab):
        name = f"{world}, {depth} layer{'s' if depth > 1 else ''}, n={seeds}, law {law}"
        if leading:
            cells.append((name, each.floor, each.quadratic))
        elif np.isfinite(each.certified.floor):
            cells.append((name, each.floor, each.certified.floor))
            if length:
                # The attribute's embedding stands second of two.
                width = (len(each.certified.inverse) - 1) // 2
                bound = each.certified.coefficients(slice(width, 2 * width))
                cells.append((f"{name}, coefficients", length, bound))
    return _rows(cells)


def certified(lab: Lab) -> pd.DataFrame:
    """The proven bounds."""
    return _proven(lab, leading=False)


def leading(lab: Lab) -> pd.DataFrame:
    """The leading term as if it were one."""
    return _proven(lab, leading=True)


# Shares of the generator's law in a mixture with the group's own.
SHARES = (0.02, 0.01, 0.005)
# The next order is of the size of the share times the largest change of a score; extrapolated, its square.
TOLERANCE = 0.02


def _mixed(lab: Lab, exponent: float) -> pd.DataFrame:
    """Along Q mixed with P: the local exponent of the floor in KL, and floor over b'H^-1 b/2, both carried
    to share 0 from the two smallest shares."""
    cells, measured, expected = [], [], []
    for name, case in cases():
        if (case.depth, case.seeds) != (1, SEEDS[0]):
            continue
        groups, made, counts = build(lab, case)
        x, laws, best = groups.points, groups.laws, groups.best
        radius = np.ones((2, 2))
        found = []
        for share in SHARES:
            law = share * made[0] + (1.0 - share) * laws
            at = prediction(x, laws, law, best, counts)
            found.append(chain(x, laws, law, counts, at, radius))
        floor, apart = (np.log([getattr(c, k) for c in found]) for k in ("floor", "divergence"))
        local = np.diff(floor) / np.diff(apart)
        ratio = [each.leading for each in found]
        cells += [f"exponent of the floor in KL; {name}", f"floor / (b'H^-1 b/2); {name}"]
        measured += [float(2.0 * local[1] - local[0]), 2.0 * ratio[2] - ratio[1]]
        expected += [exponent, 1.0]
    return exact_rows(cells, measured, expected, TOLERANCE)


def order(lab: Lab) -> pd.DataFrame:
    """The floor is of the order of KL."""
    return _mixed(lab, 1.0)


def order_of_bias(lab: Lab) -> pd.DataFrame:
    """The floor is of the order of the bias, the root of KL."""
    return _mixed(lab, 0.5)


CLAIMS = (
    inequality_claim(
        "generation-tokens-chain",
        "From divergence to floor, link by link",
        (
            "For laws of 1, 2 and 4 layers, of few and of many seeds, with imbalance and with a spurious"
            " attribute: total variation is bounded by KL, the gradient bias by total variation, the"
            " quadratic form by the bias and by KL; no link is violated, each shown where it is tightest."
        ),
        r"|b| \le 2\pi\rho\,\overline{TV} \le 2\pi\rho\sqrt{\overline{KL}/2}",
        every_link,
        Twin("Total variation is at most the root of KL/8.", halved),
        note=NOTE,
        assumptions=(GIVEN, FIXED),
    ),
    inequality_claim(
        "generation-tokens-certified",
        "A bound of the floor without o(1)",
        (
            "Where the bias is small enough for it to be finite, the self-concordance bound holds for"
            " every law's exact floor, and for the attribute coefficients that biased rows leave."
        ),
        r"\mathrm{floor} \le \lambda_{max}(H_t^{-1}H_{bal})\,\varrho^2\,\frac{e^m - 1 - m}{m^2}",
        certified,
        Twin("The leading term b'H^-1 b/2 is a bound already.", leading),
        note=NOTE,
        assumptions=(GIVEN, FIXED),
    ),
    exact_claim(
        "generation-tokens-floor-order",
        "The floor is of the order of KL",
        (
            "As a generator's law is mixed with the group's own, the floor falls with KL to the power 1,"
            " and becomes the quadratic form of the gradient bias."
        ),
        r"\mathrm{floor} = \tfrac12 b^\top H^{-1} b\,(1 + O(|b|)) = O(\mathrm{KL})",
        order,
        Twin("It is of the order of the bias, the root of KL.", order_of_bias),
        note=NOTE,
        assumptions=(GIVEN, FIXED),
    ),
)
