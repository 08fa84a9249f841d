"""Generation, tokens end to end: seeds, generator, synthetic rows, classifier, exact excess risk."""

import numpy as np
import pandas as pd

from scaling.theory.tokens.composition import prediction
from simulations.tokens.world import World
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.evidence import exact_rows
from synthlaw.claims.generation.tokens.cases import (
    ASSUMED,
    FIXED,
    GIVEN,
    NOTE,
    Case,
    build,
    measure,
    predictions,
    rows,
)
from synthlaw.claims.kinds import exact_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin

SMALL, MIDDLE, LARGE = World(64, 2), World(256, 2), World(1024, 4, 0.5)
RAW = (20_000, 2000)
GENERATORS = (("oracle", 1), ("transformer", 1), ("transformer", 2), ("duplicate", 1))
SYNTHETIC = (9000, 15_000, 18_000)
ALONG = [
    Case(MIDDLE, 1, name, depth, 400, RAW, (0, m)) for name, depth in GENERATORS for m in SYNTHETIC
]
OTHERS = [
    Case(SMALL, 1, "transformer", 1, 100, RAW, (0, 18_000)),
    Case(SMALL, 1, "transformer", 3, 100, RAW, (0, 18_000)),
    Case(LARGE, 1, "transformer", 1, 1000, (5000, 500), (0, 4500)),
]
# Rows of two tokens, d^2 = 1024 of them; label and attribute agree in ten of eleven raw rows.
PAIRS = World(32, 2)
UNEVEN, FILLED = (8000, 800, 800, 8000), (0, 7200, 7200, 0)
SPURIOUS = [
    Case(PAIRS, 2, name, depth, seeds, UNEVEN, FILLED)
    for name, depth, seeds in (
        ("oracle", 1, 200),
        ("transformer", 1, 200),
        ("transformer", 2, 200),
        ("transformer", 3, 200),
    )
]
RAW_ONLY = Case(PAIRS, 2, "oracle", 1, 200, UNEVEN, (0, 0, 0, 0))
LINE = np.linspace(6000, 18_000, 25).astype(int)


def _name(case: Case) -> str:
    return f"d={case.world.vocabulary}, {case.label}, m={case.synthetic[1]}"


def imbalance(lab: Lab) -> pd.DataFrame:
    """Simulated over predicted excess risks, two groups."""
    found = [row for case in ALONG + OTHERS for row in rows(lab, _name(case), case)]
    lab.drawn["token_rows"] = _along(lab)
    return pd.DataFrame(found)


def without_floor(lab: Lab) -> pd.DataFrame:
    """The same over variance and second order alone."""
    found = [row for case in ALONG + OTHERS for row in rows(lab, _name(case), case, floor=False)]
    return pd.DataFrame(found)


def _along(lab: Lab) -> pd.DataFrame:
    """Balanced excess risk against m, per generator: a line of predictions and the simulated points."""
    table = []
    for name, depth in GENERATORS:
        for m in sorted({*LINE.tolist(), *SYNTHETIC}):
            case = Case(MIDDLE, 1, name, depth, 400, RAW, (0, int(m)))
            law = np.mean([one.predicted[-1] for one in predictions(lab, case)])
            row = {"series": case.label, "x": m, "predicted": law}
            if case in ALONG:
                found = measure(lab, case)
                row |= {"estimate": found.estimate[-1], "se": found.se[-1]}
            table.append(row)
    return pd.DataFrame(table)


def attribute(lab: Lab) -> pd.DataFrame:
    """Simulated over predicted excess risks with a spurious attribute token."""
    cases = [RAW_ONLY, *SPURIOUS]
    labels = ["raw rows", *(case.label for case in SPURIOUS)]
    found, drawn = [], []
    for label, case in zip(labels, cases, strict=True):
        found += rows(lab, label, case)
        one = measure(lab, case)
        for group, at in (("balanced", -1), ("worst", one.worst)):
            drawn.append(
                {
                    "series": label,
                    "group": group,
                    "predicted": one.predicted[at],
                    "estimate": one.estimate[at],
                    "se": one.se[at],
                }
            )
    lab.drawn["token_spurious"] = pd.DataFrame(drawn)
    return pd.DataFrame(found)


def _coefficients(lab: Lab, case: Case) -> pd.DataFrame:
    """The population fit's attribute coefficients against 0, and its core ones against the best."""
    groups, made, counts = build(lab, case)
    found = prediction(groups.points, groups.laws, made[0], groups.best, counts)
    r = case.world.dim
    cells = [f"attribute {i + 1}" for i in range(r)] + [f"core {i + 1}" for i in range(r)]
    measured = [*found.theta[r : 2 * r].tolist(), *found.theta[:r].tolist()]
    expected = [*[0.0] * r, *groups.best[:r].tolist()]
    return exact_rows(cells, measured, expected, tolerance=1e-8)


def removed(lab: Lab) -> pd.DataFrame:
    """With oracle rows to full balance."""
    return _coefficients(lab, SPURIOUS[0])


def left_in(lab: Lab) -> pd.DataFrame:
    """With the raw rows alone."""
    return _coefficients(lab, RAW_ONLY)


CLAIMS = (
    constant_claim(
        "generation-tokens-risk",
        "From a generator's law to the risk of a classifier",
        (
            "Logistic regression on token embeddings, trained on raw rows and on rows of a transformer, of"
            " the seeds' own shares or of the oracle, has the balanced and worst-group excess risk of"
            " floor, variance and second order at the generator's exact law, along m, depth, vocabulary"
            " and dimension."
        ),
        r"\mathcal{E} = R(\theta_{mix}) - R(\theta_{bal}) + \tfrac12\mathrm{tr}(HM) + g^\top\Delta",
        imbalance,
        note=NOTE,
        assumptions=ASSUMED,
        twin=Twin("The generator's gradient bias costs nothing: no floor.", without_floor),
    ),
    constant_claim(
        "generation-tokens-spurious",
        "A spurious attribute token, end to end",
        (
            "Rows of a core and an attribute token, minority groups filled by one transformer per token and"
            " group: balanced and worst-group excess risks are floor, variance and second order of the"
            " product laws, as they are for raw rows and for the oracle's."
        ),
        r"Q_g = Q_g^{core} \otimes Q_g^{attribute}",
        attribute,
        note=NOTE,
        assumptions=ASSUMED,
    ),
    exact_claim(
        "generation-tokens-attribute",
        "Balance by the oracle removes the attribute token",
        (
            "With the minority groups filled to full balance from their own laws, the population fit gives"
            " the attribute's embedding no weight and the core's its log-odds."
        ),
        r"\theta_{mix} = (\eta_1 - \eta_0,\ 0,\ A_0 - A_1)",
        removed,
        Twin("The raw rows alone give it none either.", left_in),
        note=NOTE,
        assumptions=(GIVEN, FIXED),
    ),
)
