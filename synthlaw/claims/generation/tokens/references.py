"""Generation, tokens: what maximum likelihood and the Bayes predictive cost, up to a billion seeds."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import chi2, kstest

from scaling.theory.tokens import sharp
from scaling.verdict.equivalence import ALPHA
from simulations.tokens import bayes_divergences
from simulations.tokens.divergences import Divergences, divergences
from simulations.tokens.world import World
from synthlaw.claims.constants import constant_claim
from synthlaw.claims.exponents import fitted_row
from synthlaw.claims.generation.tokens.runs import (
    NOTE,
    SOURCE,
    WORLD,
    leave,
    line,
    mean_se,
    point,
)
from synthlaw.claims.kinds import distribution_claim
from synthlaw.claims.lab import Lab
from synthlaw.claims.record import Assumption, Twin, always, no_failures

LIKELIEST, SIZES, REPLICATES = World(32, 2, 1.0), (1000, 10**9), 3584
BAYES, FEW, FEWER = World(1024, 1, 0.5, 0.0), (1, 8, 64), 480
EXISTS = Assumption(
    "Every draw of seeds has a maximum of likelihood (those without are counted).", no_failures
)


def likeliest(lab: Lab) -> Divergences:
    """Maximum likelihood of a thousand and of a billion seeds."""
    count = REPLICATES * lab.preset.effort
    return lab.recall(
        "tokens likeliest",
        lambda: divergences(LIKELIEST, list(SIZES), 1, 1.0, count, lab.seed, likeliest=True),
    )


def costs(lab: Lab) -> pd.DataFrame:
    """Means over r/(2n), the noise of the seeds taken off by a quadratic form of known mean."""
    found, rows = likeliest(lab), []
    for k, n in enumerate(SIZES):
        kept = found.found[:, k]
        values = (found.likeliest - found.quadratic)[kept, k]
        expected, lost = sharp.likeliest(LIKELIEST.dim, n), int((~kept).sum())
        row = fitted_row(f"{n:,} seeds", n, expected, mean_se(values), len(kept), lost)
        rows.append({**row, "inverse_size": 0.0})
    name, along = "likelihood (r = 2)", np.geomspace(1.0, SIZES[-1], 20)
    laws = [sharp.likeliest(2, float(n)) for n in along]
    points = [point(name, row["size"], (row["estimate"], row["se"])) for row in rows]
    leave(lab, "seeds", points + line(name, along, laws))
    return pd.DataFrame(rows)


def law_of(lab: Lab, dim: int) -> pd.DataFrame:
    """Distance of 2 n KL, at both numbers of seeds together, to chi-square with ``dim`` degrees."""
    found = likeliest(lab)
    values = 2.0 * np.array(SIZES) * found.likeliest
    kept = values[found.found]
    return pd.DataFrame(
        {
            "cell": [" and ".join(f"{n:,}" for n in SIZES) + " seeds"],
            "distance": kstest(kept, chi2(dim).cdf).statistic,
            # Massart's constant in the Dvoretzky-Kiefer-Wolfowitz inequality.
            "radius": np.sqrt(np.log(2.0 / ALPHA) / (2.0 * len(kept))),
            "replicates": values.size,
            "failures": int((~found.found).sum()),
        }
    )


def predictive(lab: Lab) -> pd.DataFrame:
    """Means of the Bayes predictive over (r/2) log(1 + v)."""
    return _predictive(lab, lambda n: sharp.bayes(BAYES.dim, BAYES.norm, n))


def as_likelihood(lab: Lab) -> pd.DataFrame:
    """The same over r/(2n)."""
    return _predictive(lab, lambda n: sharp.likeliest(BAYES.dim, n))


def _predictive(lab: Lab, law: Callable[[float], float]) -> pd.DataFrame:
    count = FEWER * lab.preset.effort
    found = lab.recall(
        "tokens bayes",
        lambda: bayes_divergences.divergences(BAYES, list(FEW), count, lab.seed, prior="gaussian"),
    )
    rows = []
    for k, n in enumerate(FEW):
        expected = law(n)
        values = found.value[:, k] - found.control[:, k]
        row = fitted_row(f"n = {n}", n, expected, mean_se(values), count, 0)
        rows.append({**row, "inverse_size": 0.0})
    name, along = "Bayes (r = 1, B = 0.5)", np.geomspace(1.0, 1e4, 20)
    laws = [sharp.bayes(1, 0.5, float(n)) for n in along]
    points = [point(name, row["size"], (row["estimate"], row["se"])) for row in rows]
    leave(lab, "seeds", points + line(name, along, laws))
    return pd.DataFrame(rows)


CLAIMS = (
    distribution_claim(
        "generation-tokens-chi-square",
        "Maximum likelihood of tokens: 2 n KL is chi-square",
        (
            "The divergence of maximum likelihood from n seeds, times 2n, is chi-square with r degrees of"
            " freedom to a distance of .05, at a thousand and at a billion seeds."
        ),
        r"2n\,\mathrm{KL}(P_\eta\|P_{\hat\eta}) \to \chi^2_r",
        partial(law_of, dim=LIKELIEST.dim),
        Twin("It has r + 1 degrees of freedom.", partial(law_of, dim=LIKELIEST.dim + 1)),
        note=NOTE,
        source=SOURCE,
        assumptions=(*WORLD, EXISTS),
        margin=0.05,
    ),
    constant_claim(
        "generation-tokens-likelihood",
        "Maximum likelihood costs r/(2n), at a billion seeds too",
        "The mean divergence of maximum likelihood is r/(2n) at a thousand seeds and at a billion, at the"
        " same cost of simulation: seeds enter by their counts.",
        r"E\,\mathrm{KL}(P_\eta\|P_{\hat\eta}) = \frac{r}{2n}",
        costs,
        source=SOURCE,
        note=NOTE,
        assumptions=(*WORLD, EXISTS),
    ),
    constant_claim(
        "generation-tokens-bayes",
        "The Bayes predictive: its divergence from the first seed on",
        "Under a Gaussian prior of the latent the posterior predictive has the mean divergence (r/2)"
        " log(1 + v), v = 1/(n + r/B^2), at 1, 8 and 64 seeds (r = 1, B = 1/2, 1,024 tokens).",
        r"E\,\mathrm{KL} = \frac r2\log\Bigl(1 + \frac1{n + r/B^2}\Bigr)",
        predictive,
        source=SOURCE,
        note=NOTE,
        assumptions=(*WORLD, always("The latent is drawn from the prior, N(0, (B^2/r) I).")),
        twin=Twin("It costs r/(2n), as maximum likelihood does.", as_likelihood),
    ),
)
