"""Generation, how many seeds: a generator's rows against the seeds themselves, weighted up."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from scaling.theory.tokens.seeds import SeedLaw, endless, seed_law, weighted_up
from simulations.tokens.generators import generated
from simulations.tokens.groups import Groups, imbalance
from simulations.tokens.world import World, embeddings, latents, seed_counts
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import bounded_row
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.generation.tokens.cases import FIXED, FOUND, NOTE, named
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin, always

WORLD = World(64, 2)
DEPTHS, SIZES, REPLICATES = (1, 2, 3), (500, 2000, 8000), 960
REWEIGHTED = "reweighting"
ENDLESS = always("Majority rows, and the generator's, are endless; only the seeds are random.")
TAME = always("In the table of embeddings n* is 20 or more at every depth.")
ASSUMED = (ENDLESS, FIXED, TAME, FOUND)
# How far from the crossing both sides are looked at, and with how many samples.
APART, FEWER = 3.0, 320
# Crossings of the table that is looked at; half of all tables of 64 tokens have an earlier one, or none, at
# some depth.
FEWEST = 20


class Risk(NamedTuple):
    """Mean excess risk ``estimate`` with ``se``; samples that had no minimiser, ``failures``."""

    estimate: float
    se: float
    failures: int


class Chosen(NamedTuple):
    """A ``table (d, r)`` and the ``laws`` of its depths, by depth."""

    table: np.ndarray
    laws: dict[int, SeedLaw]


def _chosen(lab: Lab) -> Chosen:
    """The laboratory's first table with a crossing at `FEWEST` seeds or later at every depth."""

    def compute() -> Chosen:
        number = 0
        while True:
            lab.go_on()
            table = embeddings(WORLD, lab.seed, number)
            laws = {depth: seed_law(table, latents(WORLD), depth) for depth in DEPTHS}
            if min(each.crossing for each in laws.values()) >= FEWEST:
                return Chosen(table, laws)
            number += 1

    return lab.recall("token seeds table", compute)


def _groups(lab: Lab) -> Groups:
    return lab.recall("token seeds groups", lambda: imbalance(_chosen(lab).table, latents(WORLD)))


def law(lab: Lab, depth: int) -> SeedLaw:
    """Floor and cost per seed of one depth."""
    return _chosen(lab).laws[depth]


def simulated(lab: Lab, depth: int, n: int, replicates: int = REPLICATES) -> Risk:
    """The mean over samples of n seeds, less a control of mean exactly 0; depth 0 weights the seeds up."""

    def compute() -> Risk:
        groups, table = _groups(lab), _chosen(lab).table
        number = replicates * lab.preset.effort
        drawn = [seed_counts(groups.laws[1], [n], lab.seed, ["up", r])[0] for r in range(number)]
        counts = np.array(drawn, float)
        if depth == 0:
            values, control = endless(groups, counts / n), weighted_up(groups).control(counts)
        else:
            log_q, _ = generated("transformer", table, counts, latents(WORLD)[1], depth)
            values = endless(groups, np.exp(log_q))
            control = law(lab, depth).control(counts @ table / n, n)
        left = (values - control)[np.isfinite(values)]
        se = float(left.std(ddof=1) / len(left) ** 0.5)
        return Risk(float(left.mean()), se, number - len(left))

    return lab.recall(f"token seeds {depth} {n} {replicates}", compute)


def _cost(lab: Lab, depth: int) -> tuple[float, float]:
    """Floor, and cost of one seed."""
    if depth == 0:
        return 0.0, law(lab, 1).reweighting
    return law(lab, depth).floor, law(lab, depth).cost


def _name(depth: int) -> str:
    return named("transformer", depth) if depth else REWEIGHTED


def costs(lab: Lab) -> pd.DataFrame:
    """n times what lies above the floor, over the cost per seed, by n."""
    rows = []
    for depth in (0, *DEPTHS):
        floor, cost = _cost(lab, depth)
        for n in SIZES:
            found = simulated(lab, depth, n)
            estimate = n * (found.estimate - floor), n * found.se
            number = REPLICATES * lab.preset.effort
            rows.append(fitted_row(_name(depth), n, cost, estimate, number, found.failures))
    lab.drawn["token_seeds"] = _drawn(lab)
    return pd.DataFrame(rows).assign(size_name="n")


def _drawn(lab: Lab) -> pd.DataFrame:
    rows = []
    for depth in (0, *DEPTHS):
        floor, cost = _cost(lab, depth)
        for n in sorted({*SIZES, *np.geomspace(30, 1e5, 25).astype(int).tolist()}):
            row = {"series": _name(depth), "x": n, "predicted": floor + cost / n}
            if n in SIZES:
                found = simulated(lab, depth, n)
                row |= {"estimate": found.estimate, "se": found.se}
            rows.append(row)
    return pd.DataFrame(rows)


def _sides(lab: Lab, factor: float) -> pd.DataFrame:
    """Below and above ``factor`` times the crossing: the smaller of both risks against the larger."""
    rows = []
    for depth in DEPTHS:
        crossing = factor * law(lab, depth).crossing
        for n, better, worse in (
            (round(crossing / APART), depth, 0),
            (round(crossing * APART), 0, depth),
        ):
            low, high = (simulated(lab, each, n, FEWER) for each in (better, worse))
            rows.append(
                bounded_row(
                    f"{_name(depth)}, n={n}: {_name(better)} below {_name(worse)}",
                    (low.estimate, low.se),
                    (high.estimate, high.se),
                    FEWER * lab.preset.effort,
                    low.failures + high.failures,
                )
            )
    return pd.DataFrame(rows)


def crossing(lab: Lab) -> pd.DataFrame:
    """At a third and three times the crossing."""
    return _sides(lab, 1.0)


def too_late(lab: Lab) -> pd.DataFrame:
    """Against a crossing ten times as late."""
    return _sides(lab, 10.0)


CLAIMS = (
    constant_claim(
        "generation-tokens-seeds",
        "What a seed is worth to a transformer's classifier",
        (
            "On endless rows of 1, 2 or 3 layers the excess risk above the floor of endless seeds is the"
            " stated cost over n, a curvature of the risk along the seeds' mean; for the seeds themselves,"
            " weighted up, it is W/n without a floor."
        ),
        r"\mathcal{E}(n) = F(\mu) + \frac{\mathrm{tr}(F''C)}{2n},\quad W = \tfrac18\mathrm{tr}\,H^{-1}V",
        costs,
        note=NOTE,
        assumptions=ASSUMED,
    ),
    inequality_claim(
        "generation-tokens-crossing",
        "When transformer rows beat reweighting",
        (
            "Where a seed costs a transformer's rows less than reweighting, they have the smaller risk at a"
            " third of n* seeds, and reweighting at three times n* (1, 2 and 3 layers)."
        ),
        r"n^* = \frac{W - \tfrac12\mathrm{tr}(F''(\mu)\,C)}{F(\mu)}",
        crossing,
        Twin("The crossing is at ten times as many seeds.", too_late),
        note=NOTE,
        assumptions=ASSUMED,
    ),
)
