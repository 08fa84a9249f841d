"""Generation, tokens: the published rate as an inequality over a grid, its smallest constant and slack."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scaling.theory.tokens import bound, sharp
from simulations.tokens.divergences import ENDLESS
from simulations.tokens.world import World
from synthlaw.claims.evidence import bounded_row
from synthlaw.claims.generation.tokens.runs import (
    LAYERS,
    NEAR,
    NOTE,
    SEEDS,
    WORLD,
    leave,
    line,
    mean_se,
    point,
    simulated,
)
from synthlaw.claims.kinds import inequality_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Twin

DIMS, NORMS = (2, 8), (0.5, 1.0)
# Of the claim and of its twin; upper limits of what was measured allow about 3.
CONSTANT, TOO_SMALL = 5.0, 0.25
# Standard errors that an upper limit adds to a mean.
LIMIT = 3.0
PICTURE = "token_slack"


def cells(lab: Lab) -> Any:
    """Means and standard errors of every cell of the grid, with the rate."""

    def run() -> pd.DataFrame:
        rows = []
        for d in NEAR:
            for dim in DIMS:
                for norm in NORMS:
                    found = simulated(lab, World(d, dim, norm)).layers
                    for k, n in enumerate(SEEDS):
                        rate = float(bound.rate(d, n if n != ENDLESS else np.inf))
                        for layer in range(LAYERS):
                            mean, se = mean_se(found[:, k, layer])
                            rows.append((d, dim, norm, n, layer + 1, mean, se, rate, len(found)))
        names = ["d", "r", "B", "n", "layers", "mean", "se", "rate", "replicates"]
        return pd.DataFrame(rows, columns=names)

    return lab.recall("tokens grid", run)


def holds(lab: Lab, constant: float) -> pd.DataFrame:
    """Every cell against the rate times a constant."""
    table = cells(lab)
    _draw(lab, table)
    sizes = ["endless" if n == ENDLESS else f"{n:,}" for n in table["n"]]
    names = [
        f"d = {d}, n = {n}, r = {r}, B = {b:g}, {layers} layer{'s' if layers > 1 else ''}"
        for d, n, r, b, layers in zip(
            table["d"], sizes, table["r"], table["B"], table["layers"], strict=True
        )
    ]
    means = zip(names, table["mean"], table["se"], table["rate"], table["replicates"], strict=True)
    return pd.DataFrame(
        [
            bounded_row(name, (mean, se), (constant * rate, 0.0), replicates)
            for name, mean, se, rate, replicates in means
        ]
    )


def _draw(lab: Lab, table: Any) -> None:
    """Bound over upper limit at the smallest constant, least over r and B; and curves in n."""
    upper = (table["mean"] + LIMIT * table["se"]).to_numpy()
    size = table["n"].replace(ENDLESS, np.inf).to_numpy(float)
    found = bound.smallest_constant(upper, table["d"].to_numpy(), size)
    with_slack = table.assign(slack=found.slack)
    least = with_slack.groupby(["layers", "d", "n"], as_index=False)["slack"].min()
    rows = least.assign(constant=found.constant).to_dict("records")
    leave(lab, "slack", [{str(k): v for k, v in row.items()} for row in rows], PICTURE)
    along = np.geomspace(100.0, 1e6, 20)
    for layer in (1, 2, LAYERS):
        own = table.query(
            f"d == {NEAR[-1]} and r == 2 and B == 0.5 and layers == {layer} and n > 0"
        )
        name = f"{layer} layer{'s' if layer > 1 else ''} (r = 2, B = 0.5, d = {NEAR[-1]})"
        points = [point(name, n, (m, s)) for n, m, s in own[["n", "mean", "se"]].to_numpy()]
        laws = [sharp.deeper(2, 0.5, NEAR[-1], layer - 1, 1.0, float(n)) for n in along]
        leave(lab, "seeds", points + line(name, along, laws))


CLAIMS = (
    inequality_claim(
        "generation-tokens-rate",
        "The published rate of transformers as generators holds, with room",
        (
            "The divergence stays below 5 (1/sqrt d + log d/sqrt n) in every cell of a grid of"
            " vocabularies (64, 256, 1,024), seeds (10^2, 10^4, 10^6, endless), r = 2, 8, B = 1/2, 1 and"
            " one to four layers at step 1."
        ),
        r"E\,\mathrm{KL} \le C\Bigl(\frac1{\sqrt d} + \frac{\log d}{\sqrt n}\Bigr)",
        partial(holds, constant=CONSTANT),
        Twin("The constant 1/4 serves as well.", partial(holds, constant=TOO_SMALL)),
        note=NOTE,
        source="rate: arXiv 2406.03628; its constant measured here",
        assumptions=WORLD,
    ),
)
